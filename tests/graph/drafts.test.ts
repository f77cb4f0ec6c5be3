import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Answer, type Client, startServer, type TestServer } from '../support/start-server.js'

const someone = [{ emailAddress: { address: 'someone@example.com' } }]

interface Setup {
  readonly server: TestServer
  readonly adele: Client
}

async function setup(t: TestContext): Promise<Setup> {
  const server = await startServer(t)
  return { server, adele: await server.user('adele@contoso.com') }
}

async function created(client: Client, message: object = {}, path = '/me/messages'): Promise<Answer['json']> {
  const answer = await client.post(path, { subject: 'A draft', toRecipients: someone, ...message })
  assert.equal(answer.status, 201, answer.text)
  return answer.json
}

function send(client: Client, id: string, headers: Record<string, string> = {}): Promise<Answer> {
  return client.call('POST', `/me/messages/${id}/send`, { headers, body: '' })
}

const patch = (client: Client, id: string, body: object, headers: Record<string, string> = {}) =>
  client.call('PATCH', `/me/messages/${id}`, {
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

async function countsOf(client: Client, folder: string): Promise<number> {
  return Number((await client.get(`/me/mailFolders/${folder}/messages/$count`)).text)
}

function refused(answer: Answer, status: number, code: string, message?: string): void {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.json.error.code, code)
  if (message !== undefined) assert.equal(answer.json.error.message, message)
}

test('a new draft has the values recorded of one', async (t) => {
  const { server, adele } = await setup(t)
  const answer = await adele.post('/me/messages', { subject: 'Hello', body: { content: 'Test email' } })
  assert.equal(answer.status, 201)
  const draft = answer.json
  assert.equal(answer.headers.get('etag'), null)
  const [, user] = /users\('([^']+)'\)\/messages\/\$entity$/.exec(draft['@odata.context']) ?? []
  assert.equal(answer.headers.get('location'), `${server.url}/v1.0/users('${user}')/messages('${draft.id}')`)
  assert.equal(draft.isDraft, true)
  assert.equal(draft.isRead, true)
  assert.equal(draft.importance, 'normal')
  assert.equal(draft.inferenceClassification, 'focused')
  assert.equal(draft.isDeliveryReceiptRequested, false)
  assert.equal(draft.isReadReceiptRequested, false)
  assert.deepEqual(draft.toRecipients, [])
  assert.deepEqual(draft.body, { contentType: 'text', content: 'Test email' })
  assert.equal(draft.bodyPreview, 'Test email')
  assert.equal('from' in draft || 'sender' in draft, false)
  for (const name of ['lastModifiedDateTime', 'receivedDateTime', 'sentDateTime']) {
    assert.equal(draft[name], draft.createdDateTime)
  }
  assert.match(draft.internetMessageId, /^<[^<>@\s]+@[^<>@\s]+>$/)
  assert.equal((await adele.get('/me/mailFolders/drafts/messages')).json.value[0].id, draft.id)
})

test('a draft made in a folder stands there, and is located under the mailbox', async (t) => {
  const { server, adele } = await setup(t)
  const answer = await adele.post("/users/adele@contoso.com/mailFolders('archive')/messages", {
    subject: 'Filed',
    from: { emailAddress: { address: 'adele@contoso.com' } },
    isRead: false,
  })
  assert.equal(answer.status, 201, answer.text)
  const { json } = answer
  assert.equal(
    json['@odata.context'],
    `${server.url}/v1.0/$metadata#users('adele%40contoso.com')/mailFolders('archive')/messages/$entity`,
  )
  assert.equal(answer.headers.get('location'), `${server.url}/v1.0/users('adele@contoso.com')/messages('${json.id}')`)
  assert.equal(json.isRead, false)
  assert.deepEqual(json.sender, json.from)
  const [listed] = (await adele.get('/me/mailFolders/archive/messages')).json.value
  assert.equal(listed.id, json.id)
  assert.equal(listed.parentFolderId, json.parentFolderId)
})

test('a draft in MIME keeps its date, its headers and its bytes', async (t) => {
  const { adele } = await setup(t)
  const mime = [
    'From: Adele <adele@contoso.com>',
    'To: Alex <alex@contoso.com>',
    'Subject: In MIME',
    'Date: Sun, 28 Feb 2021 07:15:00 +0000',
    'Message-ID: <given@example.com>',
    'In-Reply-To: <before@example.com>',
    'References: <first@example.com> <before@example.com>',
    'MIME-Version: 1.0',
    'Content-Type: text/plain',
    '',
    'Hello',
    '',
  ].join('\r\n')
  const answer = await adele.post('/me/messages', Buffer.from(mime).toString('base64'), {
    'Content-Type': 'text/plain',
  })
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answer.json.isDraft, true)
  assert.equal(answer.json.sentDateTime, '2021-02-28T07:15:00Z')
  assert.notEqual(answer.json.createdDateTime, '2021-02-28T07:15:00Z')
  assert.equal(answer.json.internetMessageId, '<given@example.com>')
  assert.equal(answer.json.isDeliveryReceiptRequested, null)
  assert.equal((await adele.get(`/me/messages/${answer.json.id}/$value`)).text, mime)

  assert.equal((await send(adele, answer.json.id)).status, 202)
  const [sent] = (await adele.get('/me/mailFolders/sentitems/messages')).json.value
  const onTheWire = (await adele.get(`/me/messages/${sent.id}/$value`)).text
  assert.match(onTheWire, /^References: <first@example.com> <before@example.com>\r$/m)

  const broken = await adele.post('/me/messages', '%%%', { 'Content-Type': 'text/plain' })
  refused(broken, 400, 'ErrorMimeContentInvalidBase64String', 'Invalid base64 string for MIME content.')
})

test('a draft in MIME that is changed is what its properties say', async (t) => {
  const { adele } = await setup(t)
  const mime = 'To: alex@contoso.com\r\nSubject: Before\r\n\r\nHello\r\n'
  const { json } = await adele.post('/me/messages', Buffer.from(mime).toString('base64'), {
    'Content-Type': 'text/plain',
  })
  assert.equal((await patch(adele, json.id, { categories: ['kept'] })).status, 200)
  assert.equal((await adele.get(`/me/messages/${json.id}/$value`)).text, mime)
  assert.equal((await patch(adele, json.id, { subject: 'After' })).status, 200)
  assert.match((await adele.get(`/me/messages/${json.id}/$value`)).text, /^Subject: After\r$/m)
})

test('a message with the flags of one that was sent is put in as it was', async (t) => {
  const { adele } = await setup(t)
  const json = await created(
    adele,
    {
      singleValueExtendedProperties: [
        { id: 'Integer 0x0E07', value: '1' },
        { id: 'SystemTime 0x0E06', value: '2020-05-01T10:00:00Z' },
        { id: 'SystemTime 0x0039', value: '2020-05-01T09:59:00Z' },
      ],
    },
    '/me/mailFolders/inbox/messages',
  )
  assert.equal(json.isDraft, false)
  assert.equal(json.isRead, true)
  assert.equal(json.receivedDateTime, '2020-05-01T10:00:00Z')
  assert.equal(json.sentDateTime, '2020-05-01T09:59:00Z')
  refused(await send(adele, json.id), 404, 'ErrorItemNotFound', 'The specified object was not found in the store.')
  const unread = await created(adele, { singleValueExtendedProperties: [{ id: 'Integer 0x0E07', value: '4' }] })
  assert.deepEqual([unread.isDraft, unread.isRead], [false, false])
  const draft = await created(adele, { singleValueExtendedProperties: [{ id: 'Integer 0x0E07', value: '9' }] })
  assert.equal(draft.isDraft, true)
  const bad = await adele.post('/me/messages', {
    singleValueExtendedProperties: [{ id: 'Integer 0x0E07', value: 'sent' }],
  })
  refused(bad, 400, 'ErrorInvalidProperty')
})

test('a folder that is not there, or holds no messages, takes no draft', async (t) => {
  const { adele } = await setup(t)
  refused(await adele.post('/me/mailFolders/msgfolderroot/messages', {}), 404, 'ErrorItemNotFound')
  refused(await adele.post('/me/mailFolders/nonsense/messages', {}), 400, 'ErrorInvalidIdMalformed')
  assert.equal(await countsOf(adele, 'drafts'), 0)
})

test('an update replaces what it names, and gives a new etag', async (t) => {
  const { server, adele } = await setup(t)
  const draft = await created(adele, { ccRecipients: someone, categories: ['one'] })
  server.clock.advance(5_000)
  const { status, json } = await patch(adele, draft.id, {
    subject: 'Changed',
    body: { contentType: 'HTML', content: '<b>bold</b>' },
    toRecipients: [{ emailAddress: { name: 'Alex', address: 'alex@contoso.com' } }],
    importance: 'HIGH',
    categories: ['two', 'three'],
    flag: { flagStatus: 'complete' },
    isReadReceiptRequested: 'true',
    internetMessageId: '<own@example.com>',
    inferenceClassification: 'other',
  })
  assert.equal(status, 200)
  assert.equal(json.id, draft.id)
  assert.match(json['@odata.context'], /\/messages\/\$entity$/)
  assert.equal(json.subject, 'Changed')
  assert.equal(json.bodyPreview, 'bold')
  assert.equal(json.body.contentType, 'html')
  assert.deepEqual(json.toRecipients, [{ emailAddress: { name: 'Alex', address: 'alex@contoso.com' } }])
  assert.equal(json.ccRecipients.length, 1)
  assert.equal(json.importance, 'high')
  assert.deepEqual(json.categories, ['two', 'three'])
  assert.deepEqual(json.flag, { flagStatus: 'complete' })
  assert.equal(json.isReadReceiptRequested, true)
  assert.equal(json.internetMessageId, '<own@example.com>')
  assert.equal(json.inferenceClassification, 'other')
  assert.notEqual(json.changeKey, draft.changeKey)
  assert.notEqual(json.lastModifiedDateTime, draft.lastModifiedDateTime)
  assert.deepEqual((await adele.get(`/me/messages/${draft.id}`)).json, { ...json })
})

test('extended properties of an update are added to those that are there', async (t) => {
  const { adele } = await setup(t)
  const color = 'String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Color'
  const draft = await created(adele, {
    singleValueExtendedProperties: [
      { id: color, value: 'green' },
      { id: 'String 0x1234', value: 'kept' },
    ],
  })
  assert.equal(
    (await patch(adele, draft.id, { singleValueExtendedProperties: [{ id: color, value: 'red' }] })).status,
    200,
  )
  const filter = `id eq '${color}' or id eq 'String 0x1234'`
  const { json } = await adele.get(
    `/me/messages/${draft.id}?$expand=singleValueExtendedProperties($filter=${encodeURIComponent(filter)})`,
  )
  assert.deepEqual(
    json.singleValueExtendedProperties.map(({ value }: { value: string }) => value),
    ['red', 'kept'],
  )
})

test('If-Match lets a write through, or answers 412', async (t) => {
  const { adele } = await setup(t)
  const draft = await created(adele)
  const etag = draft['@odata.etag']
  const first = await patch(adele, draft.id, { subject: 'First' }, { 'If-Match': etag })
  assert.equal(first.status, 200)
  const stale = await patch(adele, draft.id, { subject: 'Second' }, { 'If-Match': etag })
  refused(
    stale,
    412,
    'ErrorIrresolvableConflict',
    'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.',
  )
  const gone = await adele.call('DELETE', `/me/messages/${draft.id}`, { headers: { 'If-Match': etag } })
  assert.equal(gone.status, 412)
  assert.equal((await patch(adele, draft.id, { subject: 'Any' }, { 'If-Match': '*' })).status, 200)
  assert.equal((await adele.get(`/me/messages/${draft.id}`)).json.subject, 'Any')
})

test('what only the server sets, and what is set once, is refused by an update', async (t) => {
  const { adele } = await setup(t)
  const draft = await created(adele)
  for (const change of [
    { isDraft: false },
    { id: 'AAMk' },
    { sentDateTime: '2020-01-01T00:00:00Z' },
    { internetMessageHeaders: [{ name: 'x-a', value: 'b' }] },
    { attachments: [] },
  ]) {
    const answer = await patch(adele, draft.id, { subject: 'Never', ...change })
    refused(answer, 400, 'ErrorInvalidPropertySet', 'Set action is invalid for property.')
  }
  refused(
    await patch(adele, draft.id, { nonsense: 1 }),
    400,
    'UnableToDeserializePostBody',
    'were unable to deserialize ',
  )
  refused(await patch(adele, draft.id, { subject: 'a\r\nb' }), 400, 'ErrorInvalidProperty')
  refused(await patch(adele, draft.id, { isRead: 'perhaps' }), 400, 'UnableToDeserializePostBody')
  const { json } = await adele.get(`/me/messages/${draft.id}`)
  assert.deepEqual([json.subject, json.changeKey], ['A draft', draft.changeKey])
})

test('of a sent message only the notes of its owner change', async (t) => {
  const { server, adele } = await setup(t)
  const draft = await created(adele)
  assert.equal((await send(adele, draft.id)).status, 202)
  await server.graphpost.drainOutbox(5_000)
  const [sent] = (await adele.get('/me/mailFolders/sentitems/messages')).json.value
  for (const change of [
    { from: { emailAddress: { address: 'adele@contoso.com' } } },
    { sender: { emailAddress: { address: 'adele@contoso.com' } } },
    { replyTo: someone },
    { internetMessageId: '<other@example.com>' },
  ]) {
    refused(await patch(adele, sent.id, change), 400, 'ErrorInvalidPropertySet', 'Message is not draft.')
  }
  const { status, json } = await patch(adele, sent.id, {
    subject: 'Rewritten',
    body: { content: 'Rewritten' },
    isRead: false,
    categories: ['seen'],
  })
  assert.equal(status, 200)
  assert.equal(json.subject, 'A draft')
  assert.notEqual(json.body.content, 'Rewritten')
  assert.equal(json.isRead, false)
  assert.deepEqual(json.categories, ['seen'])
})

test('a deleted message is gone from its folder, can be recovered, and is not deleted twice', async (t) => {
  const { adele } = await setup(t)
  const draft = await created(adele)
  const answer = await adele.call('DELETE', `/me/messages/${draft.id}`)
  assert.deepEqual([answer.status, answer.text, answer.headers.get('content-type')], [204, '', null])
  refused(await adele.get(`/me/messages/${draft.id}`), 404, 'ErrorItemNotFound')
  assert.equal(await countsOf(adele, 'drafts'), 0)
  assert.equal(await countsOf(adele, 'deleteditems'), 0)
  const [kept] = (await adele.get('/me/mailFolders/recoverableitemsdeletions/messages')).json.value
  refused(
    await adele.call('DELETE', `/me/messages/${kept.id}`),
    400,
    'ErrorCannotDeleteObject',
    'Object cannot be deleted.',
  )
  const back = await adele.post(`/me/messages/${kept.id}/move`, { destinationId: 'drafts' })
  assert.equal(back.status, 201)
  assert.equal((await send(adele, back.json.id)).status, 202)
})

test('permanentDelete takes a message out of every folder', async (t) => {
  const { adele } = await setup(t)
  const draft = await created(adele)
  const immutable = (await adele.get(`/me/messages/${draft.id}`, { Prefer: 'IdType="ImmutableId"' })).json.id
  const answer = await adele.call('POST', `/me/messages/${draft.id}/permanentDelete`, { body: '' })
  assert.deepEqual([answer.status, answer.text], [204, ''])
  for (const id of [draft.id, immutable]) refused(await adele.get(`/me/messages/${id}`), 404, 'ErrorItemNotFound')
  assert.equal((await adele.get('/me/messages/$count')).text, '0')
})

test('a moved message has a new default id and the same immutable one', async (t) => {
  const { server, adele } = await setup(t)
  const draft = await created(adele, { isRead: false })
  const asImmutable = { Prefer: 'IdType="ImmutableId"' }
  const before = (await adele.get(`/me/messages/${draft.id}`, asImmutable)).json.id
  const { status, json, headers } = await adele.post(`/me/messages/${draft.id}/move`, { DestinationId: 'archive' })
  assert.equal(status, 201)
  assert.equal(json['@odata.context'], `${server.url}/v1.0/$metadata#message`)
  assert.equal(json['@odata.type'], '#microsoft.graph.message')
  assert.notEqual(json.id, draft.id)
  assert.notEqual(json.changeKey, draft.changeKey)
  assert.notEqual(json.parentFolderId, draft.parentFolderId)
  assert.ok(headers.get('location')?.includes(json.id))
  refused(await adele.get(`/me/messages/${draft.id}`), 404, 'ErrorItemNotFound')
  assert.equal((await adele.get(`/me/messages/${json.id}`, asImmutable)).json.id, before)
  assert.deepEqual([await countsOf(adele, 'drafts'), await countsOf(adele, 'archive')], [0, 1])
  refused(await adele.post(`/me/messages/${json.id}/move`, {}), 400, 'RequestBodyRead')
  refused(
    await adele.post(`/me/messages/${json.id}/move`, { destinationId: 'nowhere' }),
    400,
    'ErrorInvalidIdMalformed',
  )
  refused(
    await adele.post(`/me/messages/${json.id}/move`, { destinationId: 'msgfolderroot' }),
    404,
    'ErrorItemNotFound',
  )
})

test('a copy has its own id, content and attachments', async (t) => {
  const { adele } = await setup(t)
  const draft = await created(adele, {
    attachments: [
      {
        '@odata.type': '#microsoft.graph.fileAttachment',
        name: 'a.txt',
        contentBytes: Buffer.from('hello').toString('base64'),
      },
    ],
  })
  const { status, json } = await adele.post(`/me/messages/${draft.id}/copy`, { destinationId: draft.parentFolderId })
  assert.equal(status, 201)
  assert.notEqual(json.id, draft.id)
  assert.equal(json.subject, draft.subject)
  assert.equal(json.hasAttachments, true)
  const attachments = (await adele.get(`/me/messages/${json.id}/attachments`)).json.value
  assert.equal(Buffer.from(attachments[0].contentBytes, 'base64').toString(), 'hello')
  assert.equal((await adele.get(`/me/messages/${draft.id}`)).json.changeKey, draft.changeKey)
  assert.equal(await countsOf(adele, 'drafts'), 2)
})

test('a sent draft leaves Drafts for Sent Items, known by the same immutable id', async (t) => {
  const { server, adele } = await setup(t)
  const alex = await server.user('alex@contoso.com')
  const draft = await created(adele, {
    toRecipients: [{ emailAddress: { address: 'alex@contoso.com' } }],
    isRead: false,
  })
  const immutable = (await adele.get(`/me/messages/${draft.id}`, { Prefer: 'IdType="ImmutableId"' })).json.id
  server.clock.advance(60_000)
  const answer = await send(adele, draft.id)
  assert.deepEqual(
    [answer.status, answer.text, answer.headers.get('content-length'), answer.headers.get('content-type')],
    [202, '', '0', null],
  )
  refused(await adele.get(`/me/messages/${draft.id}`), 404, 'ErrorItemNotFound')
  assert.deepEqual([await countsOf(adele, 'drafts'), await countsOf(adele, 'sentitems')], [0, 1])
  const sent = (await adele.get(`/me/messages/${immutable}`)).json
  assert.notEqual(sent.id, draft.id)
  assert.equal(sent.isDraft, false)
  assert.equal(sent.isRead, true)
  assert.equal(sent.internetMessageId, draft.internetMessageId)
  assert.equal(sent.conversationId, draft.conversationId)
  assert.equal(sent.createdDateTime, draft.createdDateTime)
  assert.notEqual(sent.sentDateTime, draft.sentDateTime)
  assert.equal(sent.from.emailAddress.address, 'adele@contoso.com')
  assert.deepEqual(sent.sender, sent.from)
  await server.graphpost.drainOutbox(5_000)
  const [received] = (await alex.get('/me/mailFolders/inbox/messages')).json.value
  assert.equal(received.internetMessageId, draft.internetMessageId)
})

test('send needs Mail.Send alone, a length, a draft, and recipients', async (t) => {
  const { server, adele } = await setup(t)
  const sender = await server.user('adele@contoso.com', ['Mail.Send'])
  const reader = await server.user('adele@contoso.com', ['Mail.ReadWrite'])
  const alex = await server.user('alex@contoso.com')
  const draft = await created(adele)
  refused(await send(reader, draft.id), 403, 'ErrorAccessDenied')
  refused(await send(alex, draft.id), 404, 'ErrorInvalidMailboxItemId')
  refused(
    await alex.call('POST', `/users/adele@contoso.com/messages/${draft.id}/send`, { body: '' }),
    403,
    'ErrorAccessDenied',
  )
  refused(await sender.post('/me/messages', {}), 403, 'ErrorAccessDenied')
  refused(await send(adele, 'nonsense'), 400, 'ErrorInvalidIdMalformed')

  const nobody = await created(adele, { toRecipients: [] })
  refused(
    await send(adele, nobody.id),
    400,
    'ErrorInvalidRecipients',
    "At least one recipient is not valid., A message can't be sent because it contains no recipients.",
  )
  const unresolved = await created(adele, {
    toRecipients: [{ emailAddress: { address: 'a@example.com;b@example.com' } }],
  })
  refused(await send(adele, unresolved.id), 400, 'ErrorInvalidRecipients')
  const other = await created(adele, { from: { emailAddress: { address: 'alex@contoso.com' } } })
  refused(await send(adele, other.id), 403, 'ErrorSendAsDenied')
  assert.equal(await countsOf(adele, 'drafts'), 4)
  assert.equal(await countsOf(adele, 'sentitems'), 0)

  assert.equal((await send(sender, draft.id)).status, 202)
  refused(await send(adele, draft.id), 404, 'ErrorItemNotFound', 'The specified object was not found in the store.')
  const [sent] = (await adele.get('/me/mailFolders/sentitems/messages')).json.value
  refused(await send(adele, sent.id), 404, 'ErrorItemNotFound', 'The specified object was not found in the store.')
})

test('every spelling of the path sends, on both versions', async (t) => {
  const { server, adele } = await setup(t)
  const me = (await adele.get('/me/messages')).json['@odata.context']
  const [, owner] = /users\('([^']+)'\)/.exec(me) ?? []
  const app = await server.application(['Mail.Send'])
  const paths: [Client, (id: string) => string][] = [
    [adele, (id) => `/me/messages/${id}/send`],
    [adele, (id) => `/beta/me/messages/${encodeURIComponent(id)}/send`],
    [adele, (id) => `/me/messages('${id}')/microsoft.graph.send`],
    [adele, (id) => `/me/mailFolders/drafts/messages/${id}/send`],
    [adele, (id) => `/me/MailFolders('Drafts')/Messages('${id}')/Send`],
    [adele, (id) => `/users/${owner}/messages/${id}/send`],
    [adele, (id) => `/users/adele@contoso.com/messages/${id}/send`],
    [adele, (id) => `/me/mailFolders/msgfolderroot/childFolders/drafts/messages/${id}/send`],
    [app, (id) => `/users/${owner}/messages/${id}/send`],
    [app, (id) => `/beta/users/adele@contoso.com/mailFolders/drafts/messages/${id}/send`],
  ]
  for (const [client, path] of paths) {
    const { id } = await created(adele)
    const answer = await client.call('POST', path(id), { body: '' })
    assert.equal(answer.status, 202, `${path('{id}')}: ${answer.text}`)
  }
  assert.equal(await countsOf(adele, 'sentitems'), paths.length)
  const { id } = await created(adele)
  refused(await adele.call('POST', `/me/mailFolders/inbox/messages/${id}/send`, { body: '' }), 404, 'ErrorItemNotFound')
})

test('of 200 that send one draft at once, one does', async (t) => {
  const { server, adele } = await setup(t)
  const alex = await server.user('alex@contoso.com')
  const draft = await created(adele, { toRecipients: [{ emailAddress: { address: 'alex@contoso.com' } }] })
  const answers = await Promise.all(Array.from({ length: 200 }, () => send(adele, draft.id)))
  const accepted = answers.filter(({ status }) => status === 202)
  assert.equal(accepted.length, 1)
  for (const answer of answers) if (answer.status !== 202) refused(answer, 404, 'ErrorItemNotFound')
  await server.graphpost.drainOutbox(5_000)
  assert.equal((await alex.get('/me/mailFolders/inbox/messages/$count')).text, '1')
  assert.deepEqual([await countsOf(adele, 'drafts'), await countsOf(adele, 'sentitems')], [0, 1])
})

test('moves, deletions and sends of one draft at once leave one message and exact counts', async (t) => {
  const { adele } = await setup(t)
  for (let round = 0; round < 5; round++) {
    const draft = await created(adele)
    const answers = await Promise.all([
      send(adele, draft.id),
      adele.post(`/me/messages/${draft.id}/move`, { destinationId: 'archive' }),
      adele.call('DELETE', `/me/messages/${draft.id}`),
      patch(adele, draft.id, { subject: 'Meanwhile' }),
    ])
    const ended = answers.slice(0, 3).filter(({ status }) => status < 300)
    assert.equal(ended.length, 1, answers.map(({ status }) => status).join())
  }
  const folders = ['drafts', 'sentitems', 'archive', 'recoverableitemsdeletions']
  const counted = await Promise.all(folders.map((folder) => countsOf(adele, folder)))
  const listed = await Promise.all(
    folders.map(async (folder) => (await adele.get(`/me/mailFolders/${folder}/messages`)).json.value.length),
  )
  assert.deepEqual(counted, listed)
  assert.equal(
    counted.reduce((sum, count) => sum + count),
    5,
  )
})
