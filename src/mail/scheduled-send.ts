import type { MailboxId, MessageId } from './ids.js'

/** A draft that is sent at a time; deleting the draft is what cancels it. */
export interface ScheduledSend {
  readonly mailbox: MailboxId
  readonly message: MessageId
  /** ms since 1970 */
  readonly dueAt: number
  /** Whose rights it is sent with. */
  readonly actor: MailboxId
  readonly forOthers: boolean
  readonly saveToSentItems: boolean
}
