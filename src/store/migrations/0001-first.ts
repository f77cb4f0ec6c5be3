import type { DatabaseDialect } from '../dialect.js'
import { type Kysely, sql } from '../kysely.js'

/** The first schema: mailboxes, folders, messages, attachments, the outbox, keys and call records. */
export async function first(db: Kysely<unknown>, dialect: DatabaseDialect): Promise<void> {
  const { integer, bytes, orderedText } = dialect

  await db.schema
    .createTable('sequences')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('next', integer, (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('tenants')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('domain', 'text', (column) => column.notNull())
    .addColumn('display_name', 'text', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('signing_keys')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('private_jwk', 'text', (column) => column.notNull())
    .addColumn('created_at', integer, (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('mailboxes')
    .addColumn('id', integer, (column) => column.primaryKey().notNull())
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('guid', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('user_principal_name', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('display_name', 'text', (column) => column.notNull())
    .addColumn('upn_key', 'text', (column) => column.notNull())
    .addColumn('address_key', 'text', (column) => column.notNull())
    .execute()
  await unique(db, 'mailboxes_by_owner', 'mailboxes', ['tenant_id', 'owner'])
  await unique(db, 'mailboxes_by_upn', 'mailboxes', ['tenant_id', 'upn_key'])
  await unique(db, 'mailboxes_by_address', 'mailboxes', ['tenant_id', 'address_key'])

  await db.schema
    .createTable('mail_folders')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('id', integer, (column) => column.notNull())
    .addColumn('parent_id', integer)
    .addColumn('well_known_name', 'text')
    .addColumn('display_name', 'text', (column) => column.notNull())
    .addColumn('is_hidden', integer, (column) => column.notNull())
    .addColumn('total_item_count', integer, (column) => column.notNull())
    .addColumn('unread_item_count', integer, (column) => column.notNull())
    .addColumn('size_bytes', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('mail_folders_key', ['mailbox_id', 'id'])
    .execute()

  await dialect
    .messageKey(db.schema.createTable('messages').addColumn('mailbox_id', integer, (column) => column.notNull()))
    .addColumn('folder_id', integer, (column) => column.notNull())
    .addColumn('moves', integer, (column) => column.notNull())
    .addColumn('change', integer, (column) => column.notNull())
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('modified_at', integer, (column) => column.notNull())
    .addColumn('received_at', integer, (column) => column.notNull())
    .addColumn('sent_at', integer, (column) => column.notNull())
    .addColumn('is_read', integer, (column) => column.notNull())
    .addColumn('is_draft', integer, (column) => column.notNull())
    .addColumn('has_attachments', integer, (column) => column.notNull())
    .addColumn('importance', integer, (column) => column.notNull())
    .addColumn('subject', orderedText)
    .addColumn('from_name', orderedText)
    .addColumn('from_address', orderedText)
    .addColumn('internet_message_id', 'text', (column) => column.notNull())
    .addColumn('conversation_id', 'text', (column) => column.notNull())
    .addColumn('conversation_index', 'text', (column) => column.notNull())
    .addColumn('size_bytes', integer, (column) => column.notNull())
    .addColumn('body_preview', 'text')
    .addColumn('last_verb', integer)
    .addColumn('last_verb_at', integer)
    .addColumn('content', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
  await index(db, 'messages_by_folder', 'messages', ['mailbox_id', 'folder_id', 'received_at', 'id'])
  await index(db, 'messages_by_mailbox', 'messages', ['mailbox_id', 'received_at', 'id'])

  await db.schema
    .createTable('message_mime')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('message_id', integer, (column) => column.notNull())
    .addColumn('mime', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('message_mime_key', ['mailbox_id', 'message_id'])
    .execute()

  await db.schema
    .createTable('attachments')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('message_id', integer, (column) => column.notNull())
    .addColumn('id', integer, (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('content_type', 'text')
    .addColumn('size_bytes', integer, (column) => column.notNull())
    .addColumn('is_inline', integer, (column) => column.notNull())
    .addColumn('content_id', 'text')
    .addColumn('content_location', 'text')
    .addColumn('modified_at', integer, (column) => column.notNull())
    .addColumn('content', bytes)
    .addColumn('blob', 'text')
    .addPrimaryKeyConstraint('attachments_key', ['mailbox_id', 'message_id', 'id'])
    .execute()
  await sql`create index attachments_by_blob on attachments (blob) where blob is not null`.execute(db)

  await db.schema
    .createTable('upload_sessions')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('id', integer, (column) => column.notNull())
    .addColumn('message_id', integer, (column) => column.notNull())
    .addColumn('blob', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('content_type', 'text', (column) => column.notNull())
    .addColumn('is_inline', integer, (column) => column.notNull())
    .addColumn('content_id', 'text')
    .addColumn('size_bytes', integer, (column) => column.notNull())
    .addColumn('received_bytes', integer, (column) => column.notNull())
    .addColumn('token_hash', 'text', (column) => column.notNull())
    .addColumn('expires_at', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('upload_sessions_key', ['mailbox_id', 'id'])
    .execute()

  const outbox = db.schema
    .createTable('outbox')
    .addColumn('mailbox_id', integer, (column) => column.notNull())
    .addColumn('message_id', integer, (column) => column.notNull())
    .addColumn('destination', 'text', (column) => column.notNull())
    .addColumn('mail_from', 'text', (column) => column.notNull())
    .addColumn('recipients', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('attempts', integer, (column) => column.notNull())
    .addColumn('due_at', integer, (column) => column.notNull())
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('claimed_by', 'text')
    .addPrimaryKeyConstraint('outbox_key', ['mailbox_id', 'message_id', 'destination'])
  await dialect.clustered(outbox).execute()
  // Only what still waits: closed entries, by far the most, cost the claim nothing.
  await sql`create index outbox_due on outbox (due_at) where state <> 'closed'`.execute(db)

  await db.schema
    .createTable('submissions')
    .addColumn('id', dialect.risingNumber, (column) => column.primaryKey().notNull())
    .addColumn('count', integer, (column) => column.notNull())
    .addColumn('entries', 'text', (column) => column.notNull())
    .addColumn('due_at', integer, (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('call_pages')
    .addColumn('id', integer, (column) => column.primaryKey().notNull())
    .addColumn('count', integer, (column) => column.notNull())
    .addColumn('records', 'text', (column) => column.notNull())
    .execute()
}

async function index(db: Kysely<unknown>, name: string, table: string, columns: string[]): Promise<void> {
  await db.schema.createIndex(name).on(table).columns(columns).execute()
}

async function unique(db: Kysely<unknown>, name: string, table: string, columns: string[]): Promise<void> {
  await db.schema.createIndex(name).on(table).columns(columns).unique().execute()
}
