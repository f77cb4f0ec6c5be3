/**
 * Values that differ in every answer have a form all the same: ids, change keys, dates, links. The forms are those of
 * `golden/README.md`, "Ids" and "The message resource".
 */
import { isObject, type Json, type JsonObject, textMember } from './json.js'

/** Exchange's base64 writes `/` as `-` and `+` as `_`. */
function exchangeBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll('-', '/').replaceAll('_', '+'), 'base64')
}

const utcSecond = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const guid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/** A GUID in lower case and nothing else. */
export const guidForm = new RegExp(`^${guid}$`)

/** Name of a form → whether a text has it. */
const forms = {
  'message id': (text: string) => isMessageId(text) || /^AAkALg[\w-]{62}$/.test(text),
  'folder id': (text: string) => isFolderId(text),
  'attachment id': (text: string) => /^AAMk[\w-]{147}(?:BEgAQA[\w-]{22}=|CEgAQA[\w-]{49}==)$/.test(text),
  'change key': (text: string) => /^[A-Za-z0-9+/]{40}$/.test(text) && text.startsWith('CQAAABYAAA'),
  etag: (text: string) => /^W\/"[A-Za-z0-9+/]{40}"$/.test(text),
  'date and time in UTC without a fraction': (text: string) => utcSecond.test(text),
  'conversation id': (text: string) => /^AAQk[\w-]{75}=$/.test(text),
  'conversation index': (text: string) => isConversationIndex(text),
  'internet message id': (text: string) => /^<[^<>@\s]+@[^<>@\s]+>$/.test(text),
  'web link': (text: string) =>
    /^https:\/\/[^/]+\/owa\/\?(?:ItemID=[\w%]+&exvsurl=1&viewmodel=ReadMessageItem|AttachmentItemID=[\w%]+&exvsurl=1&viewmodel=ItemAttachment)$/.test(
      text,
    ),
}

/** The form a member's text must have. */
type Form = keyof typeof forms

/** 113 bytes: `00 03 24 00`, the mailbox's GUID as text, `00 46 00 00 00 00 00` ... `00 00`. */
function isMessageId(text: string): boolean {
  return /^AAMk[\w-]{147}=$/.test(text) && hasItemHead(exchangeBytes(text), 113, 0x46)
}

/** 89 bytes with `2e` in the place of `46`. */
function isFolderId(text: string): boolean {
  return /^AAMk[\w-]{115}=$/.test(text) && hasItemHead(exchangeBytes(text), 89, 0x2e)
}

function hasItemHead(bytes: Buffer, length: number, kind: number): boolean {
  const name = bytes.toString('latin1', 4, 40)
  return bytes.length === length && guidForm.test(name) && bytes[41] === kind
}

/** A header of 22 bytes that begins with 1, and 5 more for every answer to it. */
function isConversationIndex(text: string): boolean {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text && bytes.length >= 22 && (bytes.length - 22) % 5 === 0 && bytes[0] === 1
}

/** Members of every resource that are compared by form. */
const formOfMember: Readonly<Record<string, Form>> = {
  '@odata.etag': 'etag',
  changeKey: 'change key',
  createdDateTime: 'date and time in UTC without a fraction',
  lastModifiedDateTime: 'date and time in UTC without a fraction',
  receivedDateTime: 'date and time in UTC without a fraction',
  sentDateTime: 'date and time in UTC without a fraction',
  conversationId: 'conversation id',
  conversationIndex: 'conversation index',
  internetMessageId: 'internet message id',
  parentFolderId: 'folder id',
  webLink: 'web link',
}

/** The form a member of `resource` must have; undefined where its value has none. */
export function formOf(name: string, resource: JsonObject): Form | undefined {
  if (name !== 'id') return formOfMember[name]
  if (/Attachment$/.test(textMember(resource, '@odata.type') ?? '')) return 'attachment id'
  // Categories and rules have names too.
  if ('color' in resource || 'sequence' in resource) return undefined
  if ('displayName' in resource) return 'folder id'
  return '@odata.etag' in resource || 'changeKey' in resource ? 'message id' : undefined
}

/** Whether a text has a form. */
export function hasForm(form: Form, text: string): boolean {
  return forms[form](text)
}

/** The counter that a default folder's id ends in: 1 to 255; undefined of any other id. Inbox is 12, Sent Items 9. */
export function defaultFolderCounter(folderId: string): number | undefined {
  const counter = exchangeBytes(folderId).subarray(-8, -2)
  const number = counter.length === 6 ? counter.readUIntBE(0, 6) : 0
  return number >= 256 && number < 512 ? number - 256 : undefined
}

/**
 * What must hold between the members of one message, whatever their values: the etag is the change key, the link names
 * the id, the conversation's GUID stands in id and index alike, attachments are named after their message.
 */
export function brokenRelations(message: JsonObject): string[] {
  const broken: string[] = []
  const { id, changeKey, webLink, conversationId, conversationIndex, attachments } = message
  const etag = message['@odata.etag']
  if (typeof etag === 'string' && typeof changeKey === 'string' && etag !== `W/"${changeKey}"`) {
    broken.push('@odata.etag is not that of changeKey')
  }
  if (
    typeof id === 'string' &&
    id !== '' &&
    typeof webLink === 'string' &&
    !webLink.includes(`?ItemID=${escapedForOwa(id)}&`)
  ) {
    broken.push('webLink does not name the id')
  }
  if (typeof conversationId === 'string' && typeof conversationIndex === 'string') {
    const ofId = exchangeBytes(conversationId).subarray(-16)
    if (!ofId.equals(Buffer.from(conversationIndex, 'base64').subarray(6, 22))) {
      broken.push('conversationIndex holds another GUID than conversationId')
    }
  }
  for (const attachment of Array.isArray(attachments) ? (attachments as Json[]) : []) {
    if (typeof id === 'string' && !isOf(attachment, id))
      broken.push('an attachment id does not begin with that of its message')
  }
  return broken
}

function isOf(attachment: Json, messageId: string): boolean {
  const id = isObject(attachment) ? attachment.id : undefined
  return typeof id === 'string' && id.startsWith(messageId.replace(/=$/, ''))
}

function escapedForOwa(id: string): string {
  return id.replaceAll('-', '%2F').replaceAll('_', '%2B').replaceAll('=', '%3D')
}
