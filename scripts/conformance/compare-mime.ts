import { type ParsedMail, simpleParser } from 'mailparser'
import { shown } from './json.js'

/** Header fields of every message of the service that readers of MIME rely on. */
const requiredFields = ['from', 'to', 'subject', 'mime-version', 'content-type']

/** Fields that only a message has that was sent: RFC 5322 §3.6. */
const fieldsOfSent = ['date', 'message-id']

/** What the scenario knows of the message. */
interface KnownMime {
  /** Whether it was sent: a message inside another need not have been. */
  readonly sent: boolean
  readonly subject: string | undefined
  /** `internetMessageId` of the same message read as JSON. */
  readonly internetMessageId: string | undefined
  /** Text of the body; undefined where it was none or was shortened. */
  readonly text: string | undefined
}

/**
 * How a `$value` differs from the MIME it must be. Recorded MIME cannot be compared byte by byte: boundaries, folding
 * and Exchange's own `X-MS-` marks are its own. What a client relies on can: RFC 5322 with the fields below, the
 * Message-ID of the JSON, subject and text, and lines that end in CRLF.
 */
export async function mimeDifferences(bytes: Buffer, known: KnownMime): Promise<string[]> {
  const parsed = await simpleParser(bytes)
  const fields = known.sent ? [...requiredFields, ...fieldsOfSent] : requiredFields
  return [
    ...fields.filter((name) => !parsed.headers.has(name)).map((name) => `MIME: no ${name} field`),
    ...(/(^|[^\r])\n/.test(bytes.toString('latin1')) ? ['MIME: a line does not end in CRLF'] : []),
    ...differs('subject', known.subject, parsed.subject),
    ...differs('message id', known.internetMessageId, parsed.messageId),
    ...differs('text', known.text?.trim(), textOf(parsed)),
  ]
}

function textOf({ text }: ParsedMail): string | undefined {
  return text?.replaceAll('\r\n', '\n').trim()
}

function differs(what: string, expected: string | undefined, actual: string | undefined): string[] {
  if (expected === undefined || expected.replaceAll('\r\n', '\n') === actual) return []
  return [`MIME ${what}: expected ${shown(expected)}, got ${shown(actual)}`]
}
