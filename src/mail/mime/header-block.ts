import { toCrlf } from './line-ends.js'
import { decodeWords } from './postal-mime.js'

/** One header field as it stands in a message (RFC 5322 §2.2). */
export interface HeaderField {
  /** As written, without the colon. */
  readonly name: string
  /** Lower case, for comparing. */
  readonly key: string
  /** The whole field, folded as it was, with its line ends. */
  readonly raw: Buffer
}

/** The fields on top of a message or a part, and where what they describe begins. */
export interface HeaderBlock {
  readonly fields: readonly HeaderField[]
  /** Offset of the first byte after the empty line; the length of the text when there is none. */
  readonly bodyStart: number
  /** True when there are more lines, or longer ones, than {@link headerLimits} allows. What is beyond is not read. */
  readonly isTooLarge: boolean
  /** The first line is a field with a usual name: what is not a message does not begin so. */
  readonly beginsWithField: boolean
}

/** Bounds of one header block: lines and bytes of a line as Haraka has them; all of it as 500 recipients with names need. */
export const headerLimits = { lines: 1_000, lineBytes: 16_384, bytes: 262_144 } as const

const fieldName = /^[\x21-\x39\x3b-\x7e]+$/
/** RFC 5322 allows nearly anything, JSON included; no field has ever been called by more than these. */
const usualName = /^[a-z][\w.-]*$/i
const SPACE = 0x20
const TAB = 0x09
const COLON = 0x3a

/**
 * Reads the header block that `text` begins with; every line must end in CRLF. Lines that are no fields (a `From ` line
 * of an mbox file, for instance) are left out, with whatever continues them: sent on, a line without a colon would end
 * the header for some servers.
 */
export function readHeaderBlock(text: Buffer): HeaderBlock {
  const fields: HeaderField[] = []
  let open: { name: string; start: number } | undefined
  let at = 0
  let bodyStart = text.length
  let lineCount = 0
  let isTooLarge = false
  let beginsWithField = false

  const close = (end: number) => {
    if (open !== undefined) {
      fields.push({ name: open.name, key: open.name.toLowerCase(), raw: text.subarray(open.start, end) })
    }
    open = undefined
  }

  while (at < text.length) {
    const end = lineEnd(text, at)
    if (end === at) {
      bodyStart = at + 2
      break
    }
    lineCount += 1
    isTooLarge = lineCount > headerLimits.lines || end - at > headerLimits.lineBytes || end > headerLimits.bytes
    if (isTooLarge) break
    const continues = text[at] === SPACE || text[at] === TAB
    if (!continues) {
      close(at)
      const name = nameOf(text, at, end)
      if (name !== undefined) open = { name, start: at }
      if (lineCount === 1) beginsWithField = name !== undefined && usualName.test(name)
    }
    at = Math.min(end + 2, text.length)
  }
  close(at)
  return { fields, bodyStart, isTooLarge, beginsWithField }
}

/**
 * A message ready to be taken apart: line ends as `toCrlf` makes them, and no empty lines before the first field, which
 * clients leave there when they build the text by hand.
 */
export function messageText(mime: Uint8Array): Buffer {
  const text = toCrlf(mime)
  let start = 0
  while (text[start] === 0x0d && text[start + 1] === 0x0a) start += 2
  return text.subarray(start)
}

function lineEnd(text: Buffer, at: number): number {
  const end = text.indexOf('\r\n', at, 'latin1')
  return end === -1 ? text.length : end
}

function nameOf(text: Buffer, start: number, end: number): string | undefined {
  const colon = text.subarray(start, end).indexOf(COLON)
  if (colon === -1) return undefined
  const name = text.toString('latin1', start, start + colon).trimEnd()
  return fieldName.test(name) ? name : undefined
}

/** The field's value in one line, undecoded; bytes that are not UTF-8 become U+FFFD. */
export function unfoldedValue(field: HeaderField): string {
  const text = field.raw.toString('utf8').replaceAll('\r\n', '')
  return text.slice(text.indexOf(':') + 1).trim()
}

/** The field's value as people read it: RFC 2047 words decoded, and what they may have hidden (CR, LF ...) made a space. */
export function decodedValue(field: HeaderField): string {
  return withoutControls(decodeWords(unfoldedValue(field)))
}

/** Each run of control characters as one space, and none at the ends. */
export function withoutControls(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim()
}
