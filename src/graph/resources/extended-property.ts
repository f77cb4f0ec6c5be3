import type { CreateOptions } from '../../mail/create-draft.js'
import { MailError } from '../../mail/errors.js'
import type { Draft, MultiValueExtendedProperty, SingleValueExtendedProperty } from '../../mail/message.js'
import type { ListedMessage } from '../../mail/query.js'
import { GraphError } from '../errors.js'
import {
  cannotConvert,
  inside,
  type MemberReader,
  objectType,
  presentMoment,
  type Reading,
  readArray,
  readMembers,
  readObject,
  readText,
} from './values.js'

/**
 * MAPI properties by the ids Graph gives them: `Long 0xe08` (a tag), `String {guid} Name Colour`, `String {guid} Id
 * 0x8570` (named properties, MS-OXPROPS §1.3.2).
 */

const types = ['ApplicationTime', 'Binary', 'Boolean', 'CLSID', 'Currency', 'Double', 'Float', 'Guid', 'Integer']
const moreTypes = ['Long', 'Short', 'String', 'SystemTime']
const typeNames = new Map(
  [...types, ...moreTypes].flatMap((type) => [type, `${type}Array`]).map((type) => [type.toLowerCase(), type] as const),
)

const idForm =
  /^([A-Za-z]{1,24}) (?:0x([0-9A-Fa-f]{1,8})|\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}? (?:(Name) (.{1,255})|Id (0x[0-9A-Fa-f]{1,8}|\d{1,10})))$/i

/**
 * An id as Graph answers it (`LONG 0x0E08` → `Long 0xe08`, recorded), so that two spellings of one property are the same
 * text; undefined for what is no id.
 */
export function extendedPropertyId(written: string): string | undefined {
  const [, type = '', tag, guid = '', name, nameText, id = ''] = idForm.exec(written) ?? []
  const typeName = typeNames.get(type.toLowerCase())
  if (typeName === undefined) return undefined
  if (tag !== undefined) return `${typeName} 0x${Number.parseInt(tag, 16).toString(16)}`
  const set = `{${guid.toLowerCase()}}`
  return name === undefined
    ? `${typeName} ${set} Id 0x${Number(id).toString(16)}`
    : `${typeName} ${set} Name ${nameText}`
}

interface WrittenId {
  id: string
}

const readId: MemberReader<WrittenId> = (into, value, { path }) => {
  into.id = readText(value, path) ?? ''
}

const singleValueType = objectType<{ id: string; value: string | null }>(
  'microsoft.graph.singleValueLegacyExtendedProperty',
  {
    id: readId,
    value: (into, value, { path }) => {
      into.value = readText(value, path)
    },
  },
)

const multiValueType = objectType<{ id: string; value: string[] }>('microsoft.graph.multiValueLegacyExtendedProperty', {
  id: readId,
  value: (into, value, reading) => {
    into.value = readTexts(value, reading)
  },
})

/** Properties of one value each; one whose value is null is not set. */
export function readSingleValues(value: unknown, reading: Reading): SingleValueExtendedProperty[] {
  const properties: SingleValueExtendedProperty[] = []
  for (const [index, item] of readArray(value, reading.path).entries()) {
    const at = inside(reading, index)
    const members = readObject(item, at.path)
    if (members === null) throw cannotConvert(item, singleValueType.name, at.path)
    const { id, value: text } = readMembers(members, singleValueType, { id: '', value: null }, at)
    const normalId = requiredId(id, at)
    if (text !== null) properties.push({ id: normalId, value: text })
  }
  return properties
}

/** Properties of several values each. */
export function readMultiValues(value: unknown, reading: Reading): MultiValueExtendedProperty[] {
  return readArray(value, reading.path).map((item, index) => {
    const at = inside(reading, index)
    const members = readObject(item, at.path)
    if (members === null) throw cannotConvert(item, multiValueType.name, at.path)
    const property = readMembers(members, multiValueType, { id: '', value: [] }, at)
    return { ...property, id: requiredId(property.id, at) }
  })
}

/** A list of texts; null stands for none, as a list and in one. */
export function readTexts(value: unknown, reading: Reading): string[] {
  const texts: string[] = []
  for (const [index, item] of readArray(value, reading.path).entries()) {
    const text = readText(item, `${reading.path}/${index}`)
    if (text !== null) texts.push(text)
  }
  return texts
}

/** The id in normal form, so that `$filter` finds the property however it is spelt. */
function requiredId(written: string, { path }: Reading): string {
  const id = extendedPropertyId(written)
  if (id !== undefined) return id
  throw new MailError(
    'propertyInvalid',
    "An extended property is named as in 'String 0x001A' or 'String {guid} Name Colour'.",
    { property: `${path}/id` },
  )
}

/** The properties with the additions, each id once: what is added takes the place of what has its id. */
export function mergedProperties<Property extends { readonly id: string }>(
  kept: readonly Property[],
  added: readonly Property[],
): Property[] {
  const byId = new Map<string, Property>()
  for (const property of [...kept, ...added]) byId.set(extendedPropertyId(property.id) ?? property.id, property)
  return [...byId.values()]
}

const messageFlags = new Set(['Integer 0xe07', 'Long 0xe07'])
const deliveryTime = 'SystemTime 0xe06'
const submitTime = 'SystemTime 0x39'

/**
 * A message that says of itself, by PidTagMessageFlags (MS-OXCMSG §2.2.1.6), that it was sent already: it is put in as it
 * was, with the times given by PidTagMessageDeliveryTime and PidTagClientSubmitTime. Otherwise the draft as it is.
 *
 * @throws MailError propertyInvalid for flags or times that are none
 */
export function importedFrom(draft: Draft): { draft: Draft; options: Pick<CreateOptions, 'imported'> } {
  const byNormalId = new Map(draft.singleValueExtendedProperties.map((item) => [extendedPropertyId(item.id), item]))
  const flags = [...messageFlags].map((id) => byNormalId.get(id)).find((item) => item !== undefined)
  if (flags === undefined) return { draft, options: {} }
  const bits = Number(flags.value)
  if (!Number.isInteger(bits) || bits < 0) throw invalidValue(flags.id)
  const isUnsent = (bits & 8) !== 0
  if (isUnsent) return { draft, options: {} }
  const receivedAt = momentOf(byNormalId.get(deliveryTime))
  const sentAt = momentOf(byNormalId.get(submitTime))
  const singleValueExtendedProperties = draft.singleValueExtendedProperties.filter(
    ({ id }) => !isTaken(extendedPropertyId(id) ?? ''),
  )
  return {
    draft: { ...draft, isRead: (bits & 1) !== 0, singleValueExtendedProperties },
    options: {
      imported: { ...(receivedAt === undefined ? {} : { receivedAt }), ...(sentAt === undefined ? {} : { sentAt }) },
    },
  }
}

/** Kept as what they mean, not as properties. */
function isTaken(id: string): boolean {
  return messageFlags.has(id) || id === deliveryTime || id === submitTime
}

function momentOf(property: SingleValueExtendedProperty | undefined): number | undefined {
  if (property === undefined) return undefined
  const at = Date.parse(property.value)
  if (Number.isNaN(at)) throw invalidValue(property.id)
  return at
}

function invalidValue(id: string): MailError {
  return new MailError('propertyInvalid', `The value does not fit the type of ${id}.`, {
    property: 'singleValueExtendedProperties',
  })
}

/** `id eq '...'`, several of them joined by `or`; quotes inside are doubled. */
const idComparison = /^\s*id\s+eq\s+'((?:[^']|'')*)'\s*/i
const or = /^or\s+/i

/**
 * The ids that `$expand=singleValueExtendedProperties($filter=id eq '...')` asks for, in normal form and in the order
 * asked. No other filter is documented of it.
 *
 * @throws GraphError ErrorInvalidUrlQueryFilter
 */
export function expandedPropertyIds(filter: string): string[] {
  const ids: string[] = []
  let rest = filter
  do {
    const [whole, written] = idComparison.exec(rest) ?? []
    const id = written === undefined ? undefined : extendedPropertyId(written.replaceAll("''", "'"))
    if (whole === undefined || id === undefined) throw invalidFilter()
    ids.push(id)
    rest = rest.slice(whole.length)
    const joined = or.exec(rest)?.[0] ?? ''
    if (rest !== '' && joined === '') throw invalidFilter()
    rest = rest.slice(joined.length)
  } while (rest !== '')
  return ids
}

function invalidFilter(): GraphError {
  return new GraphError(400, 'ErrorInvalidUrlQueryFilter', 'The query filter contains one or more invalid nodes.', {
    reason: "Extended properties are asked for as in id eq 'String 0x001A'.",
  })
}

type ShownProperty<Value> = { id: string; value: Value }

/** The properties of these ids (in normal form) that the message has; undefined when it has none of them. */
export function presentSingleValues(
  message: ListedMessage,
  ids: readonly string[],
): ShownProperty<string>[] | undefined {
  const kept = byId(message.content?.singleValueExtendedProperties ?? [])
  return found(ids, (id) => kept.get(id) ?? derivedValue(id, message))
}

/** The same of properties with several values. */
export function presentMultiValues(
  message: ListedMessage,
  ids: readonly string[],
): ShownProperty<readonly string[]>[] | undefined {
  const kept = byId(message.content?.multiValueExtendedProperties ?? [])
  return found(ids, (id) => kept.get(id))
}

/** What a folder has of the properties of these ids, of one value or of several; undefined when it has none of them. */
export function presentFolderValues<Value>(
  properties: readonly { readonly id: string; readonly value: Value }[] | undefined,
  ids: readonly string[],
): ShownProperty<Value>[] | undefined {
  const kept = byId(properties ?? [])
  return found(ids, (id) => kept.get(id))
}

function byId<Value>(properties: readonly { readonly id: string; readonly value: Value }[]): Map<string, Value> {
  return new Map(properties.map(({ id, value }) => [extendedPropertyId(id) ?? id, value]))
}

function found<Value>(ids: readonly string[], lookUp: (id: string) => Value | undefined) {
  const shown: ShownProperty<Value>[] = []
  for (const id of new Set(ids)) {
    const value = lookUp(id)
    if (value !== undefined) shown.push({ id, value })
  }
  return shown.length === 0 ? undefined : shown
}

/** Properties every message has without anyone setting them: PidTagMessageSize, -MessageFlags, -MessageClass. */
function derivedValue(id: string, message: ListedMessage): string | undefined {
  switch (id) {
    case 'Long 0xe08':
    case 'Integer 0xe08':
      return String(message.sizeBytes)
    case 'Long 0xe07':
    case 'Integer 0xe07':
      // MS-OXCMSG §2.2.1.6: mfRead, mfUnsent, mfHasAttach.
      return String((message.isRead ? 1 : 0) + (message.isDraft ? 8 : 0) + (message.hasAttachments ? 16 : 0))
    case 'Integer 0x1081':
      return message.lastVerb && String(message.lastVerb.verb)
    case 'SystemTime 0x1082':
      return message.lastVerb && presentMoment(message.lastVerb.at)
    case 'Integer 0x1080':
      // MS-OXOMSG §2.2.1.2: the icon of a message that was replied to, or forwarded.
      return message.lastVerb && (message.lastVerb.verb === 104 ? '262' : '261')
    case 'String 0x1a':
      return 'IPM.Note'
    default:
      return undefined
  }
}
