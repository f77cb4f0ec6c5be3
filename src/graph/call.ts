import type { IncomingHttpHeaders } from 'node:http'
import type { Reach } from '../http/outward-call.js'
import type { Seals } from '../identity/seal.js'
import type { IdentityStore } from '../identity/store.js'
import type { Tokens } from '../identity/token.js'
import type { CallLog, CallRecord } from '../mail/call-record.js'
import { MailError } from '../mail/errors.js'
import type { Mail } from '../mail/mail.js'
import type { Turns } from './batch.js'
import { GraphError, graphErrorOf } from './errors.js'
import type { IdempotencyHeader } from './idempotency.js'
import type { CallLimiter } from './limits.js'
import type { Origin } from './origin.js'
import { noPreferences, type Preferences, readPreferences } from './preferences.js'
import type { GraphReply, RequestBody, Route } from './request.js'
import type { CallIds } from './respond.js'
import { isUploadUrl, withoutUploadToken } from './upload-call.js'

/** What the Graph surface stands on. */
export interface GraphServices {
  readonly mail: Mail
  readonly identity: IdentityStore
  readonly tokens: Tokens
  readonly seals: Seals
  readonly calls: CallLog
  readonly maxRequestBytes: number
  /** Told of each call that was answered; undefined: nobody listens. */
  readonly called?: ((call: AnsweredCall) => void) | undefined
  /** The header with the key of a call that is done once; undefined: there are no keys. */
  readonly idempotency?: IdempotencyHeader | undefined
  /** Undefined: calls are not limited, nor counted. */
  readonly limiter?: CallLimiter | undefined
  /** Beginning of links, when it is not what the client called (behind a proxy). */
  readonly publicUrl: string | undefined
  readonly log: { error(fields: object, message: string): void }
  /** Where endpoints of subscriptions may be. */
  readonly reach: Reach
  /** Called when there is a new subscription. */
  readonly subscriptionsChanged: () => void
}

/** A call, once it was answered. */
export interface AnsweredCall {
  readonly requestId: string
  readonly method: string
  /** Row of the route table. */
  readonly route: string | undefined
  readonly status: number
  /** ms since 1970 */
  readonly startedAt: number
  readonly durationMs: number
  readonly message: number | undefined
  readonly traceparent: string | undefined
}

/** What a call says of itself, on a connection of its own or in a batch. */
export interface CallHead {
  readonly method?: string | undefined
  /** From the version on: `/v1.0/me/messages?$top=5`. */
  readonly url?: string | undefined
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders
}

/** What becomes known of a call on its way, for its answer and its record. */
export interface Call {
  readonly ids: CallIds
  readonly startedAt: number
  readonly request: CallHead
  readonly origin: Origin
  /** Reads what was sent with it, where the operation takes something. */
  readonly readBody: (takes: Route['body']) => RequestBody | Promise<RequestBody>
  /** Of a call in a batch, which waits for its turn in the mailbox. */
  readonly turns?: Turns
  preferences: Preferences
  /** In the terms of `performance.now()`, where somebody listens. */
  readonly startedMark: number
  /** The path of its row of the route table. */
  route: string | undefined
  application?: string
  user?: string
  mailbox?: CallRecord['mailbox']
}

/** @param otherwise the `client-request-id` of a call that has none of its own; undefined: its own `request-id` */
export function beginCall(
  { mail, called }: GraphServices,
  request: CallHead,
  origin: Origin,
  readBody: Call['readBody'],
  otherwise?: string,
): Call {
  const requestId = mail.random.uuid()
  const { prefer } = request.headers
  return {
    ids: { requestId, clientRequestId: echoable(request.headers['client-request-id']) ?? otherwise ?? requestId },
    startedAt: mail.clock.now(),
    request,
    origin,
    readBody,
    preferences: prefer === undefined ? noPreferences : readPreferences(prefer),
    route: undefined,
    startedMark: called === undefined ? 0 : performance.now(),
  }
}

const printable = /^[\x21-\x7e]{1,128}$/

/** Any text is echoed, as long as a header can hold it. */
function echoable(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && printable.test(value) ? value : undefined
}

/** Anything that is not a refusal of ours is our fault: logged with its id, and nothing of it reaches the wire. */
export function refusalOf(services: GraphServices, call: Call, error: unknown): GraphError {
  if (error instanceof GraphError) return error
  if (error instanceof MailError) return graphErrorOf(error)
  services.log.error({ requestId: call.ids.requestId, error }, 'a call failed')
  return new GraphError(500, 'ErrorInternalServerError', 'An internal server error occurred. The operation failed.', {
    reason: 'A fault of this server; its log has more under the request id.',
  })
}

const methods: ReadonlySet<string> = new Set(['GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])

/** Any other is one to those who count: a client cannot make as many counters as it likes. */
function knownMethod(method = ''): string {
  return methods.has(method) ? method : 'other'
}

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** URLs are kept to this length in call records. */
const maxRecordedUrl = 2_000

function recordedUrl(url: string): string {
  return (isUploadUrl(url) ? withoutUploadToken(url) : url).slice(0, maxRecordedUrl)
}

/** Leaves the record that every call leaves, refused ones too. */
export function record(
  services: GraphServices,
  call: Call,
  status: number,
  error: string | undefined,
  reply: GraphReply | undefined,
  reason?: string,
): void {
  const { ids, startedAt, request, application, user, mailbox } = call
  services.called?.({
    requestId: ids.requestId,
    method: knownMethod(request.method),
    route: call.route,
    status,
    startedAt,
    durationMs: performance.now() - call.startedMark,
    message: reply?.message,
    traceparent: textOf(request.headers.traceparent),
  })
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
