import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import type MailComposer from 'nodemailer/lib/mail-composer'
import type { MailComposerAttachment } from 'nodemailer/lib/mail-composer'
import type { AttachedItem, NewAttachment, NewFileAttachment, NewItemAttachment } from '../attachment.js'
import { textOf } from '../body.js'
import { MailError } from '../errors.js'
import type { InternetMessageHeader, ItemBody, Message, MessageContent } from '../message.js'
import { parseAddresses } from './addresses.js'
import { renderEventOrContact } from './attached-item.js'
import {
  decodedValue,
  type HeaderField,
  messageText,
  readHeaderBlock,
  unfoldedValue,
  withoutControls,
} from './header-block.js'
import { messageIdField, messageIdsOf } from './header-field.js'
import { toCrlf, withLineEnd } from './line-ends.js'
import { dateField, type HeaderSource, headerFields, isSameAddress, senderFields } from './message-header.js'
import type { ParsedDraft } from './parse.js'
import { type TextPart, textEntity } from './text-entity.js'

/**
 * A message as bytes. The header is written here, field by field (`message-header.ts`); nodemailer builds what is below
 * it, the tree of parts and their encodings. It is given text and bytes only: no addresses, no object of a client.
 */

/** `includeBcc`: for `$value` of the author's own message. What leaves for others never names hidden recipients. */
export interface RenderOptions {
  readonly includeBcc: boolean
}

/**
 * The message in RFC 5322 form: ASCII lines of at most 998 bytes with CRLF at the end of each (only an address that is
 * not ASCII itself stands in UTF-8, RFC 6532). The same message gives the same bytes, always. HTML has its text beside
 * it; inline attachments that HTML can name are in multipart/related, others in multipart/mixed, attached messages as
 * message/rfc822, events and contacts as iCalendar and vCard. A reference attachment is a link that only Graph shows:
 * it is left out, as the text of the message is its author's alone.
 */
export async function renderMime(
  message: Message,
  attachments: readonly NewAttachment[],
  options: RenderOptions,
): Promise<Buffer> {
  const { content, subject, importance, internetMessageId, sentAt } = message
  const conversationIndex = message.conversation.index
  const source = { content, subject, importance, internetMessageId, conversationIndex, sentAt, attachments }
  return renderSource(source, options.includeBcc)
}

/**
 * An attached item in its own format: a message in MIME, as it came where it came in MIME; an event as iCalendar, a
 * contact as vCard.
 */
export async function renderItem(item: AttachedItem): Promise<Buffer> {
  if (item.type === 'message') return renderAttachedMessage(item.message, undefined)
  return renderEventOrContact(item).content
}

async function renderSource(source: HeaderSource, includeBcc: boolean): Promise<Buffer> {
  const header = headerFields(source, { includeBcc })
  const entity = await renderEntity(source)
  return toCrlf(Buffer.concat([Buffer.from(`${header.join('\r\n')}\r\n`), entity]))
}

/** An attached message without a date of its own is as old as the one that holds it. Its hidden recipients stay hidden. */
async function renderAttachedMessage(draft: ParsedDraft, outerSentAt: number | undefined): Promise<Buffer> {
  if (draft.mime !== undefined) {
    const asItCame = forwardable(messageText(draft.mime))
    if (asItCame !== undefined) return asItCame
  }
  const { subject, importance, internetMessageId, attachments } = draft
  const sentAt = draft.sentAt ?? outerSentAt
  return renderSource(
    {
      content: draft,
      subject,
      importance,
      ...(internetMessageId === undefined ? {} : { internetMessageId }),
      ...(sentAt === undefined ? {} : { sentAt }),
      attachments,
    },
    false,
  )
}

/** A message/rfc822 part must not be encoded (RFC 2046 §5.2.1), so only one that needs none is sent as it came. */
function forwardable(mime: Buffer): Buffer | undefined {
  const { fields, bodyStart, isTooLarge } = readHeaderBlock(mime)
  if (isTooLarge) return undefined
  const shown = fields.filter(({ key }) => !isHidden(key)).map(({ raw }) => raw)
  const message = Buffer.concat([...shown, Buffer.from('\r\n'), mime.subarray(bodyStart)])
  return isSevenBit(message) ? message : undefined
}

/** RFC 2045 §2.7, for text whose lines end in CRLF and that holds no NUL. */
export function isSevenBit(text: Buffer): boolean {
  let lineLength = 0
  for (const byte of text) {
    lineLength = byte === 0x0a ? 0 : lineLength + 1
    if (byte > 0x7f || lineLength > 999) return false
  }
  return true
}

const contentFields = ['content-type', 'content-transfer-encoding']

/** The content of a message with the fields that describe it, empty line and body. */
async function renderEntity({ content, attachments, internetMessageId, sentAt }: HeaderSource): Promise<Buffer> {
  const parts: Part[] = []
  const hash = createHash('sha256').update(JSON.stringify([internetMessageId ?? '', content.body.content]))
  for (const attachment of attachments) {
    const part = await attachmentPart(attachment, content.body, sentAt)
    if (part === undefined) continue
    parts.push(part)
    hash.update(JSON.stringify([part.filename, part.content.length]))
    if (part.contentTransferEncoding !== 'base64') hash.update(part.content)
  }
  // Depends on all that stands in the message unencoded: a text that holds its boundary has another one, so nobody
  // can write a text that ends its part. Not random, for a message that is tried again has to be the same.
  const baseBoundary = hash.digest('hex').slice(0, 32)
  const texts = alternativesOf(content.body)
  return (parts.length === 0 ? textEntity(texts, baseBoundary) : undefined) ?? composed(texts, parts, baseBoundary)
}

let loadedComposer: typeof MailComposer | undefined

/** Loaded with the first message that has attachments or a long text; the others are written without it. */
function composerClass(): typeof MailComposer {
  loadedComposer ??= createRequire(import.meta.url)('nodemailer/lib/mail-composer') as typeof MailComposer
  return loadedComposer
}

/** The same by the library, whatever it is. */
export async function composed(
  alternatives: readonly TextPart[],
  attachments: readonly MailComposerAttachment[],
  baseBoundary: string,
): Promise<Buffer> {
  const composer = new (composerClass())({
    disableFileAccess: true,
    disableUrlAccess: true,
    // Given, or the library would make up both anew each time; of its header only the content fields are used.
    messageId: '<unused>',
    date: new Date(0),
    baseBoundary,
    boundaryPrefix: '_=',
    alternatives: [...alternatives],
    attachments: [...attachments],
  })
  const built = await composer.compile().build()
  const { fields, bodyStart } = readHeaderBlock(built)
  const kept = contentFields.flatMap((key) => fields.filter((field) => field.key === key).map(({ raw }) => raw))
  return Buffer.concat([...kept, Buffer.from('MIME-Version: 1.0\r\n\r\n'), built.subarray(bodyStart)])
}

function alternativesOf(body: ItemBody): TextPart[] {
  const text = { contentType: 'text/plain; charset=utf-8', content: bodyLines(textOf(body)) }
  if (body.contentType === 'text') return [text]
  return [text, { contentType: 'text/html; charset=utf-8', content: bodyLines(body.content) }]
}

/** Before anything is encoded: inside quoted-printable or base64 a bare CR or LF would be out of our hands. */
function bodyLines(text: string): string {
  return text.replaceAll('\0', '').replace(/\r*\n|\r/g, '\r\n')
}

/** A part whose content is at hand, in the one form that the library is given. */
type Part = MailComposerAttachment & { readonly content: Buffer }

/** undefined for what is not sent along. */
async function attachmentPart(
  attachment: NewAttachment,
  body: ItemBody,
  sentAt: number | undefined,
): Promise<Part | undefined> {
  if (attachment.kind === 'file') return filePart(attachment, body)
  return attachment.kind === 'item' ? itemPart(attachment, sentAt) : undefined
}

function filePart(file: NewFileAttachment, body: ItemBody): Part {
  const contentId = contentIdOf(file.contentId)
  // Only HTML can name it; beside plain text it is an attachment like any other.
  const isRelated = file.isInline && contentId !== undefined && body.contentType === 'html'
  return {
    ...namedPart(file.name, file.isInline ? 'inline' : 'attachment'),
    contentType: fileTypeOf(file.contentType),
    contentTransferEncoding: 'base64',
    content: Buffer.from(file.content.buffer, file.content.byteOffset, file.content.byteLength),
    ...(isRelated ? { cid: contentId } : {}),
    ...(!isRelated && contentId !== undefined ? { headers: { 'Content-ID': `<${contentId}>` } } : {}),
  }
}

async function itemPart({ item, name }: NewItemAttachment, sentAt: number | undefined): Promise<Part> {
  if (item.type !== 'message') {
    const { contentType, extension, content } = renderEventOrContact(item)
    return {
      ...namedPart(withExtension(name, extension), 'attachment'),
      contentType,
      contentTransferEncoding: 'base64',
      content,
    }
  }
  const content = await renderAttachedMessage(item.message, sentAt)
  return {
    ...namedPart(withExtension(name, '.eml'), 'attachment'),
    contentType: 'message/rfc822',
    // An address that is not ASCII stands in the header as it is.
    contentTransferEncoding: isSevenBit(content) ? '7bit' : '8bit',
    content,
  }
}

/** A line of 998 bytes holds a word of this length and the name of its parameter. */
const maxWordLength = 900

/**
 * A file name in well-formed Unicode, without controls; the library encodes it and cuts it up (RFC 2231). It repeats it
 * whole in `Content-Type` for readers of old, where a name without blanks might not fit on a line: that one goes without.
 */
function namedPart(
  name: string,
  disposition: 'inline' | 'attachment',
): Pick<MailComposerAttachment, 'filename' | 'contentDisposition'> {
  const filename = withoutControls(Buffer.from(name).toString())
  if (filename === '') return { filename: false, contentDisposition: disposition }
  if (filename.split(' ').every((word) => word.length <= maxWordLength)) {
    return { filename, contentDisposition: disposition }
  }
  const quoted = filename.replace(/["\\]/g, '\\$&')
  return { filename: false, contentDisposition: `${disposition}; filename="${quoted}"` }
}

function withExtension(name: string, extension: string): string {
  return name.toLowerCase().endsWith(extension) ? name : `${name}${extension}`
}

const mediaType = /^(?!multipart\/|message\/)[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?=\s*(?:;|$))/i

/** The client's content type where it is one; a file is a leaf, whatever it calls itself. */
function fileTypeOf(contentType: string | null): string {
  const type = withoutControls(contentType ?? '')
  const name = mediaType.exec(type)?.[0]
  if (name === undefined) return 'application/octet-stream'
  // Parameters such as charset and method, while they are plain; a name is ours to give.
  return /^[\x20-\x7e]{1,400}$/.test(type) && !/name|boundary/i.test(type) ? type : name
}

/** Characters that a msg-id may not hold are percent-encoded, as they are in a `cid:` address (RFC 2392). */
function contentIdOf(contentId: string | null): string | undefined {
  const id = Buffer.from((contentId ?? '').replace(/[<>\p{Cc}]/gu, '').trim()).toString()
  return id === '' || id.length > 250 ? undefined : id.replace(/[^\x21-\x7e]+/gu, encodeURIComponent)
}

/** Fields that name recipients whom the others are not to see. */
function isHidden(key: string): boolean {
  return key === 'bcc' || key === 'resent-bcc'
}

/**
 * A message that was submitted in MIME, ready to leave: its bytes, save for what has to change. Hidden recipients are
 * taken out, `From` and `Sender` say who really sends, `Message-ID` is the one the message is known by, `Date` and
 * `MIME-Version` are added where missing, lines that are no fields go, and all line ends become CRLF. The body stays as
 * it is, so a signature over it still holds. Linear in the size.
 *
 * @throws MailError mimeInvalid for a header that `parseMime` would have refused
 */
export function forSubmission(mime: Uint8Array, message: Message): Buffer {
  const text = messageText(mime)
  const { fields, bodyStart, isTooLarge } = readHeaderBlock(text)
  if (isTooLarge) throw new MailError('mimeInvalid', 'The header is larger than can be sent.')
  const kept = fields.filter((field, index) => staysAsItIs(field, message) && !isRepeated(fields, index))
  const has = (key: string) => kept.some((field) => field.key === key)
  // On top, where every server adds its own.
  const added = [
    ...senderFields(message.content).filter((field) => !has(field.slice(0, field.indexOf(':')).toLowerCase())),
    ...(has('date') ? [] : [dateField(message.sentAt)]),
    ...(has('message-id') ? [] : [messageIdField('Message-ID', message.internetMessageId)]),
    ...(has('mime-version') ? [] : ['MIME-Version: 1.0']),
  ]
  return Buffer.concat([
    ...added.map((field) => Buffer.from(`${field}\r\n`)),
    ...kept.map(({ raw }) => withLineEnd(raw)),
    Buffer.from('\r\n'),
    withLineEnd(text.subarray(bodyStart)),
  ])
}

function staysAsItIs(field: HeaderField, { content, internetMessageId }: Message): boolean {
  if (isHidden(field.key)) return false
  if (field.key === 'from') return isOnly(field, content.from)
  if (field.key === 'sender') return isOnly(field, senderOf(content))
  if (field.key !== 'message-id') return true
  return messageIdsOf(unfoldedValue(field))[0] === internetMessageId
}

/** Fields of which two make two readers disagree about who wrote what (RFC 5322 §3.6 allows one). */
const single = new Set(['from', 'sender', 'date', 'message-id', 'subject'])

function isRepeated(fields: readonly HeaderField[], index: number): boolean {
  const key = fields[index]?.key ?? ''
  return single.has(key) && fields.findIndex((field) => field.key === key) < index
}

/** Who has to stand in `Sender`; undefined when nobody has. */
function senderOf({ from, sender }: MessageContent): MessageContent['sender'] {
  return from !== undefined && sender !== undefined && !isSameAddress(from, sender) ? sender : undefined
}

function isOnly(field: HeaderField, address: MessageContent['from']): boolean {
  const [only, ...others] = parseAddresses(unfoldedValue(field))
  return only !== undefined && others.length === 0 && address !== undefined && isSameAddress(only, address)
}

/**
 * The header of a message as Graph shows it in `internetMessageHeaders`: its fields in order, unfolded and decoded, as
 * far as `headerLimits` reaches.
 */
export function transportHeadersOf(mime: Uint8Array): InternetMessageHeader[] {
  const { fields } = readHeaderBlock(messageText(mime))
  return fields.map((field) => ({ name: field.name, value: decodedValue(field) }))
}
