/** Store, domain and identity opened from settings, without any surface. */
import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { applyDirectory } from '../admin/directory.js'
import type { DirectoryDocument } from '../admin/directory-file.js'
import { version } from '../cli/version.js'
import { notOpened, type Settings } from '../config.js'
import { CallLimiter, callLimitsOf } from '../graph/limits.js'
import { type Application, newApplication } from '../identity/application.js'
import { developmentApplication, developmentTenant } from '../identity/development.js'
import { type KeyRing, openKeyRing } from '../identity/key-ring.js'
import { knownPermissions } from '../identity/permissions.js'
import { type Seals, sealsOf } from '../identity/seal.js'
import type { Tenant } from '../identity/tenant.js'
import { type Tokens, tokensOf } from '../identity/token.js'
import { trustedIssuersOf } from '../identity/trusted-issuer.js'
import type { Log } from '../log.js'
import { createMailbox } from '../mail/create-mailbox.js'
import type { TenantId } from '../mail/ids.js'
import type { Clock, Mail, Random } from '../mail/mail.js'
import { SendingLimits, sendingBoundsOf } from '../mail/sending-limits.js'
import { openStore, type Store, type StoreLocation } from '../store/open.js'
import { type Observer, timed } from '../telemetry/observer.js'
import { openTelemetry, type Telemetry } from '../telemetry/open.js'
import { type Directory, directoryOf, newSigningKey } from './directory.js'

/** The people of the sample tenant, by the local part of their addresses. */
const sampleUsers = ['adele', 'alex', 'diego', 'lee', 'megan', 'patti']

/** Graph's own bound. */
const maxInternetMessageHeaders = 5

const systemClock: Clock = { now: () => Date.now() }

/** Random bytes fetched at once: asking for a few each time costs more than a whole mail's parsing. */
const randomPoolBytes = 8_192

/** Bytes are handed out once each, from a pool of fresh ones. */
function systemRandom(): Random {
  let pool = Buffer.alloc(0)
  let taken = 0
  return {
    bytes: (count) => {
      if (pool.length - taken < count) {
        pool = randomBytes(Math.max(randomPoolBytes, count))
        taken = 0
      }
      const from = taken
      taken += count
      return pool.subarray(from, taken)
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

/** Store, domain and identity, without any surface. */
export interface Core {
  readonly store: Store
  readonly mail: Mail
  readonly tokens: Tokens
  readonly seals: Seals
  readonly tenant: Tenant
  readonly directory: Directory
  readonly limiter: CallLimiter | undefined
  /** Undefined: nobody listens. */
  readonly telemetry: Telemetry | undefined
}

/** What whoever opens the core is told of. */
interface CoreEvents {
  readonly outboxChanged: () => void
  readonly mailChanged: () => void
  readonly storeLost?: (error: Error) => void
}

export async function openCore(
  settings: Settings,
  surroundings: Surroundings,
  { outboxChanged, mailChanged, storeLost }: CoreEvents,
  document?: DirectoryDocument,
): Promise<Core> {
  const { clock = systemClock, random = systemRandom() } = surroundings
  const telemetry = await openTelemetry({ metrics: settings.metricsPort !== notOpened, otlp: settings.otlp }, version())
  const observer = telemetry?.observer
  const events = { committed: observer?.committed, lost: storeLost }
  const store = await openStore(locationOf(settings), settings.callRecords, mailChanged, events)
  try {
    const mail: Mail = {
      store: observer === undefined ? store.mail : timed(store.mail, observer),
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
      telemetry,
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** The same mail, listened to where somebody listens. */
export function observed({ mail, telemetry }: Core, listening: (mail: Mail, observer: Observer) => Mail): Mail {
  return telemetry === undefined ? mail : listening(mail, telemetry.observer)
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

export function locationOf(settings: Settings): StoreLocation {
  if (settings.store !== '') return { kind: 'postgres', url: settings.store, blobs: join(settings.data, 'blobs') }
  return settings.memory ? { kind: 'memory' } : { kind: 'folder', path: settings.data }
}

export function describe(location: StoreLocation): string {
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
export function ownHostsOf({ publicUrl, host }: Settings): string[] {
  return [...(publicUrl === '' ? [] : [new URL(publicUrl).hostname]), host.toLowerCase()]
}

/** Texts separated by blanks or commas. */
export function namesIn(text: string): string[] {
  return text.split(/[\s,]+/).filter((name) => name !== '')
}
