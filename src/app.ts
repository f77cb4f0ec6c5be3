/** The only place where parts meet: store, domain, surfaces and the outbox worker become one server. */
import { randomBytes, randomUUID } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { join } from 'node:path'
import {
  addSecret,
  applyDirectory,
  changeRights,
  putApplication,
  putGroup,
  putRights,
  putSharedMailbox,
  putUser,
} from './admin/directory.js'
import {
  type ApplicationEntry,
  type DirectoryDocument,
  type GroupEntry,
  type MailboxEntry,
  readDirectoryFile,
  type UserEntry,
} from './admin/directory-file.js'
import { adminListener } from './admin/serve.js'
import { notOpened, readDurations, type Settings, UsageError } from './config.js'
import { CallLimiter, callLimitsOf } from './graph/limits.js'
import { presentNotifications } from './graph/notification-body.js'
import { graphListener } from './graph/serve.js'
import { standingOf } from './graph/subscriptions.js'
import { healthListener } from './http/health.js'
import type { HttpsListening } from './http/https.js'
import type { Reach } from './http/outward-call.js'
import { type Listening, listen } from './http/server.js'
import { type Application, newApplication } from './identity/application.js'
import { cloudHosts } from './identity/clouds.js'
import { developmentApplication, developmentTenant } from './identity/development.js'
import type { Group } from './identity/group.js'
import { type KeyRing, openKeyRing } from './identity/key-ring.js'
import { knownPermissions } from './identity/permissions.js'
import { type Seals, sealsOf } from './identity/seal.js'
import { generateSigningKey, type SigningKey } from './identity/signing-key.js'
import type { Tenant } from './identity/tenant.js'
import { type Tokens, tokensOf } from './identity/token.js'
import { trustedIssuersOf } from './identity/trusted-issuer.js'
import type { User } from './identity/user.js'
import { type Log, maskPasswords, openLog } from './log.js'
import type { CallRecord } from './mail/call-record.js'
import { createMailbox } from './mail/create-mailbox.js'
import type { TenantId } from './mail/ids.js'
import type { Clock, Mail, Random } from './mail/mail.js'
import type { Mailbox, MailboxRight } from './mail/mailbox.js'
import type { OutboxEntry } from './mail/outbox-entry.js'
import { changeQueue, type QueueAction, type QueueOutcome } from './mail/queue.js'
import { SendingLimits, sendingBoundsOf } from './mail/sending-limits.js'
import type { QueueFilter } from './mail/store.js'
import { sweepUploads } from './mail/upload-session.js'
import { type NotificationWorker, startNotificationWorker } from './notifications/worker.js'
import { oauthListener } from './oauth/serve.js'
import { openDirect } from './outbox/direct.js'
import { dkimSigner, readDkimKeys } from './outbox/dkim.js'
import { fetchStsPolicy } from './outbox/mta-sts.js'
import { routesOf } from './outbox/open-routes.js'
import { scheduleOf } from './outbox/retry-schedule.js'
import { readRoutesFile } from './outbox/routes-file.js'
import { startScheduler } from './outbox/scheduler.js'
import { openTransport, type Transport } from './outbox/transport.js'
import { type OutboxWorker, startOutboxWorker } from './outbox/worker.js'
import type { SmtpListening } from './smtp/listen.js'
import { openStore, type Store, type StoreLocation } from './store/open.js'

export { dkimFileName, dkimRecord, readDkimKeys } from './outbox/dkim.js'

/** The people of the sample tenant, by the local part of their addresses. */
const sampleUsers = ['adele', 'alex', 'diego', 'lee', 'megan', 'patti']

/** What a sample token may do. */
const samplePermissions = ['Mail.ReadWrite', 'Mail.Send', 'User.Read']

/** Tokens of the command line and of the start page live this long. */
const tokenLifetimeSeconds = 12 * 3600

/** Users listed at once. */
const maxListed = 100_000

/** Graph's own bound. */
const maxInternetMessageHeaders = 5

const systemClock: Clock = { now: () => Date.now() }

/** Random bytes fetched at once: asking for a few each time costs more than a whole mail's parsing. */
const randomPoolBytes = 8_192

/** Bytes are handed out once each, from a pool of fresh ones. */
function systemRandom(): Random {
  let pool = Buffer.alloc(0)
  return {
    bytes: (count) => {
      if (pool.length < count) pool = randomBytes(Math.max(randomPoolBytes, count))
      const taken = pool.subarray(0, count)
      pool = pool.subarray(count)
      return taken
    },
    uuid: () => randomUUID(),
  }
}

/** What comes from outside and tests replace. */
export interface Surroundings {
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Log
}

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

/** Who a token is for: a user, or an application acting as itself. */
export type TokenRequest = {
  readonly scopes?: readonly string[]
  readonly lifetimeSeconds?: number
} & ({ readonly user: string } | { readonly app: string })

/** What the commands do beside a running server, on the same store. */
export interface Directory {
  readonly tenant: Tenant
  /** @throws Error when there is no such user */
  issueToken(wanted: TokenRequest): Promise<string>
  addUser(user: { userPrincipalName: string; displayName: string }): Promise<Mailbox>
  listUsers(): Promise<Mailbox[]>
  /** Users and shared mailboxes as they sign in, ordered by name. */
  listAccounts(): Promise<User[]>
  /** Each makes what is not there and changes what is. @throws DirectoryFault */
  putUser(entry: UserEntry): Promise<Mailbox>
  putSharedMailbox(entry: MailboxEntry): Promise<Mailbox>
  changeRights(of: string, to: string, rights: readonly MailboxRight[], isGranted: boolean): Promise<void>
  putGroup(entry: GroupEntry): Promise<Group>
  listGroups(): Promise<Group[]>
  putApplication(entry: ApplicationEntry): Promise<Application>
  listApplications(): Promise<Application[]>
  findApplication(id: string): Promise<Application | undefined>
  removeApplication(id: string): Promise<void>
  /** One more secret; `expiresAt` in ms since 1970. */
  addSecret(application: Application, expiresAt: number | undefined): Promise<string>
  /** Newest first. */
  listKeys(): Promise<SigningKey[]>
  /** A new key signs from now on; what the others signed stays good. */
  rotateKey(): Promise<SigningKey>
  /** What it signed is refused from now on. */
  removeKey(id: string): Promise<void>
  /** Mail that waits, ordered by mailbox, message and destination. */
  listQueue(filter: QueueFilter, limit: number): Promise<OutboxEntry[]>
  changeQueue(filter: QueueFilter, action: QueueAction): Promise<QueueOutcome>
  /** Newest first. */
  listOutbox(limit: number): Promise<OutboxEntry[]>
  listCalls(limit: number): Promise<CallRecord[]>
}

/** Store, domain and identity, without any surface. */
interface Core {
  readonly store: Store
  readonly mail: Mail
  readonly tokens: Tokens
  readonly seals: Seals
  readonly tenant: Tenant
  readonly directory: Directory
  readonly limiter: CallLimiter | undefined
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
    const worker = startWorker(settings, core.mail, transport, log)
    opened.push(() => worker.close())
    wakers.push(() => worker.wake())
    const scheduler = startScheduler(core.mail, log)
    opened.push(() => scheduler.close())
    const telling = startTelling(settings, core, log)
    notifications = telling
    opened.push(() => telling.close())
    opened.push(startSweeping(core.mail, log))
    opened.push(startKeepingKeys(settings, core, log))
    const surfaces = await listenAll(settings, core, log, () => telling.begin())
    opened.push(() => surfaces.close(settings.drainTimeout))
    const smtp = await startSmtp(settings, core)
    if (smtp !== undefined) opened.push(() => smtp.close())
    worker.wake()
    const users = await core.directory.listUsers()
    return {
      httpUrl: surfaces.http && `http://localhost:${surfaces.http.port}`,
      httpsUrl: surfaces.https && `https://localhost:${surfaces.https.port}`,
      caPem: surfaces.https?.certificate?.caPem,
      caPath: surfaces.https?.certificate?.caPath,
      smtpPort: smtp?.port,
      canLeave: canLeave(settings),
      wayOut: wayOutOf(settings),
      storeDescription: describe(locationOf(settings)),
      tenant: core.tenant.id,
      isDevelopment: isDevelopment(settings),
      mailboxes: users.map((user) => user.userPrincipalName),
      directory: core.directory,
      reloadCertificate: async () => surfaces.https?.reloadCertificate(),
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

/** What whoever opens the core is told of. */
interface CoreEvents {
  readonly outboxChanged: () => void
  readonly mailChanged: () => void
  readonly storeLost?: (error: Error) => void
}

async function openCore(
  settings: Settings,
  surroundings: Surroundings,
  { outboxChanged, mailChanged, storeLost }: CoreEvents,
  document?: DirectoryDocument,
): Promise<Core> {
  const { clock = systemClock, random = systemRandom() } = surroundings
  const store = await openStore(locationOf(settings), settings.callRecords, mailChanged, storeLost)
  try {
    const mail: Mail = {
      store: store.mail,
      clock,
      random,
      ids: store.ids,
      limits: {
        maxRecipients: settings.maxRecipients,
        maxInternetMessageHeaders,
        maxMessageBytes: settings.maxMessageBytes,
      },
      hostname: settings.hostname,
      outboxChanged,
      sendingLimits: sendingLimitsOf(settings, store, clock),
    }
    const tenant = await firstTenant(settings, store, mail)
    if (document !== undefined) await applyDirectory({ mail, identity: store.identity }, tenant, document)
    const ring = await openKeys(store, mail)
    const tokens = openTokens(settings, store, ring, tenant, mail)
    const seals = sealsOf(ring, () => clock.now())
    return {
      store,
      mail,
      tokens,
      seals,
      tenant,
      directory: directoryOf(store, mail, tokens, tenant),
      limiter: callLimiterOf(settings, clock),
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Undefined where nothing is limited: then nothing is counted either. */
function callLimiterOf(settings: Settings, clock: Clock): CallLimiter | undefined {
  const limits = callLimitsOf(settings)
  return limits && new CallLimiter(limits, clock)
}

function sendingLimitsOf(settings: Settings, store: Store, clock: Clock): SendingLimits | undefined {
  const bounds = sendingBoundsOf(settings)
  return bounds && new SendingLimits(bounds, store.mail.outbox, clock)
}

function locationOf(settings: Settings): StoreLocation {
  if (settings.store !== '') return { kind: 'postgres', url: settings.store, blobs: join(settings.data, 'blobs') }
  return settings.memory ? { kind: 'memory' } : { kind: 'folder', path: settings.data }
}

function describe(location: StoreLocation): string {
  if (location.kind === 'memory') return 'memory, gone when the server stops'
  return location.kind === 'folder' ? `SQLite in ${location.path}` : `PostgreSQL at ${new URL(location.url).host}`
}

/** The tenant of the store; an empty store gets one, with its sample mailboxes. */
async function firstTenant(settings: Settings, store: Store, mail: Mail): Promise<Tenant> {
  const [existing] = await store.identity.listTenants()
  if (existing !== undefined) return existing
  const tenant: Tenant = { id: developmentTenant, domain: settings.domain, displayName: settings.domain }
  await store.identity.addTenant(tenant)
  await store.identity.putApplication(sampleApplication(tenant, mail.random))
  if (settings.samples) {
    for (const name of sampleUsers) {
      await createMailbox(mail, {
        tenant: tenant.id as TenantId,
        userPrincipalName: `${name}@${settings.domain}`,
        displayName: name.charAt(0).toUpperCase() + name.slice(1),
      })
    }
  }
  return tenant
}

/** The application whose names are known to everybody; it can only be used where the development identity is on. */
function sampleApplication(tenant: Tenant, random: Random): Application {
  const applicationPermissions = ['Mail.ReadWrite', 'Mail.Send', 'MailboxSettings.ReadWrite', 'User.Read.All']
  return newApplication({
    tenant: tenant.id,
    id: developmentApplication,
    objectId: random.uuid(),
    displayName: 'Graphpost development',
    isPublicClient: true,
    redirectUris: ['http://localhost/*', 'https://localhost/*', 'http://127.0.0.1/*'],
    identifierUris: [`api://${developmentApplication}`],
    applicationPermissions,
    delegatedPermissions: knownPermissions.filter(
      (name) => !/\.All$|^Graphpost/.test(name) || name === 'User.ReadBasic.All',
    ),
  })
}

async function openKeys(store: Store, mail: Mail): Promise<KeyRing> {
  // The ring reads it back: another process may have been first.
  if ((await store.identity.listSigningKeys()).length === 0) await newSigningKey(store, mail)
  return openKeyRing(store.identity)
}

async function newSigningKey(store: Store, { clock, random }: Pick<Mail, 'clock' | 'random'>): Promise<SigningKey> {
  const key = await generateSigningKey(random.uuid(), clock.now())
  await store.identity.addSigningKey(key)
  return key
}

function openTokens(settings: Settings, store: Store, ring: KeyRing, tenant: Tenant, { clock, random }: Mail): Tokens {
  const issuers = namesIn(settings.trustedIssuers)
  const ownHosts = ownHostsOf(settings)
  const trusted = trustedIssuersOf({
    issuers,
    audiences: namesIn(settings.trustedAudiences),
    tenant: tenant.id,
    store: store.identity,
    ownHosts,
    now: () => clock.now(),
  })
  const surroundings = { ring, isTenant: tenantFinder(store), ownHosts, now: () => clock.now(), uuid: random.uuid }
  return tokensOf(issuers.length === 0 ? surroundings : { ...surroundings, trusted })
}

/** Tenants come while the server runs, by other processes too, and none goes: only one not known is looked for. */
function tenantFinder(store: Store): (id: string) => Promise<boolean> {
  const known = new Set<string>()
  return async (id) => {
    if (!known.has(id)) for (const tenant of await store.identity.listTenants()) known.add(tenant.id)
    return known.has(id)
  }
}

/** Host names that mean this server in tokens, beside those that always mean this machine. */
function ownHostsOf({ publicUrl, host }: Settings): string[] {
  return [...(publicUrl === '' ? [] : [new URL(publicUrl).hostname]), host.toLowerCase()]
}

/** Texts separated by blanks or commas. */
function namesIn(text: string): string[] {
  return text.split(/[\s,]+/).filter((name) => name !== '')
}

function directoryOf(store: Store, mail: Mail, tokens: Tokens, tenant: Tenant): Directory {
  const tenantId = tenant.id as TenantId
  const services = { mail, identity: store.identity }
  return {
    tenant,
    listAccounts: () => store.identity.listUsers(tenant.id, maxListed),
    putUser: async (entry) => {
      const mailbox = await putUser(services, tenant, entry)
      await putRights(services, tenant, entry)
      return mailbox
    },
    putSharedMailbox: async (entry) => {
      const mailbox = await putSharedMailbox(services, tenant, entry)
      await putRights(services, tenant, entry)
      return mailbox
    },
    changeRights: (of, to, rights, isGranted) => changeRights(services, tenant, { of, to, rights, isGranted }),
    putGroup: (entry) => putGroup(services, tenant, entry),
    listGroups: () => store.identity.listGroups(tenant.id),
    putApplication: (entry) => putApplication(services, tenant, entry),
    listApplications: () => store.identity.listApplications(tenant.id),
    findApplication: (id) => store.identity.findApplication(tenant.id, id),
    removeApplication: (id) => store.identity.removeApplication(tenant.id, id.toLowerCase()),
    addSecret: (application, expiresAt) => addSecret(services, application, expiresAt),
    listKeys: () => store.identity.listSigningKeys(),
    rotateKey: async () => {
      const key = await newSigningKey(store, mail)
      await tokens.reloadKeys()
      return key
    },
    removeKey: async (id) => {
      await store.identity.removeSigningKey(id)
      await tokens.reloadKeys()
    },
    issueToken: async (wanted) => {
      const grant = {
        tenant: tenant.id,
        permissions: wanted.scopes ?? samplePermissions,
        lifetimeSeconds: wanted.lifetimeSeconds ?? tokenLifetimeSeconds,
      }
      if ('app' in wanted) return tokens.issue({ ...grant, application: wanted.app, applicationName: wanted.app })
      const mailbox = await mail.store.mailboxes.find(tenantId, wanted.user)
      if (mailbox === undefined) throw new Error(`There is no user ${wanted.user}.`)
      const { owner: id, userPrincipalName, displayName } = mailbox
      return tokens.issue({
        ...grant,
        application: developmentApplication,
        applicationName: 'graphpost',
        user: { id, userPrincipalName, displayName },
      })
    },
    addUser: (user) => createMailbox(mail, { tenant: tenantId, ...user }),
    listUsers: () => mail.store.mailboxes.list(tenantId),
    listQueue: (filter, limit) => mail.store.outbox.listQueue(filter, limit),
    changeQueue: (filter, action) => changeQueue(mail, filter, action),
    listOutbox: (limit) => mail.store.outbox.listNewest(limit),
    listCalls: (limit) => store.calls.list(limit),
  }
}

/** Well-known secrets are good only where nothing they open can leave the machine, unless the operator says otherwise. */
export function isDevelopment(settings: Settings): boolean {
  return settings.development === 'auto' ? !canLeave(settings) : settings.development === 'on'
}

/** Whether mail can leave this machine. What a routes file names is taken for a way out, whatever it says. */
function canLeave({ deliver, relay, routes }: Settings): boolean {
  return deliver !== 'capture' && (deliver === 'mx' || relay !== '' || routes !== '')
}

function wayOutOf(settings: Settings): string | undefined {
  if (!canLeave(settings)) return undefined
  const { deliver, relay, routes } = settings
  const ways = [
    ...(routes === '' ? [] : [`the routes of ${routes}`]),
    ...(relay === '' ? [] : [maskPasswords(relay)]),
    ...(deliver === 'mx' ? ["its recipients' own servers"] : []),
  ]
  return ways.join(' and ')
}

/** How often keys that other processes added or removed are looked for. */
const reloadKeysEveryMs = 5_000

/** New keys in their time, those of other processes when they come, and nothing kept of grants that are over. @returns ends it */
function startKeepingKeys(
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

/** How often what was uploaded and is not needed is looked for. */
const sweepEveryMs = 3_600_000

/** @returns ends it, once a sweep under way is through */
function startSweeping(mail: Mail, log: Log): () => Promise<void> {
  let running = Promise.resolve()
  const sweep = () => {
    running = running.then(async () => {
      try {
        const deleted = await sweepUploads(mail)
        if (deleted > 0) log.info({ deleted }, 'uploads that nothing names were deleted')
      } catch (error) {
        log.error({ error }, 'unfinished uploads could not be cleared away; the next try is in an hour')
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

/** Every way out, opened before anything else is: what cannot be used is said at once. @throws UsageError, RoutesFault, DkimFault */
async function transportOf(settings: Settings): Promise<Transport> {
  const { hostname, deliveryConcurrency, bounceAddress, mxPrivate, dnsServers } = settings
  const document = settings.routes === '' ? undefined : await readRoutesFile(settings.routes)
  const keys = settings.dkim === '' ? [] : await readDkimKeys(settings.dkim)
  const sign = keys.length === 0 ? {} : { sign: dkimSigner(keys) }
  const common = { hostname, connections: Math.max(1, deliveryConcurrency), ...sign }
  try {
    const routes = routesOf({
      relays: settings.relay.split(/\s+/).filter((url) => url !== ''),
      deliver: settings.deliver,
      allowRecipients: settings.allowRecipients === '' ? undefined : patternsIn(settings.allowRecipients),
      hold: patternsIn(settings.hold),
      document,
    })
    const direct = openDirect({
      ...common,
      resolver: resolverOf(namesIn(dnsServers)),
      fetchPolicy: fetchStsPolicy,
      mayBePrivate: mxPrivate,
    })
    const bounce = bounceAddress === '' ? {} : { bounceAddress }
    return openTransport({ ...common, ...routes, ...bounce, direct })
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message)
    throw error
  }
}

function patternsIn(text: string): string[] {
  return namesIn(text).map((pattern) => (pattern === 'all' ? '*' : pattern))
}

function resolverOf(servers: readonly string[]): Resolver {
  const resolver = new Resolver()
  if (servers.length > 0) resolver.setServers(servers)
  return resolver
}

function startWorker(settings: Settings, mail: Mail, transport: Transport, log: Log): OutboxWorker {
  const { deliveryConcurrency, destinationConcurrency, destinationRate } = settings
  const retryDelays = readDurations(settings.retrySchedule)
  const worker = startOutboxWorker(mail, {
    log,
    transport,
    destinationConcurrency,
    destinationRate,
    ...(retryDelays === undefined ? {} : { schedule: scheduleOf(retryDelays) }),
    closeTimeoutMs: settings.drainTimeout,
  })
  if (deliveryConcurrency === 0) worker.pause()
  return worker
}

/** While mail cannot leave this machine, nothing else does. */
function reachOf(settings: Settings): Reach {
  return canLeave(settings) ? 'public' : 'loopback'
}

function startTelling(settings: Settings, { mail, store, tokens }: Core, log: Log): NotificationWorker {
  const standing = standingOf(mail, store.identity)
  return startNotificationWorker(mail, {
    log,
    reach: reachOf(settings),
    present: (notifications) => presentNotifications({ mail, sign: tokens.sign, standing }, notifications),
    isEntitled: async (subscription) => (await standing(subscription)) !== undefined,
    closeTimeoutMs: settings.drainTimeout,
  })
}

/** Largest message taken over SMTP: Exchange's own bound for receiving. */
const maxSmtpBytes = 36_700_160

async function startSmtp(settings: Settings, core: Core): Promise<SmtpListening | undefined> {
  if (settings.smtpPort === notOpened) return undefined
  const { host, smtpPort: port } = settings
  // What is not opened is not loaded: a start without it is quicker, and smaller.
  const { listenSmtp } = await import('./smtp/listen.js')
  return listenSmtp(core.mail, { host, port, tenant: core.tenant.id as TenantId, maxBytes: maxSmtpBytes })
}

interface Surfaces {
  readonly http: Listening | undefined
  readonly https: HttpsListening | undefined
  close(graceMs: number): Promise<void>
}

async function listenAll(
  settings: Settings,
  core: Core,
  log: Log,
  subscriptionsChanged: () => void,
): Promise<Surfaces> {
  const graph = graphListener({
    mail: core.mail,
    identity: core.store.identity,
    tokens: core.tokens,
    calls: core.store.calls,
    maxRequestBytes: settings.maxRequestBytes,
    limiter: core.limiter,
    publicUrl: settings.publicUrl === '' ? undefined : settings.publicUrl,
    log,
    reach: reachOf(settings),
    subscriptionsChanged,
  })
  const admin = adminListener({
    mail: core.mail,
    identity: core.store.identity,
    tenant: core.tenant,
    tokens: core.tokens,
    calls: core.store.calls,
    limiter: core.limiter,
  })
  const health = healthListener(async () => {
    await core.mail.store.outbox.nextDueAt()
  })
  const oauth = oauthListener({
    identity: core.store.identity,
    tokens: core.tokens,
    seals: core.seals,
    now: () => core.mail.clock.now(),
    random: core.mail.random,
    ownHosts: ownHostsOf(settings),
    publicUrl: settings.publicUrl === '' ? undefined : settings.publicUrl,
    development: isDevelopment(settings),
    record: (record) => core.store.calls.append(record),
    log,
  })
  const listener = health(admin(oauth(graph)))
  const common = {
    host: settings.host,
    headersTimeoutMs: settings.headersTimeout,
    requestTimeoutMs: settings.requestTimeout,
    keepAliveTimeoutMs: settings.keepAliveTimeout,
  }
  const open: Listening[] = []
  const close = async (graceMs: number) => {
    await Promise.all(open.map((listening) => listening.close(graceMs)))
  }
  try {
    const http = settings.port === notOpened ? undefined : await listen(listener, { ...common, port: settings.port })
    if (http !== undefined) open.push(http)
    if (settings.httpsPort === notOpened) return { http, https: undefined, close }
    const { listenHttps } = await import('./http/https.js')
    const folder = settings.memory ? undefined : settings.data
    const certificates = { folder, names: cloudHosts, own: settings, log }
    const https = await listenHttps(listener, { ...common, port: settings.httpsPort }, certificates)
    open.push(https)
    return { http, https, close }
  } catch (error) {
    await close(0)
    throw error
  }
}
