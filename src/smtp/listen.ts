/**
 * Mail coming in: SMTP (RFC 5321) and LMTP (RFC 2033) for the mailboxes of a tenant, and for everybody else only from
 * users who sign in (RFC 6409). What is acknowledged after the final dot is on disk.
 *
 * The protocol is smtp-server's. It ends a message at CRLF.CRLF alone, so that no other line end can smuggle in a second
 * one (VU#302671), and forgets what came before TLS.
 */
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import type { TenantId } from '../mail/ids.js'
import type { Mail } from '../mail/mail.js'
import type { Mailbox } from '../mail/mailbox.js'
import { acceptMessage, acceptRecipient, acceptSender } from './accept.js'
import { SmtpRefusal } from './refusal.js'

/** Structured lines, as pino takes them. */
export interface SmtpLog {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** Where SMTP listens, and for whom it takes mail. */
export interface SmtpOptions {
  readonly protocol: 'smtp' | 'lmtp'
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly tenant: TenantId
  /** Largest message, bytes. */
  readonly maxBytes: number
  /** Recipients of one message. RFC 5321 §4.5.3.1.8: at least 100 must be taken. */
  readonly maxRecipients: number
  readonly maxConnections: number
  /** How long a peer may say nothing, ms. */
  readonly idleMs: number
  /** Where mail from here is returned to, when that is not its sender; '': it is. */
  readonly bounceAddress: string
  /** PEM; absent: no STARTTLS. */
  readonly certificate?: { readonly cert: string; readonly key: string }
  /** The mailbox of who knows the password; undefined for everybody else. Absent: nobody signs in. */
  readonly signIn?: (name: string, password: string) => Promise<Mailbox | undefined>
  readonly log: SmtpLog
}

export interface SmtpListening {
  readonly port: number
  /** Shows another certificate from the next session on. */
  setCertificate(certificate: { readonly cert: string; readonly key: string }): void
  close(): Promise<void>
}

/**
 * Longest session, ms: whoever sends a byte now and then is never idle. RFC 5321 §4.5.3.2 lets an honest peer take some
 * minutes a step; a large message over a slow line needs this long.
 */
const maxSessionMs = 3_600_000

/** VRFY tells strangers who is here (RFC 5321 §7.3); the others are no part of SMTP, or trust what a proxy says. */
const neverOffered = ['VRFY', 'XCLIENT', 'XFORWARD', 'WIZ', 'SHELL', 'KILL']

/** Starts to take mail; resolves once it listens, rejects when the port cannot be had. */
export async function listenSmtp(mail: Mail, options: SmtpOptions): Promise<SmtpListening> {
  const { certificate, signIn, protocol } = options
  const isLmtp = protocol === 'lmtp'
  const without = [...neverOffered, ...(certificate === undefined ? ['STARTTLS'] : [])]
  const mayNotSignIn = [...without, 'AUTH']
  const unavailableIn = (isPrivate: boolean) => (signIn !== undefined && isPrivate && !isLmtp ? without : mayNotSignIn)
  const timers = new Map<string, NodeJS.Timeout>()
  const server = new SMTPServer({
    name: mail.hostname,
    banner: 'Graphpost',
    heloResponse: '%s',
    lmtp: isLmtp,
    size: options.maxBytes,
    ...(certificate ?? {}),
    disabledCommands: mayNotSignIn,
    authOptional: true,
    // Which sessions it is offered in is said for each, below.
    allowInsecureAuth: true,
    authMethods: ['PLAIN', 'LOGIN'],
    hideDSN: isLmtp,
    disableReverseLookup: true,
    maxClients: options.maxConnections,
    socketTimeout: options.idleMs,
    closeTimeout: closeTimeoutMs,
    logger: false,
    onConnect: (session, callback) => {
      session.disabledCommands = unavailableIn(isLoopback(session.remoteAddress))
      timers.set(session.id, setTimeout(() => cutOff(server, session.id), maxSessionMs).unref())
      callback()
    },
    onSecure: (_, session, callback) => {
      session.disabledCommands = unavailableIn(true)
      callback()
    },
    onClose: (session) => {
      clearTimeout(timers.get(session.id))
      timers.delete(session.id)
    },
    onAuth: ({ username = '', password }, session, callback) => {
      authenticate(options, session, username, password ?? '').then((user) => callback(null, { user }), callback)
    },
    onMailFrom: ({ address }, session, callback) => {
      acceptSender(mail, address, session).then(() => callback(), callback)
    },
    onRcptTo: ({ address }, session, callback) => {
      acceptRecipient(mail, options, address, session).then(() => callback(), callback)
    },
    onData: (stream, session, callback) => {
      acceptMessage(mail, options, stream, session).then((answers) => {
        const [first] = answers
        if (isLmtp) callback(null, answers)
        else if (first instanceof Error) callback(first)
        else callback(null, first ?? '2.0.0 Message kept')
      }, callback)
    },
  })
  // A peer that breaks off is not our trouble; without a listener it would end the process.
  server.on('error', () => {})
  const port = await new Promise<number>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.server.off('error', reject)
      resolve((server.server.address() as AddressInfo).port)
    })
  })
  return {
    port,
    setCertificate: (renewed) => server.updateSecureContext(renewed),
    close: () => close(server),
  }
}

/** How long sessions may go on after the listener was closed: for the answer to a message that is being kept. */
const closeTimeoutMs = 2_000

/** Sessions that only wait for their peer end at once: it will find out with its next command, or has none. */
function close(server: SMTPServer): Promise<void> {
  for (const connection of server.connections) if (isIdle(connection.session)) connection.close()
  return new Promise((resolve) => server.close(() => resolve()))
}

function isIdle({ envelope }: Partial<SMTPServerSession>): boolean {
  return envelope === undefined || envelope.mailFrom === false
}

function cutOff(server: SMTPServer, session: string): void {
  for (const connection of server.connections) {
    if (connection.id === session) connection.send(421, '4.4.2 This session took too long')
  }
}

/** Passwords go in the clear to ourselves alone; to others only within TLS. */
function isLoopback(address: string): boolean {
  return address === '::1' || /^127\./.test(address)
}

async function authenticate(
  { signIn, log }: SmtpOptions,
  { remoteAddress, id }: SMTPServerSession,
  name: string,
  password: string,
): Promise<Mailbox> {
  let mailbox: Mailbox | undefined
  try {
    mailbox = await signIn?.(name, password)
  } catch (error) {
    log.error({ err: error, session: id }, 'a user could not be signed in')
    throw new SmtpRefusal(454, '4.7.0 Nobody can be signed in now; try again later')
  }
  if (mailbox !== undefined) return mailbox
  log.warn({ session: id, remoteAddress }, 'somebody did not sign in')
  throw new SmtpRefusal(535, '5.7.8 No user has this name and password')
}
