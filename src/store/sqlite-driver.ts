import type * as Sqlite from '@photostructure/sqlite'

export type SqliteDatabase = Sqlite.DatabaseSyncInstance
export type SqliteStatement = Sqlite.StatementSyncInstance

type DatabaseConstructor = new (path: string) => SqliteDatabase

const [major = 0] = process.versions.node.split('.').map(Number)

/**
 * `node:sqlite` where Node has it without a flag; before that the package with the same API, built from the same
 * SQLite. One interface, so that nothing else knows which.
 */
const { DatabaseSync } = (major >= 22
  ? await import('node:sqlite' as string)
  : await import('@photostructure/sqlite')) as unknown as { DatabaseSync: DatabaseConstructor }

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
  const database = new DatabaseSync(path)
  database.exec(`pragma busy_timeout = ${busyTimeoutMs}`)
  if (path !== ':memory:') {
    database.exec(`pragma page_size = ${pageBytes}`)
    database.exec('pragma journal_mode = wal')
    database.exec(`pragma wal_autocheckpoint = ${checkpointPages}`)
  }
  database.exec('pragma synchronous = full')
  return database
}
