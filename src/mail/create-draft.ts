import { type AttachmentEnvelope, contentOf, hasVisibleAttachment, keptAttachment } from './attachment.js'
import { startConversation } from './conversation.js'
import type { AttachmentId, FolderId, MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { folderId } from './mail-folder.js'
import type { Mailbox } from './mailbox.js'
import type { Answer, Conversation, Draft, Message, MessageContent } from './message.js'
import { carryAttachments, newMessageId, sizeOf, sizeOfAll } from './submit.js'

export interface CreateOptions {
  /** Drafts unless given. */
  readonly folder?: FolderId
  /** Of an answer; a new thread unless given. */
  readonly conversation?: Conversation
  readonly answers?: Answer
  /** Attachments of the answered message that are taken over. */
  readonly carried?: readonly AttachmentEnvelope[]
  /** Present: the message is no draft, but one from elsewhere that is put in as it was. Moments in ms since 1970. */
  readonly imported?: { readonly receivedAt?: number; readonly sentAt?: number }
}

/**
 * Keeps a new message that its author may go on writing. Recipients are not checked yet: that is for sending it.
 *
 * @throws MailError storeUnavailable
 * @see https://learn.microsoft.com/graph/api/user-post-messages
 */
export async function createDraft(
  mail: Mail,
  mailbox: Mailbox,
  draft: Draft & { readonly sentAt?: number },
  options: CreateOptions = {},
): Promise<Message> {
  const contents = draft.attachments.map(contentOf)
  const message = newDraft(mail, mailbox, draft, contents, options)
  await mail.store.write((tx) => {
    tx.insertMessage(message)
    if (draft.mime !== undefined) tx.insertMime(message.mailbox, message.id, draft.mime)
    draft.attachments.forEach((attachment, index) => {
      const content = contents[index] ?? new Uint8Array()
      tx.insertAttachment(keptAttachment(attachment, content, message, mail.ids.next() as AttachmentId))
    })
    carryAttachments(tx, message, options.carried)
    tx.changeFolder(message.mailbox, message.folder, {
      total: 1,
      unread: message.isRead ? 0 : 1,
      sizeBytes: message.sizeBytes,
    })
  })
  return message
}

function newDraft(
  mail: Mail,
  mailbox: Mailbox,
  draft: Draft & { readonly sentAt?: number },
  contents: readonly Uint8Array[],
  { folder = folderId('drafts'), conversation, answers, carried = [], imported }: CreateOptions,
): Message {
  const now = mail.clock.now()
  return {
    mailbox: mailbox.id,
    id: mail.ids.next() as MessageId,
    folder,
    moves: 0,
    change: mail.ids.next(),
    createdAt: now,
    modifiedAt: now,
    receivedAt: imported?.receivedAt ?? now,
    // Of a draft in MIME its `Date`, as the published example shows.
    sentAt: imported?.sentAt ?? imported?.receivedAt ?? draft.sentAt ?? now,
    isRead: draft.isRead,
    isDraft: imported === undefined,
    hasAttachments: hasVisibleAttachment([...draft.attachments, ...carried]),
    importance: draft.importance,
    subject: draft.subject,
    internetMessageId: draft.internetMessageId ?? newMessageId(mail),
    conversation: conversation ?? startConversation(mail, now),
    sizeBytes: sizeOf(draft, contents) + sizeOfAll(carried),
    content: draftContent(draft, answers),
  }
}

/** A draft that names its author names its sender too, and one that does not has neither (recorded). */
function draftContent(draft: Draft, answers: Answer | undefined): MessageContent {
  const {
    subject: _,
    importance: __,
    isRead: ___,
    attachments: ____,
    internetMessageId: _____,
    mime: ______,
    ...said
  } = draft
  const { from, sender = from } = said
  return {
    ...said,
    ...(from === undefined ? {} : { from }),
    ...(sender === undefined ? {} : { sender }),
    ...(answers === undefined ? {} : { answers }),
  }
}
