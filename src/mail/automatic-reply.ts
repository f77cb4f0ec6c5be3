import type { Arriving } from './arrival.js'
import { answerConversation } from './conversation.js'
import { isDeliverableAddress } from './email-address.js'
import { emptyDraft } from './empty-draft.js'
import type { Mail } from './mail.js'
import type { AutomaticReplies } from './mailbox-settings.js'
import type { InternetMessageHeader } from './message.js'
import { automaticMessage, type Outgoing } from './outgoing.js'

/** Local parts of programs and lists, which nobody reads mail of (RFC 3834 §2). */
const ofPrograms = /^(?:mailer-daemon|postmaster|owner-.*|.*-owner|.*-request|no-?reply|do-?not-?reply)$/i

/**
 * Whether a program wrote it, or it went to many who did not ask: RFC 3834 §2, RFC 2919, RFC 2369, and
 * `X-Auto-Response-Suppress` of MS-OXCMAIL.
 */
export function isAutomaticMail(headers: readonly InternetMessageHeader[]): boolean {
  return headers.some(({ name, value }) => {
    const said = value.trim().toLowerCase()
    switch (name.toLowerCase()) {
      case 'auto-submitted':
        return !/^no\b/.test(said)
      case 'precedence':
        return /^(?:bulk|junk|list)\b/.test(said)
      case 'x-auto-response-suppress':
        return /\b(?:all|oof|autoreply)\b/.test(said)
      case 'list-id':
      case 'list-help':
      case 'list-subscribe':
      case 'list-unsubscribe':
      case 'list-post':
      case 'list-owner':
      case 'list-archive':
        return true
      default:
        return false
    }
  })
}

/**
 * The answer that the owner of a mailbox has set for the time they are away, unless nobody is to have one: mail of
 * programs, lists and the mailbox itself gets none, nor does a sender who has had one in this period. Mail from outside
 * must name the mailbox (RFC 3834 §2).
 *
 * @param addresses the mailbox's own, lower case
 */
export async function replyTo(
  mail: Mail,
  arriving: Arriving,
  replies: AutomaticReplies,
  addresses: ReadonlySet<string>,
): Promise<{ outgoing: Outgoing; replied: { sender: string; period: number } } | undefined> {
  const { mailbox, message, mailFrom, isInternal } = arriving
  const sender = mailFrom.toLowerCase()
  const body = isInternal ? replies.internalReplyMessage : replies.externalReplyMessage
  // There are no contacts here, so "contacts only" is nobody.
  if (!isInternal && replies.externalAudience !== 'all') return undefined
  if (body.trim() === '' || addresses.has(sender) || !isAnswerable(mailFrom)) return undefined
  if (isAutomaticMail(message.content.internetMessageHeaders)) return undefined
  if (!isInternal && !isNamed(arriving, addresses)) return undefined
  const { period } = replies
  if (((await mail.store.settings.repliedIn(mailbox.id, sender)) ?? -1) >= period) return undefined

  const { from } = message.content
  const name = from?.address.toLowerCase() === sender ? from.name : undefined
  const outgoing = automaticMessage(
    mail,
    mailbox,
    {
      ...emptyDraft(),
      subject: `Automatic reply: ${message.subject ?? ''}`.trimEnd(),
      body: { contentType: 'html', content: body },
      toRecipients: [name === undefined ? { address: mailFrom } : { name, address: mailFrom }],
      inReplyTo: message.internetMessageId,
      references: message.internetMessageId,
      autoSubmitted: 'auto-replied',
      internetMessageHeaders: [{ name: 'X-Auto-Response-Suppress', value: 'All' }],
    },
    // Empty, so that nothing can come back to it (RFC 3834 §3.3, RFC 5321 §4.5.5).
    { conversation: answerConversation(mail, message.conversation, mail.clock.now()), mailFrom: '' },
  )
  return { outgoing, replied: { sender, period } }
}

function isAnswerable(mailFrom: string): boolean {
  return isDeliverableAddress(mailFrom) && !ofPrograms.test(mailFrom.slice(0, mailFrom.lastIndexOf('@')))
}

function isNamed({ message }: Arriving, addresses: ReadonlySet<string>): boolean {
  const { toRecipients, ccRecipients } = message.content
  return [...toRecipients, ...ccRecipients].some(({ address }) => addresses.has(address.toLowerCase()))
}
