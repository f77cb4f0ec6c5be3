import type { MailboxId } from '../mail/ids.js'
import { noSettings, type StoredSettings } from '../mail/mailbox-settings.js'
import type { SettingsStore } from '../mail/store.js'
import type { Database } from './database.js'
import { type Statement, statementOf } from './statement.js'

export class SqlSettings implements SettingsStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async find(mailbox: MailboxId): Promise<StoredSettings> {
    const row = await this.#database.read
      .selectFrom('mailbox_settings')
      .select(['change', 'settings'])
      .where('mailbox_id', '=', mailbox)
      .executeTakeFirst()
    if (row === undefined) return noSettings
    return { settings: JSON.parse(row.settings) as StoredSettings['settings'], change: row.change }
  }

  async repliedIn(mailbox: MailboxId, sender: string): Promise<number | undefined> {
    const row = await this.#database.read
      .selectFrom('automatic_replies')
      .select('period')
      .where('mailbox_id', '=', mailbox)
      .where('address_key', '=', sender)
      .executeTakeFirst()
    return row?.period
  }
}

export function putSettings(
  database: Database,
  mailbox: MailboxId,
  { settings, change }: StoredSettings,
  previousChange: number,
): Statement {
  const text = JSON.stringify(settings)
  const query =
    previousChange === 0
      ? database.read
          .insertInto('mailbox_settings')
          .values({ mailbox_id: mailbox, change, settings: text })
          .onConflict((conflict) => conflict.doNothing())
      : database.read
          .updateTable('mailbox_settings')
          .set({ change, settings: text })
          .where('mailbox_id', '=', mailbox)
          .where('change', '=', previousChange)
  return statementOf(query.compile(), { guarded: true })
}

export function noteReply(database: Database, mailbox: MailboxId, sender: string, period: number): Statement {
  const query = database.read
    .insertInto('automatic_replies')
    .values({ mailbox_id: mailbox, address_key: sender, period })
    .onConflict((conflict) =>
      conflict
        .columns(['mailbox_id', 'address_key'])
        .doUpdateSet({ period })
        .where('automatic_replies.period', '<', period),
    )
  return statementOf(query.compile(), { guarded: true })
}

export function forgetReplies(database: Database, mailbox: MailboxId, before: number): Statement {
  const query = database.read
    .deleteFrom('automatic_replies')
    .where('mailbox_id', '=', mailbox)
    .where('period', '<', before)
  return statementOf(query.compile())
}
