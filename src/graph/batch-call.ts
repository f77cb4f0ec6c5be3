import { buffer } from 'node:stream/consumers'
import type { Caller } from '../identity/caller.js'
import { type BatchItem, type BatchResponse, readBatch, serveInOrder, Turns } from './batch.js'
import { beginCall, type Call, type CallHead, type GraphServices, record, refusalOf } from './call.js'
import { atRequestedLevel } from './control-information.js'
import { badRequest, GraphError, SegmentNotFound } from './errors.js'
import { describe } from './metadata.js'
import { type Doors, findRoute, performOperation, splitUrl } from './operation.js'
import type { ApiVersion } from './path.js'
import { noPreferences, preferenceApplied } from './preferences.js'
import type { GraphReply, RequestBody, Route } from './request.js'
import { mediaType, understandBody } from './request-body.js'
import { toJson } from './resources/json.js'
import { errorBody } from './respond.js'

/** Content type of JSON inside a batch: that of the directory, without blanks. */
const itemJson = 'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8'

/** Line and headers of an item at most, as of a call on its own connection. */
const maxHeadLength = 16_384

/** Characters of all that is read in one batch at most: alone it is streamed or gone with its answer, here it is kept. */
const maxAnswerLength = 67_108_864

/** What all items of one batch share. */
interface Batch {
  readonly services: GraphServices
  readonly doors: Doors
  readonly call: Call
  readonly caller: Caller
  readonly version: ApiVersion
  readonly turns: Turns
  lengthLeft: number
}

/**
 * POST $batch: up to 20 calls in one. Each goes the way of a single call from the route table on, with the caller of the
 * batch, a `request-id` and a call record of its own; 200 whatever became of them.
 *
 * @throws GraphError 400 for an envelope that is none
 */
export async function answerBatch(
  services: GraphServices,
  doors: Doors,
  call: Call,
  caller: Caller,
  version: ApiVersion,
): Promise<GraphReply> {
  // Preferences of the envelope are nobody's.
  call.preferences = noPreferences
  const body = await call.readBody('json')
  const items = readBatch(body.kind === 'json' ? body.value : undefined)
  const batch: Batch = { services, doors, call, caller, version, turns: new Turns(), lengthLeft: maxAnswerLength }
  const responses = await serveInOrder(items, (item, failed) => serveItem(batch, item, failed))
  const text = `{"responses":[${responses.map(({ json }) => json).join(',')}]}`
  return { status: 200, bytes: Buffer.from(text), contentType: 'application/json' }
}

/** What became of an item, written out. */
interface Served {
  readonly id: string
  readonly status: number
  readonly json: string
}

async function serveItem(batch: Batch, item: BatchItem, failed: string | undefined): Promise<Served> {
  const { services } = batch
  const call = beginItem(batch, item)
  try {
    if (failed !== undefined) throw failedDependency(failed)
    const reply = await answerItem(batch, call, item)
    const served = written(await responseOf(batch, call, item, reply))
    if (item.method === 'GET') keep(batch, served.json.length)
    record(services, call, reply.status, undefined, reply)
    return served
  } catch (error) {
    const refusal = error instanceof SegmentNotFound ? unknownPath(error) : refusalOf(services, call, error)
    record(services, call, refusal.status, refusal.code, undefined, refusal.reason ?? refusal.message)
    return written(refusalResponse(batch, call, item, refusal))
  }
}

function written(response: BatchResponse): Served {
  return { id: response.id, status: response.status, json: toJson(response) }
}

/** @throws GraphError when the answers would become too long */
function keep(batch: Batch, length: number): void {
  if (length > batch.lengthLeft) throw tooLarge()
  batch.lengthLeft -= length
}

function tooLarge(): GraphError {
  return new GraphError(413, 'BadRequest', 'The response is too large for a batch.', {
    frontEnd: true,
    reason: `What is read in one batch has ${maxAnswerLength} characters at most; a call of its own has no such limit.`,
  })
}

/** Without a `client-request-id` of its own an item has that of the batch, by which call records of a batch are found. */
function beginItem({ services, call, caller, version, turns }: Batch, item: BatchItem): Call {
  const { method, headers } = item
  const request: CallHead = { method, url: `/${version}/${item.url.replace(/^\/+/, '')}`, headers }
  const readBody = async (takes: Route['body']) => readItemBody(item, takes)
  const begun = beginCall(services, request, call.origin, readBody, call.ids.clientRequestId)
  return {
    ...begun,
    // Where calls are limited, those beyond are refused (recorded) instead of waiting.
    ...(services.limiter?.limits.concurrency === undefined ? { turns } : {}),
    ...(caller.application === undefined ? {} : { application: caller.application }),
    ...(caller.user === undefined ? {} : { user: caller.user }),
  }
}

async function answerItem(batch: Batch, call: Call, item: BatchItem): Promise<GraphReply> {
  const url = call.request.url ?? ''
  requireShortHead(item)
  const described = describe(call.request, call.origin.baseUrl)
  if (described !== undefined) return described
  const parts = splitUrl(url)
  const found = findRoute(item.method, parts.path)
  call.route = found.row.path
  if (found.row.kind === 'batch') {
    throw badRequest('Invalid batch payload format.', 'A batch cannot hold another batch.')
  }
  return performOperation(batch.services, batch.doors, call, batch.caller, found.row, found, parts)
}

function requireShortHead({ url, headers }: BatchItem): void {
  const length = Object.entries(headers).reduce((sum, [name, text]) => sum + name.length + text.length, url.length)
  if (length <= maxHeadLength) return
  throw new GraphError(431, 'BadRequest', 'The request headers are too large.', {
    frontEnd: true,
    reason: `The url and the headers of an item have ${maxHeadLength} characters at most.`,
  })
}

/** A path that is none answers otherwise here than alone (observed). */
function unknownPath({ message, reason }: SegmentNotFound): GraphError {
  return new GraphError(404, 'UnknownError', '', { frontEnd: true, reason: reason ?? message })
}

function failedDependency(id: string): GraphError {
  return new GraphError(424, 'FailedDependency', `The request was not executed: request '${id}' failed.`)
}

/** JSON stands in the batch as it is, anything else as base64. */
function readItemBody({ headers, body }: BatchItem, takes: Route['body']): RequestBody {
  const contentType = headers['content-type']
  if (body === undefined) return understandBody(Buffer.alloc(0), contentType, takes)
  if (mediaType(contentType) === 'application/json') return { kind: 'json', value: body }
  if (typeof body !== 'string') {
    throw badRequest(
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
      'A body of another content type than JSON is base64 text.',
    )
  }
  return understandBody(decodeBody(body), contentType, takes)
}

/**
 * The bytes that were sent. A message in MIME is base64 by itself, so that it stands here in base64 twice; clients that
 * write it once mean the same, and what comes out shows which it was.
 */
function decodeBody(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  const isBase64Again = /^[\w+/=\s-]*$/.test(bytes.toString('latin1'))
  return isBase64Again && bytes.length > 0 ? bytes : Buffer.from(text)
}

async function responseOf(batch: Batch, call: Call, { id }: BatchItem, reply: GraphReply): Promise<BatchResponse> {
  const { status } = reply
  const applied = preferenceApplied(call.preferences, reply.applied)
  const headers = {
    'Cache-Control': 'private',
    ...reply.headers,
    ...(applied === undefined ? {} : { 'Preference-Applied': applied }),
  }
  if (reply.json !== undefined) {
    const { json, contentType } = atRequestedLevel(
      { json: reply.json, contentType: itemJson },
      call.request.headers.accept,
    )
    return { id, status, headers: { ...headers, 'OData-Version': '4.0', 'Content-Type': contentType }, body: json }
  }
  const bytes = await bytesOf(batch, reply)
  if (bytes === undefined) return { id, status, headers }
  const { contentType = 'application/octet-stream' } = reply
  return { id, status, headers: { ...headers, 'Content-Type': contentType }, body: bytes.toString('base64') }
}

async function bytesOf(batch: Batch, { bytes, stream, length = 0 }: GraphReply): Promise<Buffer | undefined> {
  if (bytes !== undefined) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (stream === undefined) return undefined
  // Not read at all where there is no room for it; base64 is a third longer.
  if ((length * 4) / 3 <= batch.lengthLeft) return buffer(stream)
  stream.destroy()
  throw tooLarge()
}

function refusalResponse({ services }: Batch, call: Call, { id }: BatchItem, refusal: GraphError): BatchResponse {
  const { status } = refusal
  const applied = preferenceApplied(call.preferences)
  return {
    id,
    status,
    headers: {
      ...refusal.headers,
      ...(status === 429 ? { 'Cache-Control': 'private' } : {}),
      ...(applied === undefined ? {} : { 'Preference-Applied': applied }),
      'Content-Type': 'application/json',
    },
    body: errorBody(refusal, call.ids, services.mail.clock.now()),
  }
}
