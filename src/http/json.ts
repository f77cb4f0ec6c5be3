import { isAscii, isUtf8 } from 'node:buffer'

/** Why bytes were not accepted as JSON. */
export type JsonFault = 'malformed' | 'duplicateMember' | 'tooDeep'

export class JsonRefused extends Error {
  readonly fault: JsonFault
  /** The member named twice. */
  readonly member: string | undefined

  constructor(fault: JsonFault, member?: string) {
    super(member === undefined ? fault : `${fault}: ${member}`)
    this.name = 'JsonRefused'
    this.fault = fault
    this.member = member
  }
}

/** Objects and arrays inside one another at most. */
const maxDepth = 64

const byteOrderMark = 0xfeff

/**
 * JSON (RFC 8259), read strictly: UTF-8 only, no member twice in an object, at most 64 levels. A member named twice
 * means different things to different readers, which is how checks get passed around.
 *
 * @throws JsonRefused
 */
export function parseJson(bytes: Buffer): unknown {
  const text = textOf(bytes)
  const value = parse(text)
  // `JSON.parse` keeps the last of two like members, so the text then names more members than the value has.
  if (countMembers(value, 1) !== countNames(text)) {
    const member = duplicateMember(text)
    if (member !== undefined) throw new JsonRefused('duplicateMember', member)
  }
  return value
}

function textOf(bytes: Buffer): string {
  // Most bodies are ASCII, and copying is far quicker than decoding.
  if (isAscii(bytes)) return bytes.toString('latin1')
  if (!isUtf8(bytes)) throw new JsonRefused('malformed')
  const text = bytes.toString('utf8')
  return text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new JsonRefused('malformed')
  }
}

function countMembers(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0
  if (depth > maxDepth) throw new JsonRefused('tooDeep')
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item, depth + 1)
    return count
  }
  for (const name in value) {
    count += 1 + countMembers((value as Record<string, unknown>)[name], depth + 1)
  }
  return count
}

const quote = 0x22
const backslash = 0x5c
/** White space of JSON is this and below; other characters there cannot stand in it unescaped. */
const blank = 0x20

/**
 * How many members the text names, counted by their `":`; undefined where that would not be exact: white space before
 * a colon, or an escape before the quote, which only a real scan can tell from the end of a text.
 */
function countNames(text: string): number | undefined {
  let count = 0
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) {
    const before = text.charCodeAt(at - 1)
    if (before === quote) {
      if (text.charCodeAt(at - 2) === backslash) return undefined
      count++
    } else if (before <= blank && isAfterQuote(text, at - 1)) {
      return undefined
    }
  }
  return count
}

/** Whether nothing but white space stands between a quote and what ends at `end`. */
function isAfterQuote(text: string, end: number): boolean {
  let at = end
  while (at >= 0 && text.charCodeAt(at) <= blank) at--
  return text.charCodeAt(at) === quote
}

/** The first member that its object names twice; `text` is known to be JSON. */
function duplicateMember(text: string): string | undefined {
  const seen: (Set<string> | undefined)[] = []
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      const end = endOfString(text, at)
      const names = seen[seen.length - 1]
      if (names !== undefined && isFollowedByColon(text, end)) {
        const name = JSON.parse(text.slice(at, end)) as string
        if (names.has(name)) return name
        names.add(name)
      }
      at = end
      continue
    }
    const character = text[at]
    if (character === '{') seen.push(new Set())
    else if (character === '[') seen.push(undefined)
    else if (character === '}' || character === ']') seen.pop()
    at++
  }
  return undefined
}

/** Position after the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1
  return at + 1
}

function isFollowedByColon(text: string, start: number): boolean {
  let at = start
  while (text.charCodeAt(at) <= blank) at++
  return text[at] === ':'
}
