/** What people do to mail that waits: by hand, beside the worker, which may have some of it under way at that moment. */
import { MailError } from './errors.js'
import type { MessageId } from './ids.js'
import type { Mail } from './mail.js'
import {
  isFinal,
  isToBeTried,
  type OutboxEntry,
  type OutboxRecipient,
  type OutboxWish,
  stateBetweenAttempts,
} from './outbox-entry.js'
import type { MailWriter, QueueFilter, QueuePlace } from './store.js'

export const queueActions = ['retry', 'hold', 'release', 'cancel'] as const

/**
 * `retry`: try again now what waits for its next try. `hold`: not before it is released. `release`: what is held is due
 * now, and no rule holds it again. `cancel`: never; final.
 */
export type QueueAction = (typeof queueActions)[number]

/** How many recipients an action was about. */
export interface QueueOutcome {
  /** It is done. */
  readonly changed: number
  /** An attempt is under way: it will be done when that has ended, of those whom it did not get through to. */
  readonly wished: number
  /** An attempt is under way, and nothing was done. */
  readonly underWay: number
}

/** Entries changed in one write. */
const atOnce = 1_000
/** Times that an entry may change between its being read and written, before it is left alone. */
const maxTries = 8

/** Does the action to every entry of the filter. @throws MailError storeUnavailable */
export async function changeQueue(mail: Mail, filter: QueueFilter, action: QueueAction): Promise<QueueOutcome> {
  const outcome = { changed: 0, wished: 0, underWay: 0 }
  let after: QueuePlace | undefined
  while (true) {
    const entries = await mail.store.outbox.listQueue(filter, atOnce, after)
    after = entries.at(-1)
    if (after === undefined) break
    await changeEntries(mail, entries, action, outcome)
  }
  if (outcome.changed > 0) mail.outboxChanged()
  return outcome
}

type Counts = { -readonly [Key in keyof QueueOutcome]: number }

async function changeEntries(
  mail: Mail,
  entries: readonly OutboxEntry[],
  action: QueueAction,
  outcome: Counts,
): Promise<void> {
  const plans = entries.map((entry) => planOf(entry, action, mail.clock.now()))
  try {
    await mail.store.write((tx) => {
      for (const plan of plans) plan?.write(tx)
    })
    for (const plan of plans) if (plan !== undefined) outcome[plan.counts] += plan.recipients
  } catch (error) {
    if (!isConflict(error)) throw error
    // One of them changed meanwhile; apart, the others get through.
    for (const entry of entries) await changeAlone(mail, entry, action, outcome)
  }
}

async function changeAlone(mail: Mail, entry: OutboxEntry, action: QueueAction, outcome: Counts): Promise<void> {
  let current: OutboxEntry | undefined = entry
  for (let tries = 1; current !== undefined && tries <= maxTries; tries++) {
    const plan = planOf(current, action, mail.clock.now())
    if (plan === undefined) return
    try {
      await mail.store.write((tx) => plan.write(tx))
      outcome[plan.counts] += plan.recipients
      return
    } catch (error) {
      if (!isConflict(error)) throw error
      const { mailbox, message, destination } = entry
      const all = await mail.store.outbox.listByMessage(mailbox, message)
      current = all.find((each) => each.destination === destination)
    }
  }
}

/** What is to be written to an entry, and what it counts as. */
interface Plan {
  readonly counts: keyof QueueOutcome
  readonly recipients: number
  write(tx: MailWriter): void
}

/** @returns undefined when there is nothing to do */
function planOf(entry: OutboxEntry, action: QueueAction, now: number): Plan | undefined {
  const isMeant = (recipient: OutboxRecipient) => concerns(action, recipient)
  const recipients = entry.recipients.filter(isMeant).length
  if (recipients === 0 || entry.state === 'closed') return undefined
  if (entry.state === 'sending') {
    const isWish = action === 'cancel' || action === 'hold'
    return isWish
      ? { counts: 'wished', recipients, write: (tx) => tx.wishOfOutboxEntry(entry, action) }
      : { counts: 'underWay', recipients, write: () => {} }
  }
  const after = entry.recipients.map((recipient) => (isMeant(recipient) ? acted(recipient, action, now) : recipient))
  const dueAt = action === 'retry' || action === 'release' ? now : entry.dueAt
  const to = { state: stateBetweenAttempts(after), dueAt, recipients: after }
  return { counts: 'changed', recipients, write: (tx) => tx.changeOutboxEntry(entry, to) }
}

function concerns(action: QueueAction, { state }: OutboxRecipient): boolean {
  if (action === 'release') return state === 'held'
  return action === 'cancel' ? !isFinal(state) : isToBeTried(state)
}

function acted(recipient: OutboxRecipient, action: QueueAction, at: number): OutboxRecipient {
  switch (action) {
    case 'hold':
      return { ...recipient, state: 'held', reply: 'Held by hand.', at }
    case 'cancel':
      return { ...recipient, state: 'cancelled', reply: 'Cancelled by hand.', at }
    case 'release':
      return { ...recipient, state: 'queued', reply: 'Released by hand.', at, isReleased: true }
    case 'retry':
      return recipient
  }
}

/** The recipients after what somebody wished while an attempt was under way. */
export function withWish(
  recipients: readonly OutboxRecipient[],
  wish: OutboxWish,
  at: number,
): readonly OutboxRecipient[] {
  return recipients.map((recipient) => (concerns(wish, recipient) ? acted(recipient, wish, at) : recipient))
}

/**
 * How people name a message of the queue: by the number that lists show, or by its Message-ID, with or without its angle
 * brackets. undefined for what is neither.
 */
export function readMessageName(name: string): Pick<QueueFilter, 'message' | 'internetMessageId'> | undefined {
  if (/^\d{1,15}$/.test(name)) return { message: Number(name) as MessageId }
  const inner = /^<?([^<>\s]+@[^<>\s]+)>?$/.exec(name)?.[1]
  return inner === undefined ? undefined : { internetMessageId: `<${inner}>` }
}

function isConflict(error: unknown): boolean {
  return error instanceof MailError && error.code === 'conflict'
}
