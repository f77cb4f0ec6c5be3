/** How far the full-text index has come with a mailbox, and that the work of it stays small however large that is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CompiledQuery } from 'kysely'
import type { MessageId } from '../../src/mail/ids.js'
import { indexMailbox } from '../../src/mail/index-mailbox.js'
import { startIndexing } from '../../src/mail/keep-indexed.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import type { Message } from '../../src/mail/message.js'
import { searchMessages } from '../../src/mail/search-messages.js'
import { sqlite } from '../../src/store/dialect.js'
import { migrate } from '../../src/store/migrate.js'
import type { Store } from '../../src/store/open.js'
import { openSqliteDatabase } from '../../src/store/sqlite.js'
import { openTestStore } from '../support/open-test-store.js'
import { insert, mailboxIn, messageIn } from '../support/searched-mail.js'

const said = (subject: string) => ({ subject, body: '', from: '', to: '' })

function mailOf(store: Store, mailbox: Mailbox, count: number, subject: string, from = 0): Message[] {
  return Array.from({ length: count }, (_, n) =>
    messageIn(store, mailbox, said(subject), { sentAt: from + n, receivedAt: from + n }),
  )
}

async function idsOf(store: Store, mailbox: Mailbox, word: string): Promise<MessageId[]> {
  const condition = { kind: 'words' as const, fields: ['subject' as const], words: [word], isPrefix: false }
  const page = { mailbox: mailbox.id, condition, top: 5_000, withContent: false }
  return (await store.mail.search.list(page)).map(({ id }) => id)
}

const newestFirst = (messages: readonly Message[]) => messages.map(({ id }) => id).reverse()

test('a look goes on where the last one ended, and what is new comes before the rest', async (t) => {
  const store = await openTestStore(t)
  const mailbox = await mailboxIn(store)
  const old = mailOf(store, mailbox, 700, 'old')
  await insert(store, ...old)
  const look = (messages: number, lookedThrough: number) =>
    indexMailbox({ store: store.mail }, mailbox.id, { messages, lookedThrough })

  assert.equal(await look(100, 100), false)
  assert.deepEqual(await idsOf(store, mailbox, 'old'), newestFirst(old).slice(0, 100))
  // The newest hundred were looked through: the rest is not theirs to index who look no further.
  assert.equal(await look(100, 100), false)
  assert.equal((await idsOf(store, mailbox, 'old')).length, 100)

  const [oldest, newest] = [old[0], old.at(-1)]
  assert.ok(oldest !== undefined && newest !== undefined)
  const late = mailOf(store, mailbox, 3, 'new', -10)
  await insert(store, ...late)
  const rewritten = { ...newest, subject: 'new', change: store.ids.next() }
  await store.mail.write((tx) => tx.updateMessage(rewritten, newest.change))
  assert.equal(await look(100, 100), false)
  assert.deepEqual(await idsOf(store, mailbox, 'new'), [newest.id, ...newestFirst(late)])
  assert.equal(await store.mail.search.countUnindexed(mailbox.id), 600)

  assert.equal(await look(5_000, 5_000), true)
  assert.equal(await store.mail.search.countAllUnindexed(), 0)
  assert.deepEqual(await idsOf(store, mailbox, 'old'), newestFirst(old).slice(1))
  assert.equal(await look(1, 1), true)
})

test('when more comes at once than a search may wait for, the newest of it is found first', async (t) => {
  const store = await openTestStore(t)
  const mailbox = await mailboxIn(store)
  await insert(store, ...mailOf(store, mailbox, 10, 'old', 10_000))
  await indexMailbox({ store: store.mail }, mailbox.id, { messages: 1, lookedThrough: 1 })
  await indexMailbox({ store: store.mail }, mailbox.id, { messages: 100, lookedThrough: 100 })
  const many = mailOf(store, mailbox, 1_500, 'new')
  await insert(store, ...many)
  const condition = { kind: 'words' as const, fields: ['subject' as const], words: ['new'], isPrefix: false }
  const page = await searchMessages(
    { store: store.mail },
    { mailbox: mailbox.id, condition, top: 400, withContent: false },
  )
  assert.deepEqual(
    page.map(({ id }) => id),
    newestFirst(many).slice(0, 400),
  )
  assert.equal(await indexMailbox({ store: store.mail }, mailbox.id, { messages: 5_000, lookedThrough: 5_000 }), true)
  assert.deepEqual(await idsOf(store, mailbox, 'new'), newestFirst(many))
})

test('every mailbox is caught up in the background, new mail included', { timeout: 60_000 }, async (t) => {
  const store = await openTestStore(t)
  const mailboxes = [await mailboxIn(store), await mailboxIn(store), await mailboxIn(store)]
  for (const mailbox of mailboxes) await insert(store, ...mailOf(store, mailbox, 1_200, 'old'))
  const faults: unknown[] = []
  const end = startIndexing({ store: store.mail }, { failed: (error) => faults.push(error) })
  for (const mailbox of mailboxes) await insert(store, ...mailOf(store, mailbox, 20, 'new', -20))
  while ((await store.mail.search.listBehind()).length > 0) await sleep(50)
  await end()
  assert.deepEqual(faults, [])
  for (const mailbox of mailboxes) {
    assert.equal((await idsOf(store, mailbox, 'old')).length, 1_200)
    assert.equal((await idsOf(store, mailbox, 'new')).length, 20)
  }
})

test('SQLite finds messages by their ids without going through the mailbox', async (t) => {
  const database = await openSqliteDatabase(':memory:', (read) => migrate(read, sqlite))
  t.after(() => database.close())
  const query = database.read
    .selectFrom('messages')
    .select(['id', 'subject'])
    .where(sqlite.messagesById(4_096, [1, 2, 3]))
    .where('folder_id', '!=', 0)
    .compile()
  const plan = CompiledQuery.raw(`explain query plan ${query.sql}`, [...query.parameters])
  const { rows: steps } = await database.read.executeQuery<{ detail: string }>(plan)
  const [first] = steps.map(({ detail }) => detail)
  assert.equal(first, 'SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)')
})
