/**
 * Members of an answer that begin with `@odata.`, or hold it behind the name they annotate, are control information. How
 * much of it there is, is the client's to say: `Accept: application/json;odata.metadata=none` (OData JSON Format 4.0 §3.1).
 * Handlers answer with the usual level; the others are made from it here.
 */
import { type ModelProperty, propertiesOf } from './model.js'
import type { ApiVersion } from './path.js'

type Level = 'none' | 'minimal' | 'full'

const askedLevel = /;\s*odata\.metadata=(none|minimal|full)\b/i

type JsonObject = Readonly<Record<string, unknown>>

/** An answer's JSON and its content type. */
interface JsonAnswer {
  readonly json: unknown
  /** That of the usual level. */
  readonly contentType: string
}

/** The answer with as much control information as an `Accept` header asks for. */
export function atRequestedLevel(answer: JsonAnswer, accept: string | undefined): JsonAnswer {
  const level = accept === undefined ? 'minimal' : levelIn(accept)
  if (level === 'minimal') return answer
  return {
    json: level === 'none' ? withoutControlInformation(answer.json) : withFullControlInformation(answer.json),
    contentType: answer.contentType.replace('odata.metadata=minimal', `odata.metadata=${level}`),
  }
}

function levelIn(accept: string): Level {
  const [, asked = 'minimal'] = askedLevel.exec(accept) ?? []
  return asked.toLowerCase() as Level
}

/** What a client needs to go on reading comes all the same. */
const always: ReadonlySet<string> = new Set(['@odata.nextLink', '@odata.deltaLink', '@odata.count'])

/** The value without it, at any depth. */
function withoutControlInformation(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutControlInformation)
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(([name]) => !name.includes('@odata.') || always.has(name))
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutControlInformation(member)]))
}

/** Types of what collections of the API hold. */
const entityTypes: Readonly<Record<string, string>> = {
  users: 'user',
  messages: 'message',
  message: 'message',
  mailFolders: 'mailFolder',
  childFolders: 'mailFolder',
  attachments: 'attachment',
}

/** Where entities are: what their links are made of. */
interface Location {
  readonly version: ApiVersion
  /** Up to the version, with a slash at its end. */
  readonly base: string
  /** Of the collection, without a slash before it; undefined: they are nowhere, as the parts of an attached item. */
  readonly path: string | undefined
  /** Whether links lead to relationships too: a selection leaves them out. */
  readonly linksRelationships: boolean
}

/** What stands between `$metadata#` and a selection: `users('adele')/messages`. */
const context = /^(?<base>.*\/)\$metadata#(?<path>(?:.*\/)?(?<collection>\w+))(?<selection>\([^'].*\))?$/

/** The answer with a type, an address and links for everything; unchanged where its context names no entities. */
function withFullControlInformation(json: unknown): unknown {
  const written = isObject(json) ? json['@odata.context'] : undefined
  if (!isObject(json) || typeof written !== 'string') return json
  const {
    base = '',
    path = '',
    collection = '',
    selection,
  } = context.exec(written.replace(/\/\$entity$/, ''))?.groups ?? {}
  const type = Object.hasOwn(entityTypes, collection) ? entityTypes[collection] : undefined
  if (type === undefined) return json
  const location: Location = {
    version: base.endsWith('/beta/') ? 'beta' : 'v1.0',
    base,
    // An action's result is described by its type alone.
    path: collection === type ? undefined : path,
    linksRelationships: selection === undefined,
  }
  if (!Array.isArray(json.value)) return { '@odata.context': written, ...describeEntity(json, type, location) }
  return {
    ...json,
    value: json.value.map((entity) => (isObject(entity) ? describeEntity(entity, type, location) : entity)),
  }
}

/** In the recorded order: type, addresses, then the members, each after what annotates it, then its relationships. */
function describeEntity(entity: JsonObject, declared: string, location: Location): JsonObject {
  const type =
    typeof entity['@odata.type'] === 'string' ? entity['@odata.type'].slice(1) : `microsoft.graph.${declared}`
  const address = addressOf(entity, location)
  const cast = type === `microsoft.graph.${declared}` ? '' : `/${type}`
  const described: Record<string, unknown> = { '@odata.type': `#${type}` }
  if (address !== undefined) {
    described['@odata.id'] = address
    if ('@odata.etag' in entity) described['@odata.etag'] = entity['@odata.etag']
    described['@odata.editLink'] = address + cast
    if ('@odata.mediaContentType' in entity) described['@odata.mediaEditLink'] = `${address + cast}/$value`
  }
  const properties = propertiesOf(type, location.version)
  const inside = { ...location, path: address }
  describeMembers(described, entity, properties, inside)
  if (address !== undefined && location.linksRelationships) {
    for (const [name, { isNavigation }] of properties) {
      if (!isNavigation || Object.hasOwn(entity, name)) continue
      const link = `${location.base}${address}${cast}/${name}`
      described[`${name}@odata.associationLink`] = `${link}/$ref`
      described[`${name}@odata.navigationLink`] = link
    }
  }
  return described
}

function addressOf({ id }: JsonObject, { path }: Location): string | undefined {
  if (path === undefined || typeof id !== 'string' || id === '') return undefined
  return `${path}('${encodeURIComponent(id)}')`
}

function describeMembers(
  described: Record<string, unknown>,
  members: JsonObject,
  properties: ReadonlyMap<string, ModelProperty>,
  location: Location,
): void {
  for (const [name, value] of Object.entries(members)) {
    if (Object.hasOwn(described, name) || name === '@odata.context') continue
    const property = properties.get(name)
    if (property === undefined || value === null || name.includes('@')) described[name] = value
    else if (property.isNavigation) described[name] = describeRelated(name, value, property, location)
    else describeProperty(described, name, value, property, location.version)
  }
}

function describeRelated(name: string, value: unknown, { type }: ModelProperty, location: Location): unknown {
  const declared = type.replace('microsoft.graph.', '')
  if (isObject(value)) return describeEntity(value, declared, { ...location, path: undefined })
  if (!Array.isArray(value)) return value
  const path = location.path === undefined ? undefined : `${location.path}/${name}`
  return value.map((entity) => (isObject(entity) ? describeEntity(entity, declared, { ...location, path }) : entity))
}

/** Types that JSON itself shows. */
const inferred: ReadonlySet<string> = new Set(['Edm.String', 'Edm.Boolean', 'Edm.Int32'])

function describeProperty(
  described: Record<string, unknown>,
  name: string,
  value: unknown,
  { type, isCollection }: ModelProperty,
  version: ApiVersion,
): void {
  const shortType = type.replace('Edm.', '')
  if (isCollection) described[`${name}@odata.type`] = `#Collection(${shortType})`
  else if (!isObject(value) && !inferred.has(type)) described[`${name}@odata.type`] = `#${shortType}`
  described[name] = Array.isArray(value)
    ? value.map((item) => describeValue(item, type, version))
    : describeValue(value, type, version)
}

/** A value of a complex type; any other is itself. */
function describeValue(value: unknown, type: string, version: ApiVersion): unknown {
  if (!isObject(value)) return value
  const described: Record<string, unknown> = { '@odata.type': `#${type}` }
  describeMembers(described, value, propertiesOf(type, version), {
    version,
    base: '',
    path: undefined,
    linksRelationships: false,
  })
  return described
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
