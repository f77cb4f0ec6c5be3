import type { DeliveryAttempt } from '../mail/delivery-attempt.js'
import type { MailboxId, MessageId } from '../mail/ids.js'
import type { OutboxEntry, OutboxRecipient, OutboxWish } from '../mail/outbox-entry.js'
import type { MailWriter, OutboxClaim, OutboxClaimed, OutboxStore, QueueFilter, QueuePlace } from '../mail/store.js'
import type { Database } from './database.js'
import { attemptsOf } from './delivery-attempts.js'
import { listJson, textJson } from './json-text.js'
import { type RawBuilder, type Selectable, sql } from './kysely.js'
import type { Schema } from './schema.js'
import { preparedInsert, type Statement, statementOf } from './statement.js'

type OutboxRow = Selectable<Schema['outbox']>

/** Written out, not parameters: only then do the databases use the indexes that hold these alone. */
const isReady = sql<boolean>`state = 'ready'`
const isWaiting = sql<boolean>`state in ('queued', 'sending')`
const isHeld = sql<boolean>`state = 'held'`
/** Not the order of the primary key, in which the databases would read through all that is closed. */
const unindexed = sql`mailbox_id + 0`
const isClosed = sql<boolean>`state = 'closed'`
const openStates = [isReady, isWaiting, isHeld]

/** Submissions taken up in one write, and entries that became due: a part of a second of the writer at most. */
const atOnce = 500
/** Of the newest submissions: what comes while a backlog is taken up is not behind it. */
const newestAtOnce = 50
/** Destinations looked at in one claim. */
const steps = 200

export class SqlOutbox implements OutboxStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async claimDue({ now, latest, ...claim }: OutboxClaim): Promise<OutboxClaimed> {
    const { read, dialect } = this.#database
    const { walk, take } = dialect.claimReady({ ...claim, steps })
    const before = [
      ...this.#takeUp(atOnce, 'oldest'),
      ...this.#takeUp(newestAtOnce, 'newest'),
      this.#becomeReady(sql`due_at <= ${now}`),
      this.#becomeReady(sql`due_at > ${latest}`),
    ]
    const rows = await this.#database.write([
      ...before,
      statementOf(walk.compile(read), { returnsRows: true }),
      statementOf(take.compile(read), { returnsRows: true }),
    ])
    const destinations = (rows.get(before.length) ?? []).map(({ destination }) => String(destination))
    const entries = (rows.get(before.length + 1) ?? []).map((row) => entryOf(row as OutboxRow))
    return { entries, destinations, goesOn: destinations.length === steps }
  }

  /** Waiting entries whose moment has come, the oldest of them. */
  #becomeReady(isDue: RawBuilder<boolean>): Statement {
    const { read, dialect } = this.#database
    const due = dialect.skipLocked(
      read
        .selectFrom('outbox')
        .select(['mailbox_id', 'message_id', 'destination'])
        .where(isWaiting)
        .where(isDue)
        .orderBy('due_at')
        .limit(atOnce),
    )
    const query = read
      .updateTable('outbox')
      .set({ state: 'ready', claimed_by: null })
      .where((where) =>
        where(
          where.refTuple('mailbox_id', 'message_id', 'destination'),
          'in',
          due.$asTuple('mailbox_id', 'message_id', 'destination'),
        ),
      )
    return statementOf(query.compile())
  }

  async releaseClaims(now: number): Promise<void> {
    const query = this.#database.read
      .updateTable('outbox')
      .set({ state: 'queued', due_at: now, claimed_by: null })
      .where(isWaiting)
      .where('state', '=', 'sending')
    await this.#database.write([statementOf(query.compile())])
  }

  async nextDueAt(): Promise<number | undefined> {
    const row = await this.#database.read
      .selectNoFrom((select) => [
        select.selectFrom('outbox').select('due_at').where(isReady).limit(1).as('ready'),
        select.selectFrom('outbox').select('due_at').where(isWaiting).orderBy('due_at').limit(1).as('waiting'),
        select.selectFrom('submissions').select('due_at').orderBy('id').limit(1).as('submitted'),
      ])
      .executeTakeFirst()
    return firstOf([row?.ready, row?.waiting, row?.submitted])
  }

  async nextNewDueAt(latest: number): Promise<number | undefined> {
    const row = await this.#database.read
      .selectNoFrom((select) => [
        select.selectFrom('outbox').select('due_at').where(isWaiting).orderBy('due_at').limit(1).as('first'),
        select.selectFrom('outbox').select('due_at').where(isWaiting).orderBy('due_at', 'desc').limit(1).as('last'),
        select.selectFrom('submissions').select('due_at').orderBy('id').limit(1).as('submitted'),
      ])
      .executeTakeFirst()
    if (typeof row?.last === 'number' && row.last > latest) return 0
    return firstOf([row?.first, row?.submitted])
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

  async recipientsSince(mailbox: MailboxId, since: number, pieceMs: number): Promise<Map<number, number>> {
    await this.#takeUpAll()
    // Counted by their keys in the JSON, which both databases can; a quote inside a text has a backslash before it.
    const rows = await this.#database.read
      .selectFrom('outbox')
      .select([
        sql<number>`created_at / ${sql.lit(pieceMs)}`.as('piece'),
        sql<number | string>`sum((length(recipients) - length(replace(recipients, '"address"', ''))) / 9)`.as('count'),
      ])
      .where('mailbox_id', '=', mailbox)
      .where('created_at', '>', since)
      .groupBy('piece')
      .execute()
    return new Map(rows.map(({ piece, count }) => [Number(piece), Number(count)]))
  }

  async listQueue(filter: QueueFilter, limit: number, after?: QueuePlace): Promise<OutboxEntry[]> {
    await this.#takeUpAll()
    const rows: OutboxRow[] = []
    // One question for each index, and the first of all answers.
    for (const isInState of filter.closedToo ? [...openStates, isClosed] : openStates) {
      let query = this.#database.read.selectFrom('outbox').selectAll().where(isInState)
      const { destination, message, internetMessageId, state } = filter
      if (destination !== undefined) query = query.where('destination', '=', destination)
      if (message !== undefined) query = query.where('message_id', '=', message)
      if (state !== undefined) query = query.where('state', 'in', state === 'queued' ? ['queued', 'ready'] : [state])
      if (internetMessageId !== undefined) {
        query = query.where(({ exists, selectFrom }) =>
          exists(
            selectFrom('messages')
              .select('id')
              .whereRef('messages.mailbox_id', '=', 'outbox.mailbox_id')
              .whereRef('messages.id', '=', 'outbox.message_id')
              .where('internet_message_id', '=', internetMessageId),
          ),
        )
      }
      if (after !== undefined) {
        const { mailbox, message: number, destination: domain } = after
        query = query.where(sql<boolean>`(${unindexed}, message_id, destination) > (${mailbox}, ${number}, ${domain})`)
      }
      const ordered = query.orderBy(unindexed).orderBy('message_id').orderBy('destination')
      rows.push(...(await ordered.limit(limit).execute()))
    }
    return rows.toSorted(byPlace).slice(0, limit).map(entryOf)
  }

  /** Brings every submission into the outbox, for who looks at its table. */
  takeUp(): Promise<void> {
    return this.#takeUpAll()
  }

  async countByState(): Promise<Map<string, number>> {
    await this.#takeUpAll()
    const counts = new Map<string, number>()
    for (const isInState of openStates) {
      const rows = await this.#database.read
        .selectFrom('outbox')
        .select((select) => ['state', select.fn.countAll<number | string>().as('count')])
        .where(isInState)
        .groupBy('state')
        .execute()
      for (const { state, count } of rows) counts.set(state, Number(count))
    }
    return counts
  }

  listAttempts(mailbox: MailboxId, message: MessageId): Promise<DeliveryAttempt[]> {
    return attemptsOf(this.#database, mailbox, message)
  }

  async countOpen(): Promise<number> {
    await this.#takeUpAll()
    const row = await this.#database.read
      .selectNoFrom((select) => {
        const count = (isInState: RawBuilder<boolean>) =>
          select
            .selectFrom('outbox')
            .select(({ fn }) => fn.countAll<number | string>().as('count'))
            .where(isInState)
        return [count(isReady).as('ready'), count(isWaiting).as('waiting'), count(isHeld).as('held')]
      })
      .executeTakeFirst()
    return Number(row?.ready ?? 0) + Number(row?.waiting ?? 0) + Number(row?.held ?? 0)
  }

  #takeUp(limit: number, which: 'oldest' | 'newest'): Statement[] {
    const { dialect, read } = this.#database
    return dialect.takeUp(limit, which).map((move) => statementOf(move.compile(read)))
  }

  /** Who looks at entries finds all of them in one place. */
  async #takeUpAll(): Promise<void> {
    const submitted = await this.#database.read.selectFrom('submissions').select('id').limit(1).executeTakeFirst()
    if (submitted !== undefined) await this.#database.write(this.#takeUp(Number.MAX_SAFE_INTEGER, 'oldest'))
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
  'wish',
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
          wish: null,
        })
}

function preparedSubmission(database: Database): (entry: OutboxEntry) => Statement {
  const { sql } = database.read.insertInto('submissions').values({ count: 0, entries: '', due_at: 0 }).compile()
  return (entry) => ({ sql, parameters: [1, submissionJson(entry), entry.createdAt], amounts: 1, listed: true })
}

/** `[mailbox, message, destination, mailFrom, recipients, createdAt]`, as the dialects' `takeUp` reads it. */
function submissionJson({ mailbox, message, destination, mailFrom, recipients, createdAt }: OutboxEntry): string {
  const to = listJson(recipients, recipientJson)
  return `[${mailbox},${message},${textJson(destination)},${textJson(mailFrom)},${to},${createdAt}]`
}

function recipientJson(recipient: OutboxRecipient): string {
  // A new one says no more than this.
  return Object.keys(recipient).length === 2
    ? `{"address":${textJson(recipient.address)},"state":"${recipient.state}"}`
    : JSON.stringify(recipient)
}

type Settlement = Parameters<MailWriter['settleOutboxEntry']>

export function preparedSettlement(database: Database): (...settlement: Settlement) => Statement {
  // What was wished for meanwhile is done at once, not at the next try.
  const update = sql`update outbox set state = ${''}, recipients = ${''}, claimed_by = null,
    due_at = case when wish is not null and ${''} = 'queued' then 0 else cast(${0} as bigint) end
    where mailbox_id = ${0} and message_id = ${0} and destination = ${''} and attempts = ${0} and state = 'sending'`
  const { sql: text } = update.compile(database.read)
  return (entry, result) => ({
    sql: text,
    parameters: [
      result.state,
      JSON.stringify(result.recipients),
      result.state,
      result.dueAt,
      ...keyOf(entry),
      entry.attempts,
    ],
    guarded: true,
  })
}

function keyOf({ mailbox, message, destination }: QueuePlace) {
  return [mailbox, message, destination] as const
}

type Renewal = Parameters<MailWriter['renewClaim']>

export function preparedRenewal(database: Database): (...renewal: Renewal) => Statement {
  const update = sql`update outbox set due_at = ${0}
    where mailbox_id = ${0} and message_id = ${0} and destination = ${''} and attempts = ${0} and state = 'sending'`
  const { sql: text } = update.compile(database.read)
  return (entry, until) => ({ sql: text, parameters: [until, ...keyOf(entry), entry.attempts] })
}

/** By hand: of an entry that nobody has claimed. */
export function changeEntry(
  database: Database,
  ...[entry, to]: Parameters<MailWriter['changeOutboxEntry']>
): Statement {
  const query = database.read
    .updateTable('outbox')
    .set({ state: to.state, due_at: to.dueAt, recipients: JSON.stringify(to.recipients), wish: null })
    .where('mailbox_id', '=', entry.mailbox)
    .where('message_id', '=', entry.message)
    .where('destination', '=', entry.destination)
    .where('attempts', '=', entry.attempts)
    .where('state', 'in', entry.state === 'queued' ? ['queued', 'ready'] : [entry.state])
  return statementOf(query.compile(), { guarded: true })
}

export function wishOfEntry(
  database: Database,
  ...[entry, wish]: Parameters<MailWriter['wishOfOutboxEntry']>
): Statement {
  const query = database.read
    .updateTable('outbox')
    .set({ wish })
    .where('mailbox_id', '=', entry.mailbox)
    .where('message_id', '=', entry.message)
    .where('destination', '=', entry.destination)
    .where('attempts', '=', entry.attempts)
    .where('state', '=', 'sending')
  return statementOf(query.compile(), { guarded: true })
}

function byPlace(one: OutboxRow, other: OutboxRow): number {
  return (
    one.mailbox_id - other.mailbox_id ||
    one.message_id - other.message_id ||
    (one.destination < other.destination ? -1 : 1)
  )
}

function firstOf(moments: readonly unknown[]): number | undefined {
  const known = moments.filter((moment) => typeof moment === 'number')
  return known.length === 0 ? undefined : Math.min(...known)
}

/** The row as the domain has it. */
export function entryOf(row: OutboxRow): OutboxEntry {
  return {
    mailbox: row.mailbox_id as MailboxId,
    message: row.message_id as MessageId,
    destination: row.destination,
    mailFrom: row.mail_from,
    recipients: JSON.parse(row.recipients) as OutboxRecipient[],
    state: (row.state === 'ready' ? 'queued' : row.state) as OutboxEntry['state'],
    attempts: row.attempts,
    dueAt: row.due_at,
    createdAt: row.created_at,
    ...(row.wish === null ? {} : { wish: row.wish as OutboxWish }),
  }
}
