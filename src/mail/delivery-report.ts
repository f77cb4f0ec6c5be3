/**
 * Reports of what became of a message, to whoever sent it (RFC 3464): that it could not be delivered, that it is late,
 * that it was delivered or handed on where that was asked for.
 */
import { escapeHtml } from './body.js'
import { newMessageId } from './conversation.js'
import type { Mail } from './mail.js'
import type { Mailbox } from './mailbox.js'
import type { EmailAddress, Message } from './message.js'
import { readHeaderBlock } from './mime/header-block.js'
import { threadIdsOf } from './mime/message-header.js'
import { reportMime } from './mime/report.js'
import type { OutboxRecipient } from './outbox-entry.js'

/** RFC 3464 §2.3.3 */
export type ReportKind = 'failed' | 'delayed' | 'delivered' | 'relayed'

/** What a report says beside which message it is about. */
export interface DeliveryNews {
  readonly kind: ReportKind
  readonly recipients: readonly Pick<OutboxRecipient, 'address' | 'reply' | 'at'>[]
  /** When the message was accepted, ms since 1970. */
  readonly arrivedAt: number
  /** Of a delay: until when it is tried, ms since 1970. */
  readonly retryUntil?: number
  /** RFC 3461 §4.4: what the sender's server calls the message. */
  readonly envelopeId?: string
}

/** What is known of the message that a report is about. */
export type ReportedMessage = Pick<Message, 'subject' | 'internetMessageId' | 'content' | 'sentAt'> &
  Partial<Pick<Message, 'conversation'>>

/** Subject and first sentence of each kind. */
const words: Readonly<Record<ReportKind, { readonly prefix: string; readonly sentence: string }>> = {
  failed: { prefix: 'Undeliverable', sentence: 'Your message could not be delivered to:' },
  delayed: {
    prefix: 'Delivery delayed',
    sentence: 'Your message has not been delivered yet, and need not be sent again: it goes on being tried. To:',
  },
  delivered: { prefix: 'Delivered', sentence: 'Your message was delivered to:' },
  relayed: {
    prefix: 'Relayed',
    sentence: 'Your message was handed to the next server, which does not tell whether it is delivered. To:',
  },
}

/** A returned message up to this size is returned whole; of a larger one its header (Postfix: `bounce_size_limit`). */
const maxReturnedBytes = 50_000

/** Our name in reports. */
const reporterName = 'Graphpost'

/** Who reports to a mailbox: the postmaster of its own domain, who is also told of mail that nobody wants back. */
export function reporterFor(address: string): EmailAddress {
  return { name: reporterName, address: `postmaster@${address.slice(address.lastIndexOf('@') + 1)}` }
}

/**
 * A report as bytes.
 *
 * @param mime the message as it went out; absent when that is not at hand
 */
export function deliveryReport(
  mail: Pick<Mail, 'clock' | 'random' | 'hostname'>,
  { from, to }: { readonly from: EmailAddress; readonly to: EmailAddress },
  original: ReportedMessage,
  news: DeliveryNews,
  mime?: Uint8Array,
): Buffer {
  const { prefix } = words[news.kind]
  const { inReplyTo, references } = threadIdsOf(original.content)
  const earlier = references.length > 0 ? references : inReplyTo
  return reportMime({
    from,
    to,
    subject: `${prefix}: ${original.subject ?? ''}`.trimEnd(),
    sentAt: mail.clock.now(),
    messageId: newMessageId(mail),
    inReplyTo: original.internetMessageId,
    references: [...new Set([...earlier.slice(0, 1), ...earlier.slice(-10), original.internetMessageId])].join(' '),
    ...(original.conversation === undefined ? {} : { conversationIndex: original.conversation.index }),
    text: textOf(mail, original, news),
    html: htmlOf(mail, original, news),
    type: 'delivery-status',
    groups: [messageFields(mail, news), ...news.recipients.map((each) => recipientFields(each, news))],
    ...(mime === undefined ? {} : { returned: returnedPart(mime, news.kind) }),
    boundary: `=_${mail.random.bytes(16).toString('hex')}`,
  })
}

/** What was delivered need not come back (RFC 3461 §6.2: a full return is for failures alone). */
function returnedPart(mime: Uint8Array, kind: ReportKind) {
  const content = Buffer.from(mime.buffer, mime.byteOffset, mime.byteLength)
  if (kind === 'failed' && content.byteLength <= maxReturnedBytes) return { type: 'message/rfc822' as const, content }
  return { type: 'text/rfc822-headers' as const, content: content.subarray(0, readHeaderBlock(content).bodyStart) }
}

function messageFields({ hostname }: Pick<Mail, 'hostname'>, { arrivedAt, envelopeId }: DeliveryNews): string[] {
  return [
    ...(envelopeId === undefined ? [] : [`Original-Envelope-Id: ${printable(envelopeId)}`]),
    `Reporting-MTA: dns; ${hostname}`,
    `Arrival-Date: ${dateOf(arrivedAt)}`,
  ]
}

function recipientFields(
  { address, reply = '', at }: DeliveryNews['recipients'][number],
  { kind, retryUntil }: DeliveryNews,
): string[] {
  const asked = askedReply(reply)
  return [
    `Final-Recipient: ${typedAddress(address)}`,
    `Action: ${kind}`,
    `Status: ${statusOf(reply, kind)}`,
    ...(asked === undefined ? [] : [`Diagnostic-Code: smtp; ${printable(asked)}`]),
    ...(at === undefined ? [] : [`Last-Attempt-Date: ${dateOf(at)}`]),
    ...(retryUntil === undefined ? [] : [`Will-Retry-Until: ${dateOf(retryUntil)}`]),
  ]
}

/** A server's own words within a remark of ours: `Given up. The last attempt: 451 4.7.1 later`. */
function askedReply(remark: string): string | undefined {
  return /(?:^|: )([2-5]\d\d .*)$/s.exec(remark)?.[1]
}

/**
 * The enhanced status code (RFC 3463) that a reply carries, or the general one of its class; of what was given up without
 * an answer, that its time was over.
 */
export function statusOf(remark: string, kind: ReportKind): string {
  const { said, code } = /(?:^|: )(?<code>[2-5])\d\d(?: (?<said>[245]\.\d{1,3}\.\d{1,3})\b)?/.exec(remark)?.groups ?? {}
  // A success is told with 2.y.z, whatever was said on the way.
  if (kind === 'delivered' || kind === 'relayed') return said?.startsWith('2') === true ? said : '2.0.0'
  if (said !== undefined && !said.startsWith('2')) return said
  if (code === '5') return '5.0.0'
  return kind === 'delayed' ? '4.0.0' : '4.4.7'
}

/** RFC 3464 §2.1.2; an address that is not ASCII as RFC 6533 §3 writes it. */
function typedAddress(address: string): string {
  if (/^[\x21-\x7e]+$/.test(address)) return `rfc822; ${address}`
  const escaped = [...address].map((each) =>
    /[\x21-\x5b\x5d-\x7e]/.test(each) ? each : `\\x{${(each.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`,
  )
  return `utf-8; ${escaped.join('')}`
}

/** One line of at most 998 bytes of ASCII. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, '?').slice(0, 900)
}

function dateOf(at: number): string {
  return new Date(at).toUTCString().replace('GMT', '+0000')
}

function textOf(mail: Pick<Mail, 'hostname'>, original: ReportedMessage, news: DeliveryNews): string {
  const recipients = news.recipients.map(({ address, reply = '' }) => `  ${address}\n    ${reply}`)
  return [words[news.kind].sentence, '', ...recipients, '', ...aboutLines(mail, original, news), ''].join('\n')
}

function aboutLines({ hostname }: Pick<Mail, 'hostname'>, original: ReportedMessage, news: DeliveryNews): string[] {
  return [
    `Subject: ${original.subject ?? ''}`,
    `Sent: ${dateOf(original.sentAt)}`,
    `Message-ID: ${original.internetMessageId}`,
    `Reported by: ${hostname}`,
    ...(news.retryUntil === undefined ? [] : [`It is tried until: ${dateOf(news.retryUntil)}`]),
  ]
}

/** What a server said stands in it as text: never as markup of its own. */
function htmlOf(mail: Pick<Mail, 'hostname'>, original: ReportedMessage, news: DeliveryNews): string {
  const items = news.recipients.map(
    ({ address, reply = '' }) => `<li><b>${escapeHtml(address)}</b><br><code>${escapeHtml(reply)}</code></li>`,
  )
  const about = aboutLines(mail, original, news).map((line) => `${escapeHtml(line)}<br>`)
  return [
    '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>',
    `<p>${escapeHtml(words[news.kind].sentence)}</p><ul>`,
    ...items,
    '</ul><p>',
    ...about,
    '</p></body></html>',
  ].join('\n')
}

/** Whether a mailbox is to be reported to: somebody sent the message, and it is no report itself (RFC 5321 §4.5.5). */
export function wantsReports({ mailFrom }: { readonly mailFrom: string }): boolean {
  return mailFrom !== ''
}

/** The mailbox that sent it: that of the return path, else the one that keeps the message. */
export async function reportedMailbox(
  mail: Pick<Mail, 'store'>,
  { mailbox, mailFrom }: { readonly mailbox: Mailbox['id']; readonly mailFrom: string },
): Promise<Mailbox> {
  const keeper = await mail.store.mailboxes.get(mailbox)
  const found = await mail.store.mailboxes.findByAddress(keeper.tenant, [mailFrom])
  return found.get(mailFrom.toLowerCase()) ?? keeper
}
