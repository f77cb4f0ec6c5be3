import { type AttachmentEnvelope, contentOf, hasVisibleAttachment } from './attachment.js'
import { createDraft } from './create-draft.js'
import { isDeliverableAddress } from './email-address.js'
import { MailError } from './errors.js'
import type { MailboxId, MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { folderId, noFolder } from './mail-folder.js'
import type { Answer, Conversation, Draft, EmailAddress, Message, MessageContent } from './message.js'
import type { OutboxEntry, OutboxRecipient } from './outbox-entry.js'
import { countIn, type MessageParts, placeInThread, putMessage, sizeOf } from './put-message.js'
import { deferredUntil } from './scheduled-send.js'
import { type Acting, ownSender, type Sender, senderOf } from './sender.js'
import { postponed } from './sending-limits.js'

/** Longest part of a refused address that is shown: more than any that can be delivered to. */
const maxShownAddress = 320

export interface SubmitOptions {
  readonly saveToSentItems: boolean
  /** Of an answer; a new thread unless given. */
  readonly conversation?: Conversation
  /** The message that is marked as answered in the same write. */
  readonly answers?: Answer
  /** Attachments of the answered message that go along. */
  readonly carried?: readonly AttachmentEnvelope[]
  /** To whom it goes, and the return path, of a message that came with an envelope of its own. */
  readonly envelope?: { readonly recipients: readonly EmailAddress[]; readonly mailFrom: string }
}

/**
 * Hands a finished draft over for delivery: outbox entries, and a copy in Sent Items unless told otherwise. One write,
 * so a caller told "accepted" has a message that will be tried, and one that was refused has left nothing behind.
 *
 * @throws MailError noRecipients, tooManyRecipients, recipientInvalid, sendAsDenied, submissionQuotaExceeded,
 *   storeUnavailable
 * @see https://learn.microsoft.com/graph/api/user-sendmail
 */
export async function submitMessage(
  mail: Mail,
  acting: Acting,
  draft: Draft,
  options: SubmitOptions,
): Promise<MessageId> {
  requireRecipients(draft, mail.limits.maxRecipients)
  const now = mail.clock.now()
  const dueAt = deferredUntil(draft.singleValueExtendedProperties, now)
  const sender = ownSender(acting, draft.from) ?? (await senderOf(mail, acting, draft.from))
  if (dueAt !== undefined) return scheduleNew(mail, acting, { ...draft, ...sender }, dueAt, options)

  const parts = { draft, contents: draft.attachments.map(contentOf), carried: options.carried ?? [] }
  const message = sentMessage(mail, acting.mailbox.id, sender, parts, options, now)
  const write = (placed: readonly OutboxEntry[]) =>
    mail.store.write((tx) => {
      putMessage(tx, mail, message, parts)
      if (options.saveToSentItems) countIn(tx, message)
      if (options.answers !== undefined) {
        tx.markAnswered(message.mailbox, options.answers, message.sentAt, mail.ids.next())
      }
      for (const entry of placed) tx.insertOutboxEntry(entry)
    })
  const { envelope } = options
  const entries = outboxEntries(message, envelope && { ...envelope, at: message.sentAt })
  await writeWithinLimits(mail, entries, write)
  mail.outboxChanged()
  return message.id
}

/** Writes a message with its outbox entries, which leave when the limits of its mailbox let them. */
export function writeWithinLimits(
  mail: Mail,
  entries: readonly OutboxEntry[],
  write: (entries: readonly OutboxEntry[]) => Promise<void>,
): Promise<void> {
  const [first] = entries
  if (mail.sendingLimits === undefined || first === undefined) return write(entries)
  const count = entries.reduce((sum, { recipients }) => sum + recipients.length, 0)
  return mail.sendingLimits.within(first.mailbox, count, (notBefore) => write(postponed(entries, notBefore)))
}

/** Asked to be sent later: a draft until then, which its author can read, change and delete (decision 22). */
async function scheduleNew(
  mail: Mail,
  { mailbox, actor, forOthers }: Acting,
  draft: Draft,
  dueAt: number,
  { saveToSentItems, ...options }: SubmitOptions,
): Promise<MessageId> {
  const { id } = await createDraft(mail, mailbox, draft, options, (tx, { id: message }) =>
    tx.putScheduledSend({ mailbox: mailbox.id, message, dueAt, actor: actor.id, forOthers, saveToSentItems }),
  )
  return id
}

export function requireRecipients(content: MessageContent, max: number): void {
  const { toRecipients, ccRecipients, bccRecipients } = content
  const count = toRecipients.length + ccRecipients.length + bccRecipients.length
  if (count === 0)
    throw new MailError('noRecipients', 'At least one recipient is required.', { property: 'toRecipients' })
  if (count > max) {
    throw new MailError('tooManyRecipients', `A message goes to ${max} recipients at most; this one names ${count}.`, {
      value: String(max),
    })
  }
  requireDeliverable(toRecipients, 'toRecipients')
  requireDeliverable(ccRecipients, 'ccRecipients')
  requireDeliverable(bccRecipients, 'bccRecipients')
}

function requireDeliverable(recipients: readonly EmailAddress[], property: string): void {
  for (const { address } of recipients) {
    if (!isDeliverableAddress(address)) {
      throw new MailError('recipientInvalid', 'A recipient has no address that mail can be sent to.', {
        property,
        value: address.slice(0, maxShownAddress),
      })
    }
  }
}

function sentMessage(
  mail: Mail,
  mailbox: MailboxId,
  sender: Sender,
  parts: MessageParts,
  options: SubmitOptions,
  now: number,
): Message {
  const { draft, carried } = parts
  const { internetMessageId, conversation } = placeInThread(mail, draft, options.conversation, now)
  return {
    mailbox,
    id: mail.ids.next() as MessageId,
    folder: options.saveToSentItems ? folderId('sentitems') : noFolder,
    moves: 0,
    change: mail.ids.next(),
    createdAt: now,
    modifiedAt: now,
    receivedAt: now,
    sentAt: now,
    isRead: true,
    isDraft: false,
    hasAttachments: hasVisibleAttachment(draft.attachments) || hasVisibleAttachment(carried),
    importance: draft.importance,
    subject: draft.subject,
    internetMessageId,
    conversation,
    sizeBytes: sizeOf(parts),
    content: sentContent(draft, sender),
  }
}

function sentContent(draft: Draft, { from, sender }: Sender): MessageContent {
  const { inReplyTo, references, mentions, extensions } = draft
  return {
    body: draft.body,
    from,
    sender,
    toRecipients: draft.toRecipients,
    ccRecipients: draft.ccRecipients,
    bccRecipients: draft.bccRecipients,
    replyTo: draft.replyTo,
    categories: draft.categories,
    flag: draft.flag,
    inferenceClassification: draft.inferenceClassification,
    isDeliveryReceiptRequested: draft.isDeliveryReceiptRequested,
    isReadReceiptRequested: draft.isReadReceiptRequested,
    internetMessageHeaders: draft.internetMessageHeaders,
    singleValueExtendedProperties: draft.singleValueExtendedProperties,
    multiValueExtendedProperties: draft.multiValueExtendedProperties,
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    ...(references === undefined ? {} : { references }),
    ...(mentions === undefined ? {} : { mentions }),
    ...(extensions === undefined ? {} : { extensions }),
  }
}

/** Who a message is sent from and to (RFC 5321), and when, ms since 1970. */
interface Envelope {
  readonly mailFrom: string
  readonly recipients: readonly EmailAddress[]
  readonly at: number
}

function envelopeOf({ content, sentAt }: Message): Envelope {
  const { sender, toRecipients, ccRecipients, bccRecipients } = content
  return {
    mailFrom: sender?.address ?? '',
    recipients: [...toRecipients, ...ccRecipients, ...bccRecipients],
    at: sentAt,
  }
}

/** One envelope per destination domain, from who submitted; an address named twice, in any case, gets one copy. */
export function outboxEntries(message: Message, envelope: Envelope = envelopeOf(message)): OutboxEntry[] {
  const { recipients } = envelope
  const [only] = recipients
  // Most mail has one recipient, and nothing to sort out.
  if (recipients.length === 1 && only !== undefined) {
    return [entryTo(domainOf(only.address.toLowerCase()), [queued(only)], message, envelope)]
  }
  const byDomain = new Map<string, OutboxRecipient[]>()
  const seen = new Set<string>()
  for (const recipient of recipients) {
    const lower = recipient.address.toLowerCase()
    if (seen.has(lower)) continue
    seen.add(lower)
    const domain = domainOf(lower)
    const others = byDomain.get(domain)
    if (others === undefined) byDomain.set(domain, [queued(recipient)])
    else others.push(queued(recipient))
  }
  return [...byDomain].map(([destination, ofDomain]) => entryTo(destination, ofDomain, message, envelope))
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

function queued({ address }: EmailAddress): OutboxRecipient {
  return { address, state: 'queued' }
}

function entryTo(
  destination: string,
  recipients: readonly OutboxRecipient[],
  { mailbox, id }: Message,
  { mailFrom, at }: Envelope,
): OutboxEntry {
  return {
    mailbox,
    message: id,
    destination,
    mailFrom,
    recipients,
    state: 'queued',
    attempts: 0,
    dueAt: at,
    createdAt: at,
  }
}
