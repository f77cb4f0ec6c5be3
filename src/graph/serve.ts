import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Reach } from '../http/outward-call.js'
import type { Cloud } from '../identity/clouds.js'
import type { Seals } from '../identity/seal.js'
import type { IdentityStore } from '../identity/store.js'
import type { Tokens } from '../identity/token.js'
import type { CallLog, CallRecord } from '../mail/call-record.js'
import { MailError } from '../mail/errors.js'
import type { Mail } from '../mail/mail.js'
import { authenticate, type Doorkeeper, doorkeeper, type MailboxFinder, mailboxFinder } from './authorize.js'
import { isAnsweredAcrossOrigins } from './cross-origin.js'
import { requireDirectoryPermission } from './directory.js'
import { badRequest, GraphError, graphErrorOf } from './errors.js'
import { describe } from './metadata.js'
import { type Origin, originReader } from './origin.js'
import { parsePath } from './path.js'
import { noPreferences, preferenceApplied, readPreferences } from './preferences.js'
import type { GraphReply, Route, SubscriptionServices } from './request.js'
import { ClientGone, noBody, readRequestBody } from './request-body.js'
import { type CallIds, sendError, sendReply } from './respond.js'
import { routeTable } from './routes.js'
import { subscriptionServices } from './subscriptions.js'
import { answerUpload, isUploadUrl, withoutUploadToken } from './upload-call.js'

/** What the Graph surface stands on. */
export interface GraphServices {
  readonly mail: Mail
  readonly identity: IdentityStore
  readonly tokens: Tokens
  readonly seals: Seals
  readonly calls: CallLog
  readonly maxRequestBytes: number
  /** Beginning of links, when it is not what the client called (behind a proxy). */
  readonly publicUrl: string | undefined
  readonly log: { error(fields: object, message: string): void }
  /** Where endpoints of subscriptions may be. */
  readonly reach: Reach
  /** Called when there is a new subscription. */
  readonly subscriptionsChanged: () => void
}

/** What becomes known of a call on its way, for its answer and its record. */
interface Call {
  readonly ids: CallIds
  readonly startedAt: number
  readonly request: IncomingMessage
  readonly origin: Origin
  preferences: typeof noPreferences
  application?: string
  user?: string
  mailbox?: CallRecord['mailbox']
}

/**
 * The listener for everything under `/v1.0` and `/beta`. Checks come in the order in which Graph is seen to make them:
 * token, path and method, length, syntax of the body, user, permission; then the operation itself.
 */
export function graphListener(services: GraphServices): RequestListener {
  const doors = {
    findMailbox: mailboxFinder(services.mail),
    admit: doorkeeper(services.mail, services.identity),
  }
  const subscriptions = subscriptionServices(services, doors)
  const readOrigin = originReader(services.publicUrl)
  return (request, response) => {
    if (request.headers.origin !== undefined && isAnsweredAcrossOrigins(request, response)) return
    const call = beginCall(services, request, readOrigin(request))
    handle(services, doors, subscriptions, call)
      .then((reply) => {
        sendReply(response, reply, call.ids, preferenceApplied(call.preferences, reply.applied))
        record(services, call, reply.status, undefined, reply)
      })
      .catch((error: unknown) => refuse(services, call, response, error))
  }
}

function beginCall(services: GraphServices, request: IncomingMessage, origin: Origin): Call {
  const requestId = services.mail.random.uuid()
  const { prefer } = request.headers
  return {
    ids: { requestId, clientRequestId: echoable(request.headers['client-request-id']) ?? requestId },
    startedAt: services.mail.clock.now(),
    request,
    origin,
    preferences: prefer === undefined ? noPreferences : readPreferences(prefer),
  }
}

const printable = /^[\x21-\x7e]{1,128}$/

/** Any text is echoed, as long as a header can hold it. */
function echoable(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && printable.test(value) ? value : undefined
}

/** Finding mailboxes, and letting callers into them. */
interface Doors {
  readonly findMailbox: MailboxFinder
  readonly admit: Doorkeeper
}

async function handle(
  services: GraphServices,
  doors: Doors,
  subscriptions: SubscriptionServices,
  call: Call,
): Promise<GraphReply> {
  const { request, origin } = call
  const { baseUrl, cloud } = origin
  requireLength(request)
  if (isUploadUrl(request.url ?? '')) return answerUpload(services.mail, request, baseUrl)
  const described = describe(request, baseUrl)
  if (described !== undefined) return described
  const authenticated = authenticate(services.tokens, request.headers.authorization, origin)
  const caller = 'permissions' in authenticated ? authenticated : await authenticated
  call.application = caller.application
  if (caller.user !== undefined) call.user = caller.user

  const { path, query } = splitUrl(request.url ?? '/')
  const {
    row: route,
    version,
    mailboxKey,
    params,
    folderPath,
    functionArguments,
  } = findRoute(request.method ?? 'GET', path)
  if (cloud !== undefined) requireInCloud(route, path, cloud)
  if (route.kind === 'directory') {
    await requireDirectoryPermission(caller, mailboxKey, route, services.identity)
    return route.handler({ version, caller, userKey: mailboxKey, query, baseUrl, path }, services.identity)
  }
  // What is known is not waited for: each wait costs a mail a fraction of a microsecond, and there were many.
  const body = route.body === 'none' ? noBody : await readRequestBody(request, route.body, services.maxRequestBytes)
  if (route.kind === 'subscription') {
    const { method } = route
    const { preferences } = call
    return route.handler({ method, version, caller, keys: params, baseUrl, cloud, preferences, body }, subscriptions)
  }
  const found = doors.findMailbox(caller, mailboxKey)
  const mailbox = found instanceof Promise ? await found : found
  call.mailbox = mailbox.id
  const judged = doors.admit(caller, mailbox, route)
  const { actor, forOthers, readsBodies } = judged instanceof Promise ? await judged : judged
  return await route.handler(
    {
      version,
      caller,
      mailbox,
      actor,
      forOthers,
      mailboxAsWritten: mailboxKey ?? mailbox.owner,
      keys: params,
      folderPath,
      functionArguments,
      path,
      query,
      baseUrl,
      cloud,
      preferences: call.preferences,
      body,
      seals: services.seals,
      ifMatch: request.headers['if-match'],
      readsBodies,
    },
    services.mail,
  )
}

/** An operation that the cloud whose Graph was called does not have. */
function requireInCloud({ notIn }: Route, path: string, cloud: Cloud): void {
  if (notIn?.includes(cloud.name) !== true) return
  throw badRequest(
    `Resource not found for the segment '${path.split('/').at(-1)}'.`,
    `The cloud ${cloud.name} (${cloud.meaning}) does not have it.`,
  )
}

/** The front end of the real service refuses a POST that says nothing of its length, with a page instead of JSON. */
function requireLength(request: IncomingMessage): void {
  const { method, headers } = request
  const isPlain = method === 'POST' && headers['transfer-encoding'] !== undefined
  if ((method !== 'POST' && method !== 'PUT') || isPlain || headers['content-length'] !== undefined) return
  throw new LengthRequired()
}

class LengthRequired extends Error {}

const lengthRequiredPage =
  '<!DOCTYPE HTML><html><head><title>Length Required</title></head><body><h2>Length Required</h2><hr><p>HTTP Error 411. The request must be chunked or have a content length.</p></body></html>\r\n'

function splitUrl(url: string): { path: string; query: string } {
  const mark = url.indexOf('?')
  return mark === -1 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) }
}

/** Matches of short paths, such as `/v1.0/me/sendMail`, which most calls share. */
const knownRoutes = new Map<string, ReturnType<typeof matchRoute>>()
const longestKnownPath = 40
const maxKnownRoutes = 1_000

function findRoute(method: string, path: string) {
  if (path.length > longestKnownPath) return matchRoute(method, path)
  const key = `${method} ${path}`
  let found = knownRoutes.get(key)
  if (found === undefined) {
    found = matchRoute(method, path)
    if (knownRoutes.size >= maxKnownRoutes) knownRoutes.clear()
    knownRoutes.set(key, found)
  }
  return found
}

function matchRoute(method: string, rawPath: string) {
  const path = parsePath(rawPath)
  if (path === undefined)
    throw badRequest('The request URI is not valid.', 'The path holds a broken percent escape or no version.')
  const match = routeTable.match(method, path)
  if (match.kind === 'found') {
    if (match.row.since === undefined || match.version === 'beta') return match
    throw badRequest(
      `Resource not found for the segment '${rawPath.split('/').at(-1)}'.`,
      'It is served under /beta alone.',
    )
  }
  if (match.kind === 'notFound') throw badRequest(`Resource not found for the segment '${match.unknownSegment}'.`)
  const allowed = match.allowed.join(', ')
  throw new GraphError(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.', {
    frontEnd: true,
    reason: `This path takes ${allowed}.`,
    headers: { Allow: allowed },
  })
}

function refuse(services: GraphServices, call: Call, response: ServerResponse, error: unknown): void {
  if (error instanceof ClientGone) {
    record(services, call, 499, undefined, undefined, 'The client went away before its request was whole.')
    response.destroy()
    return
  }
  if (error instanceof LengthRequired) {
    response
      .writeHead(411, { 'Content-Type': 'text/html; charset=us-ascii', 'request-id': call.ids.requestId })
      .end(lengthRequiredPage)
    record(services, call, 411, undefined, undefined, 'A POST needs Content-Length, 0 where there is no body.')
    return
  }
  const refusal = refusalOf(services, call, error)
  sendError(response, refusal, call.ids, services.mail.clock.now(), preferenceApplied(call.preferences))
  record(services, call, refusal.status, refusal.code, undefined, refusal.reason ?? refusal.message)
}

/** Anything that is not a refusal of ours is our fault: logged with its id, and nothing of it reaches the wire. */
function refusalOf(services: GraphServices, call: Call, error: unknown): GraphError {
  if (error instanceof GraphError) return error
  if (error instanceof MailError) return graphErrorOf(error)
  services.log.error({ requestId: call.ids.requestId, error }, 'a call failed')
  return new GraphError(500, 'ErrorInternalServerError', 'An internal server error occurred. The operation failed.', {
    reason: 'A fault of this server; its log has more under the request id.',
  })
}

/** URLs are kept to this length in call records. */
const maxRecordedUrl = 2_000

function recordedUrl(url: string): string {
  return (isUploadUrl(url) ? withoutUploadToken(url) : url).slice(0, maxRecordedUrl)
}

function record(
  services: GraphServices,
  call: Call,
  status: number,
  error: string | undefined,
  reply: GraphReply | undefined,
  reason?: string,
): void {
  const { ids, startedAt, request, application, user, mailbox } = call
  services.calls.append({
    requestId: ids.requestId,
    clientRequestId: ids.clientRequestId,
    at: startedAt,
    durationMs: services.mail.clock.now() - startedAt,
    method: request.method ?? '',
    url: recordedUrl(request.url ?? ''),
    status,
    error,
    reason,
    application,
    user,
    mailbox,
    message: reply?.message,
  })
}
