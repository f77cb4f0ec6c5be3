import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTransport } from 'nodemailer'
import { startForgetfulRelay } from './forgetful-relay.js'
import { inboxOf, messageTo, startTwoServers } from './two-servers.js'

async function sentBy(client: Awaited<ReturnType<typeof startTwoServers>>['alex']) {
  const { json } = await client.get('/me/mailFolders/sentitems/messages')
  return json.value[0]
}

test('mail to an unknown address at another server comes back as a report in the Inbox of its sender', async (t) => {
  const { alex, settle } = await startTwoServers(t)
  await alex.post('/me/sendMail', messageTo('nobody@b.example'))
  await settle()

  const [report, ...others] = await inboxOf(alex)
  assert.equal(others.length, 0)
  assert.equal(report.subject, 'Undeliverable: Lunch?')
  assert.equal(report.from.emailAddress.address, 'postmaster@a.example')
  assert.equal(report.hasAttachments, false)
  assert.equal(report.conversationId, (await sentBy(alex)).conversationId)
  assert.equal(report.singleValueExtendedProperties[0].value, 'REPORT.IPM.Note.NDR')
  assert.deepEqual(
    report.attachments.map((each: { name: string; contentType: string }) => [each.name, each.contentType]),
    [['Lunch?', 'message/rfc822']],
  )
  const { text } = await alex.get(`/me/messages/${report.id}/$value`)
  assert.match(text, /^Final-Recipient: rfc822; nobody@b\.example\r\nAction: failed\r\nStatus: 5\.1\.1\r$/m)
  assert.match(text, /^Diagnostic-Code: smtp; 550 5\.1\.1 /m)
})

test('mail that a server took and then returned is told as failed, and its return is in the thread', async (t) => {
  const relay = await startForgetfulRelay(t)
  const { a, b, alex, settle } = await startTwoServers(t, { relayOfA: relay.url })
  relay.next = b.graphpost.smtpPort ?? 0
  relay.back = a.graphpost.smtpPort ?? 0
  await b.user('lee@b.example')
  const to = { toRecipients: ['nobody@b.example', 'lee@b.example'].map((address) => ({ emailAddress: { address } })) }
  await alex.post('/me/sendMail', messageTo('', to))
  await settle()
  await relay.settle()

  const [bounce, ...others] = await inboxOf(alex)
  assert.equal(others.length, 0)
  assert.equal(bounce.subject, 'Undelivered Mail Returned to Sender')
  assert.equal(bounce.conversationId, (await sentBy(alex)).conversationId)
  assert.equal(bounce.singleValueExtendedProperties[0].value, 'REPORT.IPM.Note.NDR')
  const [entry] = await a.graphpost.directory.listOutbox(1)
  assert.deepEqual(
    entry?.recipients.map(({ address, state }) => [address, state]),
    [
      ['nobody@b.example', 'failed'],
      ['lee@b.example', 'relayed'],
    ],
  )
  assert.match(entry?.recipients[0]?.reply ?? '', /5\.1\.1/)
})

test('a report that names a message of somebody else changes nothing of theirs', async (t) => {
  const relay = await startForgetfulRelay(t)
  const { a, b, alex, settle } = await startTwoServers(t, { relayOfA: relay.url })
  relay.next = b.graphpost.smtpPort ?? 0
  await a.user('eve@a.example')
  await b.user('lee@b.example')
  await alex.post('/me/sendMail', messageTo('lee@b.example'))
  await settle()
  await relay.settle()
  const { internetMessageId } = await sentBy(alex)
  const transport = createTransport({ host: '127.0.0.1', port: a.graphpost.smtpPort, ignoreTLS: true })
  t.after(() => transport.close())
  await transport.sendMail({
    envelope: { from: '', to: ['eve@a.example'] },
    raw: relay.bounceOf('lee@b.example', internetMessageId, 'eve@a.example'),
  })
  const [entry] = await a.graphpost.directory.listOutbox(1)
  assert.deepEqual(
    entry?.recipients.map(({ state }) => state),
    ['relayed'],
  )
  assert.deepEqual(await inboxOf(alex), [])
})

test('receipts for delivery and for reading travel between two servers, once each, into the thread', async (t) => {
  const { alex, bea, settle } = await startTwoServers(t)
  await alex.post(
    '/me/sendMail',
    messageTo('bea@b.example', { isDeliveryReceiptRequested: true, isReadReceiptRequested: true }),
  )
  await settle()
  const { conversationId } = await sentBy(alex)
  const [delivered, ...others] = await inboxOf(alex)
  assert.equal(others.length, 0)
  assert.equal(delivered.subject, 'Delivered: Lunch?')
  assert.equal(delivered.from.emailAddress.address, 'postmaster@b.example')
  assert.equal(delivered.conversationId, conversationId)
  assert.equal(delivered.singleValueExtendedProperties[0].value, 'REPORT.IPM.Note.DR')

  const [received] = await inboxOf(bea)
  assert.equal(received.isReadReceiptRequested, true)
  for (const isRead of [true, false, true]) {
    await bea.call('PATCH', `/me/messages/${received.id}`, {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ isRead }),
    })
  }
  await settle()
  const [read, ...before] = await inboxOf(alex)
  assert.equal(before.length, 1)
  assert.equal(read.subject, 'Read: Lunch?')
  assert.equal(read.from.emailAddress.address, 'bea@b.example')
  assert.equal(read.conversationId, conversationId)
  assert.equal(read.singleValueExtendedProperties[0].value, 'REPORT.IPM.Note.IPNRN')
  // Reports are answered by nobody: what reads them is told nothing.
  assert.equal((await inboxOf(bea)).length, 1)
})

test('an answer from another server joins the thread at both ends', async (t) => {
  const { alex, bea, settle } = await startTwoServers(t)
  await alex.post('/me/sendMail', messageTo('bea@b.example'))
  await settle()
  const [received] = await inboxOf(bea)
  await bea.post(`/me/messages/${received.id}/reply`, { comment: 'Gladly.' })
  await settle()
  const [answer] = await inboxOf(alex)
  assert.equal(answer.subject, 'RE: Lunch?')
  assert.equal(answer.conversationId, (await sentBy(alex)).conversationId)
  await alex.post(`/me/messages/${answer.id}/reply`, { comment: 'See you.' })
  await settle()
  const conversations = (await inboxOf(bea)).map(({ conversationId }) => conversationId)
  assert.deepEqual(conversations, [received.conversationId, received.conversationId])
})

test('two absent users answer each other once, and reports to them not at all', async (t) => {
  const { alex, bea, a, b, settle } = await startTwoServers(t)
  const automaticRepliesSetting = {
    status: 'alwaysEnabled',
    externalAudience: 'all',
    internalReplyMessage: 'Away.',
    externalReplyMessage: 'Away.',
  }
  for (const [server, name] of [
    [a, 'alex@a.example'],
    [b, 'bea@b.example'],
  ] as const) {
    const owner = await server.user(name, ['MailboxSettings.ReadWrite'])
    const answer = await owner.call('PATCH', '/me/mailboxSettings', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ automaticRepliesSetting }),
    })
    assert.equal(answer.status, 200)
  }
  await alex.post('/me/sendMail', messageTo('bea@b.example', { isDeliveryReceiptRequested: true }))
  await alex.post('/me/sendMail', messageTo('nobody@b.example'))
  await settle()
  const subjects = async (client: typeof alex) => (await inboxOf(client)).map(({ subject }) => subject).sort()
  assert.deepEqual(await subjects(alex), ['Automatic reply: Lunch?', 'Delivered: Lunch?', 'Undeliverable: Lunch?'])
  assert.deepEqual(await subjects(bea), ['Lunch?'])
})
