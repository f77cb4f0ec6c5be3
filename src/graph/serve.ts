import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { authenticate, doorkeeper, mailboxFinder } from './authorize.js'
import { answerBatch } from './batch-call.js'
import { beginCall, type Call, type GraphServices, record, refusalOf } from './call.js'
import { isAnsweredAcrossOrigins } from './cross-origin.js'
import { describe } from './metadata.js'
import { type Doors, findRoute, performOperation, splitUrl } from './operation.js'
import { originReader } from './origin.js'
import { preferenceApplied } from './preferences.js'
import type { GraphReply, Route } from './request.js'
import { ClientGone, readRequestBody } from './request-body.js'
import { sendError, sendReply } from './respond.js'
import { subscriptionServices } from './subscriptions.js'
import { answerUpload, isUploadUrl } from './upload-call.js'

/**
 * The listener for everything under `/v1.0` and `/beta`. Checks come in the order in which Graph is seen to make them:
 * token, path and method, length, syntax of the body, user, permission; then the operation itself.
 */
export function graphListener(services: GraphServices): RequestListener {
  const findMailbox = mailboxFinder(services.mail)
  const admit = doorkeeper(services.mail, services.identity)
  const doors = { findMailbox, admit, subscriptions: subscriptionServices(services, { findMailbox, admit }) }
  const readOrigin = originReader(services.publicUrl)
  return (request, response) => {
    if (request.headers.origin !== undefined && isAnsweredAcrossOrigins(request, response)) return
    const readBody = (takes: Route['body']) => readRequestBody(request, takes, services.maxRequestBytes)
    const call = beginCall(services, request, readOrigin(request), readBody)
    handle(services, doors, call, request)
      .then((reply) => {
        sendReply(response, reply, call.ids, preferenceApplied(call.preferences, reply.applied))
        record(services, call, reply.status, undefined, reply)
      })
      .catch((error: unknown) => refuse(services, call, response, error))
  }
}

async function handle(
  services: GraphServices,
  doors: Doors,
  call: Call,
  request: IncomingMessage,
): Promise<GraphReply> {
  const { origin } = call
  const { baseUrl } = origin
  requireLength(request)
  if (isUploadUrl(request.url ?? '')) {
    call.route = 'upload session'
    return answerUpload(services.mail, request, baseUrl, services.limiter)
  }
  const described = describe(request, baseUrl)
  if (described !== undefined) return described
  const authenticated = authenticate(services.tokens, request.headers.authorization, origin)
  const caller = 'permissions' in authenticated ? authenticated : await authenticated
  call.application = caller.application
  if (caller.user !== undefined) call.user = caller.user

  const url = splitUrl(request.url ?? '/')
  const found = findRoute(request.method ?? 'GET', url.path)
  const { row: route } = found
  call.route = route.path
  if (route.kind === 'batch') return answerBatch(services, doors, call, caller, found.version)
  return performOperation(services, doors, call, caller, route, found, url)
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
