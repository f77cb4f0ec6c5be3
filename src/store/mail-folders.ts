import type { Selectable } from 'kysely'
import type { FolderId, MailboxId } from '../mail/ids.js'
import { type FolderDetails, folderId, type MailFolder, type WellKnownName } from '../mail/mail-folder.js'
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
    change: folder.change,
    details: detailsText(folder),
    commit_number: database.dialect.commitNumber,
  })
  return statementOf(query.compile())
}

function detailsText({
  search,
  singleValueExtendedProperties,
  multiValueExtendedProperties,
}: FolderDetails): string | null {
  const details: FolderDetails = {
    ...(search === undefined ? {} : { search }),
    ...(singleValueExtendedProperties === undefined ? {} : { singleValueExtendedProperties }),
    ...(multiValueExtendedProperties === undefined ? {} : { multiValueExtendedProperties }),
  }
  return Object.keys(details).length === 0 ? null : JSON.stringify(details)
}

export function updateFolder(database: Database, folder: MailFolder): Statement {
  const query = database.read
    .updateTable('mail_folders')
    .set({
      parent_id: folder.parent ?? null,
      display_name: folder.displayName,
      change: folder.change,
      details: detailsText(folder),
      commit_number: database.dialect.commitNumber,
    })
    .where('mailbox_id', '=', folder.mailbox)
    .where('id', '=', folder.id)
  return statementOf(query.compile(), { guarded: true })
}

export function deleteFolders(database: Database, mailbox: MailboxId, folders: readonly FolderId[]): Statement {
  const query = database.read
    .deleteFrom('mail_folders')
    .where('mailbox_id', '=', mailbox)
    .where('id', 'in', database.dialect.numbers(folders))
  return statementOf(query.compile())
}

export function changeTree(database: Database, mailbox: MailboxId, change: number, previousChange: number): Statement {
  const query = database.read
    .updateTable('mail_folders')
    .set({ change })
    .where('mailbox_id', '=', mailbox)
    .where('id', '=', folderId('msgfolderroot'))
    .where('change', '=', previousChange)
  return statementOf(query.compile(), { guarded: true })
}

/** Writes nothing new; where writes run beside each other it keeps the folder from going until this one is done. */
export function requireFolder(database: Database, mailbox: MailboxId, folder: FolderId): Statement {
  const query = database.read
    .updateTable('mail_folders')
    .set((column) => ({ change: column.ref('change') }))
    .where('mailbox_id', '=', mailbox)
    .where('id', '=', folder)
  return statementOf(query.compile(), { guarded: true })
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
    change: row.change,
    ...(row.details === null ? {} : (JSON.parse(row.details) as FolderDetails)),
  }
}
