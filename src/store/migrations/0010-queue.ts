import type { DatabaseDialect } from '../dialect.js'
import { type Kysely, sql } from '../kysely.js'

/**
 * The outbox by destination. An open entry stands in one of three small indexes: `ready` ones by destination, those that
 * wait for a moment by that, held ones by their age. So a claim finds the destinations that have something to do, and
 * the oldest entries of each, however many wait elsewhere.
 */
export async function queue(db: Kysely<unknown>, dialect: DatabaseDialect): Promise<void> {
  const { integer } = dialect
  await db.schema.alterTable('outbox').addColumn('wish', 'text').execute()
  await sql`drop index outbox_due`.execute(db)
  await sql`create index outbox_ready on outbox (destination, due_at) where state = 'ready'`.execute(db)
  await sql`create index outbox_waiting on outbox (due_at) where state in ('queued', 'sending')`.execute(db)
  await sql`create index outbox_held on outbox (created_at) where state = 'held'`.execute(db)

  await db.schema
    .createTable('scheduled_sends')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('message_id', integer, (column) => column.notNull())
    .addColumn('due_at', integer, (column) => column.notNull())
    .addColumn('details', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('scheduled_sends_key', ['mailbox_id', 'message_id'])
    .execute()
  await sql`create index scheduled_sends_due on scheduled_sends (due_at)`.execute(db)
}
