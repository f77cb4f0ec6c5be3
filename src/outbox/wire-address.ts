import { domainToASCII } from 'node:url'

/** RFC 5321 §4.1.2 `Mailbox`, loosely, but nothing that could end the command or add to it. */
const carriable = /^(?:"(?:[^"\\<>\p{Cc}]|\\[^<>\p{Cc}])*"|[^\s"<>@\p{Cc}]+)@[^\s"<>@\p{Cc}]+$/u

/** Empty stands for nobody: the return path of automatic mail (RFC 5321 §4.5.5). */
export function wireSender(address: string): string | undefined {
  return address === '' ? '' : wireAddress(address)
}

/** An address as it stands in a command; a domain with letters of other scripts as A-labels (RFC 5890). */
export function wireAddress(address: string): string | undefined {
  if (!carriable.test(address)) return undefined
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  const ascii = /^[\x21-\x7e]+$/.test(domain) ? domain : domainToASCII(domain)
  return ascii === '' ? undefined : `${address.slice(0, at)}@${ascii}`
}

/** Of an address that is {@link carriable}. */
export function isPrintableAscii(address: string): boolean {
  return !/[^\x20-\x7e]/.test(address)
}
