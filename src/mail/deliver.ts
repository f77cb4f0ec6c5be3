import type { ArrivingParts } from './arrival.js'
import { attachmentFrom, type NewAttachment } from './attachment.js'
import type { MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { folderId } from './mail-folder.js'
import type { Mailbox } from './mailbox.js'
import type { InternetMessageHeader, Message, MessageContent } from './message.js'
import { headerFields } from './mime/message-header.js'
import { renderMime, transportHeadersOf } from './mime/render.js'
import type { MailWriter } from './store.js'

/** What delivery adds to a message. */
export interface DeliveryNotes {
  /** See {@link headersInTransit}. */
  readonly headers: readonly InternetMessageHeader[]
  readonly bodyPreview: string
}

/**
 * The message as it stands in a recipient's Inbox: unread, without what is the sender's own (Bcc, categories, flag), and
 * with the header fields of the transport, ours on top. The thread is the sender's: ids of conversations that clients
 * see carry the mailbox as well.
 */
export function inboxCopy(
  mail: Pick<Mail, 'clock' | 'ids' | 'hostname'>,
  sent: Message,
  mailbox: Mailbox,
  { headers, bodyPreview }: DeliveryNotes,
): Message {
  const now = mail.clock.now()
  const id = mail.ids.next() as MessageId
  return {
    ...sent,
    mailbox: mailbox.id,
    id,
    folder: folderId('inbox'),
    moves: 0,
    change: mail.ids.next(),
    createdAt: now,
    modifiedAt: now,
    receivedAt: now,
    isRead: false,
    isDraft: false,
    bodyPreview,
    content: {
      ...withoutExtensions(sent.content),
      bccRecipients: [],
      categories: [],
      flag: { flagStatus: 'notFlagged' },
      inferenceClassification: 'focused',
      internetMessageHeaders: [receivedHeader(mail.hostname, id, mailbox.address, now), ...headers],
    },
  }
}

/** The data of applications is the sender's own. */
function withoutExtensions(content: MessageContent): MessageContent {
  if (content.extensions === undefined) return content
  const { extensions: _, ...said } = content
  return said
}

/**
 * The line that each server a message passes puts on top (RFC 5321 §4.4). It names the one mailbox the copy is in, so
 * that it gives no other recipient away.
 */
function receivedHeader(hostname: string, id: MessageId, address: string, at: number): InternetMessageHeader {
  const date = new Date(at).toUTCString().replace('GMT', '+0000')
  return {
    name: 'Received',
    value: `by ${hostname} (Graphpost) with HTTP id ${id.toString(36)} for <${address}>; ${date}`,
  }
}

/** Stands for attachments that need not be read: the header only says whether there are any to be seen. */
const someAttachment: NewAttachment = {
  kind: 'file',
  name: '',
  contentType: null,
  isInline: false,
  contentId: null,
  contentLocation: null,
  content: new Uint8Array(),
}

/**
 * The header fields of a message as it goes out, in their order.
 *
 * @param mime as it goes out, of a message that was submitted in MIME
 */
export function headersInTransit(message: Message, mime: Uint8Array | undefined): InternetMessageHeader[] {
  if (mime !== undefined) return transportHeadersOf(mime)
  const { content, subject, importance, internetMessageId, sentAt, hasAttachments } = message
  const conversationIndex = message.conversation.index
  const attachments = hasAttachments ? [someAttachment] : []
  const source = { content, subject, importance, internetMessageId, conversationIndex, sentAt, attachments }
  const fields = headerFields(source, { includeBcc: false })
  return transportHeadersOf(Buffer.from(`${fields.join('\r\n')}\r\n\r\n`))
}

/**
 * How a copy made by {@link inboxCopy} is put into its mailbox, with the attachments of the message as it was sent.
 *
 * @param mime of a message that was submitted in MIME: as it goes out, which is without the Bcc field it may have had
 */
export function partsOfSent(mail: Pick<Mail, 'store'>, sent: Message, mime: Uint8Array | undefined): ArrivingParts {
  const attachments = async () =>
    (await mail.store.attachments.listWithContent(sent.mailbox, sent.id)).map(attachmentFrom)
  const putAttachments = (tx: MailWriter, copy: Message) =>
    tx.copyAttachments({ mailbox: sent.mailbox, message: sent.id }, { mailbox: copy.mailbox, message: copy.id })
  return {
    putAttachments,
    mime: async () => mime ?? renderMime(sent, await attachments(), { includeBcc: false }),
    draft: async () => ({
      ...withoutExtensions(sent.content),
      bccRecipients: [],
      subject: sent.subject,
      importance: sent.importance,
      isRead: true,
      internetMessageId: sent.internetMessageId,
      attachments: await attachments(),
      ...(mime === undefined ? {} : { mime }),
    }),
    put: (tx, copy) => {
      tx.insertMessage(copy)
      if (mime !== undefined) tx.insertMime(copy.mailbox, copy.id, mime)
      putAttachments(tx, copy)
    },
  }
}
