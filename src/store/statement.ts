import { type CompiledQuery, type Insertable, type Kysely, type RawBuilder, sql } from './kysely.js'
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
  /** The same for parameters that are what they usually are: SQLite's writer takes it then. */
  readonly usual?: UsualForm
}

/**
 * A statement with some values written into it. To hand a number or a null to the writer's thread and to bind it there
 * costs 0.1 µs, half of what it costs to keep it.
 */
export interface UsualForm {
  readonly sql: string
  /** What the parameters in these places must be. */
  readonly values: readonly (readonly [place: number, value: SqlValue])[]
  /** The places of the other parameters, which it still has, in order. */
  readonly rest: readonly number[]
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
  computed: Readonly<Record<string, RawBuilder<unknown>>> = {},
): (row: Pick<Schema[Table], Column>) => Statement {
  const example = Object.fromEntries(columns.map((column) => [column, 0]))
  const values = { ...example, ...computed } as unknown as Insertable<Schema[Table]>
  const { sql } = db.insertInto(table).values(values).compile()
  return (row) => {
    const parameters: SqlValue[] = new Array(columns.length)
    for (let index = 0; index < columns.length; index++) {
      parameters[index] = row[columns[index] as Column] as SqlValue
    }
    return { sql, parameters }
  }
}

/** A {@link preparedInsert} of a row that has these values. */
export function usualInsert<Table extends keyof Schema & string, Column extends keyof Schema[Table] & string>(
  db: Kysely<Schema>,
  table: Table,
  columns: readonly Column[],
  usual: ReadonlyMap<Column, number | null>,
  computed: Readonly<Record<string, RawBuilder<unknown>>> = {},
): UsualForm {
  const values: [number, SqlValue][] = []
  const rest: number[] = []
  const row = columns.map((column, place) => {
    const value = usual.get(column)
    if (value === undefined) rest.push(place)
    else values.push([place, value])
    return [column, value === undefined ? 0 : sql.lit(value)] as const
  })
  const written = { ...Object.fromEntries(row), ...computed } as unknown as Insertable<Schema[Table]>
  return { sql: db.insertInto(table).values(written).compile().sql, values, rest }
}
