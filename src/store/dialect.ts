import { type ColumnDataType, type CreateTableBuilder, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
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
  /** Text that lists are ordered by: compared by code point, whatever the locale of the database. */
  readonly orderedText: ColumnDataType | RawBuilder<string>
  /** Rows that another worker is taking at this moment are passed over. */
  skipLocked<Row>(query: SelectQueryBuilder<Schema, 'outbox', Row>): SelectQueryBuilder<Schema, 'outbox', Row>
  /** Moves at least `limit` of the oldest submissions into the outbox, or all there are; run in one write. */
  takeUp(limit: number): readonly RawBuilder<unknown>[]
  /**
   * The primary key of messages. SQLite keeps rows in the order of an INTEGER PRIMARY KEY, and full-text search will
   * want that order to be the chronological one; so there the id alone is the key, and it is unique in the whole store.
   */
  messageKey(table: CreateTableBuilder<'messages', 'mailbox_id'>): CreateTableBuilder<'messages', 'mailbox_id' | 'id'>
  readonly search: SearchEngine
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
  orderedText: 'text',
  // One writer at a time: there is nothing to pass over.
  skipLocked: (query) => query,
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
  search: sqliteSearch,
  clustered: (table) => table.modifyEnd(sql`without rowid`),
}

export const postgres: DatabaseDialect = {
  name: 'postgres',
  integer: 'bigint',
  bytes: 'bytea',
  risingNumber: 'bigserial',
  orderedText: sql`text collate "C"`,
  skipLocked: (query) => query.forUpdate().skipLocked(),
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
  search: postgresSearch,
  clustered: (table) => table,
}
