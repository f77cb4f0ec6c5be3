import { STATUS_CODES } from 'node:http'

/** What RFC 9110 §5.5 allows in none. */
const invalidInHeader = /[^\t\x20-\x7e\x80-\xff]/

/** A header as it was written last in its place. */
interface Line {
  readonly name: string
  readonly value: string
  readonly text: string
}

/**
 * Writes the heads of answers as `node:http` would. Most say again what the one before said, but for an id or two: what is
 * repeated is neither checked nor put together anew.
 */
export class HeadWriter {
  readonly #lines: Line[] = []
  #status = { code: 0, line: '' }
  #date = { second: 0, line: '' }

  /**
   * @param headers names and values in turn
   * @param now ms since 1970
   * @returns up to the `Date`, which is the last of it
   * @throws TypeError for a value that no header can hold
   */
  write(status: number, headers: readonly string[], now: number): string {
    let head = this.#statusLine(status)
    for (let index = 0, place = 0; index < headers.length; index += 2, place++) {
      const name = headers[index] as string
      const value = headers[index + 1] as string
      let line = this.#lines[place]
      if (line === undefined || line.name !== name || line.value !== value) {
        if (invalidInHeader.test(value)) throw new TypeError(`invalid character in header ${name}`)
        line = { name, value, text: `${name}: ${value}\r\n` }
        this.#lines[place] = line
      }
      head += line.text
    }
    return head + this.#dateLine(now)
  }

  #statusLine(code: number): string {
    if (code !== this.#status.code) this.#status = { code, line: `HTTP/1.1 ${code} ${STATUS_CODES[code]}\r\n` }
    return this.#status.line
  }

  /** In the form of RFC 9110 §5.6.7, made once a second. */
  #dateLine(now: number): string {
    const second = Math.floor(now / 1000)
    if (second !== this.#date.second) {
      this.#date = { second, line: `Date: ${new Date(second * 1000).toUTCString()}\r\n` }
    }
    return this.#date.line
  }
}
