import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { FastPath, WholeAnswer, WholeRequest } from '../http/fast-path.js'
import type { Caller } from '../identity/caller.js'
import { authenticate, doorkeeper, mailboxFinder } from './authorize.js'
import { answerBatch } from './batch-call.js'
import { beginCall, type Call, type GraphServices, record, refusalOf } from './call.js'
import { isAnsweredAcrossOrigins } from './cross-origin.js'
import { describe } from './metadata.js'
import { type Doors, findRoute, performOperation, splitUrl } from './operation.js'
import { originReader } from './origin.js'
import { preferenceApplied } from './preferences.js'
import type { GraphReply, Route } from './request.js'
import { ClientGone, noBody, readRequestBody, understandBody } from './request-body.js'
import { type Answer, answerOf, refusalAnswer, sendAnswer } from './respond.js'
import { subscriptionServices } from './subscriptions.js'
import { answerUpload, isUploadUrl } from './upload-call.js'

/** The two ways in. */
interface GraphListeners {
  readonly listener: RequestListener
  /** For the calls that it can answer; all that is written, whoever reads HTTP, is written by the same code. */
  readonly fastPath: FastPath
}

/**
 * The listeners for everything under `/v1.0` and `/beta`. Checks come in the order in which Graph is seen to make them:
 * token, path and method, length, syntax of the body, user, permission; then the operation itself.
 */
export function graphListeners(services: GraphServices): GraphListeners {
  const findMailbox = mailboxFinder(services.mail)
  const admit = doorkeeper(services.mail, services.identity)
  const doors = { findMailbox, admit, subscriptions: subscriptionServices(services, { findMailbox, admit }) }
  const readOrigin = originReader(services.publicUrl)
  const write = (call: Call, reply: GraphReply, send: (answer: Answer) => void) => {
    send(answerOf(reply, call.ids, preferenceApplied(call.preferences, reply.applied), call.request.headers))
    record(services, call, reply.status, undefined, reply)
  }
  return {
    listener: async (request, response) => {
      if (request.headers.origin !== undefined && isAnsweredAcrossOrigins(request, response)) return
      const readBody = (takes: Route['body']) => readRequestBody(request, takes, services.maxRequestBytes)
      const call = beginCall(services, request, readOrigin(request), readBody)
      try {
        write(call, await handle(services, doors, call, request), (answer) => sendAnswer(response, answer))
      } catch (error) {
        refuse(services, call, response, error)
      }
    },
    fastPath: (request, send) => {
      if (!isForFastPath(request) || request.body.length > services.maxRequestBytes) return false
      answerFast(request, send)
      return true
    },
  }

  async function answerFast(request: WholeRequest, send: (answer: WholeAnswer) => void): Promise<void> {
    const { body, headers } = request
    const call = beginCall(services, request, readOrigin(request), (takes) =>
      takes === 'none' ? noBody : understandBody(body, headers['content-type'], takes),
    )
    try {
      write(call, await perform(services, doors, call), (answer) => {
        if (answer.stream !== undefined) throw new Error('nothing that is posted is answered with a stream')
        send(answer)
      })
    } catch (error) {
      send(refusalOfCall(services, call, error))
    }
  }
}

/** What is posted is answered at once and whole; uploads, and questions of browsers, are for `node:http`. */
function isForFastPath({ method, url, headers }: WholeRequest): boolean {
  return method === 'POST' && headers.origin === undefined && (url.startsWith('/v1.0/') || url.startsWith('/beta/'))
}

async function handle(
  services: GraphServices,
  doors: Doors,
  call: Call,
  request: IncomingMessage,
): Promise<GraphReply> {
  const { baseUrl } = call.origin
  requireLength(request)
  if (isUploadUrl(request.url ?? '')) {
    call.route = 'upload session'
    return answerUpload(services.mail, request, baseUrl, services.limiter)
  }
  return describe(request, baseUrl) ?? perform(services, doors, call)
}

/** What the route table has for a call: read by `node:http` or on the fast path, the same. */
function perform(services: GraphServices, doors: Doors, call: Call): Promise<GraphReply> {
  const { request, origin } = call
  const caller = authenticate(services.tokens, request.headers.authorization, origin)
  // What is known is not waited for: each wait costs a mail a fraction of a microsecond, and there were many.
  return caller instanceof Promise
    ? caller.then((verified) => performFor(services, doors, call, verified))
    : performFor(services, doors, call, caller)
}

function performFor(services: GraphServices, doors: Doors, call: Call, caller: Caller): Promise<GraphReply> {
  call.application = caller.application
  if (caller.user !== undefined) call.user = caller.user
  const url = splitUrl(call.request.url ?? '/')
  const found = findRoute(call.request.method ?? 'GET', url.path)
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
  } else if (error instanceof LengthRequired) {
    response
      .writeHead(411, { 'Content-Type': 'text/html; charset=us-ascii', 'request-id': call.ids.requestId })
      .end(lengthRequiredPage)
    record(services, call, 411, undefined, undefined, 'A POST needs Content-Length, 0 where there is no body.')
  } else {
    sendAnswer(response, refusalOfCall(services, call, error))
  }
}

/** What goes back instead of a reply; recorded. */
function refusalOfCall(services: GraphServices, call: Call, error: unknown): Answer {
  const refusal = refusalOf(services, call, error)
  const { ids, preferences, request } = call
  record(services, call, refusal.status, refusal.code, undefined, refusal.reason ?? refusal.message)
  return refusalAnswer(refusal, ids, services.mail.clock.now(), preferenceApplied(preferences), request.headers)
}
