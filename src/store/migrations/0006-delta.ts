import type { DatabaseDialect } from '../dialect.js'
import { type Kysely, sql } from '../kysely.js'

/** What delta queries stand on: which commit wrote a row last, and what has left each folder (decision 19). */
export async function delta(db: Kysely<unknown>, dialect: DatabaseDialect): Promise<void> {
  const { integer } = dialect
  await addNumber(db, dialect, 'messages')
  await db.schema.alterTable('messages').addColumn('entered_number', integer).execute()
  await db.schema
    .createIndex('messages_by_commit')
    .on('messages')
    .columns(['mailbox_id', 'folder_id', 'commit_number', 'id'])
    .execute()
  await addNumber(db, dialect, 'mail_folders')

  await db.schema
    .createTable('removals')
    .addColumn('id', dialect.risingNumber, (column) => column.primaryKey().notNull())
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('folder_id', integer, (column) => column.notNull())
    .addColumn('item_id', integer, (column) => column.notNull())
    .addColumn('moves', integer, (column) => column.notNull())
    .addColumn('received_at', integer, (column) => column.notNull())
    .addColumn('commit_number', integer, (column) => column.notNull())
    .addColumn('removed_at', integer, (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('removals_by_commit')
    .on('removals')
    .columns(['mailbox_id', 'folder_id', 'commit_number', 'id'])
    .execute()
  await sql`insert into sequences (name, next) values ('forgotten', 0)`.execute(db)
  // One row: reading it for every row that is written costs the least of what was tried.
  await db.schema
    .createTable('commits')
    .addColumn('number', integer, (column) => column.notNull())
    .execute()
  await sql`insert into commits (number) values (0)`.execute(db)
}

/** Rows from before have 0: no token is older than that. */
async function addNumber(db: Kysely<unknown>, { integer }: DatabaseDialect, table: string): Promise<void> {
  await db.schema
    .alterTable(table)
    .addColumn('commit_number', integer, (column) => column.notNull().defaultTo(0))
    .execute()
}
