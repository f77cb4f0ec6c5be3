import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Attachment } from '../../src/mail/attachment.js'
import { createMailbox } from '../../src/mail/create-mailbox.js'
import { MailError } from '../../src/mail/errors.js'
import type { AttachmentId, MessageId, TenantId } from '../../src/mail/ids.js'
import { folderId, noFolder } from '../../src/mail/mail-folder.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import type { Message } from '../../src/mail/message.js'
import type { OutboxEntry } from '../../src/mail/outbox-entry.js'
import type { MessageOrderField } from '../../src/mail/query.js'
import type { MailStore, OutboxClaim } from '../../src/mail/store.js'
import type { Store } from '../../src/store/open.js'
import { openTestStore, testLocation } from '../support/open-test-store.js'

const tenant = '00000000-0000-4000-8000-00000000000a' as TenantId
const random = { bytes: (count: number) => randomBytes(count), uuid: () => randomUUID() }

function mailboxIn(store: Store, name = 'Adele@Contoso.com'): Promise<Mailbox> {
  const mail = { store: store.mail, ids: store.ids, random }
  return createMailbox(mail, { tenant, userPrincipalName: name, displayName: 'Adele' })
}

function messageIn(store: Store, mailbox: Mailbox, given: Partial<Message> = {}): Message {
  const at = 1_700_000_000_000
  return {
    mailbox: mailbox.id,
    id: store.ids.next() as MessageId,
    folder: folderId('inbox'),
    moves: 0,
    change: store.ids.next(),
    createdAt: at,
    modifiedAt: at,
    receivedAt: at,
    sentAt: at,
    isRead: false,
    isDraft: false,
    hasAttachments: false,
    importance: 'normal',
    subject: 'Grüße 🎉',
    internetMessageId: '<a@example.com>',
    conversation: { id: '0'.repeat(32), index: 'AQ==' },
    sizeBytes: 100,
    content: {
      body: { contentType: 'html', content: '<p>“Quotes” and \u2028 separators</p>' },
      from: { name: 'Customer', address: 'customer@example.com' },
      toRecipients: [{ address: 'adele@contoso.com' }],
      ccRecipients: [],
      bccRecipients: [],
      replyTo: [],
      categories: ['Red'],
      flag: { flagStatus: 'notFlagged' },
      inferenceClassification: 'focused',
      isDeliveryReceiptRequested: null,
      isReadReceiptRequested: true,
      internetMessageHeaders: [{ name: 'x-a', value: 'b' }],
      singleValueExtendedProperties: [],
      multiValueExtendedProperties: [],
    },
    ...given,
  }
}

function entryFor(message: Message, destination: string, dueAt: number): OutboxEntry {
  return {
    mailbox: message.mailbox,
    message: message.id,
    destination,
    mailFrom: 'adele@contoso.com',
    recipients: [{ address: `a@${destination}`, state: 'queued' }],
    state: 'queued',
    attempts: 0,
    dueAt,
    createdAt: dueAt,
  }
}

const isConflict = (error: unknown) => error instanceof MailError && error.code === 'conflict'

async function rows(store: Store, mailbox: Mailbox, field: MessageOrderField, descending: boolean) {
  const found = await store.mail.messages.list({
    mailbox: mailbox.id,
    order: [{ field, descending }],
    skip: 0,
    top: 100,
    withContent: false,
  })
  return found.map(({ subject }) => subject)
}

test('a mailbox is found by its owner and its name in any case, and by its address', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const { mailboxes } = store.mail
  assert.deepEqual(await mailboxes.find(tenant, 'ADELE@contoso.COM'), adele)
  assert.deepEqual(await mailboxes.find(tenant, adele.owner.toUpperCase()), adele)
  assert.equal(await mailboxes.find('another' as TenantId, adele.owner), undefined)
  assert.deepEqual(
    [...(await mailboxes.findByAddress(tenant, ['ADELE@CONTOSO.COM', 'x@y'])).keys()],
    ['adele@contoso.com'],
  )
  await assert.rejects(mailboxIn(store, 'adele@contoso.COM'))
})

test('a message comes back as it was written, and a list does not read what it does not show', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const message = messageIn(store, adele)
  await store.mail.write((tx) => tx.insertMessage(message))
  assert.deepEqual(await store.mail.messages.find(adele.id, message.id), message)
  const query = { mailbox: adele.id, order: [], skip: 0, top: 10 }
  assert.deepEqual(await store.mail.messages.list({ ...query, withContent: true }), [message])
  const { content: _, ...envelope } = message
  assert.deepEqual(await store.mail.messages.list({ ...query, withContent: false }), [envelope])
})

test('a message with the values of most sent mail comes back as it was written, and with any other in their place', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const others: Partial<Message>[] = [
    {},
    { moves: 2 },
    { isRead: false },
    { isDraft: true },
    { hasAttachments: true },
    { importance: 'low' },
    { importance: 'high' },
    { bodyPreview: '' },
    { lastVerb: { verb: 102, at: 1_700_000_000_001 } },
  ]
  const messages = others.map((other) => messageIn(store, adele, { isRead: true, ...other }))
  await Promise.all(messages.map((message) => store.mail.write((tx) => tx.insertMessage(message))))
  for (const message of messages) assert.deepEqual(await store.mail.messages.find(adele.id, message.id), message)
})

test('text that databases stumble over is kept: lone surrogates become U+FFFD at worst, NUL is dropped from bodies', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const odd = messageIn(store, adele)
  const body = { contentType: 'text' as const, content: 'a\0b \ud800 c' }
  await store.mail.write((tx) => tx.insertMessage({ ...odd, subject: 'x\ud800y', content: { ...odd.content, body } }))
  const kept = await store.mail.messages.find(adele.id, odd.id)
  assert.match(kept?.content.body.content ?? '', /^ab . c$/u)
  assert.match(kept?.subject ?? '', /^x.+y$/u)
})

test('lists are newest first, ties by id, page by page, folder by folder; what is in no folder is in no list', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const messages = [3, 1, 2, 2].map((receivedAt, index) =>
    messageIn(store, adele, { receivedAt, subject: `${receivedAt}${index}` }),
  )
  await store.mail.write((tx) => {
    for (const message of messages) tx.insertMessage(message)
    tx.insertMessage(messageIn(store, adele, { folder: noFolder, subject: 'hidden' }))
    tx.insertMessage(messageIn(store, adele, { folder: folderId('drafts'), receivedAt: 0, subject: 'draft' }))
  })
  const query = { mailbox: adele.id, order: [], withContent: false }
  const page = async (skip: number, top: number) =>
    (await store.mail.messages.list({ ...query, skip, top })).map(({ subject }) => subject)
  assert.deepEqual(await page(0, 10), ['30', '23', '22', '11', 'draft'])
  assert.deepEqual(await page(1, 2), ['23', '22'])
  const inbox = await store.mail.messages.list({ ...query, folder: folderId('inbox'), skip: 0, top: 10 })
  assert.equal(inbox.length, 4)
})

test('every order field orders the same on both databases, missing values first when rising', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const base = messageIn(store, adele)
  const variants: Partial<Message>[] = [
    { subject: null, receivedAt: 3, importance: 'low', isRead: true },
    { subject: 'B', receivedAt: 2, importance: 'high', isRead: false },
    { subject: 'a', receivedAt: 1, importance: 'normal', isRead: true },
    { subject: 'Ä', receivedAt: 4, importance: 'normal', isRead: false },
  ]
  await store.mail.write((tx) => {
    for (const variant of variants) tx.insertMessage({ ...base, ...variant, id: store.ids.next() as MessageId })
  })
  assert.deepEqual(await rows(store, adele, 'subject', false), [null, 'B', 'a', 'Ä'])
  assert.deepEqual(await rows(store, adele, 'subject', true), ['Ä', 'a', 'B', null])
  assert.deepEqual(await rows(store, adele, 'receivedAt', false), ['a', 'B', null, 'Ä'])
  assert.deepEqual(await rows(store, adele, 'importance', true), ['B', 'Ä', 'a', null])
  assert.deepEqual(await rows(store, adele, 'isRead', false), ['B', 'Ä', null, 'a'])
  for (const field of [
    'createdAt',
    'modifiedAt',
    'sentAt',
    'hasAttachments',
    'isDraft',
    'fromAddress',
    'fromName',
  ] as const) {
    assert.equal((await rows(store, adele, field, false)).length, 4)
  }
})

test('a write is all or nothing, and one that fails takes no other with it', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const good = Array.from({ length: 20 }, () => messageIn(store, adele))
  const bad = messageIn(store, adele)
  const writes = good.map((message) => store.mail.write((tx) => tx.insertMessage(message)))
  const failing = store.mail.write((tx) => {
    tx.insertMessage(bad)
    tx.settleOutboxEntry(
      { mailbox: adele.id, message: bad.id, destination: 'nowhere', attempts: 1 },
      { state: 'closed', dueAt: 0, recipients: [] },
    )
  })
  await assert.rejects(failing, isConflict)
  await Promise.all(writes)
  assert.equal(await store.mail.messages.find(adele.id, bad.id), undefined)
  for (const message of good) assert.ok(await store.mail.messages.find(adele.id, message.id))
})

test('a write that breaks a key of the database fails alone as well', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const message = messageIn(store, adele)
  await store.mail.write((tx) => tx.insertMessage(message))
  const other = messageIn(store, adele)
  const results = await Promise.allSettled([
    store.mail.write((tx) => tx.insertMessage(message)),
    store.mail.write((tx) => tx.insertMessage(other)),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  )
  assert.ok(await store.mail.messages.find(adele.id, other.id))
})

test('counts of a folder are exact however many change it at once', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const inbox = folderId('inbox')
  await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      store.mail.write((tx) => {
        tx.insertMessage(messageIn(store, adele))
        tx.changeFolder(adele.id, inbox, { total: 1, unread: index % 2, sizeBytes: 10 })
      }),
    ),
  )
  const folder = await store.mail.folders.find(adele.id, inbox)
  assert.deepEqual([folder?.totalItemCount, folder?.unreadItemCount, folder?.sizeBytes], [200, 100, 2_000])
  assert.equal(await store.mail.messages.count(adele.id, inbox), 200)
  assert.equal((await store.mail.folders.list(adele.id)).length, 17)
})

test('attachments come back byte for byte, in their order, and are copied inside the store', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const message = messageIn(store, adele)
  const copy = messageIn(store, adele)
  const contents = [randomBytes(3_000_000), Buffer.alloc(0), Buffer.from([0, 255])]
  const attachments = contents.map(
    (content): Attachment => ({
      mailbox: adele.id,
      message: message.id,
      id: store.ids.next() as AttachmentId,
      kind: 'file',
      name: 'a',
      contentType: null,
      isInline: false,
      sizeBytes: content.length,
      contentId: null,
      contentLocation: null,
      modifiedAt: 1,
      content,
    }),
  )
  await store.mail.write((tx) => {
    tx.insertMessage(message)
    for (const attachment of attachments) tx.insertAttachment(attachment)
  })
  await store.mail.write((tx) => {
    tx.insertMessage(copy)
    tx.copyAttachments({ mailbox: adele.id, message: message.id }, { mailbox: adele.id, message: copy.id })
  })
  const copied = await store.mail.attachments.listWithContent(adele.id, copy.id)
  assert.deepEqual(
    copied.map(({ id }) => id),
    attachments.map(({ id }) => id),
  )
  assert.deepEqual(
    copied.map(({ content }) => Buffer.from(content)),
    contents,
  )
})

test('many claimers take each due entry once; a claim that ran out is taken again', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const { outbox } = store.mail
  await store.mail.write((tx) => {
    for (let number = 0; number < 200; number++)
      tx.insertOutboxEntry(entryFor(messageIn(store, adele), 'a.example', number))
    tx.insertOutboxEntry({ ...entryFor(messageIn(store, adele), 'later.example', 5_000), createdAt: 500 })
  })
  const claimed = (
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        const own: OutboxEntry[] = []
        for (let turn = 0; turn < 10; turn++)
          own.push(...(await claim(outbox, { worker: `worker ${worker}`, limit: 7 })))
        return own
      }),
    )
  ).flat()
  assert.equal(claimed.length, 200)
  assert.equal(new Set(claimed.map(({ message }) => message)).size, 200)
  assert.ok(claimed.every(({ attempts, state }) => attempts === 1 && state === 'sending'))
  assert.equal(await outbox.countOpen(), 201)
  assert.equal(await outbox.nextDueAt(), 2_000)

  const [first] = claimed
  assert.ok(first)
  const [again] = await claim(outbox, { now: 2_000, until: 3_000, limit: 1 })
  assert.equal(again?.attempts, 2)
  const stale = claimed.find(({ message }) => message === again?.message)
  assert.ok(stale)
  const settle = (entry: OutboxEntry) =>
    store.mail.write((tx) => tx.settleOutboxEntry(entry, { state: 'closed', dueAt: 0, recipients: [] }))
  await assert.rejects(settle(stale), isConflict)
  await settle(again)
  await assert.rejects(settle(again), isConflict)
  assert.equal(await outbox.countOpen(), 200)

  await claim(outbox, { now: 2_000, until: 3_000, limit: 1_000 })
  assert.equal(await outbox.nextDueAt(), 3_000)
  await outbox.releaseClaims(2_500)
  assert.equal(await outbox.nextDueAt(), 2_500)
})

test('a claim takes some of each destination, the oldest first, and goes on where the one before it ended', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const { outbox } = store.mail
  await store.mail.write((tx) => {
    for (let number = 0; number < 300; number++)
      tx.insertOutboxEntry(entryFor(messageIn(store, adele), 'slow.example', 300 - number))
    for (let number = 0; number < 3; number++)
      tx.insertOutboxEntry(entryFor(messageIn(store, adele), `fast-${number}.example`, 900))
  })
  const first = await outbox.claimDue({ ...anyClaim, each: 2 })
  assert.deepEqual(first.destinations, ['fast-0.example', 'fast-1.example', 'fast-2.example', 'slow.example'])
  assert.equal(first.goesOn, false)
  const slow = first.entries.filter(({ destination }) => destination === 'slow.example')
  assert.deepEqual(slow.map(({ createdAt }) => createdAt).toSorted(), [1, 2])
  assert.equal(first.entries.length, 5)

  const full = await outbox.claimDue({ ...anyClaim, free: new Map([['slow.example', 0]]) })
  assert.deepEqual([full.destinations, full.entries], [['slow.example'], []])
  const busy = await outbox.claimDue({ ...anyClaim, free: new Map([['slow.example', 7]]) })
  assert.deepEqual(busy.entries.map(({ createdAt }) => createdAt).toSorted(), [3, 4, 5, 6, 7, 8, 9])
  assert.deepEqual((await outbox.claimDue({ ...anyClaim, after: 'slow.example' })).entries, [])
  assert.equal((await outbox.claimDue({ ...anyClaim, after: 'fast.example', limit: 4 })).entries.length, 4)
})

test('a claim that is renewed goes on, and what waits for a moment too far away is due', async (t) => {
  const store = await openTestStore(t)
  const adele = await mailboxIn(store)
  const { outbox } = store.mail
  await store.mail.write((tx) => {
    tx.insertOutboxEntry(entryFor(messageIn(store, adele), 'a.example', 1))
    tx.insertOutboxEntry({ ...entryFor(messageIn(store, adele), 'far.example', 50_000), createdAt: 49_000 })
  })
  const [entry] = await claim(outbox, {})
  assert.ok(entry)
  await store.mail.write((tx) => tx.renewClaim(entry, 4_000))
  assert.deepEqual(await claim(outbox, { now: 3_000, until: 5_000 }), [])
  await store.mail.write((tx) =>
    tx.settleOutboxEntry(entry, { state: 'queued', dueAt: 3_500, recipients: entry.recipients }),
  )
  assert.equal(await outbox.nextNewDueAt(60_000), 3_500)
  assert.equal(await outbox.nextNewDueAt(40_000), 0)
  const far = await claim(outbox, { now: 3_000, until: 5_000, latest: 40_000 })
  assert.deepEqual(
    far.map(({ destination }) => destination),
    ['far.example'],
  )
})

const anyClaim: OutboxClaim = {
  worker: 'any',
  now: 1_000,
  until: 2_000,
  latest: 1_000_000,
  after: '',
  each: 1_000,
  free: new Map(),
  limit: 1_000,
}

async function claim(outbox: MailStore['outbox'], wanted: Partial<OutboxClaim>): Promise<OutboxEntry[]> {
  return (await outbox.claimDue({ ...anyClaim, ...wanted })).entries
}

test('numbers rise and are never the same in two stores on one database', async (t) => {
  const location = await testLocation(t)
  const one = await openTestStore(t, location)
  const other = await openTestStore(t, location)
  const numbers = Array.from({ length: 1_000 }, () => [one.ids.next(), other.ids.next()]).flat()
  assert.equal(new Set(numbers).size, 2_000)
  assert.ok(one.ids.next() > (numbers[1_998] ?? 0))
})

test('what one store wrote the next one reads: opening again changes nothing', async (t) => {
  const location = await testLocation(t)
  const one = await openTestStore(t, location)
  const adele = await mailboxIn(one)
  const other = await openTestStore(t, location)
  assert.deepEqual(await other.mail.mailboxes.get(adele.id), adele)
})

test('call records are kept newest first, found by request id, and bounded', async (t) => {
  const store = await openTestStore(t)
  for (let number = 0; number < 6_000; number++) {
    store.calls.append({
      requestId: `call-${number}`,
      clientRequestId: 'x',
      at: number,
      durationMs: 1,
      method: 'GET',
      url: '/',
      status: 200,
    })
  }
  assert.deepEqual(
    (await store.calls.list(2)).map(({ requestId }) => requestId),
    ['call-5999', 'call-5998'],
  )
  assert.equal((await store.calls.find('call-5990'))?.at, 5_990)
  const all = await store.calls.list(10_000)
  assert.ok(all.length >= 1_000 && all.length < 6_000, `${all.length} kept`)
})
