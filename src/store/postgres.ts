import { createHash } from 'node:crypto'
import pg from 'pg'
import { type Database, noRows, StoreUnavailable, WriteConflict, type WriteRows } from './database.js'
import { postgres } from './dialect.js'
import { Kysely, PostgresDialect } from './kysely.js'
import type { Schema } from './schema.js'
import type { Statement } from './statement.js'

/** Connections at most: PostgreSQL groups the commits that run at the same time into one sync. */
const maxConnections = 16

/** OID of `int8`. Ours stay under 2^53 by construction (48-bit numbers, ms since 1970), so a number holds them. */
const int8 = 20

/**
 * A PostgreSQL database.
 *
 * @param url `postgres://user:password@host:port/database`
 */
export async function openPostgresDatabase(
  url: string,
  migrate: (read: Kysely<Schema>) => Promise<void>,
): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    types: {
      getTypeParser: (oid, format) => (oid === int8 ? Number : pg.types.getTypeParser(oid, format)),
    },
  })
  // A connection that dies, idle or in use, fails the query it serves and is replaced at the next use. Without
  // listeners it would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const read = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  try {
    await migrate(read)
  } catch (error) {
    await read.destroy()
    throw error
  }
  return {
    dialect: postgres,
    read,
    write: (statements) => writeTogether(pool, statements),
    close: () => read.destroy(),
  }
}

/** Two writes waited for each other's rows, and PostgreSQL has undone one of them. */
const deadlockDetected = '40P01'
/** Times that a write is undone for that before it is given up. */
const maxDeadlocks = 10

/** A write is a list of statements that wait for nothing: undone, it can be run again as it is. */
async function writeTogether(pool: pg.Pool, statements: readonly Statement[]): Promise<WriteRows> {
  for (let tries = 1; ; tries++) {
    try {
      return await writeOnce(pool, statements)
    } catch (error) {
      const isDeadlock = error instanceof StoreUnavailable && error.sqlState === deadlockDetected
      if (!isDeadlock || tries === maxDeadlocks) throw error
    }
  }
}

async function writeOnce(pool: pg.Pool, statements: readonly Statement[]): Promise<WriteRows> {
  let client: pg.PoolClient | undefined
  try {
    client = await pool.connect()
    const rows = await runTransaction(client, statements)
    client.release()
    return rows
  } catch (error) {
    // A connection in an unknown state is not used again.
    client?.release(!(error instanceof WriteConflict))
    if (error instanceof WriteConflict) throw error
    const { code } = error as { code?: string }
    throw new StoreUnavailable(error instanceof Error ? error.message : String(error), code)
  }
}

async function runTransaction(client: pg.PoolClient, statements: readonly Statement[]): Promise<WriteRows> {
  let rows: Map<number, Record<string, unknown>[]> | undefined
  await client.query('begin')
  for (const [place, statement] of statements.entries()) {
    const result = await client.query({
      name: nameOf(statement.sql),
      text: statement.sql,
      values: statement.parameters as unknown[],
    })
    if (statement.guarded && result.rowCount !== 1) {
      await client.query('rollback')
      throw new WriteConflict('a guarded statement changed no row')
    }
    if (statement.returnsRows) {
      rows ??= new Map()
      rows.set(place, result.rows)
    }
  }
  await client.query('commit')
  return rows ?? noRows
}

const names = new Map<string, string>()

/** A name makes PostgreSQL parse and plan a statement once per connection. */
function nameOf(sql: string): string {
  let name = names.get(sql)
  if (name === undefined) {
    name = createHash('sha256').update(sql).digest('hex').slice(0, 32)
    names.set(sql, name)
  }
  return name
}
