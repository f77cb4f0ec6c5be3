/**
 * Tells addresses apart: `contoso.com` is every address of that domain, `*.contoso.com` of every domain below it,
 * `ada@contoso.com` that one, `*` all.
 */
export type AddressPattern = string

/** What a pattern may look like; the same in the schema of routes. */
export const addressPatternText = '^(\\*|(\\*\\.|[^\\s@,*]+@)?[^\\s@,*]+)$'

/** Whether the address is one of those; nothing is one of none. */
export function matchesAny(address: string, patterns: readonly AddressPattern[]): boolean {
  const wanted = address.toLowerCase()
  const domain = wanted.slice(wanted.lastIndexOf('@') + 1)
  return patterns.some((pattern) => matches(wanted, domain, pattern.toLowerCase()))
}

function matches(address: string, domain: string, pattern: string): boolean {
  if (pattern === '*') return true
  if (pattern.startsWith('*.')) return domain.endsWith(pattern.slice(1)) && domain.length >= pattern.length
  return pattern === (pattern.includes('@') ? address : domain)
}
