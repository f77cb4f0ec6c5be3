import type { SqliteDatabase, SqliteStatement } from './sqlite-driver.js'
import type { SqlValue } from './statement.js'
import type { NumberedStatement, WriteGroup } from './write-group.js'

export type Rows = readonly Record<string, unknown>[]

/** What became of one write of the group, where it is more than "committed, no rows"; `rows`: of each statement that returns some. */
export type WriteOutcome =
  | { readonly index: number; readonly rows: readonly Rows[] }
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
  readonly #described = new Map<number, NumberedStatement>()
  readonly #prepared = new Map<number, SqliteStatement>()
  /** Numbers the commit, for the rows that keep which one wrote them. */
  #nextCommit: SqliteStatement | undefined

  constructor(database: SqliteDatabase) {
    this.#database = database
  }

  /**
   * The outcomes that are more than "committed": for most groups none. Undefined: one write was at fault, so that nothing is
   * written yet; apart, the innocent ones get through.
   */
  run({ newStatements, values, isApart }: WriteGroup): WriteOutcome[] | undefined {
    for (const statement of newStatements) this.#described.set(statement.number, statement)
    try {
      return isApart ? this.#apart(values) : this.#together(values)
    } catch (error) {
      this.#rollback()
      const blamesWrite = error instanceof GuardFailed || isStatementFault(error)
      return blamesWrite && !isApart ? undefined : everyWriteFailed(values, error)
    }
  }

  /** The usual case: no savepoints, one commit. */
  #together(values: readonly SqlValue[]): WriteOutcome[] {
    const outcomes: WriteOutcome[] = []
    const writes = values[0] as number
    this.#begin()
    for (let index = 0, at = 1; index < writes; index++) at = this.#runWrite(values, at, index, outcomes)
    this.#database.exec('commit')
    return outcomes
  }

  #apart(values: readonly SqlValue[]): WriteOutcome[] {
    const outcomes: WriteOutcome[] = []
    const writes = values[0] as number
    this.#begin()
    for (let index = 0, at = 1; index < writes; index++) {
      this.#database.exec('savepoint one_write')
      try {
        this.#runWrite(values, at, index, outcomes)
      } catch (error) {
        if (!this.#database.isTransaction) throw error
        this.#database.exec('rollback to one_write')
        outcomes.push(failureOf(index, error))
      }
      this.#database.exec('release one_write')
      at = this.#endOfWrite(values, at)
    }
    this.#database.exec('commit')
    return outcomes
  }

  #begin(): void {
    this.#database.exec('begin immediate')
    this.#nextCommit ??= this.#database.prepare('update commits set number = number + 1')
    this.#nextCommit.run()
  }

  /** @param at where the write begins @returns where the next one does */
  #runWrite(values: readonly SqlValue[], at: number, index: number, outcomes: WriteOutcome[]): number {
    let found: Rows[] | undefined
    const statements = values[at++] as number
    for (let done = 0; done < statements; done++) {
      const number = values[at] as number
      const described = this.#describe(number)
      const end = at + 1 + described.parameters
      const parameters = values.slice(at + 1, end)
      const statement = this.#prepare(number, described.sql)
      if (described.returnsRows) {
        found ??= []
        found.push(statement.all(...parameters) as Rows)
      } else if (described.guarded) {
        const { changes } = statement.run(...parameters)
        if (Number(changes) !== 1) throw new GuardFailed('a guarded statement changed no row')
      } else {
        // Like `run`, without an object that tells of changes nobody asks for: that one costs 0.7 µs.
        statement.get(...parameters)
      }
      at = end
    }
    if (found !== undefined) outcomes.push({ index, rows: found })
    return at
  }

  #endOfWrite(values: readonly SqlValue[], start: number): number {
    let at = start + 1
    for (let left = values[start] as number; left > 0; left--) at += 1 + this.#describe(values[at] as number).parameters
    return at
  }

  #describe(number: number): NumberedStatement {
    const known = this.#described.get(number)
    if (known === undefined) throw new Error(`statement ${number} was never described`)
    return known
  }

  #prepare(number: number, sql: string): SqliteStatement {
    const known = this.#prepared.get(number)
    if (known !== undefined) return known
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

function everyWriteFailed(values: readonly SqlValue[], error: unknown): WriteOutcome[] {
  return Array.from({ length: values[0] as number }, (_, index) => failureOf(index, error))
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

/** So does an error without a code, as the package's `all` throws it. Were it the disk, each write fails by itself when they run apart. */
function isStatementFault(error: unknown): boolean {
  const { errcode, sqliteCode } = error as { errcode?: number; sqliteCode?: number }
  const code = errcode ?? sqliteCode
  return code === undefined || statementFaults.has(code & 0xff)
}
