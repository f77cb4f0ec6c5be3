/** Messages and attachments made like recorded ones, so that their values can be asked back. */

import { personOf, recipient } from './delivery.js'
import { isArray, isObject, type Json, type JsonObject, textMember } from './json.js'
import type { MailboxOwner } from './world.js'

/** Twelve bytes of text. */
export const someBytes = Buffer.from('Hello World!').toString('base64')

const cutOff = /\[trimmed|\[cut\]|-value$/

/** Recipient lists a sender fills in. Bcc is seen by the sender alone. */
const recipientLists = ['toRecipients', 'ccRecipients', 'replyTo'] as const

/** A message like the one shown that reaches `reader`, and the members whose values it decides. */
export interface Likeness {
  readonly message: JsonObject
  readonly controlled: ReadonlySet<string>
}

/** @param sent whether it is read as the sender's own copy */
export function likenessOf(shown: JsonObject, reader: MailboxOwner, sent: boolean): Likeness {
  const controlled = new Set([
    'subject',
    'importance',
    'isDraft',
    'hasAttachments',
    'isReadReceiptRequested',
    'from',
    'sender',
  ])
  const message: Record<string, Json> = {
    subject: textMember(shown, 'subject') ?? 'Conformance',
    importance: textMember(shown, 'importance') ?? 'normal',
    isReadReceiptRequested: shown.isReadReceiptRequested === true,
  }
  for (const list of sent ? [...recipientLists, 'bccRecipients'] : recipientLists) {
    message[list] = peopleIn(shown[list]).map(recipient)
    controlled.add(list)
  }
  if (!sent && !peopleIn(message.toRecipients).some(({ address }) => isAddressOf(address, reader))) {
    message.bccRecipients = [recipient({ address: reader.userPrincipalName, name: reader.userPrincipalName })]
  } else if (sent && peopleIn(message.toRecipients).length === 0) {
    message.toRecipients = [recipient({ address: 'somebody@example.com', name: 'Somebody' })]
    controlled.delete('toRecipients')
  }
  Object.assign(message, bodyOf(shown, controlled))
  if (isArray(shown.attachments)) message.attachments = shown.attachments.filter(isObject).map(attachmentLike)
  for (const name of ['singleValueExtendedProperties', 'multiValueExtendedProperties']) {
    const properties = shown[name]
    if (isArray(properties)) message[name] = properties.filter((item) => !isDerived(item))
  }
  if (isArray(shown.mentions)) {
    message.mentions = shown.mentions.filter(isObject).map(({ mentioned = null }) => ({ mentioned }))
  }
  const headers = isArray(shown.internetMessageHeaders) ? shown.internetMessageHeaders : []
  const own = headers.filter((header) => /^x-custom/i.test(textMember(header, 'name') ?? ''))
  if (own.length > 0) message.internetMessageHeaders = own
  return { message, controlled }
}

/** Properties that every message has by itself: its size, its flags. */
function isDerived(property: Json): boolean {
  return /0xe0[78]$/i.test(textMember(property, 'id') ?? '')
}

function bodyOf(shown: JsonObject, controlled: Set<string>): JsonObject {
  const contentType = textMember(shown, 'body', 'contentType') ?? 'text'
  const content = textMember(shown, 'body', 'content')
  // HTML is normalised on its way, so only text comes back as it was.
  if (contentType !== 'text' || content === undefined || cutOff.test(content)) {
    return { body: { contentType, content: contentType === 'text' ? 'Conformance' : '<p>Conformance</p>' } }
  }
  controlled.add('body').add('bodyPreview')
  return { body: { contentType, content } }
}

function peopleIn(list: Json | undefined) {
  return isArray(list) ? list.flatMap((entry) => personOf(entry) ?? []) : []
}

/** Whether an address is that of the mailbox, in any case. */
export function isAddressOf(address: string, { userPrincipalName }: MailboxOwner): boolean {
  return address.toLowerCase() === userPrincipalName.toLowerCase()
}

/** Members of a file attachment that its sender decides. */
export const controlledOfFile = ['name', 'contentType', 'isInline', 'contentId', 'contentLocation', 'contentBytes']

const somebody = recipient({ address: 'somebody@example.com', name: 'Somebody' })

/** An attached item: a contact or an event as it is shown, else a message. */
function itemLike(shown: Json | undefined, name: string): JsonObject {
  if (isObject(shown) && /(contact|event)$/.test(textMember(shown, '@odata.type') ?? '')) return shown
  const item: JsonObject = isObject(shown) ? shown : {}
  const attachments = isArray(item.attachments) ? item.attachments.filter(isObject).map(attachmentLike) : []
  const known = ['from', 'sender', 'toRecipients', 'ccRecipients', 'internetMessageId'].flatMap((member) => {
    const value = item[member]
    return value === undefined ? [] : [[member, value] as const]
  })
  return {
    '@odata.type': '#microsoft.graph.message',
    from: somebody,
    sender: somebody,
    toRecipients: [somebody],
    ...Object.fromEntries(known),
    subject: name,
    body: { contentType: 'text', content: name },
    attachments,
  }
}

/** Samples are cut anywhere. */
function isBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text
}

/** An attachment as a request writes it, like the one shown. */
export function attachmentLike(shown: JsonObject): JsonObject {
  const type = (textMember(shown, '@odata.type') ?? '').replace(/^#?microsoft\.graph\./, '')
  const name = textMember(shown, 'name') ?? 'attachment.txt'
  if (type === 'itemAttachment') {
    return { '@odata.type': '#microsoft.graph.itemAttachment', name, item: itemLike(shown.item, name) }
  }
  if (type === 'referenceAttachment') {
    return { '@odata.type': '#microsoft.graph.referenceAttachment', name, sourceUrl: 'https://example.com/document' }
  }
  const contentBytes = textMember(shown, 'contentBytes')
  const contentType = textMember(shown, 'contentType')
  return {
    '@odata.type': '#microsoft.graph.fileAttachment',
    name,
    contentType: contentType?.includes('/') === true ? contentType : 'text/plain',
    isInline: shown.isInline === true,
    contentId: shown.contentId === 'null' ? null : (shown.contentId ?? null),
    contentBytes: contentBytes === undefined || !isBase64(contentBytes) ? someBytes : contentBytes,
  }
}
