/** What `$filter` means, worked out plainly on messages as they are shown: independent of the SQL that serves it. */
import type { FilterNode, Literal } from '../../src/odata/filter.js'

/** A message as the API shows it, extended properties expanded. */
export type Shown = Readonly<Record<string, unknown>>

/** OData knows true, false, and null for what cannot be known. */
type Truth = boolean | null

/** Whether the filter leaves the message in the list. */
export function matches(filter: FilterNode, message: Shown): boolean {
  return truthOf(filter, { '': message }) === true
}

/** What the names stand for: '' the message, others the variables of lambdas. */
type Names = Readonly<Record<string, unknown>>

function truthOf(node: FilterNode, names: Names): Truth {
  switch (node.kind) {
    case 'and': {
      const truths = node.operands.map((operand) => truthOf(operand, names))
      return truths.includes(false) ? false : truths.includes(null) ? null : true
    }
    case 'or': {
      const truths = node.operands.map((operand) => truthOf(operand, names))
      return truths.includes(true) ? true : truths.includes(null) ? null : false
    }
    case 'not':
      return negated(truthOf(node.operand, names))
    case 'compare':
      return compared(node, names)
    case 'in':
      return node.values.some((value) => isEqual(shownBy(node.operand, names), literalOf(value), node.operand))
    case 'call': {
      const [of, literal] = node.args
      const text = of && shownBy(of, names)
      if (typeof text !== 'string' || literal?.kind !== 'literal' || literal.type !== 'string') return null
      const tests = { contains: 'includes', startswith: 'startsWith', endswith: 'endsWith' } as const
      return folded(text)[tests[node.name as keyof typeof tests]](folded(literal.value))
    }
    case 'any': {
      const list = (shownBy(node.collection, names) ?? []) as readonly unknown[]
      const { condition } = node
      if (condition === undefined) return list.length > 0
      return list.some((element) => truthOf(condition, { ...names, [node.variable]: element }) === true)
    }
    case 'path':
      return shownBy(node, names) as Truth
    case 'literal':
      return literalOf(node) as Truth
    default:
      throw new Error(`${node.kind} has no truth`)
  }
}

function negated(truth: Truth): Truth {
  return truth === null ? null : !truth
}

function compared(node: FilterNode & { kind: 'compare' }, names: Names): Truth {
  const isFunction = node.left.kind === 'call' && node.left.name !== 'cast'
  const left = isFunction ? truthOf(node.left, names) : shownBy(node.left, names)
  const right = shownBy(node.right, names)
  if (node.operator === 'eq') return isEqual(left, right, node.left)
  if (node.operator === 'ne') return !isEqual(left, right, node.left)
  if (left === null || right === null) return false
  const order = ordered(left, right, node.left)
  return { gt: order > 0, ge: order >= 0, lt: order < 0, le: order <= 0 }[node.operator]
}

function isEqual(left: unknown, right: unknown, of: FilterNode): boolean {
  if (left === null || right === null) return left === right
  return ordered(left, right, of) === 0
}

/** Negative, zero or positive. Dates are shown as texts, importance has an order of its own. */
function ordered(left: unknown, right: unknown, of: FilterNode): number {
  if (typeof left === 'string' && typeof right === 'number') return ordered(Date.parse(left), right, of)
  if (typeof left === 'string' && typeof right === 'string') {
    const levels = ['low', 'normal', 'high']
    const isImportance = of.kind === 'path' && of.segments.join() === 'importance'
    if (isImportance) return levels.indexOf(left) - levels.indexOf(right.toLowerCase())
    return Buffer.compare(Buffer.from(folded(left)), Buffer.from(folded(right)))
  }
  return Number(left) - Number(right)
}

/** Letter by letter, since a letter at the end of a word may have another lower case. */
function folded(text: string): string {
  return Array.from(text, (letter) => letter.toLowerCase()).join('')
}

function shownBy(node: FilterNode, names: Names): unknown {
  if (node.kind === 'literal') return literalOf(node)
  if (node.kind === 'call') {
    const [of, type] = node.args
    const value = of && shownBy(of, names)
    if (type?.kind !== 'path' || type.segments.join() !== 'Edm.Int32') return value ?? null
    return typeof value === 'string' && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(value) ? Number(value) : null
  }
  if (node.kind !== 'path') throw new Error(`${node.kind} has no value`)
  const [first = '', ...rest] = node.segments
  let value: unknown = first in names ? names[first] : (names[''] as Shown)[first]
  for (const step of rest) value = (value as Shown | undefined)?.[step]
  return value ?? null
}

function literalOf(literal: Literal): string | number | boolean | null {
  return literal.type === 'null' ? null : literal.value
}

/** Properties in the order of their first appearance: what the rule of `$orderby` goes by. */
export function pathsOf(node: FilterNode): string[] {
  const found = (inner: readonly FilterNode[]) => inner.flatMap(pathsOf)
  switch (node.kind) {
    case 'path':
      return [node.segments.join('/')]
    case 'and':
    case 'or':
      return found(node.operands)
    case 'not':
    case 'in':
      return pathsOf(node.operand)
    case 'compare':
      return found([node.left, node.right])
    case 'call':
      return found(node.args)
    case 'any':
    case 'all':
      return pathsOf(node.collection)
    default:
      return []
  }
}
