/** Someone of a tenant with a mailbox: a person who signs in, or a shared mailbox, which nobody does. */
export interface User {
  /** Tenant's GUID. */
  readonly tenant: string
  /** Object id: a GUID, lower case; the `oid` of tokens. */
  readonly id: string
  readonly userPrincipalName: string
  readonly displayName: string
  /** Primary SMTP address. */
  readonly mail: string
  readonly kind: UserKind
  /** As `hashSecret` made it; undefined: no password of their own. */
  readonly passwordHash: string | undefined
}

export type UserKind = 'user' | 'shared'
