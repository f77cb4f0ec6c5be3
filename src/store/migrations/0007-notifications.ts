import type { Kysely } from 'kysely'
import type { DatabaseDialect } from '../dialect.js'

/** Subscriptions, what they are to be told, and changes of messages that somebody listens to (decision 20). */
export async function notifications(db: Kysely<unknown>, dialect: DatabaseDialect): Promise<void> {
  const { integer } = dialect

  await db.schema
    .createTable('subscriptions')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('application_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('expires_at', integer, (column) => column.notNull())
    .addColumn('details', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('subscriptions_by_mailbox').on('subscriptions').column('mailbox_id').execute()
  await db.schema
    .createIndex('subscriptions_by_application')
    .on('subscriptions')
    .columns(['tenant_id', 'application_id'])
    .execute()

  await db.schema
    .createTable('message_changes')
    .addColumn('id', dialect.risingNumber, (column) => column.primaryKey().notNull())
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('message_id', integer, (column) => column.notNull())
    .addColumn('from_folder', integer, (column) => column.notNull())
    .addColumn('from_moves', integer, (column) => column.notNull())
    .addColumn('to_folder', integer, (column) => column.notNull())
    .addColumn('to_moves', integer, (column) => column.notNull())
    .addColumn('change', integer, (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('notifications')
    .addColumn('id', integer, (column) => column.primaryKey().notNull())
    .addColumn('subscription_id', 'text', (column) => column.notNull())
    .addColumn('content', 'text', (column) => column.notNull())
    .addColumn('subscription', 'text')
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('due_at', integer, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('notifications_by_due').on('notifications').column('due_at').execute()
  await db.schema.createIndex('notifications_by_subscription').on('notifications').column('subscription_id').execute()
}
