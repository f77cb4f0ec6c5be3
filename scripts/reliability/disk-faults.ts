/** R6: the disk takes no more, at each write; it is read-only; the tail of the log is damaged. R7: it does not sync. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Caller, openCaller } from './caller.js'
import { damagedLogs } from './damaged-log.js'
import { mailBody, planMail } from './ledger.js'
import { type Finding, notReached, type Row, type Scope } from './row.js'
import { type Server, startServer } from './server.js'
import { kept } from './store-file.js'
import { failedFiles, failing, whyNotTraced } from './strace.js'

/** Writes of a thread before the first that fails: the start has made its own by then, and would end there. */
const writesBefore = 30
/** Between two writes that fail in one life of the server; in as many lives every write fails in one of them. */
const stride = 25
/** A life ends when so many mails were tried: about ten writes each. */
const mailsPerLife = 20
/** How long a server may take to end by itself, ms. */
const endsWithinMs = 5_000

export const diskFull: Row = {
  id: 'R6',
  promise: 'a disk that is full, read-only or damaged at the end of the log loses nothing that was acknowledged',
  inTests: true,
  run: async (scope) => {
    const damaged = await damagedLogs(scope, scope.pick(20, 100, 500))
    const obstacle = whyNotTraced()
    if (obstacle !== undefined) return { ...damaged, obstacle }
    const lives = scope.pick(
      [1, 5],
      [1, 4, 8, 12, 16, 20, 24],
      Array.from({ length: stride }, (_, each) => each + 1),
    )
    const found: Life[] = []
    for (const when of lives) {
      scope.progress(`disk full at write ${when} and every ${stride} after it`)
      found.push(
        await life(scope, failing('pwrite64', 'ENOSPC', `${writesBefore + when}+${stride}`), { recovers: true }),
      )
    }
    scope.progress('a disk that is read-only from some write on')
    const readOnly = await life(scope, failing('pwrite64', 'EROFS', `${2 * writesBefore}+`), { recovers: false })
    const faults = [...found, readOnly].flatMap((each) => each.faults)
    const refused = found.reduce((sum, each) => sum + each.refused, 0)
    if (refused === 0 || readOnly.refused === 0) faults.push('no write failed: nothing was tried')
    const accepted = found.reduce((sum, each) => sum + each.accepted.length, 0)
    return {
      did: `a full disk at each of ${lives.length} of every ${stride} writes, a read-only one, ${damaged.did}`,
      figure: [
        `${accepted} mails accepted, ${refused} refused with 503, lost 0 wherever nothing else is said`,
        `read-only: ${readOnly.accepted.length} accepted, ${readOnly.refused} refused`,
        damaged.figure,
      ].join('; '),
      faults: [...faults, ...damaged.faults].slice(0, 8),
    }
  },
}

export const syncFails: Row = {
  id: 'R7',
  promise: 'after a sync to disk that failed no 202 leaves, the server ends by itself, and the next has everything',
  inTests: true,
  run: async (scope) => {
    const obstacle = whyNotTraced()
    if (obstacle !== undefined) return notReached(obstacle)
    const moments = scope.pick(
      [3, 8],
      [2, 3, 4, 6, 9, 13, 20, 30],
      Array.from({ length: 50 }, (_, each) => each + 1),
    )
    const faults: string[] = []
    let accepted = 0
    let [failed, ended, ofFolder] = [0, 0, 0]
    for (const when of moments) {
      scope.progress(`the sync that fails is number ${when}`)
      const calls = scope.scratch('calls')
      const found = await life(scope, failing('fsync,fdatasync', 'EIO', `${when}`, calls), { ends: true })
      accepted += found.accepted.length
      const files = await failedFiles(calls)
      // SQLite does not look at what became of a sync of the folder, made when it makes or removes a log.
      const isOfStore = files.some((file) => !file.endsWith('-data'))
      if (isOfStore) failed++
      else if (files.length > 0) ofFolder++
      if (isOfStore && found.hasEnded) ended++
      if (isOfStore && !found.hasEnded) faults.push(`sync ${when}: it went on after that`)
      faults.push(...found.faults.map((fault) => `sync ${when}: ${fault}`))
    }
    if (failed === 0) faults.push('no sync failed: nothing was tried')
    return {
      did: `EIO at sync ${moments[0]} to ${moments.at(-1)} of a thread, ${moments.length} lives, in ${failed} of them on a file of the store`,
      figure: `${accepted} accepted before, none after; ended by itself ${ended} of ${failed} times; ${ofFolder} times the sync of the folder alone failed, which SQLite ignores`,
      faults: faults.slice(0, 8),
    } satisfies Finding
  },
}

interface Life {
  readonly accepted: readonly string[]
  readonly refused: number
  readonly hasEnded: boolean
  readonly faults: readonly string[]
}

/**
 * One life of a server whose calls fail, from its start to its end, and a look at what it left.
 *
 * @param expected `recovers`: it takes mail again afterwards; `ends`: it takes none after its first refusal, and ends
 */
async function life(
  scope: Scope,
  under: readonly string[],
  expected: { recovers?: boolean; ends?: boolean },
): Promise<Life> {
  const folder = await scope.folder('data')
  const server = startServer({ folder, args: ['--log-level', 'silent'], under })
  const url = await server.ready.catch(() => undefined)
  const faults: string[] = []
  const accepted: string[] = []
  let refused = 0
  if (url !== undefined) {
    const caller = openCaller(url, scope.token)
    refused = await sendThrough(caller, server, { ...expected, accepted, faults })
    caller.close()
  } else if (expected.ends !== true) faults.push('it did not start')
  const hasEnded = expected.ends === true && (await endsByItself(server))
  await server.end('SIGKILL')

  const next = startServer({ folder, args: ['--log-level', 'silent'] })
  await next.ready
  await next.end('SIGTERM')
  const store = kept(folder)
  faults.push(...store.faults)
  const lost = accepted.filter((subject) => !store.sent.has(subject) || store.delivered.get(subject) !== 1)
  if (lost.length > 0) faults.push(`${lost.length} acknowledged mails are gone or half there, ${lost[0]} the first`)
  return { accepted, refused, hasEnded, faults }
}

/** @returns how many mails were refused */
async function sendThrough(
  caller: Caller,
  server: Server,
  life: { recovers?: boolean; ends?: boolean; accepted: string[]; faults: string[] },
): Promise<number> {
  let refused = 0
  for (let number = 0; number < mailsPerLife; number++) {
    const subject = `mail ${number}`
    const body = mailBody(subject, { ...planMail(number), isSaved: true, isLocal: true })
    const answer = await caller.call('POST', '/v1.0/me/sendMail', body).catch(() => undefined)
    if (answer === undefined) {
      if (life.ends !== true)
        life.faults.push(`a call was not answered, and the server ${server.pid} had no reason to end`)
      break
    }
    if (answer.status === 202) {
      if (life.ends === true && refused > 0) life.faults.push('a 202 left after a sync had failed')
      life.accepted.push(subject)
      continue
    }
    refused++
    if (answer.status !== 503 && answer.status !== 507) life.faults.push(`a mail was refused with ${answer.status}`)
    if (answer.headers['retry-after'] === undefined) life.faults.push('a refusal does not say when to try again')
    if (!answer.text.includes('"code"')) life.faults.push(`a refusal is no error of Graph: ${answer.text.slice(0, 80)}`)
    if (life.ends === true) continue
    const reading = await caller.call('GET', '/v1.0/me/messages?$top=1&$select=subject').catch(() => undefined)
    if (reading?.status !== 200) life.faults.push(`reading was answered with ${reading?.status} meanwhile`)
  }
  if (life.recovers === true) {
    const again = await untilAccepted(caller)
    if (!again) life.faults.push('it took no mail afterwards')
  }
  return refused
}

/** Single writes fail still, so not every try gets through. */
async function untilAccepted(caller: Caller): Promise<boolean> {
  for (let tries = 0; tries < 20; tries++) {
    const body = mailBody('afterwards', { isSaved: true, isLocal: false, remote: ['x@d.example'] })
    if ((await caller.call('POST', '/v1.0/me/sendMail', body)).status === 202) return true
  }
  return false
}

async function endsByItself(server: Server): Promise<boolean> {
  return Promise.race([server.ended.then(() => true), sleep(endsWithinMs, false, { ref: false })])
}
