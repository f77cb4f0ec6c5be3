import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { type Client, startServer, type TestServer } from '../support/start-server.js'

const lunch = {
  subject: 'Meet for lunch?',
  body: { contentType: 'Text', content: 'The new cafeteria is open.' },
  toRecipients: [{ emailAddress: { address: 'alex@contoso.com' } }],
}

async function adeleAndAlex(t: TestContext): Promise<{ server: TestServer; adele: Client; alex: Client }> {
  const server = await startServer(t)
  return { server, adele: await server.user('adele@contoso.com'), alex: await server.user('alex@contoso.com') }
}

async function subjects(client: Client, folder: string): Promise<string[]> {
  const { json } = await client.get(`/me/mailFolders/${folder}/messages?$select=subject&$top=100`)
  return json.value.map((message: { subject: string }) => message.subject)
}

test('sendMail answers 202 with an empty body and the recorded headers', async (t) => {
  const { adele } = await adeleAndAlex(t)
  const answer = await adele.post('/me/sendMail', { message: lunch }, { 'client-request-id': 'my-own-id' })

  assert.equal(answer.status, 202)
  assert.equal(answer.text, '')
  assert.equal(answer.headers.get('content-length'), '0')
  assert.equal(answer.headers.get('content-type'), null)
  assert.equal(answer.headers.get('cache-control'), 'private')
  assert.equal(answer.headers.get('strict-transport-security'), 'max-age=31536000')
  assert.equal(answer.headers.get('client-request-id'), 'my-own-id')
  assert.match(answer.headers.get('request-id') ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  assert.ok(JSON.parse(answer.headers.get('x-ms-ags-diagnostic') ?? '').ServerInfo.DataCenter)
})

test('the mail is in Sent Items at once and in the Inbox of its recipient', async (t) => {
  const { server, adele, alex } = await adeleAndAlex(t)
  await adele.post('/me/sendMail', { message: lunch })
  assert.deepEqual(await subjects(adele, 'sentitems'), ['Meet for lunch?'])

  await server.graphpost.drainOutbox(10_000)
  assert.deepEqual(await subjects(alex, 'inbox'), ['Meet for lunch?'])
  const { json } = await alex.get('/me/mailFolders/inbox/messages')
  assert.equal(json.value[0].isRead, false)
  assert.equal(json.value[0].from.emailAddress.address, 'adele@contoso.com')
})

const roots = ['/me', '/users/adele@contoso.com', "/users('adele%40contoso.com')"]
for (const version of ['/v1.0', '/beta']) {
  for (const root of [...roots, '/users/{id}']) {
    for (const action of ['sendMail', 'sendmail', 'microsoft.graph.sendMail']) {
      test(`POST ${version}${root}/${action} sends`, async (t) => {
        const { server, adele } = await adeleAndAlex(t)
        const [owner] = (await server.graphpost.directory.listUsers()).map((user) => user.owner)
        const path = `${version}${root.replace('{id}', owner ?? '')}/${action}`
        assert.equal((await adele.post(path, { message: lunch })).status, 202)
        assert.deepEqual(await subjects(adele, 'sentitems'), ['Meet for lunch?'])
      })
    }
  }
}

test('parameter names are read in any case, saveToSentItems as a Boolean or as text', async (t) => {
  const { adele } = await adeleAndAlex(t)
  const notSaved = [
    { message: lunch, saveToSentItems: false },
    { message: lunch, saveToSentItems: 'false' },
    { Message: lunch, SaveToSentItems: false },
    { MESSAGE: lunch, savetosentitems: 'False' },
  ]
  for (const body of notSaved) assert.equal((await adele.post('/me/sendMail', body)).status, 202)
  assert.deepEqual(await subjects(adele, 'sentitems'), [])

  const saved = [
    { message: lunch },
    { Message: lunch, SaveToSentItems: 'true' },
    { message: lunch, saveToSentItems: null },
  ]
  for (const body of saved) assert.equal((await adele.post('/me/sendMail', body)).status, 202)
  assert.equal((await subjects(adele, 'sentitems')).length, 3)
})

test('a mail that is not saved still reaches its recipient', async (t) => {
  const { server, adele, alex } = await adeleAndAlex(t)
  await adele.post('/me/sendMail', { message: lunch, saveToSentItems: 'false' })
  await server.graphpost.drainOutbox(10_000)
  assert.deepEqual(await subjects(alex, 'inbox'), ['Meet for lunch?'])
  const { json } = await adele.get('/me/messages')
  assert.deepEqual(json.value, [])
})

test('every writable property is kept', async (t) => {
  const { adele } = await adeleAndAlex(t)
  const message = {
    ...lunch,
    body: { contentType: 'HTML', content: '<p>Grüße 🎉</p>' },
    ccRecipients: [{ emailAddress: { name: 'Megan', address: 'megan@example.com' } }],
    bccRecipients: [{ emailAddress: { address: 'secret@example.com' } }],
    replyTo: [{ emailAddress: { address: 'desk@contoso.com' } }],
    importance: 'High',
    categories: ['Red category'],
    flag: {
      flagStatus: 'flagged',
      startDateTime: { dateTime: '2026-08-30T12:13:00.0000000', timeZone: 'UTC' },
      dueDateTime: { dateTime: '2026-09-01T17:00:00.0000000', timeZone: 'UTC' },
    },
    inferenceClassification: 'other',
    internetMessageId: '<mine@example.com>',
    internetMessageHeaders: [{ name: 'x-group', value: 'Nevada' }],
    isReadReceiptRequested: true,
    isDeliveryReceiptRequested: 'true',
    singleValueExtendedProperties: [{ id: 'SystemTime 0x3FEF', value: '2020-01-01T00:00:00Z' }],
    attachments: [
      { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes: 'SGVsbG8gV29ybGQh' },
    ],
  }
  assert.equal((await adele.post('/me/sendMail', { message })).status, 202)
  const { json } = await adele.get('/me/mailFolders/sentitems/messages')
  const [sent] = json.value
  assert.match(sent.body.content, /<p>Grüße 🎉<\/p>/)
  assert.equal(sent.body.contentType, 'html')
  assert.equal(sent.importance, 'high')
  assert.deepEqual(sent.categories, ['Red category'])
  assert.deepEqual(sent.flag, message.flag)
  assert.equal(sent.inferenceClassification, 'other')
  assert.equal(sent.internetMessageId, '<mine@example.com>')
  assert.equal(sent.isReadReceiptRequested, true)
  assert.equal(sent.isDeliveryReceiptRequested, true)
  assert.equal(sent.hasAttachments, true)
  assert.deepEqual(sent.bccRecipients[0].emailAddress.address, 'secret@example.com')
  assert.deepEqual(sent.replyTo[0].emailAddress.address, 'desk@contoso.com')
  const headers = await adele.get(`/me/messages/${sent.id}?$select=internetMessageHeaders`)
  assert.deepEqual(headers.json.internetMessageHeaders, [{ name: 'x-group', value: 'Nevada' }])
})

test('MIME as base64 text is sent; its Message-ID is kept, its Bcc reaches nobody’s eyes', async (t) => {
  const { server, adele, alex } = await adeleAndAlex(t)
  const mime = [
    'To: Alex <alex@contoso.com>',
    'Bcc: megan@contoso.com',
    'Subject: =?utf-8?B?R3LDvMOfZQ==?=',
    'Message-ID: <given@client.example>',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Test email',
    '',
  ].join('\n')
  const megan = await server.user('megan@contoso.com')
  const wrapped = (
    Buffer.from(mime)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\r\n')
  const answer = await adele.call('POST', '/me/sendMail', { headers: { 'Content-Type': 'text/plain' }, body: wrapped })
  assert.equal(answer.status, 202)

  await server.graphpost.drainOutbox(10_000)
  for (const reader of [alex, megan]) {
    const { json } = await reader.get('/me/mailFolders/inbox/messages')
    assert.equal(json.value[0].subject, 'Grüße')
    assert.equal(json.value[0].internetMessageId, '<given@client.example>')
    assert.deepEqual(json.value[0].bccRecipients, [])
    const { text } = await reader.get(`/me/messages/${json.value[0].id}/$value`)
    assert.doesNotMatch(text, /megan/i)
    assert.match(text, /Test email/)
  }
})

test('an application with the role Mail.Send sends for any mailbox, but has no /me', async (t) => {
  const { server, adele } = await adeleAndAlex(t)
  const daemon = await server.application(['Mail.Send'])
  assert.equal((await daemon.post('/users/adele@contoso.com/sendMail', { message: lunch })).status, 202)
  assert.deepEqual(await subjects(adele, 'sentitems'), ['Meet for lunch?'])

  const me = await daemon.post('/me/sendMail', { message: lunch })
  assert.equal(me.status, 400)
  assert.equal(me.json.error.message, '/me request is only valid with delegated authentication flow.')
})

test('without Mail.Send a caller may not send, whatever else it may do', async (t) => {
  const { server } = await adeleAndAlex(t)
  const writer = await server.user('adele@contoso.com', ['Mail.ReadWrite'])
  const answer = await writer.post('/me/sendMail', { message: lunch })
  assert.equal(answer.status, 403)
  assert.deepEqual(answer.json, {
    error: { code: 'ErrorAccessDenied', message: 'Access is denied. Check credentials and try again.' },
  })
  const other = await server.user('alex@contoso.com')
  assert.equal((await other.post('/users/adele@contoso.com/sendMail', { message: lunch })).status, 403)
  const daemon = await server.application(['Mail.Read'])
  assert.equal((await daemon.post('/users/adele@contoso.com/sendMail', { message: lunch })).status, 403)
})

test('nobody sends as another: from names the mailbox itself, or the mail is refused', async (t) => {
  const { adele } = await adeleAndAlex(t)
  const from = (address: string) => ({ message: { ...lunch, from: { emailAddress: { address } } } })
  assert.equal((await adele.post('/me/sendMail', from('Adele@Contoso.com'))).status, 202)
  const answer = await adele.post('/me/sendMail', from('alex@contoso.com'))
  assert.equal(answer.status, 403)
  assert.equal(answer.json.error.code, 'ErrorSendAsDenied')
  assert.equal((await subjects(adele, 'sentitems')).length, 1)
})

test('an unknown user is refused by name', async (t) => {
  const { server } = await adeleAndAlex(t)
  const daemon = await server.application(['Mail.Send'])
  const answer = await daemon.post('/users/nobody@contoso.com/sendMail', { message: lunch })
  assert.equal(answer.status, 404)
  assert.deepEqual(answer.json, {
    error: { code: 'ErrorInvalidUser', message: "The requested user 'nobody@contoso.com' is invalid." },
  })
})

test('a refused call is remembered with one sentence of why, an accepted one with its message', async (t) => {
  const { server, adele } = await adeleAndAlex(t)
  const accepted = await adele.post('/me/sendMail', { message: lunch })
  const refused = await adele.post('/me/sendMail', { message: { subject: 'to nobody' } })
  const admin = await server.application(['Graphpost.Admin'])
  const { json } = await admin.get('/admin/calls')
  const [last, first] = json.value
  assert.equal(last.requestId, refused.headers.get('request-id'))
  assert.equal(last.error, 'ErrorInvalidRecipients')
  assert.equal(last.reason, 'At least one recipient is required.')
  assert.equal(first.requestId, accepted.headers.get('request-id'))
  assert.ok(first.message > 0)
  assert.equal((await adele.get('/admin/calls')).status, 403)
})

test('the text that sends itself: one published example posts the message without its wrapper', async (t) => {
  const { adele } = await adeleAndAlex(t)
  assert.equal((await adele.post('/me/sendMail', lunch)).status, 202)
  assert.deepEqual(await subjects(adele, 'sentitems'), ['Meet for lunch?'])
})

test('a body sent as gzip is read', async (t) => {
  const { adele } = await adeleAndAlex(t)
  const { gzipSync } = await import('node:zlib')
  const answer = await adele.call('POST', '/me/sendMail', {
    headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
    body: gzipSync(JSON.stringify({ message: lunch })),
  })
  assert.equal(answer.status, 202)
})
