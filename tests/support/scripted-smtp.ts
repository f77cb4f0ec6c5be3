/** Two SMTP servers on real sockets: one that behaves, and one that does what its script says. */
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { SMTPServer } from 'smtp-server'

/** One mail as it arrived: the envelope, and the message with its dots unstuffed. */
export interface ReceivedMail {
  readonly mailFrom: string
  readonly rcptTo: readonly string[]
  readonly bytes: Buffer
}

export interface SmtpSink {
  readonly url: string
  readonly received: ReceivedMail[]
  /** Resolves once that many mails are there. */
  waitFor(count: number): Promise<void>
  close(): Promise<void>
}

/** `port` 0 picks a free one; `tls` offers STARTTLS or speaks TLS from the first byte, with a certificate nobody signed. */
export interface SinkOptions {
  readonly port?: number
  readonly tls?: 'starttls' | 'implicit'
}

/** A well-kept SMTP server that takes everything. */
export async function startSmtpSink(t: TestContext, options: SinkOptions = {}): Promise<SmtpSink> {
  const received: ReceivedMail[] = []
  let waiting: { count: number; resolve: () => void }[] = []
  const server = new SMTPServer({
    secure: options.tls === 'implicit',
    disabledCommands: options.tls === undefined ? ['AUTH', 'STARTTLS'] : ['AUTH'],
    disableReverseLookup: true,
    // Connections that are kept for later are not waited for.
    closeTimeout: 10,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          mailFrom: mailFrom === false ? '' : mailFrom.address,
          rcptTo: rcptTo.map(({ address }) => address),
          bytes: Buffer.concat(chunks),
        })
        for (const { count, resolve } of waiting) if (received.length >= count) resolve()
        waiting = waiting.filter(({ count }) => received.length < count)
        done()
      })
    },
  })
  server.on('error', () => {})
  const port = await new Promise<number>((resolve) => {
    const listener = server.listen(options.port ?? 0, '127.0.0.1', () => resolve(portOf(listener.address())))
  })
  const close = once(() => new Promise<void>((resolve) => server.close(() => resolve())))
  t.after(close)
  return {
    url: `${options.tls === 'implicit' ? 'smtps' : 'smtp'}://127.0.0.1:${port}`,
    received,
    waitFor: (count) =>
      received.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    close,
  }
}

/** What the peer does instead of answering: closes the connection, or says nothing more. */
type Misdeed = 'drop' | 'stall'
/** An answer without its CRLF, several lines by `\r\n`; or a misdeed. */
type Step = string | Misdeed

/** What the peer does at each verb. A function is asked each time it is reached. */
export interface SmtpScript {
  readonly greeting?: Step | (() => Step)
  readonly ehlo?: Step
  readonly helo?: Step
  readonly auth?: Step
  readonly mail?: Step | ((address: string) => Step)
  readonly rcpt?: Step | ((address: string) => Step)
  readonly data?: Step | (() => Step)
  /** At the end of the message. */
  readonly dot?: Step | (() => Step | Promise<Step>)
  /** After so many bytes of the message, whether or not it is complete. */
  readonly dropAfterBytes?: number
}

export interface ScriptedPeer {
  readonly url: string
  /** Every command of every connection, in the order of arrival. */
  readonly commands: string[]
  /** What came after each DATA: as on the wire, dots stuffed, up to and including the final one. */
  readonly wire: Buffer[]
  readonly connections: number
  close(): Promise<void>
}

/** A server that follows a script, and offers PIPELINING unless its `ehlo` says otherwise. */
export async function startScriptedPeer(
  t: TestContext,
  script: SmtpScript,
  options: { port?: number } = {},
): Promise<ScriptedPeer> {
  const commands: string[] = []
  const wire: Buffer[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    new Conversation(socket, script, commands, wire).begin()
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(options.port ?? 0, '127.0.0.1', () => resolve(portOf(server.address())))
  })
  const close = once(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  })
  t.after(close)
  return {
    url: `smtp://127.0.0.1:${port}`,
    commands,
    wire,
    get connections() {
      return connections
    },
    close,
  }
}

/** One connection, from greeting to end. */
class Conversation {
  readonly #socket: Socket
  readonly #script: SmtpScript
  readonly #commands: string[]
  readonly #wire: Buffer[]
  #buffered = Buffer.alloc(0)
  #inMessage = false
  /** Recipients taken in this transaction. */
  #taken = 0
  #silent = false

  constructor(socket: Socket, script: SmtpScript, commands: string[], wire: Buffer[]) {
    this.#socket = socket
    this.#script = script
    this.#commands = commands
    this.#wire = wire
  }

  begin(): void {
    this.#socket.on('data', (chunk) => {
      this.#buffered = Buffer.concat([this.#buffered, chunk])
      this.#read()
    })
    this.#do(take(this.#script.greeting, '220 peer.example ESMTP'))
  }

  #read(): void {
    while (!this.#silent) {
      const more = this.#inMessage ? this.#readMessage() : this.#readCommand()
      if (!more) return
    }
  }

  #readCommand(): boolean {
    const end = this.#buffered.indexOf('\r\n')
    if (end < 0) return false
    const line = this.#buffered.subarray(0, end).toString()
    this.#buffered = this.#buffered.subarray(end + 2)
    this.#commands.push(line)
    this.#do(this.#answerTo(line))
    return true
  }

  #answerTo(line: string): Step {
    const { ehlo, helo, auth, mail, rcpt, data } = this.#script
    const verb = line.split(/[ :]/, 1)[0]?.toUpperCase()
    const address = /<(.*)>/.exec(line)?.[1] ?? ''
    if (verb === 'EHLO') return ehlo ?? '250-peer.example\r\n250-8BITMIME\r\n250 PIPELINING'
    if (verb === 'HELO') return helo ?? '250 peer.example'
    if (verb === 'AUTH') return auth ?? '235 2.7.0 accepted'
    if (verb === 'MAIL') {
      this.#taken = 0
      return take(mail, '250 2.1.0 sender ok', address)
    }
    if (verb === 'RCPT') {
      const step = take(rcpt, '250 2.1.5 recipient ok', address)
      if (step.startsWith('250')) this.#taken++
      return step
    }
    if (verb === 'RSET') return '250 2.0.0 reset'
    if (verb === 'QUIT') return '221 2.0.0 bye'
    if (verb !== 'DATA') return '502 5.5.1 not in the script'
    const step = take(data, this.#taken > 0 ? '354 go ahead' : '554 5.5.1 no valid recipients')
    this.#inMessage = step.startsWith('354')
    return step
  }

  #readMessage(): boolean {
    const { dropAfterBytes } = this.#script
    if (dropAfterBytes !== undefined && this.#buffered.byteLength >= dropAfterBytes) {
      this.#do('drop')
      return false
    }
    const end = endOfMessage(this.#buffered)
    if (end === undefined) return false
    this.#wire.push(this.#buffered.subarray(0, end))
    this.#buffered = this.#buffered.subarray(end)
    this.#inMessage = false
    this.#endMessage()
    return true
  }

  /** The client waits for this answer before it says anything more, so it can come whenever the script is ready. */
  #endMessage(): void {
    const { dot = '250 2.0.0 kept as 1' } = this.#script
    const step = typeof dot === 'function' ? dot() : dot
    if (typeof step === 'string') this.#do(step)
    else step.then((later) => this.#do(later))
  }

  #do(step: Step): void {
    if (step === 'drop' || step === 'stall') {
      this.#silent = true
      if (step === 'drop') this.#socket.destroy()
    } else {
      this.#socket.write(`${step}\r\n`)
    }
  }
}

/** Behind the line that holds a dot alone; that may be the first one. */
function endOfMessage(bytes: Buffer): number | undefined {
  if (bytes.subarray(0, 3).equals(Buffer.from('.\r\n'))) return 3
  const final = bytes.indexOf('\r\n.\r\n')
  return final < 0 ? undefined : final + 5
}

function take<Given extends unknown[]>(
  step: Step | ((...given: Given) => Step) | undefined,
  otherwise: string,
  ...given: Given
): Step {
  if (step === undefined) return otherwise
  return typeof step === 'string' ? step : step(...given)
}

function portOf(address: unknown): number {
  return (address as { port: number }).port
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= action()
    return done
  }
}
