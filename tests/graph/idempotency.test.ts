/** Calls that send mail and come several times with one key. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, startServer, type TestServer } from '../support/start-server.js'

const adele = 'adele@contoso.com'

function mailTo(address: string, subject = 'Lunch?') {
  const toRecipients = [{ emailAddress: { address } }]
  return { message: { subject, body: { contentType: 'Text', content: 'Noon.' }, toRecipients } }
}

const countSent = async (client: Client) => Number((await client.get('/me/mailFolders/sentitems/messages/$count')).text)

const replayed = ({ headers }: { headers: Headers }) => headers.get('idempotency-replayed')

test('a key is for one mail: thirty-two calls at once are answered alike and send one', async (t) => {
  const server = await startServer(t, { idempotency: 'idempotency-key' })
  const client = await server.user(adele)
  const keys = Array.from({ length: 12 }, (_, index) => `order-${index}`)
  for (const key of keys) {
    const once = () => client.post('/me/sendMail', mailTo('ben@fabrikam.com', key), { 'Idempotency-Key': key })
    const answers = await Promise.all(Array.from({ length: 32 }, once))
    assert.deepEqual(new Set(answers.map(({ status, text }) => `${status}${text}`)), new Set(['202']))
    assert.deepEqual(answers.filter((answer) => replayed(answer) === 'false').length, 1)
    assert.deepEqual(answers.filter((answer) => replayed(answer) === 'true').length, 31)
  }
  assert.equal(await countSent(client), keys.length)
  await server.graphpost.drainOutbox(20_000)
  assert.equal((await server.graphpost.directory.listOutbox(100)).length, keys.length)
})

test('a key with another body is refused, in another mailbox and after a day it is another key', async (t) => {
  const server = await startServer(t, { idempotency: 'client-request-id' })
  const send = (client: Client, subject: string) =>
    client.post('/me/sendMail', mailTo('ben@fabrikam.com', subject), { 'client-request-id': 'mine' })
  const client = await server.user(adele)
  assert.equal((await send(client, 'One')).status, 202)
  const refused = await send(client, 'Two')
  assert.equal(refused.status, 422)
  assert.deepEqual(refused.json, {
    error: { code: 'IdempotencyKeyReused', message: 'The key of this request was used for another request.' },
  })
  const other = await server.user('alex@contoso.com')
  assert.equal(replayed(await send(other, 'Two')), 'false')
  server.clock.advance(86_400_000)
  assert.equal(replayed(await send(await server.user(adele), 'Two')), 'false')
  assert.equal(await countSent(await server.user(adele)), 2)
})

test('what was refused is no first answer; a draft and a reply are sent once as well', async (t) => {
  const server = await startServer(t, { idempotency: 'idempotency-key' })
  const client = await server.user(adele)
  const key = (name: string) => ({ 'Idempotency-Key': name })
  const nobody = { message: { ...mailTo('x').message, toRecipients: [] } }
  assert.equal((await client.post('/me/sendMail', nobody, key('a'))).status, 400)
  assert.equal(replayed(await client.post('/me/sendMail', mailTo('ben@fabrikam.com'), key('a'))), 'false')
  assert.equal((await client.post('/me/sendMail', mailTo('ben@fabrikam.com'), key('x'.repeat(256)))).status, 400)

  const draft = (await client.post('/me/messages', mailTo('ben@fabrikam.com', 'Draft').message)).json
  const sends = await Promise.all(
    Array.from({ length: 8 }, () => client.post(`/me/messages/${draft.id}/send`, '', key('b'))),
  )
  assert.deepEqual(new Set(sends.map(({ status }) => status)), new Set([202]))
  assert.equal((await client.post(`/me/messages/${draft.id}/send`, '')).status, 404)

  const [sent] = (await client.get('/me/mailFolders/sentitems/messages?$top=1')).json.value
  const reply = () => client.post(`/me/messages/${sent.id}/reply`, { comment: 'Yes.' }, key('c'))
  assert.deepEqual((await Promise.all([reply(), reply(), reply()])).map(replayed).sort(), ['false', 'true', 'true'])
  assert.equal(await countSent(client), 3)
})

test('in a batch each call has a key of its own, and without keys nothing is said of them', async (t) => {
  const sendTwice = async (server: TestServer) => {
    const client = await server.user(adele)
    const request = (id: string) => ({
      id,
      method: 'POST',
      url: '/me/sendMail',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'one' },
      body: mailTo('ben@fabrikam.com'),
    })
    const batch = { requests: [request('1'), { ...request('2'), dependsOn: ['1'] }] }
    const { json } = await client.post('/$batch', batch)
    return json.responses.map((each: { headers: Record<string, string> }) => each.headers['Idempotency-Replayed'])
  }
  assert.deepEqual(await sendTwice(await startServer(t, { idempotency: 'idempotency-key' })), ['false', 'true'])
  assert.deepEqual(await sendTwice(await startServer(t)), [undefined, undefined])
})
