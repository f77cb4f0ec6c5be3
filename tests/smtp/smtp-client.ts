/** A client of SMTP that says what the test says, a line at a time. */
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect as connectSecurely } from 'node:tls'
import { atEnd } from '../support/start-server.js'

export interface SmtpClient {
  readonly greeting: string
  /** Sends a command and resolves with the answer, its lines joined. */
  say(command: string): Promise<string>
  /** Sends bytes as they are. */
  send(bytes: string | Buffer): void
  /** The next answer. */
  answer(): Promise<string>
  /** Speaks TLS from here on; the server's certificate is not looked at. */
  secure(): Promise<void>
  /** Resolves with what was not read yet once the server has hung up. */
  readonly closed: Promise<string>
}

/** Connects and reads the greeting. */
export async function connectSmtp(t: TestContext, port: number | undefined): Promise<SmtpClient> {
  let socket: Socket = connect(port ?? 0, '127.0.0.1')
  atEnd(t, () => socket.destroy())
  let text = ''
  let isClosed = false
  let notice = () => {}
  let tellClosed: (rest: string) => void = () => {}
  const closed = new Promise<string>((resolve) => {
    tellClosed = resolve
  })
  const listen = (to: Socket) => {
    to.on('data', (chunk) => {
      text += chunk.toString('latin1')
      notice()
    })
    to.on('error', () => {})
    to.on('close', () => {
      isClosed = true
      notice()
      tellClosed(text)
    })
  }
  listen(socket)
  const answer = async (): Promise<string> => {
    while (true) {
      const found = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(text)?.[0]
      if (found !== undefined) {
        text = text.slice(found.length)
        return found.trimEnd()
      }
      if (isClosed) throw new Error(`the server hung up after ${JSON.stringify(text)}`)
      await new Promise<void>((resolve) => {
        notice = resolve
      })
    }
  }
  const greeting = await answer()
  return {
    greeting,
    say: (command) => {
      socket.write(`${command}\r\n`)
      return answer()
    },
    send: (bytes) => void socket.write(bytes),
    answer,
    secure: async () => {
      socket.removeAllListeners('data')
      socket.removeAllListeners('close')
      const plain = socket
      socket = connectSecurely({ socket: plain, rejectUnauthorized: false })
      await new Promise<void>((resolve, reject) => {
        socket.once('secureConnect', () => resolve())
        socket.once('error', reject)
      })
      listen(socket)
    },
    closed,
  }
}

/** From EHLO to the answer after the final dot. */
export async function sendBy(
  client: SmtpClient,
  { from, to, content }: { from: string; to: readonly string[]; content: string | Buffer },
): Promise<string> {
  await client.say('EHLO client.example')
  await client.say(`MAIL FROM:<${from}>`)
  for (const address of to) await client.say(`RCPT TO:<${address}>`)
  await client.say('DATA')
  client.send(content)
  return client.say('\r\n.')
}
