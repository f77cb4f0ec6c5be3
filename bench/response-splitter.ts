/**
 * Finds where one HTTP/1.1 answer ends (RFC 9112 §6) with as little work as that takes, because what the generator
 * spends is taken from what it can ask. One request at a time on a connection, so one answer at a time here.
 */

const headEnd = Buffer.from('\r\n\r\n')
const contentLength = /\r\ncontent-length: *(\d+)/i
const chunked = /\r\ntransfer-encoding: *chunked/i
const carriageReturn = 13
const lineFeed = 10
const statusAt = 'HTTP/1.1 '.length
const noBody = Buffer.alloc(0)

/** One whole answer. */
export interface Answer {
  readonly status: number
  /** Empty unless the splitter was told to keep bodies. */
  readonly body: Buffer
}

/** Bytes in, as they come from the socket; an answer out when its last byte was there. */
export class ResponseSplitter {
  readonly #keepBody: boolean
  #status = 0
  /** The beginning of a head or of a chunk's size line whose end has not come yet. */
  #unfinished: Buffer | undefined
  /** Bytes of the body (or of the current chunk with its line end) still to come; -1: the next thing is a size line. */
  #left = 0
  #isChunked = false
  /** After the chunk of size 0: trailer lines until an empty one. */
  #inTrailer = false
  #body: Buffer[] = []

  constructor(options: { keepBody: boolean } = { keepBody: false }) {
    this.#keepBody = options.keepBody
  }

  /**
   * Takes the next bytes, which it does not keep a reference to; returns the answer that they complete.
   *
   * @throws Error when the bytes are no HTTP/1.1 answer, or go on after its end
   */
  push(bytes: Buffer): Answer | undefined {
    let input = bytes
    if (this.#unfinished !== undefined) {
      input = Buffer.concat([this.#unfinished, bytes])
      this.#unfinished = undefined
    }
    const at = this.#status === 0 ? this.#readHead(input) : 0
    if (at < 0) return undefined
    const end = this.#isChunked ? this.#skipChunks(input, at) : this.#skipBody(input, at)
    if (end < 0) return undefined
    if (end < input.length) throw new Error('The server sent more than one answer to one request.')
    return this.#finish()
  }

  /** Where the body begins, or -1 when the head is not whole yet. */
  #readHead(input: Buffer): number {
    const end = input.indexOf(headEnd)
    if (end < 0) {
      this.#unfinished = Buffer.from(input)
      return -1
    }
    const head = input.toString('latin1', 0, end)
    this.#status = Number(head.slice(statusAt, statusAt + 3))
    if (!head.startsWith('HTTP/1.1 ') || !(this.#status >= 100)) throw new Error(`Not an answer: ${head.slice(0, 40)}`)
    this.#isChunked = false
    this.#left = Number(contentLength.exec(head)?.[1] ?? 0)
    if (this.#left === 0 && chunked.test(head)) {
      this.#isChunked = true
      this.#left = -1
    }
    return end + headEnd.length
  }

  /** Where the answer ends, or -1 when more must come. */
  #skipBody(input: Buffer, at: number): number {
    const end = Math.min(input.length, at + this.#left)
    this.#keep(input, at, end)
    this.#left -= end - at
    return this.#left === 0 ? end : -1
  }

  /** RFC 9112 §7.1. Where the answer ends, or -1 when more must come. */
  #skipChunks(input: Buffer, start: number): number {
    let at = start
    while (at < input.length) {
      if (this.#left > 0) {
        at = this.#skipChunk(input, at)
        continue
      }
      const lineEnd = input.indexOf(lineFeed, at)
      if (lineEnd < 0) {
        this.#unfinished = Buffer.from(input.subarray(at))
        return -1
      }
      const line = input.toString('latin1', at, input[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd)
      at = lineEnd + 1
      if (this.#inTrailer) {
        if (line === '') return at
      } else this.#beginChunk(line)
    }
    return -1
  }

  #beginChunk(sizeLine: string): void {
    const size = Number.parseInt(sizeLine, 16)
    if (Number.isNaN(size)) throw new Error(`Not the size of a chunk: ${sizeLine.slice(0, 40)}`)
    this.#inTrailer = size === 0
    // The line end after the data is skipped with it.
    this.#left = size === 0 ? -1 : size + 2
  }

  #skipChunk(input: Buffer, at: number): number {
    const end = Math.min(input.length, at + this.#left)
    this.#keep(input, at, Math.min(end, at + Math.max(0, this.#left - 2)))
    this.#left -= end - at
    if (this.#left === 0) this.#left = -1
    return end
  }

  #keep(input: Buffer, start: number, end: number): void {
    // Copied: the socket's buffer is used again for the next read.
    if (this.#keepBody && end > start) this.#body.push(Buffer.from(input.subarray(start, end)))
  }

  #finish(): Answer {
    const answer = { status: this.#status, body: this.#body.length === 0 ? noBody : Buffer.concat(this.#body) }
    this.#status = 0
    this.#inTrailer = false
    this.#isChunked = false
    this.#left = 0
    this.#body = []
    return answer
  }
}
