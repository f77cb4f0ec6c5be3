import { type Selectable, sql } from 'kysely'
import type { MailboxId, MessageId } from '../mail/ids.js'
import type { OutboxEntry, OutboxRecipient } from '../mail/outbox-entry.js'
import type { MailWriter, OutboxStore } from '../mail/store.js'
import type { Database } from './database.js'
import type { Schema } from './schema.js'
import { preparedInsert, type Statement, statementOf } from './statement.js'

type OutboxRow = Selectable<Schema['outbox']>

/** Written out, not a parameter: only then do the databases use the index that holds open entries alone. */
const isOpen = sql<boolean>`state <> 'closed'`

export class SqlOutbox implements OutboxStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async claimDue(worker: string, now: number, until: number, limit: number): Promise<OutboxEntry[]> {
    const { read, dialect } = this.#database
    const query = read
      .with('due', (db) =>
        dialect.skipLocked(
          db
            .selectFrom('outbox')
            .select(['mailbox_id', 'message_id', 'destination'])
            .where(isOpen)
            .where('due_at', '<=', now)
            .orderBy('due_at')
            .limit(limit),
        ),
      )
      .updateTable('outbox')
      // `due_at` becomes the end of the claim: an entry whose worker died is simply due again.
      .set((column) => ({
        state: 'sending',
        claimed_by: worker,
        due_at: until,
        attempts: column('attempts', '+', 1),
      }))
      .where((where) =>
        where(
          where.refTuple('mailbox_id', 'message_id', 'destination'),
          'in',
          where
            .selectFrom('due')
            .select(['mailbox_id', 'message_id', 'destination'])
            .$asTuple('mailbox_id', 'message_id', 'destination'),
        ),
      )
      .returningAll()
      .compile()
    const rows = await this.#database.write([statementOf(query, { returnsRows: true })])
    return (rows.get(0) ?? []).map((row) => entryOf(row as OutboxRow))
  }

  async releaseClaims(now: number): Promise<void> {
    const query = this.#database.read
      .updateTable('outbox')
      .set({ state: 'queued', due_at: now, claimed_by: null })
      .where(isOpen)
      .where('state', '=', 'sending')
    await this.#database.write([statementOf(query.compile())])
  }

  async nextDueAt(): Promise<number | undefined> {
    const row = await this.#database.read
      .selectFrom('outbox')
      .select('due_at')
      .where(isOpen)
      .orderBy('due_at')
      .limit(1)
      .executeTakeFirst()
    return row?.due_at
  }

  async listByMessage(mailbox: MailboxId, message: MessageId): Promise<OutboxEntry[]> {
    const rows = await this.#database.read
      .selectFrom('outbox')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .where('message_id', '=', message)
      .orderBy('destination')
      .execute()
    return rows.map(entryOf)
  }

  async listNewest(limit: number): Promise<OutboxEntry[]> {
    const rows = await this.#database.read
      .selectFrom('outbox')
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('message_id', 'desc')
      .limit(limit)
      .execute()
    return rows.map(entryOf)
  }

  async countOpen(): Promise<number> {
    const row = await this.#database.read
      .selectFrom('outbox')
      .select((select) => select.fn.countAll<number | string>().as('count'))
      .where(isOpen)
      .executeTakeFirst()
    return Number(row?.count ?? 0)
  }
}

/** Compiled once: every accepted mail has at least one entry. */
export function preparedOutboxInsert(database: Database): (entry: OutboxEntry) => Statement {
  const insert = preparedInsert(database.read, 'outbox', [
    'mailbox_id',
    'message_id',
    'destination',
    'mail_from',
    'recipients',
    'state',
    'attempts',
    'due_at',
    'created_at',
    'claimed_by',
  ])
  return (entry) =>
    insert({
      mailbox_id: entry.mailbox,
      message_id: entry.message,
      destination: entry.destination,
      mail_from: entry.mailFrom,
      recipients: JSON.stringify(entry.recipients),
      state: entry.state,
      attempts: entry.attempts,
      due_at: entry.dueAt,
      created_at: entry.createdAt,
      claimed_by: null,
    })
}

type Settlement = Parameters<MailWriter['settleOutboxEntry']>

export function preparedSettlement(database: Database): (...settlement: Settlement) => Statement {
  const { sql } = database.read
    .updateTable('outbox')
    .set({ state: '', due_at: 0, recipients: '', claimed_by: null })
    .where('mailbox_id', '=', 0)
    .where('message_id', '=', 0)
    .where('destination', '=', '')
    .where('attempts', '=', 0)
    .where('state', '=', 'sending')
    .compile()
  return (entry, result) => ({
    sql,
    parameters: [
      result.state,
      result.dueAt,
      JSON.stringify(result.recipients),
      null,
      entry.mailbox,
      entry.message,
      entry.destination,
      entry.attempts,
      'sending',
    ],
    guarded: true,
  })
}

function entryOf(row: OutboxRow): OutboxEntry {
  return {
    mailbox: row.mailbox_id as MailboxId,
    message: row.message_id as MessageId,
    destination: row.destination,
    mailFrom: row.mail_from,
    recipients: JSON.parse(row.recipients) as OutboxRecipient[],
    state: row.state as OutboxEntry['state'],
    attempts: row.attempts,
    dueAt: row.due_at,
    createdAt: row.created_at,
  }
}
