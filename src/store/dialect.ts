import { type ColumnDataType, type CreateTableBuilder, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { Schema } from './schema.js'

/** What the two databases do not share. Nothing outside this file, `sqlite*.ts` and `postgres.ts` knows which one it is. */
export interface DatabaseDialect {
  readonly name: 'sqlite' | 'postgres'
  /** Integers of 8 bytes. */
  readonly integer: ColumnDataType
  readonly bytes: ColumnDataType
  /** The type of a primary key that the database gives, each larger than those before. */
  readonly risingNumber: ColumnDataType
  /**
   * The number of the commit that a statement belongs to; larger than that of every commit whose rows could be seen when
   * it began (decision 19).
   */
  readonly commitNumber: RawBuilder<number>
  /** Every commit up to this number is over: what it wrote can be seen. */
  readonly completeCommits: RawBuilder<number>
  /** No row that can be seen has a larger number. */
  readonly visibleCommits: RawBuilder<number>
  /** Text that lists are ordered by: compared by code point, whatever the locale of the database. */
  readonly orderedText: ColumnDataType | RawBuilder<string>
  /** Rows that another worker is taking at this moment are passed over. */
  skipLocked<Row>(query: SelectQueryBuilder<Schema, 'outbox', Row>): SelectQueryBuilder<Schema, 'outbox', Row>
  /** A list of numbers as one parameter, for `in`: the text of the statement is the same however many there are. */
  numbers(values: readonly number[]): RawBuilder<number>
  /** Rows of three numbers as one parameter, as a table with the columns `a`, `b` and `c`. */
  triples(rows: readonly (readonly [number, number, number])[]): RawBuilder<{ a: number; b: number; c: number }>
  /** Moves at least `limit` of the oldest submissions into the outbox, or all there are; run in one write. */
  takeUp(limit: number): readonly RawBuilder<unknown>[]
  /**
   * The primary key of messages. SQLite keeps rows in the order of an INTEGER PRIMARY KEY, and full-text search will
   * want that order to be the chronological one; so there the id alone is the key, and it is unique in the whole store.
   */
  messageKey(table: CreateTableBuilder<'messages', 'mailbox_id'>): CreateTableBuilder<'messages', 'mailbox_id' | 'id'>
  /** A table that is kept in the order of its primary key, where the database can: one tree to write instead of two. */
  clustered<Columns extends string>(table: CreateTableBuilder<'outbox', Columns>): CreateTableBuilder<'outbox', Columns>
}

const outboxColumns = sql.raw(
  'mailbox_id, message_id, destination, mail_from, recipients, state, attempts, due_at, created_at',
)

export const sqlite: DatabaseDialect = {
  name: 'sqlite',
  integer: 'integer',
  bytes: 'blob',
  risingNumber: 'integer',
  // Counted up at the begin of each transaction (sqlite-group.ts): there is one writer at a time.
  commitNumber: sql<number>`(select number from commits)`,
  completeCommits: sql<number>`(select number from commits)`,
  visibleCommits: sql<number>`(select number from commits)`,
  orderedText: 'text',
  // One writer at a time: there is nothing to pass over.
  skipLocked: (query) => query,
  numbers: (values) => sql`(select value from json_each(${JSON.stringify(values)}))`,
  triples: (rows) =>
    sql`(select value ->> 0 as a, value ->> 1 as b, value ->> 2 as c from json_each(${JSON.stringify(rows)}))`,
  takeUp: (limit) => {
    const last = sql`(
      select max(id) from (
        select id, sum(count) over (order by id) - count as before
        from (select id, count from submissions order by id limit ${limit})
      ) where before < ${limit})`
    return [
      sql`
        insert into outbox (${outboxColumns})
        select e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3, e.value -> 4, 'queued', 0, e.value ->> 5, e.value ->> 5
        from submissions, json_each('[' || entries || ']') as e where submissions.id <= ${last}`,
      sql`delete from submissions where id <= ${last}`,
    ]
  },
  messageKey: (table) => table.addColumn('id', 'integer', (column) => column.primaryKey()),
  clustered: (table) => table.modifyEnd(sql`without rowid`),
}

export const postgres: DatabaseDialect = {
  name: 'postgres',
  integer: 'bigint',
  bytes: 'bytea',
  risingNumber: 'bigserial',
  // Transactions are numbered when they begin to write and commit in any order; a snapshot knows which are still open.
  commitNumber: sql<number>`pg_current_xact_id()::text::bigint`,
  completeCommits: completeTransactions(),
  visibleCommits: sql<number>`pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1`,
  orderedText: sql`text collate "C"`,
  skipLocked: (query) => query.forUpdate().skipLocked(),
  numbers: (values) => sql`(select e::bigint from json_array_elements_text(${JSON.stringify(values)}::json) as e)`,
  triples: (rows) => sql`(
    select (e ->> 0)::bigint as a, (e ->> 1)::bigint as b, (e ->> 2)::bigint as c
    from json_array_elements(${JSON.stringify(rows)}::json) as e)`,
  // Here a write is a transaction of its own, so a row is one mail's. Rows that another takes up are waited for: who
  // looks at entries afterwards must find those too.
  takeUp: (limit) => [
    sql`
      with taken as (
        delete from submissions
        where id in (select id from submissions order by id limit ${limit} for update)
        returning entries
      )
      insert into outbox (${outboxColumns})
      select (e ->> 0)::bigint, (e ->> 1)::bigint, e ->> 2, e ->> 3, e ->> 4, 'queued', 0, (e ->> 5)::bigint, (e ->> 5)::bigint
      from taken, json_array_elements(('[' || entries || ']')::json) as e`,
  ],
  messageKey: (table) =>
    table
      .addColumn('id', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('messages_key', ['mailbox_id', 'id']),
  clustered: (table) => table,
}

/**
 * What comes before the first transaction that may still write mail. A snapshot's own `xmin` would do, were it not for the
 * transactions of every other database of the cluster, which hold it back. So the snapshot only says where the numbers
 * end that it knows (`xmax`), and then the backends are looked at: whatever was below that is now either over, and seen
 * by whoever reads from here on, or one of theirs. `backend_xid` has the lower 32 bits of a number. A transaction that
 * writes call records writes nothing else, and vacuum writes no rows.
 */
function completeTransactions(): RawBuilder<number> {
  return sql<number>`(
    select least(known.next, min(case when behind < 2147483648 then known.next - behind end)) - 1
    from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next) as known
    left join lateral (
      select (known.next - open.backend_xid::text::bigint) & 4294967295 as behind
      from pg_stat_activity as open
      where open.datname = current_database() and open.backend_type = 'client backend' and open.backend_xid is not null
      and not exists (
        select from pg_locks as held
        where held.pid = open.pid and held.relation = 'call_pages'::regclass and held.mode = 'RowExclusiveLock'
      )
    ) as transactions on true
    group by known.next)`
}
