import { type AnswerKind, type AnswerSaid, type PreparedAnswer, prepareAnswer } from '../../mail/answer.js'
import { createDraft } from '../../mail/create-draft.js'
import type { Mail } from '../../mail/mail.js'
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
    message: await submitMessage(mail, request, draft, { ...options, saveToSentItems: true }),
  }
}

async function answerOf(
  request: GraphRequest,
  mail: Mail,
  kind: AnswerKind,
  operation: string,
): Promise<PreparedAnswer> {
  const original = await messageOfPath(request, mail, 'notInStore')
  return prepareAnswer(mail, request.mailbox, original, kind, await readAnswer(request, kind, operation))
}

async function readAnswer(request: GraphRequest, kind: AnswerKind, operation: string): Promise<AnswerSaid> {
  const { body, version } = request
  if (body.kind === 'mime') return { mime: await parseMime(decodeMimeBody(body.base64)) }
  const timeZone = timeZoneOf(request)
  if (body.kind === 'none') return { comment: '', parts: {}, timeZone }
  const names = kind === 'forward' ? ['comment', 'message', 'toRecipients'] : ['comment', 'message']
  const values = readParameters(body.value, operation, names)
  const comment = readText(values.get('comment') ?? null, 'comment') ?? ''
  const message = values.get('message') ?? undefined
  const parts = message === undefined ? {} : readDraftParts(message, version)
  if (comment !== '' && parts.body !== undefined && parts.body.content !== '') {
    throw refusal('comment', 'The parameters comment and message/body cannot be given together.')
  }
  const toRecipients = readRecipients(values.get('toRecipients') ?? null, { version, path: 'toRecipients', depth: 0 })
  if (toRecipients.length === 0) return { comment, parts, timeZone }
  if (parts.toRecipients !== undefined && parts.toRecipients.length > 0) {
    throw refusal('toRecipients', 'The parameters toRecipients and message/toRecipients cannot be given together.')
  }
  return { comment, parts: { ...parts, toRecipients }, timeZone }
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
