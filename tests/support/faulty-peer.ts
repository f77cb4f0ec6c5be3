/**
 * An SMTP server that misbehaves on purpose, on real sockets and with real TLS. It does one thing wrong where it is told
 * to and everything else right, and it keeps a record of what it took, so that what the client believes can be compared
 * with what happened.
 */
import { createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Where in the dialogue a misdeed happens: `greeting`, `dot`, or a verb. */
export type Point = 'greeting' | 'EHLO' | 'HELO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'dot'

/** What is done there instead of a proper answer. */
export type Misdeed =
  /** Answers with these words, without the line end. */
  | { readonly say: string }
  /** Closes the connection: without a word, in the middle of the answer, or right after it. */
  | { readonly close: 'before' | 'within' | 'after' }
  /** Reads on and says nothing more. */
  | 'stall'
  /** Gives the right answer, so many ms later. */
  | { readonly lateMs: number }
  /** Gives the right answer a byte at a time. */
  | { readonly byteEveryMs: number }
  /** One line of that many bytes. */
  | { readonly lineOfBytes: number }
  /** A reply of lines without an end. */
  | 'endless'
  /** STARTTLS alone: says yes, and then speaks no TLS. */
  | 'no handshake'
  /** STARTTLS alone: more replies in plain text behind the yes, in the same packet (CVE-2011-0411). */
  | { readonly inject: string }

export interface FaultScript {
  readonly at?: Partial<Record<Point, Misdeed>>
  /** The answer to each RCPT; accepted unless given. */
  readonly rcpt?: (address: string) => string | undefined
  /** What EHLO offers beside STARTTLS and AUTH. */
  readonly extensions?: readonly string[]
  /** Offers STARTTLS with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Speaks TLS from the first byte. */
  readonly implicitTls?: boolean
  /** Offers AUTH with these mechanisms. */
  readonly auth?: readonly string[]
  /** Closes the connection after so many bytes of its own words, wherever that is. */
  readonly closeAfterSent?: number
  /** Closes the connection after so many bytes of the client's words. */
  readonly closeAfterHeard?: number
}

/** A message whose final dot was reached. */
export interface TakenMessage {
  readonly mailFrom: string
  readonly mailParameters: string
  readonly rcptTo: readonly string[]
  /** As on the wire, dots stuffed, up to and including the final one. */
  readonly wire: Buffer
  readonly secure: boolean
  /** The whole of `250` went out. */
  acknowledged: boolean
}

export interface FaultyPeer {
  readonly port: number
  readonly url: string
  readonly taken: TakenMessage[]
  /** Every line that was heard, those of AUTH too. */
  readonly heard: string[]
  readonly openSockets: number
  readonly connections: number
  /** Bytes that the client's side took of what was said. */
  readonly sentBytes: number
  close(): Promise<void>
}

const usualExtensions = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE 50000000']

/** Starts one on loopback, on a free port unless told which. */
export async function startFaultyPeer(
  script: FaultScript = {},
  { port: wanted = 0, address = '127.0.0.1' }: { port?: number; address?: string } = {},
): Promise<FaultyPeer> {
  const record = { taken: [] as TakenMessage[], heard: [] as string[], connections: 0, sentBytes: 0 }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    record.connections++
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => {
      record.sentBytes += socket.bytesWritten
      sockets.delete(socket)
    })
    new Dialogue(socket, script, record).begin()
  })
  await new Promise<void>((resolve) => server.listen(wanted, address, resolve))
  const { port } = server.address() as { port: number }
  return {
    port,
    url: `${script.implicitTls ? 'smtps' : 'smtp'}://localhost:${port}`,
    taken: record.taken,
    heard: record.heard,
    get openSockets() {
      return sockets.size
    },
    get connections() {
      return record.connections
    },
    get sentBytes() {
      return record.sentBytes
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

interface PeerRecord {
  readonly taken: TakenMessage[]
  readonly heard: string[]
}

/** One connection, from greeting to end. */
class Dialogue {
  #socket: Socket
  readonly #script: FaultScript
  readonly #record: PeerRecord
  #buffered = Buffer.alloc(0)
  #mode: 'command' | 'message' | 'secret' | 'deaf' = 'command'
  #mail: { from: string; parameters: string; to: string[] } | undefined
  #sent = 0
  #heardBytes = 0
  #secure = false
  #secrets = 0
  /** A late answer holds back those that follow. */
  #queue: Promise<void> = Promise.resolve()
  readonly #onData = (chunk: Buffer) => this.#hear(chunk)

  constructor(socket: Socket, script: FaultScript, record: PeerRecord) {
    this.#socket = socket
    this.#script = script
    this.#record = record
  }

  begin(): void {
    if (this.#script.implicitTls) this.#secureNow()
    else this.#socket.on('data', this.#onData)
    this.#answer('greeting', '220 peer.example ESMTP')
  }

  #secureNow() {
    const { cert = '', key = '' } = this.#script.tls ?? {}
    const plain = this.#socket
    plain.off('data', this.#onData)
    this.#buffered = Buffer.alloc(0)
    const secured = new TLSSocket(plain, { isServer: true, cert, key })
    secured.on('error', () => plain.destroy())
    secured.on('data', this.#onData)
    this.#socket = secured
    this.#secure = true
  }

  #hear(chunk: Buffer) {
    if (this.#mode === 'deaf') return
    const { closeAfterHeard } = this.#script
    const rest = closeAfterHeard === undefined ? chunk.length : closeAfterHeard - this.#heardBytes
    this.#heardBytes += chunk.length
    this.#buffered = Buffer.concat([this.#buffered, chunk.subarray(0, Math.max(rest, 0))])
    this.#read()
    if (rest <= chunk.length && closeAfterHeard !== undefined) this.#close()
  }

  #read() {
    while (this.#mode !== 'deaf') {
      const end = this.#mode === 'message' ? endOfMessage(this.#buffered) : endOfLine(this.#buffered)
      if (end === undefined) return
      const part = this.#buffered.subarray(0, end)
      this.#buffered = this.#buffered.subarray(end)
      if (this.#mode === 'message') this.#endMessage(part)
      else this.#command(part.toString().replace(/\r\n$/, ''))
    }
  }

  #command(line: string) {
    this.#record.heard.push(line)
    if (this.#mode === 'secret') return this.#secret()
    const verb = line.split(/[ :]/, 1)[0]?.toUpperCase() ?? ''
    if (verb === 'EHLO') return this.#answer('EHLO', this.#offer())
    if (verb === 'HELO') return this.#answer('HELO', '250 peer.example')
    if (verb === 'STARTTLS') return this.#startTls()
    if (verb === 'AUTH') return this.#auth(line)
    if (verb === 'MAIL') return this.#mailFrom(line)
    if (verb === 'RCPT') return this.#rcptTo(line)
    if (verb === 'DATA') return this.#data()
    if (verb === 'RSET') {
      this.#mail = undefined
      return this.#say('250 2.0.0 reset')
    }
    if (verb === 'QUIT') {
      this.#say('221 2.0.0 bye')
      this.#queue = this.#queue.then(() => {
        this.#socket.end()
      })
      return
    }
    this.#say('502 5.5.1 not understood')
  }

  #offer(): string {
    const { extensions = usualExtensions, tls, auth, implicitTls } = this.#script
    const lines = ['peer.example', ...extensions]
    if (tls !== undefined && !this.#secure && !implicitTls) lines.push('STARTTLS')
    if (auth !== undefined) lines.push(`AUTH ${auth.join(' ')}`)
    return lines.map((line, index) => `250${index + 1 === lines.length ? ' ' : '-'}${line}`).join('\r\n')
  }

  #startTls() {
    const misdeed = this.#script.at?.STARTTLS
    if (this.#script.tls === undefined) return this.#answer('STARTTLS', '502 5.5.1 not offered')
    if (misdeed === 'no handshake') {
      this.#mode = 'deaf'
      this.#say('220 2.0.0 go ahead')
      return this.#say('this is no TLS')
    }
    if (typeof misdeed === 'object' && 'inject' in misdeed) {
      this.#socket.write(`220 2.0.0 go ahead\r\n${misdeed.inject}\r\n`)
      return this.#secureNow()
    }
    this.#answer('STARTTLS', '220 2.0.0 go ahead')
    if (misdeed === undefined) this.#queue = this.#queue.then(() => this.#secureNow())
  }

  #auth(line: string) {
    if (/^AUTH \S+ \S+/i.test(line)) return this.#answer('AUTH', '235 2.7.0 accepted')
    this.#mode = 'secret'
    this.#secrets = 0
    this.#say('334 VXNlcm5hbWU6')
  }

  /** LOGIN asks for the name, then for the password. */
  #secret() {
    if (++this.#secrets === 1) return this.#say('334 UGFzc3dvcmQ6')
    this.#mode = 'command'
    this.#answer('AUTH', '235 2.7.0 accepted')
  }

  #mailFrom(line: string) {
    const [, from = '', parameters = ''] = /^MAIL FROM:<(.*?)>\s*(.*)$/i.exec(line) ?? []
    if (!this.#fails('MAIL')) this.#mail = { from, parameters, to: [] }
    this.#answer('MAIL', '250 2.1.0 sender ok')
  }

  #rcptTo(line: string) {
    const address = /<(.*?)>/.exec(line)?.[1] ?? ''
    const refusal = this.#mail === undefined ? '503 5.5.1 MAIL first' : this.#script.rcpt?.(address)
    if (refusal === undefined && !this.#fails('RCPT')) this.#mail?.to.push(address)
    if (refusal === undefined) this.#answer('RCPT', '250 2.1.5 recipient ok')
    else this.#say(refusal)
  }

  #data() {
    if (this.#mail === undefined || this.#mail.to.length === 0) return this.#say('554 5.5.1 no valid recipients')
    if (!this.#fails('DATA')) this.#mode = 'message'
    this.#answer('DATA', '354 go ahead')
  }

  #endMessage(wire: Buffer) {
    this.#mode = 'command'
    const { from = '', parameters = '', to = [] } = this.#mail ?? {}
    this.#mail = undefined
    const message: TakenMessage = {
      mailFrom: from,
      mailParameters: parameters,
      rcptTo: to,
      wire,
      secure: this.#secure,
      acknowledged: false,
    }
    if (this.#fails('dot')) return this.#answer('dot', '')
    this.#record.taken.push(message)
    this.#answer('dot', '250 2.0.0 kept', () => {
      message.acknowledged = true
    })
  }

  /** The answer there is a refusal, so what was asked for is not done. */
  #fails(point: Point): boolean {
    const misdeed = this.#script.at?.[point]
    return typeof misdeed === 'object' && 'say' in misdeed && !/^[23]/.test(misdeed.say)
  }

  #answer(point: Point, proper: string, whenSaid?: () => void) {
    const misdeed = this.#script.at?.[point]
    if (misdeed === undefined) return this.#say(proper, whenSaid)
    if (misdeed === 'stall' || misdeed === 'no handshake') return this.#fallSilent()
    if (misdeed === 'endless')
      return this.#flood(`${proper.slice(0, 3)}-and another thing\r\n`.repeat(500), Number.POSITIVE_INFINITY)
    if ('say' in misdeed) return this.#say(misdeed.say, whenSaid)
    if ('close' in misdeed) return this.#closeAround(proper, misdeed.close, whenSaid)
    if ('lineOfBytes' in misdeed) return this.#flood('250 '.padEnd(10_000, 'x'), misdeed.lineOfBytes / 10_000)
    if ('lateMs' in misdeed) return this.#later([`${proper}\r\n`], misdeed.lateMs, whenSaid)
    if ('byteEveryMs' in misdeed) return this.#later([...`${proper}\r\n`], misdeed.byteEveryMs, whenSaid)
  }

  #fallSilent() {
    this.#mode = 'deaf'
  }

  #closeAround(proper: string, when: 'before' | 'within' | 'after', whenSaid?: () => void) {
    this.#mode = 'deaf'
    if (when === 'before') return this.#close()
    const text = `${proper}\r\n`
    this.#socket.end(when === 'after' ? text : text.slice(0, text.length / 2))
    if (when === 'after') whenSaid?.()
  }

  /** As fast as the client takes it. */
  #flood(block: string, blocks: number) {
    this.#mode = 'deaf'
    let left = blocks
    const go = () => {
      while (left > 0 && !this.#socket.destroyed && this.#socket.writable) {
        left--
        if (!this.#socket.write(block)) return
      }
    }
    this.#socket.on('drain', go)
    go()
  }

  #later(pieces: readonly string[], eachMs: number, whenSaid?: () => void) {
    this.#queue = this.#queue.then(async () => {
      for (const piece of pieces) {
        await new Promise((resolve) => setTimeout(resolve, eachMs).unref())
        if (this.#socket.destroyed) return
        this.#socket.write(piece)
      }
      whenSaid?.()
    })
  }

  #say(text: string, whenSaid?: () => void) {
    const { closeAfterSent } = this.#script
    const line = `${text}\r\n`
    if (closeAfterSent !== undefined && this.#sent + line.length >= closeAfterSent) {
      this.#mode = 'deaf'
      const part = line.slice(0, closeAfterSent - this.#sent)
      this.#socket.end(part)
      if (part === line) whenSaid?.()
      return
    }
    this.#sent += line.length
    this.#queue = this.#queue.then(() => {
      if (this.#socket.destroyed || !this.#socket.writable) return
      this.#socket.write(line)
      whenSaid?.()
    })
  }

  #close() {
    this.#mode = 'deaf'
    this.#socket.destroy()
  }
}

function endOfLine(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n')
  return end < 0 ? undefined : end + 2
}

/** Behind the line that holds a dot alone; that may be the first one. */
function endOfMessage(bytes: Buffer): number | undefined {
  if (bytes.subarray(0, 3).equals(Buffer.from('.\r\n'))) return 3
  const final = bytes.indexOf('\r\n.\r\n')
  return final < 0 ? undefined : final + 5
}
