import { encode, wrap } from 'nodemailer/lib/qp'

/** One form of a message's text. */
export interface TextPart {
  readonly contentType: string
  /** Lines end in CRLF. */
  readonly content: string
}

/** The library encodes longer texts in pieces; those are left to it. */
const maxLength = 16_384

/**
 * What a message without attachments has below its header: the parts, encoded, with the fields that describe them. The
 * same bytes that the library's composer makes, which takes a stream for each part and ten times as long; a fuzz test holds
 * the two together.
 *
 * @param baseBoundary what the composer is given as such
 * @returns undefined for what is left to the composer: long texts, and those it would put in base64
 */
export function textEntity(parts: readonly TextPart[], baseBoundary: string): Buffer | undefined {
  const encoded: string[] = []
  for (const part of parts) {
    const text = encodedPart(part)
    if (text === undefined) return undefined
    encoded.push(text)
  }
  const [only] = encoded
  if (only === undefined) return undefined
  if (encoded.length === 1) {
    const entity = only.replace('\r\n\r\n', '\r\nMIME-Version: 1.0\r\n\r\n')
    return Buffer.from(entity.endsWith('\n') ? entity : `${entity}\r\n`, 'latin1')
  }
  const boundary = `_=-${baseBoundary}-Part_1`
  const fields = `Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\nMIME-Version: 1.0\r\n\r\n`
  const body = encoded.map((text) => `--${boundary}\r\n${text}`).join('\r\n')
  return Buffer.from(`${fields}${body}\r\n--${boundary}--\r\n`, 'latin1')
}

function encodedPart({ contentType, content }: TextPart): string | undefined {
  // White space at the end is encoded by what follows it.
  if (content === '' || content.length > maxLength || /[ \t]$/.test(content)) return undefined
  const encoding = encodingOf(content)
  if (encoding === undefined) return undefined
  const text = encoding === '7bit' ? content : wrap(encode(content))
  return `Content-Type: ${contentType}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${text}`
}

/** The library's choice; undefined for base64. */
function encodingOf(content: string): '7bit' | 'quoted-printable' | undefined {
  const others = content.match(/[^\t\n\r -\x7f]/g)?.length ?? 0
  if (others === 0) return /^.{77}/m.test(content) ? latin(content, 0) : '7bit'
  return latin(content, others)
}

/** Where more letters of ASCII stand than characters that must be encoded: counted no further than that is sure. */
function latin(content: string, others: number): 'quoted-printable' | undefined {
  let letters = 0
  for (let index = 0; index < content.length && letters <= others; index++) {
    const lower = content.charCodeAt(index) | 0x20
    if (lower >= 0x61 && lower <= 0x7a) letters++
  }
  return others < letters ? 'quoted-printable' : undefined
}
