import type { IncomingMessage } from 'node:http'
import { BodyRefused, readBody } from '../http/body.js'
import { JsonRefused, parseJson } from '../http/json.js'
import { badRequest, GraphError, requestBodyRead } from './errors.js'
import type { RequestBody, Route } from './request.js'
import { quotable } from './resources/values.js'

/** The client closed the connection before its request was whole: nobody waits for an answer. */
export class ClientGone extends Error {}

/** Of an operation that takes none. */
export const noBody: RequestBody = { kind: 'none' }

/**
 * The body as its content type says it is meant; nothing is read where the operation takes none.
 *
 * @throws GraphError 400, 413 or 415; ClientGone
 */
export async function readRequestBody(
  request: IncomingMessage,
  takes: Route['body'],
  maxBytes: number,
): Promise<RequestBody> {
  if (takes === 'none') return noBody
  let bytes: Buffer
  try {
    bytes = await readBody(request, maxBytes)
  } catch (error) {
    bodyRefusal(error)
  }
  return understandBody(bytes, request.headers['content-type'], takes)
}

/**
 * What was sent, as its content type says it is meant.
 *
 * @throws GraphError 400
 */
export function understandBody(
  bytes: Buffer,
  contentTypeHeader: string | undefined,
  takes: Route['body'],
): RequestBody {
  if (bytes.length === 0 && takes === 'optionalJsonOrMime') return noBody
  const contentType = mediaType(contentTypeHeader)
  if (contentType === undefined) {
    if (bytes.length === 0) throw badRequest('Empty Payload. JSON content expected.')
    throw badRequest('Write requests (excluding DELETE) must contain the Content-Type header declaration.')
  }
  if (contentType === 'text/plain' && takes !== 'json') return { kind: 'mime', base64: bytes }
  if (contentType !== 'application/json') throw badRequest('Entity only allows writes with a JSON Content-Type header.')
  if (bytes.length === 0) throw badRequest('Empty Payload. JSON content expected.')
  return { kind: 'json', value: readJson(bytes) }
}

/** The type alone, in lower case, without its parameters. */
export function mediaType(header: string | undefined): string | undefined {
  if (header === undefined || header === 'application/json') return header
  const end = header.indexOf(';')
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase()
}

function readJson(bytes: Buffer): unknown {
  try {
    return parseJson(bytes)
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error
    if (error.fault === 'duplicateMember' && error.member !== undefined) {
      const name = quotable(error.member)
      throw requestBodyRead(
        `Multiple properties with the name '${name}' were detected in a single object, which is not allowed.`,
        name,
      )
    }
    throw badRequest(
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
      error.fault === 'tooDeep' ? 'Objects and arrays may be nested 64 deep.' : 'The body is not JSON in UTF-8.',
    )
  }
}

function bodyRefusal(error: unknown): never {
  if (!(error instanceof BodyRefused)) throw error
  switch (error.fault) {
    case 'tooLarge':
      // The rest of the body is not waited for.
      throw new GraphError(413, 'BadRequest', 'The maximum request length supported is 4MB.', {
        frontEnd: true,
        headers: { Connection: 'close' },
      })
    case 'unknownEncoding':
      throw new GraphError(415, 'BadRequest', 'The Content-Encoding of the request is not supported.', {
        frontEnd: true,
        reason: 'Bodies may be sent plain or as gzip.',
      })
    case 'broken':
      throw badRequest('The request body could not be read.', 'The body is not what its Content-Encoding says.')
    case 'aborted':
      throw new ClientGone()
  }
}
