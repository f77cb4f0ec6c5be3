/**
 * Conditions on messages in SQL, the same rows on both databases. Negation is pushed inwards first: a `not` over OData's
 * comparisons, which are never unknown, and one over its functions, which are for missing text, mean different things,
 * and so no `not` is left that would have to tell them apart. Every value from outside is a parameter; only booleans are
 * written out, 0 and 1, so that partial indexes are found.
 */

import type {
  AnyElement,
  ComparedValue,
  ComparisonOperator,
  ElementCondition,
  ElementField,
  FieldTest,
  MessageCondition,
  MessageField,
} from '../mail/query.js'
import type { DatabaseDialect } from './dialect.js'
import { type RawBuilder, type SqlBool, sql } from './kysely.js'

type Sql = RawBuilder<unknown>
type SqlCondition = RawBuilder<SqlBool>

/** A field as SQL. `text`: compared without case; `exact`: text or number as it is. */
interface FieldSql {
  readonly sql: Sql
  readonly type: 'text' | 'exact' | 'boolean'
  readonly nullable?: true
}

/** Where the elements of a list are: JSON that holds it, or the rows of one element's values. */
interface Place {
  readonly json: Sql
  readonly depth: number
}

/** The condition in the `where` of a query on messages. */
export function sqlOfCondition(condition: MessageCondition, dialect: DatabaseDialect): SqlCondition {
  const compiler = new ConditionCompiler(dialect)
  return compiler.message(condition)
}

class ConditionCompiler {
  readonly #dialect: DatabaseDialect
  readonly #content: Sql

  constructor(dialect: DatabaseDialect) {
    this.#dialect = dialect
    this.#content = dialect.json(sql.ref('messages.content'))
  }

  message(condition: MessageCondition): SqlCondition {
    const place: Place = { json: this.#content, depth: 0 }
    return this.#compile<MessageField>(condition, false, (field) => this.#messageField(field), place)
  }

  #compile<Field>(
    condition: MessageCondition | ElementCondition,
    negated: boolean,
    fieldOf: (field: Field) => FieldSql,
    place: Place,
  ): SqlCondition {
    const inner = (of: MessageCondition | ElementCondition, isNegated: boolean) =>
      this.#compile(of, isNegated, fieldOf, place)
    switch (condition.kind) {
      case 'every':
      case 'some': {
        const all = (condition.kind === 'every') !== negated
        const parts = condition.of.map((of) => inner(of, negated))
        if (parts.length === 0) return all ? sql`1 = 1` : sql`1 = 0`
        return sql`(${sql.join(parts, all ? sql` and ` : sql` or `)})`
      }
      case 'not':
        return inner(condition.of, !negated)
      case 'is': {
        const known = inner(condition.of, !condition.value)
        return negated ? sql`(${known}) is not true` : known
      }
      case 'any': {
        const any = this.#any(condition, place)
        return negated ? sql`not ${any}` : any
      }
      default:
        return testSql(condition as FieldTest<Field>, negated, fieldOf)
    }
  }

  #messageField(field: MessageField): FieldSql {
    const column = (name: string) => sql.ref(`messages.${name}`)
    const json = (...path: string[]) => this.#dialect.jsonText(this.#content, path)
    /** Read only where the text of the content has the name at all, which it mostly has not; parsing it costs far more. */
    const rare = (otherwise: string, ...path: string[]) =>
      sql`coalesce(case when ${this.#mentions(path[0] ?? '')} then ${json(...path)} end, ${sql.lit(otherwise)})`
    switch (field) {
      case 'createdAt':
        return { sql: column('created_at'), type: 'exact' }
      case 'modifiedAt':
        return { sql: column('modified_at'), type: 'exact' }
      case 'receivedAt':
        return { sql: column('received_at'), type: 'exact' }
      case 'sentAt':
        return { sql: column('sent_at'), type: 'exact' }
      case 'hasAttachments':
        return { sql: column('has_attachments'), type: 'boolean' }
      case 'isRead':
        return { sql: column('is_read'), type: 'boolean' }
      case 'isDraft':
        return { sql: column('is_draft'), type: 'boolean' }
      case 'isDeliveryReceiptRequested':
        return { sql: this.#receipt(field, sql`null`), type: 'boolean', nullable: true }
      case 'isReadReceiptRequested':
        return { sql: this.#receipt(field, sql`0`), type: 'boolean' }
      case 'importance':
        return { sql: column('importance'), type: 'exact' }
      case 'folder':
        return { sql: column('folder_id'), type: 'exact' }
      case 'id':
        return { sql: column('id'), type: 'exact' }
      case 'movesInId':
        return { sql: sql`(${column('moves')} % 256)`, type: 'exact' }
      case 'conversation':
        return { sql: column('conversation_id'), type: 'exact' }
      case 'inferenceClassification':
        return { sql: rare('focused', 'inferenceClassification'), type: 'exact' }
      case 'flagStatus':
        return { sql: rare('notFlagged', 'flag', 'flagStatus'), type: 'exact' }
      case 'bodyType':
        return { sql: json('bodyType'), type: 'exact' }
      case 'flagStartAt':
        return { sql: this.#folded(json('flag', 'startDateTime', 'dateTime')), type: 'text', nullable: true }
      case 'flagDueAt':
        return { sql: this.#folded(json('flag', 'dueDateTime', 'dateTime')), type: 'text', nullable: true }
      case 'flagCompletedAt':
        return { sql: this.#folded(json('flag', 'completedDateTime', 'dateTime')), type: 'text', nullable: true }
      case 'subject':
        return { sql: this.#folded(column('subject')), type: 'text', nullable: true }
      case 'fromAddress':
        return { sql: this.#folded(column('from_address')), type: 'text', nullable: true }
      case 'fromName':
        // Who has no name is shown by the address.
        return {
          sql: this.#folded(sql`coalesce(${column('from_name')}, ${column('from_address')})`),
          type: 'text',
          nullable: true,
        }
      case 'senderAddress':
        return { sql: this.#folded(json('sender', 'address')), type: 'text', nullable: true }
      case 'senderName':
        return {
          sql: this.#folded(sql`coalesce(${json('sender', 'name')}, ${json('sender', 'address')})`),
          type: 'text',
          nullable: true,
        }
      case 'internetMessageId':
        return { sql: this.#folded(column('internet_message_id')), type: 'text' }
      case 'bodyContent':
        return { sql: this.#folded(column('body')), type: 'text' }
    }
  }

  #folded(text: Sql): Sql {
    return this.#dialect.folded(text)
  }

  /** Whether the text of the content has a member of this name somewhere; a quote inside its texts would be escaped. */
  #mentions(name: string): SqlCondition {
    return sql`messages.content like ${sql.lit(`%"${name}":%`)}`
  }

  /** Absent is false, the usual; an explicit null is what `unsaid` says. */
  #receipt(name: string, unsaid: Sql): Sql {
    const value = this.#dialect.jsonValue(this.#content, [name])
    return sql`case when ${this.#mentions(name)} then
      case ${value} when 'true' then 1 when 'null' then ${unsaid} else 0 end else 0 end`
  }

  #any({ collection, where }: AnyElement, place: Place): SqlCondition {
    const alias = `e${place.depth}`
    const value = sql.ref(`${alias}.value`)
    const exists = (rows: Sql, fieldOf: (field: ElementField) => FieldSql, json: Sql) => {
      const inside: Place = { json, depth: place.depth + 1 }
      const condition = where === undefined ? sql`1 = 1` : this.#compile<ElementField>(where, false, fieldOf, inside)
      return sql<SqlBool>`exists (select 1 from ${rows} as ${sql.ref(alias)} where ${condition})`
    }
    const elements = (...path: string[]) => this.#dialect.jsonElements(place.json, path)
    const scalar = (): FieldSql => ({ sql: this.#folded(this.#dialect.jsonText(value, [])), type: 'text' })
    switch (collection) {
      case 'values':
        return exists(elements('value'), scalar, value)
      case 'categories':
        return sql`(${this.#mentions(collection)} and ${exists(elements(collection), scalar, value)})`
      case 'mentions': {
        const address = this.#dialect.jsonText(value, ['mentioned', 'address'])
        const found = exists(elements(collection), () => ({ sql: this.#folded(address), type: 'text' }), value)
        return sql`(${this.#mentions(collection)} and ${found})`
      }
      case 'multiValueExtendedProperties': {
        const id = this.#dialect.jsonText(value, ['id'])
        return sql`(${this.#mentions(collection)} and ${exists(elements(collection), () => ({ sql: id, type: 'exact' }), value)})`
      }
      case 'singleValueExtendedProperties': {
        const derived = derivedIn(where)
        const rows = this.#properties(elements(collection), derived)
        const found = exists(rows, (field) => this.#propertyField(alias, field), value)
        return derived.length > 0 ? found : sql`(${this.#mentions(collection)} and ${found})`
      }
    }
  }

  #propertyField(alias: string, field: ElementField): FieldSql {
    const value = sql.ref(`${alias}.value`)
    if (field === 'id') return { sql: sql.ref(`${alias}.id`), type: 'exact' }
    if (field === 'number') return { sql: this.#dialect.numberIn(value), type: 'exact', nullable: true }
    return { sql: this.#folded(value), type: 'text' }
  }

  /** Id and value of what was set, and of what every message has unasked, unless it was set. */
  #properties(elements: Sql, derived: readonly DerivedProperty[]): Sql {
    const element = sql.ref('p.value')
    const id = this.#dialect.jsonText(element, ['id'])
    const value = this.#dialect.jsonText(element, ['value'])
    const rows = [
      sql`select ${id} as id, ${value} as value from ${elements} as p`,
      ...derived.map(
        (property) =>
          sql`select ${sql.lit(property.id)}, ${property.value}
              where messages.content not like ${sql.lit(`%"id":"${property.id}"%`)}`,
      ),
    ]
    return sql`(${sql.join(rows, sql` union all `)})`
  }
}

/** A property that a message has without anyone setting it; `graph/resources/extended-property.ts` shows the same. */
interface DerivedProperty {
  readonly id: string
  readonly value: Sql
}

const size = sql`cast(messages.size_bytes as text)`
const flags = sql`cast(messages.is_read + 8 * messages.is_draft + 16 * messages.has_attachments as text)`

const derivedProperties: readonly DerivedProperty[] = [
  { id: 'Long 0xe08', value: size },
  { id: 'Integer 0xe08', value: size },
  { id: 'Long 0xe07', value: flags },
  { id: 'Integer 0xe07', value: flags },
  { id: 'Integer 0x1081', value: sql`cast(messages.last_verb as text)` },
  {
    id: 'Integer 0x1080',
    value: sql`case messages.last_verb when 104 then '262' when 103 then '261' when 102 then '261' end`,
  },
  { id: 'String 0x1a', value: sql`'IPM.Note'` },
]

/** Those that a condition names. */
function derivedIn(where: ElementCondition | undefined): DerivedProperty[] {
  const named = new Set<ComparedValue>()
  const collect = (condition: ElementCondition): void => {
    if (condition.kind === 'every' || condition.kind === 'some') condition.of.forEach(collect)
    else if (condition.kind === 'not' || condition.kind === 'is') collect(condition.of)
    else if (condition.kind === 'compare') named.add(condition.value)
    else if (condition.kind === 'oneOf') for (const value of condition.values) named.add(value)
  }
  if (where !== undefined) collect(where)
  return derivedProperties.filter(({ id }) => named.has(id))
}

function testSql<Field>(test: FieldTest<Field>, negated: boolean, fieldOf: (field: Field) => FieldSql): SqlCondition {
  const field = fieldOf(test.field)
  switch (test.kind) {
    case 'compare': {
      const operator = negated ? opposites[test.operator] : test.operator
      if (test.value === null) return nullTest(field, test.operator, negated)
      // A comparison with something missing is false, so what is not so is true of it.
      const orMissing = (negated && test.operator !== 'ne') || (!negated && test.operator === 'ne')
      return comparison(field, operator, test.value, orMissing)
    }
    case 'oneOf':
      return membership(field, test.values, negated)
    case 'match': {
      const text = foldedText(test.text)
      const pattern = `${test.operator === 'startswith' ? '' : '%'}${likePattern(text)}${test.operator === 'endswith' ? '' : '%'}`
      return sql`${foldedFor([text], field.sql)} ${negated ? sql`not like` : sql`like`} ${pattern} escape '!'`
    }
  }
}

const opposites: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  eq: 'ne',
  ne: 'eq',
  gt: 'le',
  ge: 'lt',
  lt: 'ge',
  le: 'gt',
}

const operators: Readonly<Record<ComparisonOperator, RawBuilder<unknown>>> = {
  eq: sql`=`,
  ne: sql`<>`,
  gt: sql`>`,
  ge: sql`>=`,
  lt: sql`<`,
  le: sql`<=`,
}

/** Only `eq` and `ne` mean something with null; the rest is false. */
function nullTest(field: FieldSql, operator: ComparisonOperator, negated: boolean): SqlCondition {
  if (operator !== 'eq' && operator !== 'ne') return negated ? sql`1 = 1` : sql`1 = 0`
  const isNull = (operator === 'eq') !== negated
  if (!field.nullable) return isNull ? sql`1 = 0` : sql`1 = 1`
  return isNull ? sql`${field.sql} is null` : sql`${field.sql} is not null`
}

function comparison(
  field: FieldSql,
  operator: ComparisonOperator,
  value: Exclude<ComparedValue, null>,
  orMissing: boolean,
): SqlCondition {
  const compared = comparedSql(field, operator, value)
  return orMissing && field.nullable ? sql`(${compared} or ${field.sql} is null)` : compared
}

function comparedSql(field: FieldSql, operator: ComparisonOperator, value: Exclude<ComparedValue, null>): SqlCondition {
  if (typeof value === 'boolean') {
    // There are two values, so that "not this" is "the other", which an index can find.
    const wanted = value === (operator === 'eq')
    return wanted ? sql`${field.sql} = 1` : sql`${field.sql} = 0`
  }
  if (field.type !== 'text' || typeof value !== 'string') return sql`${field.sql} ${operators[operator]} ${value}`
  const text = foldedText(value)
  return sql`${foldedFor([text], field.sql)} ${operators[operator]} ${text}`
}

function membership(field: FieldSql, values: readonly ComparedValue[], negated: boolean): SqlCondition {
  const known = values.filter((value) => value !== null)
  const withNull = known.length < values.length && field.nullable === true
  const texts = field.type === 'text' ? known.map((value) => foldedText(String(value))) : []
  const list =
    field.type === 'text' ? texts : known.map((value) => (typeof value === 'boolean' ? Number(value) : value))
  const missing = withNull ? sql`${field.sql} is null` : sql`1 = 0`
  const found = list.length === 0 ? missing : sql`(${foldedFor(texts, field.sql)} in (${sql.join(list)}) or ${missing})`
  // `in` of something missing is false, which a bare `not` would leave unknown.
  if (negated) return sql`(${found}) is not true`
  return withNull || list.length === 0
    ? sql<SqlBool>`${found}`
    : sql`${foldedFor(texts, field.sql)} in (${sql.join(list)})`
}

/** `_`, `%` and the escape itself, as they are. */
function likePattern(text: string): string {
  return text.replace(/[!%_]/g, '!$&')
}

/** Each character in lower case, where that is one character, and one of ASCII only for those of ASCII. */
function foldedText(text: string): string {
  return Array.from(text, lowered).join('')
}

function lowered(character: string): string {
  const lower = character.toLowerCase()
  if (character <= '\x7f') return lower
  return Array.from(lower).length === 1 && lower > '\x7f' ? lower : character
}

/**
 * The field with the letters in lower case that the texts have. What a field was folded to covers ASCII, all that the two
 * databases agree on; of other letters only those of the texts can make a difference.
 */
function foldedFor(texts: readonly string[], field: Sql): Sql {
  let folded = field
  for (const lower of new Set(texts.flatMap((text) => Array.from(text)))) {
    if (lower <= '\x7f') continue
    const upper = lower.toUpperCase()
    if (upper !== lower && lowered(upper) === lower) folded = sql`replace(${folded}, ${upper}, ${lower})`
  }
  return folded
}
