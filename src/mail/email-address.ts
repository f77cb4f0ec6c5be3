/** RFC 5321 §4.5.3.1: octets of a local part, of a domain, of a path without its brackets. */
const maxLocalPart = 64
const maxDomain = 255
const maxAddress = 254
/** RFC 1035 §2.3.4 */
const maxLabel = 63

/** Characters of an atom beside letters and digits, RFC 5322 §3.2.3, and the dot between atoms. */
const atomSpecials = new Set("!#$%&'*+-/=?^_`{|}~.")

/**
 * Whether mail can be sent to it: one Mailbox as RFC 5321 §4.1.2 and RFC 6531 §3.3 write it. Looked at character by
 * character, once; nothing is searched for in free text, so `a@x;b@y` is not two addresses but none.
 */
export function isDeliverableAddress(address: string): boolean {
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
    if (!isWordCharacter(character) && !atomSpecials.has(character)) return false
  }
  return true
}

function isQuotedString(local: string): boolean {
  if (local.length < 3 || !local.endsWith('"')) return false
  for (let index = 1; index < local.length - 1; index++) {
    const character = local.charAt(index)
    if (character === '"' || character < ' ' || character === '\u007f') return false
    // An escape stands for the character after it, which may not be the closing quote.
    if (character === '\\' && ++index === local.length - 1) return false
  }
  return true
}

function isDomain(domain: string): boolean {
  if (domain.length > maxDomain) return false
  return domain.split('.').every(isLabel)
}

function isLabel(label: string): boolean {
  if (label === '' || label.length > maxLabel || label.startsWith('-') || label.endsWith('-')) return false
  for (const character of label) {
    if (!isWordCharacter(character) && character !== '-' && character !== '_') return false
  }
  return true
}

/** `[192.0.2.1]`, `[IPv6:2001:db8::1]` */
function isAddressLiteral(domain: string): boolean {
  return /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]{2,45})\]$/.test(domain)
}

/** A letter, a digit, or anything beyond ASCII that is neither a space nor a control nor half a character. */
function isWordCharacter(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x80) {
    return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
  }
  return !/[\s\p{C}\p{Z}]/u.test(character)
}
