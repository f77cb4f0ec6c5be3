import type { IncomingMessage } from 'node:http'
import { MailError } from '../mail/errors.js'
import type { TenantId } from '../mail/ids.js'
import type { Mail } from '../mail/mail.js'
import type { Mailbox } from '../mail/mailbox.js'
import { cancelUpload, liveSession, opensSession, receiveRange, type UploadSession } from '../mail/upload-session.js'
import { badRequest, GraphError } from './errors.js'
import { readItemId } from './item-id.js'
import type { CallLimiter } from './limits.js'
import type { GraphReply } from './request.js'
import { ClientGone } from './request-body.js'

/**
 * The calls on the URL of an upload session. The URL itself is the permission: whoever has it may send the file, and a
 * bearer token that comes along is not looked at, because SDKs add theirs wherever they know the host.
 *
 *     {base}/api/gv1.0/users('{owner}@{tenant}')/messages('{message}')/AttachmentSessions('{attachment}')?authtoken=...
 */

const sessionPath =
  /^\/api\/[\w.]+\/users\('([\w.%+@-]+)@([\w.-]+)'\)\/messages\('([^'()]+)'\)\/AttachmentSessions\('([^'()]+)'\)\/?$/i

/** Whether a URL is that of an upload session, well formed or not. */
export function isUploadUrl(url: string): boolean {
  return url.startsWith('/api/')
}

/** The parts of a session's URL. */
interface UploadUrl {
  readonly owner: string
  readonly tenant: string
  /** Ids as they are written. */
  readonly message: string
  readonly session: string
  readonly token: string
}

/** The URL that a new session is given. */
export function uploadUrl(
  baseUrl: string,
  mailbox: Mailbox,
  { message, session, token }: { message: string; session: string; token: string },
): string {
  return `${baseUrl}/api/gv1.0/users('${mailbox.owner}@${mailbox.tenant}')/messages('${message}')/AttachmentSessions('${session}')?authtoken=${token}`
}

function readUploadUrl(url: string): UploadUrl {
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  const [, owner, tenant, message, session] = sessionPath.exec(decoded(path)) ?? []
  if (owner === undefined || tenant === undefined || message === undefined || session === undefined) {
    throw badRequest("Resource not found for the segment 'api'.", 'Only the URLs of upload sessions are served there.')
  }
  const token = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)).get('authtoken') ?? ''
  return { owner, tenant, message, session, token }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw badRequest('The request URI is not valid.', 'The path holds a broken percent escape.')
  }
}

/**
 * Answers PUT (a range of the file), GET (what is expected next) and DELETE (cancel) on a session.
 *
 * @throws GraphError 400, 401, 405, 411, 429; MailError notInStore, rangeOverlap, rangeOutOfOrder, rangeMismatch,
 *   messageTooLarge, conflict, storeUnavailable
 */
export async function answerUpload(
  mail: Mail,
  request: IncomingMessage,
  baseUrl: string,
  limiter?: CallLimiter,
): Promise<GraphReply> {
  const url = readUploadUrl(request.url ?? '')
  switch (request.method) {
    case 'PUT':
      return inTurn(url.session, async () => {
        const session = await openedSession(mail, url)
        // The URL says nothing of the application: sessions of a mailbox are counted together.
        limiter?.upload('', session.mailbox, Number(request.headers['content-length'] ?? 0))
        return putRange(mail, request, baseUrl, url, session)
      })
    case 'GET':
      return { status: 200, json: stateOf(baseUrl, url, await openedSession(mail, url)) }
    case 'DELETE':
      return inTurn(url.session, async () => {
        await cancelUpload(mail, await openedSession(mail, url))
        return { status: 204 }
      })
    default:
      throw new GraphError(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.', {
        frontEnd: true,
        headers: { Allow: 'PUT, GET, DELETE' },
      })
  }
}

/** The session of the URL. Whoever has a wrong token learns nothing of it. */
async function openedSession(mail: Mail, url: UploadUrl): Promise<UploadSession> {
  const mailbox = await mail.store.mailboxes.find(url.tenant as TenantId, url.owner)
  const id = mailbox === undefined ? undefined : readItemId(mailbox, url.session)
  if (mailbox === undefined || id?.kind !== 'attachment') {
    throw new GraphError(404, 'ErrorItemNotFound', 'The specified object was not found in the store.')
  }
  const session = await liveSession(mail, mailbox.id, id.attachment)
  if (opensSession(session, url.token)) return requireMessage(mailbox, session, url)
  throw new GraphError(401, 'InvalidAuthenticationToken', 'Access token validation failure.', {
    frontEnd: true,
    reason: 'The authtoken in the URL is not that of the session.',
  })
}

/** The message in the URL is written back in answers, so it has to be the one that the session is for. */
function requireMessage(mailbox: Mailbox, session: UploadSession, url: UploadUrl): UploadSession {
  const id = readItemId(mailbox, url.message)
  if ((id?.kind === 'message' || id?.kind === 'immutable') && id.message === session.message) return session
  throw new MailError('notInStore', 'The upload session is for another message than its URL says.')
}

/** Calls under way by session: the ranges of one file are written one after another. */
const turns = new Map<string, Promise<unknown>>()

async function inTurn<Result>(session: string, call: () => Promise<Result>): Promise<Result> {
  const before = turns.get(session) ?? Promise.resolve()
  const turn = before.then(call, call)
  turns.set(session, turn)
  try {
    return await turn
  } finally {
    if (turns.get(session) === turn) turns.delete(session)
  }
}

/** Largest range of one call: what the service takes of other files, several times what it recommends for mail. */
const maxRangeBytes = 62_914_560
const contentRange = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i

async function putRange(
  mail: Mail,
  request: IncomingMessage,
  baseUrl: string,
  url: UploadUrl,
  session: UploadSession,
): Promise<GraphReply> {
  const [, first, last, total] = contentRange.exec(request.headers['content-range']?.trim() ?? '') ?? []
  if (first === undefined) {
    throw invalid('The Content-Range header is missing or malformed.', 'It is written as in bytes 0-2097151/3483322.')
  }
  const range = { first: Number(first), last: Number(last), total: Number(total) }
  const length = Number(request.headers['content-length'])
  if (length !== range.last - range.first + 1) {
    throw invalid('The Content-Length header does not match the range.', 'The body is as long as its range says.')
  }
  if (length > maxRangeBytes) throw invalid(`A range has ${maxRangeBytes} bytes at most.`)
  const { session: received, isDone } = await receiveRange(mail, session, range, bodyOf(request))
  if (!isDone) return { status: 200, json: stateOf(baseUrl, url, received) }
  // Clients cut the id of the attachment out of this.
  const location = `${baseUrl}/v1.0/Users('${url.owner}@${url.tenant}')/Messages('${url.message}')/Attachments('${url.session}')`
  return { status: 201, headers: { Location: location }, message: session.message }
}

/** The bytes of a request as they come; a client that goes away in the middle is no fault of ours. */
async function* bodyOf(request: IncomingMessage): AsyncIterable<Buffer> {
  try {
    // Not destroyed when the reader stops half way: the refusal has to leave on the same connection.
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  } catch {
    throw new ClientGone()
  }
  if (!request.complete) throw new ClientGone()
}

function invalid(message: string, reason?: string): GraphError {
  return new GraphError(400, 'invalidRequest', message, reason === undefined ? {} : { reason })
}

/** What the service says between two ranges: a single offset, without the dash that a new session's answer has. */
function stateOf(baseUrl: string, url: UploadUrl, session: UploadSession) {
  const owner = encodeURIComponent(`${url.owner}@${url.tenant}`)
  return {
    '@odata.context': `${baseUrl}/api/gv1.0/$metadata#users('${owner}')/messages('${encodeURIComponent(url.message)}')/AttachmentSessions/$entity`,
    expirationDateTime: presentExpiry(session.expiresAt),
    nextExpectedRanges: [String(session.receivedBytes)],
  }
}

/** With seven digits behind the point, unlike every time of a message (recorded). */
export function presentExpiry(at: number): string {
  return new Date(at).toISOString().replace('Z', '0000Z')
}

/** A URL as it may be written down: without the token that opens the session. */
export function withoutUploadToken(url: string): string {
  return url.replace(/(authtoken=)[^&]*/gi, '$1***')
}
