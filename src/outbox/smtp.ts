/**
 * Mail on its way out: SMTP (RFC 5321) to the next server, over connections that are kept and used again.
 *
 * The pool, TLS, AUTH, dot-stuffing and the turning of bare CR and LF into CRLF are nodemailer's. Its pool is used
 * without the message composer that usually sits on top, for two reasons. An address goes onto the wire as it is kept:
 * it is never parsed out of text a second time. And the envelope that the connection fills in with each recipient's
 * answer stays in our hands, so that what the server said about one recipient is known even when the message then fails.
 */
import { isAscii } from 'node:buffer'
import { Readable } from 'node:stream'
import { domainToASCII } from 'node:url'
import type { MailMessage, SMTPSentMessageInfo } from 'nodemailer'
import SmtpPool from 'nodemailer/lib/smtp-pool'
import { DialogueTap } from './dialogue.js'
import { oneLine, parseReply, type SmtpReply } from './outcome.js'

/** Bounds on waiting, ms. Tests shorten them. */
export interface SmtpTimeouts {
  /** From the first packet to a session that is ready, greeting and TLS included. */
  readonly setupMs: number
  /** For the peer's next word. */
  readonly replyMs: number
  /** For the whole transaction: a peer that answers a byte a second is not waited for for ever. */
  readonly transactionMs: number
}

/** RFC 5321 §4.5.3.2: 5 minutes for the greeting, 10 after the final dot; giving up sooner there makes second copies. */
const defaultTimeouts: SmtpTimeouts = { setupMs: 300_000, replyMs: 600_000, transactionMs: 1_200_000 }

export interface RelayOptions {
  /** `smtp://user:password@host:port`, `smtps://...`; what follows `?` are nodemailer's settings, such as `requireTLS=true`. */
  readonly url: string
  /** What we call ourselves in EHLO. */
  readonly hostname: string
  /** Connections at once, and so transactions at once. */
  readonly connections: number
  readonly timeouts?: SmtpTimeouts
}

/** RFC 5321: MAIL FROM and RCPT TO; not the To header. */
interface Envelope {
  readonly mailFrom: string
  readonly recipients: readonly string[]
}

/** What the next server said about one recipient. */
export interface RecipientReply {
  readonly address: string
  /** Its answer to MAIL, RCPT, DATA or the final dot, whichever decided; undefined when it never came to an answer. */
  readonly reply: SmtpReply | undefined
  /** For people, one line: the answer, or what went wrong instead. */
  readonly remark: string
}

/** The next server on the way out (RFC 5321 §2.3.10). */
export interface Relay {
  readonly connections: number
  /** The longest a {@link Relay.send} takes, ms. */
  readonly transactionMs: number
  /** One transaction. Whatever goes wrong is in the result: one reply for each recipient, in their order. */
  send(envelope: Envelope, content: Uint8Array): Promise<RecipientReply[]>
  /** Ends idle connections now and busy ones after their transaction; `force` ends those at once too. */
  close(options?: { force: boolean }): void
}

/**
 * Opens the way to a relay; nothing is connected before there is mail.
 *
 * @throws TypeError when the URL is none that SMTP can be spoken to
 */
export function openRelay(options: RelayOptions): Relay {
  const timeouts = options.timeouts ?? defaultTimeouts
  const tap = new DialogueTap()
  const pool = new SmtpPool({
    ...tap.poolOptions,
    url: relayUrl(options.url),
    name: options.hostname,
    maxConnections: options.connections,
    connectionTimeout: timeouts.setupMs,
    greetingTimeout: timeouts.setupMs,
    dnsTimeout: timeouts.setupMs,
    socketTimeout: timeouts.replyMs,
    maxResponseSize: maxReplyBytes,
    // A kept connection may turn out dead before a byte of the message was sent; then another one is tried. More than
    // that is for the retry schedule.
    maxRequeues: 2,
  })
  tap.attach(pool)
  return {
    connections: options.connections,
    transactionMs: timeouts.transactionMs,
    send: (envelope, content) => send({ pool, tap }, envelope, content, timeouts.transactionMs),
    close: (how) => pool.close(how),
  }
}

/** A reply is a few lines of at most 512 octets (RFC 5321 §4.5.3.1.5); EHLO's is the longest there is. */
const maxReplyBytes = 64 * 1024

function relayUrl(url: string): string {
  const { protocol, hostname } = new URL(url)
  if ((protocol !== 'smtp:' && protocol !== 'smtps:') || hostname === '') {
    // The URL itself may hold a password.
    throw new TypeError('A relay is given as smtp://host:port or smtps://host:port.')
  }
  return url
}

/** The connections to one server, and who listens to them. */
interface Peer {
  readonly pool: SmtpPool
  readonly tap: DialogueTap
}

async function send(
  peer: Peer,
  envelope: Envelope,
  content: Uint8Array,
  transactionMs: number,
): Promise<RecipientReply[]> {
  const from = wireSender(envelope.mailFrom)
  if (from === undefined) return envelope.recipients.map((address) => refused(address, unusableSender))
  const wired = envelope.recipients.map((address) => ({ address, wire: wireAddress(address) }))
  const to = [...new Set(wired.flatMap(({ wire }) => wire ?? []))]
  const transaction: Transaction = {
    from,
    to,
    size: content.byteLength,
    use8BitMime: !isAscii(content),
  }
  const end = to.length === 0 ? {} : await transact(peer, transaction, content, transactionMs)
  const heard = whatWasHeard(transaction, end)
  return wired.map(({ address, wire }) =>
    wire === undefined ? refused(address, unusableRecipient) : replyTo(address, wire, heard),
  )
}

/** How a transaction ended: the answer to the final dot, or what stopped it. */
interface TransactionEnd {
  readonly info?: SMTPSentMessageInfo | undefined
  readonly failure?: SmtpFailure
}

/** What nodemailer adds to its errors. */
interface SmtpFailure extends Error {
  readonly code?: string
  /** The verb the peer was answering, `CONN` outside of any. */
  readonly command?: string
  readonly response?: string
  readonly recipient?: string
}

/** The envelope as the connection takes it; the lower half is what it notes while the transaction goes on. */
interface Transaction {
  from: string
  to: string[]
  /** RFC 1870 */
  size: number
  /** RFC 6152 */
  use8BitMime: boolean
  mailError?: SmtpFailure
  rejectedErrors?: SmtpFailure[]
}

async function transact(
  { pool, tap }: Peer,
  transaction: Transaction,
  content: Uint8Array,
  transactionMs: number,
): Promise<TransactionEnd> {
  const overdue = new AbortController()
  const timer = setTimeout(() => overdue.abort(), transactionMs)
  try {
    return await new Promise((resolve) => {
      const mail = poolMessage(transaction, content, overdue.signal)
      tap.follow(mail)
      pool.send(mail, (error, info) => resolve(error === null ? { info } : { failure: error as SmtpFailure }))
    })
  } finally {
    clearTimeout(timer)
  }
}

/** The little of a composed message that the pool asks for. */
function poolMessage(
  envelope: Transaction,
  content: Uint8Array,
  signal: AbortSignal,
): MailMessage<SMTPSentMessageInfo> {
  const message = {
    getEnvelope: () => envelope,
    createReadStream: () => Readable.from(blocksOf(content), { objectMode: false }),
    // For the pool's own log lines, which nobody reads.
    messageId: () => '',
    getHeader: () => '',
  }
  return { data: { signal }, message } as unknown as MailMessage<SMTPSentMessageInfo>
}

const blockBytes = 64 * 1024

/** A large message in pieces, so that stuffing its dots does not hold up everyone else. */
function* blocksOf(content: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < content.byteLength; start += blockBytes) {
    yield content.subarray(start, start + blockBytes)
  }
}

/** The answers of a transaction, by whom they are about. */
interface Heard {
  /** About everyone, whatever was said to RCPT. */
  readonly first: SmtpFailure | undefined
  readonly refused: ReadonlyMap<string | undefined, SmtpFailure>
  /** About those whom RCPT did not refuse. */
  readonly last: SmtpFailure | undefined
  readonly accepted: ReadonlySet<unknown>
  readonly final: SmtpReply | undefined
}

function whatWasHeard(transaction: Transaction, { info, failure }: TransactionEnd): Heard {
  return {
    first: transaction.mailError,
    refused: new Map((transaction.rejectedErrors ?? []).map((error) => [error.recipient, error])),
    last: failure,
    accepted: new Set(info?.accepted),
    final: info === undefined ? undefined : parseReply(info.response),
  }
}

/**
 * Which answer decided about one recipient. A refused MAIL comes first: a server that was sent the whole envelope at
 * once (RFC 2920) answers every RCPT after it with 503, which says nothing about the recipients.
 */
function replyTo(address: string, wire: string, heard: Heard): RecipientReply {
  const failure = heard.first ?? heard.refused.get(wire) ?? heard.last
  if (failure !== undefined) return failedReply(address, failure)
  const taken = heard.accepted.has(wire) ? heard.final : undefined
  return { address, reply: taken, remark: taken?.text ?? 'The relay gave no answer that could be read.' }
}

/** Verbs whose answer is about this mail, or about taking mail from us at all. */
const verbsThatDecide = new Set(['EHLO', 'HELO', 'MAIL FROM', 'RCPT TO', 'DATA'])

function failedReply(address: string, failure: SmtpFailure): RecipientReply {
  const { code, command = '', response, message } = failure
  // Told by the EHLO answer's SIZE (RFC 1870 §6.1), without asking.
  if (code === 'EMESSAGE' && command === 'MAIL FROM' && response === undefined) return refused(address, tooLarge)
  if (code === 'EABORT') return { address, reply: undefined, remark: 'The relay took too long.' }
  // Anything said in a greeting, STARTTLS or AUTH is about this session or our own settings, not about the mail.
  const reply = response !== undefined && verbsThatDecide.has(command) ? parseReply(response) : undefined
  return { address, reply, remark: reply?.text ?? oneLine(message) }
}

const unusableSender: SmtpReply = { code: 553, text: '553 5.1.7 The sender has no address that SMTP can carry.' }
const unusableRecipient: SmtpReply = { code: 553, text: '553 5.1.3 This is no address that SMTP can carry.' }
const tooLarge: SmtpReply = { code: 552, text: '552 5.3.4 The message is larger than the relay takes.' }

function refused(address: string, reply: SmtpReply): RecipientReply {
  return { address, reply, remark: reply.text }
}

/** RFC 5321 §4.1.2 `Mailbox`, loosely, but nothing that could end the command or add to it. */
const carriable = /^(?:"(?:[^"\\<>\p{Cc}]|\\[^<>\p{Cc}])*"|[^\s"<>@\p{Cc}]+)@[^\s"<>@\p{Cc}]+$/u

/** Empty stands for nobody: the return path of automatic mail (RFC 5321 §4.5.5). */
function wireSender(address: string): string | undefined {
  return address === '' ? '' : wireAddress(address)
}

/** An address as it stands in a command; a domain with letters of other scripts as A-labels (RFC 5890). */
function wireAddress(address: string): string | undefined {
  if (!carriable.test(address)) return undefined
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  const ascii = /^[\x21-\x7e]+$/.test(domain) ? domain : domainToASCII(domain)
  return ascii === '' ? undefined : `${address.slice(0, at)}@${ascii}`
}
