import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { atEnd } from './start-server.js'

/** A POST that came in. */
export interface Received {
  readonly path: string
  readonly contentType: string | undefined
  readonly json: ReturnType<typeof JSON.parse>
}

type Answer = (received: Received, response: ServerResponse) => void

/** An endpoint for notifications: takes part in the handshake, keeps what it is told, and answers as it is set. */
export interface Receiver {
  readonly url: string
  /** Of the handshakes, as they came: path with query. */
  readonly handshakes: string[]
  readonly posts: Received[]
  /** How notifications are answered; 202 unless set. */
  answer: Answer
  /** How handshakes are answered; with the token unless set. */
  handshake: (token: string, response: ServerResponse) => void
  /** Every notification so far, in the order in which they came. */
  notifications(): ReturnType<typeof JSON.parse>[]
  /** Waits for notifications that satisfy, however many come before. */
  until(holds: (notifications: ReturnType<typeof JSON.parse>[]) => boolean): Promise<void>
}

export const take: Answer = (_, response) => void response.writeHead(202).end()

export async function startReceiver(t: TestContext): Promise<Receiver> {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const path = request.url ?? ''
    const token = new URL(path, 'http://localhost').searchParams.get('validationToken')
    if (token !== null) {
      receiver.handshakes.push(path)
      receiver.handshake(token, response)
      return
    }
    const json = JSON.parse(Buffer.concat(chunks).toString())
    const received = { path, contentType: request.headers['content-type'], json }
    receiver.posts.push(received)
    receiver.answer(received, response)
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const receiver: Receiver = {
    url: `http://localhost:${(server.address() as AddressInfo).port}/notify`,
    handshakes: [],
    posts: [],
    answer: take,
    handshake: (token, response) => void response.writeHead(200, { 'Content-Type': 'text/plain' }).end(token),
    notifications: () => receiver.posts.flatMap(({ json }) => json.value),
    until: async (holds) => {
      for (let turn = 0; turn < 1_500; turn++) {
        if (holds(receiver.notifications())) return
        await sleep(20)
      }
      throw new Error(
        `the notifications never came; there are ${JSON.stringify(receiver.notifications()).slice(0, 2_000)}`,
      )
    },
  }
  return receiver
}
