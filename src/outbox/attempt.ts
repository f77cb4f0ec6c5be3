/**
 * One delivery attempt: a claimed entry in, each recipient's fate recorded. A fate is recorded in the same write as
 * what brought it about where that is ours to write (a local delivery happens exactly once), and right after the
 * answer where it is not (SMTP); see the promise in `docs/architecture.md`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { deliverLocally, inboxCopy } from '../mail/deliver.js'
import { MailError } from '../mail/errors.js'
import type { Mail } from '../mail/mail.js'
import { noFolder } from '../mail/mail-folder.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Message } from '../mail/message.js'
import { isFinal, type OutboxEntry, type OutboxRecipient } from '../mail/outbox-entry.js'
import type { MailWriter } from '../mail/store.js'
import { outcomeOf } from './outcome.js'
import { nextAttemptAt, type RetrySchedule } from './retry-schedule.js'
import { capturedReply, routeRecipients } from './route.js'
import { SlotsClosed, type Slots } from './slots.js'
import type { RecipientReply, Relay } from './smtp.js'

/** Structured lines, as pino takes them. */
export interface OutboxLog {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** What an attempt can use to get mail out. */
export interface Means {
  /** The next server, and the right to use one of its connections. */
  readonly next: { readonly relay: Relay; readonly slots: Slots } | undefined
  readonly schedule: RetrySchedule
  readonly log: OutboxLog
  /** Ends the waiting for a store that refuses. */
  readonly stop: AbortSignal
}

/** An entry under delivery, and what is on disk about it. */
interface Attempt {
  readonly mail: Mail
  readonly means: Means
  readonly entry: OutboxEntry
  recorded: readonly OutboxRecipient[]
}

/**
 * Delivers what can be delivered of a claimed entry. Nothing is thrown: what could not be recorded is left to the end
 * of the claim, and somebody else's claim to them.
 *
 * @param mailboxes mailboxes of ours among the recipients, by lower-case address
 */
export async function attemptDelivery(
  mail: Mail,
  means: Means,
  entry: OutboxEntry,
  mailboxes: Promise<ReadonlyMap<string, Mailbox>>,
): Promise<void> {
  const attempt: Attempt = { mail, means, entry, recorded: entry.recipients }
  try {
    await deliver(attempt, await mailboxes)
  } catch (error) {
    await postponeForOwnTrouble(attempt, error).catch((reason) => notRecorded(attempt, reason))
  }
}

/** Puts an entry back that was claimed and not begun. */
export async function giveBack(mail: Mail, means: Means, entry: OutboxEntry): Promise<void> {
  const attempt: Attempt = { mail, means, entry, recorded: entry.recipients }
  await queueAgain(attempt, entry.recipients).catch((reason) => notRecorded(attempt, reason))
}

async function deliver(attempt: Attempt, mailboxes: ReadonlyMap<string, Mailbox>): Promise<void> {
  const { mail, means, entry } = attempt
  const open = entry.recipients.filter(({ state }) => !isFinal(state))
  const message = await mail.store.messages.find(entry.mailbox, entry.message)
  if (message === undefined) {
    const fate = { state: 'failed', reply: 'The message is no longer there.' } as const
    return record(attempt, withFate(entry.recipients, open, fate, mail.clock.now()), 'closed')
  }

  const bodyPreview = message.bodyPreview ?? bodyPreviewOf(message.content.body)
  const noted = notePreview(attempt, message, bodyPreview)
  const { local, relay, capture } = routeRecipients(open, { mailboxes, hasRelay: means.next !== undefined })
  const captured = { state: 'captured', reply: capturedReply } as const
  let recipients = withFate(entry.recipients, capture, captured, mail.clock.now())

  // One mailbox after the other: each write says which recipients have it by now, and a write touches one mailbox.
  for (const [index, group] of local.entries()) {
    const copy = inboxCopy(mail, message, group.mailbox, { headers: transportHeadersOf(message), bodyPreview })
    const delivered = { state: 'delivered', reply: `In the Inbox of ${group.mailbox.address}.` } as const
    recipients = withFate(recipients, group.recipients, delivered, copy.receivedAt)
    const more = index + 1 < local.length || relay.length > 0
    await record(attempt, recipients, more ? 'sending' : 'closed', (tx) => deliverLocally(tx, message, copy))
  }
  if (means.next !== undefined && relay.length > 0) await relayTo(attempt, means.next, message, recipients, relay)
  else if (local.length === 0) await record(attempt, recipients, 'closed')
  await noted
}

/** The preview of the sender's own row: worked out here, off the path of the call that sent the message. */
async function notePreview({ mail, means }: Attempt, message: Message, bodyPreview: string): Promise<void> {
  if (message.bodyPreview !== undefined || message.folder === noFolder) return
  try {
    await mail.store.write((tx) => tx.setBodyPreview(message.mailbox, message.id, bodyPreview))
  } catch (error) {
    means.log.warn({ err: error, message: message.id }, 'a preview was not kept')
  }
}

async function relayTo(
  attempt: Attempt,
  { relay, slots }: NonNullable<Means['next']>,
  message: Message,
  recipients: readonly OutboxRecipient[],
  wanted: readonly OutboxRecipient[],
): Promise<void> {
  const { mail, means, entry } = attempt
  const envelope = { mailFrom: entry.mailFrom, recipients: wanted.map(({ address }) => address) }
  let replies: RecipientReply[] | undefined
  try {
    replies = await slots.run(async () => {
      // The wait for a slot was long: by the end of a slow transaction the claim could be somebody else's.
      if (mail.clock.now() + relay.transactionMs > entry.dueAt) return undefined
      return relay.send(envelope, await contentOf(mail, message))
    })
  } catch (error) {
    if (!(error instanceof SlotsClosed)) throw error
  }
  if (replies === undefined) return queueAgain(attempt, recipients)

  const now = mail.clock.now()
  const retryAt = nextAttempt(attempt, means.schedule, now)
  for (const reply of replies) {
    recipients = withFate(recipients, [reply], fateOf(reply, retryAt), now)
  }
  await (retryAt !== undefined && recipients.some(({ state }) => !isFinal(state))
    ? record(attempt, recipients, 'queued', undefined, retryAt)
    : record(attempt, recipients, 'closed'))
  logReplies(attempt, replies)
}

function nextAttempt({ mail, entry }: Attempt, schedule: RetrySchedule, now: number): number | undefined {
  const chance = mail.random.bytes(4).readUInt32LE() / 2 ** 32
  return nextAttemptAt(schedule, { attempts: entry.attempts, createdAt: entry.createdAt, now, chance })
}

type Fate = Required<Pick<OutboxRecipient, 'state' | 'reply'>>

function fateOf({ reply, remark }: RecipientReply, retryAt: number | undefined): Fate {
  const outcome = outcomeOf(reply)
  return outcome === 'delayed' && retryAt === undefined
    ? { state: 'failed', reply: oneLine(`Given up. The last attempt: ${remark}`) }
    : { state: outcome, reply: remark }
}

/** The recipients, those with one of the addresses marked with their fate. */
function withFate(
  recipients: readonly OutboxRecipient[],
  marked: readonly { readonly address: string }[],
  fate: Fate,
  at: number,
): readonly OutboxRecipient[] {
  if (marked.length === 0) return recipients
  const addresses = new Set(marked.map(({ address }) => address))
  return recipients.map((recipient) =>
    addresses.has(recipient.address) && !isFinal(recipient.state) ? { ...recipient, ...fate, at } : recipient,
  )
}

/** Back into the queue as it is, due at once: the attempt did not begin. */
function queueAgain(attempt: Attempt, recipients: readonly OutboxRecipient[]): Promise<void> {
  return record(attempt, recipients, 'queued', undefined, attempt.mail.clock.now())
}

/** First waits after trouble of our own: a database that restarts is back in seconds. */
const ownTroubleDelaysMs = [5_000, 30_000] as const

/** Whatever went wrong here says nothing about the mail; it is tried again, and given up no sooner than any other. */
async function postponeForOwnTrouble(attempt: Attempt, error: unknown): Promise<void> {
  const { mail, means, entry, recorded } = attempt
  if (error instanceof MailError && error.code === 'conflict') return notRecorded(attempt, error)
  means.log.error({ err: error, ...keyOf(entry) }, 'a delivery attempt failed through our own fault')
  const now = mail.clock.now()
  const { delaysMs, giveUpAfterMs } = means.schedule
  const retryAt = nextAttempt(attempt, { delaysMs: [...ownTroubleDelaysMs, ...delaysMs], giveUpAfterMs }, now)
  const open = recorded.filter(({ state }) => !isFinal(state))
  const fate = fateOf({ address: '', reply: undefined, remark: 'Trouble of our own; the log says more.' }, retryAt)
  const recipients = withFate(recorded, open, fate, now)
  await (retryAt === undefined
    ? record(attempt, recipients, 'closed')
    : record(attempt, recipients, 'queued', undefined, retryAt))
}

/** The result of an attempt, or of a part of it, with whatever belongs into the same write. */
async function record(
  attempt: Attempt,
  recipients: readonly OutboxRecipient[],
  state: OutboxEntry['state'],
  alsoWrite: (tx: MailWriter) => void = () => {},
  dueAt = attempt.entry.dueAt,
): Promise<void> {
  const { entry } = attempt
  await commit(attempt, (tx) => {
    // First: when the claim is lost, that is what the write fails with.
    tx.settleOutboxEntry(entry, { state, dueAt, recipients })
    alsoWrite(tx)
  })
  attempt.recorded = recipients
}

/** Waits between tries of a write that the store refused, ms: doubling from the first to the last. */
const storeWaitsMs = { first: 50, last: 5_000 }

/**
 * Writes, and goes on trying while the store is unavailable and the claim lasts: once a server has taken the mail, the
 * record of it is all that keeps it from being sent again.
 */
async function commit({ mail, means, entry }: Attempt, change: (tx: MailWriter) => void): Promise<void> {
  for (let waitMs = storeWaitsMs.first; ; waitMs = Math.min(waitMs * 2, storeWaitsMs.last)) {
    try {
      return await mail.store.write(change)
    } catch (error) {
      const isTemporary = error instanceof MailError && error.code === 'storeUnavailable'
      if (!isTemporary || means.stop.aborted || mail.clock.now() + waitMs >= entry.dueAt) throw error
    }
    // Ended early by a stop, which the next round sees.
    await sleep(waitMs, undefined, { signal: means.stop }).catch(() => {})
  }
}

/** The claim runs out, and the entry is due again. */
function notRecorded({ means, entry }: Attempt, reason: unknown): void {
  const lost = reason instanceof MailError && reason.code === 'conflict'
  if (lost) means.log.warn(keyOf(entry), 'a claim ran out: another worker has the entry')
  else means.log.error({ err: reason, ...keyOf(entry) }, 'the result of an attempt could not be recorded')
}

function logReplies({ means, entry }: Attempt, replies: readonly RecipientReply[]): void {
  const counts = { relayed: 0, delayed: 0, failed: 0 }
  let trouble: string | undefined
  for (const { reply, remark } of replies) {
    const outcome = outcomeOf(reply)
    counts[outcome]++
    if (outcome !== 'relayed') trouble ??= remark
  }
  const fields = { ...keyOf(entry), attempts: entry.attempts, ...counts }
  if (trouble === undefined) means.log.info(fields, 'relayed')
  else means.log.warn({ ...fields, reply: trouble }, 'not relayed to everyone')
}

function keyOf({ mailbox, message, destination }: OutboxEntry) {
  return { mailbox, message, destination }
}
