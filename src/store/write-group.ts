import type { SqlValue, Statement } from './statement.js'

/**
 * How a group of writes crosses from the main thread to the writer: one flat list of values, because copying one
 * long list between threads costs a fraction of what many small objects do.
 *
 *     [ writes, ( statements, ( statement number, ...parameters )... )... ]
 *
 * Statements are known by number; `newStatements` tells of those not seen before.
 */
export interface WriteGroup {
  readonly newStatements: readonly NumberedStatement[]
  readonly values: readonly SqlValue[]
  /** Each write holds all of its statements and stands or falls alone; otherwise amounts are summed up, and all stand or fall. */
  readonly isApart: boolean
}

/** All of a statement but its parameters. */
export interface NumberedStatement {
  readonly number: number
  readonly sql: string
  /** How many follow its number. */
  readonly parameters: number
  readonly guarded: boolean
  readonly returnsRows: boolean
}

/** Writes groups in that form. One for each writer, which has seen what this one has told. */
export class GroupEncoder {
  readonly #known = new Map<string, NumberedStatement[]>()
  #count = 0
  #newStatements: NumberedStatement[] = []

  encode(writes: readonly { readonly statements: readonly Statement[] }[], isApart: boolean): WriteGroup {
    const values: SqlValue[] = [writes.length]
    const sums = isApart ? undefined : new Sums()
    for (let index = 0; index < writes.length; index++) {
      const { statements } = writes[index] as (typeof writes)[number]
      const countAt = values.push(0) - 1
      let count = 0
      for (const statement of statements) {
        if (sums !== undefined && statement.readsAmounts) count += this.#pushAll(values, sums)
        if (sums !== undefined && statement.amounts !== undefined) {
          sums.add(statement)
          continue
        }
        this.#push(values, statement)
        count++
      }
      if (sums !== undefined && index === writes.length - 1) count += this.#pushAll(values, sums)
      values[countAt] = count
    }
    const newStatements = this.#newStatements
    this.#newStatements = []
    return { newStatements, values, isApart }
  }

  /** @returns how many statements that were */
  #pushAll(values: SqlValue[], sums: Sums): number {
    const taken = sums.take()
    for (const sum of taken) this.#push(values, sum)
    return taken.length
  }

  #push(values: SqlValue[], statement: Statement): void {
    const { parameters } = statement
    values.push(this.#numberOf(statement))
    for (let index = 0; index < parameters.length; index++) values.push(parameters[index] as SqlValue)
  }

  #numberOf({ sql, parameters, guarded = false, returnsRows = false }: Statement): number {
    let known = this.#known.get(sql)
    if (known === undefined) {
      known = []
      this.#known.set(sql, known)
    }
    for (const one of known) {
      const isSame = one.guarded === guarded && one.returnsRows === returnsRows
      if (isSame && one.parameters === parameters.length) return one.number
    }
    const number = this.#count++
    const found = { number, sql, parameters: parameters.length, guarded, returnsRows }
    known.push(found)
    this.#newStatements.push(found)
    return number
  }
}

/** A statement that adds amounts, for all that agree with it. */
interface Sum {
  readonly statement: Statement
  readonly parameters: SqlValue[]
  readonly texts: SqlValue[]
}

/** Statements that add amounts, of many writes: a folder's counts are changed once for all the mail it got. */
class Sums {
  readonly #bySql = new Map<string, Sum[]>()

  add(statement: Statement): void {
    const { sql, parameters, amounts = 0, listed } = statement
    const sums = this.#bySql.get(sql)
    const sum = sums?.find((candidate) => listed || agree(candidate.parameters, parameters, amounts))
    if (sum === undefined) {
      const first = { statement, parameters: [...parameters], texts: listed ? [parameters[amounts] as SqlValue] : [] }
      if (sums === undefined) this.#bySql.set(sql, [first])
      else sums.push(first)
      return
    }
    for (let index = 0; index < amounts; index++) {
      sum.parameters[index] = Number(sum.parameters[index]) + Number(parameters[index])
    }
    if (listed) sum.texts.push(parameters[amounts] as SqlValue)
  }

  /** What was added so far; it then begins anew. */
  take(): Statement[] {
    const taken: Statement[] = []
    for (const sums of this.#bySql.values()) {
      for (const { statement, parameters, texts } of sums) {
        if (statement.listed) parameters[statement.amounts ?? 0] = texts.join(',')
        taken.push({ ...statement, parameters })
      }
    }
    this.#bySql.clear()
    return taken
  }
}

/** Whether they are the same from a place on. */
function agree(one: readonly SqlValue[], other: readonly SqlValue[], from: number): boolean {
  for (let index = from; index < other.length; index++) if (one[index] !== other[index]) return false
  return true
}
