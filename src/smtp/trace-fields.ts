import type { SMTPServerSession } from 'smtp-server'
import type { Mail } from '../mail/mail.js'

/**
 * RFC 5321 §4.4: where it came from and when; what the peer said of itself is made printable. A message that its author
 * submitted has no return path yet: the server that delivers it writes that.
 */
export function traceFields(mail: Pick<Mail, 'clock' | 'hostname'>, session: SMTPServerSession): Buffer {
  const peer = String(session.hostNameAppearsAs || 'unknown')
    .replace(/[^A-Za-z0-9.:[\]_-]/g, '?')
    .slice(0, 255)
  const date = new Date(mail.clock.now()).toUTCString().replace('GMT', '+0000')
  const path = session.user ? '' : `Return-Path: <${returnPath(session)}>\r\n`
  const how = session.transmissionType.replace(/[^A-Z0-9]/g, '')
  return Buffer.from(
    `${path}Received: from ${peer} ([${session.remoteAddress}])\r\n\tby ${mail.hostname} (Graphpost) with ${how} id ${session.id};\r\n\t${date}\r\n`,
  )
}

/** What the peer named in MAIL FROM; empty when it is nobody, or nothing a header can hold. */
export function returnPath({ envelope }: SMTPServerSession): string {
  const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
  return /^[\x21-\x3b\x3d\x3f-\x7e\u0080-\u{10ffff}]*$/u.test(from) ? from : ''
}

/** Servers that a message can have been through: RFC 5321 §6.3 wants more than 100 to be taken for a loop. */
const maxHops = 100

/** Whether the message goes in circles. Looked at in the header alone, up to where the longest one ends. */
export function receivedTooOften(body: Buffer): boolean {
  const end = body.indexOf('\r\n\r\n')
  const header = body.toString('latin1', 0, Math.min(end === -1 ? body.length : end, 262_144))
  return (header.match(/^received:/gim)?.length ?? 0) > maxHops
}
