import type { NewFileAttachment } from '../../../src/mail/attachment.js'
import type { FolderId, MailboxId, MessageId } from '../../../src/mail/ids.js'
import type { Draft, Message, MessageContent } from '../../../src/mail/message.js'

const content: MessageContent = {
  body: { contentType: 'text', content: 'See you at noon.' },
  from: { name: 'Ada King', address: 'ada@example.com' },
  sender: { name: 'Ada King', address: 'ada@example.com' },
  toRecipients: [{ name: 'Grace', address: 'grace@example.org' }],
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

/** A message as it is kept, of 2025-03-04 05:06:07 UTC; `changed` replaces parts of what it says, `fields` the rest. */
export function sampleMessage(changed: Partial<MessageContent> = {}, fields: Partial<Message> = {}): Message {
  const at = Date.UTC(2025, 2, 4, 5, 6, 7)
  return {
    mailbox: 1 as MailboxId,
    id: 4096 as MessageId,
    folder: 0x109 as FolderId,
    moves: 0,
    change: 1,
    createdAt: at,
    modifiedAt: at,
    receivedAt: at,
    sentAt: at,
    isRead: true,
    isDraft: false,
    hasAttachments: false,
    importance: 'normal',
    subject: 'Lunch?',
    internetMessageId: '<0123456789ABCDEF@mail.example.com>',
    conversation: { id: '00'.repeat(16), index: 'AQHbZp7AAAAAAAAAAAAAAAAAAAAAAA==' },
    sizeBytes: 100,
    content: { ...content, ...changed },
    ...fields,
  }
}

/** A draft that can be attached to a message. */
export function sampleDraft(fields: Partial<Draft> = {}): Draft {
  return { ...content, subject: 'Inside', importance: 'normal', isRead: true, attachments: [], ...fields }
}

/** A file that is not inline, with no content id. */
export function sampleFile(
  name: string,
  bytes: Uint8Array,
  fields: Partial<NewFileAttachment> = {},
): NewFileAttachment {
  return {
    kind: 'file',
    name,
    contentType: 'application/octet-stream',
    isInline: false,
    contentId: null,
    contentLocation: null,
    content: bytes,
    ...fields,
  }
}
