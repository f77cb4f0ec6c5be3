import type { AttachmentEnvelope } from './attachment.js'
import { answerConversation } from './conversation.js'
import { emptyDraft } from './empty-draft.js'
import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import type { Mailbox } from './mailbox.js'
import type { Answer, AnswerVerb, Conversation, Draft, EmailAddress, ItemBody, Message } from './message.js'
import { quotedBody } from './quote.js'
import { normalisedSubject } from './subject.js'

export type AnswerKind = 'reply' | 'replyAll' | 'forward'

/** What the author of an answer says of it. */
export interface AnswerRequest {
  readonly kind: AnswerKind
  /** Plain text above the quote. */
  readonly comment: string
  /** Properties of the new message that take the place of what the original would give it. */
  readonly parts: Partial<Draft>
  /** IANA name, of the times in the quote. */
  readonly timeZone: string
}

/** An answer that is ready to be kept as a draft, or sent. */
export interface PreparedAnswer {
  readonly draft: Draft
  readonly options: {
    readonly conversation: Conversation
    readonly answers: Answer
    readonly carried: readonly AttachmentEnvelope[]
  }
}

const verbs: Readonly<Record<AnswerKind, AnswerVerb>> = { reply: 102, replyAll: 103, forward: 104 }

/**
 * The answer to a message: subject, recipients, quote, attachments and thread as the service makes them.
 *
 * @throws MailError referenceInvalid when the original is a draft
 * @see https://learn.microsoft.com/graph/api/message-createreply
 */
export async function prepareAnswer(
  mail: Mail,
  mailbox: Mailbox,
  original: Message,
  request: AnswerRequest,
): Promise<PreparedAnswer> {
  if (original.isDraft) throw new MailError('referenceInvalid', 'A draft cannot be answered: it was not sent yet.')
  const { kind, parts } = request
  const owner = { name: mailbox.displayName, address: mailbox.address }
  const body = parts.body ?? quotedBody(original, request.comment, request.timeZone)
  const draft: Draft = {
    ...emptyDraft(),
    ...recipientsOf(original, mailbox, kind),
    ...(kind === 'forward' ? { importance: original.importance } : {}),
    from: owner,
    sender: owner,
    ...threadOf(original),
    ...parts,
    subject: parts.subject ?? answeredSubject(original.subject ?? '', kind),
    body,
  }
  return {
    draft,
    options: {
      conversation: answerConversation(mail, original.conversation, mail.clock.now()),
      answers: { message: original.id, verb: verbs[kind] },
      carried: await carriedAttachments(mail, original, kind, body),
    },
  }
}

/** One prefix, in upper case, however many the original has collected (documented samples). */
function answeredSubject(subject: string, kind: AnswerKind): string {
  return `${kind === 'forward' ? 'FW' : 'RE'}: ${normalisedSubject(subject)}`
}

type Recipients = Pick<Draft, 'toRecipients' | 'ccRecipients'>

function recipientsOf(original: Message, mailbox: Mailbox, kind: AnswerKind): Recipients {
  if (kind === 'forward') return { toRecipients: [], ccRecipients: [] }
  const { from, replyTo, toRecipients, ccRecipients } = original.content
  const author = replyTo.length > 0 ? replyTo : from === undefined ? [] : [from]
  const isOwn = from !== undefined && isOwnAddress(mailbox, from)
  // What one sent oneself is answered to those it was sent to.
  if (kind === 'reply') return { toRecipients: isOwn ? orElse(toRecipients, author) : author, ccRecipients: [] }
  const seen = new Set<string>()
  const isNew = (recipient: EmailAddress) => {
    const key = recipient.address.toLowerCase()
    if (isOwnAddress(mailbox, recipient) || seen.has(key)) return false
    seen.add(key)
    return true
  }
  const to = (isOwn ? toRecipients : [...author, ...toRecipients]).filter(isNew)
  const cc = ccRecipients.filter(isNew)
  return to.length + cc.length === 0
    ? { toRecipients: author, ccRecipients: [] }
    : { toRecipients: to, ccRecipients: cc }
}

function orElse(recipients: readonly EmailAddress[], others: readonly EmailAddress[]): readonly EmailAddress[] {
  return recipients.length > 0 ? recipients : others
}

function isOwnAddress(mailbox: Mailbox, { address }: EmailAddress): boolean {
  const key = address.toLowerCase()
  return key === mailbox.address.toLowerCase() || key === mailbox.userPrincipalName.toLowerCase()
}

/** Ids that `References` names at most: the first, which the thread began with, and the latest. */
const maxReferences = 30

/** RFC 5322 §3.6.4: what the original refers to, and the original itself. */
function threadOf(original: Message): Pick<Draft, 'inReplyTo' | 'references'> {
  const { inReplyTo, references = inReplyTo ?? '' } = original.content
  const ids = [...new Set([...references.split(/\s+/).filter((id) => id !== ''), original.internetMessageId])]
  const kept = ids.length <= maxReferences ? ids : [...ids.slice(0, 1), ...ids.slice(1 - maxReferences)]
  return { inReplyTo: original.internetMessageId, references: kept.join(' ') }
}

/** A forward carries all of them, a reply those that its quote shows. */
async function carriedAttachments(
  mail: Mail,
  original: Message,
  kind: AnswerKind,
  body: ItemBody,
): Promise<AttachmentEnvelope[]> {
  const attachments = await mail.store.attachments.list(original.mailbox, original.id)
  if (kind === 'forward') return attachments
  return attachments.filter(
    ({ isInline, contentId }) => isInline && contentId !== null && body.content.includes(`cid:${contentId}`),
  )
}
