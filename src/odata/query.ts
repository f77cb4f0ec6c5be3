import { splitList } from './lexer.js'
import { ODataError } from './odata-error.js'

/** Options that this file hands on as text; whoever serves the resource gives them a meaning. */
export type RawOption = '$deltatoken' | '$filter' | '$format' | '$search' | '$skiptoken'

export interface OrderByItem {
  /** As written: `receivedDateTime`, `from/emailAddress/name`. */
  readonly path: string
  readonly descending: boolean
}

export interface ExpandItem {
  /** As written: `attachments`, `microsoft.graph.itemAttachment/item`. */
  readonly name: string
  /** What stands in the parentheses after it; '' when nothing does. */
  readonly options: string
  readonly query: Query
}

/** The query options of a request (OData URL Conventions 4.01 §5), decoded. */
export interface Query {
  /** As written, in the order of the request. */
  readonly select?: readonly string[]
  readonly top?: number
  readonly skip?: number
  readonly orderBy?: readonly OrderByItem[]
  readonly count: boolean
  readonly expand?: readonly ExpandItem[]
  readonly other: Readonly<Partial<Record<RawOption, string>>>
  /** Parameters that are no options: name and value. */
  readonly unknown: readonly Parameter[]
  /** Everything, in the order of the request, for {@link nextLink}. */
  readonly asWritten: readonly Parameter[]
}

export type Parameter = readonly [name: string, value: string]

/** Graph's bound for `$top` of messages. */
const defaultMaxTop = 1000
const maxSkip = 2 ** 31 - 1
/** Levels of `$expand`, so that a long URL cannot make us dig. The mail API itself uses two. */
const maxExpandDepth = 5

interface Bounds {
  readonly maxTop: number
  readonly depth: number
}

type QueryFields = { -readonly [Key in keyof Query]: Query[Key] }
type OptionParser = (text: string, query: QueryFields, bounds: Bounds) => void

/** The options there are. All but `$top`, `$skip` and `$count`, which say so in their own words, refuse an empty text. */
const options: Readonly<Record<string, OptionParser>> = {
  $count: (text, query) => {
    query.count = parseCount(text)
  },
  // Empty where a client is to begin anew: the service sends it there.
  $deltatoken: (text, query) => {
    query.other = { ...query.other, $deltatoken: text }
  },
  $expand: (text, query, bounds) => {
    query.expand = parseExpand(notEmpty('$expand', text), bounds)
  },
  $filter: keepRaw('$filter'),
  $format: keepRaw('$format'),
  $orderby: (text, query) => {
    query.orderBy = parseOrderBy(notEmpty('$orderby', text))
  },
  $search: keepRaw('$search'),
  $select: (text, query) => {
    query.select = parseSelect(notEmpty('$select', text))
  },
  $skip: (text, query) => {
    query.skip = parseNumber('$skip', 'Skip', text, maxSkip)
  },
  $skiptoken: keepRaw('$skiptoken'),
  $top: (text, query, { maxTop }) => {
    query.top = parseTop(text, maxTop)
  },
}

/**
 * Parses the query of a URL (without `?`). Option names are read in any case and with or without their `$`.
 * `maxTop`: the largest `$top`; Graph takes up to 1000 for messages, and was seen to take 9999 for folders.
 *
 * @throws ODataError for an option that is malformed, given twice, out of bounds or begins with `$` and is unknown
 */
export function parseQuery(rawQuery: string, maxTop: number = defaultMaxTop): Query {
  // URLSearchParams reads `+` as a space and, like the service, leaves a malformed escape as it is.
  return readParameters([...new URLSearchParams(rawQuery)], { maxTop, depth: 0 })
}

function readParameters(asWritten: readonly Parameter[], bounds: Bounds): Query {
  const unknown: Parameter[] = []
  const query: QueryFields = { count: false, other: {}, unknown, asWritten }
  const seen = new Set<string>()
  for (const parameter of asWritten) {
    const option = optionNamed(parameter[0])
    if (option === undefined) {
      unknown.push(parameter)
      continue
    }
    if (seen.has(option)) {
      throw new ODataError(
        option,
        `Query option '${option}' was specified more than once, but it must be specified at most once.`,
      )
    }
    seen.add(option)
    const parse = options[option]
    if (parse === undefined) throw new ODataError(option, `The query parameter '${parameter[0]}' is not supported.`)
    parse(parameter[1].trim(), query, bounds)
  }
  return query
}

/** The option's name in lower case with its `$`; undefined for a parameter that is nothing to OData. */
function optionNamed(name: string): string | undefined {
  const lower = name.toLowerCase()
  if (lower.startsWith('$')) return lower
  return Object.hasOwn(options, `$${lower}`) ? `$${lower}` : undefined
}

function keepRaw(option: RawOption): OptionParser {
  return (text, query) => {
    query.other = { ...query.other, [option]: notEmpty(option, text) }
  }
}

function notEmpty(option: string, text: string): string {
  if (text === '') throw new ODataError(option, `The value for OData query '${option}' cannot be empty.`)
  return text
}

function parseTop(text: string, maxTop: number): number {
  const top = parseNumber('$top', 'Top', text, maxTop)
  // Not in the library's words, which would let 0 pass: Graph's documentation begins at 1.
  if (top === 0)
    throw new ODataError(
      '$top',
      "Invalid value '0' for $top query option found. The $top query option requires a positive integer value.",
    )
  return top
}

function parseNumber(option: string, title: string, text: string, max: number): number {
  if (!/^\d+$/.test(text)) {
    throw new ODataError(
      option,
      `Invalid value '${text}' for ${option} query option found. The ${option} query option requires a non-negative integer value.`,
    )
  }
  const number = Number(text)
  if (number > max) {
    throw new ODataError(
      option,
      `The limit of '${max}' for ${title} query has been exceeded. The value from the incoming request is '${text}'.`,
    )
  }
  return number
}

function parseCount(text: string): boolean {
  const lower = text.toLowerCase()
  if (lower === 'true') return true
  if (lower === 'false') return false
  throw new ODataError(
    '$count',
    `Invalid value '${text}' for $count query option found. Valid values are 'true, false'.`,
  )
}

/** A property, or one of a derived type or inside a complex one. */
const path = /^[A-Za-z_][\w.]*(?:\/[A-Za-z_][\w.]*)*$/

function parseOrderBy(text: string): OrderByItem[] {
  let position = 0
  return splitList(text, ',', '$orderby').map((item) => {
    const [name = '', direction = 'asc', ...rest] = item.trim().split(/\s+/)
    if (!path.test(name) || !/^(?:asc|desc)$/i.test(direction) || rest.length > 0) {
      throw new ODataError('$orderby', `Syntax error at position ${position + item.length} in '${text}'.`)
    }
    position += item.length + 1
    return { path: name, descending: direction.toLowerCase() === 'desc' }
  })
}

function parseSelect(text: string): string[] {
  return splitList(text, ',', '$select').map((item) => term('$select', item))
}

function parseExpand(text: string, { maxTop, depth }: Bounds): ExpandItem[] {
  if (depth >= maxExpandDepth) {
    throw new ODataError(
      '$expand',
      `The request includes a $expand path which is too deep. The maximum depth allowed is ${maxExpandDepth}.`,
    )
  }
  return splitList(text, ',', '$expand').map((item) => {
    const [, written = '', inner = ''] = /^([^(]*)(?:\((.*)\))?\s*$/s.exec(item) ?? []
    const name = term('$expand', written === '' ? item : written)
    return { name, options: inner, query: readParameters(nestedOptions(inner), { maxTop, depth: depth + 1 }) }
  })
}

/** Options inside `$expand` are parted by semicolons. */
function nestedOptions(text: string): Parameter[] {
  if (text.trim() === '') return []
  return splitList(text, ';', '$expand').map((item) => {
    const [name = '', ...value] = item.split('=')
    return [name.trim(), value.join('=')]
  })
}

function term(option: string, item: string): string {
  const text = item.trim()
  if (text === '*' || path.test(text)) return text
  throw new ODataError(
    option,
    `Parsing OData Select and Expand failed: Term '${text}' is not valid in a $select or $expand expression.`,
  )
}

/**
 * `@odata.nextLink` in the form that recordings since 2022 show: the path as it was sent, all parameters again,
 * and what names the page last. `base`: scheme and host, without a slash at the end. `next`: where the next page begins,
 * its `$skip` or the parameters that say so.
 */
export function nextLink(
  base: string,
  pathAsSent: string,
  asWritten: readonly Parameter[],
  next: number | readonly Parameter[],
): string {
  const kept = asWritten.filter(([name]) => {
    const option = optionNamed(name)
    return option !== '$skip' && option !== '$skiptoken'
  })
  const place = typeof next === 'number' ? [['$skip', String(next)] as const] : next
  const query = [...kept, ...place].map(([name, value]) => `${formEncode(name)}=${formEncode(value)}`)
  return `${base}${pathAsSent}?${query.join('&')}`
}

/** As .NET encodes a form: space `+`, hex digits in lower case, `'` and `~` escaped too. */
function formEncode(text: string): string {
  return encodeURIComponent(text).replace(/%[0-9A-F]{2}|['~]/g, (match) => formEscapes[match] ?? match.toLowerCase())
}

const formEscapes: Readonly<Record<string, string>> = { '%20': '+', "'": '%27', '~': '%7e' }

/**
 * What `$select` and `$expand` add to the resource in `@odata.context`: `(subject,from)`, `(attachments())`; '' when
 * there are neither. Selected names come first, each in the order of the request.
 */
export function selectedContext(select: readonly string[] = [], expand: readonly ExpandItem[] = []): string {
  const expanded = expand.map(({ name, query }) => name + (selectedContext(query.select, query.expand) || '()'))
  const names = [...select, ...expanded]
  return names.length === 0 ? '' : `(${names.join(',')})`
}
