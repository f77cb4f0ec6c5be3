import type { ServerResponse } from 'node:http'
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
function commonHeaders(ids: CallIds): string[] {
  return [
    'Strict-Transport-Security',
    'max-age=31536000',
    'request-id',
    ids.requestId,
    'client-request-id',
    ids.clientRequestId,
    'x-ms-ags-diagnostic',
    diagnostic,
  ]
}

/** Writes an operation's answer. */
export function sendReply(
  response: ServerResponse,
  reply: GraphReply,
  ids: CallIds,
  applied: string | undefined,
): void {
  const headers = ['Cache-Control', 'private']
  if (reply.headers !== undefined) {
    for (const [name, value] of Object.entries(reply.headers)) headers.push(name, value)
  }
  if (applied !== undefined) headers.push('Preference-Applied', applied)
  headers.push(...commonHeaders(ids))
  if (reply.json !== undefined) {
    const answer = { json: reply.json, contentType: reply.contentType ?? mailJson }
    const { json, contentType } = atRequestedLevel(answer, response.req.headers.accept)
    sendBody(response, reply.status, headers, contentType, Buffer.from(toJson(json)))
  } else if (reply.stream !== undefined) {
    sendStream(response, reply, headers, reply.stream)
  } else if (reply.bytes !== undefined) {
    sendBody(response, reply.status, headers, reply.contentType ?? 'application/octet-stream', reply.bytes)
  } else {
    // 202 says that its body is empty; 204 and 304 have none by definition.
    if (reply.status !== 204 && reply.status !== 304) headers.push('Content-Length', '0')
    response.writeHead(reply.status, headers).end()
  }
}

/** As the bytes come from the disk, with their length. A client that goes away ends the reading. */
function sendStream(response: ServerResponse, reply: GraphReply, headers: string[], stream: Readable): void {
  headers.push('Content-Type', reply.contentType ?? 'application/octet-stream')
  if (reply.length !== undefined) headers.push('Content-Length', String(reply.length))
  response.writeHead(reply.status, headers)
  // An error behind the head can only be shown by cutting the answer short.
  pipeline(stream, response, () => {})
}

/** Writes a refusal in Graph's form: code, message and, from the front end, an `innerError`. */
export function sendError(
  response: ServerResponse,
  error: GraphError,
  ids: CallIds,
  now: number,
  applied: string | undefined,
): void {
  const headers: string[] = []
  if (error.status === 429) headers.push('Cache-Control', 'private')
  for (const [name, value] of Object.entries(error.headers)) headers.push(name, value)
  if (applied !== undefined) headers.push('Preference-Applied', applied)
  headers.push(...commonHeaders(ids))
  const bytes = Buffer.from(toJson(errorBody(error, ids, now)))
  if (error.status === 413) sendEarly(response, error.status, headers, 'application/json', bytes)
  else sendBody(response, error.status, headers, 'application/json', bytes)
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

/** With a length, so that the client has the whole answer although the connection stays open a little longer. */
function sendEarly(
  response: ServerResponse,
  status: number,
  headers: string[],
  contentType: string,
  body: Uint8Array,
): void {
  headers.push('Content-Type', contentType, 'Content-Length', String(body.byteLength))
  response.writeHead(status, headers).write(body)
  endAfterRequest(response)
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
function sendBody(
  response: ServerResponse,
  status: number,
  headers: string[],
  contentType: string,
  body: Uint8Array,
): void {
  headers.push('Content-Type', contentType, 'Vary', 'Accept-Encoding')
  if (body.byteLength >= gzipFromBytes && /\bgzip\b/.test(response.req.headers['accept-encoding'] ?? '')) {
    const zipped = gzipSync(body)
    headers.push('Content-Encoding', 'gzip')
    response.writeHead(status, headers).end(zipped)
    return
  }
  response.writeHead(status, headers).end(body)
}
