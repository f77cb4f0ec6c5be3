import { type ColumnDataType, type CreateTableBuilder, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { Schema } from './schema.js'

/** What the two databases do not share. Nothing outside this file, `sqlite*.ts` and `postgres.ts` knows which one it is. */
export interface DatabaseDialect {
  readonly name: 'sqlite' | 'postgres'
  /** Integers of 8 bytes. */
  readonly integer: ColumnDataType
  readonly bytes: ColumnDataType
  /** Text that lists are ordered by: compared by code point, whatever the locale of the database. */
  readonly orderedText: ColumnDataType | RawBuilder<string>
  /** Rows that another worker is taking at this moment are passed over. */
  skipLocked<Row>(query: SelectQueryBuilder<Schema, 'outbox', Row>): SelectQueryBuilder<Schema, 'outbox', Row>
  /**
   * The primary key of messages. SQLite keeps rows in the order of an INTEGER PRIMARY KEY, and full-text search will
   * want that order to be the chronological one; so there the id alone is the key, and it is unique in the whole store.
   */
  messageKey(table: CreateTableBuilder<'messages', 'mailbox_id'>): CreateTableBuilder<'messages', 'mailbox_id' | 'id'>
  /** A table that is kept in the order of its primary key, where the database can: one tree to write instead of two. */
  clustered<Columns extends string>(table: CreateTableBuilder<'outbox', Columns>): CreateTableBuilder<'outbox', Columns>
}

export const sqlite: DatabaseDialect = {
  name: 'sqlite',
  integer: 'integer',
  bytes: 'blob',
  orderedText: 'text',
  // One writer at a time: there is nothing to pass over.
  skipLocked: (query) => query,
  messageKey: (table) => table.addColumn('id', 'integer', (column) => column.primaryKey()),
  clustered: (table) => table.modifyEnd(sql`without rowid`),
}

export const postgres: DatabaseDialect = {
  name: 'postgres',
  integer: 'bigint',
  bytes: 'bytea',
  orderedText: sql`text collate "C"`,
  skipLocked: (query) => query.forUpdate().skipLocked(),
  messageKey: (table) =>
    table
      .addColumn('id', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('messages_key', ['mailbox_id', 'id']),
  clustered: (table) => table,
}
