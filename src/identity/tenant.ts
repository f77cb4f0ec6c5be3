/** An organisation with its own users, mailboxes and applications, cut off from every other. */
export interface Tenant {
  /** GUID, lower case: the `tid` of tokens. */
  readonly id: string
  /** Domain of its sample users. */
  readonly domain: string
  readonly displayName: string
}
