import type { Exchange } from './exchange.js'
import type { Facts } from './facts.js'
import { isArray, isObject, type Json, type JsonObject, jsonType, shown, textMember } from './json.js'
import { expectedContext, expectedNextLink } from './odata-context.js'
import { isPersonalAccount, keepsOrder, tolerates } from './tolerances.js'
import { brokenRelations, defaultFolderCounter, formOf, hasForm } from './value-forms.js'

/** Members that a relation or the scenario knows the value of, and that no form describes. */
const linkMembers = new Set(['@odata.context', '@odata.nextLink'])

/** Text that stands for text which was cut, masked or never there. */
const placeholder = /\[(trimmed|cut|masked|guid|id|changeKey)\b|^\{.*\}$/

/**
 * How the body answered differs from the body shown: one sentence for each difference, none when it conforms.
 *
 * Recorded bodies: the same members in the same order. Documented ones are shortened: what is shown must be there,
 * with the same JSON types. Values are equal where the scenario controls them, else of the same form.
 */
export function bodyDifferences(expected: Json, actual: Json, exchange: Exchange, facts: Facts): string[] {
  return new BodyComparison(exchange, facts).value('body', expected, actual)
}

class BodyComparison {
  private readonly exchange: Exchange
  private readonly facts: Facts
  /** Only members shown are compared, and only their types. */
  private readonly shortened: boolean
  private readonly ordered: boolean
  private readonly personal: boolean

  constructor(exchange: Exchange, facts: Facts) {
    this.exchange = exchange
    this.facts = facts
    this.shortened = exchange.evidence === 'documented'
    this.ordered = keepsOrder(exchange)
    this.personal = isPersonalAccount(exchange)
  }

  value(where: string, expected: Json, actual: Json): string[] {
    if (isObject(expected) && isObject(actual)) return this.object(where, expected, actual)
    if (isArray(expected) && isArray(actual)) return this.list(where, expected, actual)
    const types = [jsonType(expected), jsonType(actual)]
    if (types[0] === types[1]) return []
    if (this.shortened && types.includes('null')) return []
    return [`${where}: expected ${types[0]}, got ${shown(actual)}`]
  }

  private object(where: string, expected: JsonObject, actual: JsonObject): string[] {
    const names = { expected: Object.keys(expected), actual: Object.keys(actual) }
    const missing = names.expected.filter((name) => !(name in actual))
    const extra = this.shortened ? [] : names.actual.filter((name) => !(name in expected))
    const shared = names.expected.filter((name) => name in actual)
    return [
      ...this.intolerable('missing', missing).map((name) => `${where}.${name} is missing`),
      ...this.intolerable('extra', extra).map((name) => `${where}.${name} is not in the recording`),
      ...this.orderDifference(where, shared, names.actual),
      ...shared.flatMap((name) => this.member(`${where}.${name}`, name, expected, actual)),
      ...(this.personal ? [] : brokenRelations(actual).map((broken) => `${where}: ${broken}`)),
    ]
  }

  private intolerable(difference: 'missing' | 'extra', names: readonly string[]): string[] {
    return names.filter((name) => !tolerates(this.exchange, difference, name))
  }

  private orderDifference(where: string, shared: readonly string[], answered: readonly string[]): string[] {
    if (!this.ordered) return []
    const ours = answered.filter((name) => shared.includes(name))
    const at = shared.findIndex((name, index) => name !== ours[index])
    return at < 0 ? [] : [`${where}: expected member ${shared[at]} where ${ours[at]} stands`]
  }

  private member(where: string, name: string, expected: JsonObject, actual: JsonObject): string[] {
    const shownValue = expected[name] ?? null
    const value = actual[name] ?? null
    if (linkMembers.has(name)) return this.link(where, name, shownValue, value)
    const differs = this.exactly(where, name, shownValue, value)
    if (differs !== undefined) return differs
    const form = formOf(name, actual)
    if (form !== undefined && typeof value === 'string' && shownValue !== '') {
      if (!hasForm(form, value)) return [`${where}: not of the form of a ${form}: ${shown(value)}`]
      return name === 'parentFolderId' ? this.folder(where, shownValue, value) : []
    }
    if (jsonType(shownValue) !== jsonType(value) && tolerates(this.exchange, 'value', name)) return []
    return this.value(where, shownValue, value)
  }

  /** undefined: nothing is known of the value itself. */
  private exactly(where: string, name: string, expected: Json, actual: Json): string[] | undefined {
    const known = this.facts.controlled.has(name) || (name === '@odata.type' && !this.shortened)
    if (!known || containsPlaceholder(expected)) return undefined
    return same(expected, actual) ? [] : [`${where}: expected ${shown(expected)}, got ${shown(actual)}`]
  }

  private link(where: string, name: string, expected: Json, actual: Json): string[] {
    if (typeof expected !== 'string' || typeof actual !== 'string') return this.value(where, expected, actual)
    if (this.personal) return []
    // Older samples of the documentation spell the mailbox in ways that no recording has.
    if (this.shortened && !expected.includes("#users('"))
      return actual.startsWith(`${this.facts.baseUrl}/`) ? [] : [`${where}: ${actual} is not ours`]
    if (name === '@odata.nextLink' && this.exchange.captured < '2022') return []
    const link = name === '@odata.context' ? expectedContext : expectedNextLink
    const wanted = link(this.inVersion(expected), this.facts)
    return wanted === actual ? [] : [`${where}: expected ${wanted}, got ${actual}`]
  }

  /** Pages of beta show contexts of v1.0 where both share a sample. */
  private inVersion(link: string): string {
    return this.shortened ? link.replace(/\/(?:v1\.0|beta)\/\$metadata/, `/${this.exchange.version}/$metadata`) : link
  }

  /** Default folders have the same counter in every mailbox. */
  private folder(where: string, expected: Json, actual: string): string[] {
    const wanted = typeof expected === 'string' && !this.shortened ? defaultFolderCounter(expected) : undefined
    const ours = defaultFolderCounter(actual)
    if (wanted === undefined || wanted === ours) return []
    return [`${where}: expected the default folder with counter ${wanted}, got ${ours ?? 'another folder'}`]
  }

  /** Each item against the one shown of its own kind; a list that was not empty must not be empty. */
  private list(where: string, expected: readonly Json[], actual: readonly Json[]): string[] {
    const [first] = expected
    if (first === undefined) return actual.length === 0 || this.shortened ? [] : [`${where}: expected no items`]
    if (actual.length === 0) return [`${where}: expected items, got none`]
    return actual.flatMap((item, index) => {
      const like = expected.find((candidate) => kindOf(candidate) === kindOf(item)) ?? first
      return this.value(`${where}[${index}]`, like, item)
    })
  }
}

/** Its type, and whether it is only said to have left. */
function kindOf(item: Json): string {
  const left = isObject(item) && '@removed' in item ? 'removed ' : ''
  return left + (textMember(item, '@odata.type') ?? '')
}

function containsPlaceholder(value: Json): boolean {
  if (typeof value === 'string') return placeholder.test(value)
  if (isArray(value)) return value.some(containsPlaceholder)
  return isObject(value) && Object.values(value).some(containsPlaceholder)
}

/** Equal values; the order of members is compared elsewhere. */
function same(left: Json, right: Json): boolean {
  if (isArray(left) && isArray(right)) {
    return left.length === right.length && left.every((item, index) => same(item, right[index] ?? null))
  }
  if (isObject(left) && isObject(right)) {
    const names = new Set([...Object.keys(left), ...Object.keys(right)])
    return [...names].every((name) => name in left && name in right && same(left[name] ?? null, right[name] ?? null))
  }
  return left === right
}
