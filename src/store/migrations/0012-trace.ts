import type { Kysely } from 'kysely'
import type { DatabaseDialect } from '../dialect.js'

/** What was said in attempts to deliver (decision 26), and the keys of calls that may be repeated (decision 25). */
export async function trace(db: Kysely<unknown>, dialect: DatabaseDialect): Promise<void> {
  const { integer } = dialect
  await db.schema
    .createTable('delivery_attempts')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('message_id', integer, (column) => column.notNull())
    .addColumn('destination', 'text', (column) => column.notNull())
    .addColumn('slot', integer, (column) => column.notNull())
    .addColumn('attempt', integer, (column) => column.notNull())
    .addColumn('at', integer, (column) => column.notNull())
    .addColumn('record', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('delivery_attempts_key', ['mailbox_id', 'message_id', 'destination', 'slot'])
    .execute()

  await db.schema
    .createTable('idempotency_keys')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('application_id', 'text', (column) => column.notNull())
    .addColumn('key_hash', 'text', (column) => column.notNull())
    .addColumn('request_hash', 'text', (column) => column.notNull())
    .addColumn('expires_at', integer, (column) => column.notNull())
    .addColumn('answer', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotency_keys_key', ['mailbox_id', 'application_id', 'key_hash'])
    .execute()
  await db.schema.createIndex('idempotency_keys_by_end').on('idempotency_keys').columns(['expires_at']).execute()
}
