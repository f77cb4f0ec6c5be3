/**
 * One message on its way through nodemailer's pool. The pool is used without the message composer that usually sits on top,
 * for two reasons. An address goes onto the wire as it is kept: it is never parsed out of text a second time. And the
 * envelope that the connection fills in with each recipient's answer stays in our hands, so that what the server said about
 * one recipient is known even when the message then fails.
 */
import { isAscii } from 'node:buffer'
import { Readable } from 'node:stream'
import type { MailMessage, SMTPSentMessageInfo } from 'nodemailer'
import type SmtpPool from 'nodemailer/lib/smtp-pool'
import { convertedFor } from '../mail/mime/seven-bit.js'
import type { DialogueTap } from './dialogue.js'
import type { SmtpReply } from './outcome.js'
import { type Carrier, carriersOf } from './pool-carriers.js'
import type { Envelope, PeerOptions } from './smtp.js'
import { needsEightBit, needsUtf8 } from './smtp-answer.js'
import { isPrintableAscii } from './wire-address.js'

/** The connections to one peer, and what is done to mail for it. */
export interface Peer {
  readonly pool: SmtpPool
  readonly tap: DialogueTap
  readonly sign: PeerOptions['sign']
}

/** How a transaction ended: the answer to the final dot, or what stopped it. */
export interface TransactionEnd {
  readonly info?: SMTPSentMessageInfo | undefined
  readonly failure?: SmtpFailure
}

/** What nodemailer adds to its errors. */
export interface SmtpFailure extends Error {
  readonly code?: string
  /** The verb the peer was answering, `CONN` outside of any. */
  readonly command?: string
  readonly response?: string
  readonly responseCode?: number
  readonly recipient?: string
  /** Of nodemailer: what it waited for in vain. */
  readonly timeoutType?: string
  /** The system's or OpenSSL's code, where `code` is nodemailer's. */
  readonly originalCode?: string
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
  readonly dialogue: Envelope['dialogue']
}

function dsnParameters({ envid, notifiesSuccess }: NonNullable<Envelope['dsn']>): NonNullable<WireEnvelope['dsn']> {
  return {
    ...(envid === undefined ? {} : { envid }),
    ...(notifiesSuccess ? { notify: 'SUCCESS,FAILURE,DELAY' } : {}),
  }
}

/** A message on its way to a peer. Its final form is known once there is a connection: it depends on what that offers. */
export class Transaction {
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

  /** Where what is said of it is noted. */
  get dialogue(): Envelope['dialogue'] {
    return this.#wanted.dialogue
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
    this.refused.clear()
    forgiveKept(carrierOf(this.#peer.pool, message))
    const { from, to, dsn } = this.#wanted
    const isPlain = isAscii(this.#content) && isPrintableAscii(from) && to.every(isPrintableAscii)
    const asked = isPlain ? [...to] : this.#fit(extensionsOf(this.#peer.pool, message))
    this.envelope = {
      from,
      to: asked,
      size: this.#mime.byteLength + (this.#peer.sign === undefined ? 0 : signatureBytes),
      use8BitMime: !isPlain && !isAscii(this.#mime),
    }
    const takesDsn = dsn !== undefined && extensionsOf(this.#peer.pool, message).includes('DSN')
    if (takesDsn) this.envelope.dsn = dsnParameters(dsn)
    this.isNotifiedByPeer = takesDsn && dsn.notifiesSuccess
    return this.envelope
  }

  /** Makes the message fit what the peer offers. @returns the recipients it can be asked for */
  #fit(offers: readonly string[]): string[] {
    const takesUtf8 = offers.includes('SMTPUTF8')
    const { from, to } = this.#wanted
    const sayable = (address: string) => takesUtf8 || isPrintableAscii(address)
    const asked = sayable(from) ? to.filter(sayable) : []
    for (const address of to) if (!asked.includes(address)) this.refused.set(address, needsUtf8)
    const asksForUtf8 = takesUtf8 && ![from, ...asked].every(isPrintableAscii)
    const mime = convertedFor(this.#content, { bodies: offers.includes('8BITMIME'), headers: asksForUtf8 })
    this.#mime = typeof mime === 'string' ? this.#content : mime
    // A peer that takes UTF-8 takes it in a header, though nodemailer asks for it on account of the envelope alone.
    if (typeof mime !== 'string' || (mime === 'needs utf8' && takesUtf8)) return asked
    for (const address of asked) this.refused.set(address, mime === 'needs 8bit' ? needsEightBit : needsUtf8)
    return []
  }

  #read(): Readable {
    return this.#peer.sign?.(this.#mime) ?? Readable.from(blocksOf(this.#mime), { objectMode: false })
  }
}

function carrierOf(pool: SmtpPool, message: object): Carrier | undefined {
  return carriersOf(pool).find(({ queueEntry }) => queueEntry && queueEntry.mail === message)
}

/** What a peer offers (RFC 5321 §4.1.1.1); nothing where that cannot be seen, which is always safe. */
function extensionsOf(pool: SmtpPool, message: object): readonly string[] {
  return carrierOf(pool, message)?.connection?._supportedExtensions ?? []
}

/**
 * A kept connection that turns out dead before a byte of the message was sent is no try, however many of them there are:
 * a peer that closes after each message leaves as many as there are connections. The pool counts every one against
 * `maxRequeues`, which is meant for new ones; so what it is about to count is taken off beforehand. Each kept connection
 * has carried a message and dies once, so this ends.
 */
function forgiveKept(carrier: Carrier | undefined): void {
  if (carrier?.queueEntry && carrier.messages > 0) carrier.queueEntry.requeueAttempts -= 1
}

export async function transact(
  { pool, tap }: Peer,
  transaction: Transaction,
  withinMs: number,
): Promise<TransactionEnd> {
  const overdue = new AbortController()
  const timer = setTimeout(() => overdue.abort(), withinMs)
  try {
    return await new Promise((resolve) => {
      const message = transaction.message(overdue.signal)
      tap.follow(message, transaction.dialogue)
      pool.send(message, (error, info) => resolve(error === null ? { info } : { failure: error as SmtpFailure }))
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
