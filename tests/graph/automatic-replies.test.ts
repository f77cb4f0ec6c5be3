import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { patch } from '../support/patch.js'
import { startSmtpSink } from '../support/scripted-smtp.js'
import { type Client, startServer, type TestServer } from '../support/start-server.js'

const permissions = ['Mail.ReadWrite', 'Mail.Send', 'MailboxSettings.ReadWrite']
const inside = '<p>Away, dear colleague.</p>'
const outside = '<p>Away, dear customer.</p>'

async function office(t: TestContext, given: Parameters<typeof startServer>[1] = {}) {
  const server = await startServer(t, given)
  const adele = await server.user('adele@contoso.com', permissions)
  const alex = await server.user('alex@contoso.com', permissions)
  return { server, adele, alex }
}

async function setReplies(client: Client, given: object) {
  const { status, text } = await patch(client, '/me/mailboxSettings', {
    automaticRepliesSetting: { internalReplyMessage: inside, externalReplyMessage: outside, ...given },
  })
  assert.equal(status, 200, text)
}

async function send(server: TestServer, from: Client, to: string, subject: string, more: object = {}) {
  const message = { subject, toRecipients: [{ emailAddress: { address: to } }], ...more }
  const { status, text } = await from.post('/me/sendMail', { message })
  assert.equal(status, 202, text)
  await server.graphpost.drainOutbox(10_000)
}

async function inbox(client: Client, query = '') {
  return (await client.get(`/me/mailFolders/inbox/messages?$top=100${query}`)).json.value
}

async function subjects(client: Client) {
  return (await inbox(client)).map((message: { subject: string }) => message.subject).sort()
}

test('a colleague is answered once, until the replies are switched on anew', async (t) => {
  const { server, adele, alex } = await office(t)
  await send(server, alex, 'adele@contoso.com', 'Before')
  assert.deepEqual(await subjects(alex), [])
  await setReplies(adele, { status: 'alwaysEnabled' })
  await send(server, alex, 'Adele@Contoso.com', 'Lunch?')
  await send(server, alex, 'adele@contoso.com', 'Lunch now?')
  assert.deepEqual(await subjects(adele), ['Before', 'Lunch now?', 'Lunch?'])

  const [reply, ...others] = await inbox(
    alex,
    '&$select=subject,body,from,toRecipients,conversationId,internetMessageHeaders',
  )
  assert.deepEqual(others, [])
  assert.equal(reply.subject, 'Automatic reply: Lunch?')
  assert.match(reply.body.content, /Away, dear colleague\./)
  assert.equal(reply.from.emailAddress.address, 'adele@contoso.com')
  assert.equal(reply.toRecipients[0].emailAddress.address, 'alex@contoso.com')
  const [sent] = (
    await alex.get('/me/mailFolders/sentitems/messages?$select=subject,internetMessageId')
  ).json.value.filter((each: { subject: string }) => each.subject === 'Lunch?')
  const header = (name: string) =>
    reply.internetMessageHeaders.find((each: { name: string }) => each.name === name)?.value
  assert.equal(header('Auto-Submitted'), 'auto-replied')
  assert.equal(header('X-Auto-Response-Suppress'), 'All')
  assert.equal(header('In-Reply-To'), sent.internetMessageId)
  // It is nobody's work: it stands in no folder of the mailbox that sent it.
  assert.equal((await adele.get('/me/mailFolders/sentitems/messages/$count')).text, '0')

  // Another text is no new period; off and on again is one.
  await setReplies(adele, { status: 'alwaysEnabled', internalReplyMessage: 'Still away' })
  await send(server, alex, 'adele@contoso.com', 'Third')
  assert.equal((await subjects(alex)).length, 1)
  await setReplies(adele, { status: 'disabled' })
  await send(server, alex, 'adele@contoso.com', 'Fourth')
  assert.equal((await subjects(alex)).length, 1)
  await setReplies(adele, { status: 'alwaysEnabled' })
  await send(server, alex, 'adele@contoso.com', 'Fifth')
  assert.deepEqual(await subjects(alex), ['Automatic reply: Fifth', 'Automatic reply: Lunch?'])
})

test('two who are away do not answer each other’s answers, and nobody answers themselves', async (t) => {
  const { server, adele, alex } = await office(t)
  await setReplies(adele, { status: 'alwaysEnabled' })
  await setReplies(alex, { status: 'alwaysEnabled' })
  await send(server, alex, 'adele@contoso.com', 'Hello')
  await send(server, adele, 'adele@contoso.com', 'Note')
  assert.deepEqual(await subjects(alex), ['Automatic reply: Hello'])
  assert.deepEqual(await subjects(adele), ['Hello', 'Note'])
})

test('a schedule begins and ends', async (t) => {
  const { server, adele, alex } = await office(t)
  const at = (ms: number) => ({ dateTime: new Date(ms).toISOString().slice(0, 23), timeZone: 'UTC' })
  const start = server.clock.now() + 3_600_000
  await setReplies(adele, {
    status: 'scheduled',
    scheduledStartDateTime: at(start),
    scheduledEndDateTime: at(start + 3_600_000),
  })
  await send(server, alex, 'adele@contoso.com', 'Early')
  server.clock.advance(3_600_000)
  await send(server, alex, 'adele@contoso.com', 'Within')
  assert.deepEqual(await subjects(alex), ['Automatic reply: Within'])
  server.clock.advance(3_600_000)
  const late = await server.user('late@contoso.com', permissions)
  await send(server, late, 'adele@contoso.com', 'Late')
  assert.deepEqual(await subjects(late), [])
})

test('mails that arrive at the same moment are answered once together, and all are there', async (t) => {
  const { server, adele, alex } = await office(t)
  await setReplies(adele, { status: 'alwaysEnabled' })
  const sends = Array.from({ length: 12 }, (_, index) =>
    alex.post('/me/sendMail', {
      message: { subject: `Mail ${index}`, toRecipients: [{ emailAddress: { address: 'adele@contoso.com' } }] },
    }),
  )
  for (const { status } of await Promise.all(sends)) assert.equal(status, 202)
  await server.graphpost.drainOutbox(10_000)
  assert.equal((await subjects(adele)).length, 12)
  assert.equal((await subjects(alex)).length, 1)
})

async function fromOutside(t: TestContext) {
  const sink = await startSmtpSink(t)
  const all = await office(t, { smtpPort: '0', relay: sink.url })
  const transport = createTransport({
    host: '127.0.0.1',
    port: all.server.graphpost.smtpPort,
    secure: false,
    ignoreTLS: true,
  })
  t.after(() => transport.close())
  const arrive = async (mail: Parameters<typeof transport.sendMail>[0]) => {
    await transport.sendMail({ to: 'adele@contoso.com', subject: 'Order', text: 'Hello', ...mail })
    await all.server.graphpost.drainOutbox(10_000)
  }
  return { ...all, sink, arrive }
}

test('a customer is answered from outside, with the empty return path', async (t) => {
  const { adele, sink, arrive } = await fromOutside(t)
  await setReplies(adele, { status: 'alwaysEnabled' })
  await arrive({ from: 'Customer <customer@example.com>', messageId: '<order@example.com>' })
  await arrive({ from: 'Customer <CUSTOMER@example.com>' })
  assert.equal(sink.received.length, 1)
  const [reply] = sink.received
  assert.equal(reply?.mailFrom, '')
  assert.deepEqual(reply?.rcptTo, ['customer@example.com'])
  const text = reply?.bytes.toString('latin1') ?? ''
  assert.match(text, /^Auto-Submitted: auto-replied\r$/m)
  assert.match(text, /^In-Reply-To: <order@example\.com>\r$/m)
  assert.match(text, /Away, dear customer/)
  assert.doesNotMatch(text, /colleague/)
})

test('programs, lists, the nameless and those who did not name the mailbox get no answer', async (t) => {
  const { adele, alex, sink, arrive } = await fromOutside(t)
  await setReplies(adele, { status: 'alwaysEnabled' })
  const silent: Parameters<typeof arrive>[0][] = [
    { from: 'a@example.com', headers: { 'Auto-Submitted': 'auto-generated' } },
    { from: 'b@example.com', headers: { Precedence: 'bulk' } },
    { from: 'c@example.com', headers: { Precedence: 'list' } },
    { from: 'd@example.com', headers: { 'List-Id': 'quinces.example.com' } },
    { from: 'e@example.com', headers: { 'List-Unsubscribe': '<mailto:leave@example.com>' } },
    { from: 'f@example.com', headers: { 'X-Auto-Response-Suppress': 'OOF, AutoReply' } },
    { from: 'g@example.com', envelope: { from: '', to: 'adele@contoso.com' } },
    { from: 'mailer-daemon@example.com' },
    { from: 'quinces-request@example.com' },
    { from: 'noreply@example.com' },
    {
      from: 'h@example.com',
      to: 'everybody@example.com',
      envelope: { from: 'h@example.com', to: 'adele@contoso.com' },
    },
    // One's own address, said by a stranger.
    { from: 'adele@contoso.com' },
  ]
  for (const mail of silent) await arrive(mail)
  assert.equal((await subjects(adele)).length, silent.length)
  assert.deepEqual(sink.received, [])
  await arrive({ from: 'i@example.com', headers: { 'Auto-Submitted': 'no' } })
  assert.equal(sink.received.length, 1)

  await setReplies(adele, { externalAudience: 'none' })
  await arrive({ from: 'j@example.com' })
  await setReplies(adele, { externalAudience: 'contactsOnly' })
  await arrive({ from: 'k@example.com' })
  assert.equal(sink.received.length, 1)
  assert.deepEqual(await subjects(alex), [])
})
