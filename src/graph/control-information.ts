/**
 * Members of an answer that begin with `@odata.`, or hold it behind the name they annotate, are control information. A
 * client can do without: `Accept: application/json;odata.metadata=none` (OData JSON Format 4.0 §3.1).
 */
const asksForNone = /;\s*odata\.metadata=none\b/i

/** What a client needs to go on reading comes all the same. */
const always: ReadonlySet<string> = new Set(['@odata.nextLink', '@odata.deltaLink', '@odata.count'])

/** Whether an `Accept` header wants answers without control information. */
export function wantsNoControlInformation(accept: string | undefined): boolean {
  return accept !== undefined && asksForNone.test(accept)
}

/** The value without it, at any depth. */
export function withoutControlInformation(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutControlInformation)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name]) => !name.includes('@odata.') || always.has(name))
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutControlInformation(member)]))
}
