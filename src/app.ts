/** The whole server is one call: it takes settings, and what it answers closes all of it. The parts are put together in `app/`. */
import { readDirectoryFile } from './admin/directory-file.js'
import { startKeepingKeys, startRetaining, startSweeping } from './app/background.js'
import { describe, locationOf, observed, openCore, type Surroundings } from './app/core.js'
import { canLeave, isDevelopment, startTelling, startWorker, transportOf, wayOutOf } from './app/delivery.js'
import type { Directory } from './app/directory.js'
import { openEntrances } from './app/entrances.js'
import { listenAll } from './app/surfaces.js'
import type { Settings } from './config.js'
import { openLog } from './log.js'
import { startIndexing } from './mail/keep-indexed.js'
import type { NotificationWorker } from './notifications/worker.js'
import { startScheduler } from './outbox/scheduler.js'
import { type Backup, backupFolder } from './store/backup.js'
import { observedArrival, observedDelivery } from './telemetry/observer.js'

export type { Surroundings } from './app/core.js'
export { isDevelopment } from './app/delivery.js'
export type { Directory, TokenRequest } from './app/directory.js'
export { dkimFileName, dkimRecord, readDkimKeys } from './outbox/dkim.js'

/** A running server. */
export interface Graphpost {
  /** `http://localhost:3650`; undefined when not opened. */
  readonly httpUrl: string | undefined
  readonly httpsUrl: string | undefined
  /** PEM of the authority that signed the https certificate. */
  readonly caPem: string | undefined
  /** Where that is kept; undefined in memory. */
  readonly caPath: string | undefined
  readonly smtpPort: number | undefined
  readonly lmtpPort: number | undefined
  readonly metricsPort: number | undefined
  /** Whether mail can leave this machine. */
  readonly canLeave: boolean
  /** For people: how, no password in it; undefined when it cannot. */
  readonly wayOut: string | undefined
  /** For people: what mail is kept in. */
  readonly storeDescription: string
  readonly tenant: string
  /** Whether the well-known application, secret and password are good. */
  readonly isDevelopment: boolean
  /** User principal names. */
  readonly mailboxes: readonly string[]
  readonly directory: Directory
  /** Reads the operator's own https certificate again; nothing to do without one. */
  reloadCertificate(): Promise<void>
  /** Resolves once nothing in the outbox is due or under way, or after `timeoutMs`. */
  drainOutbox(timeoutMs: number): Promise<void>
  /** Resolves when nothing more can be kept until the next start: a sync to disk failed. */
  readonly failed: Promise<Error>
  /** Takes no more calls, finishes what is under way, closes everything. */
  close(): Promise<void>
}

/** Starts a server; resolves when it can be called. The whole of it is this one call, and `close()` undoes all of it. */
export async function startGraphpost(settings: Settings, surroundings: Surroundings = {}): Promise<Graphpost> {
  const log = surroundings.log ?? openLog({ level: settings.logLevel, format: settings.logFormat })
  const wakers: (() => void)[] = []
  // Before anything is opened: a document with a fault changes nothing.
  const document = settings.directory === '' ? undefined : await readDirectoryFile(settings.directory)
  const transport = await transportOf(settings)
  let notifications: NotificationWorker | undefined
  let storeLost: (error: Error) => void = () => {}
  const failed = new Promise<Error>((resolve) => {
    storeLost = resolve
  })
  const core = await openCore(
    settings,
    surroundings,
    {
      outboxChanged: () => {
        for (const wake of wakers) wake()
      },
      mailChanged: () => notifications?.wake(),
      storeLost,
    },
    document,
  )
  const opened: (() => Promise<void>)[] = [() => core.store.close()]
  const closeAll = async () => {
    for (const close of opened.reverse()) await close()
  }
  try {
    // A folder belongs to one server; what an earlier one had claimed when it was killed is taken up at once.
    if (locationOf(settings).kind === 'folder') {
      await core.mail.store.outbox.releaseClaims(core.mail.clock.now())
      await core.mail.store.notifications.releaseClaims(core.mail.clock.now())
    }
    const { telemetry } = core
    if (telemetry !== undefined) opened.push(() => telemetry.close())
    const worker = startWorker(settings, observed(core, observedDelivery), transport, log)
    opened.push(() => worker.close())
    wakers.push(() => worker.wake())
    const scheduler = startScheduler(core.mail, log)
    opened.push(() => scheduler.close())
    const telling = startTelling(settings, core, log)
    notifications = telling
    opened.push(() => telling.close())
    opened.push(startSweeping(core.mail, log))
    opened.push(startRetaining(settings, core.mail, log))
    opened.push(
      startIndexing(core.mail, {
        failed: (error) => log.error({ error }, 'mail could not be indexed; the next try follows'),
        progressed: (left) => log.info({ left }, left > 0 ? 'indexing mail for searches' : 'all mail is indexed'),
      }),
    )
    opened.push(startKeepingKeys(settings, core, log))
    const surfaces = await listenAll(settings, core, log, () => telling.begin())
    opened.push(() => surfaces.close(settings.drainTimeout))
    const entrances = await openEntrances(
      settings,
      { ...core, mail: observed(core, observedArrival) },
      log,
      surfaces.https,
    )
    opened.push(() => entrances.close())
    worker.wake()
    const users = await core.directory.listUsers()
    return {
      httpUrl: surfaces.http && `http://localhost:${surfaces.http.port}`,
      httpsUrl: surfaces.https && `https://localhost:${surfaces.https.port}`,
      caPem: surfaces.https?.certificate?.caPem,
      caPath: surfaces.https?.certificate?.caPath,
      smtpPort: entrances.smtp?.port,
      lmtpPort: entrances.lmtp?.port,
      metricsPort: surfaces.metrics?.port,
      canLeave: canLeave(settings),
      wayOut: wayOutOf(settings),
      storeDescription: describe(locationOf(settings)),
      tenant: core.tenant.id,
      isDevelopment: isDevelopment(settings),
      mailboxes: users.map((user) => user.userPrincipalName),
      directory: core.directory,
      reloadCertificate: async () => {
        await Promise.all([surfaces.https?.reloadCertificate(), entrances.reloadCertificate()])
      },
      drainOutbox: async (timeoutMs) => {
        await scheduler.look()
        await worker.drain(timeoutMs)
      },
      failed,
      close: closeAll,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Opens what is kept for one command; the server may be running beside it. */
export async function openDirectory(settings: Settings): Promise<Directory & { close(): Promise<void> }> {
  const { directory, store } = await openCore(settings, {}, { outboxChanged: () => {}, mailChanged: () => {} })
  return { ...directory, close: () => store.close() }
}

/**
 * Copies what is kept to a folder that is not there yet; a server may be running on it.
 *
 * @throws Error when it is kept in PostgreSQL, which has tools of its own
 */
export async function backup(settings: Settings, to: string): Promise<Backup> {
  const location = locationOf(settings)
  if (location.kind !== 'folder') {
    throw new Error('Mail in PostgreSQL is copied with pg_dump, then the blobs folder; see docs/operations.md.')
  }
  return backupFolder(location.path, to)
}
