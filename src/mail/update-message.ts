import { bodyPreviewOf } from './body.js'
import { changed, requireSettled } from './change-message.js'
import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import type { Draft, Message, MessageContent } from './message.js'
import { requireChange } from './move-message.js'
import { putOutgoing } from './outgoing.js'
import { readReceipt } from './read-receipt.js'
import { rescheduledAt, type ScheduledSend } from './scheduled-send.js'

/** What a caller wants changed; what is absent stays. Lists are replaced as a whole. */
export type MessageChanges = Partial<
  Omit<
    Draft,
    'attachments' | 'mime' | 'internetMessageHeaders' | 'inReplyTo' | 'references' | 'answers' | 'readReceipt'
  >
>

/** Refused once a message is sent. */
const ofDraftsAlone = ['from', 'sender', 'replyTo', 'internetMessageId'] as const
/** Left as they are once a message is sent, without a word: what was sent was sent. */
const fixedOnceSent = ['subject', 'body'] as const
/** The owner's own notes: no part of what is sent. */
const notes = new Set(['isRead', 'categories', 'flag', 'inferenceClassification'])

/**
 * Changes properties of a message.
 *
 * @param ifChange the change number the message must still have; absent: the one it was just read with
 * @throws MailError conflict when another write came between, notDraft for `from`, `sender`, `replyTo` and
 *   `internetMessageId` of a message that is none; storeUnavailable
 * @see https://learn.microsoft.com/graph/api/message-update
 */
export async function updateMessage(
  mail: Mail,
  message: Message,
  changes: MessageChanges,
  ifChange?: number,
): Promise<Message> {
  requireChange(message, ifChange)
  const wanted = message.isDraft ? changes : changesOnceSent(changes)
  const names = Object.keys(wanted)
  if (names.length === 0) return message
  const changesMail = names.some((name) => !notes.has(name))
  if (changesMail) await requireSettled(mail, message)
  const receipt = wanted.isRead === true ? await readReceipt(mail, message) : undefined
  const fields = updatedFields(message, wanted)
  const updated = changed(mail, message, receipt === undefined ? fields : withReceipt(message, fields))
  const rescheduled = await rescheduledBy(mail, message, wanted)
  await mail.store.write((tx) => {
    // Counts before the message: `countMove` says why.
    tx.changeFolder(message.mailbox, message.folder, {
      total: 0,
      unread: Number(!updated.isRead) - Number(!message.isRead),
      sizeBytes: updated.sizeBytes - message.sizeBytes,
    })
    tx.updateMessage(updated, message.change)
    if (changesMail) tx.deleteMime(message.mailbox, message.id)
    if (rescheduled !== undefined) tx.putScheduledSend(rescheduled)
    if (receipt !== undefined) putOutgoing(tx, receipt, noParts)
  })
  if (receipt !== undefined) mail.outboxChanged()
  return updated
}

/** A draft that waits for its time, and is given another. @throws MailError propertyInvalid for what is no time */
async function rescheduledBy(
  mail: Mail,
  { mailbox, id, isDraft }: Message,
  { singleValueExtendedProperties: properties }: MessageChanges,
): Promise<ScheduledSend | undefined> {
  if (!isDraft || properties === undefined) return undefined
  const scheduled = await mail.store.schedule.find(mailbox, id)
  const dueAt = scheduled && rescheduledAt(properties)
  return dueAt === undefined || scheduled === undefined ? undefined : { ...scheduled, dueAt }
}

/** A receipt carries nothing of the message. */
const noParts = { putAttachments: () => {} }

function withReceipt({ content }: Message, fields: Partial<Message>): Partial<Message> {
  return { ...fields, content: { ...content, ...fields.content, readReceipt: 'sent' } }
}

function changesOnceSent(changes: MessageChanges): MessageChanges {
  const refused = ofDraftsAlone.find((name) => name in changes)
  if (refused !== undefined) {
    throw new MailError('notDraft', `${refused} can be changed on a draft only.`, { property: refused })
  }
  return Object.fromEntries(
    Object.entries(changes).filter(([name]) => !(fixedOnceSent as readonly string[]).includes(name)),
  )
}

function updatedFields(message: Message, changes: MessageChanges): Partial<Message> {
  const { subject, importance, isRead, internetMessageId, ...said } = changes
  const grown = said.body === undefined ? 0 : said.body.content.length - message.content.body.content.length
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(importance === undefined ? {} : { importance }),
    ...(isRead === undefined ? {} : { isRead }),
    ...(internetMessageId === undefined ? {} : { internetMessageId }),
    ...(said.body === undefined ? {} : { bodyPreview: bodyPreviewOf(said.body) }),
    sizeBytes: message.sizeBytes + grown,
    content: updatedContent(message.content, said),
  }
}

/** A new author is the sender as well, unless one is named. */
function updatedContent(content: MessageContent, changes: Partial<MessageContent>): MessageContent {
  const { from, sender = from } = changes
  return { ...content, ...changes, ...(sender === undefined ? {} : { sender }) }
}
