import type { SqliteDatabase, SqliteStatement } from './sqlite-driver.js'
import type { SqlValue } from './statement.js'

/**
 * How a group of writes crosses from the main thread to the writer: one flat list of values, because copying one
 * long list between threads costs a fraction of what many small objects do.
 *
 *     [ writes, ( statements, ( statement number, flags, parameter count, ...parameters )... )... ]
 *
 * Statements are known by number; `newStatements` tells the text of those not seen before.
 */
export interface WriteGroup {
  readonly newStatements: readonly (readonly [number: number, sql: string])[]
  readonly values: readonly SqlValue[]
}

export const guardedFlag = 1
export const returnsRowsFlag = 2
export const listedFlag = 4
export const readsAmountsFlag = 8
/** Above the flags stands how many of the parameters are amounts. */
export const amountsShift = 4

export type Rows = readonly Record<string, unknown>[]

/** What became of one write of the group, where it is more than "committed, no rows". */
export type WriteOutcome =
  | { readonly index: number; readonly rows: readonly (readonly [statement: number, rows: Rows])[] }
  | { readonly index: number; readonly failure: 'conflict' | 'unavailable' | 'notSynced'; readonly message: string }

class GuardFailed extends Error {}

/** Statements kept compiled at most; far more than the program has, so only run-away text could reach it. */
const maxPrepared = 1_000

/**
 * Runs groups of writes, each group in one transaction with one sync to disk, each write wholly or not at all.
 * The thread that owns the database calls it; it never waits.
 */
export class SqliteGroupWriter {
  readonly #database: SqliteDatabase
  readonly #texts = new Map<number, string>()
  readonly #prepared = new Map<number, SqliteStatement>()
  /** Numbers the commit, for the rows that keep which one wrote them. */
  #nextCommit: SqliteStatement | undefined

  constructor(database: SqliteDatabase) {
    this.#database = database
  }

  /** The outcomes that are more than "committed": for most groups none. */
  run(group: WriteGroup): WriteOutcome[] {
    for (const [number, sql] of group.newStatements) this.#texts.set(number, sql)
    try {
      return this.#together(group.values)
    } catch (error) {
      this.#rollback()
      // One write of the group was at fault, or the disk. Apart, the innocent ones get through.
      return error instanceof GuardFailed || isStatementFault(error)
        ? this.#apart(group.values)
        : everyWriteFailed(group.values, error)
    }
  }

  /** The usual case: no savepoints, one commit, and a folder's counts changed once for all the mail it got. */
  #together(values: readonly SqlValue[]): WriteOutcome[] {
    const outcomes: WriteOutcome[] = []
    const sums = new Map<string, Addition>()
    this.#begin()
    forEachWrite(values, (index, start, statements) => {
      const rows = this.#runWrite(values, start, statements, sums)
      if (rows.length > 0) outcomes.push({ index, rows })
    })
    runAll(sums)
    this.#database.exec('commit')
    return outcomes
  }

  #apart(values: readonly SqlValue[]): WriteOutcome[] {
    const outcomes: WriteOutcome[] = []
    try {
      this.#begin()
      forEachWrite(values, (index, start, statements) => {
        this.#database.exec('savepoint one_write')
        try {
          const rows = this.#runWrite(values, start, statements)
          if (rows.length > 0) outcomes.push({ index, rows })
        } catch (error) {
          if (!this.#database.isTransaction) throw error
          this.#database.exec('rollback to one_write')
          outcomes.push(failureOf(index, error))
        }
        this.#database.exec('release one_write')
      })
      this.#database.exec('commit')
      return outcomes
    } catch (error) {
      this.#rollback()
      return everyWriteFailed(values, error)
    }
  }

  #begin(): void {
    this.#database.exec('begin immediate')
    this.#nextCommit ??= this.#database.prepare('update commits set number = number + 1')
    this.#nextCommit.run()
  }

  /** `sums`: where amounts are gathered instead of being added at once. */
  #runWrite(
    values: readonly SqlValue[],
    start: number,
    statements: number,
    sums?: Map<string, Addition>,
  ): (readonly [number, Rows])[] {
    const found: (readonly [number, Rows])[] = []
    let at = start
    for (let place = 0; place < statements; place++) {
      const statement = this.#statement(values[at] as number)
      const flags = values[at + 1] as number
      const end = at + 3 + (values[at + 2] as number)
      const parameters = values.slice(at + 3, end)
      const amounts = flags >> amountsShift
      if (flags & readsAmountsFlag && sums !== undefined) runAll(sums)
      if (amounts > 0 && sums !== undefined) {
        gather(sums, {
          number: values[at] as number,
          statement,
          parameters,
          amounts,
          isListed: (flags & listedFlag) > 0,
        })
      } else if (flags & returnsRowsFlag) {
        found.push([place, statement.all(...parameters) as Rows])
      } else if (flags & guardedFlag) {
        const { changes } = statement.run(...parameters)
        if (Number(changes) !== 1) throw new GuardFailed('a guarded statement changed no row')
      } else {
        // Like `run`, without an object that tells of changes nobody asks for: that one costs 0.7 µs.
        statement.get(...parameters)
      }
      at = end
    }
    return found
  }

  #statement(number: number): SqliteStatement {
    const known = this.#prepared.get(number)
    if (known !== undefined) return known
    const sql = this.#texts.get(number)
    if (sql === undefined) throw new Error(`statement ${number} was never described`)
    if (this.#prepared.size >= maxPrepared) this.#prepared.clear()
    const statement = this.#database.prepare(sql)
    this.#prepared.set(number, statement)
    return statement
  }

  #rollback(): void {
    // SQLite has already rolled back by itself after some errors, such as a full disk.
    if (this.#database.isTransaction) this.#database.exec('rollback')
  }
}

/** A statement that adds amounts, and their sums so far. */
interface Addition {
  readonly statement: SqliteStatement
  readonly parameters: SqlValue[]
}

/** What is added to a sum; `number` is the statement's. */
interface Addend extends Addition {
  readonly number: number
  readonly amounts: number
  readonly isListed: boolean
}

/** Adds what was gathered so far. */
function runAll(sums: Map<string, Addition>): void {
  for (const { statement, parameters } of sums.values()) statement.run(...parameters)
  sums.clear()
}

function gather(sums: Map<string, Addition>, addend: Addend): void {
  const { number, parameters, amounts, isListed } = addend
  const key = isListed ? `${number}` : `${number} ${parameters.slice(amounts).join(' ')}`
  const sum = sums.get(key)
  if (sum === undefined) {
    sums.set(key, addend)
    return
  }
  for (let index = 0; index < amounts; index++) {
    sum.parameters[index] = Number(sum.parameters[index]) + Number(parameters[index])
  }
  if (isListed) sum.parameters[amounts] = `${sum.parameters[amounts]},${parameters[amounts]}`
}

/** Calls `visit` with each write's index, where its first statement begins, and how many it has. */
export function forEachWrite(
  values: readonly SqlValue[],
  visit: (index: number, start: number, statements: number) => void,
): void {
  const writes = values[0] as number
  let at = 1
  for (let index = 0; index < writes; index++) {
    const statements = values[at] as number
    const start = at + 1
    visit(index, start, statements)
    at = start
    for (let place = 0; place < statements; place++) at += 3 + (values[at + 2] as number)
  }
}

function everyWriteFailed(values: readonly SqlValue[], error: unknown): WriteOutcome[] {
  const outcomes: WriteOutcome[] = []
  forEachWrite(values, (index) => outcomes.push(failureOf(index, error)))
  return outcomes
}

function failureOf(index: number, error: unknown): WriteOutcome {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof GuardFailed) return { index, failure: 'conflict', message }
  return { index, failure: isSyncFault(error) ? 'notSynced' : 'unavailable', message }
}

/** SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC. */
const syncFaults = new Set([1_034, 1_290])

function isSyncFault(error: unknown): boolean {
  const { errcode, sqliteExtendedCode } = error as { errcode?: number; sqliteExtendedCode?: number }
  return syncFaults.has(sqliteExtendedCode ?? errcode ?? 0)
}

/** SQLite's primary result codes that blame the statement (SQLITE_CONSTRAINT, SQLITE_TOOBIG, SQLITE_MISMATCH), not the disk. */
const statementFaults = new Set([18, 19, 20])

function isStatementFault(error: unknown): boolean {
  const { errcode, sqliteCode } = error as { errcode?: number; sqliteCode?: number }
  return statementFaults.has((errcode ?? sqliteCode ?? 0) & 0xff)
}
