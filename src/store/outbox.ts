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
    const takeUp = this.#takeUp(limit)
    const rows = await this.#database.write([...takeUp, statementOf(query, { returnsRows: true })])
    return (rows.get(takeUp.length) ?? []).map((row) => entryOf(row as OutboxRow))
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
      .selectNoFrom((select) => [
        select.selectFrom('outbox').select('due_at').where(isOpen).orderBy('due_at').limit(1).as('claimable'),
        select.selectFrom('submissions').select('due_at').orderBy('id').limit(1).as('submitted'),
      ])
      .executeTakeFirst()
    const moments = [row?.claimable, row?.submitted].filter((moment) => typeof moment === 'number')
    return moments.length === 0 ? undefined : Math.min(...moments)
  }

  async listByMessage(mailbox: MailboxId, message: MessageId): Promise<OutboxEntry[]> {
    await this.#takeUpAll()
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
    await this.#takeUpAll()
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
    await this.#takeUpAll()
    const row = await this.#database.read
      .selectFrom('outbox')
      .select((select) => select.fn.countAll<number | string>().as('count'))
      .where(isOpen)
      .executeTakeFirst()
    return Number(row?.count ?? 0)
  }

  #takeUp(limit: number): Statement[] {
    const { dialect, read } = this.#database
    return dialect.takeUp(limit).map((move) => statementOf(move.compile(read)))
  }

  /** Who looks at entries finds all of them in one place. */
  async #takeUpAll(): Promise<void> {
    const submitted = await this.#database.read.selectFrom('submissions').select('id').limit(1).executeTakeFirst()
    if (submitted !== undefined) await this.#database.write(this.#takeUp(Number.MAX_SAFE_INTEGER))
  }
}

const outboxColumns = [
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
] as const

/** Compiled once: every accepted mail has at least one entry. What is due as it is accepted is a submission. */
export function preparedOutboxInsert(database: Database): (entry: OutboxEntry) => Statement {
  const insert = preparedInsert(database.read, 'outbox', outboxColumns)
  const submission = preparedSubmission(database)
  return (entry) =>
    entry.state === 'queued' && entry.attempts === 0 && entry.dueAt === entry.createdAt
      ? submission(entry)
      : insert({
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

type SubmittedList = readonly [
  mailbox: number,
  message: number,
  destination: string,
  mailFrom: string,
  recipients: readonly OutboxRecipient[],
  createdAt: number,
]

function preparedSubmission(database: Database): (entry: OutboxEntry) => Statement {
  const { sql } = database.read.insertInto('submissions').values({ count: 0, entries: '', due_at: 0 }).compile()
  return ({ mailbox, message, destination, mailFrom, recipients, createdAt }) => {
    const list: SubmittedList = [mailbox, message, destination, mailFrom, recipients, createdAt]
    return { sql, parameters: [1, JSON.stringify(list), createdAt], amounts: 1, listed: true }
  }
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

/** The row as the domain has it. */
export function entryOf(row: OutboxRow): OutboxEntry {
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
