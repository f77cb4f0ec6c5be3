import {
  type AttachedItem,
  maxItemDepth,
  type NewAttachment,
  type NewFileAttachment,
  type NewItemAttachment,
  type NewReferenceAttachment,
} from '../../mail/attachment.js'
import { MailError } from '../../mail/errors.js'
import type { Draft } from '../../mail/message.js'
import { GraphError, requestBodyRead } from '../errors.js'
import { contentTypeOf } from './content-type.js'
import {
  cannotConvert,
  hasControlCharacter,
  inside,
  isAnnotation,
  type JsonObject,
  type MemberReader,
  objectType,
  passOver,
  quotable,
  type Reading,
  readArray,
  readBoolean,
  readEnum,
  readMembers,
  readObject,
  readText,
  requiredMissing,
  undeserializable,
  unknownProperty,
} from './values.js'

type DraftReader = (json: unknown, reading: Reading) => Draft

/** Attachments given with a message; `readDraft` reads a message that one of them holds. */
export function readAttachments(value: unknown, reading: Reading, readDraft: DraftReader): NewAttachment[] {
  return readArray(value, reading.path).map((item, index) => readAttachmentAt(item, inside(reading, index), readDraft))
}

/** One attachment; its `@odata.type` says which kind, with or without `#`, in any case, wherever in the object it stands. */
export function readAttachmentAt(value: unknown, reading: Reading, readDraft: DraftReader): NewAttachment {
  const members = readObject(value, reading.path)
  if (members === null) throw requestBodyRead('A null value was found for an attachment.', reading.path)
  const type = typeOf(members, reading)
  switch (type) {
    case 'fileattachment':
      return readFile(members, reading)
    case 'itemattachment':
      return readItem(members, reading, readDraft)
    case 'referenceattachment':
      return readReference(members, reading)
    case '':
    case 'attachment':
      return readAbstract(members, reading)
    default:
      throw unresolvedType(members, reading)
  }
}

/** The type a resource names, in lower case and without the namespace: today's, or that of the API before Graph. */
function typeOf(members: JsonObject, { path }: Reading): string {
  const type = readText(members['@odata.type'] ?? null, `${path}/@odata.type`) ?? ''
  return type.toLowerCase().replace(/^#?microsoft\.(?:graph|outlookservices)\./, '')
}

function unresolvedType(members: JsonObject, { path }: Reading): GraphError {
  return requestBodyRead(
    `A type named '${quotable(members['@odata.type'])}' could not be resolved by the model. When a model is available, each type name must resolve to a valid type.`,
    `${path}/@odata.type`,
  )
}

/** What the members of an attachment say, before it is known whether everything needed is there. */
interface AttachmentFields {
  name: string
  contentType: string | null
  isInline: boolean
  contentId: string | null
  content: Buffer | undefined
  item: AttachedItem | undefined
  sourceUrl: string
  providerType: string
  permission: string
  isFolder: boolean
}

function noFields(): AttachmentFields {
  return {
    name: '',
    contentType: null,
    isInline: false,
    contentId: null,
    content: undefined,
    item: undefined,
    sourceUrl: '',
    providerType: 'other',
    permission: 'other',
    isFolder: false,
  }
}

type FieldReader = MemberReader<AttachmentFields>

/** Properties of the base type; those the server sets are passed over. */
const common: Readonly<Record<string, FieldReader>> = {
  name: (into, value, { path }) => {
    into.name = readLine(value, path)
  },
  contentType: (into, value, { path }) => {
    into.contentType = readLine(value, path) || null
  },
  isInline: (into, value, { path }) => {
    into.isInline = readBoolean(value, path) ?? false
  },
  id: passOver,
  size: passOver,
  lastModifiedDateTime: passOver,
}

const abstractType = objectType<AttachmentFields>('microsoft.graph.attachment', common)

/**
 * An attachment that does not say of which kind it is: the service reads it as the base type, and refuses the first
 * property of a kind, or in the end the whole (both observed).
 */
function readAbstract(members: JsonObject, reading: Reading): never {
  readMembers(members, abstractType, noFields(), reading)
  throw new GraphError(422, 'UnprocessableType', "Cannot process input of abstract type 'microsoft.graph.attachment'", {
    reason: `${reading.path} has no @odata.type that says whether it is a file, an item or a reference.`,
  })
}

/** Text that ends up in a header, so on one line. */
function readLine(value: unknown, path: string): string {
  const text = readText(value, path) ?? ''
  if (!hasControlCharacter(text)) return text
  throw new MailError('propertyInvalid', 'It is one line, without control characters.', { property: path })
}

const fileType = objectType<AttachmentFields>('microsoft.graph.fileAttachment', {
  ...common,
  contentId: (into, value, { path }) => {
    // `<id>` would never match a `cid:id` in the body.
    into.contentId = readLine(value, path).replace(/^<(.*)>$/, '$1') || null
  },
  // Documented as unsupported, and always answered as null.
  contentLocation: (_, value, { path }) => void readText(value, path),
  contentBytes: (into, value, { path }) => {
    into.content = value === null ? undefined : readBytes(value, path)
  },
})

function readFile(members: JsonObject, reading: Reading): NewFileAttachment {
  const fields = readMembers(members, fileType, noFields(), reading)
  const { name, contentType, isInline, contentId, content } = fields
  if (name === '') throw requiredMissing(`${reading.path}/name`)
  if (content === undefined) throw requiredMissing(`${reading.path}/contentBytes`)
  return {
    kind: 'file',
    name,
    contentType: contentType ?? contentTypeOf(name),
    isInline,
    contentId,
    contentLocation: null,
    content,
  }
}

/** Edm.Binary: ordinary base64 with its padding, in lines or in one. */
function readBytes(value: unknown, path: string): Buffer {
  if (typeof value !== 'string') throw cannotConvert(value, 'Edm.Binary', path)
  const bytes = decodeBase64(value) ?? decodeBase64(value.replace(/[\r\n\t ]+/g, ''))
  if (bytes === undefined) throw undeserializable(`The property ${path} is not base64.`, path)
  return bytes
}

/**
 * Strictly: Buffer passes over what is no base64, takes the URL-safe letters too, and takes characters beyond Latin-1 for
 * their low byte. What is left out shows in the length; decoding at once is several times faster than a pattern.
 */
function decodeBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || text.includes('-') || text.includes('_')) return undefined
  if (Buffer.byteLength(text) !== text.length) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === (text.length / 4) * 3 - padding ? bytes : undefined
}

function itemTypeFor(readDraft: DraftReader) {
  return objectType<AttachmentFields>('microsoft.graph.itemAttachment', {
    ...common,
    item: (into, value, reading) => {
      into.item = readAttachedItem(value, { ...reading, depth: reading.depth + 1 }, readDraft)
    },
  })
}

function readItem(members: JsonObject, reading: Reading, readDraft: DraftReader): NewItemAttachment {
  if (reading.depth >= maxItemDepth) throw undeserializable(`Items may hold items ${maxItemDepth} deep.`, reading.path)
  const { name, contentType, isInline, item } = readMembers(members, itemTypeFor(readDraft), noFields(), reading)
  if (name === '') throw requiredMissing(`${reading.path}/name`)
  if (item === undefined) throw requiredMissing(`${reading.path}/item`)
  return { kind: 'item', name, contentType, isInline, item }
}

function readAttachedItem(value: unknown, reading: Reading, readDraft: DraftReader): AttachedItem | undefined {
  const members = readObject(value, reading.path)
  if (members === null) return undefined
  const type = typeOf(members, reading)
  if (type === 'message') return { type, message: readDraft(members, reading) }
  if (type === 'event' || type === 'contact') {
    requirePlain(members, `microsoft.graph.${type}`, reading, 0)
    return { type, properties: members }
  }
  if (type === '') {
    throw new GraphError(
      422,
      'UnprocessableType',
      "Cannot process input of abstract type 'microsoft.graph.outlookItem'",
      { reason: `${reading.path} has no @odata.type that says whether it is a message, an event or a contact.` },
    )
  }
  throw unresolvedType(members, reading)
}

/** Deeper than any event or contact of the model. */
const maxPropertyDepth = 16

/** Names that mean something to JavaScript; no type of the model has them. */
const unsafeNames = new Set(['__proto__', 'constructor', 'prototype'])

/** Events and contacts are kept as given, so nothing is let in that somebody could trip over later. */
function requirePlain(value: unknown, type: string, reading: Reading, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > maxPropertyDepth) throw undeserializable(`${reading.path} is nested too deep.`, reading.path)
  const members = value as JsonObject
  for (const name in members) {
    if (unsafeNames.has(name)) throw unknownProperty(name, type, reading.path)
    if (isAnnotation(name, members[name], reading.path)) continue
    requirePlain(members[name], type, inside(reading, quotable(name)), depth + 1)
  }
}

const providers = ['other', 'oneDriveBusiness', 'oneDriveConsumer', 'dropbox'] as const
const permissions = [
  'other',
  'view',
  'edit',
  'anonymousView',
  'anonymousEdit',
  'organizationView',
  'organizationEdit',
] as const

/** v1.0 has no property that says where a reference leads: there none can be made. The links of its icons are not kept. */
const ofBetaReference: Readonly<Record<string, FieldReader>> = {
  sourceUrl: (into, value, { path }) => {
    into.sourceUrl = readLine(value, path)
  },
  providerType: (into, value, { path }) => {
    into.providerType = readEnum(value, providers, 'microsoft.graph.referenceAttachmentProvider', path) ?? 'other'
  },
  permission: (into, value, { path }) => {
    into.permission = readEnum(value, permissions, 'microsoft.graph.referenceAttachmentPermission', path) ?? 'other'
  },
  isFolder: (into, value, { path }) => {
    into.isFolder = readBoolean(value, path) ?? false
  },
  previewUrl: (_, value, { path }) => void readText(value, path),
  thumbnailUrl: (_, value, { path }) => void readText(value, path),
}

const referenceTypes = {
  'v1.0': objectType<AttachmentFields>('microsoft.graph.referenceAttachment', common),
  beta: objectType<AttachmentFields>('microsoft.graph.referenceAttachment', { ...common, ...ofBetaReference }),
}

function readReference(members: JsonObject, reading: Reading): NewReferenceAttachment {
  const fields = readMembers(members, referenceTypes[reading.version], noFields(), reading)
  const { name, contentType, isInline, sourceUrl, providerType, permission, isFolder } = fields
  if (name === '') throw requiredMissing(`${reading.path}/name`)
  if (sourceUrl === '') {
    throw new GraphError(
      400,
      'ErrorInvalidProperty',
      "The property 'SourceUrl' is required when creating the entity.",
      {
        reason: `${reading.path}/sourceUrl is missing.`,
      },
    )
  }
  return { kind: 'reference', name, contentType, isInline, sourceUrl, providerType, permission, isFolder }
}
