/** What a running server does by the clock. */
import type { Settings } from '../config.js'
import type { Log } from '../log.js'
import { forgetRemovals } from '../mail/delta.js'
import type { Mail } from '../mail/mail.js'
import { retain } from '../mail/retention.js'
import { sweepUploads } from '../mail/upload-session.js'
import type { Core } from './core.js'

/** How often mail that is kept no longer is looked for. */
const retainEveryMs = 600_000

/** @returns ends it, once a step under way is through */
export function startRetaining({ retention, retentionSize }: Settings, mail: Mail, log: Log): () => Promise<void> {
  if (retention === 0 && retentionSize === 0) return async () => {}
  const bounds = {
    ageMs: retention === 0 ? undefined : retention,
    sizeBytes: retentionSize === 0 ? undefined : retentionSize,
  }
  const stop = new AbortController()
  let running = Promise.resolve()
  const look = () => {
    running = running.then(async () => {
      try {
        const done = await retain(mail, bounds, stop.signal)
        if (done.purged + done.removed > 0) log.info(done, 'mail beyond the retention was deleted')
      } catch (error) {
        log.error({ error }, 'mail beyond the retention could not be deleted; the next try is in 10 minutes')
      }
    })
  }
  look()
  const timer = setInterval(look, retainEveryMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    stop.abort()
    return running
  }
}

/** How often keys that other processes added or removed are looked for. */
const reloadKeysEveryMs = 5_000

/** New keys in their time, those of other processes when they come, and nothing kept of grants that are over. @returns ends it */
export function startKeepingKeys(
  { keyRotation }: Settings,
  { store, mail, tokens, directory }: Core,
  log: Log,
): () => Promise<void> {
  let running = Promise.resolve()
  const keep = () => {
    running = running.then(async () => {
      try {
        await tokens.reloadKeys()
        const [newest] = await directory.listKeys()
        const now = mail.clock.now()
        if (newest === undefined || now - newest.createdAt < keyRotation) return
        const { id } = await directory.rotateKey()
        log.info({ key: id }, 'a new key signs tokens; what the old one signed stays good')
      } catch (error) {
        log.error({ error }, 'the keys could not be looked after; the next try follows')
      }
    })
  }
  const sweep = () => {
    store.identity.grants.deleteExpired(mail.clock.now()).catch((error: unknown) => {
      log.error({ error }, 'grants that are over could not be cleared away; the next try is in an hour')
    })
  }
  const timers = [setInterval(keep, reloadKeysEveryMs), setInterval(sweep, sweepEveryMs)]
  for (const timer of timers) timer.unref()
  return () => {
    for (const timer of timers) clearInterval(timer)
    return running
  }
}

/** How often what is not needed any more is looked for: uploads, what left folders long ago, grants. */
const sweepEveryMs = 3_600_000

/** @returns ends it, once a sweep under way is through */
export function startSweeping(mail: Mail, log: Log): () => Promise<void> {
  let running = Promise.resolve()
  const sweep = () => {
    running = running.then(async () => {
      try {
        await mail.store.idempotency.deleteExpired(mail.clock.now())
        const deleted = await sweepUploads(mail)
        if (deleted > 0) log.info({ deleted }, 'uploads that nothing names were deleted')
        await forgetRemovals(mail.store, mail.clock.now())
      } catch (error) {
        log.error({ error }, 'what is no longer needed could not be cleared away; the next try is in an hour')
      }
    })
  }
  sweep()
  const timer = setInterval(sweep, sweepEveryMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    return running
  }
}
