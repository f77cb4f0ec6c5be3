import type { Mail } from '../mail/mail.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Message } from '../mail/message.js'
import type { LifecycleEvent, Notification } from '../mail/notification.js'
import type { SeenChange, Subscription } from '../mail/subscription.js'
import { encryptContent } from './encrypted-content.js'
import { presentChangeKey, presentImmutableId, presentMessageId } from './item-id.js'
import { expansionOf, readExpansion } from './message-expansion.js'
import { noPreferences } from './preferences.js'
import { toJson } from './resources/json.js'
import { presentMessage, selectProperties } from './resources/message.js'
import { readSubscribedResource } from './subscribed-resource.js'
import type { Standing } from './subscriptions.js'

/** Whom the tokens of notifications are from, by which receivers tell that it is Graph (documented). */
const notifier = '0bf30f3b-4a52-48df-9a82-234910c4a086'
/** Of a validation token, s: as long as a notification is tried, and a little more. */
const tokenLifetimeSeconds = 5 * 3_600

/** What presenting stands on. */
export interface NotificationServices {
  readonly mail: Mail
  readonly sign: (claims: Record<string, unknown>, lifetimeSeconds: number) => Promise<string>
  /** Undefined: the subscription is no longer entitled to anything. */
  readonly standing: (subscription: Subscription) => Promise<Standing | undefined>
}

/**
 * The body of one POST: notifications of one application and one tenant, as Graph writes them (`changeNotificationCollection`).
 * With resource data it proves by a signed token whom it is from.
 */
export async function presentNotifications(
  services: NotificationServices,
  notifications: readonly Notification[],
): Promise<string> {
  const value: Record<string, unknown>[] = []
  for (const notification of notifications) value.push(await present(services, notification))
  const [first] = notifications
  const isEncrypted = value.some((each) => each.encryptedContent !== undefined)
  if (first === undefined || !isEncrypted) return toJson({ value })
  return toJson({ value, validationTokens: [await validationToken(services, first.subscription)] })
}

async function present(
  services: NotificationServices,
  { subscription, content }: Notification,
): Promise<Record<string, unknown>> {
  return content.kind === 'lifecycle'
    ? presentLifecycle(subscription, content.event)
    : presentChange(services, subscription, content.seen)
}

/** What every notification says of its subscription. */
function presentCommon({ id, tenant, clientState, expiresAt }: Subscription) {
  return {
    subscriptionId: id,
    subscriptionExpirationDateTime: new Date(expiresAt).toISOString().replace('Z', '0000+00:00'),
    tenantId: tenant,
    clientState: clientState ?? null,
  }
}

function presentLifecycle(subscription: Subscription, event: LifecycleEvent): Record<string, unknown> {
  return { ...presentCommon(subscription), lifecycleEvent: event }
}

async function presentChange(
  services: NotificationServices,
  subscription: Subscription,
  seen: SeenChange,
): Promise<Record<string, unknown>> {
  const mailbox = await services.mail.store.mailboxes.get(subscription.mailbox)
  const id = idOf(mailbox, subscription, seen)
  const resource = `Users/${mailbox.owner}/Messages/${id}`
  const encryptedContent = await encryptedMessage(services, mailbox, subscription, seen)
  const { subscriptionId, subscriptionExpirationDateTime, tenantId, clientState } = presentCommon(subscription)
  return {
    subscriptionId,
    subscriptionExpirationDateTime,
    tenantId,
    clientState,
    changeType: seen.changeType,
    resource,
    resourceData: {
      '@odata.type': '#Microsoft.Graph.Message',
      '@odata.id': resource,
      ...(seen.changeType === 'deleted' ? {} : { '@odata.etag': `W/"${presentChangeKey(mailbox, seen.change)}"` }),
      id,
    },
    ...(encryptedContent === undefined ? {} : { encryptedContent }),
  }
}

function idOf(mailbox: Mailbox, { immutableIds }: Subscription, { message, place }: SeenChange): string {
  return immutableIds
    ? presentImmutableId(mailbox, message)
    : presentMessageId(mailbox, { id: message, folder: place.folder, moves: place.moves })
}

/** Undefined where none is asked for, and of a message that is gone. */
async function encryptedMessage(
  services: NotificationServices,
  mailbox: Mailbox,
  subscription: Subscription,
  seen: SeenChange,
) {
  const { includeResourceData, certificate, certificateId = '' } = subscription
  if (!includeResourceData || certificate === undefined || seen.changeType === 'deleted') return undefined
  const standing = await services.standing(subscription)
  const message = await services.mail.store.messages.find(mailbox.id, seen.message)
  if (standing === undefined || message === undefined || message.folder === 0) return undefined
  const data = await presentData(services, mailbox, subscription, message, standing)
  return encryptContent(toJson(data), certificate, certificateId)
}

async function presentData(
  { mail }: NotificationServices,
  mailbox: Mailbox,
  subscription: Subscription,
  message: Message,
  { readsBodies }: Standing,
): Promise<Record<string, unknown>> {
  const { query } = readSubscribedResource(subscription.resource, 'v1.0')
  const shown = presentMessage(message, {
    mailbox,
    version: 'v1.0',
    selection: selectProperties(query.select, 'v1.0'),
    preferences: { ...noPreferences, immutableIds: subscription.immutableIds },
    readsBodies,
    ...(await expansionOf(readExpansion(query, 'v1.0'), mail, message)),
  })
  return {
    '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#users('${mailbox.owner}')/messages(${query.select?.join(',')})/$entity`,
    '@odata.type': '#microsoft.graph.message',
    '@odata.id': `users('${mailbox.owner}')/messages('${String(shown.id)}')`,
    ...withTypes(shown),
  }
}

/** Types that JSON does not show, by property, as full metadata annotates them. */
const annotatedTypes: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['createdDateTime', 'lastModifiedDateTime', 'receivedDateTime', 'sentDateTime'].map((name) => [
      name,
      '#DateTimeOffset',
    ]),
  ),
  ...Object.fromEntries(
    ['toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo'].map((name) => [
      name,
      '#Collection(microsoft.graph.recipient)',
    ]),
  ),
  categories: '#Collection(String)',
  conversationIndex: '#Binary',
  importance: '#microsoft.graph.importance',
  inferenceClassification: '#microsoft.graph.inferenceClassificationType',
  internetMessageHeaders: '#Collection(microsoft.graph.internetMessageHeader)',
}

function withTypes(resource: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(resource).flatMap(([name, value]): [string, unknown][] => {
      const type = annotatedTypes[name]
      return type === undefined
        ? [[name, value]]
        : [
            [`${name}@odata.type`, type],
            [name, value],
          ]
    }),
  )
}

/** For the application alone; its receiver checks signature, issuer, audience and whom it is from. */
function validationToken({ sign, mail }: NotificationServices, { tenant, application }: Subscription): Promise<string> {
  return sign(
    {
      ver: '1.0',
      iss: `https://sts.windows.net/${tenant}/`,
      aud: application,
      tid: tenant,
      appid: notifier,
      appidacr: '2',
      idp: `https://sts.windows.net/${tenant}/`,
      oid: notifier,
      sub: notifier,
      uti: mail.random.uuid(),
    },
    tokenLifetimeSeconds,
  )
}
