import type { Kysely } from 'kysely'
import type { DatabaseDialect } from '../dialect.js'

/** Sync Issues (0x11c), and the parent of what stands beside the root (0x101). */
const [syncIssues, outside] = [0x11c, 0x101]

/** Folders that change: a change number, what few folders have, default folders where real mailboxes have them. */
export async function folders(db: Kysely<unknown>, { integer }: DatabaseDialect): Promise<void> {
  await db.schema
    .alterTable('mail_folders')
    .addColumn('change', integer, (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema.alterTable('mail_folders').addColumn('details', 'text').execute()
  const tables = db as Kysely<{ mail_folders: { parent_id: number; well_known_name: string } }>
  await tables
    .updateTable('mail_folders')
    .set({ parent_id: outside })
    .where('well_known_name', 'in', ['recoverableitemsdeletions', 'searchfolders', 'scheduled', 'clutter'])
    .execute()
  await tables
    .updateTable('mail_folders')
    .set({ parent_id: syncIssues })
    .where('well_known_name', 'in', ['conflicts', 'localfailures', 'serverfailures'])
    .execute()
}
