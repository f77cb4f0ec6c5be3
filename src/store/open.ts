import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { IdentityStore } from '../identity/store.js'
import type { IdSequence } from '../mail/ids.js'
import type { MailStore } from '../mail/store.js'
import { BlobFolder } from './blob-folder.js'
import { SqlCallLog } from './call-log.js'
import type { Database } from './database.js'
import { postgres, sqlite } from './dialect.js'
import { sqlIdentityStore } from './identity.js'
import { sqlMailStore } from './mail-store.js'
import { migrate } from './migrate.js'
import { openIdSequence } from './sequences.js'
import { openSqliteDatabase } from './sqlite.js'
import type { WriterEvents } from './sqlite-writer.js'

/** Where things are kept. */
export type StoreLocation =
  | { readonly kind: 'memory' }
  | { readonly kind: 'folder'; readonly path: string }
  /** `postgres://user:password@host:port/database`; `blobs`: the folder for bytes that are too large for a row. */
  | { readonly kind: 'postgres'; readonly url: string; readonly blobs: string }

/** Everything that is kept, behind the ports of the domain and of identity. */
export interface Store {
  readonly mail: MailStore
  readonly identity: IdentityStore
  readonly calls: SqlCallLog
  readonly ids: IdSequence
  close(): Promise<void>
}

/**
 * Opens the store, bringing its schema up to date; `keepCalls` bounds the call records. `mailChanged` is called after each
 * write of the mail domain; it must cost nothing. `events`: of SQLite's writer.
 */
export async function openStore(
  location: StoreLocation,
  keepCalls: number,
  mailChanged: () => void = () => {},
  events: WriterEvents = {},
): Promise<Store> {
  const blobs = blobsOf(location)
  const database = await openDatabase(location, events)
  try {
    const ids = await openIdSequence(database)
    const calls = new SqlCallLog(database, ids, keepCalls)
    return {
      mail: sqlMailStore(database, new BlobFolder(blobs.path), mailChanged),
      identity: sqlIdentityStore(database),
      calls,
      ids,
      close: async () => {
        await calls.flush()
        await database.close()
        if (blobs.isTemporary) await rm(blobs.path, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** A store in memory has its blobs in a folder all the same, gone with it: they are what memory is too small for. */
function blobsOf(location: StoreLocation): { path: string; isTemporary: boolean } {
  if (location.kind === 'folder') return { path: join(location.path, 'blobs'), isTemporary: false }
  if (location.kind === 'postgres') return { path: location.blobs, isTemporary: false }
  return { path: join(tmpdir(), `graphpost-${randomUUID()}`), isTemporary: true }
}

async function openDatabase(location: StoreLocation, events: WriterEvents): Promise<Database> {
  if (location.kind === 'postgres') {
    // Loaded when it is needed: SQLite is what most start with, and quickly.
    const { openPostgresDatabase } = await import('./postgres.js')
    return openPostgresDatabase(location.url, (read) => migrate(read, postgres))
  }
  if (location.kind === 'memory') return openSqliteDatabase(':memory:', (read) => migrate(read, sqlite), events)
  // Mail is nobody's business but its owner's.
  mkdirSync(location.path, { recursive: true, mode: 0o700 })
  return openSqliteDatabase(join(location.path, 'graphpost.sqlite'), (read) => migrate(read, sqlite), events)
}
