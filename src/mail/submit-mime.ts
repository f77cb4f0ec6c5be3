import type { MessageId } from './ids.js'
import type { Mail } from './mail.js'
import type { Mailbox } from './mailbox.js'
import type { EmailAddress } from './message.js'
import { toCrlf } from './mime/line-ends.js'
import { parseMime } from './mime/parse.js'
import { type Acting, senderOf } from './sender.js'
import { submitMessage } from './submit.js'

/** A message that its author's own program hands over by SMTP (RFC 6409). */
export interface Submission {
  readonly mime: Buffer
  /** Return path as given; empty: nothing is to come back. */
  readonly mailFrom: string
  /** Whom it goes to, whatever its header says. */
  readonly recipients: readonly string[]
  /** Whether its author wants to hear that it was delivered (RFC 3461 `NOTIFY=SUCCESS`). */
  readonly wantsReceipt: boolean
}

/** Who a user acts as: themselves, and whoever lets them. */
export function actingAs(mailbox: Mailbox): Acting {
  return { mailbox, actor: mailbox, forOthers: true }
}

/**
 * Hands a message over for delivery to those of its envelope, as `sendMail` does, with a copy in Sent Items. Recipients
 * that its header does not name are hidden ones.
 *
 * @throws MailError mimeInvalid, sendAsDenied, tooManyRecipients, recipientInvalid, storeUnavailable
 */
export async function submitMime(mail: Mail, user: Mailbox, submission: Submission): Promise<MessageId> {
  const { mailFrom, wantsReceipt } = submission
  const acting = actingAs(user)
  const draft = await parseMime(toCrlf(submission.mime))
  const envelopeSender = mailFrom === '' ? undefined : await senderOf(mail, acting, { address: mailFrom })
  const author = draft.from ?? envelopeSender?.from
  const recipients = submission.recipients.map((address): EmailAddress => ({ address }))
  const named = new Set([...draft.toRecipients, ...draft.ccRecipients].map(({ address }) => address.toLowerCase()))
  return submitMessage(
    mail,
    acting,
    {
      ...draft,
      ...(author === undefined ? {} : { from: author }),
      bccRecipients: recipients.filter(({ address }) => !named.has(address.toLowerCase())),
      isDeliveryReceiptRequested: wantsReceipt,
    },
    {
      saveToSentItems: true,
      envelope: { recipients, mailFrom: envelopeSender?.sender.address ?? '' },
    },
  )
}
