/** A server's answer to a command that was about this mail, RFC 5321 §4.2. */
export interface SmtpReply {
  readonly code: number
  /** The answer as {@link oneLine}, its code included. */
  readonly text: string
}

/** A recipient's fate after one attempt, in the words of RFC 3464 §2.3.3. */
export type Outcome = 'relayed' | 'delayed' | 'failed'

/**
 * Only a 5yz reply is final. Silence, a dropped connection, a 4yz or an answer that makes no sense says nothing about
 * the address: better a late message than a lost one.
 */
export function outcomeOf(reply: SmtpReply | undefined): Outcome {
  if (reply === undefined) return 'delayed'
  if (reply.code >= 500 && reply.code <= 599) return 'failed'
  return reply.code >= 200 && reply.code <= 299 ? 'relayed' : 'delayed'
}

/** Reads what a server answered, in one line or several; undefined when it does not begin with a reply code. */
export function parseReply(response: string): SmtpReply | undefined {
  const code = /^[2-5]\d\d(?=[ -]|\s*$)/.exec(response)?.[0]
  if (code === undefined) return undefined
  const [first = '', ...following] = response.slice(0, maxRead).split('\n')
  // Each line of a longer answer repeats the code (RFC 5321 §4.2.1) and the enhanced one (RFC 2034 §4).
  const more = following.map((line) => line.replace(/^\d{3}[ -](?:[245]\.\d{1,3}\.\d{1,3} )?/, ''))
  return { code: Number(code), text: oneLine([first.replace(/^(\d{3})-/, '$1 '), ...more].join(' ')) }
}

/** Characters of a peer's words that are kept; RFC 5321 §4.5.3.1.5 allows a line 512 octets. */
const maxKept = 500
/** Characters that are looked at: more than enough to fill what is kept. */
const maxRead = 10_000

/** A peer's words fit to be kept and shown: one line, printable, at most 500 characters. */
export function oneLine(text: string): string {
  const printable = text
    .slice(0, maxRead)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
  if (printable.length <= maxKept) return printable
  const cut = printable.slice(0, maxKept - 1)
  // Not in the middle of a surrogate pair.
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`
}
