import { changed, onCurrent } from './change-message.js'
import { MailError } from './errors.js'
import type { FolderId } from './ids.js'
import type { Mail } from './mail.js'
import { folderId, type MailFolder, noFolder, outsideTree } from './mail-folder.js'
import type { Message } from './message.js'
import { countMove, countOut } from './put-message.js'
import { deferredUntil, rescheduledAt, type ScheduledSend } from './scheduled-send.js'
import { type Acting, type Sender, senderOf } from './sender.js'
import type { MailWriter } from './store.js'
import { outboxEntries, requireRecipients, writeWithinLimits } from './submit.js'

/**
 * Sends a draft: it leaves its folder for Sent Items, and stands in the outbox, in one write. Of several that send the
 * same draft at once, one does. A draft that asks to be sent later stays as it is until then (decision 22).
 *
 * @throws MailError notInStore (also for what is no draft, as the service says it), noRecipients, tooManyRecipients,
 *   recipientInvalid, sendAsDenied, submissionQuotaExceeded, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/message-send
 */
export async function sendDraft(mail: Mail, acting: Acting, message: Message): Promise<Message> {
  const sent = await onCurrent(mail, message, (draft) => sendCurrent(mail, acting, draft))
  mail.outboxChanged()
  return sent
}

async function sendCurrent(mail: Mail, acting: Acting, draft: Message): Promise<Message> {
  const sender = await sendable(mail, acting, draft)
  const dueAt = deferredUntil(draft.content.singleValueExtendedProperties, mail.clock.now())
  if (dueAt === undefined) return sendNow(mail, sender, draft, { saveToSentItems: true })
  const { mailbox, id: message } = draft
  const { actor, forOthers } = acting
  await mail.store.write((tx) =>
    tx.putScheduledSend({ mailbox, message, dueAt, actor: actor.id, forOthers, saveToSentItems: true }),
  )
  return draft
}

async function sendable(mail: Mail, acting: Acting, draft: Message): Promise<Sender> {
  if (!draft.isDraft) throw new MailError('notInStore', 'Only a draft can be sent, and this message is none any more.')
  requireRecipients(draft.content, mail.limits.maxRecipients)
  return senderOf(mail, acting, draft.content.from)
}

async function sendNow(
  mail: Mail,
  sender: Sender,
  draft: Message,
  { saveToSentItems }: { saveToSentItems: boolean },
  alsoWrite: (tx: MailWriter) => void = () => {},
): Promise<Message> {
  const sent = sentFrom(mail, sender, draft, saveToSentItems ? folderId('sentitems') : noFolder)
  const { answers } = draft.content
  await writeWithinLimits(mail, outboxEntries(sent), (entries) =>
    mail.store.write((tx) => {
      alsoWrite(tx)
      if (saveToSentItems) countMove(tx, draft, sent)
      else countOut(tx, draft, sent.modifiedAt)
      tx.updateMessage(sent, draft.change)
      if (answers !== undefined) tx.markAnswered(sent.mailbox, answers, sent.sentAt, mail.ids.next())
      for (const entry of entries) tx.insertOutboxEntry(entry)
    }),
  )
  return sent
}

/** The same message as it stands where sent ones are kept. */
function sentFrom(mail: Mail, { from, sender }: Sender, draft: Message, folder: FolderId): Message {
  const now = mail.clock.now()
  const { answers: _, ...said } = draft.content
  return changed(mail, draft, {
    folder,
    moves: draft.moves + 1,
    receivedAt: now,
    sentAt: now,
    isRead: true,
    isDraft: false,
    content: { ...said, from, sender },
  })
}

/** What became of a scheduled send whose time has come. */
export type ScheduledFate = 'sent' | 'postponed' | 'cancelled'

/**
 * Sends a draft whose time has come, in the write that ends its being scheduled: once, in whichever process. One that was
 * deleted meanwhile, or sent by hand, is not; one that asks for a later time by now waits for that.
 *
 * @throws MailError as {@link sendDraft} does, where what the draft says by now cannot be sent: it stays a draft, and is no
 *   longer scheduled. conflict: somebody else was first
 */
export async function sendScheduled(mail: Mail, scheduled: ScheduledSend): Promise<ScheduledFate> {
  const { mailbox, message, saveToSentItems } = scheduled
  const draft = await mail.store.messages.find(mailbox, message)
  const end = (tx: MailWriter) => tx.deleteScheduledSend(scheduled)
  if (draft === undefined || !draft.isDraft || (await isDeleted(mail, draft))) {
    await mail.store.write(end)
    return 'cancelled'
  }
  try {
    const laterAt = rescheduledAt(draft.content.singleValueExtendedProperties) ?? 0
    if (laterAt > mail.clock.now()) {
      await mail.store.write((tx) => {
        end(tx)
        tx.putScheduledSend({ ...scheduled, dueAt: laterAt })
      })
      return 'postponed'
    }
    const sender = await sendable(mail, await actingOf(mail, scheduled), draft)
    await sendNow(mail, sender, draft, { saveToSentItems }, end)
  } catch (error) {
    const { code = '' } = error instanceof MailError ? error : {}
    if (code !== '' && !passing.has(code)) await mail.store.write(end)
    throw error
  }
  mail.outboxChanged()
  return 'sent'
}

/** What a later try may get past. */
const passing: ReadonlySet<string> = new Set(['conflict', 'storeUnavailable', 'submissionQuotaExceeded'])

async function actingOf(mail: Mail, { mailbox, actor, forOthers }: ScheduledSend): Promise<Acting> {
  return { mailbox: await mail.store.mailboxes.get(mailbox), actor: await mail.store.mailboxes.get(actor), forOthers }
}

/** In Deleted Items, in a folder under it, or gone further. */
async function isDeleted({ store }: Mail, { mailbox, folder }: Message): Promise<boolean> {
  for (let at: FolderId | undefined = folder; at !== undefined && at !== outsideTree; ) {
    if (at === folderId('deleteditems') || at === folderId('recoverableitemsdeletions')) return true
    const found: MailFolder | undefined = await store.folders.find(mailbox, at)
    if (found === undefined) return true
    at = found.parent
  }
  return false
}
