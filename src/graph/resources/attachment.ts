import {
  type Attachment,
  type AttachmentEnvelope,
  attachmentFrom,
  type NewItemAttachment,
} from '../../mail/attachment.js'
import type { Mailbox } from '../../mail/mailbox.js'
import type { Draft, MessageEnvelope } from '../../mail/message.js'
import { GraphError } from '../errors.js'
import { presentAttachmentId, presentImmutableAttachmentId } from '../item-id.js'
import type { ApiVersion } from '../path.js'
import { presentRecipient, presentRecipients } from './recipient.js'
import { presentMoment } from './values.js'

/** What an answer shows of attachments. */
export interface AttachmentSelection {
  /** undefined: everything. */
  readonly names: ReadonlySet<string> | undefined
  /** Whether the bytes must be read at all. */
  readonly needsContent: boolean
}

/** Where and how an attachment is shown. */
export interface AttachmentPresentation {
  readonly mailbox: Mailbox
  readonly message: MessageEnvelope
  readonly version: ApiVersion
  readonly immutableIds: boolean
  readonly selection?: AttachmentSelection
  /** `$expand=microsoft.graph.itemAttachment/item` */
  readonly expandItem?: boolean
}

/** Properties of all three kinds, by their lower-case names. */
const properties = new Map(
  [
    'id',
    'lastModifiedDateTime',
    'name',
    'contentType',
    'size',
    'isInline',
    'contentId',
    'contentLocation',
    'contentBytes',
    'sourceUrl',
    'providerType',
    'thumbnailUrl',
    'previewUrl',
    'permission',
    'isFolder',
  ].map((name) => [name.toLowerCase(), name]),
)

/**
 * The properties that `$select` names, in any case and with or without the type they belong to.
 *
 * @throws GraphError for one that no attachment has
 */
export function selectAttachmentProperties(
  names: readonly string[] | undefined,
  _version: ApiVersion,
): AttachmentSelection {
  if (names === undefined || names.includes('*')) return { names: undefined, needsContent: true }
  const selected = new Set<string>()
  for (const written of names) {
    const name = properties.get(written.slice(written.lastIndexOf('/') + 1).toLowerCase())
    if (name === undefined) {
      throw new GraphError(
        400,
        'RequestBroker--ParseUri',
        `Could not find a property named '${written}' on type 'microsoft.graph.attachment'.`,
        { frontEnd: true },
      )
    }
    selected.add(name)
  }
  return { names: selected, needsContent: selected.has('contentBytes') || selected.has('sourceUrl') }
}

/** An attachment, its members in the recorded order; `contentBytes` only where the content was read. */
export function presentAttachment(
  attachment: AttachmentEnvelope | Attachment,
  presentation: AttachmentPresentation,
): Record<string, unknown> {
  const shown: Record<string, unknown> = { '@odata.type': `#microsoft.graph.${attachment.kind}Attachment` }
  if (attachment.kind === 'file') shown['@odata.mediaContentType'] = attachment.contentType
  shown.id = idOf(attachment, presentation)
  for (const [name, value] of membersOf(attachment, presentation)) {
    if (presentation.selection?.names?.has(name) ?? true) shown[name] = value
  }
  if (presentation.expandItem === true && attachment.kind === 'item' && 'content' in attachment) {
    const read = attachmentFrom(attachment)
    if (read.kind === 'item') shown.item = presentItem(read)
  }
  return shown
}

function idOf(attachment: AttachmentEnvelope, { mailbox, message, immutableIds }: AttachmentPresentation): string {
  return immutableIds
    ? presentImmutableAttachmentId(mailbox, message.id, attachment.id)
    : presentAttachmentId(mailbox, message, attachment.id)
}

function membersOf(attachment: AttachmentEnvelope | Attachment, { version }: AttachmentPresentation) {
  const members: [string, unknown][] = [
    ['lastModifiedDateTime', presentMoment(attachment.modifiedAt)],
    ['name', attachment.name],
    ['contentType', attachment.contentType],
    ['size', attachment.sizeBytes],
    ['isInline', attachment.isInline],
  ]
  if (attachment.kind === 'file') {
    members.push(['contentId', attachment.contentId], ['contentLocation', attachment.contentLocation])
    if ('content' in attachment) members.push(['contentBytes', Buffer.from(attachment.content).toString('base64')])
  }
  // v1.0 shows of a link only that there is one.
  if (attachment.kind === 'reference' && version === 'beta' && 'content' in attachment) {
    const read = attachmentFrom(attachment)
    if (read.kind === 'reference') {
      const { sourceUrl, providerType, permission, isFolder } = read
      members.push(['sourceUrl', sourceUrl], ['providerType', providerType])
      members.push(['thumbnailUrl', null], ['previewUrl', null], ['permission', permission], ['isFolder', isFolder])
    }
  }
  return members
}

/** An attached item, expanded: its `id` is empty, as recorded. */
function presentItem({ item }: NewItemAttachment): Record<string, unknown> {
  if (item.type === 'message') return presentAttachedMessage(item.message)
  return { '@odata.type': `#microsoft.graph.${item.type}`, id: '', ...item.properties }
}

function presentAttachedMessage(draft: Draft): Record<string, unknown> {
  const { from, sender } = draft
  return {
    '@odata.type': '#microsoft.graph.message',
    id: '',
    categories: draft.categories,
    hasAttachments: draft.attachments.some(({ isInline }) => !isInline),
    ...(draft.internetMessageId === undefined ? {} : { internetMessageId: draft.internetMessageId }),
    subject: draft.subject,
    importance: draft.importance,
    isDeliveryReceiptRequested: draft.isDeliveryReceiptRequested,
    isReadReceiptRequested: draft.isReadReceiptRequested,
    isRead: draft.isRead,
    isDraft: false,
    body: draft.body,
    ...(sender === undefined ? {} : { sender: presentRecipient(sender) }),
    ...(from === undefined ? {} : { from: presentRecipient(from) }),
    toRecipients: presentRecipients(draft.toRecipients),
    ccRecipients: presentRecipients(draft.ccRecipients),
    bccRecipients: presentRecipients(draft.bccRecipients),
    replyTo: presentRecipients(draft.replyTo),
    flag: draft.flag,
  }
}
