import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import { MailError } from '../mail/errors.js'
import type { TenantId } from '../mail/ids.js'
import type { Mail } from '../mail/mail.js'
import type { Mailbox } from '../mail/mailbox.js'
import { receiveMessage } from '../mail/receive.js'

/** Where SMTP listens, and for whom it takes mail. */
export interface SmtpOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly tenant: TenantId
  /** Largest message, bytes. */
  readonly maxBytes: number
}

export interface SmtpListening {
  readonly port: number
  close(): Promise<void>
}

/** RFC 5321 §4.5.3.1.8: at least 100 must be taken. */
const maxRecipients = 500

/** A reply of SMTP with its enhanced status (RFC 3463). */
class SmtpRefusal extends Error {
  readonly responseCode: number

  constructor(responseCode: number, message: string) {
    super(message)
    this.responseCode = responseCode
  }
}

/**
 * Takes mail for the mailboxes of a tenant over SMTP (RFC 5321), and for nobody else: it relays nothing. 250 after the
 * final dot leaves once the message is on disk.
 */
export async function listenSmtp(mail: Mail, options: SmtpOptions): Promise<SmtpListening> {
  const server = new SMTPServer({
    name: mail.hostname,
    banner: 'Graphpost',
    size: options.maxBytes,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onRcptTo: (address, session, callback) => {
      acceptRecipient(mail, options.tenant, address.address, session).then(() => callback(), callback)
    },
    onData: (stream, session, callback) => {
      acceptMessage(mail, options, stream, session).then(() => callback(null, '2.0.0 Message kept'), callback)
    },
  })
  // A client that breaks off is not our trouble; without a listener it would end the process.
  server.on('error', () => {})
  const port = await new Promise<number>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.server.off('error', reject)
      resolve((server.server.address() as AddressInfo).port)
    })
  })
  return { port, close: () => new Promise((resolve) => server.close(() => resolve())) }
}

async function acceptRecipient(
  mail: Mail,
  tenant: TenantId,
  address: string,
  session: SMTPServerSession,
): Promise<void> {
  if (session.envelope.rcptTo.length >= maxRecipients) throw new SmtpRefusal(452, '4.5.3 Too many recipients')
  const found = await mail.store.mailboxes.findByAddress(tenant, [address])
  if (found.size === 0) throw new SmtpRefusal(550, '5.1.1 There is no such mailbox here, and nothing is relayed')
}

async function acceptMessage(
  mail: Mail,
  options: SmtpOptions,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
): Promise<void> {
  const body = await readMessage(stream, options.maxBytes)
  const addresses = session.envelope.rcptTo.map(({ address }) => address)
  const found = await mail.store.mailboxes.findByAddress(options.tenant, addresses)
  const mailboxes = [
    ...new Map([...found.values()].map((mailbox): [number, Mailbox] => [mailbox.id, mailbox])).values(),
  ]
  try {
    const mime = Buffer.concat([traceFields(mail, session), body])
    const [failure] = (await receiveMessage(mail, { mime, mailFrom: returnPath(session), mailboxes })).filter(Boolean)
    if (failure !== undefined) throw failure
  } catch (error) {
    if (error instanceof MailError && error.code === 'mimeInvalid') {
      throw new SmtpRefusal(554, '5.6.0 The content is not a message')
    }
    throw new SmtpRefusal(451, '4.3.0 The message could not be kept; try again later')
  }
}

async function readMessage(stream: SMTPServerDataStream, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Read to the end even when too large: the peer waits for its answer after the final dot.
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= maxBytes) chunks.push(chunk)
  }
  if (bytes > maxBytes) throw new SmtpRefusal(552, `5.3.4 A message may have ${maxBytes} bytes`)
  return Buffer.concat(chunks)
}

/** RFC 5321 §4.4: where it came from and when; what the peer said of itself is made printable. */
function traceFields(mail: Mail, session: SMTPServerSession): Buffer {
  const peer = String(session.hostNameAppearsAs || 'unknown')
    .replace(/[^A-Za-z0-9.:[\]_-]/g, '?')
    .slice(0, 255)
  const date = new Date(mail.clock.now()).toUTCString().replace('GMT', '+0000')
  return Buffer.from(
    `Return-Path: <${returnPath(session)}>\r\nReceived: from ${peer} ([${session.remoteAddress}])\r\n\tby ${mail.hostname} (Graphpost) with ESMTP id ${session.id};\r\n\t${date}\r\n`,
  )
}

/** What the peer named in MAIL FROM; empty when it is nobody, or nothing a header can hold. */
function returnPath({ envelope }: SMTPServerSession): string {
  const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
  return /^[\x21-\x3b\x3d\x3f-\x7e]*$/.test(from) ? from : ''
}
