import type { NewAttachment } from '../../mail/attachment.js'
import { emptyDraft } from '../../mail/empty-draft.js'
import { MailError } from '../../mail/errors.js'
import type { Draft } from '../../mail/message.js'
import type { MessageChanges } from '../../mail/update-message.js'
import { GraphError, requestBodyRead } from '../errors.js'
import type { ApiVersion } from '../path.js'
import { readAttachmentAt, readAttachments } from './attachment-reading.js'
import { readMultiValues, readSingleValues, readTexts } from './extended-property.js'
import { readFollowupFlag } from './followup-flag.js'
import { readInternetMessageHeaders } from './internet-message-header.js'
import { readItemBody } from './item-body.js'
import { readMentions } from './mention.js'
import { readExtensions } from './open-extension.js'
import { readRecipient, readRecipients } from './recipient.js'
import {
  hasControlCharacter,
  type JsonObject,
  type MemberReader,
  objectType,
  passOver,
  type Reading,
  readBoolean,
  readEnum,
  readMembers,
  readObject,
  readText,
  uncapitalised,
  undeserializable,
} from './values.js'

/** A draft, or what is said of one, while it is being read. */
type DraftFields = { -readonly [Field in keyof Draft]?: Draft[Field] }

const importances = ['low', 'normal', 'high'] as const
const classifications = ['focused', 'other'] as const

/** Sets a field to what the reader makes of the value; undefined: nothing was said, so it keeps what a new draft has. */
function field<Field extends keyof Draft>(
  name: Field,
  read: (value: unknown, reading: Reading) => Draft[Field] | undefined,
): MemberReader<DraftFields> {
  return (draft, value, reading) => {
    const said = read(value, reading)
    if (said !== undefined) draft[name] = said
  }
}

/** Every property that a caller may write, and how it is read. */
const writable: Readonly<Record<string, MemberReader<DraftFields>>> = {
  subject: field('subject', readSubject),
  body: field('body', readItemBody),
  toRecipients: field('toRecipients', readRecipients),
  ccRecipients: field('ccRecipients', readRecipients),
  bccRecipients: field('bccRecipients', readRecipients),
  replyTo: field('replyTo', readRecipients),
  from: field('from', readRecipient),
  sender: field('sender', readRecipient),
  importance: field('importance', (value, { path }) =>
    orUnsaid(readEnum(value, importances, 'microsoft.graph.importance', path)),
  ),
  categories: field('categories', readTexts),
  flag: field('flag', readFollowupFlag),
  inferenceClassification: field('inferenceClassification', (value, { path }) =>
    orUnsaid(readEnum(value, classifications, 'microsoft.graph.inferenceClassificationType', path)),
  ),
  internetMessageId: field('internetMessageId', readInternetMessageId),
  internetMessageHeaders: field('internetMessageHeaders', readInternetMessageHeaders),
  isRead: field('isRead', (value, { path }) => orUnsaid(readBoolean(value, path))),
  isReadReceiptRequested: field('isReadReceiptRequested', (value, { path }) => readBoolean(value, path)),
  isDeliveryReceiptRequested: field('isDeliveryReceiptRequested', (value, { path }) => readBoolean(value, path)),
  singleValueExtendedProperties: field('singleValueExtendedProperties', readSingleValues),
  multiValueExtendedProperties: field('multiValueExtendedProperties', readMultiValues),
  extensions: field('extensions', readExtensions),
  attachments: field('attachments', (value, reading) => readAttachments(value, reading, readDraftAt)),
}

/** Set by the server, or derived: a whole message sent back is accepted, and these are not taken from it. */
const ofTheServer = [
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
]

/** What a caller may write in beta alone. */
const writableInBeta = { ...writable, mentions: field('mentions', readMentions) }
/** Properties of beta alone that the server derives. */
const ofTheServerInBeta = ['mentionsPreview', 'unsubscribeData', 'unsubscribeEnabled']

function messageType(properties: typeof writable, passedOver: readonly string[]) {
  return objectType<DraftFields>('microsoft.graph.message', {
    ...properties,
    ...Object.fromEntries(passedOver.map((name) => [name, passOver])),
  })
}

const messageTypes = {
  'v1.0': messageType(writable, ofTheServer),
  beta: messageType(writableInBeta, [...ofTheServer, ...ofTheServerInBeta]),
}

/** Whether a name is that of a property a caller may write. */
export function isWritableMessageProperty(name: string): boolean {
  return Object.hasOwn(writable, name) || Object.hasOwn(writable, uncapitalised(name))
}

/**
 * The draft that a message resource of a request describes. Every property a caller may write is taken; the server's own
 * are passed over. `path`: where in the body the message stands, for refusals.
 *
 * @throws GraphError RequestBodyRead, UnableToDeserializePostBody, ErrorRequiredPropertyMissing, UnprocessableType;
 *   MailError propertyInvalid, headerInvalid, headerNotAllowed, tooManyHeaders, recipientInvalid
 */
export function readDraft(json: unknown, version: ApiVersion, path = 'message'): Draft {
  return readDraftAt(json, { version, path, depth: 0 })
}

function readDraftAt(json: unknown, reading: Reading): Draft {
  const draft: DraftFields & Draft = emptyDraft()
  return readMembers(messageMembers(json, reading), messageTypes[reading.version], draft, reading)
}

function messageMembers(json: unknown, { path }: Reading): JsonObject {
  const members = readObject(json, path)
  if (members === null) throw requestBodyRead('A null value was found for a message.', path)
  return members
}

/**
 * What a message resource says of a message that exists, or is made from another: the properties that stand in it, and no
 * others. Refuses as {@link readDraft} does.
 */
export function readDraftParts(json: unknown, version: ApiVersion, path = 'message'): Partial<Draft> {
  const reading = { version, path, depth: 0 }
  return readMembers<DraftFields>(messageMembers(json, reading), messageTypes[version], {}, reading)
}

/** Properties that are set when a message is made, or by the server, or by other operations: an update refuses them. */
const notSettable = ['internetMessageHeaders', 'attachments', 'extensions', ...ofTheServer]

const refuseToSet: MemberReader<DraftFields> = (_, __, { path }) => {
  throw new MailError('propertyNotSettable', `${path} cannot be set by an update.`, { property: path })
}

function changesType(properties: typeof writable, refused: readonly string[]) {
  return objectType<DraftFields>('microsoft.graph.message', {
    ...properties,
    ...Object.fromEntries(refused.map((name) => [name, refuseToSet])),
  })
}

const changesTypes = {
  'v1.0': changesType(writable, notSettable),
  beta: changesType(writableInBeta, [...notSettable, ...ofTheServerInBeta]),
}

/**
 * What an update says is to change. Refuses as {@link readDraft} does, and
 *
 * @throws MailError propertyNotSettable for what only the server sets, and for headers and attachments
 */
export function readMessageChanges(json: unknown, version: ApiVersion): MessageChanges {
  const reading = { version, path: 'message', depth: 0 }
  return readMembers<DraftFields>(messageMembers(json, reading), changesTypes[version], {}, reading)
}

/**
 * The attachment that a request adds to a message.
 *
 * @throws GraphError and MailError as for the attachments of {@link readDraft}
 */
export function readAttachment(json: unknown, version: ApiVersion): NewAttachment {
  return readAttachmentAt(json ?? null, { version, path: 'attachment', depth: 0 }, readDraftAt)
}

/**
 * Reads the body that is an entity of its own, not a parameter of an action: the service refuses one that does not fit
 * with one sentence for everything (recorded in 2026 of unknown properties).
 *
 * @throws GraphError UnableToDeserializePostBody, in place of RequestBodyRead
 */
export function asEntity<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof GraphError) || error.code !== 'RequestBodyRead') throw error
    throw undeserializable(error.message, error.target ?? 'message')
  }
}

/** null stands for "not said". */
function orUnsaid<Value>(value: Value | null): Value | undefined {
  return value ?? undefined
}

function readSubject(value: unknown, { path }: Reading): string | null {
  const subject = readText(value, path)
  if (subject === null || !hasControlCharacter(subject)) return subject
  const rule = 'A subject is one line: it holds no line break and no other control character.'
  throw new MailError('propertyInvalid', rule, { property: 'subject' })
}

function readInternetMessageId(value: unknown, { path }: Reading): string | undefined {
  const id = readText(value, path)
  if (id === null || id === '') return undefined
  if (/^<[\x21-\x3b\x3d\x3f-\x7e]{1,990}>$/.test(id)) return id
  throw new MailError('propertyInvalid', 'A message id is printable ASCII without blanks, between < and >.', {
    property: 'internetMessageId',
  })
}
