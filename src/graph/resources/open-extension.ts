import { type OpenExtension, requireSoundExtensions } from '../../mail/open-extension.js'
import { requestBodyRead } from '../errors.js'
import {
  hasControlCharacter,
  inside,
  isAnnotation,
  type JsonObject,
  quotable,
  type Reading,
  readArray,
  readObject,
  readText,
  requiredMissing,
} from './values.js'

const type = '#microsoft.graph.openTypeExtension'
/** What the service writes before the name of an extension, in its id. */
const idPrefix = 'Microsoft.OutlookServices.OpenTypeExtension.'

/** The name of an extension by its id, which may be given with or without what the service writes before it. */
export function extensionNameOf(id: string): string {
  return id.toLowerCase().startsWith(idPrefix.toLowerCase()) ? id.slice(idPrefix.length) : id
}

/** An extension as it is shown: its type, id and name, then its data. */
export function presentExtension({ extensionName, values }: OpenExtension): Record<string, unknown> {
  return { '@odata.type': type, id: idPrefix + extensionName, extensionName, ...values }
}

/** An extension as a request gives it; an update may leave its name out. */
export interface ExtensionRead {
  readonly extensionName: string | undefined
  readonly values: OpenExtension['values']
}

const maxMemberName = 128

/**
 * Reads an extension: whatever is in it beside its type, id and name is its data.
 *
 * @throws GraphError RequestBodyRead
 */
export function readExtension(value: unknown, reading: Reading): ExtensionRead {
  const members: JsonObject = readObject(value ?? null, reading.path) ?? {}
  requireType(members, reading)
  let extensionName: string | undefined
  const values: [string, unknown][] = []
  for (const [name, member] of Object.entries(members)) {
    const { path } = inside(reading, quotable(name))
    const lower = name.toLowerCase()
    if (lower === 'extensionname') extensionName = readText(member, path) ?? undefined
    else if (lower !== 'id' && !isAnnotation(name, member, reading.path)) {
      if (name === '' || name.length > maxMemberName || hasControlCharacter(name)) {
        throw requestBodyRead(`The property '${quotable(name)}' has a name that cannot be kept.`, path)
      }
      values.push([name, member])
    }
  }
  return { extensionName, values: Object.fromEntries(values) }
}

function requireType(members: JsonObject, { path }: Reading): void {
  const said = members['@odata.type']
  if (said === undefined || /^#?microsoft\.graph\.openTypeExtension$/i.test(String(said))) return
  throw requestBodyRead(`A resource of the type '${quotable(said)}' is no open extension.`, `${path}/@odata.type`)
}

/** A new extension. */
export function readNewExtension(value: unknown, reading: Reading): OpenExtension {
  const { extensionName, values } = readExtension(value, reading)
  if (extensionName === undefined) throw requiredMissing(`${reading.path}/extensionName`)
  return { extensionName, values: withoutNull(values) }
}

/**
 * The extensions that a message is made with.
 *
 * @throws MailError propertyInvalid, extensionExists
 */
export function readExtensions(value: unknown, reading: Reading): readonly OpenExtension[] | undefined {
  const extensions = readArray(value, reading.path).map((item, index) => readNewExtension(item, inside(reading, index)))
  requireSoundExtensions(extensions)
  return extensions.length === 0 ? undefined : extensions
}

function withoutNull(values: OpenExtension['values']): OpenExtension['values'] {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))
}

const comparison = /^\s*id\s+eq\s+'((?:[^']|'')*)'\s*/i
const or = /^or\b/i

/**
 * The names that `$expand=extensions($filter=id eq '...')` asks for, lower case; several are joined by `or`. undefined for
 * a filter that says anything else.
 */
export function expandedExtensionNames(filter: string): ReadonlySet<string> | undefined {
  const names = new Set<string>()
  let rest = filter
  do {
    const [whole, id] = comparison.exec(rest) ?? []
    if (whole === undefined || id === undefined) return undefined
    names.add(extensionNameOf(id.replaceAll("''", "'")).toLowerCase())
    rest = rest.slice(whole.length)
    const joined = or.exec(rest)?.[0] ?? ''
    if (rest !== '' && joined === '') return undefined
    rest = rest.slice(joined.length)
  } while (rest !== '')
  return names
}
