import { GraphError, requestBodyRead } from '../errors.js'
import type { ApiVersion } from '../path.js'

/** The members of a JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

/** What a reader needs to know beside the value. */
export interface Reading {
  readonly version: ApiVersion
  /** Of the value, for refusals: `message/toRecipients/0/emailAddress`. */
  readonly path: string
  /** Items inside items so far. */
  readonly depth: number
}

/** The same reading, one step further in. */
export function inside({ version, path, depth }: Reading, step: string | number): Reading {
  return { version, path: `${path}/${step}`, depth }
}

/** Longest literal that a refusal repeats. */
const maxQuoted = 100

/** What a JSON value is called in the OData library's sentences. */
function nodeType(value: unknown): string {
  if (Array.isArray(value)) return 'StartArray'
  return typeof value === 'object' && value !== null ? 'StartObject' : 'PrimitiveValue'
}

/** A refusal in the words of the OData library; `path` names the property. */
export function cannotConvert(value: unknown, type: string, path: string): GraphError {
  if (typeof value === 'object' && value !== null) {
    return requestBodyRead(
      `An unexpected '${nodeType(value)}' node was found when reading from the JSON reader. A 'PrimitiveValue' node was expected.`,
      path,
    )
  }
  return requestBodyRead(`Cannot convert the literal '${quotable(value)}' to the expected type '${type}'.`, path)
}

/** What a refusal may repeat of a value that came from outside: its beginning, on one line, in printable ASCII. */
export function quotable(value: unknown): string {
  return String(value)
    .slice(0, maxQuoted)
    .replace(/[^\x20-\x7e]/g, '?')
}

/** Graph's answer to a body whose parts are JSON, but not what they stand for (recorded; with the space at its end). */
export function undeserializable(reason: string, path: string): GraphError {
  return new GraphError(400, 'UnableToDeserializePostBody', 'were unable to deserialize ', { target: path, reason })
}

/** Graph's answer to an entity that lacks what it cannot be made without (observed of files without content). */
export function requiredMissing(path: string): GraphError {
  return new GraphError(400, 'ErrorRequiredPropertyMissing', 'Required property is missing.', {
    target: path,
    reason: `${path} is missing.`,
  })
}

/** Text, or null where the property may be null. */
export function readText(value: unknown, path: string): string | null {
  if (value === null || typeof value === 'string') return value
  throw cannotConvert(value, 'Edm.String', path)
}

/** A Boolean, also as the text of one: the reference page itself sends `"false"`. */
export function readBoolean(value: unknown, path: string): boolean | null {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') {
    const lower = value.toLowerCase()
    if (lower === 'true') return true
    if (lower === 'false') return false
  }
  throw cannotConvert(value, 'Edm.Boolean', path)
}

/** A member of an enumeration, in any case; answered as the model spells it. */
export function readEnum<Member extends string>(
  value: unknown,
  members: readonly Member[],
  type: string,
  path: string,
): Member | null {
  if (value === null) return null
  if (typeof value === 'string') {
    const lower = value.toLowerCase()
    for (const member of members) if (member.toLowerCase() === lower) return member
    throw requestBodyRead(`Requested value '${quotable(value)}' was not found.`, path)
  }
  throw cannotConvert(value, type, path)
}

export function readObject(value: unknown, path: string): JsonObject | null {
  if (value === null) return null
  if (typeof value === 'object' && !Array.isArray(value)) return value as JsonObject
  throw requestBodyRead(
    `An unexpected '${nodeType(value)}' node was found when reading from the JSON reader. A 'StartObject' node was expected.`,
    path,
  )
}

export function readArray(value: unknown, path: string): readonly unknown[] {
  if (value === null) return []
  if (Array.isArray(value)) return value
  throw requestBodyRead(
    `An unexpected '${nodeType(value)}' node was found when reading from the JSON reader. A 'StartArray' node was expected.`,
    path,
  )
}

/**
 * Whether a member is an annotation (`@odata.type`, `toRecipients@odata.type`), which says nothing to us.
 *
 * @throws GraphError when it is an object or a list: those no annotation of mail is
 */
export function isAnnotation(name: string, value: unknown, path: string): boolean {
  if (!name.includes('@odata.')) return false
  if (typeof value === 'object' && value !== null) throw cannotConvert(value, 'Edm.String', `${path}/${quotable(name)}`)
  return true
}

/** A member that its type does not have, in the words recorded of clients' reports. */
export function unknownProperty(name: string, type: string, path: string): GraphError {
  return requestBodyRead(
    `The property '${quotable(name)}' does not exist on type '${type}'. Make sure to only use property names that are defined by the type or mark the type as open type.`,
    `${path}/${quotable(name)}`,
  )
}

/** A property's name as the model spells it; one documented sample writes it with a capital. */
export function uncapitalised(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

/** Puts what a member says into what is being made of its object. */
export type MemberReader<Into> = (into: Into, value: unknown, reading: Reading) => void

/** A type of the model and how its properties are read. A `Map`, because a name from outside may be `constructor`. */
export interface ObjectType<Into> {
  /** `microsoft.graph.itemBody` */
  readonly name: string
  readonly readers: ReadonlyMap<string, MemberReader<Into>>
}

/** The type with this name and these properties. */
export function objectType<Into>(
  name: string,
  readers: Readonly<Record<string, MemberReader<Into>>>,
): ObjectType<Into> {
  return { name, readers: new Map(Object.entries(readers)) }
}

/** For properties that are taken note of and not kept. */
export const passOver: MemberReader<unknown> = () => undefined

/**
 * Reads every member of an object; annotations are passed over.
 *
 * @throws GraphError RequestBodyRead for a member that the type does not have
 */
export function readMembers<Into>(members: JsonObject, type: ObjectType<Into>, into: Into, reading: Reading): Into {
  for (const name in members) {
    const read = type.readers.get(name) ?? readerOtherwise(members, name, type, reading.path)
    read(into, members[name], inside(reading, name))
  }
  return into
}

/** For a name that is not just as the model spells it. */
function readerOtherwise<Into>(
  members: JsonObject,
  name: string,
  type: ObjectType<Into>,
  path: string,
): MemberReader<Into> {
  const spelt = uncapitalised(name)
  const read = type.readers.get(spelt)
  if (read === undefined) {
    if (isAnnotation(name, members[name], path)) return passOver
    throw unknownProperty(name, type.name, path)
  }
  // Readers that take the first of the two and readers that take the last would see different messages.
  if (Object.hasOwn(members, spelt)) {
    throw requestBodyRead(
      `Multiple properties with the name '${spelt}' were detected in a resource or complex value. In OData, duplicate property names are not allowed.`,
      `${path}/${spelt}`,
    )
  }
  return read
}

/** Whether a text could break out of a header line, or be no text at all. */
export function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text)
}

/** `2025-01-14T16:11:39Z`: UTC to the second, without a fraction. */
export function presentMoment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
