/** Messages for searches, kept in a store without a server. */
import { randomBytes, randomUUID } from 'node:crypto'
import { createMailbox } from '../../src/mail/create-mailbox.js'
import type { MessageId, TenantId } from '../../src/mail/ids.js'
import { folderId, noFolder } from '../../src/mail/mail-folder.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import type { Message } from '../../src/mail/message.js'
import { countIn } from '../../src/mail/put-message.js'
import type { Store } from '../../src/store/open.js'

const tenant = '00000000-0000-4000-8000-00000000000a' as TenantId
const random = { bytes: (count: number) => randomBytes(count), uuid: () => randomUUID() }

/** A new mailbox. */
export function mailboxIn(store: Store): Promise<Mailbox> {
  const mail = { store: store.mail, ids: store.ids, random }
  return createMailbox(mail, { tenant, userPrincipalName: `${randomUUID()}@contoso.com`, displayName: 'Adele' })
}

/** What a searched message says. */
export interface Said {
  readonly subject: string
  readonly body: string
  readonly from: string
  readonly to: string
}

/** A message that says this; everything else is as in any other, unless given. */
export function messageIn(store: Store, mailbox: Mailbox, said: Said, given: Partial<Message> = {}): Message {
  const at = 1_700_000_000_000
  return {
    mailbox: mailbox.id,
    id: store.ids.next() as MessageId,
    folder: folderId('inbox'),
    moves: 0,
    change: store.ids.next(),
    createdAt: at,
    modifiedAt: at,
    receivedAt: at,
    sentAt: at,
    isRead: false,
    isDraft: false,
    hasAttachments: false,
    importance: 'normal',
    internetMessageId: '<a@example.com>',
    conversation: { id: '0'.repeat(32), index: 'AQ==' },
    sizeBytes: 100,
    ...given,
    subject: said.subject,
    content: {
      body: { contentType: 'text', content: said.body },
      from: { name: said.from, address: 'customer@example.com' },
      toRecipients: [{ name: said.to, address: 'adele@contoso.com' }],
      ccRecipients: [],
      bccRecipients: [],
      replyTo: [],
      categories: [],
      flag: { flagStatus: 'notFlagged' },
      inferenceClassification: 'focused',
      isDeliveryReceiptRequested: null,
      isReadReceiptRequested: false,
      internetMessageHeaders: [],
      singleValueExtendedProperties: [],
      multiValueExtendedProperties: [],
    },
  }
}

/** Keeps the messages, counted in their folders. */
export async function insert(store: Store, ...messages: Message[]): Promise<void> {
  await store.mail.write((tx) => {
    for (const message of messages) {
      tx.insertMessage(message)
      if (message.folder !== noFolder) countIn(tx, message)
    }
  })
}
