import type { DatabaseDialect } from '../dialect.js'
import { type Kysely, sql } from '../kysely.js'

/** Who may sign in and be reached: accounts, applications, groups, consent, what can be redeemed, aliases, rights. */
export async function identity(db: Kysely<unknown>, dialect: DatabaseDialect): Promise<void> {
  const { integer } = dialect

  await db.schema
    .createTable('accounts')
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text')
    .addPrimaryKeyConstraint('accounts_key', ['tenant_id', 'user_id'])
    .execute()

  await db.schema
    .createTable('applications')
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('object_id', 'text', (column) => column.notNull())
    .addColumn('display_name', 'text', (column) => column.notNull())
    .addColumn('details', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('applications_key', ['tenant_id', 'id'])
    .execute()

  await db.schema
    .createTable('groups')
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('display_name', 'text', (column) => column.notNull())
    .addColumn('members', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('groups_key', ['tenant_id', 'id'])
    .execute()

  await db.schema
    .createTable('consents')
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('application_id', 'text', (column) => column.notNull())
    .addColumn('permissions', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('consents_key', ['tenant_id', 'user_id', 'application_id'])
    .execute()

  await db.schema
    .createTable('grants')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('application_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text')
    .addColumn('user_code', 'text')
    .addColumn('family', 'text', (column) => column.notNull())
    .addColumn('details', 'text', (column) => column.notNull())
    .addColumn('expires_at', integer, (column) => column.notNull())
    .addColumn('redeemed_at', integer)
    .execute()
  await db.schema.createIndex('grants_by_family').on('grants').column('family').execute()
  await db.schema.createIndex('grants_by_expiry').on('grants').column('expires_at').execute()
  await sql`create unique index grants_by_user_code on grants (user_code) where user_code is not null`.execute(db)

  await db.schema
    .createTable('mailbox_aliases')
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('address_key', 'text', (column) => column.notNull())
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('mailbox_aliases_key', ['tenant_id', 'address_key'])
    .execute()
  await db.schema.createIndex('mailbox_aliases_by_mailbox').on('mailbox_aliases').column('mailbox_id').execute()

  await db.schema
    .createTable('mailbox_rights')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('right', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('mailbox_rights_key', ['mailbox_id', 'user_id', 'right'])
    .execute()
}
