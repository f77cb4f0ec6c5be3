import type { IdSequence } from './ids.js'
import type { SendingLimits } from './sending-limits.js'
import type { MailStore } from './store.js'

/** Where time comes from. Tests move it. */
export interface Clock {
  /** ms since 1970 UTC */
  now(): number
}

/** Where chance comes from. */
export interface Random {
  bytes(count: number): Buffer
  /** RFC 9562 version 4, lower case. */
  uuid(): string
}

export interface MailLimits {
  /** To, Cc and Bcc together. Graph: 500. */
  readonly maxRecipients: number
  /** Own `x-` headers of one message. Graph: 5. */
  readonly maxInternetMessageHeaders: number
  /** Of one message with its attachments, bytes. */
  readonly maxMessageBytes: number
}

/** What every operation on mail touches; handed over as the first argument. */
export interface Mail {
  readonly store: MailStore
  readonly clock: Clock
  readonly random: Random
  readonly ids: IdSequence
  readonly limits: MailLimits
  /** Undefined: a mailbox may send as much as it likes. */
  readonly sendingLimits?: SendingLimits | undefined
  /** Host name in the Message-IDs we make, RFC 5322 §3.6.4. */
  readonly hostname: string
  /** Called after a commit that put something into the outbox: whoever delivers may look at once. */
  readonly outboxChanged: () => void
}
