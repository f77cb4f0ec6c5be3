import {
  type Attachment,
  type AttachmentEnvelope,
  attachmentFrom,
  contentOf,
  hasVisibleAttachment,
  type NewAttachment,
  type NewItemAttachment,
} from '../../mail/attachment.js'
import { bodyPreviewOf } from '../../mail/body.js'
import type { Mailbox } from '../../mail/mailbox.js'
import type { EmailAddress, MessageEnvelope } from '../../mail/message.js'
import type { ParsedDraft } from '../../mail/mime/parse.js'
import { GraphError } from '../errors.js'
import {
  attachedItemLink,
  presentAttachmentId,
  presentImmutableAttachmentId,
  presentNestedAttachmentId,
} from '../item-id.js'
import type { ApiVersion } from '../path.js'
import { noPreferences, type Preferences } from '../preferences.js'
import { presentItemBody } from './item-body.js'
import { presentRecipient, presentRecipients } from './recipient.js'
import { presentMoment, quotable } from './values.js'

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
  /** The form of the body of an expanded item. */
  readonly preferences?: Preferences
  readonly selection?: AttachmentSelection
  /** `$expand=microsoft.graph.itemAttachment/item` */
  readonly expandItem?: boolean
}

const everything: AttachmentSelection = { names: undefined, needsContent: true }

const common = ['id', 'lastModifiedDateTime', 'name', 'contentType', 'size', 'isInline']
const ofFile = ['contentId', 'contentLocation', 'contentBytes']
const ofReference = ['sourceUrl', 'providerType', 'thumbnailUrl', 'previewUrl', 'permission', 'isFolder']

const propertyNames = new Set([...common, ...ofFile, ...ofReference].map((name) => name.toLowerCase()))

/** Whether a path may name it behind an attachment, in any case. */
export function isAttachmentProperty(name: string): boolean {
  return propertyNames.has(name.toLowerCase())
}

/** Properties by type and lower-case name: those of a kind can be selected only through its type. */
const selectable: Readonly<Record<ApiVersion, ReadonlyMap<string, string>>> = {
  'v1.0': selectableOf({ fileAttachment: ofFile, itemAttachment: [], referenceAttachment: [] }),
  beta: selectableOf({ fileAttachment: ofFile, itemAttachment: [], referenceAttachment: ofReference }),
}

function selectableOf(kinds: Readonly<Record<string, readonly string[]>>): Map<string, string> {
  const names = new Map(common.map((name) => [name.toLowerCase(), name]))
  for (const [kind, own] of Object.entries(kinds)) {
    for (const name of [...common, ...own]) names.set(`microsoft.graph.${kind}/${name}`.toLowerCase(), name)
  }
  return names
}

/**
 * The properties that `$select` names, in any case: those of every attachment by name, those of one kind after its type
 * (`microsoft.graph.fileAttachment/contentId`).
 *
 * @throws GraphError RequestBroker--ParseUri for one that attachments do not have (observed of a bare `contentId`)
 */
export function selectAttachmentProperties(
  names: readonly string[] | undefined,
  version: ApiVersion,
): AttachmentSelection {
  if (names === undefined || names.includes('*')) return everything
  const selected = new Set<string>()
  for (const written of names) {
    const name = selectable[version].get(written.toLowerCase())
    if (name === undefined) {
      throw new GraphError(
        400,
        'RequestBroker--ParseUri',
        `Could not find a property named '${quotable(written)}' on type 'microsoft.graph.attachment'.`,
        { frontEnd: true },
      )
    }
    selected.add(name)
  }
  return { names: selected, needsContent: ['contentBytes', ...ofReference].some((name) => selected.has(name)) }
}

/** An attachment, its members in the recorded order; what its content says, only where the content was read. */
export function presentAttachment(
  attachment: AttachmentEnvelope | Attachment,
  presentation: AttachmentPresentation,
): Record<string, unknown> {
  const { preferences = noPreferences, selection = everything, version, expandItem = false } = presentation
  const isShown = attachment.kind !== 'item' || expandItem
  const read = isShown && 'content' in attachment ? attachmentFrom(attachment) : undefined
  const id = idOf(attachment, presentation)
  const shown = present(attachment, read, { id, version, selection })
  if (read?.kind === 'item') {
    const { modifiedAt } = attachment
    shown.item = presentItem(read, { modifiedAt, version, preferences, attachmentId: id })
  }
  return shown
}

function idOf(attachment: AttachmentEnvelope, { mailbox, message, immutableIds }: AttachmentPresentation): string {
  return immutableIds
    ? presentImmutableAttachmentId(mailbox, message.id, attachment.id)
    : presentAttachmentId(mailbox, message, attachment.id)
}

/** What every attachment shows, of a message or of an attached item. */
type Envelope = Pick<
  AttachmentEnvelope,
  'kind' | 'name' | 'contentType' | 'isInline' | 'sizeBytes' | 'contentId' | 'contentLocation' | 'modifiedAt'
>

function present(
  envelope: Envelope,
  read: NewAttachment | undefined,
  { id, version, selection }: { id: string; version: ApiVersion; selection: AttachmentSelection },
): Record<string, unknown> {
  const { kind, contentType } = envelope
  const shown: Record<string, unknown> = { '@odata.type': `#microsoft.graph.${kind}Attachment` }
  if (kind === 'file' && contentType !== null) shown['@odata.mediaContentType'] = contentType
  shown.id = id
  const add = (name: string, value: unknown) => {
    if (selection.names === undefined || selection.names.has(name)) shown[name] = value
  }
  add('lastModifiedDateTime', presentMoment(envelope.modifiedAt))
  add('name', envelope.name)
  add('contentType', contentType)
  add('size', envelope.sizeBytes)
  add('isInline', envelope.isInline)
  if (kind === 'file') {
    add('contentId', envelope.contentId)
    add('contentLocation', envelope.contentLocation)
    if (read?.kind === 'file') add('contentBytes', base64(read.content))
  }
  // v1.0 shows of a link only that there is one.
  if (read?.kind === 'reference' && version === 'beta') {
    add('sourceUrl', read.sourceUrl)
    add('providerType', read.providerType)
    add('thumbnailUrl', null)
    add('previewUrl', null)
    add('permission', read.permission)
    add('isFolder', read.isFolder)
  }
  return shown
}

/** Without a copy of the bytes. */
function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}

interface ItemPresentation {
  /** An item has no dates of its own kept: they are those of its attachment, ms since 1970. */
  readonly modifiedAt: number
  readonly version: ApiVersion
  readonly preferences: Preferences
  /** Of the attachment that holds the item. */
  readonly attachmentId: string
}

/** An attached item, expanded: its `id` is empty, and it has neither etag nor change key (recorded). */
function presentItem({ item }: NewItemAttachment, presentation: ItemPresentation): Record<string, unknown> {
  if (item.type === 'message') return presentAttachedMessage(item.message, presentation)
  const shown: Record<string, unknown> = { '@odata.type': `#microsoft.graph.${item.type}`, id: '' }
  for (const [name, value] of Object.entries(item.properties)) {
    if (name !== 'id' && !name.includes('@')) shown[name] = value
  }
  return shown
}

/** In the order of the reference's samples, with the attachments the message holds itself; empty lists are left out. */
function presentAttachedMessage(draft: ParsedDraft, presentation: ItemPresentation): Record<string, unknown> {
  const { modifiedAt, preferences } = presentation
  const modified = presentMoment(modifiedAt)
  const sent = draft.sentAt === undefined ? modified : presentMoment(draft.sentAt)
  const shown: Record<string, unknown> = {
    '@odata.type': '#microsoft.graph.message',
    id: '',
    createdDateTime: modified,
    lastModifiedDateTime: modified,
  }
  addList(shown, 'categories', draft.categories)
  shown.receivedDateTime = sent
  shown.sentDateTime = sent
  shown.hasAttachments = hasVisibleAttachment(draft.attachments)
  if (draft.internetMessageId !== undefined) shown.internetMessageId = draft.internetMessageId
  shown.subject = draft.subject
  shown.bodyPreview = bodyPreviewOf(draft.body)
  shown.importance = draft.importance
  shown.isDeliveryReceiptRequested = draft.isDeliveryReceiptRequested
  shown.isReadReceiptRequested = draft.isReadReceiptRequested ?? false
  shown.isRead = draft.isRead
  shown.isDraft = false
  shown.webLink = attachedItemLink(presentation.attachmentId)
  shown.internetMessageHeaders = draft.internetMessageHeaders
  shown.body = presentItemBody(draft.body, preferences)
  if (draft.sender !== undefined) shown.sender = presentRecipient(draft.sender)
  if (draft.from !== undefined) shown.from = presentRecipient(draft.from)
  addRecipients(shown, 'toRecipients', draft.toRecipients)
  addRecipients(shown, 'ccRecipients', draft.ccRecipients)
  addRecipients(shown, 'bccRecipients', draft.bccRecipients)
  addRecipients(shown, 'replyTo', draft.replyTo)
  shown.flag = draft.flag
  addList(
    shown,
    'attachments',
    draft.attachments.map((attachment, index) => presentNested(attachment, index, presentation)),
  )
  return shown
}

function addList(shown: Record<string, unknown>, name: string, list: readonly unknown[]): void {
  if (list.length > 0) shown[name] = list
}

function addRecipients(shown: Record<string, unknown>, name: string, recipients: readonly EmailAddress[]): void {
  addList(shown, name, presentRecipients(recipients))
}

/** An attachment of an attached item. */
function presentNested(
  attachment: NewAttachment,
  index: number,
  presentation: ItemPresentation,
): Record<string, unknown> {
  const { modifiedAt, version } = presentation
  const { kind, name, contentType, isInline } = attachment
  const envelope: Envelope = {
    kind,
    name,
    contentType,
    isInline,
    sizeBytes: sizeOf(attachment),
    contentId: kind === 'file' ? attachment.contentId : null,
    contentLocation: kind === 'file' ? attachment.contentLocation : null,
    modifiedAt,
  }
  const id = presentNestedAttachmentId(presentation.attachmentId, index)
  const shown = present(envelope, attachment, { id, version, selection: everything })
  if (attachment.kind === 'item') shown.item = presentItem(attachment, { ...presentation, attachmentId: id })
  return shown
}

/** Bytes, roughly; an item is not written out only to be counted. */
function sizeOf(attachment: NewAttachment): number {
  if (attachment.kind === 'file') return attachment.content.byteLength
  if (attachment.kind === 'reference' || attachment.item.type !== 'message') return contentOf(attachment).byteLength
  const { body, attachments } = attachment.item.message
  return attachments.reduce((bytes, nested) => bytes + sizeOf(nested), body.content.length)
}
