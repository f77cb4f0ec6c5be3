import type { Cloud } from '../../identity/clouds.js'
import type { Attachment } from '../../mail/attachment.js'
import { bodyPreviewOf } from '../../mail/body.js'
import type { Mailbox } from '../../mail/mailbox.js'
import type { MessageContent } from '../../mail/message.js'
import type { ListedMessage, MessageOrder, MessageOrderField } from '../../mail/query.js'
import { uniqueBodyOf } from '../../mail/unique-body.js'
import { unsubscribeAddresses } from '../../mail/unsubscribe.js'
import type { OrderByItem } from '../../odata/query.js'
import { badRequest, GraphError } from '../errors.js'
import {
  presentChangeKey,
  presentConversationId,
  presentFolderId,
  presentImmutableId,
  presentMessageId,
  webLink,
} from '../item-id.js'
import type { ApiVersion } from '../path.js'
import type { Preferences } from '../preferences.js'
import { presentAttachment } from './attachment.js'
import { presentMultiValues, presentSingleValues } from './extended-property.js'
import {
  bodyParts,
  boolean,
  type Filterable,
  flagParts,
  importance,
  inferenceClassification,
  isFilterable,
  moment,
  recipientParts,
  text,
} from './filterable.js'
import { presentItemBody } from './item-body.js'
import { presentMentions, presentMentionsPreview } from './mention.js'
import { presentExtension } from './open-extension.js'
import { presentRecipient, presentRecipients } from './recipient.js'
import { presentMoment, quotable } from './values.js'

/** How a message is to be shown. */
export interface MessagePresentation {
  readonly mailbox: Mailbox
  readonly version: ApiVersion
  readonly selection: MessageSelection
  readonly preferences: Preferences
  /** False: the caller holds Mail.ReadBasic alone. */
  readonly readsBodies: boolean
  /** Present: `$expand=attachments`. */
  readonly attachments?: readonly Attachment[]
  /** `$expand=attachments($expand=microsoft.graph.itemAttachment/item)` */
  readonly expandItems?: boolean
  /** Present: `$expand=singleValueExtendedProperties($filter=...)`, as `expandedPropertyIds` reads it. */
  readonly singleValueIds?: readonly string[]
  /** The same of `multiValueExtendedProperties`. */
  readonly multiValueIds?: readonly string[]
  /** Present: `$expand=mentions` (beta). */
  readonly mentions?: boolean
  /** Present: `$expand=extensions`, of these names, lower case, or of any. */
  readonly extensions?: ReadonlySet<string> | 'all'
}

interface Shown extends MessagePresentation {
  readonly id: string
}

/** One property of the message resource. */
interface MessageProperty {
  /** What is answered; undefined leaves the property out. */
  readonly present: (message: ListedMessage, shown: Shown) => unknown
  /** Comes only when selected. */
  readonly onSelect?: true
  /** Stands in the content, not in the columns beside it. */
  readonly inContent?: true
  /** Hidden from Mail.ReadBasic. */
  readonly needs?: 'Mail.Read'
  readonly since?: 'beta'
  /** Clouds whose published model does not have it. */
  readonly notIn?: readonly Cloud['name'][]
  /** What `$orderby` orders by. */
  readonly orderBy?: MessageOrderField
  /** What `$filter` compares; by the rest of the path, lower case, where it is a part of the property. */
  readonly filterBy?: Filterable | Readonly<Record<string, Filterable>>
}

/** What the message says; the query read it, because the selection asked for it. */
function contentOf(message: ListedMessage): MessageContent {
  if (message.content === undefined) throw new Error('the content of a message was not read')
  return message.content
}

/**
 * The message resource: every property, in the order in which the service writes them (recordings), and all that depends
 * on which property it is. Readers of the writable ones are in `draft.ts`.
 */
const messageProperties: Readonly<Record<string, MessageProperty>> = {
  createdDateTime: {
    present: ({ createdAt }) => presentMoment(createdAt),
    orderBy: 'createdAt',
    filterBy: moment('createdAt'),
  },
  lastModifiedDateTime: {
    present: ({ modifiedAt }) => presentMoment(modifiedAt),
    orderBy: 'modifiedAt',
    filterBy: moment('modifiedAt'),
  },
  changeKey: { present: ({ change }, { mailbox }) => presentChangeKey(mailbox, change) },
  categories: {
    present: (message) => contentOf(message).categories,
    inContent: true,
    filterBy: { type: 'categories' },
  },
  receivedDateTime: {
    present: ({ receivedAt }) => presentMoment(receivedAt),
    orderBy: 'receivedAt',
    filterBy: moment('receivedAt'),
  },
  sentDateTime: { present: ({ sentAt }) => presentMoment(sentAt), orderBy: 'sentAt', filterBy: moment('sentAt') },
  hasAttachments: {
    present: ({ hasAttachments }) => hasAttachments,
    orderBy: 'hasAttachments',
    filterBy: boolean('hasAttachments'),
  },
  internetMessageId: { present: ({ internetMessageId }) => internetMessageId, filterBy: text('internetMessageId') },
  subject: { present: ({ subject }) => subject, orderBy: 'subject', filterBy: text('subject') },
  bodyPreview: { present: presentPreview, inContent: true, needs: 'Mail.Read' },
  importance: { present: ({ importance }) => importance, orderBy: 'importance', filterBy: importance },
  parentFolderId: {
    present: ({ folder }, { mailbox }) => presentFolderId(mailbox, folder),
    filterBy: { type: 'folder' },
  },
  conversationId: {
    present: ({ conversation }, { mailbox }) => presentConversationId(mailbox, conversation.id),
    filterBy: { type: 'conversation' },
  },
  conversationIndex: {
    present: ({ conversation }) => conversation.index,
    notIn: ['usGovL4', 'usGovL5', 'china'],
  },
  isDeliveryReceiptRequested: {
    present: (message) => contentOf(message).isDeliveryReceiptRequested,
    inContent: true,
    filterBy: boolean('isDeliveryReceiptRequested'),
  },
  isReadReceiptRequested: {
    present: (message) => contentOf(message).isReadReceiptRequested ?? false,
    inContent: true,
    filterBy: boolean('isReadReceiptRequested'),
  },
  isRead: { present: ({ isRead }) => isRead, orderBy: 'isRead', filterBy: boolean('isRead') },
  isDraft: { present: ({ isDraft }) => isDraft, orderBy: 'isDraft', filterBy: boolean('isDraft') },
  webLink: { present: (_, { id }) => webLink(id) },
  inferenceClassification: {
    present: (message) => contentOf(message).inferenceClassification,
    inContent: true,
    filterBy: inferenceClassification,
  },
  unsubscribeData: { present: (message) => unsubscribeAddresses(contentOf(message)), inContent: true, since: 'beta' },
  unsubscribeEnabled: {
    present: (message) => unsubscribeAddresses(contentOf(message)).length > 0,
    inContent: true,
    since: 'beta',
  },
  internetMessageHeaders: { present: presentHeaders, inContent: true, onSelect: true, notIn: ['china'] },
  body: {
    present: (message, { preferences }) => presentItemBody(contentOf(message).body, preferences),
    inContent: true,
    needs: 'Mail.Read',
    filterBy: bodyParts,
  },
  uniqueBody: {
    present: (message, { preferences }) => presentItemBody(uniqueBodyOf(contentOf(message).body), preferences),
    inContent: true,
    needs: 'Mail.Read',
    onSelect: true,
  },
  sender: {
    present: (message) => optionalRecipient(contentOf(message).sender),
    inContent: true,
    filterBy: recipientParts('senderAddress', 'senderName'),
  },
  from: {
    present: (message) => optionalRecipient(contentOf(message).from),
    inContent: true,
    filterBy: recipientParts('fromAddress', 'fromName'),
  },
  toRecipients: { present: (message) => presentRecipients(contentOf(message).toRecipients), inContent: true },
  ccRecipients: { present: (message) => presentRecipients(contentOf(message).ccRecipients), inContent: true },
  bccRecipients: { present: (message) => presentRecipients(contentOf(message).bccRecipients), inContent: true },
  replyTo: { present: (message) => presentRecipients(contentOf(message).replyTo), inContent: true },
  mentionsPreview: {
    present: (message, { mailbox }) => presentMentionsPreview(contentOf(message), mailbox),
    inContent: true,
    since: 'beta',
    filterBy: { ismentioned: { type: 'mentioned' } },
  },
  flag: { present: (message) => contentOf(message).flag, inContent: true, notIn: ['china'], filterBy: flagParts },
}

/** Filtered by, and not shown as properties: the id, and what comes with `$expand` alone. */
const filterableBeside: Readonly<Record<string, { readonly filterBy?: Filterable; readonly needs?: 'Mail.Read' }>> = {
  id: { filterBy: { type: 'message' } },
  singlevalueextendedproperties: { filterBy: { type: 'singleValueExtendedProperties' }, needs: 'Mail.Read' },
  multivalueextendedproperties: { filterBy: { type: 'multiValueExtendedProperties' }, needs: 'Mail.Read' },
  attachments: {},
  extensions: {},
  mentions: {},
}

/** A path of the message as `$filter` may use it. */
export interface FilterablePath {
  /** undefined: the property is there, and cannot be filtered by. */
  readonly filterBy: Filterable | undefined
  /** What a caller must hold to learn of it. */
  readonly needs: 'Mail.Read' | undefined
}

/**
 * What a path stands for in `$filter`, in any case.
 *
 * @throws GraphError RequestBroker--ParseUri for a name the resource does not have in this version, or in this cloud
 */
export function filterablePath(segments: readonly string[], version: ApiVersion, cloud?: Cloud): FilterablePath {
  const [first = '', ...rest] = segments.map((segment) => segment.toLowerCase())
  const beside = Object.hasOwn(filterableBeside, first) ? filterableBeside[first] : undefined
  if (beside !== undefined) {
    return { filterBy: rest.length === 0 ? beside.filterBy : undefined, needs: beside.needs }
  }
  const name = propertyNames.get(first)
  const property = name === undefined ? undefined : messageProperties[name]
  if (property === undefined || !has(property, version, cloud?.name ?? 'global'))
    throw unknownProperty(segments[0] ?? '')
  const { filterBy, needs } = property
  const below = rest.join('/')
  const found = isFilterable(filterBy) ? (below === '' ? filterBy : undefined) : filterBy?.[below]
  return { filterBy: found, needs }
}

/** Names of the properties that a cloud lacks. */
export function messagePropertiesMissingIn(cloud: Cloud['name']): string[] {
  return Object.keys(messageProperties).filter((name) => messageProperties[name]?.notIn?.includes(cloud) === true)
}

/** Orders that name a part of a property. */
const nestedOrders: ReadonlyMap<string, MessageOrderField> = new Map([
  ['from/emailaddress/address', 'fromAddress'],
  ['from/emailaddress/name', 'fromName'],
])

const propertyNames = new Map(Object.keys(messageProperties).map((name) => [name.toLowerCase(), name]))

/** Whether a path may name it behind a message, in any case. */
export function isMessageProperty(name: string): boolean {
  return propertyNames.has(name.toLowerCase()) || name.toLowerCase() === 'id'
}

/** A property as the model spells it, if this version of it has it; `isShown`: whether the caller may see it. */
export function messagePropertyNamed(
  name: string,
  version: ApiVersion,
  cloud: Cloud | undefined,
  readsBodies: boolean,
): { name: string; isShown: boolean } | undefined {
  const spelt = name.toLowerCase() === 'id' ? 'id' : propertyNames.get(name.toLowerCase())
  const property = spelt === undefined ? undefined : messageProperties[spelt]
  if (spelt === undefined || property === undefined) return spelt === 'id' ? { name: spelt, isShown: true } : undefined
  if (!has(property, version, cloud?.name ?? 'global')) return undefined
  return { name: spelt, isShown: property.needs === undefined || readsBodies }
}

/** May be selected too, but come only with `$expand`; `id` comes always. */
const withoutEffect: ReadonlySet<string> = new Set([
  'id',
  'attachments',
  'extensions',
  'mentions',
  'singlevalueextendedproperties',
  'multivalueextendedproperties',
])

/** The properties an answer shows, in the resource's order. */
export interface MessageSelection {
  readonly properties: readonly (readonly [name: string, property: MessageProperty])[]
  readonly needsContent: boolean
}

function selectionOf(isSelected: (name: string, property: MessageProperty) => boolean): MessageSelection {
  const properties = Object.entries(messageProperties).filter(([name, property]) => isSelected(name, property))
  return { properties, needsContent: properties.some(([, property]) => property.inContent === true) }
}

/** Whether the resource has a property in a version of the API, as a cloud serves it. */
function has({ since, notIn }: MessageProperty, version: ApiVersion, cloud: Cloud['name']): boolean {
  return (since !== 'beta' || version === 'beta') && notIn?.includes(cloud) !== true
}

function defaultsOf(version: ApiVersion): Readonly<Record<Cloud['name'], MessageSelection>> {
  const shownIn = (cloud: Cloud['name']) =>
    selectionOf((_, property) => property.onSelect !== true && has(property, version, cloud))
  return {
    global: shownIn('global'),
    usGovL4: shownIn('usGovL4'),
    usGovL5: shownIn('usGovL5'),
    china: shownIn('china'),
  }
}

const defaults = { 'v1.0': defaultsOf('v1.0'), beta: defaultsOf('beta') }

/**
 * What `$select` names, in any case; `id` and the etag come with it unasked. Of a path (`body/content`) the whole
 * property is answered.
 *
 * @param cloud undefined: what the worldwide service has
 * @throws GraphError RequestBroker--ParseUri for a name the resource does not have in this version, or in this cloud
 */
export function selectProperties(
  names: readonly string[] | undefined,
  version: ApiVersion,
  cloud?: Cloud,
): MessageSelection {
  const model = cloud?.name ?? 'global'
  if (names === undefined || names.includes('*')) return defaults[version][model]
  const selected = new Set<string>()
  for (const written of names) {
    const [first = '', second] = written.toLowerCase().split('/')
    const isCast = first.startsWith('microsoft.graph.') && second !== undefined
    // Properties of a derived type (`microsoft.graph.eventMessage/type`) are those of meetings, which no mail of ours has.
    if (withoutEffect.has(first) || (isCast && first !== 'microsoft.graph.message')) continue
    const name = propertyNames.get(isCast ? second : first)
    const property = name === undefined ? undefined : messageProperties[name]
    if (name === undefined || property === undefined || !has(property, version, model)) {
      throw unknownProperty(written)
    }
    selected.add(name)
  }
  return selectionOf((name) => selected.has(name))
}

/** A name that the resource does not have. */
export function unknownProperty(written: string): GraphError {
  return new GraphError(
    400,
    'RequestBroker--ParseUri',
    `Could not find a property named '${quotable(written)}' on type 'microsoft.graph.message'.`,
    { frontEnd: true },
  )
}

/**
 * What `$orderby` names, as the domain orders.
 *
 * @throws GraphError BadRequest for a property that lists cannot be ordered by (text as recorded)
 */
export function orderFields(items: readonly OrderByItem[] = []): MessageOrder[] {
  return items.map(({ path, descending }) => {
    const lower = path.toLowerCase()
    const name = propertyNames.get(lower)
    const field = nestedOrders.get(lower) ?? (name === undefined ? undefined : messageProperties[name]?.orderBy)
    if (field === undefined) {
      throw badRequest(
        'OrderBy not supported.',
        `Messages cannot be ordered by ${path}; by dates, subject, sender, importance and flags such as isRead they can.`,
      )
    }
    return { field, descending }
  })
}

/** A message, its members in the recorded order: etag and id first, expanded collections last. */
export function presentMessage(message: ListedMessage, presentation: MessagePresentation): Record<string, unknown> {
  const { mailbox, preferences, readsBodies, selection } = presentation
  const id = preferences.immutableIds ? presentImmutableId(mailbox, message.id) : presentMessageId(mailbox, message)
  const resource: Record<string, unknown> = {
    '@odata.etag': `W/"${presentChangeKey(mailbox, message.change)}"`,
    id,
  }
  const shown: Shown = { ...presentation, id }
  for (const [name, property] of selection.properties) {
    if (property.needs !== undefined && !readsBodies) continue
    const value = property.present(message, shown)
    if (value !== undefined) resource[name] = value
  }
  if (readsBodies) addExpanded(resource, message, presentation)
  return resource
}

/** What `$expand` asked for, in the recorded place; of extended properties the list is absent when there are none. */
function addExpanded(
  resource: Record<string, unknown>,
  message: ListedMessage,
  presentation: MessagePresentation,
): void {
  const { attachments, singleValueIds, multiValueIds, mailbox, version, preferences, expandItems } = presentation
  if (attachments !== undefined) {
    const { immutableIds } = preferences
    const expandItem = expandItems ?? false
    resource.attachments = attachments.map((attachment) =>
      presentAttachment(attachment, { mailbox, message, version, immutableIds, preferences, expandItem }),
    )
  }
  if (presentation.mentions) resource.mentions = presentMentions(message, mailbox)
  const extensions = presentation.extensions && presentExtensions(message, presentation.extensions)
  if (extensions !== undefined) resource.extensions = extensions
  const singleValues = singleValueIds && presentSingleValues(message, singleValueIds)
  if (singleValues !== undefined) resource.singleValueExtendedProperties = singleValues
  const multiValues = multiValueIds && presentMultiValues(message, multiValueIds)
  if (multiValues !== undefined) resource.multiValueExtendedProperties = multiValues
}

/** Absent when there is none of those asked for. */
function presentExtensions(message: ListedMessage, names: ReadonlySet<string> | 'all') {
  const { extensions = [] } = contentOf(message)
  const shown = extensions.filter(({ extensionName }) => names === 'all' || names.has(extensionName.toLowerCase()))
  return shown.length === 0 ? undefined : shown.map(presentExtension)
}

function presentPreview(message: ListedMessage): string {
  return message.bodyPreview ?? bodyPreviewOf(contentOf(message).body)
}

/** A draft has none to show; a list without any is left out like one. */
function presentHeaders(message: ListedMessage) {
  const { internetMessageHeaders } = contentOf(message)
  return message.isDraft || internetMessageHeaders.length === 0 ? undefined : internetMessageHeaders
}

function optionalRecipient(address: MessageContent['from']) {
  return address === undefined ? undefined : presentRecipient(address)
}
