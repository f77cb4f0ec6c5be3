import type * as Sqlite from '@photostructure/sqlite'

export type SqliteDatabase = Sqlite.DatabaseSyncInstance
export type SqliteStatement = Sqlite.StatementSyncInstance

type DatabaseConstructor = new (path: string) => SqliteDatabase

/** A build of SQLite with the API of `node:sqlite`, so that nothing else knows which one it is. */
export interface SqliteBuild {
  readonly name: string
  readonly load: () => Promise<unknown>
}

/** Node's own is absent before 22.13 (or behind a flag) and lacks FTS5 in the first versions after; the package has both. */
const builds: readonly SqliteBuild[] = [
  { name: 'node:sqlite', load: () => import('node:sqlite' as string) },
  { name: '@photostructure/sqlite', load: () => import('@photostructure/sqlite') },
]

/** What the search needs of SQLite; it is tried instead of asking for a version, since builds differ. Some 0.3 ms. */
const neededTable = `create virtual table needed using fts5(words, content = '', contentless_delete = 1)`

/**
 * The first build that can do what the store needs, or why none can: that is said when a database is opened, since with
 * PostgreSQL none is.
 */
export async function chooseSqlite(candidates: readonly SqliteBuild[]): Promise<DatabaseConstructor | Error> {
  const reasons: string[] = []
  for (const { name, load } of candidates) {
    try {
      const { DatabaseSync } = (await load()) as { DatabaseSync: DatabaseConstructor }
      const trial = new DatabaseSync(':memory:')
      try {
        trial.exec(neededTable)
      } finally {
        trial.close()
      }
      return DatabaseSync
    } catch (error) {
      reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return new Error(
    `Graphpost needs an SQLite with full-text search (FTS5), and Node ${process.versions.node} has none: ${reasons.join('; ')}. ` +
      'Install the dependencies again (npm ci) for this platform, take a newer Node, or set a PostgreSQL store.',
  )
}

const chosen = await chooseSqlite(builds)

/** How long a statement waits for another process that holds the write lock, ms. */
const busyTimeoutMs = 5_000

/**
 * Bytes of a page of a new database. A mail of 2 KB and its overhead fill half a page of SQLite's usual 4 KB; with 8 KB
 * the same mails took 27 % less CPU to write (docs/decisions/0003).
 */
const pageBytes = 8_192
/** Pages in the log before it is copied into the database: 32 MB, so that commits seldom wait for that. */
const checkpointPages = 4_000

/**
 * Opens a database file, or `:memory:`.
 *
 * WAL lets readers and the one writer go on side by side. `synchronous=FULL` syncs the log at every commit: what
 * is committed survives a power cut, which is what a 202 promises.
 */
export function openSqlite(path: string): SqliteDatabase {
  if (chosen instanceof Error) throw chosen
  const database = new chosen(path)
  database.exec(`pragma busy_timeout = ${busyTimeoutMs}`)
  if (path !== ':memory:') {
    database.exec(`pragma page_size = ${pageBytes}`)
    database.exec('pragma journal_mode = wal')
    database.exec(`pragma wal_autocheckpoint = ${checkpointPages}`)
  }
  database.exec('pragma synchronous = full')
  return database
}
