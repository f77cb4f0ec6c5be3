/**
 * `$filter`: text → syntax tree, knowing no property and no type. By recursive descent, in the precedence of OData
 * (URL Conventions 4.01 §5.1.1.16), lowest first:
 *
 *     or          = and { 'or' and }
 *     and         = comparison { 'and' comparison }
 *     comparison  = unary { 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le' unary | 'in' list }
 *     unary       = 'not' unary | primary
 *     primary     = '(' or ')' | literal | function '(' ... ')' | path [ '/any(' [ variable ':' or ] ')' ]
 */
import { excerpt, type Token, tokensOf } from './lexer.js'
import { ODataError } from './odata-error.js'

export type ComparisonOperator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le'

/** A value written in an expression. `value`: of a date the ms since 1970, of a number the number. */
export type Literal = { readonly kind: 'literal'; readonly position: number } & (
  | { readonly type: 'string' | 'guid'; readonly value: string }
  /** `microsoft.graph.importance'high'` */
  | { readonly type: 'enum'; readonly typeName: string; readonly value: string }
  | { readonly type: 'number'; readonly value: number; readonly isInteger: boolean }
  | { readonly type: 'moment'; readonly value: number; readonly isDate: boolean }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'null' }
)

/** `from/emailAddress/address`, or the name of a type. */
export interface Path {
  readonly kind: 'path'
  readonly segments: readonly string[]
  readonly position: number
}

export type FilterNode =
  | Literal
  | Path
  | { readonly kind: 'and' | 'or'; readonly operands: readonly FilterNode[]; readonly position: number }
  | { readonly kind: 'not'; readonly operand: FilterNode; readonly position: number }
  | {
      readonly kind: 'compare'
      readonly operator: ComparisonOperator
      readonly left: FilterNode
      readonly right: FilterNode
      readonly position: number
    }
  | {
      readonly kind: 'in'
      readonly operand: FilterNode
      readonly values: readonly Literal[]
      readonly position: number
    }
  /** `name` in lower case. */
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly FilterNode[]; readonly position: number }
  /** `condition` absent: `any()`, which asks whether there is an element at all. */
  | {
      readonly kind: 'any' | 'all'
      readonly collection: Path
      readonly variable: string
      readonly condition?: FilterNode
      readonly position: number
    }
  /** Sums and the like, which parse and which no mail property takes. */
  | { readonly kind: 'arithmetic'; readonly position: number }

const option = '$filter'

/** Longest filter: a LIKE pattern made of it stays below the 50,000 bytes that SQLite takes. */
const maxLength = 8_192
/** Parentheses, `not` and lambdas inside each other; SQLite's parser is the narrowest that they pass through. */
const maxDepth = 25
/** Terms of one filter: SQLite refuses an expression that is 1,000 deep, and a chain of `or` is as deep as long. */
const maxNodes = 800

const comparisons: ReadonlySet<string> = new Set(['eq', 'ne', 'gt', 'ge', 'lt', 'le'])
const arithmetics: ReadonlySet<string> = new Set(['add', 'sub', 'mul', 'div', 'divby', 'mod', 'has'])

/**
 * Parses a filter, in time linear in its length; operators and functions in any case, as recorded.
 *
 * @throws ODataError with the position of what does not fit, in the words of the OData library
 */
export function parseFilter(text: string): FilterNode {
  if (text.length > maxLength) {
    throw new ODataError(option, `The filter has ${text.length} characters; ${maxLength} are the most.`)
  }
  return new FilterParser(text).parse()
}

class FilterParser {
  readonly #text: string
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0
  #nodes = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = tokensOf(text, option)
  }

  parse(): FilterNode {
    const node = this.#or()
    const { kind, position } = this.#peek()
    if (kind !== 'end') throw this.#syntaxError(position)
    return node
  }

  #or(): FilterNode {
    return this.#chain('or', () => this.#chain('and', () => this.#comparison()))
  }

  #chain(kind: 'and' | 'or', operand: () => FilterNode): FilterNode {
    const first = operand()
    const operands = [first]
    while (this.#takeWord(kind)) operands.push(operand())
    return operands.length === 1 ? first : this.#made({ kind, operands, position: first.position })
  }

  #comparison(): FilterNode {
    let left = this.#unary()
    for (;;) {
      const { kind, text } = this.#peek()
      const operator = kind === 'name' ? text.toLowerCase() : ''
      if (isComparison(operator)) {
        this.#next++
        left = this.#made({ kind: 'compare', operator, left, right: this.#unary(), position: left.position })
      } else if (operator === 'in') {
        this.#next++
        left = this.#made({ kind: 'in', operand: left, values: this.#literals(), position: left.position })
      } else if (arithmetics.has(operator)) {
        this.#next++
        this.#unary()
        left = this.#made({ kind: 'arithmetic', position: left.position })
      } else return left
    }
  }

  #unary(): FilterNode {
    const { position } = this.#peek()
    if (!this.#takeWord('not')) return this.#primary()
    return this.#deeper(() => this.#made({ kind: 'not', operand: this.#unary(), position }))
  }

  #primary(): FilterNode {
    const token = this.#take()
    switch (token.kind) {
      case 'mark':
        if (token.text === '(') {
          const inside = this.#deeper(() => this.#or())
          this.#close("')' or operator expected")
          return inside
        }
        throw this.#expected('Expression expected', token.position)
      case 'end':
        throw this.#expected('Expression expected', token.position)
      case 'name':
        return this.#named(token)
      default:
        return this.#made(this.#literal(token))
    }
  }

  /** What begins with a name: a word that is a value, a function, or a path. */
  #named(token: Token): FilterNode {
    const { position } = token
    const word = token.text.toLowerCase()
    const next = this.#peek()
    if (next.kind === 'mark' && next.text === '(') return this.#call(word, position)
    if (next.text !== '/' && isWordLiteral(word)) return this.#made(wordLiteral(word, position))
    const segments = [token.text]
    while (this.#takeMark('/')) {
      const segment = this.#take()
      if (segment.kind !== 'name') throw this.#syntaxError(segment.position)
      const lower = segment.text.toLowerCase()
      const isLambda = (lower === 'any' || lower === 'all') && this.#takeMark('(')
      if (isLambda) return this.#lambda(lower, { kind: 'path', segments, position })
      segments.push(segment.text)
    }
    return this.#made({ kind: 'path', segments, position })
  }

  #call(name: string, position: number): FilterNode {
    this.#next++
    const args: FilterNode[] = []
    if (!this.#takeMark(')')) {
      do args.push(this.#deeper(() => this.#or()))
      while (this.#takeMark(','))
      this.#close("')' or ',' expected")
    }
    return this.#made({ kind: 'call', name, args, position })
  }

  /** After `any(`. */
  #lambda(kind: 'any' | 'all', collection: Path): FilterNode {
    const { position } = collection
    if (kind === 'any' && this.#takeMark(')')) return this.#made({ kind, collection, variable: '', position })
    const variable = this.#take()
    if (variable.kind !== 'name' || !this.#takeMark(':')) throw this.#syntaxError(variable.position)
    const condition = this.#deeper(() => this.#or())
    this.#close("')' or operator expected")
    return this.#made({ kind, collection, variable: variable.text, condition, position })
  }

  /** The list of `in`. */
  #literals(): Literal[] {
    const open = this.#peek()
    if (!this.#takeMark('(')) throw this.#expected("'(' expected", open.position)
    const values: Literal[] = []
    do {
      const token = this.#take()
      const word = token.text.toLowerCase()
      if (token.kind === 'mark' || token.kind === 'end') throw this.#expected('Expression expected', token.position)
      if (token.kind !== 'name') values.push(this.#made(this.#literal(token)))
      else if (isWordLiteral(word)) values.push(this.#made(wordLiteral(word, token.position)))
      else throw this.#syntaxError(token.position)
    } while (this.#takeMark(','))
    this.#close("')' or ',' expected")
    return values
  }

  #literal({ kind, text, position, prefix = '' }: Token): Literal {
    switch (kind) {
      case 'string':
        return { kind: 'literal', type: 'string', value: text, position }
      case 'prefixedString':
        return { kind: 'literal', type: 'enum', typeName: prefix, value: text, position }
      case 'guid':
        return { kind: 'literal', type: 'guid', value: text.toLowerCase(), position }
      case 'number': {
        const value = Number(text.replace(/[dflm]$/i, ''))
        if (!Number.isFinite(value)) throw this.#unrecognised('Edm.Double', text, position)
        return { kind: 'literal', type: 'number', value, isInteger: /^[-+]?\d+$/.test(text), position }
      }
      default: {
        const value = momentOf(text)
        if (value === undefined) throw this.#unrecognised('Edm.DateTimeOffset', text, position)
        return { kind: 'literal', type: 'moment', value, isDate: text.length === 10, position }
      }
    }
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', position: this.#text.length }
  }

  #take(): Token {
    const token = this.#peek()
    this.#next++
    return token
  }

  #takeMark(mark: string): boolean {
    const { kind, text } = this.#peek()
    if (kind !== 'mark' || text !== mark) return false
    this.#next++
    return true
  }

  #takeWord(word: string): boolean {
    const { kind, text } = this.#peek()
    if (kind !== 'name' || text.toLowerCase() !== word) return false
    this.#next++
    return true
  }

  #close(otherwise: string): void {
    const { position } = this.#peek()
    if (!this.#takeMark(')')) throw this.#expected(otherwise, position)
  }

  #deeper<Made>(parse: () => Made): Made {
    if (++this.#depth > maxDepth) throw new ODataError(option, 'Recursion depth exceeded allowed limit.')
    const made = parse()
    this.#depth--
    return made
  }

  #made<Node extends FilterNode>(node: Node): Node {
    if (++this.#nodes > maxNodes) {
      throw new ODataError(option, `The node count limit of '${maxNodes}' has been exceeded.`)
    }
    return node
  }

  #syntaxError(position: number): ODataError {
    return new ODataError(option, `Syntax error at position ${position} in '${excerpt(this.#text)}'.`)
  }

  #expected(what: string, position: number): ODataError {
    return new ODataError(option, `${what} at position ${position} in '${excerpt(this.#text)}'.`)
  }

  #unrecognised(type: string, literal: string, position: number): ODataError {
    return new ODataError(
      option,
      `Unrecognized '${type}' literal '${literal}' at '${position}' in '${excerpt(this.#text)}'.`,
    )
  }
}

function isComparison(word: string): word is ComparisonOperator {
  return comparisons.has(word)
}

type WordLiteral = 'true' | 'false' | 'null'

function isWordLiteral(word: string): word is WordLiteral {
  return word === 'true' || word === 'false' || word === 'null'
}

function wordLiteral(word: WordLiteral, position: number): Literal {
  return word === 'null'
    ? { kind: 'literal', type: 'null', position }
    : { kind: 'literal', type: 'boolean', value: word === 'true', position }
}

const momentForm = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[-+ ]\d{2}:\d{2})?)?$/i

/** Ms since 1970; without a time midnight, without an offset UTC. undefined: no such day or time. */
function momentOf(text: string): number | undefined {
  const [, day = '', time = '00:00', seconds = '00', fraction = '', offset = 'Z'] = momentForm.exec(text) ?? []
  const ms = fraction.slice(0, 3).padEnd(3, '0')
  const at = Date.parse(`${day}T${time}:${seconds}.${ms}${offset.toUpperCase().replace(' ', '+')}`)
  if (Number.isNaN(at)) return undefined
  // The 31st of a shorter month, which a date would read as the 1st of the next.
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? at : undefined
}
