/** A program registered in a tenant: what may prove to be it, and what it was allowed. */
export interface Application {
  /** Tenant's GUID. */
  readonly tenant: string
  /** Client id: a GUID, lower case; the `appid` of tokens. */
  readonly id: string
  /** Object id of its service principal, which stands in `oid` where it acts as itself. */
  readonly objectId: string
  readonly displayName: string
  /** Whether it may sign users in without a credential of its own: desktop programs, command lines, device codes. */
  readonly isPublicClient: boolean
  /** Where codes may be sent; of loopback addresses any port fits (RFC 8252 §7.3). */
  readonly redirectUris: readonly string[]
  /** Names of the API it offers, beside its client id: `api://...`. */
  readonly identifierUris: readonly string[]
  readonly secrets: readonly ClientSecret[]
  readonly certificates: readonly ClientCertificate[]
  /** Permissions consented to for every user. */
  readonly delegatedPermissions: readonly string[]
  /** Permissions it has without a user, in every mailbox that {@link mailboxPolicies} leave open: the `roles` of its tokens. */
  readonly applicationPermissions: readonly string[]
  /** Application access policies. A mailbox that any denies is closed; where some restrict, it must be in one of those. */
  readonly mailboxPolicies: readonly MailboxPolicy[]
  /** Permissions in some mailboxes alone, as RBAC for applications grants them: in no token, and beside the policies. */
  readonly scopedPermissions: readonly ScopedPermission[]
}

/** What the application must know. Only its hash is kept. */
export interface ClientSecret {
  readonly id: string
  /** Its first characters, by which people tell secrets apart. */
  readonly hint: string
  readonly hash: string
  /** ms since 1970 */
  readonly createdAt: number
  /** ms since 1970; undefined: never. */
  readonly expiresAt: number | undefined
}

/** The public half of a key that the application signs assertions with. */
export interface ClientCertificate {
  readonly pem: string
  /** SHA-1 of the DER, base64url: `x5t`. */
  readonly thumbprint: string
  /** SHA-256 of the DER, base64url: `x5t#S256`. */
  readonly thumbprintSha256: string
  /** ms since 1970 */
  readonly notBefore: number
  readonly notAfter: number
}

/** Members are mailboxes and groups, by address, user principal name or object id, lower case. */
export interface MailboxPolicy {
  readonly access: 'restrict' | 'deny'
  readonly members: readonly string[]
}

export interface ScopedPermission {
  readonly permission: string
  readonly members: readonly string[]
}

/** An application with nothing but its names. */
export function newApplication(
  named: Pick<Application, 'tenant' | 'id' | 'objectId' | 'displayName'> & Partial<Application>,
): Application {
  return {
    isPublicClient: false,
    redirectUris: [],
    identifierUris: [],
    secrets: [],
    certificates: [],
    delegatedPermissions: [],
    applicationPermissions: [],
    mailboxPolicies: [],
    scopedPermissions: [],
    ...named,
  }
}
