/** `POST $batch`: many calls in one. Each is what it would be alone; what is tested here is what the batch adds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BatchItem, BatchResponse } from '../../src/graph/batch.js'
import { type Answer, type Client, startServer } from '../support/start-server.js'

const adele = 'adele@contoso.com'
const alex = 'alex@contoso.com'

type Item = Partial<Omit<BatchItem, 'body'>> & { body?: unknown }
type Responses = Record<string, BatchResponse & { body: ReturnType<typeof JSON.parse> }>

const json = { 'Content-Type': 'application/json' }

function send(subject: string, headers: Record<string, string> = json): Item {
  const body = { message: { subject, toRecipients: [{ emailAddress: { address: alex } }] } }
  return { method: 'POST', url: '/me/sendMail', headers, body }
}

/** Items, numbered from 1 where they have no id. */
function batchOf(items: readonly Item[]) {
  return { requests: items.map((item, index) => ({ id: String(index + 1), ...item })) }
}

function postBatch(client: Client, items: readonly Item[], version = 'v1.0'): Promise<Answer> {
  return client.post(`/${version}/$batch`, batchOf(items))
}

/** The answers by id; the batch itself has to be 200. */
function responsesOf({ status, json, text }: Answer): Responses {
  assert.equal(status, 200, text)
  return Object.fromEntries(json.responses.map((response: BatchResponse) => [response.id, response]))
}

async function run(client: Client, items: readonly Item[], version?: string): Promise<Responses> {
  return responsesOf(await postBatch(client, items, version))
}

async function subjectsIn(client: Client, folder: string): Promise<string[]> {
  const { json } = await client.get(`/me/mailFolders/${folder}/messages?$select=subject&$top=100`)
  return json.value.map(({ subject }: { subject: string }) => subject).sort()
}

test('calls of a batch are those they would be alone, each with status, headers and body', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele, ['Mail.ReadWrite', 'Mail.Send', 'User.Read'])
  const draft = (await client.post('/me/messages', { subject: 'Quinces' })).json
  const answers = await run(client, [
    send('One'),
    { method: 'get', url: 'me/messages?$select=subject&$top=1' },
    { method: 'POST', url: '/me/messages', headers: json, body: { subject: 'Plums' } },
    { method: 'GET', url: `/me/messages/${draft.id}/$value` },
    { method: 'PATCH', url: `/me/messages/${draft.id}`, headers: json, body: { subject: 'Pears' } },
    { method: 'GET', url: `/me` },
    { method: 'GET', url: '/me/messages/$count' },
    { method: 'GET', url: '/$metadata' },
  ])

  assert.deepEqual(answers[1], { id: '1', status: 202, headers: { 'Cache-Control': 'private' } })
  assert.equal(answers[2]?.status, 200)
  assert.deepEqual(answers[2]?.headers, {
    'Cache-Control': 'private',
    'OData-Version': '4.0',
    'Content-Type':
      'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8',
  })
  assert.ok(
    answers[2]?.body['@odata.nextLink'].startsWith(`${server.url}/v1.0/me/messages?`),
    answers[2]?.body['@odata.nextLink'],
  )
  assert.equal(answers[3]?.status, 201)
  assert.equal(answers[3]?.headers.Location?.startsWith(`${server.url}/v1.0/users('`), true)
  assert.equal(answers[4]?.headers['Content-Type'], 'text/plain')
  assert.match(Buffer.from(answers[4]?.body, 'base64').toString(), /^Subject: (Quinces|Pears)\r$/m)
  assert.equal(answers[5]?.body.subject, 'Pears')
  assert.equal(answers[6]?.body.userPrincipalName, adele)
  assert.match(Buffer.from(answers[7]?.body, 'base64').toString(), /^\d$/)
  assert.match(Buffer.from(answers[8]?.body, 'base64').toString(), /^<\?xml/)
  assert.deepEqual(await subjectsIn(client, 'sentitems'), ['One'])
})

test('twenty mails in one batch are all sent; twenty-one are none', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const mails = Array.from({ length: 21 }, (_, index) => send(`Mail ${String(index).padStart(2, '0')}`))
  const answers = await run(client, mails.slice(0, 20))
  assert.deepEqual(
    Object.values(answers).map(({ status }) => status),
    Array(20).fill(202),
  )
  const tooMany = await postBatch(client, mails)
  assert.equal(tooMany.status, 400)
  assert.equal(tooMany.json.error.message, 'Number of requests inside batch exceed the limit.')
  assert.equal((await subjectsIn(client, 'sentitems')).length, 20)
})

test('an item waits for those it depends on, and is not done when one of them failed', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const answer = await postBatch(client, [
    { ...send('First'), id: 'a' },
    { method: 'GET', url: '/me/mailFolders/sentitems/messages?$select=subject', id: 'b', dependsOn: ['A'] },
    { ...send('Never'), id: 'c', dependsOn: ['b', 'a'] },
    { method: 'GET', url: '/me/messages/none', id: 'd' },
    { ...send('Not this'), id: 'e', dependsOn: ['a', 'd'] },
    { ...send('Nor this'), id: 'f', dependsOn: ['e'] },
  ])
  const answers = responsesOf(answer)
  assert.deepEqual(
    answers.b?.body.value.map(({ subject }: { subject: string }) => subject),
    ['First'],
  )
  assert.equal(answers.c?.status, 202)
  assert.equal(answers.d?.status, 400)
  assert.deepEqual(answers.e, {
    id: 'e',
    status: 424,
    headers: { 'Content-Type': 'application/json' },
    body: {
      error: { code: 'FailedDependency', message: "The request was not executed: request 'd' failed." },
    },
  })
  assert.equal(answers.f?.status, 424)
  const order: string[] = answer.json.responses.map(({ id }: BatchResponse) => id)
  assert.ok(order.indexOf('a') < order.indexOf('b'))
  assert.ok(order.indexOf('d') < order.indexOf('e'))
  assert.deepEqual(await subjectsIn(client, 'sentitems'), ['First', 'Never'])
})

test('an envelope that is none is refused as a whole, and nothing of it is done', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const first = { ...send('First'), id: '1' }
  const get = { method: 'GET', url: '/me/messages' }
  const invalid = 'Invalid batch payload format.'
  const refused: [body: unknown, message: string][] = [
    [{}, invalid],
    [[], invalid],
    [{ requests: {} }, invalid],
    [{ requests: [] }, invalid],
    [{ requests: [first, null] }, invalid],
    [{ requests: [first, 'GET /me'] }, invalid],
    [{ requests: [first, get] }, invalid],
    [{ requests: [first, { ...get, id: 2 }] }, invalid],
    [{ requests: [first, { id: '2', url: '/me' }] }, invalid],
    [{ requests: [first, { id: '2', method: 'TRACE', url: '/me' }] }, invalid],
    [{ requests: [first, { id: '2', method: 'GET' }] }, invalid],
    [{ requests: [first, { id: '2', method: 'GET', url: `${server.url}/v1.0/me` }] }, invalid],
    [{ requests: [first, { id: '2', method: 'GET', url: '/me/messages\r\nX: y' }] }, invalid],
    [{ requests: [first, { ...get, id: '2', headers: [] }] }, invalid],
    [{ requests: [first, { ...get, id: '2', headers: { Prefer: 1 } }] }, invalid],
    [{ requests: [first, { ...get, id: '2', dependsOn: '1' }] }, invalid],
    [{ requests: [first, { ...get, id: '2', dependsOn: [1] }] }, invalid],
    [{ requests: [first, { ...get, id: '2', dependsOn: ['3'] }] }, 'Invalid dependency for request Id 2.'],
    [{ requests: [first, { ...get, id: '2', dependsOn: ['2'] }] }, 'Invalid dependency for request Id 2.'],
    [
      {
        requests: [
          { ...first, dependsOn: ['2'] },
          { ...get, id: '2', dependsOn: ['1'] },
        ],
      },
      'Invalid dependency for request Id 1.',
    ],
    [
      {
        requests: [
          { ...first, id: 'a' },
          { ...get, id: 'A' },
        ],
      },
      'Request Id A has to be unique in a batch.',
    ],
    [
      { requests: [first, { id: '2', method: 'POST', url: '/me/messages', body: {} }] },
      'Write request id : 2 does not contain Content-Type header or body.',
    ],
    [
      '{"requests":[',
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
    ],
  ]
  for (const [body, message] of refused) {
    const { status, json, headers } = await client.post('/$batch', body)
    assert.equal(status, 400, JSON.stringify(body))
    const { innerError, ...error } = json.error
    assert.deepEqual(error, { code: 'BadRequest', message }, JSON.stringify(body))
    assert.equal(innerError['request-id'], headers.get('request-id'))
  }
  assert.deepEqual(await subjectsIn(client, 'sentitems'), [])
  const wrongVerb = await client.get('/$batch')
  assert.equal(wrongVerb.status, 405)
  assert.equal(wrongVerb.json.error.code, 'Request_BadRequest')
  assert.equal((await server.nobody.post('/$batch', batchOf([get]))).status, 401)
})

test('a refused item does not touch the others, and says what a call of its own would', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele, ['Mail.Send'])
  const nested = { method: 'POST', url: '/$batch', headers: json, body: batchOf([send('Inside')]) }
  const answers = await run(client, [
    { method: 'GET', url: '/me/messages' },
    send('Sent all the same'),
    { method: 'GET', url: '/me/calendars' },
    { method: 'GET', url: '/v1.0/me' },
    nested,
    { method: 'PUT', url: '/me/sendMail', headers: json, body: {} },
    { method: 'GET', url: `/me/messages?$filter=${'x'.repeat(20_000)}` },
    { method: 'POST', url: '/me/sendMail', headers: { 'Content-Type': 'text/plain' }, body: { message: {} } },
    { method: 'POST', url: '/me/sendMail', headers: json, body: 'eyJ9' },
    { method: 'POST', url: '/me/sendMail', headers: json },
    { method: 'GET', url: `/users/${alex}` },
  ])
  assert.deepEqual(answers[1], {
    id: '1',
    status: 403,
    headers: { 'Content-Type': 'application/json' },
    body: { error: { code: 'ErrorAccessDenied', message: 'Access is denied. Check credentials and try again.' } },
  })
  assert.equal(answers[2]?.status, 202)
  for (const id of [3, 4]) {
    const { innerError, ...error } = answers[id]?.body.error ?? {}
    assert.deepEqual(error, { code: 'UnknownError', message: '' })
    assert.deepEqual(Object.keys(innerError), ['date', 'request-id', 'client-request-id'])
    assert.equal(answers[id]?.status, 404)
    assert.deepEqual(answers[id]?.headers, { 'Content-Type': 'application/json' })
  }
  const statuses = [5, 6, 7, 8, 9, 10, 11].map((id) => answers[id]?.status)
  assert.deepEqual(statuses, [400, 405, 431, 400, 400, 400, 403])
  assert.equal(answers[6]?.headers.Allow, 'POST')
  assert.equal((await server.graphpost.directory.listOutbox(10)).length, 1)
})

test('headers of an item are its own: preferences, etags and content types', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const draft = (await client.post('/me/messages', { subject: 'Quinces' })).json
  const url = `/me/messages/${draft.id}`
  const mime = Buffer.from(`From: ${adele}\r\nTo: ${alex}\r\nSubject: From MIME\r\n\r\nBody\r\n`).toString('base64')
  const twice = Buffer.from(mime).toString('base64')
  const text = { 'content-type': 'text/plain' }
  const posted = await client.post(
    '/$batch',
    batchOf([
      { method: 'GET', url, headers: { prefer: 'IdType="ImmutableId"' } },
      { method: 'PATCH', url, headers: { ...json, 'if-match': 'W/"old"' }, body: { subject: 'Plums' } },
      { method: 'POST', url: '/me/sendMail', headers: text, body: mime },
      { method: 'POST', url: '/me/sendMail', headers: text, body: twice },
      { method: 'POST', url: '/me/sendMail', headers: text, body: 'no base64 (at all)' },
      { method: 'GET', url, headers: { Accept: 'application/json;odata.metadata=none', Authorization: 'Bearer x' } },
    ]),
    { Prefer: 'outlook.body-content-type="text"', Accept: 'application/json;odata.metadata=minimal' },
  )
  assert.equal(posted.headers.get('preference-applied'), null)
  const answers = responsesOf(posted)
  assert.equal(answers[1]?.headers['Preference-Applied'], 'IdType=ImmutableId')
  assert.equal(answers[1]?.body.id.length, 68)
  assert.equal(answers[2]?.status, 412)
  assert.equal(answers[3]?.status, 202)
  assert.equal(answers[4]?.status, 202)
  assert.equal(answers[5]?.body.error.code, 'ErrorMimeContentInvalidBase64String')
  assert.equal(answers[6]?.body['@odata.context'], undefined)
  assert.equal(answers[6]?.body.subject, 'Quinces')
  assert.deepEqual(await subjectsIn(client, 'sentitems'), ['From MIME', 'From MIME'])
})

test('an action that takes no body needs none, nor a content type', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const toRecipients = [{ emailAddress: { address: alex } }]
  const drafts = await Promise.all(
    ['One', 'Two', 'Three'].map(
      async (subject) => (await client.post('/me/messages', { subject, toRecipients })).json.id,
    ),
  )
  const [one, two, three] = drafts.map((id) => ({ method: 'POST', url: `/me/messages/${id}/send` }))
  const answers = await run(client, [{ ...one }, { ...two, body: '' }, { ...three, headers: json, body: {} }])
  assert.deepEqual(
    [1, 2, 3].map((id) => answers[id]?.status),
    [202, 202, 202],
  )
})

test('large files come in a batch as far as there is room; what is too much is refused by itself', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const { id } = (await client.post('/me/messages', { subject: 'Quinces' })).json
  const bytes = Buffer.alloc(20_000_000, 'quince ')
  const session = await client.post(`/me/messages/${id}/attachments/createUploadSession`, {
    AttachmentItem: { attachmentType: 'file', name: 'quinces.bin', size: bytes.length },
  })
  const last = bytes.length - 1
  const put = await fetch(session.json.uploadUrl, {
    method: 'PUT',
    headers: { 'Content-Range': `bytes 0-${last}/${bytes.length}` },
    body: bytes,
  })
  assert.equal(put.status, 201)
  const file = (await client.get(`/me/messages/${id}/attachments?$select=name`)).json.value[0].id
  const url = `/me/messages/${id}/attachments/${file}`
  const answers = await run(client, [
    { method: 'GET', url: `${url}/$value` },
    { method: 'GET', url, dependsOn: ['1'] },
    { method: 'GET', url: `${url}/$value`, dependsOn: ['2'] },
    { method: 'GET', url, dependsOn: ['2'] },
    { method: 'GET', url: `/me/messages/${id}/subject`, dependsOn: ['2'] },
  ])
  assert.ok(bytes.equals(Buffer.from(answers[1]?.body, 'base64')))
  assert.equal(answers[2]?.body.contentBytes, bytes.toString('base64'))
  assert.deepEqual([answers[3]?.status, answers[4]?.status], [413, 413])
  assert.equal(answers[5]?.body.value, 'Quinces')
})

test('beta is the version of the items when the batch is sent there', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const url = '/me/messages'
  await client.post(url, { subject: 'Quinces' })
  const beta = await run(client, [{ method: 'GET', url }], 'beta')
  assert.match(beta[1]?.body['@odata.context'], /\/beta\/\$metadata/)
  assert.ok('unsubscribeEnabled' in (beta[1]?.body.value[0] ?? {}))
})

test('every item leaves a call record with ids of its own; those of the batch share its client-request-id', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const admin = await server.application(['Graphpost.Admin'])
  const body = batchOf([
    send('One'),
    { method: 'GET', url: '/me/messages/none' },
    { ...send('Two'), dependsOn: ['2'] },
    send('Three', { ...json, 'client-request-id': 'three' }),
  ])
  const { headers } = await client.post('/$batch', body, { 'client-request-id': 'all' })
  const { json: found } = await admin.get('/admin/calls')
  const calls: { requestId: string; clientRequestId: string; url: string; status: number; error?: string }[] =
    found.value ?? found.calls ?? found
  const records = calls
    .filter(({ url }) => !url.startsWith('/admin'))
    .map(({ clientRequestId, url, status, error }) => [clientRequestId, url, status, error ?? null].join(' '))
    .sort()
  assert.deepEqual(records, [
    'all /v1.0/$batch 200 ',
    'all /v1.0/me/messages/none 400 ErrorInvalidIdMalformed',
    'all /v1.0/me/sendMail 202 ',
    'all /v1.0/me/sendMail 424 FailedDependency',
    'three /v1.0/me/sendMail 202 ',
  ])
  assert.equal(new Set(calls.map(({ requestId }) => requestId)).size, calls.length)
  assert.ok(calls.some(({ requestId }) => requestId === headers.get('request-id')))
})

test("an application's batch reaches the mailboxes that it may be in, and no others", async (t) => {
  const server = await startServer(t)
  await server.user(alex)
  const own = await server.user(adele, ['Mail.Read'])
  const application = await server.application(['Mail.Read'])
  const all = [`/users/${adele}/messages`, `/users/${alex}/messages`, '/me/messages'].map((url) => ({
    method: 'GET',
    url,
  }))
  const statuses = async (client: Client) => {
    const answers = await run(client, all)
    return [1, 2, 3].map((id) => answers[id]?.status)
  }
  assert.deepEqual(await statuses(application), [200, 200, 400])
  assert.deepEqual(await statuses(own), [200, 403, 200])
})
