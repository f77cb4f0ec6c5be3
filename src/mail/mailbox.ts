import type { MailboxId, TenantId } from './ids.js'

/** One owner's folders and messages. */
export interface Mailbox {
  readonly id: MailboxId
  readonly tenant: TenantId
  /** Lower case; stands inside every id that a client sees of this mailbox. */
  readonly guid: string
  /** Object id of the owner: a GUID, lower case. */
  readonly owner: string
  /** As the directory writes it; compared without case. */
  readonly userPrincipalName: string
  /** Primary SMTP address, as the directory writes it; compared without case. */
  readonly address: string
  readonly displayName: string
  /** Settings, overrides or rules of it decide over what arrives; without it nothing of the kind has to be looked up. */
  readonly mindsArrivals?: boolean
}

/** What the owner of a mailbox lets another user do in it, in Exchange's words. */
export type MailboxRight = 'fullAccess' | 'sendAs' | 'sendOnBehalf'

export const mailboxRights: readonly MailboxRight[] = ['fullAccess', 'sendAs', 'sendOnBehalf']
