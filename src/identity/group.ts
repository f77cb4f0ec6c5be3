/** Users under one name: a way to say which mailboxes an application may reach. */
export interface Group {
  readonly tenant: string
  /** Object id: a GUID, lower case. */
  readonly id: string
  /** Its mail address, by which it is named. */
  readonly address: string
  readonly displayName: string
  /** Object ids of users. */
  readonly members: readonly string[]
}
