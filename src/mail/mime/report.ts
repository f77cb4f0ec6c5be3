import type { EmailAddress } from '../message.js'
import { addressField, messageIdField, textField } from './header-field.js'
import { withLineEnd } from './line-ends.js'
import { dateField } from './message-header.js'
import { isSevenBit } from './render.js'

/** A report as bytes: multipart/report of RFC 6522, which RFC 3464 and RFC 8098 say the second part of. */
export interface ReportMime {
  readonly from: EmailAddress
  readonly to: EmailAddress
  readonly subject: string
  /** ms since 1970 */
  readonly sentAt: number
  /** With angle brackets, like the two below. */
  readonly messageId: string
  readonly inReplyTo?: string
  /** Separated by spaces. */
  readonly references?: string
  /** Base64, see `Conversation`. */
  readonly conversationIndex?: string
  /** For people. */
  readonly text: string
  readonly html: string
  /** For programs: fields as they stand in the second part, group after group. */
  readonly type: 'delivery-status' | 'disposition-notification'
  readonly groups: readonly (readonly string[])[]
  /** The message it is about, or its header. */
  readonly returned?: { readonly type: 'message/rfc822' | 'text/rfc822-headers'; readonly content: Buffer }
  /** Random: nothing that is returned can hold it. */
  readonly boundary: string
}

export function reportMime(report: ReportMime): Buffer {
  const { boundary, type } = report
  const inner = `${boundary}.a`
  const lines = [
    addressField('From', [report.from]),
    addressField('To', [report.to]),
    textField('Subject', report.subject),
    dateField(report.sentAt),
    messageIdField('Message-ID', report.messageId),
    ...(report.inReplyTo === undefined ? [] : [messageIdField('In-Reply-To', report.inReplyTo)]),
    ...(report.references === undefined ? [] : [messageIdField('References', report.references)]),
    ...(report.conversationIndex === undefined ? [] : [`Thread-Index: ${report.conversationIndex}`]),
    'Auto-Submitted: auto-replied',
    'X-Auto-Response-Suppress: All',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=${type};\r\n\tboundary="${boundary}"`,
    '',
    `--${boundary}`,
    `Content-Type: multipart/alternative; boundary="${inner}"`,
    '',
    ...textPart(inner, 'plain', report.text),
    ...textPart(inner, 'html', report.html),
    `--${inner}--`,
    '',
    `--${boundary}`,
    `Content-Type: message/${type}`,
    '',
    ...report.groups.flatMap((group) => [...group, '']),
  ]
  return Buffer.concat([
    Buffer.from(`${lines.join('\r\n')}\r\n`),
    ...returnedPart(report),
    Buffer.from(`--${boundary}--\r\n`),
  ])
}

function textPart(boundary: string, subtype: 'plain' | 'html', text: string): string[] {
  const base64 = Buffer.from(text.replace(/\r?\n/g, '\r\n')).toString('base64')
  return [
    `--${boundary}`,
    `Content-Type: text/${subtype}; charset=utf-8`,
    'Content-Transfer-Encoding: base64',
    '',
    ...(base64.match(/.{1,76}/g) ?? []),
    '',
  ]
}

function returnedPart({ boundary, returned }: ReportMime): Buffer[] {
  if (returned === undefined) return []
  const { type, content } = returned
  const encoding = isSevenBit(content) ? '' : 'Content-Transfer-Encoding: 8bit\r\n'
  return [
    Buffer.from(`--${boundary}\r\nContent-Type: ${type}\r\n${encoding}\r\n`),
    withLineEnd(content),
    Buffer.from('\r\n'),
  ]
}
