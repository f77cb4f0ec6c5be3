import { type AttachmentEnvelope, contentOf, hasVisibleAttachment } from './attachment.js'
import { bodyPreviewOf } from './body.js'
import type { FolderId, MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { folderId } from './mail-folder.js'
import type { Mailbox } from './mailbox.js'
import type { Answer, Conversation, Draft, Message, MessageContent } from './message.js'
import { countIn, type MessageParts, placeInThread, putMessage, sizeOf, writeInto } from './put-message.js'
import type { MailWriter } from './store.js'

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

/** `sentAt`: the `Date` of a draft in MIME, ms since 1970. */
type NewDraft = Draft & { readonly sentAt?: number }

/**
 * Keeps a new message that its author may go on writing. Recipients are not checked yet: that is for sending it.
 *
 * @throws MailError folderNotFound, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/user-post-messages
 */
export async function createDraft(
  mail: Mail,
  mailbox: Mailbox,
  draft: NewDraft,
  options: CreateOptions = {},
  alsoWrite: (tx: MailWriter, created: Message) => void = () => {},
): Promise<Message> {
  const parts = { draft, contents: draft.attachments.map(contentOf), carried: options.carried ?? [] }
  const message = newDraft(mail, mailbox, parts, options)
  await writeInto(mail, message, (tx) => {
    putMessage(tx, mail, message, parts)
    countIn(tx, message)
    alsoWrite(tx, message)
  })
  return message
}

function newDraft(
  mail: Mail,
  mailbox: Mailbox,
  parts: MessageParts & { readonly draft: NewDraft },
  { folder = folderId('drafts'), conversation: given, answers, imported }: CreateOptions,
): Message {
  const { draft, carried } = parts
  const now = mail.clock.now()
  const { internetMessageId, conversation } = placeInThread(mail, draft, given, now)
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
    internetMessageId,
    conversation,
    sizeBytes: sizeOf(parts),
    // Shown in the answer to whoever made it, and in every list after that.
    bodyPreview: bodyPreviewOf(draft.body),
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
