/** Any JSON value, as `JSON.parse` gives it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** A JSON object. Its members keep the order of the text. */
export interface JsonObject {
  readonly [member: string]: Json
}

/** Whether a value is a JSON object: neither null nor an array. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value is a JSON array. */
export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

/** The member of an object; undefined when it is missing or the value is no object. */
export function member(value: Json | undefined, ...names: string[]): Json | undefined {
  let found = value
  for (const name of names) found = isObject(found) ? found[name] : undefined
  return found
}

/** The same where the member must be text. */
export function textMember(value: Json | undefined, ...names: string[]): string | undefined {
  const found = member(value, ...names)
  return typeof found === 'string' ? found : undefined
}

/** The name of a value's JSON type. */
export function jsonType(value: Json): string {
  if (value === null) return 'null'
  return isArray(value) ? 'array' : typeof value
}

/** A value on one line, cut where it becomes long; for messages to people. */
export function shown(value: Json | undefined): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length <= 160 ? text : `${text.slice(0, 160)}…`
}
