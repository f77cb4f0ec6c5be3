import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import { firstCategories } from '../../mail/outlook-category.js'
import type { DatabaseDialect } from '../dialect.js'
import type { Schema } from '../schema.js'

/** What surrounds a mailbox: its settings, whom it has answered, categories, overrides of the focused inbox, rules. */
export async function aroundTheMailbox(db: Kysely<unknown>, dialect: DatabaseDialect): Promise<void> {
  const { integer } = dialect

  // Read with the row that a delivery reads anyway: a mailbox that minds nothing costs a delivery nothing.
  await db.schema
    .alterTable('mailboxes')
    .addColumn('minds_arrivals', integer, (column) => column.notNull().defaultTo(0))
    .execute()

  await db.schema
    .createTable('mailbox_settings')
    .addColumn('mailbox_id', integer, (column) => column.primaryKey().notNull())
    .addColumn('change', integer, (column) => column.notNull())
    .addColumn('settings', 'text', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('automatic_replies')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('address_key', 'text', (column) => column.notNull())
    .addColumn('period', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('automatic_replies_key', ['mailbox_id', 'address_key'])
    .execute()

  await db.schema
    .createTable('outlook_categories')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('position', integer, (column) => column.notNull())
    .addColumn('name_key', 'text', (column) => column.notNull())
    .addColumn('display_name', 'text', (column) => column.notNull())
    .addColumn('color', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('outlook_categories_key', ['mailbox_id', 'id'])
    .addUniqueConstraint('outlook_categories_by_name', ['mailbox_id', 'name_key'])
    .execute()

  await giveCategories(db as Kysely<Schema>)

  await db.schema
    .createTable('classification_overrides')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('position', integer, (column) => column.notNull())
    .addColumn('address_key', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('name', 'text')
    .addColumn('classify_as', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('classification_overrides_key', ['mailbox_id', 'id'])
    .addUniqueConstraint('classification_overrides_by_address', ['mailbox_id', 'address_key'])
    .execute()

  await db.schema
    .createTable('message_rules')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('id', integer, (column) => column.notNull())
    .addColumn('change', integer, (column) => column.notNull())
    .addColumn('rule', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('message_rules_key', ['mailbox_id', 'id'])
    .execute()
}

/** Mailboxes that are there already get the categories that new ones are born with. */
async function giveCategories(db: Kysely<Schema>): Promise<void> {
  for (const { id } of await db.selectFrom('mailboxes').select('id').execute()) {
    const rows = firstCategories.map(([name, color], position) => ({
      mailbox_id: id,
      id: randomUUID(),
      position,
      name_key: `${name} category`.toLowerCase(),
      display_name: `${name} category`,
      color,
    }))
    await db.insertInto('outlook_categories').values(rows).execute()
  }
}
