import type { Kysely } from 'kysely'
import type { DatabaseDialect } from './dialect.js'
import type { Schema } from './schema.js'
import type { Statement } from './statement.js'

/** Rows of the statements that asked for them, by the statement's place in the write. */
export type WriteRows = ReadonlyMap<number, readonly Record<string, unknown>[]>

/** One SQL database: reads through the query builder, writes as whole units. */
export interface Database {
  readonly dialect: DatabaseDialect
  /** For reading and for compiling; never used to change rows. */
  readonly read: Kysely<Schema>
  /**
   * Commits the statements together; resolves once they are on disk.
   *
   * @throws WriteConflict when a guarded statement did not change exactly one row
   * @throws StoreUnavailable when the disk is full, the database is gone or refuses
   */
  write(statements: readonly Statement[]): Promise<WriteRows>
  /** Finishes the writes under way, then closes. */
  close(): Promise<void>
}

export const noRows: WriteRows = new Map()

/** A guard did not hold. Nothing of the write was kept. */
export class WriteConflict extends Error {
  override readonly name = 'WriteConflict'
}

/** The database could not keep a write. Nothing of it was kept, and nothing was promised. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
  /** PostgreSQL's SQLSTATE, where it gave one. */
  readonly sqlState: string | undefined

  constructor(message: string, sqlState?: string) {
    super(message)
    this.sqlState = sqlState
  }
}
