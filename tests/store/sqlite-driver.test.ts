import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseSqlite, openSqlite, type SqliteDatabase } from '../../src/store/sqlite-driver.js'

const packaged = { name: 'packaged', load: () => import('@photostructure/sqlite') }
const absent = { name: 'absent', load: () => import('node:no-such-sqlite' as string) }

/** As Node 22.13 has it: it opens, and knows no FTS5. */
const withoutSearch = {
  name: 'without search',
  load: async () => {
    const { DatabaseSync } = await packaged.load()
    class WithoutSearch extends DatabaseSync {
      override exec(sql: string): void {
        super.exec(sql.replace('using fts5', 'using fts5_left_out'))
      }
    }
    return { DatabaseSync: WithoutSearch }
  },
}

test('whatever Node this is, a database has full-text search', () => {
  const database = openSqlite(':memory:')
  database.exec("create virtual table tried using fts5(words, content = '', contentless_delete = 1)")
  database.exec("insert into tried (rowid, words) values (7, 'alpha beta'); delete from tried where rowid = 8")
  assert.deepEqual(
    database
      .prepare("select rowid as doc from tried where words match 'beta'")
      .all()
      .map((row) => (row as { doc: number }).doc),
    [7],
  )
  database.close()
})

test('a build of SQLite that is absent or cannot search gives way to the next', async () => {
  const { DatabaseSync } = await packaged.load()
  assert.equal(await chooseSqlite([absent, withoutSearch, packaged]), DatabaseSync)
  const first = await chooseSqlite([withoutSearch, packaged])
  assert.ok(!(first instanceof Error))
  const database: SqliteDatabase = new first(':memory:')
  database.close()
})

test('where none can search, it is said which were tried and what to do', async () => {
  const none = await chooseSqlite([absent, withoutSearch])
  assert.ok(none instanceof Error)
  assert.match(none.message, /^Graphpost needs an SQLite with full-text search \(FTS5\), and Node [\d.]+ has none: /)
  assert.match(none.message, /absent: .*node:no-such-sqlite; without search: no such module: fts5_left_out\. Install /)
})
