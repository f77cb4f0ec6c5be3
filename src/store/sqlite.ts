import type { Database, WriteRows } from './database.js'
import { sqlite } from './dialect.js'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from './kysely.js'
import type { Schema } from './schema.js'
import { openSqlite, type SqliteDatabase, type SqliteStatement } from './sqlite-driver.js'
import { SqliteWriter, type WriterEvents } from './sqlite-writer.js'
import type { SqlValue, Statement } from './statement.js'

/**
 * A SQLite database: a connection on this thread for reading, and the writer's. WAL lets the two go on side by side.
 *
 * @param path a file, or `:memory:` (then one connection serves both)
 * @param migrate run on the reading connection before the writer opens
 */
export async function openSqliteDatabase(
  path: string,
  migrate: (read: Kysely<Schema>) => Promise<void>,
  events: WriterEvents = {},
): Promise<Database> {
  const connection = openSqlite(path)
  const read = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new SqliteKyselyDriver(connection),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
  try {
    await migrate(read)
  } catch (error) {
    await read.destroy()
    throw error
  }
  const writer =
    path === ':memory:' ? SqliteWriter.onConnection(connection, events) : SqliteWriter.onThread(path, events)
  return {
    dialect: sqlite,
    read,
    write: (statements: readonly Statement[]): Promise<WriteRows> => writer.write(statements),
    close: async () => {
      await writer.close()
      await read.destroy()
    },
  }
}

/** Statements kept compiled for reading. */
const maxPrepared = 200

/** Kysely over the `node:sqlite` API. Its calls are synchronous, so one connection serves everyone. */
class SqliteKyselyDriver implements Driver {
  readonly #database: SqliteDatabase
  readonly #connection: DatabaseConnection

  constructor(database: SqliteDatabase) {
    this.#database = database
    const prepared = new Map<string, SqliteStatement>()
    this.#connection = {
      async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
        let statement = prepared.get(query.sql)
        if (statement === undefined) {
          if (prepared.size >= maxPrepared) prepared.clear()
          statement = database.prepare(query.sql)
          prepared.set(query.sql, statement)
        }
        return { rows: statement.all(...(query.parameters as SqlValue[])) as Row[] }
      },
      streamQuery: () => {
        throw new Error('streaming is not used')
      },
    }
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    if (this.#database.isOpen) this.#database.close()
  }
}
