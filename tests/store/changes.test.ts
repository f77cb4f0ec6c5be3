import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import pg from 'pg'
import { createDraft } from '../../src/mail/create-draft.js'
import { createMailbox } from '../../src/mail/create-mailbox.js'
import { type DeltaPosition, messageDelta } from '../../src/mail/delta.js'
import { emptyDraft } from '../../src/mail/empty-draft.js'
import type { TenantId } from '../../src/mail/ids.js'
import type { Mail } from '../../src/mail/mail.js'
import { folderId } from '../../src/mail/mail-folder.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import type { Message } from '../../src/mail/message.js'
import { purgeMessage } from '../../src/mail/move-message.js'
import type { Store } from '../../src/store/open.js'
import { openTestStore, testLocation } from '../support/open-test-store.js'
import { testStore } from '../support/start-server.js'

const random = { bytes: (count: number) => randomBytes(count), uuid: () => randomUUID() }
const kinds = new Set(['created', 'updated', 'deleted'] as const)

interface Setup {
  readonly mail: Mail
  readonly mailbox: Mailbox
}

async function setup(store: Store, now = () => Date.now()): Promise<Setup> {
  const limits = { maxRecipients: 500, maxInternetMessageHeaders: 5, maxMessageBytes: 1e6 }
  const mail: Mail = {
    store: store.mail,
    ids: store.ids,
    random,
    clock: { now },
    limits,
    hostname: 'test',
    outboxChanged: () => {},
  }
  const tenant = '00000000-0000-4000-8000-00000000000a' as TenantId
  const mailbox = await createMailbox(mail, { tenant, userPrincipalName: 'adele@contoso.com', displayName: 'Adele' })
  return { mail, mailbox }
}

/** One round of Drafts: subjects, or numbers of messages that left, and where the next one begins. */
async function round({ mail, mailbox }: Setup, from?: DeltaPosition) {
  const query = { mailbox: mailbox.id, folder: folderId('drafts'), kinds, withContent: false }
  const found: (string | number | null)[] = []
  let position = from
  do {
    const page = await messageDelta(mail.store, query, position, 2)
    if ('gone' in page) throw new Error('gone')
    for (const item of page.items) found.push('written' in item ? item.written.subject : item.removed.item)
    position = page.position
  } while (position.step !== 'waiting')
  return { found, position }
}

function draft({ mail, mailbox }: Setup, subject: string): Promise<Message> {
  return createDraft(mail, mailbox, { ...emptyDraft(), subject })
}

test('what is committed while a round is read is in that round or in the next', async (t) => {
  const store = await openTestStore(t)
  const all = await setup(store)
  const seen = new Set<string | number | null>()
  let { position } = await round(all)
  const writing = Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      for (let count = 0; count < 25; count++) await draft(all, `${writer} ${count}`)
    }),
  )
  let isDone = false
  void writing.then(() => {
    isDone = true
  })
  while (!isDone) {
    const next = await round(all, position)
    for (const subject of next.found) seen.add(subject)
    position = next.position
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (const subject of (await round(all, position)).found) seen.add(subject)
  assert.equal(seen.size, 8 * 25)
  await writing
})

const onPostgres = testStore === 'postgres' ? false : 'SQLite has one writer: there is no other order'

test('a write that began earlier and is committed later is not missed', { skip: onPostgres }, async (t) => {
  const location = await testLocation(t)
  if (location.kind !== 'postgres') throw new Error('no PostgreSQL')
  const all = await setup(await openTestStore(t, location))
  const slow = await draft(all, 'slow')
  const { position } = await round(all)

  // The write changes the message, then waits for its folder, which somebody else holds.
  const holder = new pg.Client({ connectionString: location.url })
  await holder.connect()
  await holder.query('begin')
  await holder.query('select from mail_folders where mailbox_id = $1 and id = $2 for update', [
    all.mailbox.id,
    folderId('drafts'),
  ])
  const change = all.mail.ids.next()
  const counts = { total: 0, unread: 0, sizeBytes: 0 }
  const slowly = all.mail.store.write((tx) => {
    tx.updateMessage({ ...slow, subject: 'slow, changed', change }, slow.change)
    tx.changeFolder(all.mailbox.id, folderId('drafts'), counts)
  })
  const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  while ((await holder.query(waiting)).rowCount === 0) await new Promise((resolve) => setImmediate(resolve))

  // Another one begins after it and is through before it, without the folder's row.
  const { id: _, ...copied } = slow
  const fast: Message = {
    ...copied,
    id: all.mail.ids.next() as Message['id'],
    change: all.mail.ids.next(),
    subject: 'fast',
  }
  await all.mail.store.write((tx) => tx.insertMessage(fast))
  const between = await round(all, position)
  assert.deepEqual(between.found, ['fast'])

  await holder.query('rollback')
  await holder.end()
  await slowly
  // What had a number above the open one is shown once more: it could not be told to be complete.
  assert.deepEqual((await round(all, between.position)).found, ['slow, changed', 'fast'])
  assert.deepEqual((await round(all, (await round(all, between.position)).position)).found, [])
})

test('what left is forgotten after its time, and whoever had not heard of it is told so', async (t) => {
  let now = 1_700_000_000_000
  const all = await setup(await openTestStore(t), () => now)
  const { store } = all.mail
  const [first, second] = [await draft(all, 'first'), await draft(all, 'second')]
  const start = await round(all)
  await purgeMessage(all.mail, first)
  const heard = await round(all, start.position)
  now += 1_000
  await purgeMessage(all.mail, second)

  assert.equal(await store.changes.forget(now - 1_000), 0)
  assert.deepEqual((await round(all, start.position)).found, [first.id, second.id])
  assert.equal(await store.changes.forget(now), 1)
  await assert.rejects(round(all, start.position), /gone/)
  assert.deepEqual((await round(all, heard.position)).found, [second.id])
  assert.equal(await store.changes.forget(now + 1), 1)
  await assert.rejects(round(all, heard.position), /gone/)
  // Of a commit that this store has never made: it was taken from a copy of an earlier day.
  await assert.rejects(round(all, { step: 'waiting', since: Number.MAX_SAFE_INTEGER }), /gone/)
})
