import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** Why a request's body could not be read. */
export type BodyFault =
  /** More bytes than allowed, as sent or once inflated. */
  | 'tooLarge'
  /** A `Content-Encoding` other than gzip and identity. */
  | 'unknownEncoding'
  /** Not what its encoding promised. */
  | 'broken'
  /** The client went away in the middle; nobody waits for an answer. */
  | 'aborted'

export class BodyRefused extends Error {
  readonly fault: BodyFault

  constructor(fault: BodyFault) {
    super(`request body: ${fault}`)
    this.name = 'BodyRefused'
    this.fault = fault
  }
}

const empty = Buffer.alloc(0)

/**
 * The whole body of a request, gzip undone; bytes are counted while they come and while they inflate, so that neither
 * a missing length nor a small file that unpacks to a huge one gets past the limit.
 *
 * @throws BodyRefused
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { headers } = request
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip') return Promise.reject(new BodyRefused('unknownEncoding'))
  if (Number(headers['content-length'] ?? 0) > maxBytes) return Promise.reject(new BodyRefused('tooLarge'))
  if (headers['content-length'] === '0') return Promise.resolve(empty)
  // Closed while its token was checked: nothing more would come, not even an error.
  if (request.destroyed) return Promise.reject(new BodyRefused('aborted'))
  return collect(request, encoding === 'gzip' ? request.pipe(createGunzip()) : request, maxBytes)
}

/** `source` is the request itself, or what inflates it. */
function collect(request: IncomingMessage, source: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let bytes = 0
    let settled = false
    const refuse = (fault: BodyFault) => {
      if (settled) return
      settled = true
      chunks = []
      if (source !== request) stopInflating(request, source)
      reject(new BodyRefused(fault))
    }
    source.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxBytes) refuse('tooLarge')
      else if (!settled) chunks.push(chunk)
    })
    source.on('end', () => {
      if (settled) return
      settled = true
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes))
    })
    source.on('error', () => refuse(request.destroyed && !request.complete ? 'aborted' : 'broken'))
    // Also when all of it has arrived but not all was taken: then no end comes any more.
    request.on('close', () => {
      if (!request.readableEnded) refuse('aborted')
    })
  })
}

/** Nothing more is unpacked of what was refused; the request itself stays whole, so that it can be answered. */
function stopInflating(request: IncomingMessage, inflating: Readable): void {
  request.unpipe()
  inflating.destroy()
  request.resume()
}

/** How long the rest of a refused request is still read, ms. */
const lingerMs = 2_000

/**
 * Ends an answer that was written before its request was whole, once the client has sent the rest or two seconds are
 * over: a connection closed with bytes unread is reset, and many a client then loses the answer (RFC 9112 §9.6).
 */
export function endAfterRequest(response: ServerResponse): void {
  const { req: request } = response
  const end = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(end, lingerMs)
  if (request.readableEnded || request.destroyed) {
    end()
    return
  }
  request.once('end', end)
  request.once('close', end)
  request.resume()
}
