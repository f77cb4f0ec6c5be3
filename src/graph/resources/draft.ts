import { MailError } from '../../mail/errors.js'
import type {
  DateTimeTimeZone,
  Draft,
  FollowupFlag,
  InternetMessageHeader,
  ItemBody,
  MultiValueExtendedProperty,
  SingleValueExtendedProperty,
} from '../../mail/message.js'
import { requestBodyRead } from '../errors.js'
import type { ApiVersion } from '../path.js'
import { readAttachments } from './attachment-reading.js'
import { readRecipient, readRecipients } from './recipient.js'
import {
  hasControlCharacter,
  isAnnotation,
  type JsonObject,
  propertyNamed,
  readArray,
  readBoolean,
  readEnum,
  readObject,
  readText,
  unknownProperty,
} from './values.js'

/** A draft while it is being read. */
type DraftFields = { -readonly [Field in keyof Draft]: Draft[Field] }

/** What a reader needs to know beside the value. */
export interface Reading {
  readonly version: ApiVersion
  /** Of the property, for refusals: `message/subject`. */
  readonly path: string
  /** Items inside items so far. */
  readonly depth: number
}

/** What a property of the request says; undefined: nothing, so the draft keeps what a new one has. */
type PropertyReader<Field extends keyof Draft> = (value: unknown, reading: Reading) => Draft[Field] | undefined

/** A new draft before anything is said of it: the values recorded of one. */
function emptyDraft(): DraftFields {
  return {
    subject: null,
    body: { contentType: 'text', content: '' },
    importance: 'normal',
    isRead: true,
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
    attachments: [],
  }
}

const importances = ['low', 'normal', 'high'] as const
const classifications = ['focused', 'other'] as const
const bodyTypes = ['text', 'html'] as const
const flagStatuses = ['notFlagged', 'complete', 'flagged'] as const

/** Graph: at most 5 headers of the caller's own. */
const maxHeaders = 5

/** Every property that a caller may write, and how it is read. What is not here is the server's own, or unknown. */
const readers: { readonly [Field in keyof Draft]?: PropertyReader<Field> } = {
  subject: readSubject,
  body: readBody,
  toRecipients: (value, { path }) => readRecipients(value, path),
  ccRecipients: (value, { path }) => readRecipients(value, path),
  bccRecipients: (value, { path }) => readRecipients(value, path),
  replyTo: (value, { path }) => readRecipients(value, path),
  from: (value, { path }) => readRecipient(value, path),
  sender: (value, { path }) => readRecipient(value, path),
  importance: (value, { path }) => readEnum(value, importances, 'microsoft.graph.importance', path) ?? undefined,
  categories: (value, { path }) => readTexts(value, path),
  flag: readFlag,
  inferenceClassification: (value, { path }) =>
    readEnum(value, classifications, 'microsoft.graph.inferenceClassificationType', path) ?? undefined,
  internetMessageId: readInternetMessageId,
  internetMessageHeaders: (value, { path }) => readHeaders(value, path),
  isRead: (value, { path }) => readBoolean(value, path) ?? undefined,
  isReadReceiptRequested: (value, { path }) => readBoolean(value, path),
  isDeliveryReceiptRequested: (value, { path }) => readBoolean(value, path),
  singleValueExtendedProperties: (value, { path }) => readSingleValues(value, path),
  multiValueExtendedProperties: (value, { path }) => readMultiValues(value, path),
  attachments: (value, reading) => readAttachments(value, reading, readDraftAt),
}

/** The same by name: a `Map`, because a name from outside may be `constructor`. */
const readerByName: ReadonlyMap<string, { field: string; read: (value: unknown, reading: Reading) => unknown }> =
  new Map(Object.entries(readers).map(([field, read]) => [field, { field, read }]))

/** Whether a name is that of a property a caller may write. */
export function isWritableMessageProperty(name: string): boolean {
  return propertyNamed(readerByName, name) !== undefined
}

/** Set by the server, or derived: a whole message sent back is accepted, and these are not taken from it. */
const serverProperties: ReadonlySet<string> = new Set([
  'id',
  'changeKey',
  'createdDateTime',
  'lastModifiedDateTime',
  'receivedDateTime',
  'sentDateTime',
  'hasAttachments',
  'bodyPreview',
  'uniqueBody',
  'parentFolderId',
  'conversationId',
  'conversationIndex',
  'isDraft',
  'webLink',
])

/** Properties of beta alone, which sendMail takes and the recipient's own server works out again. */
const betaProperties: ReadonlySet<string> = new Set([
  'mentions',
  'mentionsPreview',
  'unsubscribeData',
  'unsubscribeEnabled',
])

/**
 * The draft that a message resource of a request describes. Every property a caller may write is taken; the server's own
 * are passed over.
 *
 * @throws GraphError RequestBodyRead, UnableToDeserializePostBody; MailError propertyInvalid, headerInvalid,
 *   headerNotAllowed, tooManyHeaders, recipientInvalid
 */
export function readDraft(json: unknown, version: ApiVersion): Draft {
  return readDraftAt(json, { version, path: 'message', depth: 0 })
}

function readDraftAt(json: unknown, reading: Reading): Draft {
  const members = readObject(json, reading.path)
  if (members === null) throw requestBodyRead('A null value was found for a message.', reading.path)
  const draft: DraftFields = emptyDraft()
  const fields = draft as unknown as Record<string, unknown>
  for (const name in members) {
    const value = members[name]
    const reader = propertyNamed(readerByName, name)
    if (reader !== undefined) {
      const path = `${reading.path}/${name}`
      const read = reader.read(value, { version: reading.version, path, depth: reading.depth })
      if (read !== undefined) fields[reader.field] = read
    } else if (!isPassedOver(name, value, reading)) {
      throw unknownProperty(name, 'microsoft.graph.message', reading.path)
    }
  }
  return draft
}

function isPassedOver(name: string, value: unknown, { version, path }: Reading): boolean {
  if (serverProperties.has(name)) return true
  if (version === 'beta' && betaProperties.has(name)) return true
  return isAnnotation(name, value, path)
}

function readSubject(value: unknown, { path }: Reading): string | null {
  const subject = readText(value, path)
  if (subject !== null && hasControlCharacter(subject)) {
    throw new MailError(
      'propertyInvalid',
      'A subject is one line: it holds no line break and no other control character.',
      {
        property: 'subject',
      },
    )
  }
  return subject
}

function readInternetMessageId(value: unknown, { path }: Reading): string | undefined {
  const id = readText(value, path)
  if (id === null || id === '') return undefined
  if (!/^<[\x21-\x3b\x3d\x3f-\x7e]{1,990}>$/.test(id)) {
    throw new MailError('propertyInvalid', 'A message id is printable ASCII without blanks, between < and >.', {
      property: 'internetMessageId',
    })
  }
  return id
}

/** `contentType` left out means text (recorded). */
function readBody(value: unknown, { path }: Reading): ItemBody | undefined {
  const members = readObject(value, path)
  if (members === null) return undefined
  let contentType: ItemBody['contentType'] = 'text'
  let content = ''
  for (const name in members) {
    const member = members[name]
    if (name === 'content' || name === 'Content') content = readText(member, `${path}/content`) ?? ''
    else if (name === 'contentType' || name === 'ContentType') {
      contentType = readEnum(member, bodyTypes, 'microsoft.graph.bodyType', `${path}/contentType`) ?? 'text'
    } else if (!isAnnotation(name, member, path)) throw unknownProperty(name, 'microsoft.graph.itemBody', path)
  }
  return { contentType, content }
}

function readTexts(value: unknown, path: string): string[] {
  const texts: string[] = []
  for (const item of readArray(value, path)) {
    const text = readText(item, path)
    if (text !== null) texts.push(text)
  }
  return texts
}

function readFlag(value: unknown, { path }: Reading): FollowupFlag | undefined {
  const members = readObject(value, path)
  if (members === null) return undefined
  const flag: { -readonly [Field in keyof FollowupFlag]: FollowupFlag[Field] } = { flagStatus: 'notFlagged' }
  for (const name in members) {
    const member = members[name]
    if (name === 'flagStatus') {
      flag.flagStatus =
        readEnum(member, flagStatuses, 'microsoft.graph.followupFlagStatus', `${path}/${name}`) ?? 'notFlagged'
    } else if (name === 'startDateTime' || name === 'dueDateTime' || name === 'completedDateTime') {
      const time = readDateTimeTimeZone(member, `${path}/${name}`)
      if (time !== null) flag[name] = time
    } else if (!isAnnotation(name, member, path)) throw unknownProperty(name, 'microsoft.graph.followupFlag', path)
  }
  if (flag.dueDateTime !== undefined && flag.startDateTime === undefined) {
    throw new MailError('propertyInvalid', 'A flag with dueDateTime needs startDateTime too.', {
      property: 'flag/dueDateTime',
    })
  }
  return flag
}

function readDateTimeTimeZone(value: unknown, path: string): DateTimeTimeZone | null {
  const members = readObject(value, path)
  if (members === null) return null
  const dateTime = readText(members.dateTime ?? null, `${path}/dateTime`)
  const timeZone = readText(members.timeZone ?? null, `${path}/timeZone`) ?? 'UTC'
  if (dateTime === null || Number.isNaN(Date.parse(dateTime))) {
    throw requestBodyRead(`Cannot convert the literal '${dateTime ?? ''}' to the expected type 'Edm.DateTime'.`, path)
  }
  return { dateTime, timeZone }
}

/** RFC 5322 §2.2: printable ASCII but the colon. */
const fieldName = /^[\x21-\x39\x3b-\x7e]{1,200}$/

/** 1 to 5 headers of one's own, each `x-`; an empty list is refused like a long one (recorded). */
function readHeaders(value: unknown, path: string): InternetMessageHeader[] {
  if (value === null) return []
  const list = readArray(value, path)
  if (list.length === 0 || list.length > maxHeaders) {
    throw new MailError('tooManyHeaders', `A message has 1 to ${maxHeaders} headers of its own, or no list of them.`, {
      property: 'internetMessageHeaders',
    })
  }
  return list.map((item) => readHeader(item, path))
}

function readHeader(item: unknown, path: string): InternetMessageHeader {
  const members = readObject(item, path)
  const name = readText(members?.name ?? null, `${path}/name`) ?? ''
  const value = readText(members?.value ?? null, `${path}/value`) ?? ''
  const shown = name.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
  if (!fieldName.test(name)) {
    throw new MailError('headerInvalid', 'A header name is printable ASCII without blanks and colons.', {
      property: path,
      value: shown,
    })
  }
  if (!/^x-/i.test(name)) {
    throw new MailError('headerNotAllowed', 'A header of one’s own begins with x-.', { property: path, value: shown })
  }
  if (hasControlCharacter(value)) {
    throw new MailError('headerInvalid', 'A header value is one line: it holds no line break.', {
      property: path,
      value: shown,
    })
  }
  return { name, value }
}

function readSingleValues(value: unknown, path: string): SingleValueExtendedProperty[] {
  return readArray(value, path).map((item) => {
    const members = extendedProperty(item, path)
    return { id: extendedId(members, path), value: readText(members.value ?? null, `${path}/value`) ?? '' }
  })
}

function readMultiValues(value: unknown, path: string): MultiValueExtendedProperty[] {
  return readArray(value, path).map((item) => {
    const members = extendedProperty(item, path)
    return { id: extendedId(members, path), value: readTexts(members.value ?? null, `${path}/value`) }
  })
}

function extendedProperty(item: unknown, path: string): JsonObject {
  const members = readObject(item, path)
  if (members === null) throw requestBodyRead('A null value was found for an extended property.', path)
  return members
}

/** `{type} 0x{tag}`, `{type} {guid} Name {name}` or `{type} {guid} Id {id}`. */
const extendedPropertyId =
  /^[A-Za-z]{3,24} (?:0x[0-9A-Fa-f]{1,8}|\{?[0-9A-Fa-f-]{36}\}? (?:Name .{1,255}|Id 0x[0-9A-Fa-f]{1,8}|Id \d{1,10}))$/

function extendedId(members: JsonObject, path: string): string {
  const id = readText(members.id ?? null, `${path}/id`) ?? ''
  if (extendedPropertyId.test(id)) return id
  throw new MailError(
    'propertyInvalid',
    "An extended property is named as in 'String 0x001A' or 'String {guid} Name Colour'.",
    {
      property: `${path}/id`,
    },
  )
}
