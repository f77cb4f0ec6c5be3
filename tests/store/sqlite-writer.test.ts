import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { StoreUnavailable, WriteConflict } from '../../src/store/database.js'
import { openSqlite } from '../../src/store/sqlite-driver.js'
import { SqliteWriter } from '../../src/store/sqlite-writer.js'
import type { SqlValue, Statement } from '../../src/store/statement.js'

/** A writer over a table of notes, and how many writes each of its commits had. */
function openNotes(t: { after(action: () => unknown): void }, turns?: number) {
  const database = openSqlite(':memory:')
  database.exec('create table commits (number integer); insert into commits values (0)')
  database.exec('create table notes (id integer primary key, kind integer, text text not null)')
  const commits: number[] = []
  const writer = SqliteWriter.onConnection(database, { committed: (writes) => commits.push(writes) }, turns)
  t.after(async () => {
    await writer.close()
    database.close()
  })
  const rows = () =>
    database
      .prepare('select id, kind, text from notes order by id')
      .all()
      .map((row) => Object.values(row as object))
  return { writer, commits, rows }
}

function insert(...parameters: SqlValue[]): Statement {
  return { sql: 'insert into notes (id, kind, text) values (?, ?, ?)', parameters }
}

/** As many writes as there are turns of the event loop, one in each. */
async function oneEachTurn(writer: SqliteWriter, turns: number): Promise<void> {
  const writes: Promise<unknown>[] = []
  for (let id = 1; id <= turns; id++) {
    writes.push(writer.write([insert(id, null, 'a')]))
    await nextTurn()
  }
  await Promise.all(writes)
}

test('writes of one turn of the event loop share a commit', async (t) => {
  const { writer, commits } = openNotes(t, 1)
  await Promise.all([1, 2, 3].map((id) => writer.write([insert(id, null, 'a')])))
  assert.deepEqual(commits, [3])
})

test('a group waits while each turn brings more writes, and no longer than it may', async (t) => {
  const patient = openNotes(t, 4)
  await oneEachTurn(patient.writer, 3)
  assert.deepEqual(patient.commits, [3])
  const bounded = openNotes(t, 4)
  await oneEachTurn(bounded.writer, 6)
  assert.equal(bounded.commits[0], 4)
  const natural = openNotes(t, 1)
  await oneEachTurn(natural.writer, 3)
  assert.equal(natural.commits[0], 1)
})

test('what came before a commit was told waits for company too', async (t) => {
  for (const [turns, expected] of [
    [4, [1, 2]],
    [1, [1, 1, 1]],
  ] as const) {
    const { writer, commits } = openNotes(t, turns)
    await writer.write([insert(1, null, 'a')])
    const second = writer.write([insert(2, null, 'a')])
    await nextTurn()
    await Promise.all([second, writer.write([insert(3, null, 'a')])])
    assert.deepEqual(commits, expected)
  }
})

test('four fifths of those that write again and again do not wait for the rest', async (t) => {
  const { writer, commits } = openNotes(t, 4)
  const write = (count: number, from: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => writer.write([insert(from + index, null, 'a')])))
  await write(20, 0)
  await write(20, 20)
  await write(5, 40)
  assert.deepEqual(commits, [20, 16, 4, 5])
})

test('a closed writer has written what waited', async (t) => {
  const { writer, rows } = openNotes(t, 4)
  const write = writer.write([insert(1, null, 'a')])
  await writer.close()
  await write
  assert.deepEqual(rows(), [[1, null, 'a']])
  await assert.rejects(writer.write([insert(2, null, 'b')]), StoreUnavailable)
})

test('of a group in which some writes are at fault the others are kept, and each is told what became of it', async (t) => {
  const { writer, commits, rows } = openNotes(t, 1)
  const results = await Promise.allSettled([
    writer.write([insert(1, null, 'a')]),
    writer.write([insert(2, null, 'b'), insert(1, null, 'again')]),
    writer.write([insert(3, null, null)]),
    writer.write([
      insert(4, null, 'd'),
      { sql: 'update notes set text = ? where id = ?', parameters: ['e', 9], guarded: true },
    ]),
    writer.write([
      insert(5, null, 'f'),
      { sql: 'update notes set text = ? where id = ? returning text', parameters: ['g', 5], returnsRows: true },
    ]),
    // Its rows are not asked for.
    writer.write([{ sql: "insert into notes (id, text) values (6, 'h'), (7, 'i') returning id", parameters: [] }]),
  ])
  assert.deepEqual(commits, [6])
  const failures = results.map((result) => (result.status === 'rejected' ? result.reason.constructor : undefined))
  assert.deepEqual(failures, [undefined, StoreUnavailable, StoreUnavailable, WriteConflict, undefined, undefined])
  const [, , , , returned] = results
  assert.deepEqual(returned?.status === 'fulfilled' && returned.value.get(1)?.map((row) => ({ ...row })), [
    { text: 'g' },
  ])
  assert.deepEqual(rows(), [
    [1, null, 'a'],
    [5, null, 'g'],
    [6, null, 'h'],
    [7, null, 'i'],
  ])
})

function add(id: number, amount: number, text: string): Statement {
  return {
    sql: 'update notes set kind = kind + ?1, text = text || ?2 where id = ?3',
    parameters: [amount, text, id],
    amounts: 1,
  }
}

/** Rows are added to as one, whose text is the list of theirs. */
function note(amount: number, text: string, id: number): Statement {
  return {
    ...insert(amount, text, id),
    sql: 'insert into notes (kind, text, id) values (?, ?, ?)',
    amounts: 1,
    listed: true,
  }
}

test('a write at fault whose rows are wanted takes no other with it', async (t) => {
  const { writer, rows } = openNotes(t, 1)
  const returning = (id: number, text: string | null): Statement => ({
    sql: 'insert into notes (id, text) values (?, ?) returning id',
    parameters: [id, text],
    returnsRows: true,
  })
  const results = await Promise.allSettled([
    writer.write([insert(1, null, 'a')]),
    writer.write([returning(2, null)]),
    writer.write([returning(3, 'c')]),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(rows(), [
    [1, null, 'a'],
    [3, null, 'c'],
  ])
})

test('amounts that go to the same place are added once, with their sum', async (t) => {
  const { writer, rows } = openNotes(t, 1)
  await writer.write([insert(1, 10, 'a'), insert(2, 20, 'b')])
  await Promise.all([
    writer.write([add(1, 1, '+'), add(2, 1, '+')]),
    writer.write([add(1, 2, '+')]),
    writer.write([add(1, 4, '-'), add(2, 8, '+')]),
  ])
  assert.deepEqual(rows(), [
    [1, 17, 'a+-'],
    [2, 29, 'b+'],
  ])
})

test('texts of one list are joined, all else as the first has it', async (t) => {
  const { writer, rows } = openNotes(t, 1)
  await Promise.all([
    writer.write([note(1, 'a', 5), note(1, 'b', 6)]),
    writer.write([insert(9, 1, 'other')]),
    writer.write([note(2, 'c', 7)]),
  ])
  await writer.write([note(1, 'd', 8)])
  assert.deepEqual(rows(), [
    [5, 4, 'a,b,c'],
    [8, 1, 'd'],
    [9, 1, 'other'],
  ])
})

test('what reads amounts finds those before it added, and its rows are told by its place in its write', async (t) => {
  const { writer, rows } = openNotes(t, 1)
  await writer.write([insert(1, 10, 'a')])
  const sql = 'select kind from notes where id = ?'
  const read: Statement = { sql, parameters: [1], readsAmounts: true, returnsRows: true }
  const [, found] = await Promise.all([
    writer.write([add(1, 1, '+')]),
    writer.write([add(1, 2, '+'), read, add(1, 4, '+'), read]),
    writer.write([add(1, 8, '+')]),
  ])
  const kinds = [...(found ?? [])].map(([place, [row]]) => [place, row?.kind])
  assert.deepEqual(kinds, [
    [1, 13],
    [3, 17],
  ])
  assert.deepEqual(rows(), [[1, 25, 'a+++']])
})

test('beside a write at fault each other one adds its own amounts, and the one at fault none', async (t) => {
  const { writer, rows } = openNotes(t, 1)
  await writer.write([insert(1, 10, 'a')])
  const results = await Promise.allSettled([
    writer.write([add(1, 1, '+')]),
    writer.write([add(1, 2, '+'), insert(1, 0, 'again')]),
    writer.write([note(1, 'b', 5)]),
    writer.write([note(1, 'c', 5)]),
    writer.write([add(1, 4, '+')]),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(rows(), [
    [1, 15, 'a++'],
    [5, 1, 'b'],
  ])
})
