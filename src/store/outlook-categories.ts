import type { Selectable } from 'kysely'
import type { MailboxId } from '../mail/ids.js'
import type { OutlookCategory } from '../mail/outlook-category.js'
import type { CategoryStore } from '../mail/store.js'
import type { Database } from './database.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

export class SqlCategories implements CategoryStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async list(mailbox: MailboxId): Promise<OutlookCategory[]> {
    const rows = await this.#database.read
      .selectFrom('outlook_categories')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .orderBy('position')
      .orderBy('id')
      .execute()
    return rows.map(categoryOf)
  }

  async find(mailbox: MailboxId, id: string): Promise<OutlookCategory | undefined> {
    const row = await this.#database.read
      .selectFrom('outlook_categories')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && categoryOf(row)
  }
}

export function insertCategory(
  database: Database,
  mailbox: MailboxId,
  { id, displayName, color }: OutlookCategory,
  position: number,
): Statement {
  const query = database.read
    .insertInto('outlook_categories')
    .values({
      mailbox_id: mailbox,
      id,
      position,
      name_key: displayName.toLowerCase(),
      display_name: displayName,
      color,
    })
    .onConflict((conflict) => conflict.columns(['mailbox_id', 'name_key']).doNothing())
  return statementOf(query.compile(), { guarded: true })
}

export function updateCategory(database: Database, mailbox: MailboxId, { id, color }: OutlookCategory): Statement {
  const query = database.read
    .updateTable('outlook_categories')
    .set({ color })
    .where('mailbox_id', '=', mailbox)
    .where('id', '=', id)
  return statementOf(query.compile(), { guarded: true })
}

export function deleteCategory(database: Database, mailbox: MailboxId, id: string): Statement {
  const query = database.read.deleteFrom('outlook_categories').where('mailbox_id', '=', mailbox).where('id', '=', id)
  return statementOf(query.compile(), { guarded: true })
}

function categoryOf(row: Selectable<Schema['outlook_categories']>): OutlookCategory {
  return { id: row.id, displayName: row.display_name, color: row.color }
}
