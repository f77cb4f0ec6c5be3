import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MailboxId, MessageId } from '../../src/mail/ids.js'
import { folderId } from '../../src/mail/mail-folder.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import { openPostOffice, type PostOffice, to } from './delivery-fixture.js'

test('a message to two mailboxes of ours is in both Inboxes, and each sees no Bcc', async (t) => {
  const office = await openPostOffice(t)
  const [ada, ben, zoe] = await people(office, 'ada', 'ben', 'zoe')
  const worker = office.startWorker()

  const id = await office.send(ada, {
    toRecipients: [{ name: 'Ben', address: 'Ben@Contoso.Example' }],
    bccRecipients: to(zoe.address),
    categories: ['private'],
    flag: { flagStatus: 'flagged' },
    importance: 'high',
    internetMessageHeaders: [{ name: 'x-lunch', value: 'soup' }],
  })
  await worker.drain(10_000)

  const [sent] = await office.messages(ada, 'sentitems')
  assert.ok(sent)
  for (const mailbox of [ben, zoe]) {
    const [copy, ...others] = await office.messages(mailbox, 'inbox')
    assert.ok(copy)
    assert.deepEqual(others, [])
    assert.notEqual(copy.id, sent.id)
    assert.notEqual(copy.change, sent.change)
    assert.deepEqual(
      [copy.subject, copy.importance, copy.internetMessageId, copy.conversation, copy.sentAt, copy.hasAttachments],
      [sent.subject, sent.importance, sent.internetMessageId, sent.conversation, sent.sentAt, false],
    )
    assert.deepEqual([copy.isRead, copy.isDraft, copy.bodyPreview], [false, false, 'At noon, as ever.'])
    const { content } = copy
    assert.deepEqual(content.from, { name: 'ada', address: ada.address })
    assert.deepEqual(content.sender, content.from)
    assert.deepEqual(content.toRecipients, [{ name: 'Ben', address: 'Ben@Contoso.Example' }])
    assert.deepEqual([content.bccRecipients, content.categories, content.flag], [[], [], { flagStatus: 'notFlagged' }])
    const headers = content.internetMessageHeaders
    assert.equal(headers[0]?.name, 'Received')
    assert.match(headers[0]?.value ?? '', /^by mail\.contoso\.example .* for <(ben|zoe)@contoso\.example>; .* \+0000$/)
    const names = headers.map(({ name }) => name)
    for (const name of ['From', 'To', 'Subject', 'Date', 'Message-ID', 'x-lunch']) assert.ok(names.includes(name), name)
    assert.ok(!names.some((name) => /bcc/i.test(name)))
    if (mailbox === ben) assert.doesNotMatch(JSON.stringify(copy), /zoe/)
    assert.deepEqual(await counts(office, mailbox), { total: 1, unread: 1, sizeBytes: copy.sizeBytes })
  }

  const [entry] = await office.entries(ada, id)
  assert.equal(entry?.state, 'closed')
  assert.deepEqual(
    entry?.recipients.map(({ address, state, reply }) => [address, state, reply]),
    [
      ['Ben@Contoso.Example', 'delivered', 'In the Inbox of ben@contoso.example.'],
      ['zoe@contoso.example', 'delivered', 'In the Inbox of zoe@contoso.example.'],
    ],
  )
})

test("the sender's own row gets its preview, and keeps its change key, categories and Bcc", async (t) => {
  const office = await openPostOffice(t)
  const [ada] = await people(office, 'ada')
  const worker = office.startWorker()
  worker.pause()
  await office.send(ada, { toRecipients: to('x@fabrikam.example'), bccRecipients: to('y@fabrikam.example') })
  const [before] = await office.messages(ada, 'sentitems')
  assert.equal(before?.bodyPreview, undefined)

  worker.resume()
  await worker.drain(10_000)

  const [after] = await office.messages(ada, 'sentitems')
  assert.deepEqual(after, { ...before, bodyPreview: 'At noon, as ever.' })
})

test('a message to oneself is in Sent Items and in the Inbox', async (t) => {
  const office = await openPostOffice(t)
  const [ada] = await people(office, 'ada')
  const worker = office.startWorker()
  await office.send(ada, { toRecipients: to(ada.address) })
  await worker.drain(10_000)
  assert.equal((await office.messages(ada, 'sentitems')).length, 1)
  assert.equal((await office.messages(ada, 'inbox')).length, 1)
})

test('a message that is not kept in Sent Items is delivered all the same', async (t) => {
  const office = await openPostOffice(t)
  const [ada, ben] = await people(office, 'ada', 'ben')
  const worker = office.startWorker()
  await office.send(ada, { toRecipients: to(ben.address) }, { saveToSentItems: false })
  await worker.drain(10_000)
  assert.equal((await office.messages(ben, 'inbox')).length, 1)
  assert.equal((await office.messages(ada, 'sentitems')).length, 0)
})

test('attachments come along', async (t) => {
  const office = await openPostOffice(t)
  const [ada, ben] = await people(office, 'ada', 'ben')
  const worker = office.startWorker()
  const file = { kind: 'file', contentId: null, contentLocation: null } as const
  await office.send(ada, {
    toRecipients: to(ben.address),
    attachments: [
      { ...file, name: 'menu.txt', contentType: 'text/plain', isInline: false, content: Buffer.from('soup\r\n') },
      { ...file, name: 'cook.png', contentType: 'image/png', isInline: true, content: Buffer.from([137, 80, 78, 71]) },
    ],
  })
  await worker.drain(10_000)

  const [copy] = await office.messages(ben, 'inbox')
  assert.ok(copy?.hasAttachments)
  const attachments = await office.mail.store.attachments.listWithContent(ben.id, copy.id)
  assert.deepEqual(
    attachments.map(({ name, isInline, content }) => [name, isInline, Buffer.from(content)]),
    [
      ['menu.txt', false, Buffer.from('soup\r\n')],
      ['cook.png', true, Buffer.from([137, 80, 78, 71])],
    ],
  )
})

test('a message that was submitted in MIME is kept in MIME by its recipient, without the Bcc', async (t) => {
  const office = await openPostOffice(t)
  const [ada, ben, zoe] = await people(office, 'ada', 'ben', 'zoe')
  const worker = office.startWorker()
  const mime = Buffer.from(
    [
      `From: ${ada.address}`,
      `To: ${ben.address}`,
      `Bcc: ${zoe.address}`,
      'Subject: Lunch?',
      'Message-ID: <one@contoso.example>',
      'X-Lunch: soup',
      '',
      'At noon.',
      '',
    ].join('\r\n'),
  )
  await office.send(ada, {
    toRecipients: to(ben.address),
    bccRecipients: to(zoe.address),
    internetMessageId: '<one@contoso.example>',
    mime,
  })
  await worker.drain(10_000)

  for (const mailbox of [ben, zoe]) {
    const [copy] = await office.messages(mailbox, 'inbox')
    assert.ok(copy)
    const kept = Buffer.from((await office.mail.store.messages.mime(mailbox.id, copy.id)) ?? []).toString()
    assert.match(kept, /^Subject: Lunch\?\r\n/m)
    assert.match(kept, /\r\n\r\nAt noon\.\r\n$/)
    assert.doesNotMatch(kept, /bcc|zoe/i)
    const lunch = copy.content.internetMessageHeaders.find(({ name }) => name === 'X-Lunch')
    assert.equal(lunch?.value, 'soup')
  }
  const [sent] = await office.messages(ada, 'sentitems')
  assert.ok(sent)
  assert.deepEqual(Buffer.from((await office.mail.store.messages.mime(ada.id, sent.id)) ?? []), mime)
})

test('without a relay everyone else is captured, and nothing is tried again', async (t) => {
  const office = await openPostOffice(t)
  const [ada, ben] = await people(office, 'ada', 'ben')
  const worker = office.startWorker()
  const id = await office.send(ada, {
    toRecipients: to(ben.address, 'nobody@contoso.example', 'x@fabrikam.example'),
  })
  await worker.drain(10_000)

  assert.deepEqual(await office.states(ada, id), {
    'ben@contoso.example': 'delivered',
    'nobody@contoso.example': 'captured',
    'x@fabrikam.example': 'captured',
  })
  const [entry] = await office.entries(ada, id)
  assert.deepEqual(
    entry?.recipients.find(({ state }) => state === 'captured')?.reply,
    'Kept here: no relay is set, so nothing leaves this machine.',
  )
  assert.equal(await office.mail.store.outbox.countOpen(), 0)
  assert.equal(await office.mail.store.outbox.nextDueAt(), undefined)
})

test('three hundred messages at once are each delivered once', async (t) => {
  const office = await openPostOffice(t)
  const [ada, ben] = await people(office, 'ada', 'ben')
  office.startWorker()
  const other = office.startWorker()
  await Promise.all(
    Array.from({ length: 300 }, (_, index) =>
      office.send(ada, { subject: `no. ${index}`, toRecipients: to(ben.address) }),
    ),
  )
  await waitUntil(async () => {
    await other.drain(1_000)
    return (await office.mail.store.outbox.countOpen()) === 0
  })

  const subjects = (await office.messages(ben, 'inbox')).map(({ subject }) => subject)
  assert.equal(subjects.length, 300)
  assert.equal(new Set(subjects).size, 300)
  assert.deepEqual(office.log, [])
})

test('an entry whose message is gone fails and is not tried again', async (t) => {
  const office = await openPostOffice(t)
  const [ada, ben] = await people(office, 'ada', 'ben')
  const gone = office.mail.ids.next() as MessageId
  await insertEntry(office, ada.id, gone, ben.address)
  await office.startWorker().drain(10_000)

  const [entry] = await office.entries(ada, gone)
  assert.equal(entry?.state, 'closed')
  assert.deepEqual(
    entry?.recipients.map(({ state, reply }) => [state, reply]),
    [['failed', 'The message is no longer there.']],
  )
})

test('an entry that cannot be handled holds nobody else up, and comes back later', async (t) => {
  const office = await openPostOffice(t)
  const [ada, ben] = await people(office, 'ada', 'ben')
  const nobody = { id: office.mail.ids.next() as MailboxId } as Mailbox
  const odd = office.mail.ids.next() as MessageId
  await insertEntry(office, nobody.id, odd, ben.address)
  await office.send(ada, { toRecipients: to(ben.address) })
  const worker = office.startWorker()
  await worker.drain(10_000)

  assert.equal((await office.messages(ben, 'inbox')).length, 1)
  const [entry] = await office.entries(nobody, odd)
  assert.equal(entry?.state, 'queued')
  assert.equal(entry?.attempts, 1)
  assert.deepEqual(
    entry?.recipients.map(({ state }) => state),
    ['delayed'],
  )
  assert.ok(office.log.some(({ level }) => level === 'error'))

  office.clock.advance(10_000)
  await worker.drain(10_000)
  assert.equal((await office.entries(nobody, odd))[0]?.attempts, 2)
})

async function people(office: PostOffice, ...names: string[]): Promise<[Mailbox, Mailbox, Mailbox]> {
  const mailboxes: Mailbox[] = []
  for (const name of names) mailboxes.push(await office.mailbox(`${name}@contoso.example`))
  return mailboxes as [Mailbox, Mailbox, Mailbox]
}

async function counts(office: PostOffice, mailbox: Mailbox) {
  const inbox = await office.mail.store.folders.find(mailbox.id, folderId('inbox'))
  return { total: inbox?.totalItemCount, unread: inbox?.unreadItemCount, sizeBytes: inbox?.sizeBytes }
}

async function insertEntry(office: PostOffice, mailbox: MailboxId, message: MessageId, address: string): Promise<void> {
  const now = office.clock.now()
  await office.mail.store.write((tx) =>
    tx.insertOutboxEntry({
      mailbox,
      message,
      destination: 'contoso.example',
      mailFrom: 'ada@contoso.example',
      recipients: [{ address, state: 'queued' }],
      state: 'queued',
      attempts: 0,
      dueAt: now,
      createdAt: now,
    }),
  )
}

async function waitUntil(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}
