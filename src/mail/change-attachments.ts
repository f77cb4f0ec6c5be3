import { type Attachment, contentOf, hasVisibleAttachment, keptAttachment, type NewAttachment } from './attachment.js'
import { changed, onCurrent, requireSettled } from './change-message.js'
import { MailError } from './errors.js'
import type { AttachmentId } from './ids.js'
import type { Mail } from './mail.js'
import type { Message } from './message.js'
import { requireRoom } from './upload-session.js'

/** Largest file that is attached in one request: what the service takes, a little below 3 MB (observed). */
const maxSingleBytes = 3_145_611

/**
 * Adds an attachment to a message, whose change key, size and `hasAttachments` change with it.
 *
 * @throws MailError messageTooLarge, notInStore, conflict, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/message-post-attachments
 */
export async function addAttachment(
  mail: Mail,
  message: Message,
  attachment: NewAttachment,
): Promise<{ message: Message; attachment: Attachment }> {
  const content = contentOf(attachment)
  if (attachment.kind === 'file' && content.byteLength > maxSingleBytes) {
    throw new MailError('attachmentTooLarge', 'A file of more than 3 MB is attached through an upload session.')
  }
  const id = mail.ids.next() as AttachmentId
  return onCurrent(mail, message, async (current) => {
    await requireSettled(mail, current)
    requireRoom(mail, current, content.byteLength)
    const grown = changed(mail, current, {
      hasAttachments: current.hasAttachments || hasVisibleAttachment([attachment]),
      sizeBytes: current.sizeBytes + content.byteLength,
    })
    const kept = keptAttachment(attachment, content, grown, id)
    await mail.store.write((tx) => {
      tx.insertAttachment(kept)
      tx.changeFolder(current.mailbox, current.folder, { total: 0, unread: 0, sizeBytes: content.byteLength })
      tx.updateMessage(grown, current.change)
      tx.deleteMime(current.mailbox, current.id)
    })
    return { message: grown, attachment: kept }
  })
}

/**
 * Takes an attachment off a message.
 *
 * @throws MailError attachmentNotFound, notInStore, conflict, storeUnavailable
 */
export async function removeAttachment(mail: Mail, message: Message, id: AttachmentId): Promise<void> {
  await onCurrent(mail, message, async (current) => {
    await requireSettled(mail, current)
    const attachments = await mail.store.attachments.list(current.mailbox, current.id)
    const removed = attachments.find((attachment) => attachment.id === id)
    if (removed === undefined) throw new MailError('attachmentNotFound', 'The message has no such attachment.')
    const left = changed(mail, current, {
      hasAttachments: hasVisibleAttachment(attachments.filter((attachment) => attachment !== removed)),
      sizeBytes: current.sizeBytes - removed.sizeBytes,
    })
    await mail.store.write((tx) => {
      tx.deleteAttachment(current.mailbox, current.id, id)
      tx.changeFolder(current.mailbox, current.folder, { total: 0, unread: 0, sizeBytes: -removed.sizeBytes })
      tx.updateMessage(left, current.change)
      tx.deleteMime(current.mailbox, current.id)
    })
  })
}
