import type { Address, Mailbox } from 'postal-mime'
import type { EmailAddress } from '../message.js'
import { withoutControls } from './header-block.js'
import { addressParser } from './postal-mime.js'

/**
 * The mailboxes of an address field (RFC 5322 §3.4), those inside groups too, names decoded. Something that is no
 * mailbox comes back with its text as the address, so that submission refuses it by name rather than leave somebody
 * out in silence.
 *
 * @param value the field's value, unfolded but not decoded: decoding first would let a name become an address
 */
export function parseAddresses(value: string): EmailAddress[] {
  return addressParser(value)
    .flatMap(mailboxesOf)
    .map((mailbox) => emailAddress(mailbox, value.includes('"')))
    .filter(({ address }) => address !== '')
}

function mailboxesOf(address: Address): Mailbox[] {
  return address.group ?? [address]
}

function emailAddress(mailbox: Mailbox, hasQuotes: boolean): EmailAddress {
  const name = withoutControls(mailbox.name)
  const address = withoutControls(mailbox.address)
  if (address === '') return { address: name }
  const spec = hasQuotes ? requoted(address) : address
  return name === '' || name === address ? { address: spec } : { name, address: spec }
}

/** The parser drops the quotes of a quoted local part, without which `"a@b c"@d` would be another address. */
function requoted(address: string): string {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at)
  return at < 1 || !/["(),:;<>@[\\\]\s]/.test(local) || local.startsWith('"')
    ? address
    : `"${local.replace(/["\\]/g, '\\$&')}"${address.slice(at)}`
}
