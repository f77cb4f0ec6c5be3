import type { AttachmentEnvelope } from './attachment.js'
import { contentIdsIn } from './content-ids.js'
import { answerConversation } from './conversation.js'
import { emptyDraft } from './empty-draft.js'
import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import type { Mailbox } from './mailbox.js'
import type { Answer, AnswerVerb, Conversation, Draft, EmailAddress, Message } from './message.js'
import { readdressed } from './mime/answer-header.js'
import { threadIdsOf } from './mime/message-header.js'
import type { ParsedDraft } from './mime/parse.js'
import { quotedBody } from './quote.js'
import { normalisedSubject } from './subject.js'

export type AnswerKind = 'reply' | 'replyAll' | 'forward'

/** What the author of an answer says of it: all of it in MIME, or what is to be added to the quoted original. */
export type AnswerSaid =
  | { readonly mime: ParsedDraft }
  | {
      /** Plain text above the quote. */
      readonly comment: string
      /** Properties of the new message that take the place of what the original would give it. */
      readonly parts: Partial<Draft>
      /** IANA name, of the times in the quote. */
      readonly timeZone: string
    }

/** An answer that is ready to be kept as a draft, or sent. */
export interface PreparedAnswer {
  readonly draft: ParsedDraft
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
  kind: AnswerKind,
  said: AnswerSaid,
): Promise<PreparedAnswer> {
  if (original.isDraft) throw new MailError('referenceInvalid', 'A draft cannot be answered: it was not sent yet.')
  const conversation = answerConversation(mail, original.conversation, mail.clock.now())
  const answers = { message: original.id, verb: verbs[kind] }
  if ('mime' in said) {
    const draft = answerInMime(mailbox, original, kind, said.mime, conversation)
    return { draft, options: { conversation, answers, carried: [] } }
  }
  const { comment, parts, timeZone } = said
  const draft: Draft = {
    ...emptyDraft(),
    ...(kind === 'forward' ? { importance: original.importance } : {}),
    ...parts,
    ...authorOf(mailbox, parts),
    ...recipientsOf(mailbox, original, kind, parts),
    ...threadOf(original),
    subject: parts.subject ?? answeredSubject(original, kind),
    body: givenBody(parts, comment) ?? quotedBody(original, comment, timeZone),
  }
  return { draft, options: { conversation, answers, carried: await carriedAttachments(mail, original, kind, draft) } }
}

/**
 * An answer that came in MIME: content and files are the MIME's alone, its body byte for byte. To whom it goes, and where
 * in the thread it stands, follows from the message it answers; only a forward goes to those the MIME names.
 */
function answerInMime(
  mailbox: Mailbox,
  original: Message,
  kind: AnswerKind,
  given: ParsedDraft,
  conversation: Conversation,
): ParsedDraft {
  const { internetMessageId, mime, ...content } = given
  const isForward = kind === 'forward'
  const draft: ParsedDraft = {
    ...content,
    ...authorOf(mailbox),
    ...recipientsOf(mailbox, original, kind, isForward ? given : {}),
    ...(isForward ? {} : { bccRecipients: [] }),
    ...threadOf(original),
    subject: given.subject ?? answeredSubject(original, kind),
    // The MIME of the original, changed and sent back, is another message.
    ...(internetMessageId === undefined || internetMessageId === original.internetMessageId
      ? {}
      : { internetMessageId }),
  }
  return mime === undefined ? draft : { ...draft, mime: readdressed(mime, draft, conversation.index) }
}

/** An empty body beside a comment says nothing. */
function givenBody({ body }: Partial<Draft>, comment: string): Draft['body'] | undefined {
  return body?.content === '' && comment !== '' ? undefined : body
}

function authorOf(mailbox: Mailbox, parts: Partial<Draft> = {}): Pick<Draft, 'from' | 'sender'> {
  const owner = { name: mailbox.displayName, address: mailbox.address }
  return { from: parts.from ?? owner, sender: parts.sender ?? owner }
}

/** One prefix, in upper case, in the place of the one the original has (documented samples). */
function answeredSubject({ subject }: Message, kind: AnswerKind): string {
  return `${kind === 'forward' ? 'FW' : 'RE'}: ${normalisedSubject(subject ?? '')}`
}

type Recipients = Pick<Draft, 'toRecipients' | 'ccRecipients'>

/** Those that are given replace those that follow from the original; a list without anybody is none. */
function recipientsOf(mailbox: Mailbox, original: Message, kind: AnswerKind, given: Partial<Draft>): Recipients {
  const { toRecipients = [], ccRecipients } = given
  if (kind === 'forward') return { toRecipients, ccRecipients: ccRecipients ?? [] }
  const answered = answeredRecipients(mailbox, original, kind)
  if (toRecipients.length === 0) return { ...answered, ...(ccRecipients === undefined ? {} : { ccRecipients }) }
  const isNew = distinctFrom(toRecipients)
  return { toRecipients, ccRecipients: ccRecipients ?? answered.ccRecipients.filter(isNew) }
}

/**
 * Who a reply goes to: those the author wants to have it, or the author; a reply to all, also whoever else has the
 * message. Nobody twice, and not the mailbox itself unless there is nobody else. What one sent oneself is answered to
 * those it was sent to (documented sample).
 */
function answeredRecipients(mailbox: Mailbox, { content }: Message, kind: AnswerKind): Recipients {
  const { from, sender = from, replyTo, toRecipients, ccRecipients } = content
  const author = replyTo.length > 0 ? replyTo : [from ?? sender].filter((address) => address !== undefined)
  const isOwn = from !== undefined && isOwnAddress(mailbox, from)
  const addressed = isOwn ? toRecipients : kind === 'reply' ? author : [...author, ...toRecipients]
  const isNew = distinctFrom([mailbox, { address: mailbox.userPrincipalName }])
  const to = addressed.filter(isNew)
  const cc = kind === 'reply' ? [] : ccRecipients.filter(isNew)
  return to.length + cc.length > 0
    ? { toRecipients: to, ccRecipients: cc }
    : { toRecipients: author.filter(distinctFrom([])), ccRecipients: [] }
}

function isOwnAddress(mailbox: Mailbox, { address }: EmailAddress): boolean {
  const key = address.toLowerCase()
  return key === mailbox.address.toLowerCase() || key === mailbox.userPrincipalName.toLowerCase()
}

/** Tells of each address whether it is none of these, nor one it was asked of before; case does not count. */
function distinctFrom(addresses: readonly Pick<EmailAddress, 'address'>[]): (recipient: EmailAddress) => boolean {
  const seen = new Set(addresses.map(({ address }) => address.toLowerCase()))
  return ({ address }) => {
    const key = address.toLowerCase()
    if (seen.has(key)) return false
    seen.add(key)
    return true
  }
}

/** Ids that `References` names at most: the first, which the thread began with, and the latest. */
const maxReferences = 20

/** RFC 5322 §3.6.4: what the original refers to, and the original itself. */
function threadOf(original: Message): Pick<Draft, 'inReplyTo' | 'references'> {
  const { inReplyTo, references } = threadIdsOf(original.content)
  const earlier = references.length > 0 ? references : inReplyTo.slice(0, 1)
  const ids = [...new Set([...earlier.filter((id) => id !== original.internetMessageId), original.internetMessageId])]
  const kept = ids.length <= maxReferences ? ids : [...ids.slice(0, 1), ...ids.slice(1 - maxReferences)]
  return { inReplyTo: original.internetMessageId, references: kept.join(' ') }
}

/** A forward carries all of them, a reply those that its body shows, unless it brings its own. */
async function carriedAttachments(
  mail: Mail,
  original: Message,
  kind: AnswerKind,
  { body, attachments }: Draft,
): Promise<AttachmentEnvelope[]> {
  const ofOriginal = await mail.store.attachments.list(original.mailbox, original.id)
  if (kind === 'forward') return ofOriginal
  const inline = ofOriginal.filter(({ isInline, contentId }) => isInline && contentId !== null)
  if (inline.length === 0 || body.contentType === 'text') return []
  const shown = contentIdsIn(body.content)
  for (const attachment of attachments) if (attachment.kind === 'file') shown.delete(attachment.contentId ?? '')
  return inline.filter(({ contentId }) => shown.has(contentId ?? ''))
}
