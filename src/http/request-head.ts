/** What the head of a plain request says. */
export interface RequestHead {
  readonly method: string
  readonly url: string
  /** By lower-case name. */
  readonly headers: Record<string, string>
  /** Of the body, bytes. */
  readonly length: number
}

const lineEnd = '\r\n'
/** `POST /v1.0/me/sendMail HTTP/1.1`: a target in origin form (RFC 9112 §3.2.1), of the characters that RFC 3986 §2 allows. */
const requestLine = /^POST (\/[\w.~:/?@!$&'()*+,;=%[\]-]*) HTTP\/1\.1$/
/** RFC 9110 §5.6.2 */
const token = /^[\w!#$%&'*+.^`|~-]+$/
/** RFC 9110 §5.5 allows other bytes too, which nobody sends. */
const unusual = /[^\t\x20-\x7e]/
const decimal = /^\d{1,8}$/
const blank = 0x20

/** Headers that change how a request is read, and the one that `node:http` shows as a list. */
const special: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'content-encoding',
  'expect',
  'upgrade',
  'trailer',
  'te',
  'proxy-connection',
  'set-cookie',
])

/** Both of a head; `node:http` has limits of its own, which are larger. */
const maxLength = 16_000
const maxHeaders = 100

/** Header names by how clients spell them, of which there are few. */
const names = new Map<string, string>()
const maxNames = 500

function lowerCaseName(spelled: string): string | undefined {
  const known = names.get(spelled)
  if (known !== undefined) return known
  if (!token.test(spelled)) return undefined
  const name = spelled.toLowerCase()
  if (names.size < maxNames) names.set(spelled, name)
  return name
}

/**
 * Reads the plainest of heads: a POST of HTTP/1.1 with a `Host` and a `Content-Length`, no header twice, nothing that asks
 * for more than an answer. It need not read any other, nor tell what is wrong with it, because `node:http` does; but what it
 * reads it reads as `node:http` would. One for each connection, whose client says much the same again and again.
 */
export class HeadReader {
  /** The line and the token that passed last: they come again, and a token makes most of a head. */
  #line = ''
  #url = ''
  #authorization = ''

  /** Undefined: it is for `node:http`. @param text without the empty line at its end */
  read(text: string): RequestHead | undefined {
    if (text.length > maxLength) return undefined
    let at = text.indexOf(lineEnd)
    if (at === -1 || !this.#isRequest(text.slice(0, at))) return undefined
    const headers: Record<string, string> = {}
    for (let count = 0; at < text.length; count++) {
      const colon = text.indexOf(':', at)
      const found = text.indexOf(lineEnd, at + lineEnd.length)
      const end = found === -1 ? text.length : found
      if (colon === -1 || colon > end || count === maxHeaders) return undefined
      const name = lowerCaseName(text.slice(at + lineEnd.length, colon))
      // Also what every object has, such as `constructor`.
      if (name === undefined || name in headers || special.has(name)) return undefined
      const value = this.#value(name, text.slice(text.charCodeAt(colon + 1) === blank ? colon + 2 : colon + 1, end))
      if (value === undefined) return undefined
      headers[name] = value
      at = end
    }
    const { host, connection = 'keep-alive', 'content-length': length = '' } = headers
    if (host === undefined || connection.toLowerCase() !== 'keep-alive' || !decimal.test(length)) return undefined
    return { method: 'POST', url: this.#url, headers, length: Number(length) }
  }

  #isRequest(line: string): boolean {
    if (line === this.#line) return true
    const [, url] = requestLine.exec(line) ?? []
    if (url === undefined) return false
    this.#line = line
    this.#url = url
    return true
  }

  #value(name: string, value: string): string | undefined {
    if (name !== 'authorization') return isOrdinary(value) ? value : undefined
    if (value !== this.#authorization) {
      if (!isOrdinary(value)) return undefined
      this.#authorization = value
    }
    return this.#authorization
  }
}

/** Visible ASCII, with blanks and tabs only inside; or nothing. */
function isOrdinary(value: string): boolean {
  // NaN, of an empty text, is neither.
  return !(value.charCodeAt(0) <= blank || value.charCodeAt(value.length - 1) <= blank || unusual.test(value))
}
