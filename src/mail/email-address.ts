import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII, domainToUnicode } from 'node:url'

/** RFC 5321 §4.5.3.1: octets of a local part, and of a path without its brackets, which bounds the domain too. */
const maxLocalPart = 64
const maxAddress = 254
/** RFC 1035 §2.3.4 */
const maxLabel = 63

/** Characters of an atom beside letters and digits, RFC 5322 §3.2.3, and the dot between atoms. */
const atomSpecials = new Set("!#$%&'*+-/=?^_`{|}~.")

/** What nearly every address looks like; the test of what is not is the long way. */
const usualAddress = /^[a-z0-9]+(?:[._+-][a-z0-9]+)*@(?:[a-z0-9]{1,63}\.)+[a-z0-9]{1,63}$/i

/**
 * Whether mail can be sent to it: one Mailbox as RFC 5321 §4.1.2 and RFC 6531 §3.3 write it. Looked at character by
 * character, once; nothing is searched for in free text, so `a@x;b@y` is not two addresses but none.
 */
export function isDeliverableAddress(address: string): boolean {
  if (address.length <= maxLocalPart && usualAddress.test(address)) return true
  const at = address.lastIndexOf('@')
  if (at <= 0 || at === address.length - 1) return false
  if (address.length > maxAddress || Buffer.byteLength(address) > maxAddress) return false
  const local = address.slice(0, at)
  const domain = address.slice(at + 1)
  return isLocalPart(local) && (domain.startsWith('[') ? isAddressLiteral(domain) : isDomain(domain))
}

function isLocalPart(local: string): boolean {
  if (Buffer.byteLength(local) > maxLocalPart) return false
  if (local.startsWith('"')) return isQuotedString(local)
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..')) return false
  for (const character of local) {
    if (!isLetterOrDigit(character) && !atomSpecials.has(character)) return false
  }
  return true
}

/** RFC 5321 §4.1.2: everything printable, blanks too; an empty one is allowed there, and nobody's. */
function isQuotedString(local: string): boolean {
  if (local.length < 3 || !local.endsWith('"')) return false
  let isEscaped = false
  for (const character of local.slice(1, -1)) {
    if (!isEscaped && character === '"') return false
    if (character < ' ' || (character >= '\u007f' && !isLetterOrDigit(character))) return false
    isEscaped = !isEscaped && character === '\\'
  }
  // An escape stands for the character after it, which may not be the closing quote.
  return !isEscaped
}

function isDomain(domain: string): boolean {
  return isHostName(Buffer.byteLength(domain) === domain.length ? domain : asciiForm(domain))
}

/**
 * The form in which a name beyond ASCII is looked up (RFC 5890); '' unless it is the same name when written back. What is
 * only mapped to a name (wide dots and digits, ligatures) would be one domain to routing and another to the lookup.
 */
function asciiForm(domain: string): string {
  const ascii = domainToASCII(domain)
  return domainToUnicode(ascii) === domain.normalize('NFC').toLowerCase() ? ascii : ''
}

/** Labels of letters, digits and hyphens, and underscores, which hosts of test networks have. */
function isHostName(name: string): boolean {
  return name.split('.').every(isLabel)
}

function isLabel(label: string): boolean {
  if (label === '' || label.length > maxLabel || label.startsWith('-') || label.endsWith('-')) return false
  for (const character of label) {
    if (!isLetterOrDigit(character) && character !== '-' && character !== '_') return false
  }
  return true
}

/** `[192.0.2.1]`, `[IPv6:2001:db8::1]` */
function isAddressLiteral(domain: string): boolean {
  if (!domain.endsWith(']')) return false
  const literal = domain.slice(1, -1)
  if (isIPv4(literal)) return true
  // A zone (`%eth0`) means something on one host only.
  return /^IPv6:/i.test(literal) && isIPv6(literal.slice(5)) && !literal.includes('%')
}

/** A letter, a digit, or anything beyond ASCII that is neither a space nor a control nor half a character. */
function isLetterOrDigit(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x80) {
    return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
  }
  return !/[\p{C}\p{Z}]/u.test(character)
}
