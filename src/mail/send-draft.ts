import { changed, onCurrent } from './change-message.js'
import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import { folderId } from './mail-folder.js'
import type { Message } from './message.js'
import { countMove } from './put-message.js'
import { type Acting, type Sender, senderOf } from './sender.js'
import { requireRecipients, writeWithinLimits } from './submit.js'

/**
 * Sends a draft: it leaves its folder for Sent Items, and stands in the outbox, in one write. Of several that send the
 * same draft at once, one does.
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
  if (!draft.isDraft) throw new MailError('notInStore', 'Only a draft can be sent, and this message is none any more.')
  requireRecipients(draft.content, mail.limits.maxRecipients)
  const sent = sentFrom(mail, await senderOf(mail, acting, draft.content.from), draft)
  const { answers } = draft.content
  await writeWithinLimits(mail, sent, (entries) =>
    mail.store.write((tx) => {
      countMove(tx, draft, sent)
      tx.updateMessage(sent, draft.change)
      if (answers !== undefined) tx.markAnswered(sent.mailbox, answers, sent.sentAt, mail.ids.next())
      for (const entry of entries) tx.insertOutboxEntry(entry)
    }),
  )
  return sent
}

/** The same message as it stands in Sent Items. */
function sentFrom(mail: Mail, { from, sender }: Sender, draft: Message): Message {
  const now = mail.clock.now()
  const { answers: _, ...said } = draft.content
  return changed(mail, draft, {
    folder: folderId('sentitems'),
    moves: draft.moves + 1,
    receivedAt: now,
    sentAt: now,
    isRead: true,
    isDraft: false,
    content: { ...said, from, sender },
  })
}
