import { request as httpRequest } from 'node:http'
import type { Json } from './json.js'

/** A request as it is put on the wire. */
export interface Call {
  readonly method: string
  /** Version and query included, already escaped. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** An answer as it came off the wire. */
export interface Answer {
  readonly status: number
  /** Names as written, in the order of the wire; a name may come more than once. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer
}

/** Sends one request over a connection of its own: nothing of one exchange can leak into the next. */
export function call(baseUrl: string, { method, path, headers, body }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const length =
      bytes === undefined
        ? method === 'POST'
          ? { 'Content-Length': '0' }
          : {}
        : { 'Content-Length': String(bytes.length) }
    const { hostname, port } = new URL(baseUrl)
    const request = httpRequest(
      { hostname, port, method, path, headers: { ...headers, ...length }, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const names = response.rawHeaders.filter((_, index) => index % 2 === 0)
          const fields = names.map((name, index) => [name, response.rawHeaders[index * 2 + 1] ?? ''] as const)
          resolve({ status: response.statusCode ?? 0, headers: fields, body: Buffer.concat(chunks) })
        })
      },
    )
    request.on('error', reject)
    request.end(bytes)
  })
}

/** The body as JSON; undefined when it is empty or is none. */
export function jsonOf({ body }: Answer): Json | undefined {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(body.toString('utf8')) as Json
  } catch {
    return undefined
  }
}
