import { setTimeout as sleep } from 'node:timers/promises'
import { completeArrival } from './arrival.js'
import { planBounce } from './bounce.js'
import { answerConversation, conversationFrom } from './conversation.js'
import { deliveryReport, reporterFor } from './delivery-report.js'
import { isDeliverableAddress } from './email-address.js'
import { MailError } from './errors.js'
import type { MailboxId, TenantId } from './ids.js'
import { type Incoming, readIncoming } from './incoming.js'
import type { Mail } from './mail.js'
import { folderId, noFolder } from './mail-folder.js'
import type { Mailbox } from './mailbox.js'
import type { Conversation, Message } from './message.js'
import { type Outgoing, putOutgoing } from './outgoing.js'
import { outgoingReport } from './outgoing-report.js'
import type { NamedMessage } from './query.js'

/** A message as it came over the wire, and for whom. */
export interface Received {
  /** As received, the trace fields of this hop (RFC 5321 §4.4) already on top. */
  readonly mime: Buffer
  /** Return path; empty when there is none. */
  readonly mailFrom: string
  readonly mailboxes: readonly Mailbox[]
  /** Whom of them the sender wants to be told of, by the addresses they were named by (RFC 3461 `NOTIFY=SUCCESS`). */
  readonly wantReceipts?: readonly { readonly mailbox: MailboxId; readonly address: string }[]
  /** What the sender's server calls it (RFC 3461 §4.4). */
  readonly envelopeId?: string | undefined
}

/**
 * Puts a message that came in from outside into the Inbox of each mailbox, and what it says of a message of theirs where
 * it is a report. One write for each mailbox; resolves once all of them are on disk.
 *
 * @returns for each mailbox, in their order, what it could not be kept for; undefined: it is on disk
 * @throws MailError mimeInvalid
 */
export async function receiveMessage(mail: Mail, received: Received): Promise<(unknown | undefined)[]> {
  const { mime, mailFrom, mailboxes } = received
  const incoming = await readIncoming(mail, mime, mailFrom)
  const failures: (unknown | undefined)[] = []
  for (const mailbox of mailboxes) {
    try {
      // One after the other, so that of two copies at once the second sees the first.
      await inTurnOf(`${mailbox.id} ${incoming.internetMessageId}`, () =>
        receiveInto(mail, mailbox, incoming, received),
      )
      failures.push(undefined)
    } catch (error) {
      failures.push(error)
    }
  }
  return failures
}

/** Another report about the same message may be recorded at the same moment. */
const maxTries = 10
/** Until a result is recorded, ms; after so many times the peer is to try again. */
const earlyWaitMs = 100

async function receiveInto(mail: Mail, mailbox: Mailbox, incoming: Incoming, received: Received): Promise<void> {
  const { mailFrom } = received
  const ids = [incoming.internetMessageId, ...incoming.references]
  const known = await mail.store.messages.findByInternetMessageId(mailbox.id, ids, { newest: lookedThrough })
  if (await isThere(mail, mailbox, incoming, known)) return
  for (let tries = 1; ; tries++) {
    const bounce = await planBounce(mail, mailbox.id, incoming.report)
    if (bounce?.isEarly === true) {
      if (tries === maxTries)
        throw new MailError('conflict', 'The message that this report is about is being delivered.')
      await sleep(earlyWaitMs)
      continue
    }
    const conversation = bounce?.original.conversation ?? conversationOf(mail, incoming, known)
    const message = incoming.copyFor(mailbox, conversation)
    const arriving = { mailbox, message, mailFrom, isInternal: false }
    const receipt = await deliveryReceipt(mail, mailbox, message, received)
    try {
      await completeArrival(mail, arriving, incoming.parts, (say) =>
        mail.store.write((tx) => {
          say(tx)
          bounce?.put(tx)
          if (receipt !== undefined) putOutgoing(tx, receipt, incoming.parts)
        }),
      )
      if (receipt !== undefined) mail.outboxChanged()
      return
    } catch (error) {
      const isOvertaken = error instanceof MailError && error.code === 'conflict' && bounce !== undefined
      if (!isOvertaken || tries === maxTries) throw error
    }
  }
}

/** How many of a mailbox's newest messages are looked through by their Message-ID, for which there is no index. */
const lookedThrough = 500

/**
 * Whether the mailbox has this very message: sent again by a server that missed our answer, or to two addresses of one
 * mailbox one after the other. What the owner sent is not meant: they may write to themselves.
 */
async function isThere(
  mail: Mail,
  mailbox: Mailbox,
  incoming: Incoming,
  known: readonly NamedMessage[],
): Promise<boolean> {
  const found = known.filter(({ internetMessageId }) => internetMessageId === incoming.internetMessageId)
  for (const { id, folder } of found) {
    if (folder === folderId('sentitems') || folder === folderId('drafts') || folder === noFolder) continue
    const kept = await mail.store.messages.find(mailbox.id, id)
    if (kept !== undefined && incoming.isSame(kept)) return true
  }
  return false
}

/** The thread it belongs to: that of a message it follows, as the mailbox has it, or else the one they all begin with. */
function conversationOf(
  mail: Mail,
  { internetMessageId, references }: Incoming,
  known: readonly NamedMessage[],
): Conversation {
  const now = mail.clock.now()
  const followed = known.find((each) => references.includes(each.internetMessageId))
  return followed === undefined
    ? conversationFrom(references[0] ?? internetMessageId, now)
    : answerConversation(mail, followed.conversation, now)
}

/** Copies of one message to one mailbox that come at once. */
const turns = new Map<string, Promise<unknown>>()

async function inTurnOf<Result>(copy: string, work: () => Promise<Result>): Promise<Result> {
  const before = turns.get(copy)
  const result = before === undefined ? work() : before.then(work, work)
  turns.set(copy, result)
  try {
    return await result
  } finally {
    if (turns.get(copy) === result) turns.delete(copy)
  }
}

/**
 * The mailbox that a report is for which came to the address that all mail from here is returned to: the one that sent
 * the message it is about. undefined when it tells of no message of ours.
 *
 * @throws MailError mimeInvalid
 */
export async function mailboxReportedTo(mail: Mail, tenant: TenantId, mime: Buffer): Promise<Mailbox | undefined> {
  const { report } = await readIncoming(mail, mime, '')
  if (report === undefined) return undefined
  const found = await mail.store.mailboxes.findByAddress(tenant, [...new Set(report.senders)])
  for (const mailbox of found.values()) {
    if ((await planBounce(mail, mailbox.id, report)) !== undefined) return mailbox
  }
  return undefined
}

/** To the sender who asked their server for it: a report that the message is in this mailbox. */
async function deliveryReceipt(
  mail: Mail,
  mailbox: Mailbox,
  message: Message,
  { mailFrom, mime, wantReceipts = [], envelopeId }: Received,
): Promise<Outgoing | undefined> {
  const named = wantReceipts.filter((each) => each.mailbox === mailbox.id)
  if (named.length === 0 || !isDeliverableAddress(mailFrom)) return undefined
  const recipients = named.map(({ address }) => ({ address, at: message.receivedAt }))
  const from = reporterFor(mailbox.address)
  const news = {
    kind: 'delivered' as const,
    recipients,
    arrivedAt: message.receivedAt,
    ...(envelopeId && { envelopeId }),
  }
  const report = deliveryReport(mail, { from, to: { address: mailFrom } }, message, news, mime)
  return outgoingReport(mail, mailbox, report, { to: mailFrom, conversation: message.conversation })
}
