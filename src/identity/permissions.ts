/**
 * Microsoft Graph permissions of mail, and which includes which. A route names the weakest permission that admits it;
 * a caller that holds a stronger one is admitted too. Sending stands apart: no read or write permission includes it.
 *
 * @see https://learn.microsoft.com/graph/permissions-reference
 */
export type Permission =
  | 'Mail.ReadBasic'
  | 'Mail.Read'
  | 'Mail.ReadWrite'
  | 'Mail.Send'
  | 'MailboxSettings.Read'
  | 'MailboxSettings.ReadWrite'
  | 'User.Read'
  | 'User.ReadBasic.All'
  | 'Graphpost.Admin'

/** Which granted permissions admit what one admits. */
interface PermissionRow {
  /** Held by a signed-in user: in what is theirs. */
  readonly delegated: readonly string[]
  /** Held by a signed-in user: in a mailbox of another that is shared with them. */
  readonly shared: readonly string[]
  /** Held by an application without a user. */
  readonly application: readonly string[]
}

const admittedBy: Record<Permission, PermissionRow> = {
  'Mail.ReadBasic': {
    delegated: [
      'Mail.ReadBasic',
      'Mail.Read',
      'Mail.ReadWrite',
      'Mail.ReadBasic.Shared',
      'Mail.Read.Shared',
      'Mail.ReadWrite.Shared',
    ],
    shared: ['Mail.ReadBasic.Shared', 'Mail.Read.Shared', 'Mail.ReadWrite.Shared'],
    application: ['Mail.ReadBasic', 'Mail.ReadBasic.All', 'Mail.Read', 'Mail.ReadWrite'],
  },
  'Mail.Read': {
    delegated: ['Mail.Read', 'Mail.ReadWrite', 'Mail.Read.Shared', 'Mail.ReadWrite.Shared'],
    shared: ['Mail.Read.Shared', 'Mail.ReadWrite.Shared'],
    application: ['Mail.Read', 'Mail.ReadWrite'],
  },
  'Mail.ReadWrite': {
    delegated: ['Mail.ReadWrite', 'Mail.ReadWrite.Shared'],
    shared: ['Mail.ReadWrite.Shared'],
    application: ['Mail.ReadWrite'],
  },
  'Mail.Send': {
    delegated: ['Mail.Send', 'Mail.Send.Shared'],
    shared: ['Mail.Send.Shared'],
    application: ['Mail.Send'],
  },
  // Without a `.Shared` sibling: a user sets up their own mailbox alone.
  'MailboxSettings.Read': {
    delegated: ['MailboxSettings.Read', 'MailboxSettings.ReadWrite'],
    shared: [],
    application: ['MailboxSettings.Read', 'MailboxSettings.ReadWrite'],
  },
  'MailboxSettings.ReadWrite': {
    delegated: ['MailboxSettings.ReadWrite'],
    shared: [],
    application: ['MailboxSettings.ReadWrite'],
  },
  'User.Read': {
    delegated: ['User.Read', 'User.ReadWrite', ...readsUsers(['User.ReadBasic.All'])],
    shared: readsUsers(['User.ReadBasic.All']),
    application: readsUsers([]),
  },
  'User.ReadBasic.All': {
    delegated: readsUsers(['User.ReadBasic.All']),
    shared: readsUsers(['User.ReadBasic.All']),
    application: readsUsers([]),
  },
  // Ours: the admin API, which Graph does not have. Of applications alone: users consent to scopes on their own.
  'Graphpost.Admin': {
    delegated: [],
    shared: [],
    application: ['Graphpost.Admin'],
  },
}

function readsUsers(more: readonly string[]): string[] {
  return [...more, 'User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All']
}

/** Every permission that this server knows what to do with, as consent is asked for. */
export const knownPermissions: readonly string[] = [
  ...new Set(Object.values(admittedBy).flatMap(({ delegated, application }) => [...delegated, ...application])),
]

/** Permissions that users cannot consent to: an administrator does, by granting them to the application. */
const adminOnly: ReadonlySet<string> = new Set([...readsUsers([]), 'Graphpost.Admin'].map((name) => name.toLowerCase()))

export function needsAdministrator(permission: string): boolean {
  return adminOnly.has(permission.toLowerCase())
}

/** As whom, and where, a permission is used. */
export type PermissionUse = keyof PermissionRow

const inLowerCase = new Map(
  Object.entries(admittedBy).map(([needed, row]): [string, PermissionRow] => [
    needed,
    { delegated: lower(row.delegated), shared: lower(row.shared), application: lower(row.application) },
  ]),
)

function lower(names: readonly string[]): string[] {
  return names.map((name) => name.toLowerCase())
}

/** Whether what was granted admits what is needed. Names are compared without case, as `scp` is read in the field. */
export function admits(granted: ReadonlySet<string>, needed: Permission, use: PermissionUse): boolean {
  for (const permission of inLowerCase.get(needed)?.[use] ?? []) if (granted.has(permission)) return true
  return false
}

/** The granted names as {@link admits} compares them. */
export function grantedSet(names: Iterable<string>): ReadonlySet<string> {
  return new Set([...names].map((name) => name.toLowerCase()))
}

/** For a refusal's explanation: "Mail.Read or Mail.ReadWrite". */
export function admittingPermissions(needed: Permission, use: PermissionUse): string {
  return admittedBy[needed][use].join(' or ')
}
