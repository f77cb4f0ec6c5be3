import { contentOf, keptAttachment, type NewAttachment } from './attachment.js'
import { bodyPreviewOf } from './body.js'
import { newMessageId } from './conversation.js'
import type { AttachmentId, MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { noFolder } from './mail-folder.js'
import type { Mailbox } from './mailbox.js'
import type { Conversation, Draft, Message } from './message.js'
import type { OutboxEntry } from './outbox-entry.js'
import { sizeOf } from './put-message.js'
import type { MailWriter } from './store.js'
import { outboxEntries } from './submit.js'

/** A message that a mailbox sends by itself: in no folder, and on its way. */
export interface Outgoing {
  readonly message: Message
  readonly entries: readonly OutboxEntry[]
  /** As it goes out, of one that is sent on in the form in which it came. */
  readonly mime?: Uint8Array
  /** Its own attachments, with what is written for each. */
  readonly attachments: readonly { readonly id: AttachmentId; readonly attachment: NewAttachment }[]
  /** Whether the attachments of the message that it is sent for go along. */
  readonly carries: boolean
}

/**
 * A message from the mailbox, written by nobody.
 *
 * @param mailFrom return path, RFC 5321 §4.1.1.2
 */
export function automaticMessage(
  mail: Pick<Mail, 'clock' | 'ids' | 'random' | 'hostname'>,
  mailbox: Mailbox,
  draft: Draft,
  { conversation, mailFrom }: { readonly conversation: Conversation; readonly mailFrom: string },
): Outgoing {
  const { subject, importance, isRead: _, attachments, internetMessageId: __, mime: ___, ...said } = draft
  const now = mail.clock.now()
  const author = { name: mailbox.displayName, address: mailbox.address }
  const message: Message = {
    mailbox: mailbox.id,
    id: mail.ids.next() as MessageId,
    folder: noFolder,
    moves: 0,
    change: mail.ids.next(),
    createdAt: now,
    modifiedAt: now,
    receivedAt: now,
    sentAt: now,
    isRead: true,
    isDraft: false,
    hasAttachments: attachments.length > 0,
    importance,
    subject,
    internetMessageId: newMessageId(mail),
    conversation,
    bodyPreview: bodyPreviewOf(draft.body),
    sizeBytes: sizeOf({ draft, contents: attachments.map(contentOf), carried: [] }),
    content: { ...said, from: author, sender: author },
  }
  return {
    message,
    entries: outboxEntries(message, { mailFrom, recipients: draft.toRecipients, at: now }),
    attachments: attachments.map((attachment) => ({ id: mail.ids.next() as AttachmentId, attachment })),
    carries: false,
  }
}

/** Says the writes that send it. */
export function putOutgoing(
  tx: MailWriter,
  { message, mime, entries, attachments, carries }: Outgoing,
  parts: { putAttachments(tx: MailWriter, message: Message): void },
): void {
  tx.insertMessage(message)
  if (mime !== undefined) tx.insertMime(message.mailbox, message.id, mime)
  for (const { id, attachment } of attachments) {
    tx.insertAttachment(keptAttachment(attachment, contentOf(attachment), message, id))
  }
  if (carries) parts.putAttachments(tx, message)
  for (const entry of entries) tx.insertOutboxEntry(entry)
}
