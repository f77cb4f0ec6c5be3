import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Client, startServer, type TestServer } from '../support/start-server.js'

/** The default properties of a message, in the order of the recordings. */
const recordedOrder = [
  '@odata.etag',
  'id',
  'createdDateTime',
  'lastModifiedDateTime',
  'changeKey',
  'categories',
  'receivedDateTime',
  'sentDateTime',
  'hasAttachments',
  'internetMessageId',
  'subject',
  'bodyPreview',
  'importance',
  'parentFolderId',
  'conversationId',
  'conversationIndex',
  'isDeliveryReceiptRequested',
  'isReadReceiptRequested',
  'isRead',
  'isDraft',
  'webLink',
  'inferenceClassification',
  'body',
  'sender',
  'from',
  'toRecipients',
  'ccRecipients',
  'bccRecipients',
  'replyTo',
  'flag',
]

async function send(client: Client, subject: string, more: object = {}): Promise<void> {
  const answer = await client.post('/me/sendMail', {
    message: { subject, toRecipients: [{ emailAddress: { address: 'someone@example.com' } }], ...more },
  })
  assert.equal(answer.status, 202)
}

/** A mailbox with mails `1`, `2`, ... `count` in Sent Items, a second apart. */
async function mailboxWith(t: TestContext, count: number): Promise<{ server: TestServer; adele: Client }> {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  for (let number = 1; number <= count; number++) {
    await send(adele, String(number))
    server.clock.advance(1_000)
  }
  return { server, adele }
}

const subjectsOf = (json: { value: { subject: string }[] }) => json.value.map(({ subject }) => subject)

test('a message shows the recorded properties in the recorded order', async (t) => {
  const { adele } = await mailboxWith(t, 1)
  const list = await adele.get('/me/messages')
  assert.deepEqual(Object.keys(list.json.value[0]), recordedOrder)
  const { json, headers } = await adele.get(`/me/messages/${list.json.value[0].id}`)
  assert.deepEqual(Object.keys(json), ['@odata.context', ...recordedOrder])
  assert.equal(headers.get('etag'), null)
  assert.equal(
    headers.get('content-type'),
    'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8',
  )
  assert.equal(json['@odata.etag'], `W/"${json.changeKey}"`)
  assert.equal(json.id.length, 152)
  assert.equal(json.parentFolderId.length, 120)
  assert.match(json.conversationIndex, /^AQH/)
  assert.equal(json.createdDateTime, json.sentDateTime)
})

test('a list is newest first, ten to a page, and leads on to the next', async (t) => {
  const { server, adele } = await mailboxWith(t, 12)
  const first = await adele.get('/me/messages?$select=subject')
  assert.deepEqual(subjectsOf(first.json), ['12', '11', '10', '9', '8', '7', '6', '5', '4', '3'])
  const next: string = first.json['@odata.nextLink']
  assert.equal(next, `${server.url}/v1.0/me/messages?%24select=subject&%24skip=10`)
  const second = await adele.get(next.slice(server.url.length))
  assert.deepEqual(subjectsOf(second.json), ['2', '1'])
  assert.equal(second.json['@odata.nextLink'], undefined)
})

test('$top, $skip, $orderby, $count and $select do what they say', async (t) => {
  const { server, adele } = await mailboxWith(t, 5)
  const { json } = await adele.get(
    '/me/mailFolders/SentItems/messages?$top=2&$skip=1&$orderby=subject ASC&$count=true&$select=subject,isRead',
  )
  assert.deepEqual(Object.keys(json), ['@odata.context', '@odata.count', 'value', '@odata.nextLink'])
  assert.match(
    json['@odata.context'],
    /\$metadata#users\('[0-9a-f-]{36}'\)\/mailFolders\('SentItems'\)\/messages\(subject,isRead\)$/,
  )
  assert.equal(json['@odata.count'], 5)
  assert.deepEqual(subjectsOf(json), ['2', '3'])
  assert.deepEqual(Object.keys(json.value[0]), ['@odata.etag', 'id', 'subject', 'isRead'])
  assert.equal(
    json['@odata.nextLink'],
    `${server.url}/v1.0/me/mailFolders/SentItems/messages?%24top=2&%24orderby=subject+ASC&%24count=true&%24select=subject%2cisRead&%24skip=3`,
  )
  const count = await adele.get('/me/messages/$count')
  assert.equal(count.text, '5')
  assert.equal(count.headers.get('content-type'), 'text/plain')
})

test('the folder of a path may be a well-known name or an id', async (t) => {
  const { adele } = await mailboxWith(t, 1)
  const [sent] = (await adele.get('/me/messages')).json.value
  const byId = await adele.get(`/me/mailFolders/${sent.parentFolderId}/messages`)
  assert.deepEqual(subjectsOf(byId.json), ['1'])
  assert.match(byId.json['@odata.context'], /mailFolders\('AAMk[\w-]+%3D'\)\/messages$/)
  assert.deepEqual((await adele.get("/me/mailFolders('inbox')/messages")).json.value, [])
  assert.equal((await adele.get(`/me/mailFolders/sentitems/messages/${sent.id}`)).status, 200)
  assert.equal((await adele.get(`/me/mailFolders/inbox/messages/${sent.id}`)).status, 404)
})

test('an immutable id is given when preferred, and both kinds are understood', async (t) => {
  const { adele } = await mailboxWith(t, 1)
  const prefer = { Prefer: 'IdType="ImmutableId"' }
  const list = await adele.get('/me/messages', prefer)
  assert.equal(list.headers.get('preference-applied'), 'IdType=ImmutableId')
  const { id } = list.json.value[0]
  assert.equal(id.length, 68)
  assert.ok(id.startsWith('AAkALg'))
  const { json } = await adele.get(`/me/messages/${id}`)
  assert.equal(json.id.length, 152)
})

test('ids that are none, of another mailbox, or of nothing are refused as Graph does', async (t) => {
  const { server, adele } = await mailboxWith(t, 1)
  const alex = await server.user('alex@contoso.com')
  const [{ id }] = (await adele.get('/me/messages')).json.value

  const malformed = await adele.get('/me/messages/nonsense')
  assert.equal(malformed.status, 400)
  assert.deepEqual(malformed.json, { error: { code: 'ErrorInvalidIdMalformed', message: 'Id is malformed.' } })

  const foreign = await alex.get(`/me/messages/${id}`)
  assert.equal(foreign.status, 404)
  assert.equal(foreign.json.error.code, 'ErrorInvalidMailboxItemId')

  assert.equal((await adele.get('/me/mailFolders/Sent%20Items/messages')).json.error.code, 'ErrorInvalidIdMalformed')
})

test('$value is the message in MIME, as text/plain', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await send(adele, 'Grüße', { body: { contentType: 'html', content: '<p>Hallo</p>' } })
  const [{ id, internetMessageId, conversationIndex }] = (await adele.get('/me/messages')).json.value
  const { status, headers, text } = await adele.get(`/me/messages/${id}/$value`)
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'text/plain')
  assert.match(text, /^From: /)
  assert.ok(text.replace(/\r\n[ \t]+/g, ' ').includes(`Message-ID: ${internetMessageId}`))
  assert.ok(text.includes(`Thread-Index: ${conversationIndex}`))
})

test('Mail.ReadBasic shows no bodies, previews, attachments nor MIME', async (t) => {
  const { server, adele } = await mailboxWith(t, 1)
  const basic = await server.user('adele@contoso.com', ['Mail.ReadBasic'])
  const [message] = (await basic.get('/me/messages')).json.value
  assert.equal('body' in message, false)
  assert.equal('bodyPreview' in message, false)
  assert.equal(message.subject, '1')
  const [{ id }] = (await adele.get('/me/messages')).json.value
  assert.equal((await basic.get(`/me/messages/${id}/$value`)).status, 403)
  assert.equal((await basic.get(`/me/messages/${id}/attachments`)).status, 403)
})

test('Prefer: outlook.body-content-type="text" turns HTML into text', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await send(adele, 'x', { body: { contentType: 'html', content: '<p>They were <b>awesome</b>!</p>' } })
  const { json, headers } = await adele.get('/me/messages', { Prefer: 'outlook.body-content-type="text"' })
  assert.equal(headers.get('preference-applied'), 'outlook.body-content-type="text"')
  assert.equal(json.value[0].body.contentType, 'text')
  assert.match(json.value[0].body.content, /^They were awesome!\s*$/)
})

test('query options that are wrong are refused by name', async (t) => {
  const { adele } = await mailboxWith(t, 1)
  for (const query of [
    '$top=0',
    '$top=1001',
    '$top=many',
    '$skip=-1',
    '$select=isJunk',
    '$orderby=body',
    '$top=1&$top=2',
    '$nonsense=1',
  ]) {
    const { status, json } = await adele.get(`/me/messages?${query}`)
    assert.equal(status, 400, query)
    assert.ok(json.error.message.length > 0)
  }
})

test('attachments are listed, got and given as they were', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const bytes = Buffer.from([0, 1, 2, 253, 254, 255])
  await send(adele, 'with attachments', {
    attachments: [
      { '@odata.type': '#microsoft.graph.fileAttachment', name: 'bytes.bin', contentBytes: bytes.toString('base64') },
      {
        '@odata.type': 'microsoft.graph.fileAttachment',
        name: 'logo.png',
        contentBytes: 'AAAA',
        contentId: '<logo>',
        isInline: true,
      },
      {
        '@odata.type': '#microsoft.graph.itemAttachment',
        name: 'inner',
        item: { '@odata.type': 'microsoft.graph.message', subject: 'inner subject', body: { content: 'inner text' } },
      },
    ],
  })
  const [{ id }] = (await adele.get('/me/messages')).json.value
  const { json } = await adele.get(`/me/messages/${id}/attachments`)
  const [file, inline, item] = json.value
  assert.deepEqual(Object.keys(file), [
    '@odata.type',
    '@odata.mediaContentType',
    'id',
    'lastModifiedDateTime',
    'name',
    'contentType',
    'size',
    'isInline',
    'contentId',
    'contentLocation',
    'contentBytes',
  ])
  assert.equal(file.id.length, 180)
  assert.ok(file.id.startsWith(id.slice(0, 150)))
  assert.equal(file.contentBytes, bytes.toString('base64'))
  assert.equal(file.contentType, 'application/octet-stream')
  assert.equal(inline.contentId, 'logo')
  assert.equal(inline.contentType, 'image/png')
  assert.deepEqual(Object.keys(item), [
    '@odata.type',
    'id',
    'lastModifiedDateTime',
    'name',
    'contentType',
    'size',
    'isInline',
  ])
  const single = await adele.get(`/me/messages/${id}/attachments/${file.id}`)
  assert.match(single.json['@odata.context'], /messages\('AAMk[\w-]+%3D'\)\/attachments\/\$entity$/)
  const raw = await fetch(`${server.url}/v1.0/me/messages/${id}/attachments/${file.id}/$value`, {
    headers: { Authorization: `Bearer ${adele.token}` },
  })
  assert.equal(raw.headers.get('content-type'), 'application/octet-stream')
  assert.deepEqual(Buffer.from(await raw.arrayBuffer()), bytes)
  const expanded = await adele.get(
    `/me/messages/${id}/attachments/${item.id}?$expand=microsoft.graph.itemAttachment/item`,
  )
  assert.equal(expanded.json.item.subject, 'inner subject')
  assert.match((await adele.get(`/me/messages/${id}/attachments/${item.id}/$value`)).text, /inner text/)
  const withAttachments = await adele.get(`/me/messages/${id}?$expand=attachments`)
  assert.equal(withAttachments.json.attachments.length, 3)
})

test('$expand shows extended properties by their ids, in normal form', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await send(adele, 'x', {
    singleValueExtendedProperties: [
      { id: 'String {00020329-0000-0000-c000-000000000046} Name Colour', value: 'green' },
    ],
  })
  const filter = encodeURIComponent("id eq 'String {00020329-0000-0000-C000-000000000046} Name Colour'")
  const list = await adele.get(`/me/messages?$select=subject&$expand=singleValueExtendedProperties($filter=${filter})`)
  const [{ id, singleValueExtendedProperties }] = list.json.value
  assert.equal(singleValueExtendedProperties[0].value, 'green')
  const single = await adele.get(`/me/messages/${id}?$expand=singleValueExtendedProperties($filter=${filter})`)
  assert.equal(single.json.singleValueExtendedProperties[0].value, 'green')
  assert.equal('singleValueExtendedProperties' in (await adele.get(`/me/messages/${id}`)).json, false)
})

test('$expand takes the names of relationships alone', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await send(adele, 'x')
  const [{ id }] = (await adele.get('/me/messages')).json.value
  const codeOf = async (path: string) => {
    const { status, json } = await adele.get(path)
    return status === 200 ? 200 : `${status} ${json.error.code}`
  }
  for (const messages of [`/me/messages/${id}`, '/me/messages', '/me/mailFolders/drafts/messages']) {
    assert.equal(await codeOf(`${messages}?$expand=extensions`), 200)
    for (const name of ['flag', 'body', '*', 'attachments($expand=item)', 'attachments,subject']) {
      assert.equal(await codeOf(`${messages}?$expand=${name}`), '400 ExpandNotSupported', name)
    }
    assert.equal(await codeOf(`${messages}?$expand=photo`), '400 RequestBroker--ParseUri')
  }
  assert.equal(await codeOf('/me/mailFolders/drafts?$expand=displayName'), '400 ExpandNotSupported')
  assert.equal(await codeOf('/me/mailFolders/drafts/childFolders?$expand=messageRules'), '400 ExpandNotSupported')
  assert.equal(await codeOf('/me/mailFolders/drafts?$expand=photo'), '400 RequestBroker--ParseUri')
  assert.equal(await codeOf(`/me/messages/${id}/attachments?$expand=message`), '400 ExpandNotSupported')
})
