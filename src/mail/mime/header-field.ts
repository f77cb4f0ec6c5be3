import { domainToASCII } from 'node:url'
import type { EmailAddress } from '../message.js'
import { withoutControls } from './header-block.js'

/**
 * Writes header fields (RFC 5322 §2.2, RFC 2047). The one place where a value from outside becomes a header line: no
 * value can end its line, start another field or be read as another recipient, whatever it holds.
 *
 * A field comes back folded, without the CRLF at its end. Lines are ASCII, save for addresses that are not (RFC 6532),
 * and at most 998 bytes.
 */

/** What folding aims at, RFC 5322 §2.1.1. */
const preferredLineLength = 76
/** A word longer than this could not be folded into lines of 998 bytes; encoded, it can. */
const maxWordLength = 900
/** Bytes in one encoded word, so that it fits into a line of 76 after a short field name. */
const encodedWordBytes = 39

/** Printable ASCII words with one space between them: comes out of folding and unfolding as it went in. */
const plainText = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/
const atoms = /^[\w!#$%&'*+\-/=?^`{|}~]+(?: [\w!#$%&'*+\-/=?^`{|}~]+)*$/
const printableAscii = /^[\x20-\x7e]*$/

/** A field of free text, such as `Subject`. Controls become spaces; what is not plain ASCII is encoded (RFC 2047). */
export function textField(name: string, value: string): string {
  return fold(name, textWords(withoutControls(value)))
}

/** A field of addresses, such as `To`; see {@link addressWords} for one that is none. */
export function addressField(name: string, addresses: readonly EmailAddress[]): string {
  const last = addresses.length - 1
  return fold(
    name,
    addresses.flatMap((address, index) => {
      const words = addressWords(address)
      return index === last ? words : [...words.slice(0, -1), `${words.at(-1)},`]
    }),
  )
}

/** A field of message ids, such as `References`: each in angle brackets, and only what a msg-id may hold. */
export function messageIdField(name: string, ids: string): string {
  return fold(name, messageIdsOf(ids))
}

/** The message ids in a text, each in angle brackets, in order. */
export function messageIdsOf(text: string): string[] {
  return text
    .split(/[\s<>]+/)
    .map((id) => id.replace(/[^\x21-\x7e]+/g, ''))
    .filter((id) => id !== '' && id.length <= maxWordLength)
    .map((id) => `<${id}>`)
}

/**
 * A field whose value is a structure of its own, such as `List-Unsubscribe`, and so cannot be encoded: only printable
 * ASCII passes. undefined when what is left cannot be folded into lines a server accepts.
 */
export function structuredField(name: string, value: string): string | undefined {
  const words = value
    .replace(/[^\x20-\x7e]+/g, ' ')
    .split(' ')
    .filter((word) => word !== '')
  if (words.length === 0 || words.some((word) => word.length > maxWordLength)) return undefined
  return fold(name, words)
}

function textWords(value: string): string[] {
  if (value === '') return []
  return isFoldable(value, plainText) ? value.split(' ') : encodedWords(value)
}

/** `=?` is encoded too: a reader must not decode what the author wrote. */
function isFoldable(value: string, pattern: RegExp): boolean {
  return pattern.test(value) && !value.includes('=?') && !value.split(' ').some((word) => word.length > maxWordLength)
}

/** RFC 2047 words, base64; no character is split between two. */
function encodedWords(value: string): string[] {
  const words: string[] = []
  let chunk = ''
  let chunkBytes = 0
  for (const character of value) {
    const bytes = Buffer.byteLength(character)
    if (chunkBytes + bytes > encodedWordBytes) {
      words.push(encodedWord(chunk))
      chunk = ''
      chunkBytes = 0
    }
    chunk += character
    chunkBytes += bytes
  }
  words.push(encodedWord(chunk))
  return words
}

function encodedWord(text: string): string {
  return `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`
}

/**
 * `name <address>`; without a name the address stands for it, as Exchange writes it. Something that is not an address
 * is shown as a group without members (`"...":;`), which names it and sends nothing anywhere.
 */
function addressWords({ name, address }: EmailAddress): string[] {
  const spec = addressSpec(address)
  const shown = withoutControls(name ?? '')
  if (spec === undefined) {
    const words = phrase(shown === '' ? withoutControls(address) : shown)
    return [...words.slice(0, -1), `${words.at(-1)}:;`]
  }
  return [...phrase(shown === '' ? spec : shown), `<${spec}>`]
}

function phrase(text: string): string[] {
  if (isFoldable(text, atoms)) return text.split(' ')
  const isQuotable = printableAscii.test(text) && !text.includes('=?') && text.length <= maxWordLength / 2
  return isQuotable ? [`"${escapeQuoted(text)}"`] : encodedWords(text)
}

function escapeQuoted(text: string): string {
  return text.replace(/["\\]/g, '\\$&')
}

const localCharacter = "[\\w!#$%&'*+\\-/=?^`{|}~\\u0080-\\u{10ffff}]"
const dotAtom = new RegExp(`^${localCharacter}+(?:\\.${localCharacter}+)*$`, 'u')
/** As some providers gave them out before they knew better: `a..b`, `a.`. */
const stray = new RegExp(`^(?:${localCharacter}|\\.)+$`, 'u')
const quotedString = /^"(?:[^"\\\p{Cc}]|\\[^\p{Cc}])*"$/u
const domainName = /^[\w\-\u0080-\u{10ffff}]+(?:\.[\w\-\u0080-\u{10ffff}]+)*\.?$/u
const domainLiteral = /^\[[\x21-\x5a\x5e-\x7e]*\]$/

/**
 * The address as RFC 5322 §3.4.1 and RFC 6532 write it, so that it can be read in one way only: a local part with stray
 * dots is quoted, a domain gets its ASCII form unless the local part needs UTF-8 anyway. undefined for what is none.
 */
function addressSpec(address: string): string | undefined {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at)
  const domain = address.slice(at + 1)
  if (at < 1 || address.length > maxWordLength || address !== withoutControls(address)) return undefined
  const isWritten = dotAtom.test(local) || quotedString.test(local)
  if (!isWritten && !stray.test(local)) return undefined
  const localPart = isWritten ? local : `"${local}"`
  if (domainLiteral.test(domain)) return `${localPart}@${domain}`
  if (!domainName.test(domain)) return undefined
  const ascii = printableAscii.test(domain) || !printableAscii.test(local) ? domain : domainToASCII(domain)
  return ascii === '' ? undefined : `${localPart}@${ascii}`
}

/** Lines of at most 76 characters where the words allow it; each break stands before a word, never inside one. */
function fold(name: string, words: readonly string[]): string {
  let text = `${name}:`
  let lineLength = text.length
  for (const word of words) {
    if (lineLength + 1 + word.length > preferredLineLength) {
      text += '\r\n'
      lineLength = 0
    }
    text += ` ${word}`
    lineLength += 1 + word.length
  }
  return text
}
