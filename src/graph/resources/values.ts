import { GraphError, requestBodyRead } from '../errors.js'

/** The members of a JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

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

function quotable(value: unknown): string {
  return String(value)
    .slice(0, maxQuoted)
    .replace(/[^\x20-\x7e]/g, '?')
}

/** Graph's answer to a body whose parts are JSON, but not what they stand for (recorded; with the space at its end). */
export function undeserializable(reason: string): GraphError {
  return new GraphError(400, 'UnableToDeserializePostBody', 'were unable to deserialize ', { reason })
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
  if (!name.includes('@')) return false
  if (typeof value === 'object' && value !== null) throw cannotConvert(value, 'Edm.String', `${path}/${name}`)
  return true
}

/** A member that its type does not have, in the words recorded of clients' reports. */
export function unknownProperty(name: string, type: string, path: string): GraphError {
  return requestBodyRead(
    `The property '${quotable(name)}' does not exist on type '${type}'. Make sure to only use property names that are defined by the type or mark the type as open type.`,
    `${path}/${quotable(name)}`,
  )
}

/** A type's properties by name; one documented sample writes a property with a capital, so its first letter may be one. */
export function propertyNamed<Row>(table: ReadonlyMap<string, Row>, name: string): Row | undefined {
  return table.get(name) ?? table.get(name.charAt(0).toLowerCase() + name.slice(1))
}

/** Whether a text could break out of a header line, or be no text at all. */
export function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text)
}

/** `2025-01-14T16:11:39Z`: UTC to the second, without a fraction. */
export function presentMoment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
