import { refusalOfUrl } from '../../http/outward-call.js'
import { MailError } from '../../mail/errors.js'
import type { FolderId, TenantId } from '../../mail/ids.js'
import { folderId } from '../../mail/mail-folder.js'
import type { Mailbox } from '../../mail/mailbox.js'
import type { Subscription } from '../../mail/subscription.js'
import { GraphError } from '../errors.js'
import { folderOfPath } from '../keys.js'
import type { GraphReply, SubscriptionHandler, SubscriptionRequest, SubscriptionServices } from '../request.js'
import {
  invalidSubscription,
  presentSubscription,
  readSubscription,
  requiredProperty,
  type SubscriptionWish,
} from '../resources/subscription.js'
import { readSubscribedResource } from '../subscribed-resource.js'
import { validateEndpoint } from '../subscription-handshake.js'

const minuteMs = 60_000
/** Documented bounds of a subscription's life. */
const lifetimeMinutes = { least: 45, most: 10_080, mostWithResourceData: 1_440 }
/** Of one mailbox, all applications together. */
const maxPerMailbox = 1_000

/** POST /subscriptions: made once its endpoints have answered. */
export const createSubscription: SubscriptionHandler = async (request, services) => {
  const wish = readSubscription(bodyOf(request))
  const { changeType, notificationUrl, resource, expiresAt } = requireAll(wish)
  const named = readSubscribedResource(resource, request.version)
  requireUrls(wish, services)
  requireEncryption(wish, named.query.select)
  const expiry = expiryOf(expiresAt, wish.includeResourceData === true, services.mail.clock.now())
  const mailbox = await mailboxFor(request, services, named.mailboxKey)
  const folder = await folderFor(services, mailbox, named.folderPath)
  await requireRoom(services, mailbox)
  await validateEndpoints(wish, services)
  const { caller } = request
  const subscription: Subscription = {
    id: services.mail.random.uuid(),
    tenant: caller.tenant as TenantId,
    application: caller.application,
    user: caller.user,
    mailbox: mailbox.id,
    folder,
    resource,
    changeType,
    notificationUrl,
    lifecycleNotificationUrl: wish.lifecycleNotificationUrl,
    clientState: wish.clientState,
    includeResourceData: wish.includeResourceData ?? false,
    certificate: wish.certificate,
    certificateId: wish.certificateId,
    latestSupportedTlsVersion: wish.latestSupportedTlsVersion ?? 'v1_2',
    immutableIds: request.preferences.immutableIds,
    expiresAt: expiry,
    ...authorizationOf(request),
  }
  await services.mail.store.write((tx) => tx.insertSubscription(subscription))
  services.changed()
  const location = `${request.baseUrl}/${request.version}/subscriptions('${subscription.id}')`
  return answer(request, services, subscription, 201, { showsClientState: true, headers: { Location: location } })
}

/** GET /subscriptions: the application's own; with a user, those made for that user. */
export const listSubscriptions: SubscriptionHandler = async (request, services) => {
  await requirePermission(request, services)
  const { caller } = request
  const all = await services.mail.store.subscriptions.listByApplication(caller.tenant as TenantId, caller.application)
  const own = all.filter((subscription) => isOwn(request, services, subscription))
  const value = await Promise.all(own.map((subscription) => present(request, services, subscription, false)))
  return { status: 200, json: { '@odata.context': contextOf(request), value } }
}

/** GET /subscriptions/{subscription} */
export const getSubscription: SubscriptionHandler = async (request, services) => {
  await requirePermission(request, services)
  return answer(request, services, await subscriptionOfPath(request, services), 200)
}

/** PATCH /subscriptions/{subscription}: a new end, and what may be replaced; the caller's token authorizes it anew. */
export const updateSubscription: SubscriptionHandler = async (request, services) => {
  await requirePermission(request, services)
  const wish = readSubscription(bodyOf(request))
  requireChangeable(wish)
  const known = await subscriptionOfPath(request, services)
  requireUrls(wish, services)
  const expiry =
    wish.expiresAt === undefined
      ? undefined
      : expiryOf(wish.expiresAt, known.includeResourceData, services.mail.clock.now())
  await requireMailbox(request, services, known)
  if (wish.notificationUrl !== undefined && wish.notificationUrl !== known.notificationUrl) {
    await validateEndpoint(wish.notificationUrl, services.reach, services.mail.random)
  }
  const updated = await change(request, services, (current) => ({
    ...current,
    ...authorizationOf(request),
    ...(expiry === undefined ? {} : { expiresAt: expiry }),
    ...(wish.notificationUrl === undefined ? {} : { notificationUrl: wish.notificationUrl }),
    ...(wish.certificate === undefined ? {} : { certificate: wish.certificate }),
    ...(wish.certificateId === undefined ? {} : { certificateId: wish.certificateId }),
  }))
  return answer(request, services, updated, 200)
}

/** POST /subscriptions/{subscription}/reauthorize: the caller's token authorizes it; its end stays. */
export const reauthorizeSubscription: SubscriptionHandler = async (request, services) => {
  await requirePermission(request, services)
  await requireMailbox(request, services, await subscriptionOfPath(request, services))
  await change(request, services, (current) => ({ ...current, ...authorizationOf(request) }))
  return { status: 204 }
}

/** DELETE /subscriptions/{subscription}: nothing more is delivered, not even what waits. */
export const deleteSubscription: SubscriptionHandler = async (request, services) => {
  await requirePermission(request, services)
  const { id } = await subscriptionOfPath(request, services)
  try {
    await services.mail.store.write((tx) => tx.deleteSubscription(id))
  } catch (error) {
    // Of several deletions at once one finds it.
    throw error instanceof MailError && error.code === 'conflict' ? noSubscription() : error
  }
  return { status: 204 }
}

function bodyOf({ body }: SubscriptionRequest): unknown {
  return body.kind === 'json' ? body.value : {}
}

type RequiredWish = Required<Pick<SubscriptionWish, 'changeType' | 'notificationUrl' | 'resource' | 'expiresAt'>>

function requireAll({ changeType, notificationUrl, resource, expiresAt }: SubscriptionWish): RequiredWish {
  if (changeType === undefined) throw requiredProperty('changeType')
  if (notificationUrl === undefined) throw requiredProperty('notificationUrl')
  if (resource === undefined) throw requiredProperty('resource')
  if (expiresAt === undefined) throw requiredProperty('expirationDateTime')
  return { changeType, notificationUrl, resource, expiresAt }
}

/** The rest of a subscription is what it is; the properties of an answer may be sent back with what changes. */
function requireChangeable(wish: SubscriptionWish): void {
  const { expiresAt, notificationUrl, certificate, certificateId } = wish
  if ([expiresAt, notificationUrl, certificate, certificateId].every((value) => value === undefined)) {
    throw invalidSubscription('expirationDateTime is a required property for subscription update', 'expirationDateTime')
  }
  if (wish.lifecycleNotificationUrl !== undefined) {
    throw invalidSubscription(
      'lifecycleNotificationUrl cannot be changed after the subscription was created.',
      'lifecycleNotificationUrl',
    )
  }
  if ((certificate === undefined) !== (certificateId === undefined)) {
    throw invalidSubscription(
      'encryptionCertificate and encryptionCertificateId must be changed together.',
      certificate === undefined ? 'encryptionCertificate' : 'encryptionCertificateId',
    )
  }
}

function requireUrls(wish: SubscriptionWish, { reach }: SubscriptionServices): void {
  for (const name of ['notificationUrl', 'lifecycleNotificationUrl'] as const) {
    const url = wish[name]
    const refusal = url === undefined ? undefined : refusalOfUrl(url, reach)
    if (refusal === undefined) continue
    const wanted = reach === 'public' ? 'an https URL of a public address' : 'a URL of this machine'
    throw invalidSubscription(`${name} must be ${wanted}.`, name, `${name} is not called: ${refusal}.`)
  }
}

/** Documented: what notifications cannot hold, for its size. */
const neverIncluded = ['body', 'uniquebody', '*']

function requireEncryption(
  { includeResourceData, certificate, certificateId }: SubscriptionWish,
  select: readonly string[] | undefined,
): void {
  if (includeResourceData !== true) return
  if (certificate === undefined) throw requiredWithData('encryptionCertificate')
  if (certificateId === undefined) throw requiredWithData('encryptionCertificateId')
  if (select === undefined) {
    throw invalidSubscription('The resource must select properties with $select to include resource data.', 'resource')
  }
  const refused = select.find((name) => neverIncluded.includes(name.toLowerCase().split('/')[0] ?? ''))
  if (refused !== undefined) {
    throw invalidSubscription(`The property '${refused}' cannot be included in notifications.`, 'resource')
  }
}

function requiredWithData(name: string): GraphError {
  return invalidSubscription(`${name} is a required property when includeResourceData is true`, name)
}

/** Less than the least is raised to it, as documented. */
function expiryOf(wanted: number, withResourceData: boolean, now: number): number {
  const most = withResourceData ? lifetimeMinutes.mostWithResourceData : lifetimeMinutes.most
  if (wanted <= now) throw invalidSubscription('expirationDateTime must be in the future.', 'expirationDateTime')
  if (wanted - now > most * minuteMs) {
    throw new GraphError(
      400,
      'ErrorInvalidParameter',
      `Subscription expiration can only be ${most} minutes in the future.`,
      { frontEnd: true, target: 'expirationDateTime' },
    )
  }
  return Math.max(wanted, now + lifetimeMinutes.least * minuteMs)
}

async function mailboxFor(
  request: SubscriptionRequest,
  services: SubscriptionServices,
  key: string | undefined,
): Promise<Mailbox> {
  try {
    const mailbox = await services.findMailbox(request.caller, key)
    await services.admit(request.caller, mailbox, { permission: 'Mail.ReadBasic' })
    return mailbox
  } catch (error) {
    throw inSubscriptionWords(error, 'Create')
  }
}

async function folderFor(
  services: SubscriptionServices,
  mailbox: Mailbox,
  folderPath: readonly string[],
): Promise<FolderId | undefined> {
  try {
    const folder = await folderOfPath({ mailbox, folderPath }, services.mail)
    return folder?.id === folderId('msgfolderroot') ? undefined : folder?.id
  } catch (error) {
    throw inSubscriptionWords(error, 'Create')
  }
}

async function requireRoom({ mail }: SubscriptionServices, mailbox: Mailbox): Promise<void> {
  const now = mail.clock.now()
  const active = (await mail.store.subscriptions.listByMailbox(mailbox.id)).filter(({ expiresAt }) => expiresAt > now)
  if (active.length < maxPerMailbox) return
  throw extensionError('Create', 403, 'Forbidden', `The mailbox has ${maxPerMailbox} subscriptions, which is the limit`)
}

async function validateEndpoints(wish: SubscriptionWish, { reach, mail }: SubscriptionServices): Promise<void> {
  // Both, even when they are equal.
  for (const url of [wish.notificationUrl, wish.lifecycleNotificationUrl]) {
    if (url !== undefined) await validateEndpoint(url, reach, mail.random)
  }
}

type Operation = 'Create' | 'Read' | 'Update' | 'Delete'

const operations: Readonly<Record<string, Operation>> = {
  POST: 'Create',
  GET: 'Read',
  PATCH: 'Update',
  DELETE: 'Delete',
}

/** Subscriptions answer with what the mailbox said, wrapped; what the front end refuses stays as it is. */
function inSubscriptionWords(error: unknown, operation: Operation): unknown {
  if (error instanceof MailError) {
    return extensionError(operation, 404, 'NotFound', 'The specified object was not found in the store.', error.message)
  }
  if (!(error instanceof GraphError) || error.frontEnd) return error
  if (error.status === 403) return extensionError(operation, 403, 'Forbidden', 'Access denied', error.reason)
  if (error.status === 404) return extensionError(operation, 404, 'NotFound', error.message, error.reason)
  return error
}

function extensionError(operation: Operation, status: number, name: string, why: string, reason?: string): GraphError {
  const message = `Operation: ${operation}; Exception: [Status Code: ${name}; Reason: ${why}]`
  return new GraphError(status, 'ExtensionError', message, {
    frontEnd: true,
    ...(reason === undefined ? {} : { reason }),
  })
}

/** @throws GraphError 403 ExtensionError */
async function requirePermission(request: SubscriptionRequest, services: SubscriptionServices): Promise<void> {
  if (await services.mayHaveSubscriptions(request.caller)) return
  const operation = operations[request.method] ?? 'Read'
  throw extensionError(operation, 403, 'Forbidden', 'Access denied', 'The token lacks a permission to read mail.')
}

/** Renewing asks for what creating asked for. */
async function requireMailbox(
  request: SubscriptionRequest,
  services: SubscriptionServices,
  subscription: Subscription,
): Promise<void> {
  try {
    const mailbox = await services.mail.store.mailboxes.get(subscription.mailbox)
    await services.admit(request.caller, mailbox, { permission: 'Mail.ReadBasic' })
  } catch (error) {
    throw inSubscriptionWords(error, 'Update')
  }
}

function isOwn(
  { caller }: SubscriptionRequest,
  { mail }: SubscriptionServices,
  { application, user, expiresAt }: Subscription,
): boolean {
  return application === caller.application && user === caller.user && expiresAt > mail.clock.now()
}

/** @throws GraphError 404 also for what is another application's */
async function subscriptionOfPath(request: SubscriptionRequest, services: SubscriptionServices): Promise<Subscription> {
  const id = (request.keys.subscription ?? '').toLowerCase()
  const found = await services.mail.store.subscriptions.find(request.caller.tenant as TenantId, id)
  if (found !== undefined && isOwn(request, services, found)) return found
  throw noSubscription()
}

function noSubscription(): GraphError {
  return new GraphError(404, 'ResourceNotFound', 'The object was not found.', {
    frontEnd: true,
    reason: 'The application has no such subscription, for this user; it may be over.',
  })
}

/** What the token that makes or renews a subscription lends it. */
function authorizationOf({ caller }: SubscriptionRequest) {
  return { permissions: [...caller.permissions], authorizedUntil: caller.expiresAt, reauthorizationAsked: false }
}

/** Writers that may come first, each time anew. */
const maxTries = 8

/** Changes the subscription as it stands. */
async function change(
  request: SubscriptionRequest,
  services: SubscriptionServices,
  changed: (current: Subscription) => Subscription,
): Promise<Subscription> {
  for (let tries = 1; ; tries++) {
    const current = await subscriptionOfPath(request, services)
    const next = changed(current)
    try {
      await services.mail.store.write((tx) => tx.updateSubscription(next, current))
      return next
    } catch (error) {
      if (!(error instanceof MailError) || error.code !== 'conflict' || tries === maxTries) throw error
    }
  }
}

function contextOf({ baseUrl, version }: SubscriptionRequest): string {
  return `${baseUrl}/${version}/$metadata#subscriptions`
}

async function present(
  request: SubscriptionRequest,
  services: SubscriptionServices,
  subscription: Subscription,
  showsClientState: boolean,
): Promise<Record<string, unknown>> {
  const creator = subscription.user ?? (await services.objectOf(request.caller))
  return presentSubscription(subscription, { creator, cloud: request.cloud, showsClientState })
}

async function answer(
  request: SubscriptionRequest,
  services: SubscriptionServices,
  subscription: Subscription,
  status: number,
  { showsClientState = false, headers = {} }: { showsClientState?: boolean; headers?: Record<string, string> } = {},
): Promise<GraphReply> {
  const shown = await present(request, services, subscription, showsClientState)
  return { status, headers, json: { '@odata.context': `${contextOf(request)}/$entity`, ...shown } }
}
