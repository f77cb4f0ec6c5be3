import type { CompiledQuery, Insertable, Kysely, RawBuilder } from 'kysely'
import type { Schema } from './schema.js'

/** A value both databases take and a worker thread can be handed. */
export type SqlValue = string | number | null | Uint8Array

/** One statement of a write. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
  /** The write fails as a whole unless exactly one row was changed: what the writer had read is no longer so. */
  readonly guarded?: boolean
  /** The rows of a `returning` are wanted. */
  readonly returnsRows?: boolean
  /**
   * How many of the first parameters are amounts that are added to what is there. Such statements of one commit that
   * agree in all else may be run as one, with the sums.
   */
  readonly amounts?: number
  /**
   * After the amounts comes a text that is part of a list: such statements of one commit may be run as one whatever their
   * other parameters, with the sums, the texts joined by commas, and all else as the first of them has it.
   */
  readonly listed?: boolean
  /** Reads what amounts are added to: those of the same commit that came before it are run first. */
  readonly readsAmounts?: boolean
}

export function statementOf(
  query: CompiledQuery,
  options: Pick<Statement, 'guarded' | 'returnsRows' | 'readsAmounts'> = {},
): Statement {
  return { sql: query.sql, parameters: query.parameters as readonly SqlValue[], ...options }
}

/**
 * An insert compiled once: building and compiling the query costs several times what the database takes to run it.
 * `columns` fixes the order of the parameters; `computed`: columns that the database works out.
 */
export function preparedInsert<Table extends keyof Schema & string, Column extends keyof Schema[Table] & string>(
  db: Kysely<Schema>,
  table: Table,
  columns: readonly Column[],
  computed?: Readonly<Record<string, RawBuilder<unknown>>>,
): (row: Pick<Schema[Table], Column>) => Statement {
  const sql = insertText(db, table, columns, computed)
  return (row) => {
    const parameters: SqlValue[] = new Array(columns.length)
    for (let index = 0; index < columns.length; index++) {
      parameters[index] = row[columns[index] as Column] as SqlValue
    }
    return { sql, parameters }
  }
}

/** The text of such an insert, for whoever lists the parameters without a row. */
export function insertText<Table extends keyof Schema & string>(
  db: Kysely<Schema>,
  table: Table,
  columns: readonly (keyof Schema[Table] & string)[],
  computed: Readonly<Record<string, RawBuilder<unknown>>> = {},
): string {
  const example = Object.fromEntries(columns.map((column) => [column, 0]))
  const values = { ...example, ...computed } as unknown as Insertable<Schema[Table]>
  return db.insertInto(table).values(values).compile().sql
}
