import type { AttachmentId, MailboxId, MessageId } from './ids.js'
import type { Draft, MessageEnvelope } from './message.js'

/** Fields every kind of attachment has. */
interface AttachmentCommon {
  readonly name: string
  /** `null`: not said, as on an attached item. */
  readonly contentType: string | null
  readonly isInline: boolean
}

export interface NewFileAttachment extends AttachmentCommon {
  readonly kind: 'file'
  /** Without angle brackets; what `cid:` in the body names. */
  readonly contentId: string | null
  readonly contentLocation: string | null
  readonly content: Uint8Array
}

/** An Outlook item inside the message. A message is kept as a draft of its own; an event or contact as it was given. */
export type AttachedItem =
  | { readonly type: 'message'; readonly message: Draft }
  | { readonly type: 'event' | 'contact'; readonly properties: Readonly<Record<string, unknown>> }

export interface NewItemAttachment extends AttachmentCommon {
  readonly kind: 'item'
  readonly item: AttachedItem
}

/** A link to a file elsewhere. v1.0 shows only the common fields. */
export interface NewReferenceAttachment extends AttachmentCommon {
  readonly kind: 'reference'
  readonly sourceUrl: string
  readonly providerType: string
  readonly permission: string
  readonly isFolder: boolean
}

export type NewAttachment = NewFileAttachment | NewItemAttachment | NewReferenceAttachment

/** An attachment as it is kept, without its content. */
export interface AttachmentEnvelope extends AttachmentCommon {
  readonly mailbox: MailboxId
  readonly message: MessageId
  readonly id: AttachmentId
  readonly kind: NewAttachment['kind']
  /** Bytes of the content as kept. */
  readonly sizeBytes: number
  readonly contentId: string | null
  readonly contentLocation: string | null
  /** ms since 1970 */
  readonly modifiedAt: number
  /** Where the bytes are when they are too large for the store's rows: a key of `BlobStore`. */
  readonly blob?: string
}

/** An attachment whose bytes are a blob. */
export type LargeAttachment = AttachmentEnvelope & { readonly blob: string }

/** An attachment with what it holds, wherever it is kept: the file's bytes, or the JSON of an item or a reference. */
export interface Attachment extends AttachmentEnvelope {
  readonly content: Uint8Array
}

/** Depth to which items may hold items that hold items; Graph's own bound for reading them. */
export const maxItemDepth = 30

/** Graph: true when at least one attachment is not inline. */
export function hasVisibleAttachment(attachments: readonly { readonly isInline: boolean }[]): boolean {
  return attachments.some((attachment) => !attachment.isInline)
}

/** What is written for an attachment: a file's bytes as they are, items and references as JSON text. */
export function contentOf(attachment: NewAttachment): Uint8Array {
  if (attachment.kind === 'file') return attachment.content
  if (attachment.kind === 'item') return Buffer.from(JSON.stringify(attachment.item, encodeBytes))
  const { sourceUrl, providerType, permission, isFolder } = attachment
  return Buffer.from(JSON.stringify({ sourceUrl, providerType, permission, isFolder }))
}

/** An attachment as a message keeps it; `content` is {@link contentOf} it. */
export function keptAttachment(
  attachment: NewAttachment,
  content: Uint8Array,
  message: Pick<MessageEnvelope, 'mailbox' | 'id' | 'modifiedAt'>,
  id: AttachmentId,
): Attachment {
  const { kind, name, contentType, isInline } = attachment
  return {
    mailbox: message.mailbox,
    message: message.id,
    id,
    kind,
    name,
    contentType,
    isInline,
    sizeBytes: content.byteLength,
    contentId: kind === 'file' ? attachment.contentId : null,
    contentLocation: kind === 'file' ? attachment.contentLocation : null,
    modifiedAt: message.modifiedAt,
    content,
  }
}

/** The reverse of {@link contentOf}. */
export function attachmentFrom(kept: Attachment): NewAttachment {
  const { name, contentType, isInline } = kept
  if (kept.kind === 'file') {
    const { contentId, contentLocation, content } = kept
    return { kind: 'file', name, contentType, isInline, contentId, contentLocation, content }
  }
  const json: unknown = JSON.parse(Buffer.from(kept.content).toString('utf8'), decodeBytes)
  if (kept.kind === 'item') return { kind: 'item', name, contentType, isInline, item: json as AttachedItem }
  const link = json as Pick<NewReferenceAttachment, 'sourceUrl' | 'providerType' | 'permission' | 'isFolder'>
  return { kind: 'reference', name, contentType, isInline, ...link }
}

/** Files nested in an attached message are bytes inside JSON: written as `{"base64": ...}`. */
function encodeBytes(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key]
  return original instanceof Uint8Array ? { base64: Buffer.from(original).toString('base64') } : value
}

function decodeBytes(key: string, value: unknown): unknown {
  if (key !== 'content' && key !== 'mime') return value
  const bytes = value as { base64?: unknown } | null
  return typeof bytes === 'object' && bytes !== null && typeof bytes.base64 === 'string'
    ? new Uint8Array(Buffer.from(bytes.base64, 'base64'))
    : value
}
