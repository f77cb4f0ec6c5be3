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
