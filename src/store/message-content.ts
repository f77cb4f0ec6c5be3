import type { EmailAddress, ItemBody, MessageContent } from '../mail/message.js'
import { listJson, textJson } from './json-text.js'

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
  return { content: contentJson(content), body: withoutNul(content.body.content) }
}

/** Written member by member: for what most mail says, an object made to be handed to `JSON.stringify` costs twice as much. */
function contentJson(content: MessageContent): string {
  const { from, sender } = content
  let json = `{"bodyType":"${content.body.contentType}"`
  const author = from === undefined ? '' : addressJson(from)
  if (from !== undefined) json += `,"from":${author}`
  if (sender !== undefined) json += `,"sender":${sender === from ? author : addressJson(sender)}`
  if (content.toRecipients.length > 0) json += `,"toRecipients":${addressesJson(content.toRecipients)}`
  if (content.ccRecipients.length > 0) json += `,"ccRecipients":${addressesJson(content.ccRecipients)}`
  if (content.bccRecipients.length > 0) json += `,"bccRecipients":${addressesJson(content.bccRecipients)}`
  if (content.replyTo.length > 0) json += `,"replyTo":${addressesJson(content.replyTo)}`
  if (content.categories.length > 0) json += member('categories', content)
  if (content.flag.flagStatus !== 'notFlagged') json += member('flag', content)
  if (content.inferenceClassification !== 'focused') json += member('inferenceClassification', content)
  if (content.isDeliveryReceiptRequested !== false) json += member('isDeliveryReceiptRequested', content)
  if (content.isReadReceiptRequested !== false) json += member('isReadReceiptRequested', content)
  if (content.internetMessageHeaders.length > 0) json += member('internetMessageHeaders', content)
  if (content.singleValueExtendedProperties.length > 0) json += member('singleValueExtendedProperties', content)
  if (content.multiValueExtendedProperties.length > 0) json += member('multiValueExtendedProperties', content)
  if (content.inReplyTo !== undefined) json += member('inReplyTo', content)
  if (content.references !== undefined) json += member('references', content)
  if (content.answers !== undefined) json += member('answers', content)
  if (content.autoSubmitted !== undefined) json += member('autoSubmitted', content)
  if (content.readReceipt !== undefined) json += member('readReceipt', content)
  if (content.extensions !== undefined) json += member('extensions', content)
  if (content.mentions !== undefined) json += member('mentions', content)
  return `${json}}`
}

function member(name: keyof MessageContent, content: MessageContent): string {
  return `,"${name}":${readableJson(content[name])}`
}

function addressesJson(addresses: readonly EmailAddress[]): string {
  return listJson(addresses, addressJson)
}

function addressJson({ name, address }: EmailAddress): string {
  return name === undefined
    ? `{"address":${textJson(address, readableJson)}}`
    : `{"name":${textJson(name, readableJson)},"address":${textJson(address, readableJson)}}`
}

/** JSON that both databases can look into: PostgreSQL refuses NUL and halves of a pair there, which mean nothing in mail. */
function readableJson(value: unknown): string {
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
