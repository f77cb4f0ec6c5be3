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
  const { body, flag, inReplyTo, references, answers, mentions } = content
  const kept = {
    bodyType: body.contentType,
    from: content.from,
    sender: content.sender,
    toRecipients: unlessEmpty(content.toRecipients),
    ccRecipients: unlessEmpty(content.ccRecipients),
    bccRecipients: unlessEmpty(content.bccRecipients),
    replyTo: unlessEmpty(content.replyTo),
    categories: unlessEmpty(content.categories),
    flag: flag.flagStatus === 'notFlagged' ? undefined : flag,
    inferenceClassification:
      content.inferenceClassification === 'focused' ? undefined : content.inferenceClassification,
    isDeliveryReceiptRequested: unlessFalse(content.isDeliveryReceiptRequested),
    isReadReceiptRequested: unlessFalse(content.isReadReceiptRequested),
    internetMessageHeaders: unlessEmpty(content.internetMessageHeaders),
    singleValueExtendedProperties: unlessEmpty(content.singleValueExtendedProperties),
    multiValueExtendedProperties: unlessEmpty(content.multiValueExtendedProperties),
    inReplyTo,
    references,
    answers,
    mentions,
  }
  return { content: JSON.stringify(kept), body: withoutNul(body.content) }
}

/** The reverse of {@link contentColumns}. */
export function contentFrom(columns: ContentColumns): MessageContent {
  const { bodyType, ...kept } = JSON.parse(columns.content) as Partial<MessageContent> & {
    bodyType: ItemBody['contentType']
  }
  return { ...usual, ...kept, body: { contentType: bodyType, content: columns.body } }
}

function unlessEmpty<Item>(list: readonly Item[]): readonly Item[] | undefined {
  return list.length === 0 ? undefined : list
}

function unlessFalse(value: boolean | null): boolean | null | undefined {
  return value === false ? undefined : value
}

/** The one character that PostgreSQL's text cannot hold; in a body it means nothing. */
function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '') : text
}
