import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { endAfterRequest } from '../http/body.js'
import { atRequestedLevel } from './control-information.js'
import type { GraphError } from './errors.js'
import type { GraphReply } from './request.js'
import { toJson } from './resources/json.js'

/** What every answer to one call carries. */
export interface CallIds {
  /** `request-id`: a GUID of ours, new for each call. */
  readonly requestId: string
  /** `client-request-id`: the caller's own, or ours again. */
  readonly clientRequestId: string
}

/** Content type of the mail workload's JSON, blanks as recorded. */
const mailJson =
  'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8'

/** Where the real service names its data centre: clients log it, some parse it. */
const diagnostic = JSON.stringify({
  ServerInfo: { DataCenter: 'Graphpost', Slice: 'E', Ring: '0', ScaleUnit: '000', RoleInstance: 'GRAPHPOST' },
})

/** Bodies shorter than this gain nothing from gzip. */
const gzipFromBytes = 1_024

/**
 * Headers are written as one flat list in the recorded order and spelling; a call's cost is mostly its answer's head,
 * and a list spares Node one object per header.
 */
function pushCommonHeaders(headers: string[], { requestId, clientRequestId }: CallIds): void {
  headers.push('Strict-Transport-Security', 'max-age=31536000', 'request-id', requestId)
  headers.push('client-request-id', clientRequestId, 'x-ms-ags-diagnostic', diagnostic)
}

/** What goes back, in the terms of HTTP; `headers` are names and values in turn. */
export interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body?: Uint8Array
  /** Instead of a body: sent as it comes. */
  readonly stream?: Readable
}

/** An operation's answer. @param asked headers of the request */
export function answerOf(
  reply: GraphReply,
  ids: CallIds,
  applied: string | undefined,
  asked: IncomingHttpHeaders,
): Answer {
  const { status } = reply
  const headers = ['Cache-Control', 'private']
  if (reply.headers !== undefined) {
    for (const [name, value] of Object.entries(reply.headers)) headers.push(name, value)
  }
  if (applied !== undefined) headers.push('Preference-Applied', applied)
  pushCommonHeaders(headers, ids)
  if (reply.json !== undefined) {
    const written = { json: reply.json, contentType: reply.contentType ?? mailJson }
    const { json, contentType } = atRequestedLevel(written, asked.accept)
    return withBody(status, headers, contentType, Buffer.from(toJson(json)), asked)
  }
  if (reply.stream !== undefined) {
    headers.push('Content-Type', reply.contentType ?? 'application/octet-stream')
    if (reply.length !== undefined) headers.push('Content-Length', String(reply.length))
    return { status, headers, stream: reply.stream }
  }
  if (reply.bytes !== undefined) {
    return withBody(status, headers, reply.contentType ?? 'application/octet-stream', reply.bytes, asked)
  }
  // 202 says that its body is empty; 204 and 304 have none by definition.
  if (status !== 204 && status !== 304) headers.push('Content-Length', '0')
  return { status, headers }
}

/** A refusal in Graph's form: code, message and, from the front end, an `innerError`. @param asked headers of the request */
export function refusalAnswer(
  error: GraphError,
  ids: CallIds,
  now: number,
  applied: string | undefined,
  asked: IncomingHttpHeaders,
): Answer {
  const { status } = error
  const headers: string[] = []
  if (status === 429) headers.push('Cache-Control', 'private')
  for (const [name, value] of Object.entries(error.headers)) headers.push(name, value)
  if (applied !== undefined) headers.push('Preference-Applied', applied)
  pushCommonHeaders(headers, ids)
  const body = Buffer.from(toJson(errorBody(error, ids, now)))
  if (status !== 413) return withBody(status, headers, 'application/json', body, asked)
  // With a length, so that the client has the whole answer although the connection stays open a little longer.
  headers.push('Content-Type', 'application/json', 'Content-Length', String(body.byteLength))
  return { status, headers, body }
}

/** Writes an answer. */
export function sendAnswer(response: ServerResponse, { status, headers, body, stream }: Answer): void {
  response.writeHead(status, headers as string[])
  // As the bytes come from the disk. An error behind the head can only be shown by cutting the answer short, and a client
  // that goes away ends the reading.
  if (stream !== undefined) pipeline(stream, response, () => {})
  else if (status !== 413) response.end(body)
  else {
    response.write(body)
    endAfterRequest(response)
  }
}

/** The body of a refusal. @param now ms since 1970 */
export function errorBody(error: GraphError, ids: CallIds, now: number) {
  const { code, message, target } = error
  return {
    error: {
      code,
      message,
      ...(target === undefined ? {} : { target }),
      ...(error.innerCode === undefined ? {} : { innerError: { code: error.innerCode } }),
      ...(error.frontEnd ? { innerError: innerError(ids, now) } : {}),
    },
  }
}

/** `date` has neither zone nor fraction, as recorded. */
function innerError(ids: CallIds, now: number) {
  return {
    date: new Date(now).toISOString().slice(0, 19),
    'request-id': ids.requestId,
    'client-request-id': ids.clientRequestId,
  }
}

/** Without a length, so chunked: as every recorded answer with a body is. */
function withBody(
  status: number,
  headers: string[],
  contentType: string,
  body: Uint8Array,
  asked: IncomingHttpHeaders,
): Answer {
  headers.push('Content-Type', contentType, 'Vary', 'Accept-Encoding')
  if (body.byteLength < gzipFromBytes || !/\bgzip\b/.test(asked['accept-encoding'] ?? '')) {
    return { status, headers, body }
  }
  headers.push('Content-Encoding', 'gzip')
  return { status, headers, body: gzipSync(body) }
}
