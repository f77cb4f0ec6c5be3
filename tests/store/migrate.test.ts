import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sqlite } from '../../src/store/dialect.js'
import { type Kysely, sql } from '../../src/store/kysely.js'
import { migrate } from '../../src/store/migrate.js'
import { first } from '../../src/store/migrations/0001-first.js'
import type { Schema } from '../../src/store/schema.js'
import { openSqliteDatabase } from '../../src/store/sqlite.js'
import { atEnd } from '../support/start-server.js'

async function openAfter(t: TestContext, prepare: (read: Kysely<Schema>) => Promise<void>): Promise<Kysely<Schema>> {
  const { read, close } = await openSqliteDatabase(':memory:', prepare)
  atEnd(t, close)
  return read
}

const openNewest = (t: TestContext) => openAfter(t, (db) => migrate(db, sqlite))

const later = sql`insert into kysely_migration (name, timestamp) values ('9999-later', '2099-01-01T00:00:00.000Z')`
const forgetNewest = sql`delete from kysely_migration where name = (select max(name) from kysely_migration)`

test('a database at the first of the migrations gets all the others', async (t) => {
  const read = await openAfter(t, async (db) => {
    await first(db as unknown as Kysely<unknown>, sqlite)
    await sql`create table kysely_migration (name text not null primary key, timestamp text not null)`.execute(db)
    await sql`insert into kysely_migration values ('0001-first', '2026-01-01T00:00:00.000Z')`.execute(db)
  })
  await migrate(read, sqlite)
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(read)
  assert.ok(rows.length > 1)
  // A table that a later one makes.
  assert.deepEqual((await sql`select * from delivery_attempts`.execute(read)).rows, [])
})

test('a database at the newest schema is left as it is', async (t) => {
  const read = await openNewest(t)
  const before = await sql`select * from kysely_migration`.execute(read)
  await migrate(read, sqlite)
  assert.deepEqual((await sql`select * from kysely_migration`.execute(read)).rows, before.rows)
})

test('a database of a newer version is refused, also one with as many migrations as this one has', async (t) => {
  const read = await openNewest(t)
  await forgetNewest.execute(read)
  await later.execute(read)
  await assert.rejects(migrate(read, sqlite), /9999-later/)
  const newer = await openNewest(t)
  await later.execute(newer)
  await assert.rejects(migrate(newer, sqlite), /9999-later/)
})
