/**
 * What becomes of a message that has come to a mailbox: where it is put, and what is sent because of it. All of it is
 * worked out before the write, and goes into one with the delivery itself, so that a crash repeats nothing.
 *
 * A mailbox that minds nothing (`mindsArrivals`) is not asked anything: its mail is put into the Inbox as it is.
 */
import { replyTo } from './automatic-reply.js'
import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import type { Mailbox } from './mailbox.js'
import { repliesAreOn } from './mailbox-settings.js'
import type { Message } from './message.js'
import { type Outgoing, putOutgoing } from './outgoing.js'
import { countIn } from './put-message.js'
import type { MailWriter } from './store.js'

/** A message on its way into a mailbox. */
export interface Arriving {
  readonly mailbox: Mailbox
  /** As it would stand in the Inbox. */
  readonly message: Message
  /** Return path, RFC 5321 §4.4; empty: nobody wants to hear of it. */
  readonly mailFrom: string
  /** Whether somebody of the same organisation sent it, which is known of mail that was submitted here. */
  readonly isInternal: boolean
}

/** How the parts of the message get where they are put. */
export interface ArrivingParts {
  /** Puts the message with its MIME and attachments; folder counts are not its business. */
  put(tx: MailWriter, message: Message): void
  /** Puts its attachments alone, into a message that is sent because of it. */
  putAttachments(tx: MailWriter, message: Message): void
}

/** What is to be written. */
export interface Arrival {
  readonly messages: readonly Message[]
  readonly outgoing: readonly Outgoing[]
  /** The sender who is answered, lower case, and the period this is noted for. */
  readonly replied?: { readonly sender: string; readonly period: number }
}

/** What becomes of the message; at once where nothing has to be looked up. */
export function planArrival(mail: Mail, arriving: Arriving): Arrival | Promise<Arrival> {
  if (arriving.mailbox.mindsArrivals !== true) return { messages: [arriving.message], outgoing: [] }
  return planned(mail, arriving)
}

async function planned(mail: Mail, arriving: Arriving): Promise<Arrival> {
  const { mailbox, message } = arriving
  const [{ settings }, aliases] = await Promise.all([
    mail.store.settings.find(mailbox.id),
    mail.store.mailboxes.aliasesOf(mailbox.id),
  ])
  const addresses = new Set([mailbox.address, mailbox.userPrincipalName, ...aliases].map((each) => each.toLowerCase()))
  const replies = settings.automaticReplies
  const reply =
    replies !== undefined && repliesAreOn(replies, mail.clock.now())
      ? await replyTo(mail, arriving, replies, addresses)
      : undefined
  return {
    messages: [message],
    outgoing: reply === undefined ? [] : [reply.outgoing],
    ...(reply === undefined ? {} : { replied: reply.replied }),
  }
}

/** Says the writes of an arrival. */
export function putArrival(tx: MailWriter, arrival: Arrival, mailbox: Mailbox, parts: ArrivingParts): void {
  for (const message of arrival.messages) {
    parts.put(tx, message)
    countIn(tx, message)
  }
  for (const outgoing of arrival.outgoing) putOutgoing(tx, outgoing, parts)
  if (arrival.replied !== undefined) tx.noteReply(mailbox.id, arrival.replied.sender, arrival.replied.period)
}

/** Another delivery may answer the same sender at the same moment; the one that comes second is planned anew. */
const maxTries = 4

/**
 * Plans the arrival and writes it, anew when the sender was answered meanwhile.
 *
 * @param write commits what {@link putArrival} says, with whatever belongs to it
 * @throws MailError conflict when it was not the answer that the write failed for; what `write` throws
 */
export async function completeArrival(
  mail: Mail,
  arriving: Arriving,
  parts: ArrivingParts,
  write: (say: (tx: MailWriter) => void) => Promise<void>,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const plan = planArrival(mail, arriving)
    const arrival = plan instanceof Promise ? await plan : plan
    try {
      await write((tx) => putArrival(tx, arrival, arriving.mailbox, parts))
      if (arrival.outgoing.length > 0) mail.outboxChanged()
      return
    } catch (error) {
      const isConflict = error instanceof MailError && error.code === 'conflict'
      if (!isConflict || arrival.replied === undefined || tries === maxTries) throw error
    }
  }
}
