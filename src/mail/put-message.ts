import { type AttachmentEnvelope, keptAttachment } from './attachment.js'
import { conversationFrom, newMessageId, startThread, threadStartOf } from './conversation.js'
import { MailError } from './errors.js'
import type { AttachmentId } from './ids.js'
import type { Mail } from './mail.js'
import { firstFreeId } from './mail-folder.js'
import type { Conversation, Draft, Message } from './message.js'
import type { FolderChange, MailWriter } from './store.js'

/** What a new message is made of beside its own properties. */
export interface MessageParts {
  readonly draft: Draft
  /** Of its attachments, as `contentOf` writes them. */
  readonly contents: readonly Uint8Array[]
  /** Attachments of the answered message that go along. */
  readonly carried: readonly AttachmentEnvelope[]
}

/** Puts a new message into the store with its MIME and attachments; its folder's counts are for the caller to change. */
export function putMessage(
  tx: MailWriter,
  mail: Pick<Mail, 'ids'>,
  message: Message,
  { draft, contents, carried }: MessageParts,
): void {
  tx.insertMessage(message)
  if (draft.mime !== undefined) tx.insertMime(message.mailbox, message.id, draft.mime)
  putAttachments(tx, mail, message, { draft, contents })
  carryAttachments(tx, message, carried)
}

/** The attachments of a draft alone. */
export function putAttachments(
  tx: MailWriter,
  mail: Pick<Mail, 'ids'>,
  message: Message,
  { draft, contents }: Pick<MessageParts, 'draft' | 'contents'>,
): void {
  draft.attachments.forEach((attachment, index) => {
    const content = contents[index] ?? new Uint8Array()
    tx.insertAttachment(keptAttachment(attachment, content, message, mail.ids.next() as AttachmentId))
  })
}

/** What a message counts in its folder. */
function countOf({ isRead, sizeBytes }: Message): FolderChange {
  return { total: 1, unread: isRead ? 0 : 1, sizeBytes }
}

/** The message has come into its folder; guarded where that is one that can be deleted. */
export function countIn(tx: MailWriter, message: Message): void {
  if (message.folder >= firstFreeId) tx.requireFolder(message.mailbox, message.folder)
  tx.changeFolder(message.mailbox, message.folder, countOf(message))
}

/** The message, as it was there, has left its folder; `at`: ms since 1970. */
export function countOut(tx: MailWriter, message: Message, at: number): void {
  const { total, unread, sizeBytes } = countOf(message)
  tx.changeFolder(message.mailbox, message.folder, { total: -total, unread: -unread, sizeBytes: -sizeBytes })
  tx.insertRemoval(message, at)
}

/**
 * The message has gone from one folder to another. Said before the message itself is written, and lower folders first:
 * writes that lock rows lock them in one order, and do not wait for each other in a circle.
 */
export function countMove(tx: MailWriter, from: Message, to: Message): void {
  if (from.folder < to.folder) {
    countOut(tx, from, to.modifiedAt)
    countIn(tx, to)
  } else {
    countIn(tx, to)
    countOut(tx, from, to.modifiedAt)
  }
}

/**
 * A write that puts something into a folder.
 *
 * @throws MailError folderNotFound when the folder was deleted at the same moment; else what the store says
 */
export async function writeInto(
  mail: Pick<Mail, 'store'>,
  { mailbox, folder }: Pick<Message, 'mailbox' | 'folder'>,
  change: (tx: MailWriter) => void,
): Promise<void> {
  try {
    await mail.store.write(change)
  } catch (error) {
    const isConflict = error instanceof MailError && error.code === 'conflict'
    if (!isConflict || (await mail.store.folders.find(mailbox, folder)) !== undefined) throw error
    throw new MailError('folderNotFound', 'The folder was deleted at the same moment.')
  }
}

/** Bytes of a message beside its text and attachments: what headers and properties come to, roughly. */
const overheadBytes = 1_024

/** The Message-ID of a new message, and its thread: the one given, the one that the draft names, or one that it begins. */
export function placeInThread(
  mail: Pick<Mail, 'random' | 'hostname'>,
  draft: Draft,
  conversation: Conversation | undefined,
  createdAt: number,
): Pick<Message, 'internetMessageId' | 'conversation'> {
  const start = threadStartOf(draft)
  if (conversation === undefined && start === undefined && draft.internetMessageId === undefined) {
    return startThread(mail, createdAt)
  }
  const internetMessageId = draft.internetMessageId ?? newMessageId(mail)
  return {
    internetMessageId,
    conversation: conversation ?? conversationFrom(start ?? internetMessageId, createdAt),
  }
}

/** Bytes of a message with its attachments, roughly. */
export function sizeOf({ draft, contents, carried }: MessageParts): number {
  let bytes = overheadBytes + draft.body.content.length
  for (const { sizeBytes } of carried) bytes += sizeBytes
  for (const content of contents) bytes += content.byteLength
  return bytes
}

/** Copies attachments of the answered message to its answer, inside the store. */
function carryAttachments(tx: MailWriter, { mailbox, id }: Message, carried: readonly AttachmentEnvelope[]): void {
  const [first] = carried
  if (first === undefined) return
  const from = { mailbox: first.mailbox, message: first.message }
  tx.copyAttachments(
    from,
    { mailbox, message: id },
    carried.map((attachment) => attachment.id),
  )
}
