import type { Answer, Client } from './start-server.js'

/** PATCH with a JSON body. */
export function patch(client: Client, path: string, body: unknown): Promise<Answer> {
  return client.call('PATCH', path, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
}
