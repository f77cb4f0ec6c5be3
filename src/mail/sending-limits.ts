/**
 * What Exchange lets one mailbox send: recipients within a day, beyond which it refuses, and messages within a minute,
 * beyond which they wait in the outbox. Counted in this process; what was sent before it started is read from the outbox,
 * so that a restart gives nobody a second day.
 */
import { limitOf, type Settings } from '../config.js'
import { MailError } from './errors.js'
import type { MailboxId } from './ids.js'
import type { Clock } from './mail.js'
import type { OutboxEntry } from './outbox-entry.js'
import type { OutboxStore } from './store.js'

/** Each undefined where there is none. */
export interface SendingBounds {
  /** Within any 24 hours; each recipient of each message counts. */
  readonly recipientsPerDay: number | undefined
  readonly messagesPerMinute: number | undefined
}

/** What Exchange Online documents. */
const exchangeBounds = { recipientsPerDay: 10_000, messagesPerMinute: 30 }

/** The limits that are set; undefined where nothing is limited. */
export function sendingBoundsOf(settings: Settings): SendingBounds | undefined {
  const bounds = {
    recipientsPerDay: limitOf(settings, 'limitRecipientsPerDay', exchangeBounds.recipientsPerDay),
    messagesPerMinute: limitOf(settings, 'limitMessagesPerMinute', exchangeBounds.messagesPerMinute),
  }
  return Object.values(bounds).every((bound) => bound === undefined) ? undefined : bounds
}

/** What a mailbox has sent, for people to look at. */
export interface SendingCounts {
  readonly mailbox: MailboxId
  /** Of the last 24 hours. */
  readonly recipients: number
  /** Messages that wait for their minute. */
  readonly waiting: number
  /** Submissions refused since this began to be counted. */
  readonly refused: number
}

/** A day is counted in pieces of this length, and forgotten piece by piece, ms. */
const countedPieceMs = 600_000
const dayMs = 86_400_000
const minuteMs = 60_000

interface Account {
  readonly mailbox: MailboxId
  /** Recipients by the piece of time, its number since 1970, in which they were sent to. */
  readonly pieces: Map<number, number>
  /** When the last so many messages as go in a minute may go, the oldest first. */
  readonly departures: number[]
  refused: number
}

/** Counts what mailboxes send. */
export class SendingLimits {
  readonly #bounds: SendingBounds
  readonly #outbox: Pick<OutboxStore, 'recipientsSince'>
  readonly #clock: Clock
  readonly #accounts = new Map<MailboxId, Promise<Account>>()
  readonly #opened = new Map<MailboxId, Account>()

  constructor(bounds: SendingBounds, outbox: Pick<OutboxStore, 'recipientsSince'>, clock: Clock) {
    this.#bounds = bounds
    this.#outbox = outbox
    this.#clock = clock
  }

  /**
   * Submits a message when the mailbox may send to so many; what comes to nothing does not count.
   *
   * @param submit told when the message may leave at the earliest, ms since 1970
   * @throws MailError submissionQuotaExceeded; and what `submit` throws
   */
  async within(mailbox: MailboxId, recipients: number, submit: (notBefore: number) => Promise<unknown>): Promise<void> {
    const account = await this.#accountOf(mailbox)
    const now = this.#clock.now()
    this.#requireRoom(account, recipients, now)
    const piece = Math.floor(now / countedPieceMs)
    add(account.pieces, piece, recipients)
    const notBefore = this.#departure(account, now)
    try {
      await submit(notBefore)
    } catch (error) {
      add(account.pieces, piece, -recipients)
      const place = account.departures.lastIndexOf(notBefore)
      if (place !== -1) account.departures.splice(place, 1)
      throw error
    }
  }

  /** Busiest first. */
  counts(limit: number): SendingCounts[] {
    const now = this.#clock.now()
    return [...this.#opened.values()]
      .map(({ mailbox, pieces, departures, refused }) => ({
        mailbox,
        recipients: sumSince(pieces, now),
        waiting: departures.filter((at) => at > now).length,
        refused,
      }))
      .sort((one, other) => other.recipients - one.recipients)
      .slice(0, limit)
  }

  #requireRoom(account: Account, recipients: number, now: number): void {
    const { recipientsPerDay } = this.#bounds
    if (recipientsPerDay === undefined) return
    for (const piece of account.pieces.keys()) if (isOver(piece, now)) account.pieces.delete(piece)
    const sent = sumSince(account.pieces, now)
    if (sent + recipients <= recipientsPerDay) return
    account.refused++
    const waitMs = untilRoom(account.pieces, sent + recipients - recipientsPerDay) - now
    throw new MailError(
      'submissionQuotaExceeded',
      `The mailbox has sent to ${sent} recipients within 24 hours and may send to ${recipientsPerDay}.`,
      { value: String(Math.max(1, Math.ceil(waitMs / 1_000))) },
    )
  }

  #departure(account: Account, now: number): number {
    const { messagesPerMinute } = this.#bounds
    if (messagesPerMinute === undefined) return now
    const { departures } = account
    const before = departures.length < messagesPerMinute ? undefined : departures.at(-messagesPerMinute)
    const at = before === undefined ? now : Math.max(now, before + minuteMs)
    departures.push(at)
    while (departures.length > messagesPerMinute && (departures[0] ?? now) <= now - minuteMs) departures.shift()
    return at
  }

  #accountOf(mailbox: MailboxId): Promise<Account> {
    const known = this.#accounts.get(mailbox)
    if (known !== undefined) return known
    const opening = this.#open(mailbox)
    this.#accounts.set(mailbox, opening)
    opening.catch(() => this.#accounts.delete(mailbox))
    return opening
  }

  async #open(mailbox: MailboxId): Promise<Account> {
    const pieces =
      this.#bounds.recipientsPerDay === undefined
        ? new Map<number, number>()
        : await this.#outbox.recipientsSince(mailbox, this.#clock.now() - dayMs, countedPieceMs)
    const account: Account = { mailbox, pieces, departures: [], refused: 0 }
    this.#opened.set(mailbox, account)
    return account
  }
}

/** Entries that are not tried before a time. */
export function postponed(entries: readonly OutboxEntry[], notBefore: number): readonly OutboxEntry[] {
  return entries.map((entry) => (entry.dueAt < notBefore ? { ...entry, dueAt: notBefore } : entry))
}

function add(pieces: Map<number, number>, piece: number, amount: number): void {
  pieces.set(piece, (pieces.get(piece) ?? 0) + amount)
}

function endOf(piece: number): number {
  return (piece + 1) * countedPieceMs + dayMs
}

function isOver(piece: number, now: number): boolean {
  return endOf(piece) <= now
}

function sumSince(pieces: ReadonlyMap<number, number>, now: number): number {
  let sum = 0
  for (const [piece, count] of pieces) if (!isOver(piece, now)) sum += count
  return sum
}

/** When so many recipients are forgotten; at the end of all that was sent when that is not enough. */
function untilRoom(pieces: ReadonlyMap<number, number>, wanted: number): number {
  let forgotten = 0
  let at = 0
  for (const [piece, count] of [...pieces].sort(([one], [other]) => one - other)) {
    forgotten += count
    at = endOf(piece)
    if (forgotten >= wanted) break
  }
  return at
}
