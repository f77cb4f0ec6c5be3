import type { DatabaseDialect } from './dialect.js'
import { type Kysely, type Migration, Migrator, sql } from './kysely.js'
import { first } from './migrations/0001-first.js'
import { identity } from './migrations/0002-identity.js'
import { queries } from './migrations/0003-queries.js'
import { search } from './migrations/0004-search.js'
import { folders } from './migrations/0005-folders.js'
import { delta } from './migrations/0006-delta.js'
import { notifications } from './migrations/0007-notifications.js'
import { aroundTheMailbox } from './migrations/0008-around-the-mailbox.js'
import { queue } from './migrations/0010-queue.js'
import { trace } from './migrations/0012-trace.js'
import type { Schema } from './schema.js'

/** Every migration, oldest first. Append only: one that was released is never edited. */
const migrations: Record<string, (db: Kysely<unknown>, dialect: DatabaseDialect) => Promise<void>> = {
  '0001-first': first,
  '0002-identity': identity,
  '0003-queries': queries,
  '0004-search': search,
  '0005-folders': folders,
  '0006-delta': delta,
  '0007-notifications': notifications,
  '0008-around-the-mailbox': aroundTheMailbox,
  '0010-queue': queue,
  '0012-trace': trace,
}

/** Brings the database to the newest schema; does nothing when it is there already. */
export async function migrate(db: Kysely<Schema>, dialect: DatabaseDialect): Promise<void> {
  if (await isNewest(db)) return
  const migrator = new Migrator({
    db,
    provider: {
      getMigrations: async () =>
        Object.fromEntries(
          Object.entries(migrations).map(([name, up]): [string, Migration] => [
            name,
            { up: (target) => up(target, dialect) },
          ]),
        ),
    },
  })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}

/**
 * Whether the migrations that were run are exactly ours, as at nearly every start: one statement, where the migrator looks
 * at each column of each table, twice. Whatever else there is, a database that cannot be read too, is the migrator's to say.
 */
async function isNewest(db: Kysely<Schema>): Promise<boolean> {
  try {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db)
    const run = new Set(rows.map(({ name }) => name))
    const ours = Object.keys(migrations)
    return run.size === ours.length && ours.every((name) => run.has(name))
  } catch {
    return false
  }
}
