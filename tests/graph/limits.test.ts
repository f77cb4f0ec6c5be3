/** The limits that Graph documents, where they are switched on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startGraphpost } from '../../src/app.js'
import type { BatchResponse } from '../../src/graph/batch.js'
import { CallLimiter } from '../../src/graph/limits.js'
import { movableClock } from '../support/movable-clock.js'
import { openSocket } from '../support/raw-socket.js'
import {
  type Client,
  clientOf,
  freshFolder,
  startServer,
  type TestServer,
  testSettings,
  testStore,
} from '../support/start-server.js'

const adele = 'adele@contoso.com'
const alex = 'alex@contoso.com'
const minuteMs = 60_000

function mailTo(...addresses: string[]) {
  const toRecipients = addresses.map((address) => ({ emailAddress: { address } }))
  return { message: { subject: 'Lunch?', body: { contentType: 'Text', content: 'Noon.' }, toRecipients } }
}

const code = (answer: { json: ReturnType<typeof JSON.parse> }) => answer.json?.error?.code

async function limitsOf(server: TestServer) {
  const operator = await server.application(['Graphpost.Admin'])
  return (await operator.get('/admin/limits')).json
}

test('without limits nothing is refused and nothing is counted', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const answers = await Promise.all(Array.from({ length: 40 }, () => client.post('/me/sendMail', mailTo(alex))))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]))
  assert.deepEqual(await limitsOf(server), { calls: [], sending: [] })
})

test('a fifth call of one application in one mailbox at once is refused, and others are not', async (t) => {
  const server = await startServer(t, { limits: 'graph' })
  const client = await server.user(adele)
  const other = await server.user(alex)
  const sockets = []
  for (let index = 0; index < 4; index++) {
    const socket = await openSocket(t, server.url)
    const lines = ['POST /v1.0/me/messages HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${client.token}`]
    socket.send(`${[...lines, 'Content-Type: application/json', 'Content-Length: 50'].join('\r\n')}\r\n\r\n{`)
    sockets.push(socket)
  }
  while ((await limitsOf(server)).calls[0]?.underWay !== 4);
  const refused = await client.get('/me/messages', { 'client-request-id': 'mine', Prefer: 'IdType="ImmutableId"' })

  assert.equal(refused.status, 429)
  assert.deepEqual(refused.json, {
    error: { code: 'ApplicationThrottled', message: 'Application is over its MailboxConcurrency limit.' },
  })
  assert.equal(refused.headers.get('retry-after'), '1')
  assert.equal(refused.headers.get('cache-control'), 'private')
  assert.equal(refused.headers.get('client-request-id'), 'mine')
  assert.equal(refused.headers.get('preference-applied'), 'IdType=ImmutableId')
  assert.equal((await other.get('/me/messages')).status, 200)
  // Who may not go in gets the same 403 as ever, and takes nobody's place.
  assert.equal((await other.get(`/users/${adele}/messages`)).status, 403)

  for (const socket of sockets) socket.hangUp()
  while ((await client.get('/me/messages')).status === 429);
  const { calls } = await limitsOf(server)
  assert.equal(calls[0].underWay, 0)
  assert.ok(calls[0].refused.concurrency > 0)
})

test('in a batch four calls in a mailbox run and the others are refused, each by itself', async (t) => {
  const server = await startServer(t, { limits: 'graph' })
  const client = await server.user(adele)
  // Once the mailbox is known, all seven begin before any of them is done.
  assert.equal((await client.get('/me/messages')).status, 200)
  const requests = Array.from({ length: 7 }, (_, index) => ({
    id: String(index + 1),
    method: 'POST',
    url: '/me/mailFolders',
    headers: { 'Content-Type': 'application/json' },
    body: { displayName: `Folder ${index}` },
  }))
  const { status, json } = await client.post('/$batch', { requests })

  assert.equal(status, 200)
  const statuses = json.responses.map((response: BatchResponse) => response.status).sort()
  assert.deepEqual(statuses, [201, 201, 201, 201, 429, 429, 429])
  const refused = json.responses.find((response: BatchResponse) => response.status === 429)
  assert.deepEqual(refused.headers, {
    'Retry-After': '1',
    'Cache-Control': 'private',
    'Content-Type': 'application/json',
  })
})

test('calls within ten minutes and bytes within five are counted, and let in again when the time is over', async (t) => {
  const server = await startServer(t, { limitRequests: '3', limitUploadBytes: '1000' })
  const client = await server.user(adele)
  const draft = (size: number) => client.post('/me/messages', { subject: 'x'.repeat(size) })

  assert.equal((await draft(500)).status, 201)
  const tooMuch = await draft(900)
  assert.equal(tooMuch.status, 429)
  assert.equal(tooMuch.json.error.message, 'Application is over its IncomingBytes limit.')
  assert.ok(Number(tooMuch.headers.get('retry-after')) > 290)
  assert.equal((await client.get('/me/messages')).status, 200)
  const tooMany = await client.get('/me/messages')
  assert.equal(tooMany.json.error.message, 'Application is over its MailboxRequests limit.')
  assert.ok(Number(tooMany.headers.get('retry-after')) > 590)

  server.clock.advance(Number(tooMany.headers.get('retry-after')) * 1_000)
  assert.equal((await draft(900)).status, 201)
})

test('a body without a told length counts as well', async (t) => {
  const server = await startServer(t, { limitUploadBytes: '1000' })
  const client = await server.user(adele)
  const chunked = () =>
    client.call('POST', '/me/messages', {
      headers: { 'Content-Type': 'application/json' },
      body: new Blob([JSON.stringify({ subject: 'x'.repeat(700) })]).stream(),
    })
  assert.equal((await chunked()).status, 201)
  assert.equal((await chunked()).status, 429)
})

test('a range of an upload counts in its mailbox', async (t) => {
  const server = await startServer(t, { limitUploadBytes: '5000000' })
  const client = await server.user(adele)
  const draft = (await client.post('/me/messages', { subject: 'Large' })).json
  const AttachmentItem = { attachmentType: 'file', name: 'large.bin', size: 8_000_000 }
  const session = await client.post(`/me/messages/${draft.id}/attachments/createUploadSession`, { AttachmentItem })
  const put = (first: number, last: number) =>
    fetch(session.json.uploadUrl, {
      method: 'PUT',
      headers: { 'Content-Range': `bytes ${first}-${last}/8000000` },
      body: new Uint8Array(last - first + 1),
    })
  assert.equal((await put(0, 3_999_999)).status, 200)
  assert.equal((await put(4_000_000, 7_999_999)).status, 429)
  server.clock.advance(5 * minuteMs)
  assert.equal((await put(4_000_000, 7_999_999)).status, 201)
})

test('recipients of a day are refused beyond the limit until the day is over', async (t) => {
  const server = await startServer(t, { limitRecipientsPerDay: '5' })
  const client = await server.user(adele)
  const send = (to: Client, count: number) =>
    to.post('/me/sendMail', mailTo(...Array.from({ length: count }, (_, index) => `person${index}@fabrikam.com`)))

  assert.equal((await send(client, 3)).status, 202)
  const refused = await send(client, 3)
  assert.equal(refused.status, 429)
  assert.equal(code(refused), 'ErrorSubmissionQuotaExceeded')
  const waitSeconds = Number(refused.headers.get('retry-after'))
  assert.ok(waitSeconds > 86_000 && waitSeconds <= 87_000, String(waitSeconds))
  assert.equal((await send(client, 2)).status, 202)
  assert.equal((await send(await server.user(alex), 5)).status, 202)
  const draft = (await client.post('/me/messages', mailTo(alex).message)).json
  assert.equal(code(await client.post(`/me/messages/${draft.id}/send`, '')), 'ErrorSubmissionQuotaExceeded')
  const { sending } = await limitsOf(server)
  assert.deepEqual(
    sending.map(({ recipients, refused }: { recipients: number; refused: number }) => [recipients, refused]).sort(),
    [
      [5, 0],
      [5, 2],
    ],
  )

  server.clock.advance((waitSeconds + 600) * 1_000)
  const nextDay = await server.user(adele)
  assert.equal((await nextDay.post(`/me/messages/${draft.id}/send`, '')).status, 202)
})

test('a restart gives nobody a second day', async (t) => {
  const place = testStore === 'postgres' ? {} : { memory: 'off', data: await freshFolder(t) }
  const settings = await testSettings(t, { ...place, limitRecipientsPerDay: '5' })
  const sendToThree = async () => {
    const graphpost = await startGraphpost(settings)
    try {
      const known = graphpost.mailboxes.includes(adele)
      if (!known) await graphpost.directory.addUser({ userPrincipalName: adele, displayName: 'Adele' })
      const client = clientOf(graphpost.httpUrl ?? '', await graphpost.directory.issueToken({ user: adele }))
      return (await client.post('/me/sendMail', mailTo('one@fabrikam.com', 'two@fabrikam.com', 'three@contoso.com')))
        .status
    } finally {
      await graphpost.close()
    }
  }
  assert.equal(await sendToThree(), 202)
  assert.equal(await sendToThree(), 429)
})

test('messages beyond thirty in a minute are accepted and wait in the outbox', async (t) => {
  const server = await startServer(t, { limits: 'graph', limitConcurrency: '0' })
  const client = await server.user(adele)
  await server.user(alex)
  for (let sent = 0; sent < 33; sent++) {
    assert.equal((await client.post('/me/sendMail', mailTo(alex))).status, 202)
  }
  await server.graphpost.drainOutbox(20_000)
  const entries = await server.graphpost.directory.listOutbox(50)
  assert.equal(entries.filter(({ state }) => state === 'closed').length, 30)
  const waiting = entries.filter(({ state }) => state === 'queued')
  assert.equal(waiting.length, 3)
  for (const { dueAt, createdAt } of waiting) assert.ok(dueAt - createdAt > 30_000 && dueAt - createdAt <= minuteMs)
  assert.equal((await limitsOf(server)).sending[0].waiting, 3)

  server.clock.advance(minuteMs)
  await server.graphpost.drainOutbox(20_000)
  assert.equal((await server.graphpost.directory.listOutbox(50)).filter(({ state }) => state !== 'closed').length, 0)
})

test('a clock that is set back keeps nobody out', () => {
  const clock = movableClock()
  const limiter = new CallLimiter({ requests: 1, concurrency: undefined, uploadBytes: 10 }, clock)
  limiter.begin('app', 1)()
  limiter.upload('app', 1, 10)
  assert.throws(() => limiter.begin('app', 1))
  assert.throws(() => limiter.upload('app', 1, 1))
  clock.advance(-3_600_000)
  limiter.begin('app', 1)()
  limiter.upload('app', 1, 10)
  assert.throws(() => limiter.begin('app', 1))
})

test('a scheduled mail that the limits of its mailbox refuse is sent when they let it go', async (t) => {
  const server = await startServer(t, { limitRecipientsPerDay: '1' })
  const client = await server.user(adele)
  assert.equal((await client.post('/me/sendMail', mailTo('one@fabrikam.com'))).status, 202)
  const at = new Date(server.clock.now() + 3_600_000).toISOString()
  const deferred = { id: 'SystemTime 0x3FEF', value: at }
  const later = { message: { ...mailTo('two@fabrikam.com').message, singleValueExtendedProperties: [deferred] } }
  assert.equal((await client.post('/me/sendMail', later)).status, 202)
  server.clock.advance(2 * 3_600_000)
  await server.graphpost.drainOutbox(20_000)
  assert.equal((await server.graphpost.directory.listOutbox(10)).length, 1)
  server.clock.advance(24 * 3_600_000)
  await server.graphpost.drainOutbox(20_000)
  assert.equal((await server.graphpost.directory.listOutbox(10)).length, 2)
})
