/**
 * Mail on its way out: SMTP (RFC 5321) to one server, over connections that are kept and used again. The pool, TLS, AUTH,
 * dot-stuffing and the turning of bare CR and LF into CRLF are nodemailer's.
 */
import { createRequire } from 'node:module'
import type { Readable } from 'node:stream'
import type SmtpPool from 'nodemailer/lib/smtp-pool'
import { toCrlf } from '../mail/mime/line-ends.js'
import { type Dialogue, DialogueTap } from './dialogue.js'
import type { SmtpReply } from './outcome.js'
import { parseRelayUrl, type RelayAddress } from './relay-url.js'
import { refused, replyTo, unusableRecipient, unusableSender, whatWasHeard } from './smtp-answer.js'
import { authOf, protectionOf, provideTokens, secretsOf, withoutSecrets } from './smtp-sign-in.js'
import { type Peer, Transaction, transact } from './smtp-transaction.js'
import { wireAddress, wireSender } from './wire-address.js'

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
  /** Where what is said is noted, for the attempt's record. */
  readonly dialogue?: Dialogue
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

let loadedPool: typeof SmtpPool | undefined

/** Loaded with the first server that mail goes to: one that keeps all mail here never speaks SMTP. */
function poolClass(): typeof SmtpPool {
  loadedPool ??= createRequire(import.meta.url)('nodemailer/lib/smtp-pool') as typeof SmtpPool
  return loadedPool
}

/** The same for a server whose address is known. */
export function openPeer(address: RelayAddress, options: PeerOptions): Relay {
  const timeouts = options.timeouts ?? defaultTimeouts
  const tap = new DialogueTap()
  const pool = new (poolClass())({
    ...tap.poolOptions,
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
    // A new connection that is closed before the session is ready is tried again so often; more is for the retry
    // schedule. Kept ones that turn out dead do not count (smtp-transaction.ts).
    maxRequeues: 2,
  })
  tap.attach(pool)
  provideTokens(pool, address)
  const secrets = secretsOf(address)
  return {
    connections: options.connections,
    transactionMs: timeouts.transactionMs,
    send: async (envelope, content, withinMs = Number.POSITIVE_INFINITY) => {
      const replies = await send(
        { pool, tap, sign: options.sign },
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

async function send(peer: Peer, envelope: Envelope, content: Uint8Array, withinMs: number): Promise<RecipientReply[]> {
  const from = wireSender(envelope.mailFrom)
  if (from === undefined) return envelope.recipients.map((address) => refused(address, unusableSender))
  const wired = envelope.recipients.map((address) => ({ address, wire: wireAddress(address) }))
  const wanted = [...new Set(wired.flatMap(({ wire }) => wire ?? []))]
  const transaction = new Transaction(
    peer,
    { from, to: wanted, dsn: envelope.dsn, dialogue: envelope.dialogue },
    toCrlf(content),
  )
  const end = wanted.length === 0 ? {} : await transact(peer, transaction, withinMs)
  const heard = whatWasHeard(transaction, end)
  return wired.map(({ address, wire }) =>
    wire === undefined ? refused(address, unusableRecipient) : replyTo(address, wire, heard),
  )
}
