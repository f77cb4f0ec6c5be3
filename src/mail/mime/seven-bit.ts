import { isAscii } from 'node:buffer'
import { buildHeaderValue, parseHeaderValue } from 'nodemailer/lib/mime-funcs'
import { encode, wrap } from 'nodemailer/lib/qp'
import { MailError } from '../errors.js'
import { parseAddresses } from './addresses.js'
import { decodedValue, type HeaderField, messageText, readHeaderBlock, unfoldedValue } from './header-block.js'
import { addressField, textField } from './header-field.js'
import { type MimeBudget, type MimePart, mimeLimits, readPart } from './mime-part.js'

/** What the next server takes beside ASCII. */
export interface EightBitSupport {
  /** 8BITMIME, RFC 6152: bytes above 127 in bodies. */
  readonly bodies: boolean
  /** SMTPUTF8, RFC 6531: and in headers, asked for with this envelope. */
  readonly headers: boolean
}

/** Why a message cannot go through a server: it needs SMTPUTF8, or a part that may not be touched needs 8BITMIME. */
export type CannotConvert = 'needs utf8' | 'needs 8bit'

/**
 * The message as the next server can take it. Bodies with bytes above 127 become quoted-printable (text) or base64, header
 * text becomes encoded words; nothing else is touched, so a message that needs nothing comes back as it is. Only an
 * address that is not ASCII itself cannot be written otherwise, nor anything that a signature covers (RFC 1847 §2.1).
 */
export function convertedFor(mime: Buffer, support: EightBitSupport): Buffer | CannotConvert {
  if (isAscii(mime) || (support.bodies && support.headers)) return mime
  const text = messageText(mime)
  if (support.bodies && isAscii(text.subarray(0, readHeaderBlock(text).bodyStart))) return mime
  try {
    const edits: Edit[] = []
    const budget = { parts: mimeLimits.parts }
    convert({ text, support, edits, budget }, readPart(text, budget, 0), 0)
    const converted = applied(text, edits)
    return support.bodies || isAscii(converted) ? converted : 'needs 8bit'
  } catch (error) {
    if (error instanceof NeedsUtf8) return 'needs utf8'
    // Too deep or too large to take apart.
    if (error instanceof Untouchable || error instanceof MailError) return 'needs 8bit'
    throw error
  }
}

class NeedsUtf8 extends Error {}
class Untouchable extends Error {}

/** Bytes of the text to be replaced. */
interface Edit {
  readonly start: number
  readonly end: number
  readonly by: Buffer
}

interface Conversion {
  readonly text: Buffer
  readonly support: EightBitSupport
  readonly edits: Edit[]
  readonly budget: MimeBudget
}

function convert(conversion: Conversion, part: MimePart, depth: number): void {
  const { support, edits, text } = conversion
  if (!support.headers) for (const field of part.fields) convertField(conversion, field)
  if (support.bodies || isAscii(part.body)) return
  if (part.type === 'multipart/signed' || part.type === 'multipart/encrypted') throw new Untouchable()
  const inner = partsWithin(conversion, part, depth)
  if (inner.length > 0) {
    for (const child of inner) convert(conversion, child, depth + 1)
    setEncoding(conversion, part, '7bit')
    return
  }
  // A part that claims to be encoded and is not: whatever we made of it would be another part.
  if (!['', '7bit', '8bit', 'binary'].includes(part.transferEncoding)) throw new Untouchable()
  const isText = part.type.startsWith('text/')
  const start = part.body.byteOffset - text.byteOffset
  const by = Buffer.from(isText ? wrap(encode(part.body)) : base64Lines(part.body))
  edits.push({ start, end: start + part.body.length, by })
  setEncoding(conversion, part, isText ? 'quoted-printable' : 'base64')
}

/** A message inside a message must not be encoded itself (RFC 2046 §5.2.1); what it holds can be. */
function partsWithin({ budget }: Conversion, part: MimePart, depth: number): readonly MimePart[] {
  const isMessage = part.type === 'message/rfc822' || part.type === 'message/global'
  return isMessage ? [readPart(part.body, budget, depth + 1)] : part.parts
}

/** In place of the field that is there, or as the first of the part. */
function setEncoding({ text, edits }: Conversion, part: MimePart, encoding: string): void {
  const by = Buffer.from(`Content-Transfer-Encoding: ${encoding}\r\n`)
  const existing = part.fields.find(({ key }) => key === 'content-transfer-encoding')
  const first = existing ?? part.fields[0]
  // A part without any field begins with the empty line before its body.
  const start =
    first === undefined ? part.body.byteOffset - text.byteOffset - 2 : first.raw.byteOffset - text.byteOffset
  edits.push({ start, end: existing === undefined ? start : start + existing.raw.length, by })
}

const addressKeys = new Set(['from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'resent-from', 'resent-to', 'resent-cc'])

function convertField({ text, edits }: Conversion, field: HeaderField): void {
  if (isAscii(field.raw)) return
  const start = field.raw.byteOffset - text.byteOffset
  const line = asciiField(field)
  if (!isAscii(Buffer.from(line))) throw new NeedsUtf8()
  edits.push({ start, end: start + field.raw.length, by: Buffer.from(`${line}\r\n`) })
}

function asciiField(field: HeaderField): string {
  if (addressKeys.has(field.key)) return addressField(field.name, parseAddresses(unfoldedValue(field)))
  if (field.key === 'content-type' || field.key === 'content-disposition') {
    return `${field.name}: ${buildHeaderValue(parseHeaderValue(unfoldedValue(field))).replaceAll('; ', ';\r\n ')}`
  }
  return textField(field.name, decodedValue(field))
}

/** RFC 2045 §6.8: lines of 76. */
function base64Lines(bytes: Buffer): string {
  return bytes.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n')
}

function applied(text: Buffer, edits: readonly Edit[]): Buffer {
  const pieces: Buffer[] = []
  let at = 0
  for (const { start, end, by } of edits.toSorted((one, other) => one.start - other.start || one.end - other.end)) {
    pieces.push(text.subarray(at, start), by)
    at = end
  }
  return Buffer.concat([...pieces, text.subarray(at)])
}
