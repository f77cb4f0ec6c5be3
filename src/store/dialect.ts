import {
  type ColumnDataType,
  type CreateTableBuilder,
  type RawBuilder,
  type SelectQueryBuilder,
  type SqlBool,
  sql,
} from './kysely.js'
import { postgresSearch } from './postgres-search.js'
import type { Schema } from './schema.js'
import type { SearchEngine } from './search-engine.js'
import { sqliteSearch } from './sqlite-search.js'

/** What the two databases do not share. Nothing outside this file, `sqlite*.ts` and `postgres*.ts` knows which one it is. */
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
  skipLocked<Table extends 'outbox' | 'notifications', Row>(
    query: SelectQueryBuilder<Schema, Table, Row>,
  ): SelectQueryBuilder<Schema, Table, Row>
  /** A list of numbers as one parameter, for `in`: the text of the statement is the same however many there are. */
  numbers(values: readonly number[]): RawBuilder<number>
  /**
   * Rows of `messages`: those of a mailbox by their ids. SQLite keeps no figures of its tables, and takes a mailbox for
   * fewer rows than ten ids are: it would go through all of its messages.
   */
  messagesById(mailbox: number, ids: readonly number[]): RawBuilder<SqlBool>
  /** Rows of three numbers as one parameter, as a table with the columns `a`, `b` and `c`. */
  triples(rows: readonly (readonly [number, number, number])[]): RawBuilder<{ a: number; b: number; c: number }>
  /**
   * Takes ready entries of one destination after the other. `walk`: the destinations that are looked at, in order, as
   * rows; `take`: the entries, claimed, as rows. Both in one write.
   */
  claimReady(claim: ReadyClaim): { readonly walk: RawBuilder<unknown>; readonly take: RawBuilder<unknown> }
  /** Moves at least `limit` of the oldest submissions, or of the newest, into the outbox, or all there are; run in one write. */
  takeUp(limit: number, which: 'oldest' | 'newest'): readonly RawBuilder<unknown>[]
  /**
   * The primary key of messages. SQLite keeps rows in the order of an INTEGER PRIMARY KEY, and full-text search will
   * want that order to be the chronological one; so there the id alone is the key, and it is unique in the whole store.
   */
  messageKey(table: CreateTableBuilder<'messages', 'mailbox_id'>): CreateTableBuilder<'messages', 'mailbox_id' | 'id'>
  readonly search: SearchEngine
  /** A table that is kept in the order of its primary key, where the database can: one tree to write instead of two. */
  clustered<Columns extends string>(table: CreateTableBuilder<'outbox', Columns>): CreateTableBuilder<'outbox', Columns>
  /**
   * Statements that begin and end the noting of each change of a message whose mailbox has subscriptions: triggers, so that
   * no writer can forget it, in whichever process, and no crash comes between. While nobody listens there are none, and
   * writing mail costs nothing more (decision 20). Each runs in the write that makes or ends a subscription.
   */
  readonly noting: { readonly begin: readonly string[]; readonly end: readonly string[] }
  /** Before a statement that depends on which subscriptions there are, where writes can run side by side. */
  readonly lockSubscriptions: readonly string[]
  /** Text with the letters of ASCII, and no others, in lower case; ordered by code point. */
  folded(text: RawBuilder<unknown>): RawBuilder<unknown>
  /** A text column, to be read as JSON. */
  json(text: RawBuilder<unknown>): RawBuilder<unknown>
  /** The text at a path inside JSON, its names constants of ours; null when there is none. */
  jsonText(json: RawBuilder<unknown>, path: readonly string[]): RawBuilder<unknown>
  /** The same as it is written in JSON: `true`, `null`, `"text"`. */
  jsonValue(json: RawBuilder<unknown>, path: readonly string[]): RawBuilder<unknown>
  /** The elements of a list inside JSON, as rows with a column `value`; none when there is no list. */
  jsonElements(json: RawBuilder<unknown>, path: readonly string[]): RawBuilder<unknown>
  /** The number that a text is, up to 15 digits before and after the point; null when it is none. */
  numberIn(text: RawBuilder<unknown>): RawBuilder<unknown>
}

/** What a worker can take. */
export interface ReadyClaim {
  readonly worker: string
  /** End of the claim, ms since 1970. */
  readonly until: number
  /** The destination after which the walk begins; '' for the first. */
  readonly after: string
  /** Destinations that are looked at. */
  readonly steps: number
  /** Entries of a destination that {@link ReadyClaim.free} does not name. */
  readonly each: number
  /** How many entries may be taken of destinations that are not like the others. */
  readonly free: ReadonlyMap<string, number>
  /** Entries in all. */
  readonly limit: number
}

/** Destinations that have something ready, each found by one look into the index of those. */
function walkOf({ after, steps }: ReadyClaim): RawBuilder<unknown> {
  return sql`walk (destination, step) as (
    select (select min(destination) from outbox where state = 'ready' and destination > ${after}), 1
    union all
    select (select min(destination) from outbox where state = 'ready' and destination > walk.destination), step + 1
    from walk where destination is not null and step < ${steps})`
}

function claimed({ worker, until }: ReadyClaim): RawBuilder<unknown> {
  return sql`state = 'sending', claimed_by = ${worker}, due_at = ${until}, attempts = attempts + 1`
}

const hasSubscriptions = 'exists (select 1 from subscriptions where mailbox_id = new.mailbox_id)'
const changeColumns = 'mailbox_id, message_id, from_folder, from_moves, to_folder, to_moves, change'
const noteInsert = `insert into message_changes (${changeColumns})
  values (new.mailbox_id, new.id, 0, 0, new.folder_id, new.moves, new.change)`
const noteUpdate = `insert into message_changes (${changeColumns})
  values (new.mailbox_id, new.id, old.folder_id, old.moves, new.folder_id, new.moves, new.change)`

function freeOf({ free }: ReadyClaim): string {
  return JSON.stringify(Object.fromEntries(free))
}

function mostOf({ each, free }: ReadyClaim): number {
  return Math.max(each, ...free.values())
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
  // The sign does nothing but keep the indexes that begin with the mailbox out of it.
  messagesById: (mailbox, ids) => sql`(+messages.mailbox_id = ${mailbox} and messages.id in ${sqlite.numbers(ids)})`,
  triples: (rows) =>
    sql`(select value ->> 0 as a, value ->> 1 as b, value ->> 2 as c from json_each(${JSON.stringify(rows)}))`,
  claimReady: (claim) => ({
    walk: sql`with recursive ${walkOf(claim)} select destination from walk where destination is not null order by step`,
    // The list made by json_group_array is what other databases call lateral: the oldest of that one destination.
    take: sql`
      update outbox set ${claimed(claim)}
      where (mailbox_id, message_id, destination) in (
        with recursive ${walkOf(claim)},
        visited as materialized (
          select walk.destination, coalesce(
            (select f.value from json_each(${freeOf(claim)}) as f where f.key = walk.destination), ${claim.each}) as free
          from walk where destination is not null)
        select e.value ->> 0, e.value ->> 1, visited.destination
        from visited, json_each((
          select json_group_array(json_array(mailbox_id, message_id)) from (
            select mailbox_id, message_id from outbox
            where state = 'ready' and destination = visited.destination order by due_at limit ${mostOf(claim)}))) as e
        where visited.free > 0 and e.key < visited.free
        limit ${claim.limit})
      returning *`,
  }),
  takeUp: (limit, which) => {
    const isOldest = which === 'oldest'
    const order = sql.raw(isOldest ? 'order by id' : 'order by id desc')
    const isTaken = sql`submissions.id ${sql.raw(isOldest ? '<=' : '>=')} (
      select ${sql.raw(isOldest ? 'max' : 'min')}(id) from (
        select id, sum(count) over (${order}) - count as before
        from (select id, count from submissions ${order} limit ${limit})
      ) where before < ${limit})`
    return [
      sql`
        insert into outbox (${outboxColumns})
        select e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3, e.value -> 4, 'ready', 0, e.value ->> 5, e.value ->> 5
        from submissions, json_each('[' || entries || ']') as e where ${isTaken}`,
      sql`delete from submissions where ${isTaken}`,
    ]
  },
  messageKey: (table) => table.addColumn('id', 'integer', (column) => column.primaryKey()),
  search: sqliteSearch,
  clustered: (table) => table.modifyEnd(sql`without rowid`),
  noting: {
    begin: [
      `create trigger if not exists message_inserted after insert on messages
         when new.folder_id <> 0 and ${hasSubscriptions} begin ${noteInsert}; end`,
      `create trigger if not exists message_updated after update of change on messages
         when new.change <> old.change and ${hasSubscriptions} begin ${noteUpdate}; end`,
    ],
    end: ['drop trigger if exists message_inserted', 'drop trigger if exists message_updated'],
  },
  lockSubscriptions: [],
  folded: (text) => sql`lower(${text})`,
  json: (text) => text,
  // An element of a list is text already, or the JSON of an object.
  jsonText: (json, path) => (path.length === 0 ? json : sql`(${json} ->> ${sql.lit(`$.${path.join('.')}`)})`),
  jsonValue: (json, path) => sql`(${json} -> ${sql.lit(`$.${path.join('.')}`)})`,
  jsonElements: (json, path) => sql`json_each(${json}, ${sql.lit(`$.${path.join('.')}`)})`,
  numberIn: (text) => sql`
    case when json_valid(${text}) and json_type(${text}) in ('integer', 'real')
      and length(${text}) <= 16 and ${text} not glob '*[eE]*' then cast(${text} as real) end`,
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
  messagesById: (mailbox, ids) => sql`(messages.mailbox_id = ${mailbox} and messages.id in ${postgres.numbers(ids)})`,
  triples: (rows) => sql`(
    select (e ->> 0)::bigint as a, (e ->> 1)::bigint as b, (e ->> 2)::bigint as c
    from json_array_elements(${JSON.stringify(rows)}::json) as e)`,
  claimReady: (claim) => ({
    walk: sql`with recursive ${walkOf(claim)} select destination from walk where destination is not null order by step`,
    take: sql`
      with recursive ${walkOf(claim)},
      visited as (
        select walk.destination, coalesce((${freeOf(claim)}::json ->> walk.destination)::bigint, ${claim.each}) as free
        from walk where destination is not null),
      picked as (
        select e.mailbox_id, e.message_id, visited.destination
        from visited cross join lateral (
          select mailbox_id, message_id from outbox
          where state = 'ready' and destination = visited.destination
          order by due_at limit visited.free for update skip locked) as e
        limit ${claim.limit})
      update outbox set ${claimed(claim)} from picked
      where outbox.mailbox_id = picked.mailbox_id and outbox.message_id = picked.message_id
        and outbox.destination = picked.destination
      returning outbox.*`,
  }),
  // Here a write is a transaction of its own, so a row is one mail's. Rows that another takes up are waited for: who
  // looks at entries afterwards must find those too.
  takeUp: (limit, which) => [
    sql`
      with taken as (
        delete from submissions
        where id in (
          select id from submissions order by id ${sql.raw(which === 'oldest' ? 'asc' : 'desc')} limit ${limit} for update)
        returning entries
      )
      insert into outbox (${outboxColumns})
      select (e ->> 0)::bigint, (e ->> 1)::bigint, e ->> 2, e ->> 3, e ->> 4, 'ready', 0, (e ->> 5)::bigint, (e ->> 5)::bigint
      from taken, json_array_elements(('[' || entries || ']')::json) as e`,
  ],
  messageKey: (table) =>
    table
      .addColumn('id', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('messages_key', ['mailbox_id', 'id']),
  search: postgresSearch,
  clustered: (table) => table,
  noting: {
    // A trigger locks the table for a moment: it is made only when there is none.
    begin: [
      `do $do$ begin
         if exists (select 1 from pg_trigger where tgname = 'message_updated' and tgrelid = 'messages'::regclass) then
           return;
         end if;
         create or replace function note_message_change() returns trigger language plpgsql as $note$
           begin
             if ${hasSubscriptions} then
               if tg_op = 'INSERT' then ${noteInsert};
               else ${noteUpdate};
               end if;
             end if;
             return null;
           end $note$;
         create trigger message_inserted after insert on messages
           for each row when (new.folder_id <> 0) execute function note_message_change();
         create trigger message_updated after update of change on messages
           for each row when (new.change <> old.change) execute function note_message_change();
       end $do$`,
    ],
    end: ['drop trigger if exists message_inserted on messages', 'drop trigger if exists message_updated on messages'],
  },
  lockSubscriptions: ['lock table subscriptions in share row exclusive mode'],
  folded: (text) => sql`lower(${text} collate "C")`,
  json: (text) => sql`${text}::jsonb`,
  jsonText: (json, path) => sql`(${json} #>> ${sql.lit(`{${path.join(',')}}`)})`,
  jsonValue: (json, path) => sql`(${json} #> ${sql.lit(`{${path.join(',')}}`)})::text`,
  jsonElements: (json, path) => sql`jsonb_array_elements(${json} #> ${sql.lit(`{${path.join(',')}}`)})`,
  numberIn: (text) => sql`
    case when length(${text}) <= 16 and ${text} ~ ${sql.lit('^[ \\t\\r\\n]*-?(0|[1-9][0-9]*)(\\.[0-9]+)?[ \\t\\r\\n]*$')}
      then ${text}::float8 end`,
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
