import type { Onward } from './apply-rules.js'
import type { Arriving, ArrivingParts } from './arrival.js'
import { answerConversation, newMessageId } from './conversation.js'
import { emptyDraft } from './empty-draft.js'
import type { MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { noFolder } from './mail-folder.js'
import type { Draft, EmailAddress, Message } from './message.js'
import { headerValues, loopHeader } from './message-rule.js'
import { resentMime } from './mime/resent.js'
import { automaticMessage, type Outgoing } from './outgoing.js'
import { quotedBody } from './quote.js'
import { normalisedSubject } from './subject.js'
import { outboxEntries } from './submit.js'

/** How many mailboxes' rules may send one message on, one after the other. */
const maxHops = 3

/**
 * Whether rules may send the message on. Not in a circle: each mailbox on the way puts its name on it. And not what has
 * no return path, which is what comes back of mail that was sent on before.
 */
export function maySendOnward({ message, mailFrom }: Arriving, addresses: ReadonlySet<string>): boolean {
  const passed = headerValues(message, loopHeader)
  return mailFrom !== '' && passed.length < maxHops && !passed.some((each) => addresses.has(each.trim().toLowerCase()))
}

/** The message as a rule sends it on. Bounces go to the owner of the rule, not to its author. */
export async function sentOnward(
  mail: Mail,
  arriving: Arriving,
  parts: ArrivingParts,
  { kind, recipients }: Onward,
): Promise<Outgoing> {
  if (kind === 'redirectTo') return redirected(mail, arriving, parts, recipients)
  const { mailbox, message } = arriving
  const draft = kind === 'forwardTo' ? forwarding(message) : attaching(message, await parts.draft())
  const outgoing = automaticMessage(
    mail,
    mailbox,
    {
      ...draft,
      toRecipients: recipients,
      autoSubmitted: 'auto-generated',
      internetMessageHeaders: passedHeaders(arriving),
    },
    { conversation: answerConversation(mail, message.conversation, mail.clock.now()), mailFrom: mailbox.address },
  )
  if (kind === 'forwardAsAttachmentTo') return outgoing
  const carrying = { ...outgoing.message, hasAttachments: message.hasAttachments, sizeBytes: message.sizeBytes }
  return { ...outgoing, message: carrying, carries: true }
}

function forwarding(message: Message): Draft {
  return {
    ...emptyDraft(),
    subject: `FW: ${normalisedSubject(message.subject ?? '')}`,
    body: quotedBody(message, '', 'UTC'),
    importance: message.importance,
  }
}

function attaching(message: Message, attached: Draft): Draft {
  const subject = normalisedSubject(message.subject ?? '')
  return {
    ...emptyDraft(),
    subject: `FW: ${subject}`,
    importance: message.importance,
    attachments: [
      {
        kind: 'item',
        name: subject,
        contentType: null,
        isInline: false,
        item: { type: 'message', message: attached },
      },
    ],
  }
}

/** The message itself, to others, its author unchanged (RFC 5322 §3.6.6). */
async function redirected(
  mail: Mail,
  arriving: Arriving,
  parts: ArrivingParts,
  recipients: readonly EmailAddress[],
): Promise<Outgoing> {
  const { mailbox, message } = arriving
  const now = mail.clock.now()
  const resent: Message = {
    ...message,
    id: mail.ids.next() as MessageId,
    change: mail.ids.next(),
    folder: noFolder,
    isRead: true,
    content: { ...message.content, internetMessageHeaders: passedHeaders(arriving) },
  }
  const mime = resentMime(await parts.mime(), {
    from: { name: mailbox.displayName, address: mailbox.address },
    to: recipients,
    at: now,
    messageId: newMessageId(mail),
    loop: { name: loopHeader, value: mailbox.address },
  })
  const entries = outboxEntries(resent, { recipients, mailFrom: mailbox.address, at: now })
  return { message: resent, mime, entries, attachments: [], carries: true }
}

/** The mailboxes that have sent it on, this one the last. */
function passedHeaders({ mailbox, message }: Arriving) {
  const passed = [...headerValues(message, loopHeader), mailbox.address]
  return passed.map((value) => ({ name: loopHeader, value }))
}
