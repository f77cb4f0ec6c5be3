import type { DatabaseDialect } from '../dialect.js'
import { type Kysely, sql } from '../kysely.js'

/**
 * What `$filter` finds in a large mailbox without going through it (decision 15): mail of a sender, and unread mail. Sent
 * mail is read, so that the partial indexes cost it nothing.
 */
export async function queries(db: Kysely<unknown>, dialect: DatabaseDialect): Promise<void> {
  const sender = dialect.folded(sql.ref('from_address'))
  await sql`create index messages_by_sender on messages (mailbox_id, (${sender}), received_at, id)`.execute(db)
  await sql`create index messages_unread on messages (mailbox_id, received_at, id) where is_read = 0`.execute(db)
  await sql`
    create index messages_unread_by_folder on messages (mailbox_id, folder_id, received_at, id)
    where is_read = 0`.execute(db)
}
