import type { MailboxId, MessageId } from '../mail/ids.js'
import { noFolder } from '../mail/mail-folder.js'
import type { Message } from '../mail/message.js'
import type { RetentionStore } from '../mail/retention.js'
import type { Database } from './database.js'
import { sql } from './kysely.js'
import { type Statement, statementOf } from './statement.js'

/** Nothing of the message is still to be delivered. */
const isSettled = sql<boolean>`not exists (
  select 1 from outbox where outbox.mailbox_id = messages.mailbox_id and outbox.message_id = messages.id
  and outbox.state <> 'closed')`

export class SqlRetention implements RetentionStore {
  readonly #database: Database
  readonly #takeUpAll: () => Promise<void>

  /** `takeUpAll`: brings all of the outbox into one place, so that what was just accepted is seen there. */
  constructor(database: Database, takeUpAll: () => Promise<void>) {
    this.#database = database
    this.#takeUpAll = takeUpAll
  }

  async totalBytes(): Promise<number> {
    const row = await this.#database.read
      .selectFrom('mail_folders')
      .select((select) => select.fn.sum<number | string | null>('size_bytes').as('total'))
      .executeTakeFirst()
    return Number(row?.total ?? 0)
  }

  /** By mailbox, whose index has them in their order: a look at every mailbox, however much is in each. */
  async oldest(before: number, limit: number): Promise<Pick<Message, 'mailbox' | 'id'>[]> {
    await this.#takeUpAll()
    const { read } = this.#database
    const found: { mailbox: number; id: number; receivedAt: number }[] = []
    for (const { id } of await read.selectFrom('mailboxes').select('id').execute()) {
      const rows = await read
        .selectFrom('messages')
        .select(['mailbox_id as mailbox', 'id', 'received_at as receivedAt'])
        .where('mailbox_id', '=', id)
        .where('received_at', '<', before)
        .where('folder_id', '<>', noFolder)
        .where('is_draft', '=', 0)
        .where(isSettled)
        .orderBy('received_at')
        .limit(limit)
        .execute()
      found.push(...rows)
    }
    return found
      .toSorted((one, other) => one.receivedAt - other.receivedAt)
      .slice(0, limit)
      .map(({ mailbox, id }) => ({ mailbox: mailbox as MailboxId, id: id as MessageId }))
  }

  async removePurged(before: number, limit: number): Promise<number> {
    await this.#takeUpAll()
    const { read } = this.#database
    let removed = 0
    for (const { id: mailbox } of await read.selectFrom('mailboxes').select('id').execute()) {
      const rows = await read
        .selectFrom('messages')
        .select('id')
        .where('mailbox_id', '=', mailbox)
        .where('folder_id', '=', noFolder)
        .where('modified_at', '<', before)
        .where(isSettled)
        .limit(limit - removed)
        .execute()
      if (rows.length === 0) continue
      await this.#database.write(
        removals(
          this.#database,
          mailbox,
          rows.map(({ id }) => id),
        ),
      )
      removed += rows.length
      if (removed >= limit) break
    }
    return removed
  }
}

/** All that belongs to messages of one mailbox, children first. */
function removals({ read, dialect }: Database, mailbox: number, messages: readonly number[]): Statement[] {
  const ids = dialect.numbers(messages)
  const children = ['message_mime', 'attachments', 'upload_sessions', 'delivery_attempts', 'outbox'] as const
  const queries = children.map((table) =>
    read.deleteFrom(table).where('mailbox_id', '=', mailbox).where('message_id', 'in', ids),
  )
  const own = read
    .deleteFrom('messages')
    .where(dialect.messagesById(mailbox, messages))
    .where('folder_id', '=', noFolder)
  return [...queries, own].map((query) => statementOf(query.compile()))
}
