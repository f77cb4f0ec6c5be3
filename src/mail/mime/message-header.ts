import { hasVisibleAttachment, type NewAttachment } from '../attachment.js'
import type { EmailAddress, Importance, MessageContent, SingleValueExtendedProperty } from '../message.js'
import { normalisedSubject } from '../subject.js'
import { addressField, messageIdField, messageIdsOf, structuredField, textField } from './header-field.js'

/** What a header is written from: a message, or a draft attached to one. */
export interface HeaderSource {
  readonly content: MessageContent
  readonly subject: string | null
  readonly importance: Importance
  readonly internetMessageId?: string
  /** Base64, see `Conversation`; absent for an attached message, which is in no thread of ours. */
  readonly conversationIndex?: string
  /** ms since 1970; absent for an attached message that was never sent. */
  readonly sentAt?: number
  readonly attachments: readonly NewAttachment[]
}

/**
 * The fields of a message's header as Exchange writes them, in its order, without those that describe the content
 * (`Content-Type` ...). Each is folded and without the CRLF at its end.
 *
 * @param includeBcc only for what the author alone gets to see
 */
export function headerFields(source: HeaderSource, { includeBcc }: { includeBcc: boolean }): string[] {
  const { content, subject, importance, sentAt, attachments } = source
  const { from, toRecipients, ccRecipients, bccRecipients, replyTo } = content
  const fields = [
    ...senderFields(content),
    ...recipientField('To', toRecipients),
    ...recipientField('Cc', ccRecipients),
    ...(includeBcc ? recipientField('Bcc', bccRecipients) : undisclosed(content)),
    ...recipientField('Reply-To', replyTo),
    ...threadFields(subject ?? '', source.conversationIndex),
    ...importanceFields(importance),
    ...referenceFields(content),
    ...(sentAt === undefined ? [] : [dateField(sentAt)]),
    ...(source.internetMessageId === undefined ? [] : [messageIdField('Message-ID', source.internetMessageId)]),
    ...(content.isReadReceiptRequested && from ? [addressField('Disposition-Notification-To', [from])] : []),
    ...(content.isDeliveryReceiptRequested && from ? [addressField('Return-Receipt-To', [from])] : []),
    ...(content.autoSubmitted === undefined ? [] : [`Auto-Submitted: ${content.autoSubmitted}`]),
    'Content-Language: en-US',
    textField('X-MS-Has-Attach', hasVisibleAttachment(attachments) ? 'yes' : ''),
    'X-MS-TNEF-Correlator:',
  ]
  const own = ownFields(content)
  const ownNames = new Set(own.map(nameOf))
  return [...fields.filter((field) => !ownNames.has(nameOf(field))), ...own]
}

/** `Date`, RFC 5322 §3.3, always in UTC and with `+0000`, as recorded. */
export function dateField(at: number): string {
  return `Date: ${new Date(at).toUTCString().replace('GMT', '+0000')}`
}

/** `From`, and `Sender` when somebody else submitted it (RFC 5322 §3.6.2). */
export function senderFields({ from, sender }: Pick<MessageContent, 'from' | 'sender'>): string[] {
  if (from === undefined) return []
  const isOnBehalf = sender !== undefined && !isSameAddress(sender, from)
  return [addressField('From', [from]), ...(isOnBehalf ? [addressField('Sender', [sender])] : [])]
}

/** Addresses are one when they differ in case only: no mail system of today keeps them apart. */
export function isSameAddress(one: EmailAddress, other: EmailAddress): boolean {
  return one.address.toLowerCase() === other.address.toLowerCase()
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(':')).toLowerCase()
}

function recipientField(name: string, recipients: readonly EmailAddress[]): string[] {
  return recipients.length === 0 ? [] : [addressField(name, recipients)]
}

/** A message that only names hidden recipients says so: some servers add a `To` with them otherwise. */
function undisclosed({ toRecipients, ccRecipients, bccRecipients }: MessageContent): string[] {
  const isHidden = toRecipients.length + ccRecipients.length === 0 && bccRecipients.length > 0
  return isHidden ? ['To: undisclosed-recipients:;'] : []
}

function threadFields(subject: string, conversationIndex: string | undefined): string[] {
  const topic = normalisedSubject(subject)
  return [
    ...(subject === '' ? [] : [textField('Subject', subject)]),
    ...(topic === '' ? [] : [textField('Thread-Topic', topic)]),
    ...(conversationIndex ? [`Thread-Index: ${conversationIndex}`] : []),
  ]
}

function importanceFields(importance: Importance): string[] {
  if (importance === 'normal') return []
  return importance === 'high' ? ['Importance: high', 'X-Priority: 1'] : ['Importance: low', 'X-Priority: 5']
}

/** What clients set by MAPI property, because Graph lets them write no header but `x-` ones. */
const tags = { inReplyTo: 0x1042, references: 0x1039, listUnsubscribe: 0x1045 }

function referenceFields(content: MessageContent): string[] {
  const { inReplyTo, references } = threadIdsOf(content)
  const listUnsubscribe = stringProperty(content.singleValueExtendedProperties, tags.listUnsubscribe) ?? ''
  const unsubscribe = structuredField('List-Unsubscribe', listUnsubscribe)
  return [
    ...(inReplyTo.length === 0 ? [] : [messageIdField('In-Reply-To', inReplyTo.join(' '))]),
    ...(references.length === 0 ? [] : [messageIdField('References', references.join(' '))]),
    ...(unsubscribe === undefined ? [] : [unsubscribe]),
  ]
}

/** Message ids in angle brackets, as `In-Reply-To` and `References` of the message name them. */
export interface ThreadIds {
  readonly inReplyTo: readonly string[]
  readonly references: readonly string[]
}

/** What a message says it follows: what its author set by MAPI property comes before what it was made or came with. */
export function threadIdsOf(content: MessageContent): ThreadIds {
  const { singleValueExtendedProperties: properties, inReplyTo, references } = content
  return {
    inReplyTo: messageIdsOf(stringProperty(properties, tags.inReplyTo) ?? inReplyTo ?? ''),
    references: messageIdsOf(stringProperty(properties, tags.references) ?? references ?? ''),
  }
}

/** The value of `String 0x....`, whatever the case of the id and its leading zeros. */
function stringProperty(properties: readonly SingleValueExtendedProperty[], tag: number): string | undefined {
  return properties.find(({ id }) => {
    const [, digits] = /^string\s+0x([0-9a-f]+)$/i.exec(id.trim()) ?? []
    return digits !== undefined && Number.parseInt(digits, 16) === tag
  })?.value
}

/** Fields that only servers of an Exchange organisation may set, and those that we write from what the message holds. */
const notOwn = /^x-ms-(?:exchange-organization-|exchange-crosstenant-|has-attach$|tnef-correlator$)/

/** True for an `x-` field that its author may carry through to the receiver. */
export function isOwnHeader(name: string): boolean {
  const key = name.toLowerCase()
  return /^x-[\x21-\x39\x3b-\x7e]+$/.test(key) && key.length <= 200 && !notOwn.test(key)
}

/** Checked where they came in, and once more here, where they become lines. */
function ownFields({ internetMessageHeaders }: MessageContent): string[] {
  return internetMessageHeaders.filter(({ name }) => isOwnHeader(name)).map(({ name, value }) => textField(name, value))
}
