import type { Attachment, NewAttachment } from '../../../src/mail/attachment.js'
import { contentOf } from '../../../src/mail/attachment.js'
import type { AttachmentId, FolderId, MailboxId, MessageId, TenantId } from '../../../src/mail/ids.js'
import type { Mailbox } from '../../../src/mail/mailbox.js'
import type { Message, MessageContent } from '../../../src/mail/message.js'

/** Ada's mailbox. */
export const mailbox: Mailbox = {
  id: 1 as MailboxId,
  tenant: '4bb2ee9c-7c3c-4b1a-9a55-9c62b0aae0c7' as TenantId,
  guid: '7a1b6c1e-52d4-4f0e-9c3a-0d9be2f4a811',
  owner: 'e0c7b0aa-9a55-4c62-8f0b-6b1d3a3f2c90',
  userPrincipalName: 'ada@example.com',
  address: 'ada@example.com',
  displayName: 'Ada',
}

/** A plain draft that nobody has sent: no from, no sender. */
export const content: MessageContent = {
  body: { contentType: 'text', content: 'Test email' },
  toRecipients: [{ address: 'bob@example.com' }],
  ccRecipients: [],
  bccRecipients: [],
  replyTo: [],
  categories: [],
  flag: { flagStatus: 'notFlagged' },
  inferenceClassification: 'focused',
  isDeliveryReceiptRequested: false,
  isReadReceiptRequested: false,
  internetMessageHeaders: [],
  singleValueExtendedProperties: [],
  multiValueExtendedProperties: [],
}

/** A message in Sent Items, with what the test says otherwise of it. */
export function messageWith(
  said: Partial<Omit<Message, 'content'>> = {},
  inContent: Partial<MessageContent> = {},
): Message {
  const at = Date.UTC(2025, 0, 14, 16, 11, 39, 987)
  return {
    mailbox: mailbox.id,
    id: 0x1234 as MessageId,
    folder: 0x109 as FolderId,
    moves: 0,
    change: 0x1235,
    createdAt: at,
    modifiedAt: at + 1_000,
    receivedAt: at + 2_000,
    sentAt: at + 3_000,
    isRead: true,
    isDraft: false,
    hasAttachments: false,
    importance: 'normal',
    subject: 'Lunch?',
    internetMessageId: '<1@example.com>',
    conversation: { id: 'cd41cf2717dd1845bdcc9992ccd415eb', index: 'AQHbZp7+zUHPJxfdGEW9zJmSzNQV6w==' },
    sizeBytes: 2_722,
    ...said,
    content: { ...content, ...inContent },
  }
}

/** The attachment as the store would give it back. */
export function kept(attachment: NewAttachment, id = 0x2000): Attachment {
  const bytes = contentOf(attachment)
  const isFile = attachment.kind === 'file'
  return {
    mailbox: mailbox.id,
    message: 0x1234 as MessageId,
    id: id as AttachmentId,
    kind: attachment.kind,
    name: attachment.name,
    contentType: attachment.contentType,
    isInline: attachment.isInline,
    sizeBytes: bytes.byteLength,
    contentId: isFile ? attachment.contentId : null,
    contentLocation: isFile ? attachment.contentLocation : null,
    modifiedAt: Date.UTC(2025, 0, 14, 16, 11, 39, 987),
    content: bytes,
  }
}
