import type { FolderId, MailboxId, MessageId } from '../mail/ids.js'
import type { NamedMessage, NewestMessages } from '../mail/query.js'
import type { Database } from './database.js'

/** Message ids of RFC 5322 in one question. */
const maxIds = 100

/**
 * Messages by their Message-ID among the newest of a mailbox. An index would cost every accepted mail more than all that
 * asks for it: mail that comes in from outside, which follows something recent nearly always.
 */
export async function findByInternetMessageId(
  database: Database,
  mailbox: MailboxId,
  ids: readonly string[],
  { newest, since, until }: NewestMessages,
): Promise<NamedMessage[]> {
  if (ids.length === 0) return []
  const rows = await database.read
    .selectFrom((select) =>
      select
        .selectFrom('messages')
        .select(['id', 'folder_id', 'received_at', 'internet_message_id', 'conversation_id', 'conversation_index'])
        .where('mailbox_id', '=', mailbox)
        .$if(since !== undefined, (messages) => messages.where('received_at', '>=', since ?? 0))
        .$if(until !== undefined, (messages) => messages.where('received_at', '<=', until ?? 0))
        .orderBy('received_at', 'desc')
        .orderBy('id', 'desc')
        .limit(newest)
        .as('newest'),
    )
    .selectAll()
    .where('internet_message_id', 'in', ids.slice(0, maxIds))
    .orderBy('received_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  return rows.map((row) => ({
    id: row.id as MessageId,
    folder: row.folder_id as FolderId,
    internetMessageId: row.internet_message_id,
    conversation: { id: row.conversation_id, index: row.conversation_index },
  }))
}
