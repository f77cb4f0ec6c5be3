import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { atEnd } from './start-server.js'

/** A connection that sends whatever the test says, HTTP or not. */
export interface RawSocket {
  send(bytes: string | Uint8Array): void
  /** Sends no more, and still listens. */
  end(): void
  /** Goes away without a word. */
  hangUp(): void
  /** All that came back, once the server has closed the connection. */
  readonly answer: Promise<string>
}

/** Opens one to a server on this machine. A connection that is reset counts as closed. `paused`: it never reads. */
export function openSocket(t: TestContext, url: string, options: { paused?: boolean } = {}): Promise<RawSocket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  atEnd(t, () => socket.destroy())
  let received = ''
  socket.setEncoding('latin1')
  if (options.paused !== true) {
    socket.on('data', (text) => {
      received += text
    })
  }
  socket.on('error', () => {})
  const answer = new Promise<string>((resolve) => socket.on('close', () => resolve(received)))
  const raw: RawSocket = {
    send: (bytes) => void socket.write(bytes),
    end: () => void socket.end(),
    hangUp: () => void socket.resetAndDestroy(),
    answer,
  }
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => resolve(raw))
  })
}

/** Sends it and waits for the server to answer and close. */
export async function exchange(t: TestContext, url: string, bytes: string | Uint8Array): Promise<string> {
  const socket = await openSocket(t, url)
  socket.send(bytes)
  return socket.answer
}
