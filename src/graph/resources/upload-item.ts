import { MailError } from '../../mail/errors.js'
import type { UploadItem } from '../../mail/upload-session.js'
import { parameterMissing, readParameters } from '../action-parameters.js'
import { requestBodyRead } from '../errors.js'
import type { ApiVersion } from '../path.js'
import { contentTypeOf } from './content-type.js'
import {
  cannotConvert,
  hasControlCharacter,
  type MemberReader,
  objectType,
  type Reading,
  readBoolean,
  readEnum,
  readMembers,
  readObject,
  readText,
  requiredMissing,
} from './values.js'

interface ItemFields {
  attachmentType: string | null
  name: string
  contentType: string
  contentId: string | null
  isInline: boolean
  size: number | undefined
}

/** Text that ends up in a header, so on one line. */
function line(set: (into: ItemFields, text: string) => void): MemberReader<ItemFields> {
  return (into, value, { path }) => {
    const text = readText(value, path) ?? ''
    if (hasControlCharacter(text)) {
      throw new MailError('propertyInvalid', 'It is one line, without control characters.', { property: path })
    }
    set(into, text)
  }
}

const attachmentItemType = objectType<ItemFields>('microsoft.graph.attachmentItem', {
  attachmentType: (into, value, { path }) => {
    into.attachmentType = readEnum(value, ['file', 'item', 'reference'], 'microsoft.graph.attachmentType', path)
  },
  name: line((into, text) => {
    into.name = text
  }),
  contentType: line((into, text) => {
    into.contentType = text
  }),
  contentId: line((into, text) => {
    into.contentId = text.replace(/^<(.*)>$/, '$1') || null
  }),
  isInline: (into, value, { path }) => {
    into.isInline = readBoolean(value, path) ?? false
  },
  size: (into, value, { path }) => {
    into.size = readSize(value, path)
  },
})

/** Edm.Int64: a number, or the text of one as generated clients write it. */
function readSize(value: unknown, path: string): number {
  const size = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return size
  throw cannotConvert(value, 'Edm.Int64', path)
}

/**
 * The `AttachmentItem` of `createUploadSession`.
 *
 * @throws GraphError RequestBodyRead, ErrorRequiredPropertyMissing for `attachmentType`, `name` and `size`; MailError
 *   propertyInvalid
 */
export function readUploadItem(json: unknown, version: ApiVersion): UploadItem {
  const value = readParameters(json, 'createUploadSession', ['attachmentItem']).get('attachmentItem') ?? null
  const reading: Reading = { version, path: 'attachmentItem', depth: 0 }
  const members = readObject(value, reading.path)
  if (members === null) throw parameterMissing('AttachmentItem', 'createUploadSession')
  const fields = readMembers<ItemFields>(
    members,
    attachmentItemType,
    { attachmentType: null, name: '', contentType: '', contentId: null, isInline: false, size: undefined },
    reading,
  )
  const { attachmentType, name, contentType, contentId, isInline, size } = fields
  if (attachmentType === null) throw requiredMissing('attachmentItem/attachmentType')
  if (attachmentType !== 'file') {
    throw requestBodyRead(
      `An upload session takes a file; '${attachmentType}' is attached with its properties.`,
      'attachmentItem/attachmentType',
    )
  }
  if (name === '') throw requiredMissing('attachmentItem/name')
  if (size === undefined) throw requiredMissing('attachmentItem/size')
  return { name, contentType: contentType || contentTypeOf(name), sizeBytes: size, isInline, contentId }
}
