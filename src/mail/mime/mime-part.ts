import { TextDecoder } from 'node:util'
import { parseHeaderValue } from 'nodemailer/lib/mime-funcs'
import { MailError } from '../errors.js'
import {
  type HeaderBlock,
  type HeaderField,
  headerLimits,
  readHeaderBlock,
  unfoldedValue,
  withoutControls,
} from './header-block.js'
import { decodeWords } from './postal-mime.js'

/**
 * A message as a tree of parts (RFC 2046), and the bytes each part holds.
 *
 * postal-mime could do this too, but its line-by-line reader took 41 s and 4.5 GB for 4 MB of empty lines, and does not
 * say whether a line end belongs to an attachment. Here parts are slices of the message, found with `indexOf`; the
 * libraries read what stands in header fields.
 */

/** One part: a leaf with content, or a multipart with further parts. */
export interface MimePart {
  readonly fields: readonly HeaderField[]
  /** Lower case: `text/plain`. */
  readonly type: string
  readonly charset: string
  /** Lower case: `attachment`, `inline`; empty when not said. */
  readonly disposition: string
  readonly fileName: string | null
  /** Without angle brackets. */
  readonly contentId: string | null
  readonly contentLocation: string | null
  /** Lower case: `base64`. */
  readonly transferEncoding: string
  /** As it stands in the message, still encoded. */
  readonly body: Buffer
  /** Empty for a leaf. */
  readonly parts: readonly MimePart[]
}

/** What one message may still use up; shared with the messages attached to it. */
export interface MimeBudget {
  parts: number
}

/** Bounds of a message in MIME: Haraka's for the parts, and for the depth the one we set for JSON. */
export const mimeLimits = { parts: 1_000, depth: 64 } as const

/**
 * Reads a message or part with all parts below it. `text` has CRLF line ends only.
 *
 * @param depth how many parts this one is inside of, attached messages counted
 * @throws MailError mimeInvalid when a bound is exceeded
 */
export function readPart(text: Buffer, budget: MimeBudget, depth: number, defaultType = 'text/plain'): MimePart {
  budget.parts -= 1
  if (budget.parts < 0) throw tooManyParts()
  if (depth > mimeLimits.depth) throw new MailError('mimeInvalid', `MIME parts nest ${mimeLimits.depth} deep at most.`)

  const block = readHeaderBlock(text)
  requireHeaderSize(block)
  const value = (key: string) => firstValue(block.fields, key)
  const contentType = parseHeaderValue(value('content-type') || defaultType, { stripComments: true })
  const disposition = parseHeaderValue(value('content-disposition'), { stripComments: true })
  const body = text.subarray(block.bodyStart)
  const boundary = contentType.params.boundary ?? ''
  const type = contentType.value.trim().toLowerCase()
  const slices = type.startsWith('multipart/') ? splitAtBoundary(body, boundary, budget) : []
  const childType = type === 'multipart/digest' ? 'message/rfc822' : 'text/plain'
  return {
    fields: block.fields,
    // A multipart that cannot be taken apart is shown as the text it is.
    type: type.startsWith('multipart/') && slices.length === 0 ? 'text/plain' : type,
    charset: (contentType.params.charset ?? '').trim().toLowerCase(),
    disposition: disposition.value.trim().toLowerCase(),
    fileName: nameFrom(disposition.params.filename ?? contentType.params.name),
    contentId: orNull(withoutControls(value('content-id').replace(/[<>]/g, ''))),
    contentLocation: orNull(withoutControls(value('content-location'))),
    transferEncoding: value('content-transfer-encoding').trim().toLowerCase(),
    body,
    parts: slices.map((slice) => readPart(slice, budget, depth + 1, childType)),
  }
}

function tooManyParts(): MailError {
  return new MailError('mimeInvalid', `A message has ${mimeLimits.parts} MIME parts at most.`)
}

function requireHeaderSize({ isTooLarge }: HeaderBlock): void {
  if (!isTooLarge) return
  const { lines, lineBytes, bytes } = headerLimits
  throw new MailError('mimeInvalid', `A header has ${lines} lines, ${bytes} bytes, ${lineBytes} a line at most.`)
}

/** Of a field that stands twice, readers take the first; so do we, or two readers would see two messages. */
function firstValue(fields: readonly HeaderField[], key: string): string {
  const field = fields.find((candidate) => candidate.key === key)
  return field === undefined ? '' : unfoldedValue(field)
}

function nameFrom(parameter: string | undefined): string | null {
  return orNull(withoutControls(decodeWords(parameter ?? '')))
}

function orNull(text: string): string | null {
  return text === '' ? null : text
}

/** The slices between delimiter lines (RFC 2046 §5.1.1). The line end before a delimiter belongs to the delimiter. */
function splitAtBoundary(body: Buffer, boundary: string, budget: MimeBudget): Buffer[] {
  if (boundary === '') return []
  const delimiter = Buffer.from(`--${boundary}`)
  const slices: Buffer[] = []
  let partStart = -1
  let at = body.indexOf(delimiter)
  while (at !== -1) {
    const line = delimiterLine(body, at, delimiter.length)
    if (line !== undefined) {
      if (partStart !== -1) slices.push(body.subarray(partStart, Math.max(partStart, at - 2)))
      partStart = line.isLast ? -1 : line.end
      if (line.isLast) break
      if (slices.length > budget.parts) throw tooManyParts()
    }
    at = body.indexOf(delimiter, at + delimiter.length)
  }
  // A message cut short still shows its last part.
  if (partStart !== -1 && partStart < body.length) slices.push(body.subarray(partStart))
  return slices
}

/** The delimiter line at `at`, when what stands there is one and not text that begins alike. */
function delimiterLine(body: Buffer, at: number, length: number): { end: number; isLast: boolean } | undefined {
  if (at > 0 && body[at - 1] !== 0x0a) return undefined
  let end = at + length
  const isLast = body[end] === 0x2d && body[end + 1] === 0x2d
  if (isLast) end += 2
  while (body[end] === 0x20 || body[end] === 0x09) end += 1
  if (end < body.length && body[end] !== 0x0d) return undefined
  return { end: Math.min(end + 2, body.length), isLast }
}

/** The bytes that a leaf stands for. Broken encodings are read as far as they make sense. */
export function contentOfPart(part: MimePart): Buffer {
  if (part.transferEncoding === 'base64') return Buffer.from(part.body.toString('latin1'), 'base64')
  if (part.transferEncoding === 'quoted-printable') return decodeQuotedPrintable(part.body)
  return part.body
}

/** The characters of a text leaf; an unknown charset is read as Windows-1252, as browsers do. */
export function textOfPart(part: MimePart): string {
  return decoderFor(part.charset).decode(contentOfPart(part))
}

/** Code pages by the names mail uses and TextDecoder does not know. */
const codePages: Readonly<Record<string, string>> = {
  cp932: 'shift_jis',
  cp936: 'gbk',
  cp949: 'euc-kr',
  cp950: 'big5',
}

function decoderFor(charset: string): TextDecoder {
  // Without a charset it is US-ASCII, of which UTF-8 is the likeliest misuse.
  if (charset === '') return new TextDecoder('utf-8')
  try {
    return new TextDecoder(codePages[charset] ?? charset)
  } catch {
    return new TextDecoder('windows-1252')
  }
}

/** RFC 2045 §6.7. An `=` that begins no escape stays. */
function decodeQuotedPrintable(encoded: Buffer): Buffer {
  const decoded = Buffer.allocUnsafe(encoded.length)
  let length = 0
  let at = 0
  // Where the output ends without the blanks at the end of the line, which were added on the way.
  let visibleEnd = 0
  while (at < encoded.length) {
    const byte = encoded[at] as number
    if (byte === 0x3d) {
      const softEnd = softLineEnd(encoded, at + 1)
      if (softEnd !== -1) {
        at = softEnd
        visibleEnd = length
        continue
      }
      const value = hexValue(encoded[at + 1]) * 16 + hexValue(encoded[at + 2])
      decoded[length++] = Number.isNaN(value) ? byte : value
      at += Number.isNaN(value) ? 1 : 3
      visibleEnd = length
      continue
    }
    if (byte === 0x0d) length = visibleEnd
    decoded[length++] = byte
    if (byte !== 0x20 && byte !== 0x09) visibleEnd = length
    at += 1
  }
  return decoded.subarray(0, length)
}

/** Where the next line begins when only blanks stand between `at` and the end of this one; else -1. */
function softLineEnd(encoded: Buffer, at: number): number {
  let end = at
  while (encoded[end] === 0x20 || encoded[end] === 0x09) end += 1
  if (end >= encoded.length) return encoded.length
  return encoded[end] === 0x0d ? end + 2 : -1
}

function hexValue(byte: number | undefined): number {
  return byte === undefined ? Number.NaN : Number.parseInt(String.fromCharCode(byte), 16)
}
