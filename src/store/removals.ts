import type { FolderId, MailboxId } from '../mail/ids.js'
import { noFolder } from '../mail/mail-folder.js'
import type { MessageEnvelope } from '../mail/message.js'
import type { Database } from './database.js'
import { sql } from './kysely.js'
import { preparedInsert, type Statement, statementOf } from './statement.js'

/** What has left a folder, kept for those who ask what has changed since they last asked (decision 19). */

const columns = ['mailbox_id', 'folder_id', 'item_id', 'moves', 'received_at', 'removed_at'] as const

/** Compiled once: every draft that is sent leaves its folder. */
export function preparedRemoval(database: Database): (message: MessageEnvelope, at: number) => Statement {
  const insert = preparedInsert(database.read, 'removals', columns, { commit_number: database.dialect.commitNumber })
  return (message, at) =>
    insert({
      mailbox_id: message.mailbox,
      folder_id: message.folder,
      item_id: message.id,
      moves: message.moves,
      received_at: message.receivedAt,
      removed_at: at,
    })
}

/** Of all messages that the folders hold. */
export function insertRemovalsOf(
  database: Database,
  mailbox: MailboxId,
  folders: readonly FolderId[],
  at: number,
): Statement {
  const { read, dialect } = database
  const query = read
    .insertInto('removals')
    .columns([...columns, 'commit_number'])
    .expression(
      read
        .selectFrom('messages')
        .select(['mailbox_id', 'folder_id', 'id', 'moves', 'received_at'])
        .select([sql<number>`cast(${at} as bigint)`.as('removed_at'), dialect.commitNumber.as('commit_number')])
        .where('mailbox_id', '=', mailbox)
        .where('folder_id', 'in', dialect.numbers(folders)),
    )
  return statementOf(query.compile())
}

/** Of folders that are about to be deleted. */
export function insertFolderRemovals(
  database: Database,
  mailbox: MailboxId,
  folders: readonly FolderId[],
  at: number,
): Statement {
  const { read, dialect } = database
  const query = read
    .insertInto('removals')
    .columns([...columns, 'commit_number'])
    .expression(
      read
        .selectFrom('mail_folders')
        .select([
          'mailbox_id',
          sql.lit(noFolder).as('folder_id'),
          'id as item_id',
          sql.lit(0).as('moves'),
          sql.lit(0).as('received_at'),
          sql<number>`cast(${at} as bigint)`.as('removed_at'),
          dialect.commitNumber.as('commit_number'),
        ])
        .where('mailbox_id', '=', mailbox)
        .where('id', 'in', dialect.numbers(folders)),
    )
  return statementOf(query.compile())
}
