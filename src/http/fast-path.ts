import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { HeadWriter } from './answer-head.js'
import { HeadReader, type RequestHead } from './request-head.js'

/**
 * A request that is all there and asks nothing special of HTTP: one `Content-Length` and that many bytes, no transfer or
 * content coding, no `Expect`, no `Upgrade`, no header twice, the connection kept.
 */
export interface WholeRequest {
  readonly method: string
  readonly url: string
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly socket: Socket
}

/** What goes back; `headers` are names and values in turn. */
export interface WholeAnswer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body?: Uint8Array
}

/**
 * Answers such a request by calling `answer` once, now or later, and says true; or says false, and `node:http` gets it as
 * if nobody had looked at it.
 */
export type FastPath = (request: WholeRequest, answer: (answer: WholeAnswer) => void) => boolean

export interface FastPathOptions {
  readonly answer: FastPath
  /** Gives a connection to `node:http`, which has heard nothing of it before. */
  readonly toHttp: (socket: Socket) => void
  /** How long a connection is kept between requests, ms. */
  readonly keepAliveTimeoutMs: number
  /** How often connections are looked at, ms. A first request, or the rest of one, may take until the next look but one. */
  readonly lookEveryMs: number
}

/**
 * Reads the plainest of requests without `node:http`, whose streams and objects cost more than accepting a mail (decision
 * 30). A connection that says anything else, be it larger, slower or wrong, is `node:http`'s from there on: it decides what
 * HTTP is, and has the limits.
 */
export class FastPathConnections {
  readonly #options: FastPathOptions
  readonly #open = new Set<FastConnection>()
  readonly #answerHeads = new HeadWriter()
  readonly #looking: NodeJS.Timeout
  #closing = false

  constructor(options: FastPathOptions) {
    this.#options = options
    this.#looking = setInterval(() => this.#look(), options.lookEveryMs)
    this.#looking.unref()
  }

  add(socket: Socket): void {
    if (this.#closing) {
      socket.destroy()
      return
    }
    const connection: FastConnection = new FastConnection(socket, this.#options, this.#answerHeads, () =>
      this.#open.delete(connection),
    )
    this.#open.add(connection)
  }

  /** Ends connections between requests now, others with their answers. */
  close(): void {
    this.#closing = true
    clearInterval(this.#looking)
    for (const connection of this.#open) connection.endWhenIdle()
  }

  cut(): void {
    for (const connection of this.#open) connection.cut()
  }

  #look(): void {
    const now = Date.now()
    for (const connection of this.#open) connection.look(now)
  }
}

const headEnd = Buffer.from('\r\n\r\n')
/** A request that is larger is for `node:http`, which does not keep all of it for somebody who may never send the rest. */
const maxRequestBytes = 65_536
const lastChunk = '\r\n0\r\n\r\n'

/** A request whose body is still on its way. */
interface Incomplete {
  readonly head: RequestHead
  /** As they came, the head in the first. */
  readonly chunks: Buffer[]
  /** Where the body begins. */
  readonly start: number
  missing: number
}

class FastConnection {
  readonly #socket: Socket
  readonly #options: FastPathOptions
  readonly #answerHeads: HeadWriter
  readonly #left: () => void
  readonly #heads = new HeadReader()
  readonly #kept: string
  readonly #onData = (bytes: Buffer) => this.#read(bytes)
  readonly #onEnd = () => this.#clientEnded()
  readonly #onError = () => this.#clientGone()
  readonly #onClose = () => this.#left()
  readonly #answer = (answer: WholeAnswer) => this.#write(answer)
  #isNew = true
  #isAnswering = false
  #isEnding = false
  /** Since when it waits for a request, or for the rest of one; ms since 1970. */
  #waitingSince = Date.now()
  #incomplete: Incomplete | undefined
  /** What came before the answer to the request before it. */
  #ahead: Buffer[] = []

  constructor(socket: Socket, options: FastPathOptions, answerHeads: HeadWriter, left: () => void) {
    this.#socket = socket
    this.#options = options
    this.#answerHeads = answerHeads
    this.#left = left
    this.#kept = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(options.keepAliveTimeoutMs / 1000)}\r\n`
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  look(now: number): void {
    if (this.#isAnswering) return
    const waited = now - this.#waitingSince
    // Who takes so long has the time that node:http gives.
    if (this.#isNew || this.#incomplete !== undefined) {
      if (waited >= this.#options.lookEveryMs) this.#giveToHttp(this.#incomplete?.chunks ?? [])
    } else if (waited >= this.#options.keepAliveTimeoutMs) {
      this.cut()
    }
  }

  endWhenIdle(): void {
    this.#isEnding = true
    if (!this.#isAnswering && this.#incomplete === undefined) this.#socket.end()
  }

  cut(): void {
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    if (this.#isAnswering) {
      // The client does not wait for answers: their order is for node:http to keep.
      this.#ahead.push(bytes)
      this.#socket.pause()
    } else if (this.#incomplete !== undefined) {
      this.#readOn(this.#incomplete, bytes)
    } else {
      this.#readHead(bytes)
    }
  }

  #readHead(bytes: Buffer): void {
    const end = bytes.indexOf(headEnd)
    const head = end === -1 ? undefined : this.#heads.read(bytes.toString('latin1', 0, end))
    const start = end + headEnd.length
    const missing = head === undefined ? -1 : start + head.length - bytes.length
    if (head === undefined || missing < 0 || missing > maxRequestBytes) {
      this.#giveToHttp([bytes])
    } else if (missing > 0) {
      this.#incomplete = { head, chunks: [bytes], start, missing }
      this.#waitingSince = Date.now()
    } else {
      this.#ask(head, bytes, start)
    }
  }

  #readOn(incomplete: Incomplete, bytes: Buffer): void {
    const { head, chunks, start } = incomplete
    chunks.push(bytes)
    incomplete.missing -= bytes.length
    if (incomplete.missing > 0) return
    if (incomplete.missing < 0) {
      this.#giveToHttp(chunks)
      return
    }
    this.#incomplete = undefined
    this.#ask(head, Buffer.concat(chunks), start)
  }

  #ask({ method, url, headers }: RequestHead, bytes: Buffer, start: number): void {
    this.#isNew = false
    this.#isAnswering = true
    const request = { method, url, headers, body: bytes.subarray(start), socket: this.#socket }
    if (this.#options.answer(request, this.#answer)) return
    this.#isAnswering = false
    this.#giveToHttp([bytes])
  }

  #write({ status, headers, body }: WholeAnswer): void {
    const socket = this.#socket
    const now = Date.now()
    const beginning = this.#answerHeads.write(status, headers, now)
    this.#isAnswering = false
    const head = `${beginning}${this.#isEnding ? 'Connection: close\r\n' : this.#kept}`
    if (body === undefined) {
      socket.write(`${head}\r\n`, 'latin1')
    } else if (saysLength(headers)) {
      socket.cork()
      socket.write(`${head}\r\n`, 'latin1')
      socket.write(body)
      socket.uncork()
    } else {
      socket.cork()
      socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n${body.byteLength.toString(16)}\r\n`, 'latin1')
      socket.write(body)
      socket.write(lastChunk, 'latin1')
      socket.uncork()
    }
    if (this.#isEnding) socket.end()
    else if (this.#ahead.length > 0) this.#giveToHttp(this.#ahead)
    else this.#waitingSince = now
  }

  #clientEnded(): void {
    if (this.#incomplete !== undefined) {
      this.#giveToHttp(this.#incomplete.chunks)
      this.#socket.emit('end')
      return
    }
    this.endWhenIdle()
  }

  #clientGone(): void {
    // Whoever waits for the body hears from node:http that it will not come.
    if (this.#incomplete !== undefined) this.#giveToHttp(this.#incomplete.chunks)
  }

  /** @param chunks what was read and is node:http's to read */
  #giveToHttp(chunks: readonly Buffer[]): void {
    const socket = this.#socket
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    socket.off('close', this.#onClose)
    this.#left()
    this.#options.toHttp(socket)
    // As the socket would say it: node:http listens to its events.
    for (const bytes of chunks) socket.emit('data', bytes)
    socket.resume()
  }
}

function saysLength(headers: readonly string[]): boolean {
  return headers.some((name, index) => index % 2 === 0 && name === 'Content-Length')
}
