/**
 * What becomes of a message that has come to a mailbox: where it is put, and what is sent because of it. All of it is
 * worked out before the write, and goes into one with the delivery itself, so that a crash repeats nothing.
 *
 * A mailbox that minds nothing (`mindsArrivals`) is not asked anything: its mail is put into the Inbox as it is.
 */
import { applyRules, type Ruled } from './apply-rules.js'
import { replyTo } from './automatic-reply.js'
import { MailError } from './errors.js'
import type { FolderId, MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { firstFreeId } from './mail-folder.js'
import type { Mailbox } from './mailbox.js'
import { repliesAreOn } from './mailbox-settings.js'
import type { Draft, InferenceClassification, Message } from './message.js'
import { foldersOf, type MessageRule } from './message-rule.js'
import { type Outgoing, putOutgoing } from './outgoing.js'
import { countIn } from './put-message.js'
import { maySendOnward, sentOnward } from './send-onward.js'
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
  /** The message as it came over the wire, or would have. */
  mime(): Promise<Uint8Array>
  /** The message as it can be attached to another. */
  draft(): Promise<Draft>
}

/** What is to be written. */
export interface Arrival {
  readonly messages: readonly Message[]
  readonly outgoing: readonly Outgoing[]
  /** The sender who is answered, lower case, and the period this is noted for. */
  readonly replied?: { readonly sender: string; readonly period: number }
}

/** What becomes of the message; at once where nothing has to be looked up. */
export function planArrival(mail: Mail, arriving: Arriving, parts: ArrivingParts): Arrival | Promise<Arrival> {
  if (arriving.mailbox.mindsArrivals !== true) return { messages: [arriving.message], outgoing: [] }
  return planned(mail, arriving, parts)
}

async function planned(mail: Mail, arriving: Arriving, parts: ArrivingParts): Promise<Arrival> {
  const { mailbox, message } = arriving
  const sender = message.content.from?.address.toLowerCase()
  const [{ settings }, override, rules, aliases] = await Promise.all([
    mail.store.settings.find(mailbox.id),
    sender === undefined ? undefined : mail.store.overrides.findBySender(mailbox.id, sender),
    mail.store.rules.list(mailbox.id),
    mail.store.mailboxes.aliasesOf(mailbox.id),
  ])
  const addresses = new Set([mailbox.address, mailbox.userPrincipalName, ...aliases].map((each) => each.toLowerCase()))
  const replies = settings.automaticReplies
  const reply =
    replies !== undefined && repliesAreOn(replies, mail.clock.now())
      ? await replyTo(mail, arriving, replies, addresses)
      : undefined
  const judged = override === undefined ? message : classified(message, override.classifyAs)
  const ruled = await ruledBy(mail, rules, judged, addresses)
  const onward = maySendOnward(arriving, addresses) ? ruled.onward : []
  const sent = await Promise.all(onward.map((each) => sentOnward(mail, { ...arriving, message: judged }, parts, each)))
  return {
    messages: [
      ...(ruled.message === undefined ? [] : [ruled.message]),
      ...ruled.copies.map((folder) => copyIn(mail, ruled.message ?? judged, folder)),
    ],
    outgoing: reply === undefined ? sent : [reply.outgoing, ...sent],
    ...(reply === undefined ? {} : { replied: reply.replied }),
  }
}

async function ruledBy(
  mail: Mail,
  rules: readonly MessageRule[],
  message: Message,
  addresses: ReadonlySet<string>,
): Promise<Ruled> {
  if (rules.length === 0) return { message, copies: [], onward: [] }
  const named = [...new Set(rules.flatMap(foldersOf))]
  const found = await Promise.all(named.map((id) => mail.store.folders.find(message.mailbox, id)))
  const folders = new Set(found.flatMap((folder) => (folder === undefined ? [] : [folder.id])))
  return applyRules(rules, message, folders, addresses)
}

function copyIn(mail: Mail, message: Message, folder: FolderId): Message {
  return { ...message, id: mail.ids.next() as MessageId, change: mail.ids.next(), folder }
}

function classified(message: Message, inferenceClassification: InferenceClassification): Message {
  return { ...message, content: { ...message.content, inferenceClassification } }
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

/**
 * Another delivery may answer the same sender at the same moment, or a folder that a rule names be deleted; the arrival
 * that comes second is planned anew.
 */
const maxTries = 4

/**
 * Plans the arrival and writes it, anew when the sender was answered or a folder deleted meanwhile.
 *
 * @param write commits what {@link putArrival} says, with whatever belongs to it
 * @throws MailError conflict when it was neither that the write failed for; what `write` throws
 */
export async function completeArrival(
  mail: Mail,
  arriving: Arriving,
  parts: ArrivingParts,
  write: (say: (tx: MailWriter) => void) => Promise<void>,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const plan = planArrival(mail, arriving, parts)
    const arrival = plan instanceof Promise ? await plan : plan
    try {
      await write((tx) => putArrival(tx, arrival, arriving.mailbox, parts))
      if (arrival.outgoing.length > 0) mail.outboxChanged()
      return
    } catch (error) {
      const isConflict = error instanceof MailError && error.code === 'conflict'
      const mayBeOvertaken =
        arrival.replied !== undefined || arrival.messages.some(({ folder }) => folder >= firstFreeId)
      if (!isConflict || !mayBeOvertaken || tries === maxTries) throw error
    }
  }
}
