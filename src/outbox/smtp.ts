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
import { toCrlf } from '../mail/mime/line-ends.js'
import { convertedFor } from '../mail/mime/seven-bit.js'
import { oneLine, parseReply, type SmtpReply } from './outcome.js'
import { parseRelayUrl, type RelayAddress } from './relay-url.js'

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
export const defaultTimeouts: SmtpTimeouts = { setupMs: 300_000, replyMs: 600_000, transactionMs: 1_200_000 }

/** How a server is spoken to, whoever it is. */
export interface PeerOptions {
  /** What we call ourselves in EHLO. */
  readonly hostname: string
  /** Connections at once, and so transactions at once. */
  readonly connections: number
  readonly timeouts?: SmtpTimeouts
  /** Signs a message in the form in which it is sent. */
  readonly sign?: (mime: Buffer) => Readable
}

export interface RelayOptions extends PeerOptions {
  /** See {@link parseRelayUrl}. */
  readonly url: string
}

/** RFC 5321: MAIL FROM and RCPT TO; not the To header. */
export interface Envelope {
  readonly mailFrom: string
  readonly recipients: readonly string[]
  /** What a peer that offers it is told of notifications (RFC 3461). */
  readonly dsn?: {
    /** What reports are to call the message; ASCII, at most 100 characters (§5.4). */
    readonly envid?: string
    /** Whether a delivery is to be told of too. */
    readonly notifiesSuccess: boolean
  }
}

/** What the next server said about one recipient. */
export interface RecipientReply {
  readonly address: string
  /** Its answer to MAIL, RCPT, DATA or the final dot, whichever decided; undefined when it never came to an answer. */
  readonly reply: SmtpReply | undefined
  /** For people, one line: the answer, or what went wrong instead. */
  readonly remark: string
  /** All of the message was sent and no answer came: the peer may hold a copy (RFC 1047). */
  readonly mayBeTaken?: true
  /** It took on telling of the delivery, which was asked for. */
  readonly isNotifiedByPeer?: true
  /** No connection to the peer could be had that mail goes over. */
  readonly isUnusable?: true
  /** And it was TLS that did not come about. */
  readonly isTlsTrouble?: true
}

/** The next server on the way out (RFC 5321 §2.3.10). */
export interface Relay {
  readonly connections: number
  /** The longest a {@link Relay.send} takes, ms. */
  readonly transactionMs: number
  /**
   * One transaction. Whatever goes wrong is in the result: one reply for each recipient, in their order.
   *
   * @param withinMs when less than {@link Relay.transactionMs} is left
   */
  send(envelope: Envelope, content: Uint8Array, withinMs?: number): Promise<RecipientReply[]>
  /** Ends idle connections now and busy ones after their transaction; `force` ends those at once too. */
  close(options?: { force: boolean }): void
}

/**
 * Opens the way to a relay; nothing is connected before there is mail.
 *
 * @throws TypeError when the URL is none that SMTP can be spoken to
 */
export function openRelay({ url, ...options }: RelayOptions): Relay {
  return openPeer(parseRelayUrl(url), options)
}

/** The same for a server whose address is known. */
export function openPeer(address: RelayAddress, options: PeerOptions): Relay {
  const timeouts = options.timeouts ?? defaultTimeouts
  const pool = new SmtpPool({
    host: address.host,
    port: address.port,
    ...(address.servername === undefined ? {} : { servername: address.servername }),
    ...protectionOf(address),
    ...authOf(address),
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
  const secrets = secretsOf(address)
  return {
    connections: options.connections,
    transactionMs: timeouts.transactionMs,
    send: async (envelope, content, withinMs = Number.POSITIVE_INFINITY) => {
      const replies = await send(
        { pool, sign: options.sign },
        envelope,
        content,
        Math.min(timeouts.transactionMs, withinMs),
      )
      return replies.map((reply) => withoutSecrets(reply, secrets))
    },
    close: (how) => pool.close(how),
  }
}

/** A reply is a few lines of at most 512 octets (RFC 5321 §4.5.3.1.5); EHLO's is the longest there is. */
const maxReplyBytes = 64 * 1024

function protectionOf({ tls, verify, ca }: RelayAddress) {
  return {
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'none',
    tls: { rejectUnauthorized: verify, ...(ca === undefined ? {} : { ca }) },
  }
}

function authOf({ credentials }: RelayAddress) {
  if (credentials === undefined) return {}
  const { user, password, method } = credentials
  if (method === 'xoauth2') return { auth: { type: 'OAuth2' as const, user, accessToken: password } }
  return { auth: { user, pass: password, ...(method === undefined ? {} : { method: method.toUpperCase() }) } }
}

/** What a peer must not get us to write down by saying it back: the password, in the forms in which it was sent. */
function secretsOf({ credentials }: RelayAddress): string[] {
  if (credentials === undefined || credentials.password === '') return []
  const { user, password } = credentials
  const sent = [password, `\0${user}\0${password}`, `user=${user}\x01auth=Bearer ${password}\x01\x01`]
  return [password, ...sent.map((text) => Buffer.from(text).toString('base64'))]
}

function withoutSecrets(answer: RecipientReply, secrets: readonly string[]): RecipientReply {
  if (!secrets.some((secret) => answer.remark.includes(secret))) return answer
  const remark = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), answer.remark)
  return { ...answer, remark, reply: answer.reply && { ...answer.reply, text: remark } }
}

/** The connections to one peer, and what is done to mail for it. */
interface Peer {
  readonly pool: SmtpPool
  readonly sign: PeerOptions['sign']
}

async function send(peer: Peer, envelope: Envelope, content: Uint8Array, withinMs: number): Promise<RecipientReply[]> {
  const from = wireSender(envelope.mailFrom)
  if (from === undefined) return envelope.recipients.map((address) => refused(address, unusableSender))
  const wired = envelope.recipients.map((address) => ({ address, wire: wireAddress(address) }))
  const wanted = [...new Set(wired.flatMap(({ wire }) => wire ?? []))]
  const transaction = new Transaction(peer, { from, to: wanted, dsn: envelope.dsn }, toCrlf(content))
  const end = wanted.length === 0 ? {} : await transact(peer.pool, transaction, withinMs)
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
  readonly responseCode?: number
  readonly recipient?: string
  /** Of nodemailer: what it waited for in vain. */
  readonly timeoutType?: string
}

/** The envelope as the connection takes it; the lower half is what it notes while the transaction goes on. */
interface WireEnvelope {
  from: string
  to: string[]
  /** RFC 1870 */
  size: number
  /** RFC 6152 */
  use8BitMime: boolean
  /** RFC 3461 */
  dsn?: { envid?: string; notify?: string }
  mailError?: SmtpFailure
  rejectedErrors?: SmtpFailure[]
}

/** Bytes that a signature can add, for SIZE; a server takes it as an estimate (RFC 1870 §6). */
const signatureBytes = 1_024

/** Addresses as they stand in commands. */
interface WantedEnvelope {
  readonly from: string
  readonly to: readonly string[]
  readonly dsn: Envelope['dsn']
}

function dsnParameters({ envid, notifiesSuccess }: NonNullable<Envelope['dsn']>): NonNullable<WireEnvelope['dsn']> {
  return {
    ...(envid === undefined ? {} : { envid }),
    ...(notifiesSuccess ? { notify: 'SUCCESS,FAILURE,DELAY' } : {}),
  }
}

/** A message on its way to a peer. Its final form is known once there is a connection: it depends on what that offers. */
class Transaction {
  readonly #peer: Peer
  readonly #wanted: WantedEnvelope
  readonly #content: Buffer
  #mime: Buffer
  #stream: Readable | undefined
  envelope: WireEnvelope | undefined
  isNotifiedByPeer = false
  /** Recipients that could not even be asked for, by their address on the wire. */
  readonly refused = new Map<string, SmtpReply>()

  constructor(peer: Peer, wanted: WantedEnvelope, content: Buffer) {
    this.#peer = peer
    this.#wanted = wanted
    this.#content = content
    this.#mime = content
  }

  /** Every byte of the message went out. */
  get wasSent(): boolean {
    return this.#stream?.readableEnded === true
  }

  /** The little of a composed message that the pool asks for. */
  message(signal: AbortSignal): MailMessage<SMTPSentMessageInfo> {
    const message = {
      data: { signal },
      message: {
        getEnvelope: () => this.#prepare(message),
        createReadStream: () => {
          this.#stream = this.#read()
          return this.#stream
        },
        // For the pool's own log lines, which nobody reads.
        messageId: () => '',
        getHeader: () => '',
      },
    }
    return message as unknown as MailMessage<SMTPSentMessageInfo>
  }

  /** Asked for once a connection is there, and again for another one. */
  #prepare(message: object): WireEnvelope {
    const offers = extensionsOf(this.#peer.pool, message)
    const { from, dsn } = this.#wanted
    this.refused.clear()
    const sayable = (address: string) => isAscii(Buffer.from(address)) || offers.includes('SMTPUTF8')
    let to = this.#wanted.to.filter(sayable)
    for (const address of this.#wanted.to) if (!sayable(address)) this.refused.set(address, needsUtf8)
    const asksForUtf8 = offers.includes('SMTPUTF8') && [from, ...to].some((address) => !isAscii(Buffer.from(address)))
    const mime = convertedFor(this.#content, { bodies: offers.includes('8BITMIME'), headers: asksForUtf8 })
    const isOfferedAnyway = mime === 'needs utf8' && offers.includes('SMTPUTF8')
    if (!sayable(from) || (typeof mime === 'string' && !isOfferedAnyway)) {
      for (const address of to) this.refused.set(address, mime === 'needs 8bit' ? needsEightBit : needsUtf8)
      to = []
    }
    this.#mime = typeof mime === 'string' ? this.#content : mime
    this.envelope = {
      from,
      to,
      size: this.#mime.byteLength + (this.#peer.sign === undefined ? 0 : signatureBytes),
      use8BitMime: !isAscii(this.#mime),
      ...(dsn === undefined || !offers.includes('DSN') ? {} : { dsn: dsnParameters(dsn) }),
    }
    this.isNotifiedByPeer = dsn?.notifiesSuccess === true && offers.includes('DSN')
    return this.envelope
  }

  #read(): Readable {
    return this.#peer.sign?.(this.#mime) ?? Readable.from(blocksOf(this.#mime), { objectMode: false })
  }
}

/** Of nodemailer's own state: what the connection that has this message was offered, which it tells nobody beforehand. */
interface PoolState {
  readonly _connections?: readonly {
    readonly queueEntry?: { readonly mail: object } | false
    readonly connection?: { readonly _supportedExtensions?: readonly string[] }
  }[]
}

/** What a peer offers (RFC 5321 §4.1.1.1); nothing where that cannot be seen, which is always safe. */
function extensionsOf(pool: SmtpPool, message: object): readonly string[] {
  const { _connections: connections = [] } = pool as unknown as PoolState
  const carrier = connections.find(({ queueEntry }) => queueEntry && queueEntry.mail === message)
  return carrier?.connection?._supportedExtensions ?? []
}

async function transact(pool: SmtpPool, transaction: Transaction, withinMs: number): Promise<TransactionEnd> {
  const overdue = new AbortController()
  const timer = setTimeout(() => overdue.abort(), withinMs)
  try {
    return await new Promise((resolve) => {
      pool.send(transaction.message(overdue.signal), (error, info) =>
        resolve(error === null ? { info } : { failure: error as SmtpFailure }),
      )
    })
  } finally {
    clearTimeout(timer)
  }
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
  /** By ourselves, before anyone was asked. */
  readonly unasked: ReadonlyMap<string, SmtpReply>
  readonly wasSent: boolean
  readonly isNotifiedByPeer: boolean
  /** There was a session, so that a transaction could begin. */
  readonly wasBegun: boolean
}

function whatWasHeard(transaction: Transaction, { info, failure }: TransactionEnd): Heard {
  const { envelope } = transaction
  return {
    unasked: transaction.refused,
    wasSent: transaction.wasSent,
    isNotifiedByPeer: transaction.isNotifiedByPeer,
    wasBegun: envelope !== undefined,
    first: envelope?.mailError,
    refused: new Map((envelope?.rejectedErrors ?? []).map((error) => [error.recipient, error])),
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
  const unasked = heard.unasked.get(wire)
  if (unasked !== undefined) return refused(address, unasked)
  const failure = heard.first ?? heard.refused.get(wire) ?? heard.last
  if (failure !== undefined) return { ...failedReply(address, failure), ...statusOf(failure, heard) }
  const taken = heard.accepted.has(wire) ? heard.final : undefined
  if (taken !== undefined) {
    return { address, reply: taken, remark: taken.text, ...(heard.isNotifiedByPeer ? { isNotifiedByPeer: true } : {}) }
  }
  return { address, reply: undefined, remark: 'The relay gave no answer that could be read.', mayBeTaken: true }
}

function statusOf(failure: SmtpFailure, { wasSent, wasBegun }: Heard) {
  if (!wasBegun) {
    const isTls = failure.code === 'ETLS' || failure.timeoutType === 'UPGRADE_TIMEOUT'
    return { isUnusable: true as const, ...(isTls ? { isTlsTrouble: true as const } : {}) }
  }
  return wasSent && failure.responseCode === undefined ? { mayBeTaken: true as const } : {}
}

/** Verbs whose answer is about this mail, or about taking mail from us at all. */
const verbsThatDecide = new Set(['EHLO', 'HELO', 'MAIL FROM', 'RCPT TO', 'DATA'])

function failedReply(address: string, failure: SmtpFailure): RecipientReply {
  const { code, command = '', response, message } = failure
  // Told by the EHLO answer's SIZE (RFC 1870 §6.1), without asking.
  if (code === 'EMESSAGE' && command === 'MAIL FROM' && response === undefined) return refused(address, tooLarge)
  if (code === 'EABORT') return { address, reply: undefined, remark: 'The relay took too long.' }
  // Anything said in a greeting, STARTTLS or AUTH is about this session or our own settings, not about the mail.
  const said = response === undefined ? undefined : parseReply(response)
  const reply = verbsThatDecide.has(command) ? said : undefined
  const place = reply !== undefined || command === 'CONN' ? '' : `${command}: `
  return { address, reply, remark: said === undefined ? oneLine(message) : `${place}${said.text}` }
}

const unusableSender: SmtpReply = { code: 553, text: '553 5.1.7 The sender has no address that SMTP can carry.' }
const unusableRecipient: SmtpReply = { code: 553, text: '553 5.1.3 This is no address that SMTP can carry.' }
/** RFC 6531 §3.2, §4.2 */
const needsUtf8: SmtpReply = { code: 553, text: '553 5.6.7 The relay does not take addresses that are not ASCII.' }
/** RFC 6152 §3 */
const needsEightBit: SmtpReply = {
  code: 554,
  text: '554 5.6.3 The relay takes 7 bits, and the message must not be converted.',
}
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
