import type { MailboxId, MessageId } from './ids.js'

/**
 * What became of one recipient.
 *
 *     queued ──> sending ──> delivered | relayed | captured | failed
 *       │           └──────> delayed ──> sending ...
 *       ├── by a rule or by hand ──> held ── released ──> queued
 *       └── by hand, also when delayed or held ──> cancelled
 *
 * `delivered`: in a mailbox of ours. `relayed`: the next server took it (RFC 3464 §2.3.3). `captured`: nothing may leave
 * this machine, so it was kept and shown. `delayed`: to be tried again. `held`: not before somebody releases it. `failed`
 * and `cancelled`: never. `sending` is a state of the whole entry, of those in it that are queued or delayed.
 */
export type RecipientState =
  | 'queued'
  | 'delivered'
  | 'relayed'
  | 'captured'
  | 'delayed'
  | 'failed'
  | 'held'
  | 'cancelled'

export interface OutboxRecipient {
  readonly address: string
  readonly state: RecipientState
  /** The peer's last words about this recipient, or ours; one line, printable. */
  readonly reply?: string
  /** When the state was last set, ms since 1970. */
  readonly at?: number
  /** Its sender was told that it is late. */
  readonly isWarned?: true
  /** The next server took it upon itself to tell of the delivery (RFC 3461). */
  readonly isNotifiedByPeer?: true
  /** Somebody has released it: no rule holds it again. */
  readonly isReleased?: true
}

/** What somebody wants of an entry whose attempt is under way: done when that has ended, unless it got through. */
export type OutboxWish = 'cancel' | 'hold'

/**
 * One envelope (RFC 5321): a message on its way to one destination. A message to three domains has three entries,
 * so that a slow domain holds nobody else up; one entry is one SMTP transaction, with a fate per recipient.
 */
export interface OutboxEntry {
  readonly mailbox: MailboxId
  readonly message: MessageId
  /** Domain of the recipients, lower case. With mailbox and message the key of the entry. */
  readonly destination: string
  /** Return path, RFC 5321 §4.1.1.2. */
  readonly mailFrom: string
  readonly recipients: readonly OutboxRecipient[]
  /** `held` when nobody is left to be tried and somebody is held, `closed` once every recipient's state is final. */
  readonly state: 'queued' | 'sending' | 'held' | 'closed'
  /** Attempts begun; counted when claimed, so that a crash in the middle still counts. Fences a late worker's result. */
  readonly attempts: number
  /** When a worker may take it: the time of the next try, or the end of the current claim. ms since 1970. */
  readonly dueAt: number
  /** When it was accepted, ms since 1970. */
  readonly createdAt: number
  /** Said while an attempt was under way. */
  readonly wish?: OutboxWish
}

/** A state that no further attempt will change. */
export function isFinal(state: RecipientState): boolean {
  return !isToBeTried(state) && state !== 'held'
}

/** A state that the next attempt is about. */
export function isToBeTried(state: RecipientState): boolean {
  return state === 'queued' || state === 'delayed'
}

/** Where an entry stands between attempts, by its recipients. */
export function stateBetweenAttempts(recipients: readonly OutboxRecipient[]): 'queued' | 'held' | 'closed' {
  if (recipients.some(({ state }) => isToBeTried(state))) return 'queued'
  return recipients.some(({ state }) => state === 'held') ? 'held' : 'closed'
}
