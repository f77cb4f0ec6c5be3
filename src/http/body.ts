import type { IncomingMessage } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
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
  return encoding === 'gzip' ? collect(request, inflated(request), maxBytes) : collect(request, request, maxBytes)
}

function inflated(request: IncomingMessage): Readable {
  // What goes wrong on the way reaches whoever reads the end of the pipeline.
  return pipeline(request, createGunzip(), () => {})
}

function collect(request: IncomingMessage, source: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let bytes = 0
    let settled = false
    const refuse = (fault: BodyFault) => {
      if (settled) return
      settled = true
      chunks = []
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
    source.on('error', () => refuse(request.destroyed ? 'aborted' : 'broken'))
    request.on('close', () => {
      if (!request.complete) refuse('aborted')
    })
  })
}
