/**
 * `$filter` on folders: read by the grammar of messages, and asked of each folder as it is shown. There are few enough of
 * them, and most of what they show is kept nowhere.
 */
import type { MailFolder } from '../mail/mail-folder.js'
import type { FilterNode, Literal } from '../odata/filter.js'
import { badRequest, GraphError } from './errors.js'
import { presentFolderId } from './item-id.js'
import { parsedFilter } from './message-filter.js'
import type { ApiVersion } from './path.js'
import { extendedPropertyId } from './resources/extended-property.js'
import { compareScalars, type FolderSurroundings, folderProperty } from './resources/mail-folder.js'
import { quotable } from './resources/values.js'

type FolderTest = (folder: MailFolder) => boolean

/**
 * Which folders a filter is true of. Text is compared without case.
 *
 * @throws GraphError BadRequest for what does not parse or compares what cannot be compared, RequestBroker--ParseUri for
 *   an unknown property, ErrorInvalidUrlQueryFilter for what folders cannot be filtered by
 */
export function readFolderFilter(text: string, surroundings: FolderSurroundings, version: ApiVersion): FolderTest {
  const reader = { surroundings, version }
  return testOf(parsedFilter(text), reader)
}

interface Reader {
  readonly surroundings: FolderSurroundings
  readonly version: ApiVersion
}

function testOf(node: FilterNode, reader: Reader): FolderTest {
  switch (node.kind) {
    case 'and': {
      const tests = node.operands.map((operand) => testOf(operand, reader))
      return (folder) => tests.every((test) => test(folder))
    }
    case 'or': {
      const tests = node.operands.map((operand) => testOf(operand, reader))
      return (folder) => tests.some((test) => test(folder))
    }
    case 'not': {
      const test = testOf(node.operand, reader)
      return (folder) => !test(folder)
    }
    case 'compare':
      return comparison(node, reader)
    case 'in': {
      const { operand, values } = node
      const tests = values.map((value) => compared(operand, 'eq', value, reader))
      return (folder) => tests.some((test) => test(folder))
    }
    case 'call':
      return textTest(node.name, node.args, reader)
    case 'path':
      return compared(node, 'eq', { kind: 'literal', type: 'boolean', value: true, position: 0 }, reader)
    case 'any':
      return extendedPropertyTest(node)
    default:
      throw invalidNodes(`${node.kind} is not for folders.`)
  }
}

type Comparison = FilterNode & { kind: 'compare' }
const mirrored = { eq: 'eq', ne: 'ne', gt: 'lt', ge: 'le', lt: 'gt', le: 'ge' } as const

function comparison({ left, right, operator }: Comparison, reader: Reader): FolderTest {
  if (right.kind === 'literal') return compared(left, operator, right, reader)
  if (left.kind === 'literal') return compared(right, mirrored[operator], left, reader)
  throw invalidNodes('A property is compared with a value, not with another property.')
}

function compared(node: FilterNode, operator: Comparison['operator'], literal: Literal, reader: Reader): FolderTest {
  const { type, value } = propertyAt(node, reader)
  const isNull = literal.type === 'null'
  if (!isNull && literal.type !== type) {
    throw badRequest(
      `A binary operator with incompatible types was detected. Found operand types '${edmTypes[type]}' and 'Edm.${literal.type}' for operator kind '${operator}'.`,
    )
  }
  const wanted = isNull ? null : literal.value
  return (folder) => {
    const found = value(folder) ?? null
    if (found === null || wanted === null) {
      return operator === 'eq' ? found === wanted : operator === 'ne' && found !== wanted
    }
    return holds(operator, compareScalars(found, wanted))
  }
}

function holds(operator: Comparison['operator'], order: number): boolean {
  switch (operator) {
    case 'eq':
      return order === 0
    case 'ne':
      return order !== 0
    case 'gt':
      return order > 0
    case 'ge':
      return order >= 0
    case 'lt':
      return order < 0
    case 'le':
      return order <= 0
  }
}

function textTest(name: string, args: readonly FilterNode[], reader: Reader): FolderTest {
  const [of, text] = args
  if (name !== 'contains' && name !== 'startswith' && name !== 'endswith') {
    throw invalidNodes(`Of functions, folders take contains, startswith and endswith, not ${quotable(name)}.`)
  }
  if (args.length !== 2 || of === undefined || text?.kind !== 'literal' || text.type !== 'string') {
    throw invalidNodes(`${name} takes a property and a string.`)
  }
  const { type, value } = propertyAt(of, reader)
  if (type !== 'string') throw invalidNodes(`${name} takes a property that is text.`)
  const wanted = text.value.toLowerCase()
  return (folder) => {
    const found = String(value(folder) ?? '').toLowerCase()
    if (name === 'contains') return found.includes(wanted)
    return name === 'startswith' ? found.startsWith(wanted) : found.endsWith(wanted)
  }
}

interface Value {
  readonly type: 'string' | 'number' | 'boolean'
  readonly value: (folder: MailFolder) => unknown
}

const edmTypes = { string: 'Edm.String', number: 'Edm.Int32', boolean: 'Edm.Boolean' } as const
/** By the names of the resource; all others are text. */
const typesByName: Readonly<Record<string, Value['type'] | 'list'>> = {
  childFolderCount: 'number',
  unreadItemCount: 'number',
  totalItemCount: 'number',
  sizeInBytes: 'number',
  isHidden: 'boolean',
  isSupported: 'boolean',
  includeNestedFolders: 'boolean',
  sourceFolderIds: 'list',
}

function propertyAt(node: FilterNode, { surroundings, version }: Reader): Value {
  if (node.kind !== 'path') throw invalidNodes('What is compared is a property.')
  const written = node.segments.join('/')
  if (written.toLowerCase() === 'id') {
    return { type: 'string', value: ({ id }) => presentFolderId(surroundings.mailbox, id) }
  }
  const [name, { present }] = folderProperty(written, version)
  const type = typesByName[name] ?? 'string'
  if (type === 'list') throw invalidNodes('Folders cannot be filtered by lists.')
  return { type, value: (folder) => present(folder, surroundings) }
}

/** `singleValueExtendedProperties/any(ep: ep/id eq 'String 0x3613' and ep/value eq 'IPF.Note')` */
function extendedPropertyTest(node: FilterNode & { kind: 'any' | 'all' }): FolderTest {
  const { collection, variable, condition } = node
  if (collection.segments.join('/').toLowerCase() !== 'singlevalueextendedproperties') {
    throw invalidNodes('Of lists, folders can be filtered by singleValueExtendedProperties.')
  }
  const tests = condition === undefined ? [] : condition.kind === 'and' ? condition.operands : [condition]
  const wanted: Record<string, string> = {}
  for (const test of tests) {
    if (test.kind !== 'compare' || test.operator !== 'eq' || test.left.kind !== 'path') throw invalidLambda()
    const [of, part = ''] = test.left.segments.map((segment) => segment.toLowerCase())
    if (test.right.kind !== 'literal' || test.right.type !== 'string' || of !== variable.toLowerCase()) {
      throw invalidLambda()
    }
    if (part !== 'id' && part !== 'value') throw invalidLambda()
    wanted[part] = test.right.value
  }
  const id = wanted.id === undefined ? undefined : extendedPropertyId(wanted.id)
  if (wanted.id !== undefined && id === undefined) throw invalidLambda()
  return ({ singleValueExtendedProperties = [] }) =>
    singleValueExtendedProperties.some(
      (property) =>
        (id === undefined || extendedPropertyId(property.id) === id) &&
        (wanted.value === undefined || property.value.toLowerCase() === wanted.value.toLowerCase()),
    )
}

function invalidLambda(): GraphError {
  return invalidNodes("Extended properties are asked for as in any(ep: ep/id eq '...' and ep/value eq '...').")
}

function invalidNodes(reason: string): GraphError {
  return new GraphError(400, 'ErrorInvalidUrlQueryFilter', 'The query filter contains one or more invalid nodes.', {
    reason,
  })
}
