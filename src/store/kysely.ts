/**
 * Kysely, taken as the CommonJS that it ships beside its ES modules. Its 260 files are more than a third of what a start
 * loads, and read like this they take two thirds of the time and of the memory. Only values need to come from here: a
 * file that needs nothing but types imports them from the package itself.
 */
import { createRequire } from 'node:module'
import type * as kysely from 'kysely'

export type * from 'kysely'

const library: typeof kysely = createRequire(import.meta.url)('kysely')

export const {
  CompiledQuery,
  Kysely,
  Migrator,
  PostgresDialect,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} = library

/** These classes are types too. */
export type Kysely<Tables> = kysely.Kysely<Tables>
export type CompiledQuery<Row = unknown> = kysely.CompiledQuery<Row>
