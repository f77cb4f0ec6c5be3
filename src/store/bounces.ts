import type { MailboxId, MessageId } from '../mail/ids.js'
import type { OutboxRecipient } from '../mail/outbox-entry.js'
import type { BounceStore, KnownEntry } from '../mail/store.js'
import type { Database } from './database.js'
import { entryOf } from './outbox.js'
import { type Statement, statementOf } from './statement.js'

export class SqlBounces implements BounceStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** What is taken for the version is the text of the recipients: only that matters to a bounce. */
  async listEntries(mailbox: MailboxId, message: MessageId): Promise<KnownEntry[]> {
    const rows = await this.#database.read
      .selectFrom('outbox')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .where('message_id', '=', message)
      .orderBy('destination')
      .execute()
    return rows.map((row) => ({ entry: entryOf(row), version: row.recipients }))
  }
}

export function bounceRecipients(
  { read }: Database,
  { entry, version }: KnownEntry,
  recipients: readonly OutboxRecipient[],
): Statement {
  const query = read
    .updateTable('outbox')
    .set({ recipients: JSON.stringify(recipients) })
    .where('mailbox_id', '=', entry.mailbox)
    .where('message_id', '=', entry.message)
    .where('destination', '=', entry.destination)
    .where('state', '<>', 'sending')
    .where('recipients', '=', version)
  return statementOf(query.compile(), { guarded: true })
}
