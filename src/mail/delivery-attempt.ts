import type { MailboxId, MessageId } from './ids.js'

/** What was said in one attempt to hand an envelope to another server. */
export interface DeliveryAttempt {
  readonly mailbox: MailboxId
  readonly message: MessageId
  readonly destination: string
  /** Its number, the first is 1. */
  readonly attempt: number
  /** When it ended, ms since 1970. */
  readonly at: number
  readonly durationMs: number
  /** `name [address]:port` of the server; undefined when none was reached. */
  readonly peer?: string
  /** `TLSv1.3`; undefined when the mail went in the clear, or not at all. */
  readonly tls?: string
  /** `C: MAIL FROM:<...>`, `S: 250 OK`: without credentials and without the message; bounded. */
  readonly dialogue: readonly string[]
  /** The end of it for people: what each recipient was told. */
  readonly replies: readonly { readonly address: string; readonly reply: string }[]
}

/** Attempts of one envelope that are kept: the first ones, and the latest. */
const keptFirst = 3
const keptLatest = 12

/** The place an attempt is kept in: a late one takes that of one long gone, so that their number is bounded. */
export function slotOf(attempt: number): number {
  return attempt <= keptFirst ? attempt : keptFirst + 1 + ((attempt - keptFirst - 1) % keptLatest)
}
