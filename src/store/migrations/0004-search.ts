import type { Kysely } from 'kysely'
import type { DatabaseDialect } from '../dialect.js'

/** The full-text index, and how many messages of each mailbox it has. Mail that is there is indexed in the background. */
export async function search(db: Kysely<unknown>, dialect: DatabaseDialect): Promise<void> {
  await db.schema
    .createTable('search_mailboxes')
    .addColumn('mailbox_id', dialect.integer, (column) => column.primaryKey().notNull())
    .addColumn('indexed_count', dialect.integer, (column) => column.notNull())
    .execute()
  await dialect.search.create(db)
}
