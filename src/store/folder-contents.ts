import type { FolderId, MailboxId, MessageId } from '../mail/ids.js'
import { noFolder } from '../mail/mail-folder.js'
import type { ChangeStamp, MessageCopy } from '../mail/store.js'
import { copiedAttachmentColumns } from './attachments.js'
import type { Database } from './database.js'
import { type ReferenceExpression, sql } from './kysely.js'
import { insertRemovalsOf } from './removals.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

/**
 * Changes of all messages of a folder at once: as many statements for ten thousand as for one. Each locks the folders
 * first and the messages after, as every other write does, so that those that run beside each other do not wait in a circle.
 */

/** Which messages stand in which of the folders. */
export async function placesIn(
  database: Database,
  mailbox: MailboxId,
  folders: readonly FolderId[],
): Promise<{ message: MessageId; folder: FolderId }[]> {
  const rows = await database.read
    .selectFrom('messages')
    .select(['id', 'folder_id'])
    .where('mailbox_id', '=', mailbox)
    .where('folder_id', 'in', database.dialect.numbers(folders))
    .execute()
  return rows.map(({ id, folder_id }) => ({ message: id as MessageId, folder: folder_id as FolderId }))
}

/** Moves all messages of the folders into another, whose counts grow by those of the folders. */
export function emptyFolders(
  database: Database,
  mailbox: MailboxId,
  folders: readonly FolderId[],
  { into, change, at }: ChangeStamp & { into: FolderId },
): Statement[] {
  const { read, dialect } = database
  const lock = read
    .updateTable('mail_folders')
    .set((column) => ({ change: column.ref('change') }))
    .where('mailbox_id', '=', mailbox)
    .where('id', 'in', dialect.numbers([into, ...folders]))
  const count = read
    .updateTable('mail_folders')
    .set({
      total_item_count: plusSum('total_item_count'),
      unread_item_count: plusSum('unread_item_count'),
      size_bytes: plusSum('size_bytes'),
      commit_number: dialect.commitNumber,
    })
    .where('mailbox_id', '=', mailbox)
    .where('id', '=', into)
  const move = read
    .updateTable('messages')
    .set((column) => ({
      folder_id: into,
      moves: column('moves', '+', 1),
      change,
      modified_at: at,
      commit_number: dialect.commitNumber,
      entered_number: null,
    }))
    .where('mailbox_id', '=', mailbox)
    .where('folder_id', 'in', dialect.numbers(folders))
  return [
    statementOf(lock.compile(), { readsAmounts: true }),
    ...(into === noFolder ? [] : [statementOf(count.compile())]),
    insertRemovalsOf(database, mailbox, folders, at),
    statementOf(move.compile()),
  ]

  function plusSum(column: 'total_item_count' | 'unread_item_count' | 'size_bytes') {
    const name = sql.ref(column)
    return sql<number>`${name} + (
      select cast(coalesce(sum(gone.${name}), 0) as bigint) from mail_folders as gone
      where gone.mailbox_id = ${mailbox} and gone.id in ${dialect.numbers(folders)})`
  }
}

/** Copied as they are; what a copy has of its own is in {@link copyMessages}. */
const copiedColumns = [
  'received_at',
  'sent_at',
  'is_read',
  'is_draft',
  'has_attachments',
  'importance',
  'subject',
  'from_name',
  'from_address',
  'internet_message_id',
  'conversation_id',
  'conversation_index',
  'size_bytes',
  'body_preview',
  'content',
  'body',
] as const satisfies readonly (keyof Schema['messages'])[]

/**
 * Copies messages with all that hangs on them. What went into no folder meanwhile is not copied. The joins are written as
 * cross joins because SQLite then keeps their order: the list of copies outside, one look-up by key for each.
 */
export function copyMessages(
  database: Database,
  mailbox: MailboxId,
  copies: readonly MessageCopy[],
  { change, at }: ChangeStamp,
): Statement[] {
  if (copies.length === 0) return []
  const { read, dialect } = database
  const rows = dialect.triples(copies.map(({ from, to, folder }) => [from, to, folder])).as('copies')
  const messages = read
    .insertInto('messages')
    .columns([
      'mailbox_id',
      'id',
      'folder_id',
      'moves',
      'change',
      'created_at',
      'modified_at',
      'commit_number',
      ...copiedColumns,
    ])
    .expression(
      read
        .selectFrom(rows)
        .crossJoin('messages')
        .whereRef('messages.id', '=', 'copies.a')
        .select((column) => [
          'messages.mailbox_id',
          'copies.b',
          'copies.c',
          sql.lit(0).as('moves'),
          number(change).as('change'),
          number(at).as('created_at'),
          number(at).as('modified_at'),
          dialect.commitNumber.as('commit_number'),
          ...copiedColumns.map((name) => column.ref(`messages.${name}`).as(name)),
        ])
        .where('messages.mailbox_id', '=', mailbox)
        .where('messages.folder_id', '!=', noFolder),
    )
  const mime = read
    .insertInto('message_mime')
    .columns(['mailbox_id', 'message_id', 'mime'])
    .expression(
      read
        .selectFrom(rows)
        .crossJoin('message_mime')
        .crossJoin('messages')
        .whereRef('message_mime.message_id', '=', 'copies.a')
        .whereRef('messages.id', '=', 'copies.b')
        .select(['message_mime.mailbox_id', 'copies.b', 'message_mime.mime'])
        .where('message_mime.mailbox_id', '=', mailbox)
        .where('messages.mailbox_id', '=', mailbox),
    )
  const attachments = read
    .insertInto('attachments')
    .columns(['mailbox_id', 'message_id', ...copiedAttachmentColumns])
    .expression(
      read
        .selectFrom(rows)
        .crossJoin('attachments')
        .crossJoin('messages')
        .whereRef('attachments.message_id', '=', 'copies.a')
        .whereRef('messages.id', '=', 'copies.b')
        .select((column) => [
          'attachments.mailbox_id',
          'copies.b',
          ...copiedAttachmentColumns.map((name) => column.ref(`attachments.${name}`).as(name)),
        ])
        .where('attachments.mailbox_id', '=', mailbox)
        .where('messages.mailbox_id', '=', mailbox),
    )
  return [messages, mime, attachments].map((query) => statementOf(query.compile()))
}

/** A number as a column of a result: PostgreSQL wants to be told its type. */
function number(value: number) {
  return sql<number>`cast(${value} as bigint)`
}

/** Makes the counts of new folders from their messages. */
export function recountFolders(database: Database, mailbox: MailboxId, folders: readonly FolderId[]): Statement {
  const { read, dialect } = database
  const query = read
    .updateTable('mail_folders')
    .set({
      total_item_count: total(sql`count(*)`),
      unread_item_count: total(sql`coalesce(sum(1 - ${inMessages('is_read')}), 0)`),
      size_bytes: total(sql`coalesce(sum(${inMessages('size_bytes')}), 0)`),
      commit_number: dialect.commitNumber,
    })
    .where('mailbox_id', '=', mailbox)
    .where('id', 'in', dialect.numbers(folders))
  return statementOf(query.compile(), { readsAmounts: true })
}

function inMessages(column: keyof Schema['messages'] & string) {
  return sql.ref(`messages.${column}` satisfies ReferenceExpression<Schema, 'messages'>)
}

function total(amount: ReturnType<typeof sql>) {
  return sql<number>`(
    select cast(${amount} as bigint) from messages
    where messages.mailbox_id = mail_folders.mailbox_id and messages.folder_id = mail_folders.id)`
}

/** Marks all messages of a folder as read or unread; those that are it already keep their change number. */
export function setReadState(
  database: Database,
  mailbox: MailboxId,
  folder: FolderId,
  { isRead, change, at }: ChangeStamp & { isRead: boolean },
): Statement[] {
  const { read, dialect } = database
  const count = read
    .updateTable('mail_folders')
    .set((column) => ({
      unread_item_count: isRead ? 0 : column.ref('total_item_count'),
      commit_number: dialect.commitNumber,
    }))
    .where('mailbox_id', '=', mailbox)
    .where('id', '=', folder)
  const mark = read
    .updateTable('messages')
    .set({
      is_read: isRead ? 1 : 0,
      change,
      modified_at: at,
      entered_number: sql<number>`coalesce(entered_number, commit_number)`,
      commit_number: dialect.commitNumber,
    })
    .where('mailbox_id', '=', mailbox)
    .where('folder_id', '=', folder)
    .where('is_read', '=', isRead ? 0 : 1)
  return [statementOf(count.compile(), { guarded: true, readsAmounts: true }), statementOf(mark.compile())]
}
