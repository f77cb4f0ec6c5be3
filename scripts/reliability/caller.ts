/** Calls to a server from many connections, each answer read whole. */
import { Agent, request } from 'node:http'

export interface Called {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** Keeps its connections open between calls. */
export interface Caller {
  call(method: string, path: string, body?: object | string, headers?: Record<string, string>): Promise<Called>
  close(): void
}

/** @param url of the server, without a path; calls reject when their connection ends before the answer has */
export function openCaller(url: string, token: string, timeoutMs = 120_000): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  return {
    call: (method, path, body, headers = {}) =>
      new Promise((resolve, reject) => {
        const text = typeof body === 'object' ? JSON.stringify(body) : body
        const about = {
          Authorization: `Bearer ${token}`,
          ...(text === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
          ...(text === undefined && method === 'POST' ? { 'Content-Length': 0 } : {}),
          ...headers,
        }
        const asked = request(url + path, { method, agent, headers: about, timeout: timeoutMs }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => {
            const { statusCode = 0, headers } = response
            resolve({ status: statusCode, headers, text: Buffer.concat(chunks).toString() })
          })
          response.on('error', reject)
        })
        asked.on('error', reject)
        asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)))
        asked.end(text)
      }),
    close: () => agent.destroy(),
  }
}
