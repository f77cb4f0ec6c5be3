/**
 * Microsoft Graph permissions of mail, and which includes which. A route names the weakest permission that admits it;
 * a caller that holds a stronger one is admitted too. Sending stands apart: no read or write permission includes it.
 *
 * @see https://learn.microsoft.com/graph/permissions-reference
 */
export type Permission = 'Mail.ReadBasic' | 'Mail.Read' | 'Mail.ReadWrite' | 'Mail.Send' | 'Graphpost.Admin'

/** Permission → every granted permission, delegated or application, that admits what it admits. */
const admittedBy: Record<Permission, readonly string[]> = {
  'Mail.ReadBasic': ['Mail.ReadBasic', 'Mail.ReadBasic.All', 'Mail.Read', 'Mail.ReadWrite'],
  'Mail.Read': ['Mail.Read', 'Mail.ReadWrite'],
  'Mail.ReadWrite': ['Mail.ReadWrite'],
  'Mail.Send': ['Mail.Send'],
  // Ours: the admin API, which Graph does not have.
  'Graphpost.Admin': ['Graphpost.Admin'],
}

const admittedByInLowerCase = new Map<string, readonly string[]>(
  Object.entries(admittedBy).map(([needed, names]) => [needed, names.map((name) => name.toLowerCase())]),
)

/** Whether what was granted admits what is needed. Names are compared without case, as `scp` is read in the field. */
export function admits(granted: ReadonlySet<string>, needed: Permission): boolean {
  for (const permission of admittedByInLowerCase.get(needed) ?? []) if (granted.has(permission)) return true
  return false
}

/** The granted names as {@link admits} compares them. */
export function grantedSet(names: Iterable<string>): ReadonlySet<string> {
  return new Set([...names].map((name) => name.toLowerCase()))
}

/** For a refusal's explanation: "Mail.Read or Mail.ReadWrite". */
export function admittingPermissions(needed: Permission): string {
  return admittedBy[needed].join(' or ')
}
