/**
 * `$filter` on messages: the syntax tree and the property table together give the condition the domain knows. What the
 * grammar takes and mail does not is refused as the service refuses it, `ErrorInvalidUrlQueryFilter`.
 */
import type { Cloud } from '../identity/clouds.js'
import { wellKnownFolderId } from '../mail/mail-folder.js'
import type { Mailbox } from '../mail/mailbox.js'
import type {
  ComparedValue,
  ComparisonOperator,
  ElementCondition,
  ElementField,
  FieldTest,
  MessageCollection,
  MessageCondition,
  MessageField,
} from '../mail/query.js'
import { type FilterNode, type Literal, type Path, parseFilter } from '../odata/filter.js'
import { ODataError } from '../odata/odata-error.js'
import type { OrderByItem } from '../odata/query.js'
import { badRequest, GraphError } from './errors.js'
import { type ItemId, readConversationId, readItemId } from './item-id.js'
import type { ApiVersion } from './path.js'
import { extendedPropertyId } from './resources/extended-property.js'
import type { Filterable, FilterableEnum } from './resources/filterable.js'
import { filterablePath } from './resources/message.js'
import { presentMoment, quotable } from './resources/values.js'

/** What a filter is read for. */
export interface FilterReading {
  readonly mailbox: Mailbox
  readonly version: ApiVersion
  readonly cloud: Cloud | undefined
  /** False: the caller holds Mail.ReadBasic alone. */
  readonly readsBodies: boolean
}

/**
 * The condition that `$filter` states, once `$orderby` was found to go with it.
 *
 * @throws GraphError BadRequest for what does not parse or compares what cannot be compared, RequestBroker--ParseUri for
 * an unknown property, ErrorInvalidUrlQueryFilter for what mail cannot be filtered by, ErrorInvalidIdMalformed,
 * ErrorAccessDenied for what Mail.ReadBasic hides, InefficientFilter
 */
export function readFilter(text: string, orderBy: readonly OrderByItem[], reading: FilterReading): MessageCondition {
  const reader = new FilterReader(reading)
  const condition = reader.condition(parsedFilter(text)) as MessageCondition
  refuseInefficient(orderBy, reader.paths)
  return condition
}

/** @throws GraphError BadRequest for what does not parse */
export function parsedFilter(text: string): FilterNode {
  try {
    return parseFilter(text)
  } catch (error) {
    if (error instanceof ODataError) throw badRequest(error.message, `The query option ${error.option} is not valid.`)
    throw error
  }
}

/** Filters on these leave the order free, as recorded: the service keeps folders and unread mail apart. */
const freeOfOrder: ReadonlySet<string> = new Set(['isread', 'parentfolderid'])

/**
 * The documented rule: what is ordered by stands in the filter too, in the same order, and before all else.
 *
 * @param paths the properties of the filter in lower case, in the order of their first appearance
 */
function refuseInefficient(orderBy: readonly OrderByItem[], paths: ReadonlySet<string>): void {
  const ordered = [...new Set(orderBy.map(({ path }) => path.toLowerCase()))]
  const leads = (filtered: readonly string[]) => ordered.every((path, index) => filtered[index] === path)
  const restricting = [...paths].filter((path) => !freeOfOrder.has(path))
  if (restricting.length === 0 || leads([...paths]) || leads(restricting)) return
  throw new GraphError(400, 'InefficientFilter', 'The restriction or sort order is too complex for this operation.', {
    reason:
      'Properties of $orderby must stand in $filter too, in the same order and before any other; receivedDateTime ge 1900-01-01 and ... will do.',
  })
}

type Conditions = MessageCondition | ElementCondition

/** Something that is compared with literals, and what comes of it; each refuses the literals that it cannot be compared with. */
interface Comparable {
  readonly compare: (operator: ComparisonOperator, literal: Literal) => Conditions
  /** Absent: no text. */
  readonly match?: (operator: TextFunction, text: string) => Conditions
}

/** An element that a lambda's variable stands for: its parts by their path, and its own lists. */
interface Scope {
  /** In lower case. */
  readonly variable: string
  readonly parts: Readonly<Record<string, ElementPart>>
}

interface ElementPart {
  readonly comparable?: Comparable
  readonly collection?: 'values'
}

type TextFunction = 'contains' | 'startswith' | 'endswith'

function isTextFunction(name: string): name is TextFunction {
  return name === 'contains' || name === 'startswith' || name === 'endswith'
}

const always: MessageCondition = { kind: 'every', of: [] }
const never: MessageCondition = { kind: 'some', of: [] }

class FilterReader {
  readonly #reading: FilterReading
  /** Properties of the message that the filter names, lower case, in the order of their first appearance. */
  readonly paths = new Set<string>()

  constructor(reading: FilterReading) {
    this.#reading = reading
  }

  condition(node: FilterNode, scope?: Scope): Conditions {
    switch (node.kind) {
      case 'and':
      case 'or': {
        const of = node.operands.map((operand) => this.condition(operand, scope)) as MessageCondition[]
        return { kind: node.kind === 'and' ? 'every' : 'some', of }
      }
      case 'not':
        return negation(this.condition(node.operand, scope))
      case 'compare':
        return this.#comparison(node, scope)
      case 'in': {
        const comparable = this.#comparable(node.operand, scope)
        return { kind: 'some', of: node.values.map((value) => comparable.compare('eq', value)) as MessageCondition[] }
      }
      case 'call':
        return this.#textTest(node.name, node.args, scope)
      case 'any':
        return this.#any(node, scope)
      case 'path':
        return this.#comparable(node, scope).compare('eq', {
          kind: 'literal',
          type: 'boolean',
          value: true,
          position: node.position,
        })
      case 'literal':
        if (node.type === 'boolean') return node.value ? always : never
        throw badRequest('The $filter expression must evaluate to a single boolean value.')
      default:
        throw invalidNodes(`${node.kind} is not for mail.`)
    }
  }

  #comparison({ left, right, operator }: FilterNode & { kind: 'compare' }, scope: Scope | undefined): Conditions {
    if (left.kind === 'literal' && right.kind !== 'literal') {
      return this.#comparison(
        { kind: 'compare', left: right, right: left, operator: mirrored[operator], position: 0 },
        scope,
      )
    }
    if (right.kind !== 'literal') throw invalidNodes('A property is compared with a value, not with another property.')
    if (!isCondition(left)) return this.#comparable(left, scope).compare(operator, right)
    // `contains(subject,'x') eq true`
    if (right.type !== 'boolean' || (operator !== 'eq' && operator !== 'ne')) {
      throw incompatible('Edm.Boolean', right, operator)
    }
    const is = { kind: 'is', of: this.condition(left, scope) as MessageCondition, value: right.value } as const
    return operator === 'eq' ? is : negation(is)
  }

  #textTest(name: string, args: readonly FilterNode[], scope: Scope | undefined): Conditions {
    if (!isTextFunction(name)) {
      throw invalidNodes(`Of functions, mail takes contains, startswith and endswith, not ${name}.`)
    }
    const [of, text] = args
    if (args.length !== 2 || of === undefined || text?.kind !== 'literal' || text.type !== 'string') {
      throw invalidNodes(`${name} takes a property and a string.`)
    }
    const { match } = this.#comparable(of, scope)
    if (match === undefined) throw invalidNodes(`${name} takes a property that is text.`)
    return match(name, text.value)
  }

  #comparable(node: FilterNode, scope: Scope | undefined): Comparable {
    if (node.kind === 'call' && node.name === 'cast') return this.#cast(node.args, scope)
    if (node.kind !== 'path') throw invalidNodes('What is compared is a property.')
    if (scope !== undefined) {
      const { comparable } = partOf(scope, node)
      if (comparable === undefined) throw invalidNodes('Inside any, its variable is compared.')
      return comparable
    }
    const filterBy = this.#filterable(node)
    const comparable = comparableOf(filterBy, this.#reading.mailbox)
    if (comparable === undefined) throw invalidNodes('A list is asked with any.')
    return comparable
  }

  /** `cast(ep/value, Edm.Int32)`; documented of the values of extended properties. */
  #cast([of, type, ...more]: readonly FilterNode[], scope: Scope | undefined): Comparable {
    const typeName =
      type?.kind === 'path'
        ? type.segments.join('/')
        : type?.kind === 'literal' && type.type === 'string'
          ? type.value
          : ''
    if (of?.kind !== 'path' || scope === undefined || more.length > 0)
      throw invalidNodes('cast takes ep/value and a type.')
    if (partOf(scope, of).comparable !== propertyValue)
      throw invalidNodes('Only the value of an extended property is cast.')
    const comparable = castValues.get(typeName.toLowerCase())
    if (comparable === undefined) throw invalidNodes(`Nothing is cast to ${quotable(typeName)}.`)
    return comparable
  }

  #any(
    { collection, variable, condition }: FilterNode & { kind: 'any' | 'all' },
    scope: Scope | undefined,
  ): Conditions {
    const name = this.#collection(collection, scope)
    if (condition === undefined) return { kind: 'any', collection: name }
    const inside: Scope = { variable: variable.toLowerCase(), parts: elementParts[name] }
    return { kind: 'any', collection: name, where: this.condition(condition, inside) as ElementCondition }
  }

  #collection(path: Path, scope: Scope | undefined): keyof typeof elementParts {
    if (scope !== undefined) {
      const { collection } = partOf(scope, path)
      if (collection === undefined) throw invalidNodes('Inside any, only the values of a property are a list.')
      return collection
    }
    const { type } = this.#filterable(path)
    if (type === 'categories' || type === 'singleValueExtendedProperties' || type === 'multiValueExtendedProperties') {
      return type
    }
    throw invalidNodes(
      'Of lists, categories and extended properties can be filtered by; recipients are found by $search.',
    )
  }

  #filterable({ segments }: Path): Filterable {
    const { version, cloud, readsBodies } = this.#reading
    const { filterBy, needs } = filterablePath(segments, version, cloud)
    if (filterBy === undefined) throw invalidNodes(`Messages cannot be filtered by ${quotable(segments.join('/'))}.`)
    if (needs !== undefined && !readsBodies) {
      throw new GraphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.', {
        reason: `A filter on ${segments.join('/')} tells what ${needs} lets one read.`,
      })
    }
    this.paths.add(segments.join('/').toLowerCase())
    return filterBy
  }
}

function isCondition(node: FilterNode): boolean {
  if (node.kind === 'call') return isTextFunction(node.name)
  return node.kind !== 'path' && node.kind !== 'literal' && node.kind !== 'arithmetic'
}

function negation(of: Conditions): Conditions {
  return { kind: 'not', of } as Conditions
}

const mirrored: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  eq: 'eq',
  ne: 'ne',
  gt: 'lt',
  ge: 'le',
  lt: 'gt',
  le: 'ge',
}

/** What the path stands for, which begins with the variable. */
function partOf({ variable, parts }: Scope, { segments }: Path): ElementPart {
  const [first = '', ...rest] = segments.map((segment) => segment.toLowerCase())
  const below = rest.join('/')
  if (first !== variable || !Object.hasOwn(parts, below)) {
    throw invalidNodes(`${quotable(segments.join('/'))} is no part of what any asks about.`)
  }
  return parts[below] ?? {}
}

function invalidNodes(reason: string): GraphError {
  return new GraphError(400, 'ErrorInvalidUrlQueryFilter', 'The query filter contains one or more invalid nodes.', {
    reason,
  })
}

const operatorKinds: Readonly<Record<ComparisonOperator, string>> = {
  eq: 'Equal',
  ne: 'NotEqual',
  gt: 'GreaterThan',
  ge: 'GreaterThanOrEqual',
  lt: 'LessThan',
  le: 'LessThanOrEqual',
}

function typeOf(literal: Literal): string {
  switch (literal.type) {
    case 'string':
      return 'Edm.String'
    case 'guid':
      return 'Edm.Guid'
    case 'enum':
      return quotable(literal.typeName)
    case 'number':
      return literal.isInteger ? 'Edm.Int32' : 'Edm.Double'
    case 'moment':
      return literal.isDate ? 'Edm.Date' : 'Edm.DateTimeOffset'
    case 'boolean':
      return 'Edm.Boolean'
    case 'null':
      return '<null>'
  }
}

function incompatible(type: string, literal: Literal, operator: ComparisonOperator): GraphError {
  return badRequest(
    `A binary operator with incompatible types was detected. Found operand types '${type}' and '${typeOf(literal)}' for operator kind '${operatorKinds[operator]}'.`,
  )
}

/** Compares a field with what `read` makes of a literal; undefined: not of this type. */
function comparing<Field extends MessageField | ElementField>(
  field: Field,
  type: string,
  read: (literal: Literal) => ComparedValue | undefined,
): Comparable['compare'] {
  return (operator, literal) => {
    const value = literal.type === 'null' ? null : read(literal)
    if (value === undefined) throw incompatible(type, literal, operator)
    return { kind: 'compare', field, operator, value } as FieldTest<Field> as Conditions
  }
}

/** Only `eq` and `ne` mean something: the condition that it is this one. */
function identifying(type: string, is: (text: string) => MessageCondition): Comparable {
  return {
    compare: (operator, literal) => {
      if (operator !== 'eq' && operator !== 'ne')
        throw invalidNodes(`Ids have no order; ${operator} means nothing of them.`)
      if (literal.type !== 'string' && literal.type !== 'null') throw incompatible(type, literal, operator)
      const condition = literal.type === 'null' ? never : is(literal.value)
      return operator === 'eq' ? condition : negation(condition)
    },
  }
}

function textComparable(field: MessageField | ElementField): Comparable {
  return {
    compare: comparing(field, 'Edm.String', (literal) => (literal.type === 'string' ? literal.value : undefined)),
    match: (operator, text) => ({ kind: 'match', field, operator, text }) as Conditions,
  }
}

/** undefined: a list. */
function comparableOf(filterBy: Filterable, mailbox: Mailbox): Comparable | undefined {
  switch (filterBy.type) {
    case 'text':
      return textComparable(filterBy.field)
    case 'boolean':
      return {
        compare: (operator, literal) => {
          if (operator !== 'eq' && operator !== 'ne') throw invalidNodes('Booleans have no order.')
          return comparing(filterBy.field, 'Edm.Boolean', booleanIn)(operator, literal)
        },
      }
    case 'moment':
      return { compare: comparingMoment(filterBy.field) }
    case 'enum':
      return { compare: comparingEnum(filterBy) }
    case 'folder':
      return identifying('Edm.String', (text) => inFolder(text, mailbox))
    case 'message':
      return identifying('Edm.String', (text) => isMessage(text, mailbox))
    case 'conversation':
      return identifying('Edm.String', (text) => {
        const conversation = readConversationId(mailbox, text)
        return conversation === undefined ? never : equal('conversation', conversation)
      })
    case 'mentioned':
      return mentioned(mailbox)
    default:
      return undefined
  }
}

function booleanIn(literal: Literal): boolean | undefined {
  return literal.type === 'boolean' ? literal.value : undefined
}

function equal(field: MessageField, value: ComparedValue): MessageCondition {
  return { kind: 'compare', field, operator: 'eq', value }
}

/** Moments are kept to the millisecond and shown to the second, so that one which is shown equals all of its second. */
function comparingMoment(field: MessageField): Comparable['compare'] {
  const compare = comparing(field, 'Edm.DateTimeOffset', (literal) =>
    literal.type === 'moment' ? literal.value : undefined,
  )
  return (operator, literal) => {
    if (literal.type !== 'moment' || literal.value % 1_000 !== 0 || (operator !== 'eq' && operator !== 'ne')) {
      return compare(operator, literal)
    }
    const within: MessageCondition = {
      kind: 'every',
      of: [
        { kind: 'compare', field, operator: 'ge', value: literal.value },
        { kind: 'compare', field, operator: 'lt', value: literal.value + 1_000 },
      ],
    }
    return operator === 'eq' ? within : negation(within)
  }
}

/** `'high'` and `microsoft.graph.importance'high'`, members in any case. Only importance has an order. */
function comparingEnum({ field, name, members }: FilterableEnum): Comparable['compare'] {
  const compare = comparing(field, name, (literal) => {
    if (literal.type === 'enum' && literal.typeName.toLowerCase() !== name.toLowerCase()) return undefined
    if (literal.type !== 'enum' && literal.type !== 'string') return undefined
    const member = members.get(literal.value.toLowerCase())
    if (member !== undefined) return member
    throw badRequest(`The string '${quotable(literal.value)}' is not a valid enumeration type constant.`)
  })
  return (operator, literal) => {
    if (operator !== 'eq' && operator !== 'ne' && field !== 'importance') throw invalidNodes(`${name} has no order.`)
    return compare(operator, literal)
  }
}

function inFolder(text: string, mailbox: Mailbox): MessageCondition {
  const wellKnown = wellKnownFolderId(text)
  if (wellKnown !== undefined) return equal('folder', wellKnown)
  const id = itemId(text, mailbox)
  if (id.kind !== 'folder') throw malformedId()
  return id.mailboxGuid === mailbox.guid ? equal('folder', id.folder) : never
}

/** A default id names the message where it stood; the id that stays, wherever it is. */
function isMessage(text: string, mailbox: Mailbox): MessageCondition {
  const id = itemId(text, mailbox)
  if (id.kind !== 'message' && id.kind !== 'immutable') throw malformedId()
  if (id.mailboxGuid !== mailbox.guid) return never
  const isIt = equal('id', id.message)
  if (id.kind === 'immutable') return isIt
  return { kind: 'every', of: [isIt, equal('folder', id.folder), equal('movesInId', id.moves)] }
}

function itemId(text: string, mailbox: Mailbox): ItemId {
  const id = readItemId(mailbox, text)
  if (id === undefined) throw malformedId()
  return id
}

function malformedId(): GraphError {
  return new GraphError(400, 'ErrorInvalidIdMalformed', 'Id is malformed.', { reason: 'In $filter.' })
}

/** `mentionsPreview/isMentioned` (beta): null where nobody is mentioned, as it is shown. */
function mentioned({ address, userPrincipalName }: Mailbox): Comparable {
  const anyone: MessageCondition = { kind: 'any', collection: 'mentions' }
  const owner: MessageCondition = {
    kind: 'any',
    collection: 'mentions',
    where: { kind: 'oneOf', field: 'address', values: [address, userPrincipalName] },
  }
  const others: MessageCondition = { kind: 'every', of: [anyone, { kind: 'not', of: owner }] }
  return {
    compare: (operator, literal) => {
      if (operator !== 'eq' && operator !== 'ne') throw invalidNodes('Booleans have no order.')
      if (literal.type !== 'boolean' && literal.type !== 'null') throw incompatible('Edm.Boolean', literal, operator)
      const condition = literal.type === 'null' ? negation(anyone) : literal.value ? owner : others
      return operator === 'eq' ? condition : negation(condition)
    },
  }
}

/** The id of an extended property, however it is spelt. */
const propertyId: Comparable = {
  compare: (operator, literal) => {
    if (operator !== 'eq' && operator !== 'ne') throw invalidNodes('Ids have no order.')
    const id = literal.type === 'string' ? extendedPropertyId(literal.value) : undefined
    if (id === undefined) throw invalidNodes("Extended properties are asked for as in ep/id eq 'String 0x001A'.")
    return { kind: 'compare', field: 'id', operator, value: id }
  },
}

const propertyValue = textComparable('value')
const numericValue: Comparable = {
  compare: comparing('number', 'Edm.Double', (literal) => (literal.type === 'number' ? literal.value : undefined)),
}
const guidValue: Comparable = {
  compare: comparing('value', 'Edm.Guid', (literal) =>
    literal.type === 'guid' || literal.type === 'string' ? literal.value : undefined,
  ),
}
const booleanValue: Comparable = {
  compare: comparing('value', 'Edm.Boolean', (literal) => booleanIn(literal)?.toString()),
}
/** As the values of such properties are written: UTC, to the second. */
const momentValue: Comparable = {
  compare: comparing('value', 'Edm.DateTimeOffset', (literal) =>
    literal.type === 'moment' ? presentMoment(literal.value) : undefined,
  ),
}

/** By the name of the type in lower case. */
const castValues: ReadonlyMap<string, Comparable> = new Map([
  ...['byte', 'decimal', 'double', 'int16', 'int32', 'int64', 'sbyte', 'single'].map(
    (type) => [`edm.${type}`, numericValue] as const,
  ),
  ['edm.boolean', booleanValue],
  ['edm.datetimeoffset', momentValue],
  ['edm.guid', guidValue],
  ['edm.string', propertyValue],
])

/** The parts of each list's elements, by their path below the variable. */
const elementParts = {
  categories: { '': { comparable: propertyValue } },
  singleValueExtendedProperties: { id: { comparable: propertyId }, value: { comparable: propertyValue } },
  multiValueExtendedProperties: { id: { comparable: propertyId }, value: { collection: 'values' } },
  values: { '': { comparable: propertyValue } },
} as const satisfies Partial<Record<MessageCollection, Record<string, ElementPart>>>
