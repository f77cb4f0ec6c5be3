import type { Importance } from '../mail/message.js'
import type { SearchCondition, SearchField } from '../mail/search.js'
import { wordsOf } from '../mail/search-words.js'
import {
  type KqlNode,
  type KqlOperator,
  type KqlRestriction,
  type KqlValue,
  parseSearch,
  unexpectedCharacter,
} from '../odata/kql.js'
import { ODataError } from '../odata/odata-error.js'
import { badRequest } from './errors.js'

/** Words of one search at most: what a phrase costs grows by each, in every message that has them. */
const maxWords = 100

/** What a term without a property looks through. */
const freeFields: readonly SearchField[] = ['from', 'subject', 'body']

const textProperties: Readonly<Record<string, readonly SearchField[]>> = {
  attachment: ['attachments'],
  bcc: ['bcc'],
  body: ['body'],
  cc: ['cc'],
  from: ['from'],
  participants: ['from', 'to', 'cc', 'bcc'],
  recipients: ['to', 'cc', 'bcc'],
  subject: ['subject'],
  to: ['to'],
}

type Read = (restriction: KqlRestriction, now: number) => SearchCondition

const otherProperties: Readonly<Record<string, Read>> = {
  hasattachment: readHasAttachments,
  hasattachments: readHasAttachments,
  importance: readImportance,
  kind: readKind,
  received: (restriction, now) => readMoments('receivedAt', restriction, now),
  sent: (restriction, now) => readMoments('sentAt', restriction, now),
  size: readSize,
}

const properties: ReadonlySet<string> = new Set([...Object.keys(textProperties), ...Object.keys(otherProperties)])

const all: SearchCondition = { kind: 'and', operands: [] }
const none: SearchCondition = { kind: 'or', operands: [] }

/**
 * The condition that the value of `$search` stands for. `now` (ms): what `today` is counted from, in UTC.
 *
 * @throws GraphError BadRequest
 */
export function readSearch(text: string, now: number): SearchCondition {
  try {
    // What has no words at all, such as a dash, asks for nothing.
    const condition = conditionOf(parseSearch(text, properties), now) ?? none
    if (countWords(condition) > maxWords) throw new ODataError('$search', `The search has more than ${maxWords} words.`)
    return condition
  } catch (error) {
    if (error instanceof ODataError) throw badRequest(error.message, 'The query option $search is not valid.')
    throw error
  }
}

function countWords(condition: SearchCondition): number {
  if (condition.kind === 'words') return condition.words.length
  if (condition.kind === 'not') return countWords(condition.operand)
  if (condition.kind !== 'and' && condition.kind !== 'or') return 0
  return condition.operands.reduce((sum, operand) => sum + countWords(operand), 0)
}

/** undefined: without words, and so without a say. */
function conditionOf(node: KqlNode, now: number): SearchCondition | undefined {
  switch (node.kind) {
    case 'and':
    case 'or': {
      const operands = node.operands.flatMap((operand) => conditionOf(operand, now) ?? [])
      return operands.length === 0 ? undefined : { kind: node.kind, operands }
    }
    case 'not': {
      const operand = conditionOf(node.operand, now)
      return operand && { kind: 'not', operand }
    }
    case 'term':
      return wordsIn(freeFields, node)
    case 'restriction':
      return restrictionOf(node, now)
  }
}

function restrictionOf(restriction: KqlRestriction, now: number): SearchCondition | undefined {
  const { property, operator } = restriction
  const fields = textProperties[property]
  if (fields === undefined) return otherProperties[property]?.(restriction, now)
  const words = wordsIn(fields, restriction)
  if (words === undefined) return undefined
  return isOrNot(restriction, words, operator)
}

function wordsIn(fields: readonly SearchField[], { text, isPrefix }: KqlValue): SearchCondition | undefined {
  const words = wordsOf(text)
  return words.length === 0 ? undefined : { kind: 'words', fields, words, isPrefix }
}

/** For properties that have no order: they are so, or not. */
function isOrNot(restriction: KqlRestriction, condition: SearchCondition, operator: KqlOperator): SearchCondition {
  if (operator === ':' || operator === '=') return condition
  if (operator === '<>') return { kind: 'not', operand: condition }
  throw unexpectedCharacter(restriction.source, restriction.operatorAt)
}

function wrongValue({ source, valueAt }: KqlRestriction): ODataError {
  return unexpectedCharacter(source, valueAt)
}

function readHasAttachments(restriction: KqlRestriction): SearchCondition {
  const text = restriction.text.toLowerCase()
  const value = { true: true, yes: true, '1': true, false: false, no: false, '0': false }[text]
  if (value === undefined) throw wrongValue(restriction)
  return isOrNot(restriction, { kind: 'hasAttachments', value }, restriction.operator)
}

const importances: Readonly<Record<string, Importance>> = {
  low: 'low',
  medium: 'normal',
  normal: 'normal',
  high: 'high',
}

function readImportance(restriction: KqlRestriction): SearchCondition {
  const name = restriction.text.toLowerCase()
  const value = Object.hasOwn(importances, name) ? importances[name] : undefined
  if (value === undefined) throw wrongValue(restriction)
  return isOrNot(restriction, { kind: 'importance', value }, restriction.operator)
}

/** All that a mailbox of ours holds is mail. */
function readKind(restriction: KqlRestriction): SearchCondition {
  return isOrNot(restriction, restriction.text.toLowerCase() === 'email' ? all : none, restriction.operator)
}

/** What a value covers: a day, a second, a number of bytes. `from` inclusive, `until` exclusive. */
interface Span {
  readonly from: number
  readonly until: number
}

function readMoments(kind: 'sentAt' | 'receivedAt', restriction: KqlRestriction, now: number): SearchCondition {
  return compared(kind, restriction, (text) => daysNamed(text, now) ?? momentOf(text))
}

function readSize(restriction: KqlRestriction): SearchCondition {
  return compared('sizeBytes', restriction, (text) => {
    if (!/^\d{1,15}$/.test(text)) return undefined
    return { from: Number(text), until: Number(text) + 1 }
  })
}

/** A comparison with a value, or `a..b` with both ends in it; an end may be left out. */
function compared(
  kind: 'sentAt' | 'receivedAt' | 'sizeBytes',
  restriction: KqlRestriction,
  read: (text: string) => Span | undefined,
): SearchCondition {
  const { operator, text } = restriction
  const require = (value: string): Span => {
    const span = read(value.trim())
    if (span === undefined) throw wrongValue(restriction)
    return span
  }
  const dots = text.indexOf('..')
  if (dots !== -1) {
    const [first, last] = [text.slice(0, dots), text.slice(dots + 2)]
    if (first === '' && last === '') throw wrongValue(restriction)
    const range = {
      kind,
      from: first === '' ? undefined : require(first).from,
      until: last === '' ? undefined : require(last).until,
    }
    return isOrNot(restriction, range, operator)
  }
  const { from, until } = require(text)
  if (operator === '<') return { kind, until: from }
  if (operator === '<=') return { kind, until }
  if (operator === '>') return { kind, from: until }
  if (operator === '>=') return { kind, from }
  return isOrNot(restriction, { kind, from, until }, operator)
}

const dayMs = 86_400_000

/** Days by name, the week from Sunday, as the service's own language counts. */
function daysNamed(text: string, now: number): Span | undefined {
  const date = new Date(now)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  const sunday = day - date.getUTCDay()
  const days = (from: [number, number, number], until: [number, number, number]): Span => ({
    from: Date.UTC(...from),
    until: Date.UTC(...until),
  })
  switch (text.toLowerCase()) {
    case 'today':
      return days([year, month, day], [year, month, day + 1])
    case 'yesterday':
      return days([year, month, day - 1], [year, month, day])
    case 'this week':
      return days([year, month, sunday], [year, month, sunday + 7])
    case 'last week':
      return days([year, month, sunday - 7], [year, month, sunday])
    case 'this month':
      return days([year, month, 1], [year, month + 1, 1])
    case 'last month':
      return days([year, month - 1, 1], [year, month, 1])
    case 'this year':
      return days([year, 0, 1], [year + 1, 0, 1])
    case 'last year':
      return days([year - 1, 0, 1], [year, 0, 1])
    default:
      return undefined
  }
}

const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/
const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/
const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?<seconds>:\d{2}(?:\.\d+)?)?(?<zone>Z|[+-]\d{2}:\d{2})?$/i

/** A day as the documentation writes it, month first, or as ISO 8601 does; with a time, the second or minute it names. */
function momentOf(text: string): Span | undefined {
  const [, month, day, year] = american.exec(text) ?? []
  if (year !== undefined) return dayOf(Number(year), Number(month), Number(day))
  const [, isoYear, isoMonth, isoDay] = iso.exec(text) ?? []
  if (isoYear !== undefined) return dayOf(Number(isoYear), Number(isoMonth), Number(isoDay))
  const { groups } = isoTime.exec(text) ?? {}
  if (groups === undefined) return undefined
  const from = Date.parse(groups.zone === undefined ? `${text}Z` : text)
  if (Number.isNaN(from)) return undefined
  return { from, until: from + (groups.seconds === undefined ? 60_000 : 1_000) }
}

function dayOf(year: number, month: number, day: number): Span | undefined {
  const from = Date.UTC(year, month - 1, day)
  // 02/30 is no day, though a Date makes one of it.
  if (new Date(from).getUTCMonth() !== month - 1 || new Date(from).getUTCDate() !== day) return undefined
  return { from, until: from + dayMs }
}
