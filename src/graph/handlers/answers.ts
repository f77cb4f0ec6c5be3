import { type AnswerKind, type PreparedAnswer, prepareAnswer } from '../../mail/answer.js'
import { createDraft } from '../../mail/create-draft.js'
import type { Mail } from '../../mail/mail.js'
import type { Draft, EmailAddress } from '../../mail/message.js'
import { decodeMimeBody, parseMime } from '../../mail/mime/parse.js'
import { submitMessage } from '../../mail/submit.js'
import { timeZoneNamed } from '../../mail/time-zone.js'
import { readParameters } from '../action-parameters.js'
import { GraphError } from '../errors.js'
import { messageOfPath } from '../keys.js'
import type { GraphRequest, Handler } from '../request.js'
import { readDraftParts } from '../resources/draft.js'
import { readRecipients } from '../resources/recipient.js'
import { readText } from '../resources/values.js'
import { createdReply } from './message-changes.js'

/** POST .../createReply: a draft to whoever is to get the answer; 201 and the draft out. */
export const createReply: Handler = (request, mail) => createAnswer(request, mail, 'reply')
/** POST .../createReplyAll: the same to all who have the message. */
export const createReplyAll: Handler = (request, mail) => createAnswer(request, mail, 'replyAll')
/** POST .../createForward: a draft with the message and its attachments, to anybody or nobody yet. */
export const createForward: Handler = (request, mail) => createAnswer(request, mail, 'forward')

/** POST .../reply: the answer is sent at once; 202 and an empty body. */
export const reply: Handler = (request, mail) => sendAnswer(request, mail, 'reply')
/** POST .../replyAll */
export const replyAll: Handler = (request, mail) => sendAnswer(request, mail, 'replyAll')
/** POST .../forward */
export const forward: Handler = (request, mail) => sendAnswer(request, mail, 'forward')

const createNames = { reply: 'createReply', replyAll: 'createReplyAll', forward: 'createForward' } as const

async function createAnswer(request: GraphRequest, mail: Mail, kind: AnswerKind) {
  const { draft, options } = await answerOf(request, mail, kind, createNames[kind])
  return createdReply(request, await createDraft(mail, request.mailbox, draft, options))
}

async function sendAnswer(request: GraphRequest, mail: Mail, kind: AnswerKind) {
  const { draft, options } = await answerOf(request, mail, kind, kind)
  return {
    status: 202,
    message: await submitMessage(mail, request.mailbox, draft, { ...options, saveToSentItems: true }),
  }
}

async function answerOf(
  request: GraphRequest,
  mail: Mail,
  kind: AnswerKind,
  operation: string,
): Promise<PreparedAnswer> {
  const original = await messageOfPath(request, mail, 'notInStore')
  const said = await readAnswer(request, kind, operation)
  return prepareAnswer(mail, request.mailbox, original, { kind, ...said, timeZone: timeZoneOf(request) })
}

interface SaidOfAnswer {
  readonly comment: string
  readonly parts: Partial<Draft>
}

async function readAnswer({ body, version }: GraphRequest, kind: AnswerKind, operation: string): Promise<SaidOfAnswer> {
  if (body.kind === 'none') return { comment: '', parts: {} }
  if (body.kind === 'mime')
    return { comment: '', parts: partsOfMime(await parseMime(decodeMimeBody(body.base64)), kind) }
  const names = kind === 'forward' ? ['comment', 'message', 'toRecipients'] : ['comment', 'message']
  const values = readParameters(body.value, operation, names)
  const comment = readText(values.get('comment') ?? null, 'comment') ?? ''
  const message = values.get('message') ?? undefined
  const parts = message === undefined ? {} : readDraftParts(message, version)
  if (comment !== '' && parts.body !== undefined) {
    throw refusal('comment', 'The parameters comment and message/body cannot be given together.')
  }
  const toRecipients = values.get('toRecipients') ?? undefined
  if (toRecipients === undefined) return { comment, parts }
  if (parts.toRecipients !== undefined) {
    throw refusal('toRecipients', 'The parameters toRecipients and message/toRecipients cannot be given together.')
  }
  const recipients: EmailAddress[] = readRecipients(toRecipients, { version, path: 'toRecipients', depth: 0 })
  return { comment, parts: { ...parts, toRecipients: recipients } }
}

/**
 * What an answer takes from its MIME: content and files. To whom it goes, and where in the thread it stands, follows from
 * the message it answers; only a forward goes to those the MIME names.
 */
function partsOfMime(draft: Draft & { readonly sentAt?: number }, kind: AnswerKind): Partial<Draft> {
  const {
    toRecipients,
    ccRecipients,
    bccRecipients,
    from: _,
    sender: __,
    inReplyTo: ___,
    references: ____,
    mime: _____,
    sentAt: ______,
    subject,
    ...parts
  } = draft
  return {
    ...parts,
    ...(subject === null ? {} : { subject }),
    ...(kind === 'forward' ? { toRecipients, ccRecipients, bccRecipients } : {}),
  }
}

function refusal(target: string, message: string): GraphError {
  return new GraphError(400, 'ErrorInvalidRequest', message, { target, reason: message })
}

/** UTC unless the caller prefers another. */
function timeZoneOf({ preferences }: GraphRequest): string {
  if (preferences.timeZone === undefined) return 'UTC'
  const zone = timeZoneNamed(preferences.timeZone)
  if (zone !== undefined) return zone
  throw new GraphError(
    400,
    'TimeZoneNotSupportedException',
    `A valid TimeZone value must be specified. The following TimeZone value is not supported: '${preferences.timeZone}'.`,
    { reason: 'Prefer: outlook.timezone takes a name of Windows or of the IANA database.' },
  )
}
