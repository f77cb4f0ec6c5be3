import { detectExtension } from 'nodemailer/lib/mime-funcs'
import { maxItemDepth, type NewAttachment } from '../attachment.js'
import { MailError } from '../errors.js'
import type { Draft, Importance, InternetMessageHeader, ItemBody } from '../message.js'
import { parseAddresses } from './addresses.js'
import { decodedValue, type HeaderField, messageText, readHeaderBlock, unfoldedValue } from './header-block.js'
import { messageIdsOf } from './header-field.js'
import { isOwnHeader } from './message-header.js'
import { contentOfPart, type MimeBudget, type MimePart, mimeLimits, readPart, textOfPart } from './mime-part.js'

/** A draft read from MIME. `sentAt` is its `Date`, ms since 1970; absent when there is none or it is no date. */
export type ParsedDraft = Draft & { readonly sentAt?: number }

/**
 * Reads a message in MIME (RFC 5322, RFC 2045-2049) into a draft that keeps the bytes beside what they mean. The HTML
 * of an alternative becomes the body, else its text; every other part becomes an attachment, an attached message an item
 * of its own. Time and memory are linear in the size, however the message is built.
 *
 * @throws MailError mimeInvalid for what is no message, and beyond `mimeLimits` and `headerLimits`
 */
export async function parseMime(bytes: Uint8Array): Promise<ParsedDraft> {
  const draft = readMessage(messageText(bytes), { parts: mimeLimits.parts }, { mime: 0, item: 0 })
  if (draft === undefined) throw new MailError('mimeInvalid', 'The content does not begin with header fields.')
  return { ...draft, mime: bytes }
}

/** How many parts, and how many attached messages, something is inside of. */
interface Depth {
  readonly mime: number
  readonly item: number
}

/** undefined when the text is no message. */
function readMessage(text: Buffer, budget: MimeBudget, depth: Depth): ParsedDraft | undefined {
  if (!readHeaderBlock(text).beginsWithField) return undefined
  const root = readPart(text, budget, depth.mime)
  const { body, attachments } = readContent(root, budget, depth)
  return { ...envelopeOf(root.fields), body, attachments }
}

function envelopeOf(fields: readonly HeaderField[]): Omit<ParsedDraft, 'body' | 'attachments'> {
  const find = (key: string) => fields.find((field) => field.key === key)
  const has = (key: string) => find(key) !== undefined
  const addresses = (key: string) =>
    fields.filter((field) => field.key === key).flatMap((field) => parseAddresses(unfoldedValue(field)))
  const ids = (key: string) => messageIdsOf(valueIn(find(key)))
  const [from] = addresses('from')
  const [sender] = addresses('sender')
  const [messageId] = ids('message-id')
  const [inReplyTo] = ids('in-reply-to')
  const references = ids('references').join(' ')
  const subject = find('subject')
  const sentAt = momentOf(valueIn(find('date')))
  return {
    subject: subject === undefined ? null : decodedValue(subject),
    ...ifKnown('from', from),
    ...ifKnown('sender', sender),
    toRecipients: addresses('to'),
    ccRecipients: addresses('cc'),
    bccRecipients: addresses('bcc'),
    replyTo: addresses('reply-to'),
    ...ifKnown('internetMessageId', messageId),
    ...ifKnown('inReplyTo', inReplyTo),
    ...ifKnown('references', references === '' ? undefined : references),
    ...ifKnown('sentAt', sentAt),
    importance: importanceOf(valueIn(find('importance')), valueIn(find('x-priority'))),
    isReadReceiptRequested: has('disposition-notification-to') ? true : null,
    isDeliveryReceiptRequested: has('return-receipt-to') ? true : null,
    internetMessageHeaders: ownHeaders(fields),
    isRead: true,
    categories: [],
    flag: { flagStatus: 'notFlagged' },
    inferenceClassification: 'focused',
    singleValueExtendedProperties: [],
    multiValueExtendedProperties: [],
  }
}

function ifKnown<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value }
}

function valueIn(field: HeaderField | undefined): string {
  return field === undefined ? '' : unfoldedValue(field)
}

/** The last second of the year 9999, the last one that RFC 5322 can write. */
const lastMoment = 253_402_300_799_999

function momentOf(date: string): number | undefined {
  const moment = date.length > 100 ? Number.NaN : Date.parse(date)
  return moment >= 0 && moment <= lastMoment ? moment : undefined
}

/** `X-Priority` (1 highest, 5 lowest) only where `Importance` (RFC 4021 §2.1.13) is not said. */
function importanceOf(importance: string, priority: string): Importance {
  const said = importance.toLowerCase()
  if (said === 'high' || said === 'low' || said === 'normal') return said
  if (/^[12]\b/.test(priority)) return 'high'
  return /^[45]\b/.test(priority) ? 'low' : 'normal'
}

function ownHeaders(fields: readonly HeaderField[]): InternetMessageHeader[] {
  return fields
    .filter((field) => isOwnHeader(field.key))
    .map((field) => ({ name: field.name, value: decodedValue(field) }))
}

/** One text in up to two forms, of which the HTML is shown. */
interface Body {
  text?: string
  html?: string
}

interface Content {
  readonly body: ItemBody
  readonly attachments: readonly NewAttachment[]
}

/**
 * The first text is the body, with its other form when both stand in one multipart/alternative. Whatever comes after it
 * is an attachment, as it is for Exchange.
 */
function readContent(root: MimePart, budget: MimeBudget, depth: Depth): Content {
  let body: Body | undefined
  const attachments: NewAttachment[] = []

  const take = (part: MimePart, alternative: Body | undefined): boolean => {
    const form = bodyForm(part)
    const candidate = alternative ?? {}
    if (form === undefined || candidate[form] !== undefined) return false
    if (body !== undefined && body !== candidate) return false
    candidate[form] = textOfPart(part)
    body = candidate
    return true
  }
  const walk = (part: MimePart, alternative: Body | undefined, inRelated: boolean, mimeDepth: number) => {
    const inside = part.type === 'multipart/alternative' ? (alternative ?? {}) : alternative
    const related = inRelated || part.type === 'multipart/related'
    for (const child of part.parts) walk(child, inside, related, mimeDepth + 1)
    if (part.parts.length > 0 || take(part, alternative)) return
    const nested = { mime: mimeDepth + 1, item: depth.item + 1 }
    attachments.push(readAttachment(part, related, attachments.length + 1, budget, nested))
  }
  walk(root, undefined, false, depth.mime)
  return { body: itemBody(body ?? {}, root.parts.length === 0), attachments }
}

function bodyForm(part: MimePart): 'text' | 'html' | undefined {
  if (part.disposition === 'attachment' || part.fileName !== null) return undefined
  if (part.type === 'text/html') return 'html'
  return part.type === 'text/plain' ? 'text' : undefined
}

/** A message that is one text ends in a line end that only ends the message; before a delimiter there is none. */
function itemBody({ text = '', html }: Body, isWholeMessage: boolean): ItemBody {
  const content = html ?? text
  return {
    contentType: html === undefined ? 'text' : 'html',
    content: isWholeMessage && content.endsWith('\r\n') ? content.slice(0, -2) : content,
  }
}

/** `ordinal`: counts from 1; names a part that has no name, as Exchange does. */
function readAttachment(
  part: MimePart,
  inRelated: boolean,
  ordinal: number,
  budget: MimeBudget,
  depth: Depth,
): NewAttachment {
  const content = contentOfPart(part)
  const isMessage = part.type === 'message/rfc822' || part.type === 'message/global'
  const message = isMessage && depth.item <= maxItemDepth ? readAttachedMessage(content, budget, depth) : undefined
  if (message !== undefined) {
    return {
      kind: 'item',
      name: part.fileName?.replace(/\.eml$/i, '') ?? message.subject ?? '',
      contentType: 'message/rfc822',
      isInline: false,
      item: { type: 'message', message },
    }
  }
  const { contentId, contentLocation, disposition } = part
  const type = isMessage ? 'message/rfc822' : part.type
  return {
    kind: 'file',
    name: part.fileName ?? `ATT${String(ordinal).padStart(5, '0')}.${isMessage ? 'eml' : detectExtension(type)}`,
    contentType: type === '' ? 'application/octet-stream' : type,
    isInline: contentId !== null && (disposition === 'inline' || (inRelated && disposition !== 'attachment')),
    contentId,
    contentLocation,
    content,
  }
}

/** With its bytes, so that it is sent on as it came. A message inside it has none of its own: they are among those. */
function readAttachedMessage(content: Buffer, budget: MimeBudget, depth: Depth): ParsedDraft | undefined {
  const draft = readMessage(messageText(content), budget, depth)
  return draft === undefined || depth.item > 1 ? draft : { ...draft, mime: content }
}

/**
 * The bytes of a message submitted as base64 text (RFC 4648 §4), which may be broken into lines. Strict: whatever else
 * a decoder might pass over would be a message that its author did not write.
 *
 * @throws MailError mimeNotBase64, also when there is nothing
 */
export function decodeMimeBody(base64Text: string | Buffer): Buffer {
  const text = typeof base64Text === 'string' ? Buffer.from(base64Text) : base64Text
  let digits = 0
  let padding = 0
  for (let at = 0; at < text.length; at += 1) {
    const kind = base64Kind[text[at] as number]
    if (kind === DIGIT && padding === 0) digits += 1
    else if (kind === PADDING) padding += 1
    else if (kind !== BLANK) throw notBase64()
  }
  if (digits === 0 || padding > 2 || (digits + padding) % 4 !== 0) throw notBase64()
  return Buffer.from(text.toString('latin1'), 'base64')
}

function notBase64(): MailError {
  return new MailError('mimeNotBase64', 'The body is not the base64 text of a MIME message.')
}

const DIGIT = 1
const PADDING = 2
const BLANK = 3

/** What each byte is in base64 text; 0 when it has no place there. */
const base64Kind = new Uint8Array(256)
for (const digit of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'))
  base64Kind[digit] = DIGIT
for (const blank of Buffer.from(' \t\r\n')) base64Kind[blank] = BLANK
base64Kind[0x3d] = PADDING
