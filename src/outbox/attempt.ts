/**
 * One delivery attempt: a claimed entry in, each recipient's fate recorded. A fate is recorded in the same write as
 * what brought it about where that is ours to write, so that a local delivery happens exactly once; and right after the
 * answer where it is not (SMTP), so that only an end of the process in between can make a second copy.
 */
import { completeArrival } from '../mail/arrival.js'
import { attachmentFrom } from '../mail/attachment.js'
import { bodyPreviewOf } from '../mail/body.js'
import { headersInTransit, inboxCopy, partsOfSent } from '../mail/deliver.js'
import type { DeliveryAttempt } from '../mail/delivery-attempt.js'
import { MailError } from '../mail/errors.js'
import type { Mail } from '../mail/mail.js'
import { noFolder } from '../mail/mail-folder.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Message } from '../mail/message.js'
import { forSubmission, renderMime } from '../mail/mime/render.js'
import { isToBeTried, type OutboxEntry, type OutboxRecipient } from '../mail/outbox-entry.js'
import { withWish } from '../mail/queue.js'
import type { MailWriter } from '../mail/store.js'
import { type Dialogue, linesOf, newDialogue } from './dialogue.js'
import { fateOf, withFate, withFates } from './fate.js'
import { type Lanes, LanesClosed, type Ran } from './lanes.js'
import { oneLine, outcomeOf } from './outcome.js'
import { type Claim, type ClaimedEntry, recordStanding, type Standing } from './record.js'
import { notificationsOf, reportsDue, writeWithReports } from './report.js'
import { chanceOf, nextAttemptAt, type RetrySchedule } from './retry-schedule.js'
import { type RoutedRecipients, type RouteRule, routeRecipients } from './route.js'
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
  readonly next: { readonly relay: Relay; readonly lanes: Lanes } | undefined
  /** Who goes which way out, and who none. */
  readonly rules: readonly RouteRule[]
  readonly schedule: RetrySchedule
  /** After this time a sender is told that their message is late, ms; 0: never. */
  readonly warnAfterMs: number
  readonly log: OutboxLog
  /** Ends the waiting for a store that refuses. */
  readonly stop: AbortSignal
}

/** When an entry is to be taken up again, ms since 1970; undefined when it is closed, or left to the end of its claim. */
export type DueAgain = number | undefined

/** An entry under delivery. */
interface Attempt extends Claim {
  readonly means: Means
  /** Once it was read. */
  message: Message | undefined
  /** As on disk. */
  recipients: readonly OutboxRecipient[]
  dueAgain: DueAgain
  /** Of the sender's own row, where it is not kept yet: goes with the first result that is written. */
  preview: string | undefined
}

/**
 * Delivers what can be delivered of a claimed entry. Never rejects: what could not be recorded is left to the end of
 * the claim, and to whoever claims it next.
 *
 * @param mailboxes mailboxes of ours among the recipients, by lower-case address
 */
export async function attemptDelivery(
  mail: Mail,
  means: Means,
  entry: ClaimedEntry,
  mailboxes: Promise<ReadonlyMap<string, Mailbox>>,
): Promise<DueAgain> {
  const attempt = newAttempt(mail, means, entry)
  try {
    await deliver(attempt, await mailboxes)
  } catch (error) {
    if (isLost(error)) notRecorded(attempt, error)
    else await postpone(attempt, error).catch((reason) => notRecorded(attempt, reason))
  }
  return attempt.dueAgain
}

/** Puts an entry back that was claimed and not begun; it is due at once. Never rejects. */
export async function giveBack(mail: Mail, means: Means, entry: ClaimedEntry): Promise<DueAgain> {
  const attempt = newAttempt(mail, means, entry)
  await queue(attempt, entry.recipients, mail.clock.now()).catch((reason) => notRecorded(attempt, reason))
  return attempt.dueAgain
}

function newAttempt(mail: Mail, means: Means, entry: ClaimedEntry): Attempt {
  const { recipients } = entry
  return {
    mail,
    entry,
    stop: means.stop,
    means,
    message: undefined,
    recipients,
    dueAgain: undefined,
    preview: undefined,
  }
}

async function deliver(attempt: Attempt, mailboxes: ReadonlyMap<string, Mailbox>): Promise<void> {
  const { mail, means, entry } = attempt
  const now = mail.clock.now()
  const open = entry.recipients.filter(({ state }) => isToBeTried(state))
  if (entry.wish !== undefined) return close(attempt, withWish(entry.recipients, entry.wish, now))
  const { mailFrom } = entry
  const routed = routeRecipients(open, { mailboxes, hasRelay: means.next !== undefined, mailFrom, rules: means.rules })
  let recipients = withFates(entry.recipients, (address) => routed.settled.get(address), now)
  const { local, relay } = routed
  const suspension = relay.length === 0 ? undefined : means.next?.lanes.suspension(entry.destination)
  if (suspension !== undefined && local.length === 0) return suspend(attempt, recipients, relay, suspension)
  const message = await mail.store.messages.find(entry.mailbox, entry.message)
  if (message === undefined) {
    const fate = { state: 'failed', reply: 'The message is no longer there.' } as const
    return close(attempt, withFate(entry.recipients, open, fate, now))
  }

  attempt.message = message
  const bodyPreview = message.bodyPreview ?? bodyPreviewOf(message.content.body)
  if (message.bodyPreview === undefined && message.folder !== noFolder) attempt.preview = bodyPreview

  if (local.length > 0) {
    await deliverToMailboxes(attempt, message, bodyPreview, recipients, routed)
    recipients = attempt.recipients
  }
  if (relay.length > 0 && means.next !== undefined) await relayTo(attempt, means.next, message, recipients, relay)
  else if (local.length === 0) await close(attempt, recipients)
}

/** Nothing was tried: the server of the destination does not answer, and somebody else's mail found that out. */
async function suspend(
  attempt: Attempt,
  before: readonly OutboxRecipient[],
  wanted: readonly OutboxRecipient[],
  reason: string,
): Promise<void> {
  const now = attempt.mail.clock.now()
  const retryAt = nextAttempt(attempt, attempt.means.schedule, now)
  const remark = oneLine(`Not tried, as the server did not answer others: ${reason}`)
  const recipients = withFate(before, wanted, fateOf({ address: '', reply: undefined, remark }, retryAt), now)
  await (retryAt === undefined ? close(attempt, recipients) : queue(attempt, recipients, retryAt))
}

/** One mailbox after the other: each write says who has it by then, and touches one mailbox. */
async function deliverToMailboxes(
  attempt: Attempt,
  message: Message,
  bodyPreview: string,
  before: readonly OutboxRecipient[],
  { local, relay }: RoutedRecipients,
): Promise<void> {
  const { mail, entry } = attempt
  const mime = await submittedMime(mail, message)
  const notes = { headers: headersInTransit(message, mime), bodyPreview }
  const parts = partsOfSent(mail, message, mime)
  let recipients = before
  for (const [index, { mailbox, recipients: theirs }] of local.entries()) {
    const copy = inboxCopy(mail, message, mailbox, notes)
    const fate = { state: 'delivered', reply: `In the Inbox of ${mailbox.address}.` } as const
    recipients = withFate(recipients, theirs, fate, copy.receivedAt)
    const isLast = index + 1 === local.length && relay.length === 0
    const standing: Standing = { state: isLast ? restingState(recipients) : 'sending', dueAt: entry.dueAt, recipients }
    const arriving = { mailbox, message: copy, mailFrom: entry.mailFrom, isInternal: true }
    await completeArrival(mail, arriving, parts, (say) => record(attempt, standing, say))
  }
}

async function relayTo(
  attempt: Attempt,
  { relay, lanes }: NonNullable<Means['next']>,
  message: Message,
  before: readonly OutboxRecipient[],
  wanted: readonly OutboxRecipient[],
): Promise<void> {
  const { mail, entry } = attempt
  const addresses = wanted.map(({ address }) => address)
  const envelope = { mailFrom: entry.mailFrom, recipients: addresses, ...notificationsOf(entry, message) }
  const dialogue = newDialogue()
  const ran = await inLane(lanes, entry.destination, async () => {
    // The wait for a connection was long: by the end of a slow transaction the claim could be somebody else's.
    if (mail.clock.now() + relay.transactionMs > entry.dueAt) return undefined
    const content = await contentInTransit(mail, message)
    const startedAt = mail.clock.now()
    const replies = await relay.send({ ...envelope, dialogue }, content)
    // The next transaction may begin when this one is on disk: what a crash can repeat is what the lanes let through.
    await settle(attempt, before, { replies, dialogue, startedAt })
    return replies
  })
  if (ran !== undefined && 'suspended' in ran) return suspend(attempt, before, wanted, ran.suspended)
  if (ran?.result === undefined) return queue(attempt, before, mail.clock.now())
}

/** What a transaction came to. */
interface Outcome {
  readonly replies: readonly RecipientReply[]
  readonly dialogue: Dialogue
  /** ms since 1970 */
  readonly startedAt: number
}

async function settle(attempt: Attempt, before: readonly OutboxRecipient[], outcome: Outcome): Promise<void> {
  const { mail, means, entry } = attempt
  const { replies } = outcome
  const now = mail.clock.now()
  const retryAt = nextAttempt(attempt, means.schedule, now)
  const fates = new Map(replies.map((reply) => [reply.address, fateOf(reply, retryAt)]))
  const recipients = withFates(before, (address) => fates.get(address), now)
  const isOpen = recipients.some(({ state }) => isToBeTried(state))
  const heard = attemptRecord(entry, outcome, now)
  const note = (tx: MailWriter) => tx.putAttempt(heard)
  await (isOpen && retryAt !== undefined ? queue(attempt, recipients, retryAt, note) : close(attempt, recipients, note))
  logReplies(attempt, replies)
}

/** Recipients of one attempt whose replies are kept with it; the entry has them all. */
const maxRepliesKept = 20

function attemptRecord(
  { mailbox, message, destination, attempts: attempt }: OutboxEntry,
  { replies, dialogue, startedAt }: Outcome,
  now: number,
): DeliveryAttempt {
  const { peer, tls } = dialogue
  return {
    mailbox,
    message,
    destination,
    attempt,
    at: now,
    durationMs: Math.max(0, now - startedAt),
    ...(peer === undefined ? {} : { peer }),
    ...(tls === undefined ? {} : { tls }),
    dialogue: linesOf(dialogue),
    replies: replies.slice(0, maxRepliesKept).map(({ address, remark }) => ({ address, reply: remark })),
  }
}

type Replies = readonly RecipientReply[] | undefined

/** What the transaction came to; undefined also when the worker is closing and it did not begin. */
async function inLane(
  lanes: Lanes,
  destination: string,
  task: () => Promise<Replies>,
): Promise<Ran<Replies> | undefined> {
  try {
    return await lanes.run(destination, task, silenceOf)
  } catch (error) {
    if (error instanceof LanesClosed) return undefined
    throw error
  }
}

/** What went wrong when the server said nothing about anybody. */
function silenceOf(replies: Replies): string | undefined {
  return replies?.every(({ reply }) => reply === undefined) ? replies[0]?.remark : undefined
}

/** A message that was submitted in MIME, as it goes out; undefined for one that was not. */
async function submittedMime(mail: Mail, message: Message): Promise<Uint8Array | undefined> {
  const mime = await mail.store.messages.mime(message.mailbox, message.id)
  return mime === undefined ? undefined : forSubmission(mime, message)
}

async function contentInTransit(mail: Mail, message: Message): Promise<Uint8Array> {
  const mime = await submittedMime(mail, message)
  if (mime !== undefined) return mime
  const attachments = await mail.store.attachments.listWithContent(message.mailbox, message.id)
  return renderMime(message, attachments.map(attachmentFrom), { includeBcc: false })
}

function nextAttempt({ mail, entry }: Attempt, schedule: RetrySchedule, now: number): number | undefined {
  const { attempts, createdAt } = entry
  return nextAttemptAt(schedule, { attempts, createdAt, now, chance: chanceOf(mail.random) })
}

/** First waits after trouble of our own: a database that restarts is back in seconds. */
const ownTroubleDelaysMs = [5_000, 30_000] as const

/** Whatever went wrong here says nothing about the mail; it is tried again, and given up no sooner than any other. */
async function postpone(attempt: Attempt, error: unknown): Promise<void> {
  const { mail, means, entry, recipients } = attempt
  means.log.error({ err: error, ...keyOf(entry) }, 'a delivery attempt failed through our own fault')
  const now = mail.clock.now()
  const { delaysMs, giveUpAfterMs } = means.schedule
  const retryAt = nextAttempt(attempt, { delaysMs: [...ownTroubleDelaysMs, ...delaysMs], giveUpAfterMs }, now)
  const fate = fateOf({ address: '', reply: undefined, remark: 'Trouble of our own; the log says more.' }, retryAt)
  const after = withFate(recipients, recipients, fate, now)
  await (retryAt === undefined ? close(attempt, after) : queue(attempt, after, retryAt))
}

type AlsoWrite = Parameters<typeof recordStanding>[2]

function close(attempt: Attempt, recipients: readonly OutboxRecipient[], alsoWrite?: AlsoWrite): Promise<void> {
  return record(attempt, { state: restingState(recipients), dueAt: attempt.entry.dueAt, recipients }, alsoWrite)
}

/** Of an entry in which nobody is left to be tried. */
function restingState(recipients: readonly OutboxRecipient[]): 'held' | 'closed' {
  return recipients.some(({ state }) => state === 'held') ? 'held' : 'closed'
}

function queue(
  attempt: Attempt,
  recipients: readonly OutboxRecipient[],
  dueAt: number,
  alsoWrite?: AlsoWrite,
): Promise<void> {
  return record(attempt, { state: 'queued', dueAt, recipients }, alsoWrite)
}

async function record(attempt: Attempt, standing: Standing, alsoWrite?: AlsoWrite): Promise<void> {
  const { mail, entry, means } = attempt
  const { warnAfterMs, log, stop } = means
  const before = attempt.recipients
  const { reports, recipients } = reportsDue({ ...attempt, warnAfterMs }, before, standing.recipients)
  // Not read for an attempt that did not begin.
  if (reports.length > 0) attempt.message ??= await mail.store.messages.find(entry.mailbox, entry.message)
  const { message } = attempt
  const mime = async () => (message === undefined ? Buffer.alloc(0) : contentInTransit(mail, message))
  const source = { mail, entry, message, mime, giveUpAfterMs: means.schedule.giveUpAfterMs, warnAfterMs, log, stop }
  await writeWithReports(source, reports, (say) =>
    recordStanding(attempt, { ...standing, recipients }, (tx) => {
      if (attempt.preview !== undefined) tx.setBodyPreview(entry.mailbox, entry.message, attempt.preview)
      alsoWrite?.(tx)
      say(tx)
    }),
  )
  attempt.preview = undefined
  attempt.recipients = recipients
  attempt.dueAgain = standing.state === 'queued' ? standing.dueAt : undefined
}

function isLost(error: unknown): boolean {
  return error instanceof MailError && error.code === 'conflict'
}

/** The claim runs out, and the entry is due again. */
function notRecorded({ means, entry }: Attempt, reason: unknown): void {
  if (isLost(reason)) means.log.warn(keyOf(entry), 'a claim ran out: another worker has the entry')
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
