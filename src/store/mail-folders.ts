import type { Selectable } from 'kysely'
import type { FolderId, MailboxId } from '../mail/ids.js'
import type { MailFolder, WellKnownName } from '../mail/mail-folder.js'
import type { FolderChange, FolderStore } from '../mail/store.js'
import type { Database } from './database.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

export class SqlFolders implements FolderStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async find(mailbox: MailboxId, id: FolderId): Promise<MailFolder | undefined> {
    const row = await this.#database.read
      .selectFrom('mail_folders')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && folderOf(row)
  }

  async list(mailbox: MailboxId): Promise<MailFolder[]> {
    const rows = await this.#database.read
      .selectFrom('mail_folders')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .execute()
    return rows.map(folderOf)
  }
}

export function insertFolder(database: Database, folder: MailFolder): Statement {
  const query = database.read.insertInto('mail_folders').values({
    mailbox_id: folder.mailbox,
    id: folder.id,
    parent_id: folder.parent ?? null,
    well_known_name: folder.wellKnownName ?? null,
    display_name: folder.displayName,
    is_hidden: folder.isHidden ? 1 : 0,
    total_item_count: folder.totalItemCount,
    unread_item_count: folder.unreadItemCount,
    size_bytes: folder.sizeBytes,
    commit_number: database.dialect.commitNumber,
  })
  return statementOf(query.compile())
}

/** Compiled once: every accepted mail changes a folder's counts. */
export function preparedFolderChange(
  database: Database,
): (mailbox: MailboxId, folder: FolderId, change: FolderChange) => Statement {
  const { sql } = database.read
    .updateTable('mail_folders')
    .set((column) => ({
      total_item_count: column('total_item_count', '+', 0),
      unread_item_count: column('unread_item_count', '+', 0),
      size_bytes: column('size_bytes', '+', 0),
      commit_number: database.dialect.commitNumber,
    }))
    .where('mailbox_id', '=', 0)
    .where('id', '=', 0)
    .compile()
  return (mailbox, folder, change) => ({
    sql,
    parameters: [change.total, change.unread, change.sizeBytes, mailbox, folder],
    amounts: 3,
  })
}

function folderOf(row: Selectable<Schema['mail_folders']>): MailFolder {
  return {
    mailbox: row.mailbox_id as MailboxId,
    id: row.id as FolderId,
    ...(row.parent_id === null ? {} : { parent: row.parent_id as FolderId }),
    ...(row.well_known_name === null ? {} : { wellKnownName: row.well_known_name as WellKnownName }),
    displayName: row.display_name,
    isHidden: row.is_hidden === 1,
    totalItemCount: row.total_item_count,
    unreadItemCount: row.unread_item_count,
    sizeBytes: row.size_bytes,
  }
}
