import type { ItemBody, MessageContent } from '../mail/message.js'

/** The usual values, which most mail has; what has one is not written down. */
const usual = {
  toRecipients: [],
  ccRecipients: [],
  bccRecipients: [],
  replyTo: [],
  categories: [],
  flag: { flagStatus: 'notFlagged' },
  inferenceClassification: 'focused',
  isDeliveryReceiptRequested: false,
  isReadReceiptRequested: false,
  internetMessageHeaders: [],
  singleValueExtendedProperties: [],
  multiValueExtendedProperties: [],
} as const

/** The columns that hold what a message says. */
export interface ContentColumns {
  readonly content: string
  readonly body: string
}

/**
 * What a message says, as it is kept: the body's text in a column of its own, as it is, because escaping it into JSON
 * cost more than all else of accepting a mail on this side; the rest as JSON, without what has its usual value.
 */
export function contentColumns(content: MessageContent): ContentColumns {
  const { body } = content
  // Only what is unusual: a member that is left out costs nothing to write, one that is undefined still does.
  const kept: { -readonly [Member in keyof MessageContent]?: MessageContent[Member] } & { bodyType: string } = {
    bodyType: body.contentType,
  }
  if (content.from !== undefined) kept.from = content.from
  if (content.sender !== undefined) kept.sender = content.sender
  if (content.toRecipients.length > 0) kept.toRecipients = content.toRecipients
  if (content.ccRecipients.length > 0) kept.ccRecipients = content.ccRecipients
  if (content.bccRecipients.length > 0) kept.bccRecipients = content.bccRecipients
  if (content.replyTo.length > 0) kept.replyTo = content.replyTo
  if (content.categories.length > 0) kept.categories = content.categories
  if (content.flag.flagStatus !== 'notFlagged') kept.flag = content.flag
  if (content.inferenceClassification !== 'focused') kept.inferenceClassification = content.inferenceClassification
  if (content.isDeliveryReceiptRequested !== false) {
    kept.isDeliveryReceiptRequested = content.isDeliveryReceiptRequested
  }
  if (content.isReadReceiptRequested !== false) kept.isReadReceiptRequested = content.isReadReceiptRequested
  if (content.internetMessageHeaders.length > 0) kept.internetMessageHeaders = content.internetMessageHeaders
  if (content.singleValueExtendedProperties.length > 0) {
    kept.singleValueExtendedProperties = content.singleValueExtendedProperties
  }
  if (content.multiValueExtendedProperties.length > 0) {
    kept.multiValueExtendedProperties = content.multiValueExtendedProperties
  }
  if (content.inReplyTo !== undefined) kept.inReplyTo = content.inReplyTo
  if (content.references !== undefined) kept.references = content.references
  if (content.answers !== undefined) kept.answers = content.answers
  if (content.autoSubmitted !== undefined) kept.autoSubmitted = content.autoSubmitted
  if (content.readReceipt !== undefined) kept.readReceipt = content.readReceipt
  if (content.extensions !== undefined) kept.extensions = content.extensions
  if (content.mentions !== undefined) kept.mentions = content.mentions
  return { content: readableJson(kept), body: withoutNul(body.content) }
}

/** JSON that both databases can look into: PostgreSQL refuses NUL and halves of a pair there, which mean nothing in mail. */
function readableJson(value: object): string {
  const json = JSON.stringify(value)
  if (!json.includes('\\u0000') && !json.includes('\\ud')) return json
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'string' ? withoutNul(member).replace(/\p{Surrogate}/gu, '\ufffd') : member,
  )
}

/** The reverse of {@link contentColumns}. */
export function contentFrom(columns: ContentColumns): MessageContent {
  const { bodyType, ...kept } = JSON.parse(columns.content) as Partial<MessageContent> & {
    bodyType: ItemBody['contentType']
  }
  return { ...usual, ...kept, body: { contentType: bodyType, content: columns.body } }
}

/** The one character that PostgreSQL's text cannot hold; in a body it means nothing. */
function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '') : text
}
