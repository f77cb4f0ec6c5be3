import { X509Certificate } from 'node:crypto'
import type { Cloud } from '../../identity/clouds.js'
import { changeTypesIn, type Subscription } from '../../mail/subscription.js'
import { GraphError } from '../errors.js'
import { isAnnotation, type JsonObject, quotable, readBoolean, readObject, readText } from './values.js'

/** What a caller may say of a subscription; a member that was not sent is absent. */
export interface SubscriptionWish {
  readonly changeType?: string
  readonly notificationUrl?: string
  readonly lifecycleNotificationUrl?: string
  readonly resource?: string
  /** ms since 1970 */
  readonly expiresAt?: number
  readonly clientState?: string
  readonly includeResourceData?: boolean
  readonly certificate?: string
  readonly certificateId?: string
  readonly latestSupportedTlsVersion?: string
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] }
type PropertyReader = (into: Mutable<SubscriptionWish>, value: unknown, name: string) => void

/** Documented bound of `clientState` and `encryptionCertificateId`, characters. */
const maxTextLength = 128
/** Of a URL and of a resource; ours. */
const maxUrlLength = 2_048
const tlsVersions = ['v1_0', 'v1_1', 'v1_2', 'v1_3']

/** Every property of a subscription, and how it is read. Those that the service sets may come back, as they stand in an answer. */
const readers: ReadonlyMap<string, PropertyReader> = new Map<string, PropertyReader>([
  ['changeType', text('changeType', maxTextLength, requireChangeTypes)],
  ['notificationUrl', text('notificationUrl', maxUrlLength)],
  ['lifecycleNotificationUrl', text('lifecycleNotificationUrl', maxUrlLength)],
  ['resource', text('resource', maxUrlLength)],
  ['expirationDateTime', readExpiry],
  ['clientState', text('clientState', maxTextLength)],
  [
    'includeResourceData',
    (into, value, name) => {
      const read = readBoolean(value, name)
      if (read !== null) into.includeResourceData = read
    },
  ],
  ['encryptionCertificate', readCertificate],
  ['encryptionCertificateId', text('certificateId', maxTextLength)],
  ['latestSupportedTlsVersion', text('latestSupportedTlsVersion', maxTextLength, requireTlsVersion)],
  ...['id', 'applicationId', 'creatorId', 'notificationContentType'].map((name): [string, PropertyReader] => [
    name,
    () => {},
  ]),
  ...['notificationQueryOptions', 'notificationUrlAppId'].map((name): [string, PropertyReader] => [name, requireNull]),
])

/**
 * Reads the body of a call about a subscription.
 *
 * @throws GraphError InvalidRequest, naming the property
 */
export function readSubscription(value: unknown): SubscriptionWish {
  const object: JsonObject = readObject(value, 'subscription') ?? {}
  const wish: Mutable<SubscriptionWish> = {}
  for (const [name, member] of Object.entries(object)) {
    if (isAnnotation(name, member, 'subscription')) continue
    const read = readers.get(name)
    if (read === undefined) {
      throw invalidSubscription(
        'Could not process subscription creation payload. Are all property names spelled and camelCased properly?',
        name,
        `A subscription has no property ${quotable(name)}.`,
      )
    }
    read(wish, member, name)
  }
  return wish
}

/** A refusal of what a caller says of a subscription. */
export function invalidSubscription(message: string, target: string, reason?: string): GraphError {
  return new GraphError(400, 'InvalidRequest', message, {
    frontEnd: true,
    target: quotable(target),
    ...(reason === undefined ? {} : { reason }),
  })
}

/** The property is needed to make a subscription. */
export function requiredProperty(name: string): GraphError {
  return invalidSubscription(`${name} is a required property for subscription creation`, name)
}

type TextProperty = {
  [Key in keyof SubscriptionWish]-?: Required<SubscriptionWish>[Key] extends string ? Key : never
}[keyof SubscriptionWish]

function text(property: TextProperty, maxLength: number, check?: (value: string, name: string) => void) {
  return ((into, value, name) => {
    const read = readText(value, name)
    if (read === null) return
    if (read.length > maxLength) {
      throw invalidSubscription(`${name} must not be longer than ${maxLength} characters.`, name)
    }
    check?.(read, name)
    into[property] = read
  }) satisfies PropertyReader
}

function requireChangeTypes(written: string, name: string): void {
  const known = changeTypesIn(written)
  const names = written.split(',').map((part) => part.trim().toLowerCase())
  if (names.every((part) => known.some((type) => type === part))) return
  throw invalidSubscription(`${name} must be a comma-separated list of created, updated and deleted.`, name)
}

function requireTlsVersion(written: string, name: string): void {
  if (tlsVersions.includes(written)) return
  throw invalidSubscription(`${name} must be one of ${tlsVersions.join(', ')}.`, name)
}

function requireNull(_: unknown, value: unknown, name: string): void {
  if (value === null) return
  throw invalidSubscription(`${name} is not supported for this resource.`, name)
}

/** `2026-02-01T10:00:00.0000000Z`, or with an offset. */
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i

function readExpiry(into: Mutable<SubscriptionWish>, value: unknown, name: string): void {
  const written = readText(value, name)
  if (written === null) return
  const at = moment.test(written) ? Date.parse(written) : Number.NaN
  if (Number.isNaN(at)) {
    throw invalidSubscription(
      `Cannot convert the literal '${quotable(written)}' to the expected type 'Edm.DateTimeOffset'.`,
      name,
    )
  }
  into.expiresAt = at
}

/** Bits of the key of a certificate. */
const keyBits = { least: 2_048, most: 4_096 }
const maxCertificateLength = 20_000

/** Base64 of DER or of PEM, or PEM itself; kept as base64 of DER. */
function readCertificate(into: Mutable<SubscriptionWish>, value: unknown, name: string): void {
  const written = readText(value, name)
  if (written === null) return
  const certificate = written.length <= maxCertificateLength ? certificateFrom(written) : undefined
  if (certificate === undefined) throw invalidSubscription(`${name} must be an X.509 certificate in base64.`, name)
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
  const bits = asymmetricKeyDetails?.modulusLength ?? 0
  if (asymmetricKeyType !== 'rsa' || bits < keyBits.least || bits > keyBits.most) {
    throw invalidSubscription(`${name} must have an RSA key of ${keyBits.least} to ${keyBits.most} bits.`, name)
  }
  into.certificate = certificate.raw.toString('base64')
}

function certificateFrom(written: string): X509Certificate | undefined {
  try {
    return new X509Certificate(written.includes('-----') ? written : Buffer.from(written, 'base64'))
  } catch {
    return undefined
  }
}

/** Properties that no cloud but the global one declares. */
const globalOnly = ['notificationQueryOptions', 'notificationUrlAppId']

/**
 * A subscription as it is answered, nulls included. The certificate is never shown again, and the client state to nobody
 * but who has just sent it.
 */
export function presentSubscription(
  subscription: Subscription,
  { creator, cloud, showsClientState }: { creator: string; cloud: Cloud | undefined; showsClientState: boolean },
): Record<string, unknown> {
  const shown: Record<string, unknown> = {
    id: subscription.id,
    resource: subscription.resource,
    applicationId: subscription.application,
    changeType: subscription.changeType,
    clientState: showsClientState ? (subscription.clientState ?? null) : null,
    notificationUrl: subscription.notificationUrl,
    notificationQueryOptions: null,
    lifecycleNotificationUrl: subscription.lifecycleNotificationUrl ?? null,
    expirationDateTime: presentExpiry(subscription.expiresAt),
    creatorId: creator,
    includeResourceData: subscription.includeResourceData,
    latestSupportedTlsVersion: subscription.latestSupportedTlsVersion,
    encryptionCertificate: null,
    encryptionCertificateId: subscription.certificateId ?? null,
    notificationUrlAppId: null,
  }
  if (cloud !== undefined && cloud.name !== 'global') for (const name of globalOnly) delete shown[name]
  return shown
}

/** With a fraction where there is one. */
function presentExpiry(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}
