import { ODataError } from './odata-error.js'

/**
 * The text of `$search`: the subset of the Keyword Query Language that Graph documents for messages. Free terms, phrases,
 * `property:value` with comparisons, AND, OR, NOT, parentheses, `*` at the end of a word. One pass, no look-back.
 */
export type KqlNode =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly KqlNode[] }
  | { readonly kind: 'not'; readonly operand: KqlNode }
  | ({ readonly kind: 'term' } & KqlValue)
  | KqlRestriction

/** What is looked for, as written. */
export interface KqlValue {
  readonly text: string
  /** It stood in quotes. */
  readonly isPhrase: boolean
  /** A `*` followed it: whatever begins with it is meant. */
  readonly isPrefix: boolean
}

export type KqlOperator = ':' | '=' | '<>' | '<' | '<=' | '>' | '>='

/** What one property must be. */
export interface KqlRestriction extends KqlValue {
  readonly kind: 'restriction'
  /** Lower case. */
  readonly property: string
  readonly operator: KqlOperator
  /** For the words of a refusal: see {@link unexpectedCharacter}. */
  readonly source: string
  /** Where in the source the operator stands, and where the value. */
  readonly operatorAt: number
  readonly valueAt: number
}

/** Terms of one search at most, so that what a search costs is bounded. */
const maxTerms = 100
/** Parentheses within each other. */
const maxDepth = 20

/**
 * Reads the value of `$search`. Text in double quotes is KQL, with `\"` and `\\` for a quote and a backslash; what stands
 * without quotes is words alone, as OData has it (URL Conventions 4.01 §5.1.7), and so are quoted parts between AND, OR
 * and NOT.
 *
 * @param properties names (lower case) that may stand before an operator; with any other, it is free text
 * @throws ODataError
 */
export function parseSearch(text: string, properties: ReadonlySet<string>): KqlNode {
  const counter = { terms: 0 }
  const trimmed = text.trim()
  const quoted = quotedAt(trimmed, 0)
  if (quoted !== undefined && quoted.end === trimmed.length) return kqlOf(quoted.text, properties, counter)
  return new Parser(trimmed, properties, counter, true).parse()
}

/** Nothing between the quotes asks for nothing. */
function kqlOf(text: string, properties: ReadonlySet<string>, counter: Counter): KqlNode {
  if (text.trim() === '') throw new ODataError('$search', "The value for OData query '$search' cannot be empty.")
  return new Parser(text, properties, counter, false).parse()
}

/** A refusal in the words of the service. */
export function unexpectedCharacter(source: string, position: number): ODataError {
  const character = String.fromCodePoint(source.codePointAt(position) ?? 0x20)
  return new ODataError(
    '$search',
    `Syntax error: character '${character}' is not valid at position ${position} in '${source}'.`,
  )
}

interface Counter {
  terms: number
}

interface Parsed {
  readonly node: KqlNode
}

const blank = /\s*/y
/** A word ends at a blank, a parenthesis or a quote. */
const word = /[^\s()"]+/y
const restricted = /([A-Za-z]+)(<>|<=|>=|[:=<>])/y
/** What a word without quotes may not hold. */
const unquotable = /[^\p{L}\p{N}\p{M}*._'-]/u

class Parser {
  readonly #source: string
  readonly #properties: ReadonlySet<string>
  readonly #counter: Counter
  /** Outside of quotes: words are plain, and what is quoted is KQL. */
  readonly #isOuter: boolean
  #at = 0
  #depth = 0

  constructor(source: string, properties: ReadonlySet<string>, counter: Counter, isOuter: boolean) {
    this.#source = source
    this.#properties = properties
    this.#counter = counter
    this.#isOuter = isOuter
  }

  parse(): KqlNode {
    const node = this.#either(undefined)
    // Only a parenthesis too many ends an expression early.
    if (this.#at < this.#source.length) throw unexpectedCharacter(this.#source, this.#at)
    return node
  }

  /** OR binds loosest. `about`: the restriction whose value stands in these parentheses. */
  #either(about: Restricting | undefined): KqlNode {
    const operands = [this.#all(about)]
    while (this.#keyword('OR')) operands.push(this.#all(about))
    return joined('or', operands)
  }

  /** AND, or nothing between two terms. */
  #all(about: Restricting | undefined): KqlNode {
    const operands: KqlNode[] = [this.#one(about)]
    for (;;) {
      const isSaid = this.#keyword('AND')
      if (!isSaid && (this.#atEnd() || this.#isKeyword('OR'))) return joined('and', operands)
      operands.push(this.#one(about))
    }
  }

  #one(about: Restricting | undefined): KqlNode {
    let isNegated = false
    while (this.#keyword('NOT')) isNegated = !isNegated
    const { node } = this.#primary(about)
    return isNegated ? { kind: 'not', operand: node } : node
  }

  #primary(about: Restricting | undefined): Parsed {
    this.#skipBlanks()
    if (this.#at >= this.#source.length || this.#isKeyword('AND') || this.#isKeyword('OR')) {
      throw new ODataError('$search', `Expression expected at position ${this.#at} in '${this.#source}'.`)
    }
    const character = this.#source[this.#at]
    if (character === ')') throw unexpectedCharacter(this.#source, this.#at)
    if (character === '(') return { node: this.#parentheses(about) }
    if (character === '"') {
      const start = this.#at
      const value = this.#phrase()
      if (!this.#isOuter) return { node: this.#leaf(value, start, about) }
      return { node: kqlOf(value.text, this.#properties, this.#counter) }
    }
    return { node: this.#word(about) }
  }

  #parentheses(about: Restricting | undefined): KqlNode {
    const start = this.#at
    if (++this.#depth > maxDepth) {
      throw new ODataError('$search', `The search has more than ${maxDepth} levels of parentheses.`)
    }
    this.#at += 1
    const node = this.#either(about)
    if (this.#source[this.#at] !== ')') throw unexpectedCharacter(this.#source, start)
    this.#at += 1
    this.#depth -= 1
    return node
  }

  /** The opening quote stands here. A `*` behind the closing one belongs to it. */
  #phrase(): KqlValue {
    const quoted = quotedAt(this.#source, this.#at)
    if (quoted === undefined) {
      const { length } = this.#source
      throw new ODataError(
        '$search',
        `There is an unterminated string literal at position ${length} in '${this.#source}'.`,
      )
    }
    this.#at = quoted.end
    const isFollowed = this.#source[this.#at] === '*'
    if (isFollowed) this.#at += 1
    return { text: quoted.text, isPhrase: true, isPrefix: isFollowed || quoted.text.endsWith('*') }
  }

  #word(about: Restricting | undefined): KqlNode {
    const start = this.#at
    if (!this.#isOuter && about === undefined) {
      const restriction = this.#restriction()
      if (restriction !== undefined) return restriction
    }
    const text = this.#match(word) ?? ''
    if (this.#isOuter) {
      const wrong = unquotable.exec(text)
      if (wrong !== null) throw unexpectedCharacter(text, wrong.index)
    }
    return this.#leaf({ text, isPhrase: false, isPrefix: text.endsWith('*') }, start, about)
  }

  /** Nothing where no property is named, or no value follows: then it is free text. */
  #restriction(): KqlNode | undefined {
    const start = this.#at
    restricted.lastIndex = start
    const [whole = '', name = '', operator = ''] = restricted.exec(this.#source) ?? []
    const property = name.toLowerCase()
    if (!this.#properties.has(property)) return undefined
    const about = { property, operator: operator as KqlOperator, operatorAt: start + name.length }
    this.#at = start + whole.length
    const next = this.#source[this.#at]
    if (next === '(') return this.#parentheses(about)
    const valueAt = this.#at
    if (next === '"') return this.#leaf(this.#phrase(), valueAt, about)
    const text = this.#match(word)
    if (text === undefined) {
      this.#at = start
      return undefined
    }
    return this.#leaf({ text, isPhrase: false, isPrefix: text.endsWith('*') }, valueAt, about)
  }

  #leaf(value: KqlValue, valueAt: number, about: Restricting | undefined): KqlNode {
    if (++this.#counter.terms > maxTerms) {
      throw new ODataError('$search', `The search has more than ${maxTerms} terms.`)
    }
    if (about === undefined) return { kind: 'term', ...value }
    return { kind: 'restriction', ...about, ...value, valueAt, source: this.#source }
  }

  /** Only in capitals: in lower case they are words like others. */
  #keyword(name: 'AND' | 'OR' | 'NOT'): boolean {
    this.#skipBlanks()
    if (!this.#isKeyword(name)) return false
    this.#at += name.length
    return true
  }

  #isKeyword(name: string): boolean {
    if (!this.#source.startsWith(name, this.#at)) return false
    const next = this.#source[this.#at + name.length]
    return next === undefined || /[\s()"]/.test(next)
  }

  #atEnd(): boolean {
    return this.#at >= this.#source.length || this.#source[this.#at] === ')'
  }

  #skipBlanks(): void {
    this.#match(blank)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#source) ?? []
    if (found === undefined) return undefined
    this.#at += found.length
    return found
  }
}

type Restricting = Pick<KqlRestriction, 'property' | 'operator' | 'operatorAt'>

function joined(kind: 'and' | 'or', operands: readonly KqlNode[]): KqlNode {
  const [first] = operands
  return operands.length === 1 && first !== undefined ? first : { kind, operands }
}

/** What stands between the quote at `at` and its end, unescaped; undefined when there is no such end, or no quote. */
function quotedAt(text: string, at: number): { text: string; end: number } | undefined {
  if (text[at] !== '"') return undefined
  let inside = ''
  let from = at + 1
  for (let i = from; i < text.length; i++) {
    const character = text[i]
    if (character === '"') return { text: inside + text.slice(from, i), end: i + 1 }
    if (character !== '\\') continue
    const next = text[i + 1]
    if (next !== '"' && next !== '\\') continue
    inside += text.slice(from, i)
    from = i + 1
    i += 1
  }
  return undefined
}
