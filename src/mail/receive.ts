import { type ArrivingParts, completeArrival } from './arrival.js'
import { contentOf, hasVisibleAttachment } from './attachment.js'
import { bodyPreviewOf } from './body.js'
import { startConversation } from './conversation.js'
import type { MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { folderId } from './mail-folder.js'
import type { Mailbox } from './mailbox.js'
import type { Message, MessageContent } from './message.js'
import { parseMime } from './mime/parse.js'
import { transportHeadersOf } from './mime/render.js'
import { putAttachments, putMessage } from './put-message.js'

/**
 * Puts a message that came in from outside into the Inbox of each mailbox; resolves once all of them are on disk.
 *
 * @param mime as received, the trace fields of this hop (RFC 5321 §4.4) already on top
 * @param mailFrom return path; empty when there is none
 * @throws MailError mimeInvalid, storeUnavailable
 */
export async function receiveMessage(
  mail: Mail,
  mailboxes: readonly Mailbox[],
  mime: Buffer,
  mailFrom: string,
): Promise<void> {
  const draft = await parseMime(mime)
  const headers = transportHeadersOf(mime)
  const bodyPreview = bodyPreviewOf(draft.body)
  const contents = draft.attachments.map(contentOf)
  const now = mail.clock.now()
  const { attachments, subject, importance, internetMessageId, isRead: _, mime: __, sentAt, ...said } = draft
  // Who a blind copy went to is nobody's business; the transport's headers take the place of the author's own.
  const content: MessageContent = { ...said, bccRecipients: [], internetMessageHeaders: headers }

  const parts: ArrivingParts = {
    put: (tx, message) => putMessage(tx, mail, message, { draft, contents, carried: [] }),
    mime: async () => mime,
    draft: async () => draft,
    putAttachments: (tx, message) => putAttachments(tx, mail, message, { draft, contents }),
  }

  for (const mailbox of mailboxes) {
    const id = mail.ids.next() as MessageId
    const message: Message = {
      mailbox: mailbox.id,
      id,
      folder: folderId('inbox'),
      moves: 0,
      change: mail.ids.next(),
      createdAt: now,
      modifiedAt: now,
      receivedAt: now,
      sentAt: sentAt ?? now,
      isRead: false,
      isDraft: false,
      hasAttachments: hasVisibleAttachment(attachments),
      importance,
      subject,
      internetMessageId: internetMessageId ?? `<${mail.random.uuid()}@${mail.hostname}>`,
      conversation: startConversation(mail, now),
      bodyPreview,
      sizeBytes: mime.byteLength,
      content,
    }
    // One write for each mailbox: they may be kept in different places one day.
    const arriving = { mailbox, message, mailFrom, isInternal: false }
    await completeArrival(mail, arriving, parts, (say) => mail.store.write(say))
  }
}
