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
import { requestBodyRead } from '../errors.js'
import { contentTypeOf } from './content-type.js'
import type { Reading } from './draft.js'
import {
  cannotConvert,
  hasControlCharacter,
  isAnnotation,
  type JsonObject,
  readArray,
  readBoolean,
  readObject,
  readText,
  undeserializable,
  unknownProperty,
} from './values.js'

type DraftReader = (json: unknown, reading: Reading) => Draft

/** Attachments given with a message. */
export function readAttachments(value: unknown, reading: Reading, readDraft: DraftReader): NewAttachment[] {
  return readArray(value, reading.path).map((item) => readAttachment(item, reading, readDraft))
}

/** One attachment; its `@odata.type` says which kind, with or without `#`, wherever in the object it stands. */
function readAttachment(value: unknown, reading: Reading, readDraft: DraftReader): NewAttachment {
  const members = readObject(value, reading.path)
  if (members === null) throw requestBodyRead('A null value was found for an attachment.', reading.path)
  const type = typeOf(members, reading.path)
  switch (type) {
    case 'fileAttachment':
      return readFile(members, reading.path)
    case 'itemAttachment':
      return readItem(members, reading, readDraft)
    case 'referenceAttachment':
      return readReference(members, reading)
    default:
      throw requestBodyRead(
        `A type named '${type}' could not be resolved by the model. When a model is available, each type name must resolve to a valid type.`,
        `${reading.path}/@odata.type`,
      )
  }
}

function typeOf(members: JsonObject, path: string): string {
  const type = readText(members['@odata.type'] ?? null, `${path}/@odata.type`)
  if (type === null) {
    // A file may be recognised by what only files have; documents always name the type.
    if ('contentBytes' in members) return 'fileAttachment'
    throw requestBodyRead(
      "The property '@odata.type' is missing: an attachment says whether it is a file, an item or a reference.",
      `${path}/@odata.type`,
    )
  }
  return type.replace(/^#?microsoft\.graph\./i, '').replace(/[^\x20-\x7e]/g, '?')
}

/** Members every kind has, and those the server sets itself. */
const commonMembers = new Set(['name', 'contentType', 'isInline'])
const serverMembers = new Set(['id', 'size', 'lastModifiedDateTime'])

function refuseUnknown(members: JsonObject, own: ReadonlySet<string>, type: string, path: string): void {
  for (const name in members) {
    if (commonMembers.has(name) || serverMembers.has(name) || own.has(name)) continue
    if (!isAnnotation(name, members[name], path)) throw unknownProperty(name, `microsoft.graph.${type}`, path)
  }
}

function readName(members: JsonObject, path: string): string {
  const name = readText(members.name ?? null, `${path}/name`) ?? ''
  if (hasControlCharacter(name)) {
    throw new MailError('propertyInvalid', 'The name of an attachment is one line.', { property: `${path}/name` })
  }
  return name
}

function readContentType(members: JsonObject, path: string): string | null {
  const contentType = readText(members.contentType ?? null, `${path}/contentType`)
  if (contentType !== null && hasControlCharacter(contentType)) {
    throw new MailError('propertyInvalid', 'A content type is one line.', { property: `${path}/contentType` })
  }
  return contentType === '' ? null : contentType
}

const fileMembers = new Set(['contentBytes', 'contentId', 'contentLocation'])

function readFile(members: JsonObject, path: string): NewFileAttachment {
  refuseUnknown(members, fileMembers, 'fileAttachment', path)
  const name = readName(members, path)
  const contentId = readText(members.contentId ?? null, `${path}/contentId`)
  const contentLocation = readText(members.contentLocation ?? null, `${path}/contentLocation`)
  if (
    (contentId !== null && hasControlCharacter(contentId)) ||
    (contentLocation !== null && hasControlCharacter(contentLocation))
  ) {
    throw new MailError('propertyInvalid', 'A content id is one line.', { property: `${path}/contentId` })
  }
  return {
    kind: 'file',
    name,
    contentType: readContentType(members, path) ?? contentTypeOf(name),
    isInline: readBoolean(members.isInline ?? null, `${path}/isInline`) ?? false,
    contentId: contentId === null || contentId === '' ? null : contentId.replace(/^<|>$/g, ''),
    contentLocation: contentLocation === '' ? null : contentLocation,
    content: readBytes(members.contentBytes ?? null, `${path}/contentBytes`),
  }
}

/** Edm.Binary: ordinary base64 with its padding. Bytes that came out shorter than they should were not base64. */
function readBytes(value: unknown, path: string): Buffer {
  if (value === null) throw undeserializable(`The property ${path} is missing: a file has content.`)
  if (typeof value !== 'string') throw cannotConvert(value, 'Edm.Binary', path)
  const bytes = Buffer.from(value, 'base64')
  const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0
  // Buffer skips what is no base64 and takes the URL-safe letters too.
  if (value.length % 4 !== 0 || bytes.length !== (value.length / 4) * 3 - padding || /[-_]/.test(value)) {
    throw undeserializable(`The property ${path} is not base64.`)
  }
  return bytes
}

const itemMembers = new Set(['item'])

function readItem(members: JsonObject, reading: Reading, readDraft: DraftReader): NewItemAttachment {
  const { path, depth } = reading
  refuseUnknown(members, itemMembers, 'itemAttachment', path)
  if (depth >= maxItemDepth) throw undeserializable(`Items may hold items ${maxItemDepth} deep.`)
  return {
    kind: 'item',
    name: readName(members, path),
    contentType: readContentType(members, path),
    isInline: readBoolean(members.isInline ?? null, `${path}/isInline`) ?? false,
    item: readAttachedItem(members.item ?? null, { ...reading, path: `${path}/item`, depth: depth + 1 }, readDraft),
  }
}

function readAttachedItem(value: unknown, reading: Reading, readDraft: DraftReader): AttachedItem {
  const members = readObject(value, reading.path)
  if (members === null)
    throw undeserializable(`The property ${reading.path} is missing: an item attachment has an item.`)
  const type = typeOf(members, reading.path).toLowerCase()
  if (type === 'message') return { type: 'message', message: readDraft(members, reading) }
  if (type === 'event' || type === 'contact') return { type, properties: members }
  throw undeserializable(`The property ${reading.path} is neither a message nor an event nor a contact.`)
}

const referenceMembers = new Set(['sourceUrl', 'providerType', 'permission', 'isFolder', 'previewUrl', 'thumbnailUrl'])

function readReference(members: JsonObject, { path }: Reading): NewReferenceAttachment {
  refuseUnknown(members, referenceMembers, 'referenceAttachment', path)
  const text = (name: string) => readText(members[name] ?? null, `${path}/${name}`)
  return {
    kind: 'reference',
    name: readName(members, path),
    contentType: readContentType(members, path),
    isInline: readBoolean(members.isInline ?? null, `${path}/isInline`) ?? false,
    sourceUrl: text('sourceUrl') ?? '',
    providerType: text('providerType') ?? 'other',
    permission: text('permission') ?? 'other',
    isFolder: readBoolean(members.isFolder ?? null, `${path}/isFolder`) ?? false,
  }
}
