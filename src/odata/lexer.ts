import { ODataError } from './odata-error.js'

/**
 * Cuts a list at `separator`, but not inside parentheses or quoted strings (a doubled quote is a quote within one).
 *
 * @throws ODataError naming `option`, when a parenthesis or quote is left open or closed too often
 */
export function splitList(text: string, separator: ',' | ';', option: string): string[] {
  const items: string[] = []
  let depth = 0
  let quoted = false
  let start = 0
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    // A doubled quote closes and opens again, which comes to the same.
    if (char === "'") quoted = !quoted
    else if (quoted) continue
    else if (char === '(') depth++
    else if (char === ')') {
      if (--depth < 0) break
    } else if (char === separator && depth === 0) {
      items.push(text.slice(start, i))
      start = i + 1
    }
  }
  if (quoted)
    throw new ODataError(option, `There is an unterminated string literal at position ${text.length} in '${text}'.`)
  if (depth !== 0) throw new ODataError(option, 'Found an unbalanced bracket expression.')
  items.push(text.slice(start))
  return items
}

/** A piece of an expression. `text`: as written; of a string what it says, without quotes. */
export interface Token {
  readonly kind: 'name' | 'string' | 'prefixedString' | 'number' | 'moment' | 'guid' | 'mark' | 'end'
  readonly text: string
  readonly position: number
  /** Of `microsoft.graph.importance'high'`: what stands before the quote. */
  readonly prefix?: string
}

/** What an expression is made of beside strings (OData ABNF 4.01 §7), the first that fits. */
const forms: readonly (readonly [Token['kind'], RegExp])[] = [
  ['guid', /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w.-])/iy],
  // A plus that was not escaped has become a space; no other reading of that is sound.
  ['moment', /\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,12})?)?(?:Z|[-+ ]\d{2}:\d{2})?)?(?![\w.:-])/iy],
  ['number', /[-+]?\d{1,40}(?:\.\d{1,40})?(?:e[-+]?\d{1,3})?[dflm]?(?![\w.:-])/iy],
  ['name', /[a-z_]\w*(?:\.[a-z_]\w*)*/iy],
  ['mark', /[(),:/]/y],
]
const blanks = /[ \t\r\n]*/y

/**
 * Cuts an expression into tokens, the last of kind `end`; in linear time.
 *
 * @throws ODataError naming `option`, with the position of the character that begins nothing
 */
export function tokensOf(text: string, option: string): Token[] {
  const tokens: Token[] = []
  let at = endOf(blanks, text, 0)
  while (at < text.length) {
    const token = tokenAt(text, at, option)
    tokens.push(token.token)
    at = endOf(blanks, text, token.end)
  }
  tokens.push({ kind: 'end', text: '', position: text.length })
  return tokens
}

function tokenAt(text: string, position: number, option: string): { token: Token; end: number } {
  if (text[position] === "'") {
    const { value, end } = stringAt(text, position, option)
    return { token: { kind: 'string', text: value, position }, end }
  }
  for (const [kind, form] of forms) {
    const end = endOf(form, text, position)
    if (end === position) continue
    const written = text.slice(position, end)
    if (kind !== 'name' || text[end] !== "'") return { token: { kind, text: written, position }, end }
    const quoted = stringAt(text, end, option)
    return { token: { kind: 'prefixedString', text: quoted.value, prefix: written, position }, end: quoted.end }
  }
  const character = String.fromCodePoint(text.codePointAt(position) ?? 0)
  throw new ODataError(
    option,
    `Syntax error: character '${character}' is not valid at position ${position} in '${excerpt(text)}'.`,
  )
}

/** The string that begins at a quote; a doubled quote inside is one. */
function stringAt(text: string, start: number, option: string): { value: string; end: number } {
  let end = text.indexOf("'", start + 1)
  while (end !== -1 && text[end + 1] === "'") end = text.indexOf("'", end + 2)
  const value = text.slice(start + 1, end).replaceAll("''", "'")
  // PostgreSQL's text cannot hold NUL, and no mail says it.
  if (end !== -1 && !value.includes('\0')) return { value, end: end + 1 }
  throw new ODataError(
    option,
    `There is an unterminated string literal at position ${end === -1 ? text.length : start} in '${excerpt(text)}'.`,
  )
}

function endOf(form: RegExp, text: string, position: number): number {
  form.lastIndex = position
  return form.test(text) ? form.lastIndex : position
}

/** Longest expression that a refusal repeats. */
const maxExcerpt = 200

/** What a refusal repeats of an expression: its beginning. */
export function excerpt(text: string): string {
  return text.length <= maxExcerpt ? text : `${text.slice(0, maxExcerpt)}...`
}
