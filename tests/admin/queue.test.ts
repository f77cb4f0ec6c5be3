import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startScriptedPeer } from '../support/scripted-smtp.js'
import { type Client, startServer } from '../support/start-server.js'

test('the queue over the admin API: list, show, hold, release, retry, cancel', async (t) => {
  let isOpen = false
  const peer = await startScriptedPeer(t, { mail: () => (isOpen ? '250 OK' : '451 4.3.0 not now') })
  const server = await startServer(t, { relay: peer.url, retrySchedule: '1h,1h' })
  const ada = await server.user('ada@contoso.com')
  const admin = await server.application(['Graphpost.Admin'])
  await send(ada, 'ben@fabrikam.example', 'cid@northwind.example', 'ada@contoso.com')
  await server.graphpost.drainOutbox(20_000)

  const waiting = await queued(admin)
  assert.deepEqual(
    waiting.map(({ destination, recipients }) => [destination, recipients[0]?.state]),
    [
      ['fabrikam.example', 'delayed'],
      ['northwind.example', 'delayed'],
    ],
  )
  const message = waiting[0]?.message
  assert.deepEqual(await act(admin, 'hold', { destination: 'FABRIKAM.example' }), {
    changed: 1,
    wished: 0,
    underWay: 0,
  })
  assert.deepEqual(
    (await queued(admin, '?destination=fabrikam.example')).map(({ state }) => state),
    ['held'],
  )
  assert.deepEqual(await act(admin, 'cancel', { message, destination: 'northwind.example' }), {
    changed: 1,
    wished: 0,
    underWay: 0,
  })
  isOpen = true
  assert.equal((await act(admin, 'retry', { all: true })).changed, 0)
  assert.equal((await act(admin, 'release', { message: String(message) })).changed, 1)
  await server.graphpost.drainOutbox(20_000)
  assert.deepEqual(await queued(admin), [])

  const { json } = await admin.get(`/admin/queue/${message}`)
  const fates = json.value.flatMap(({ recipients }: Entry) => recipients.map(({ address, state }) => [address, state]))
  assert.deepEqual(fates.toSorted(), [
    ['ada@contoso.com', 'delivered'],
    ['ben@fabrikam.example', 'relayed'],
    ['cid@northwind.example', 'cancelled'],
  ])
})

test('what names nothing of the queue is refused, and nobody but an administrator gets in', async (t) => {
  const server = await startServer(t, { deliveryConcurrency: '0' })
  const ada = await server.user('ada@contoso.com')
  await send(ada, 'ben@fabrikam.example')
  const admin = await server.application(['Graphpost.Admin'])
  for (const body of [
    {},
    null,
    { all: 'yes' },
    { message: 'nonsense' },
    { message: {} },
    { destination: 1 },
    { all: false },
  ]) {
    const { status, json } = await admin.post('/admin/queue/cancel', body)
    assert.equal(status, 400, JSON.stringify(body))
    assert.ok(json.error.length > 0)
  }
  assert.equal((await admin.get('/admin/queue?message=nonsense')).status, 400)
  assert.equal((await admin.get('/admin/queue/4711')).status, 404)
  assert.equal((await admin.get('/admin/queue/%3Cnobody@nowhere%3E')).status, 404)
  assert.equal((await admin.post('/admin/queue/explode', { all: true })).status, 405)
  for (const client of [ada, server.nobody, await server.application(['Mail.Send'])]) {
    assert.ok([401, 403].includes((await client.get('/admin/queue')).status))
    assert.ok([401, 403].includes((await client.post('/admin/queue/cancel', { all: true })).status))
  }
  assert.equal((await queued(admin)).length, 1)
})

interface Entry {
  readonly message: number
  readonly destination: string
  readonly state: string
  readonly recipients: { readonly address: string; readonly state: string }[]
}

async function queued(admin: Client, query = ''): Promise<Entry[]> {
  return (await admin.get(`/admin/queue${query}`)).json.value
}

async function act(admin: Client, action: string, body: object) {
  const { status, json } = await admin.post(`/admin/queue/${action}`, body)
  assert.equal(status, 200)
  return json
}

async function send(from: Client, ...addresses: string[]): Promise<void> {
  const toRecipients = addresses.map((address) => ({ emailAddress: { address } }))
  assert.equal((await from.post('/me/sendMail', { message: { subject: 'Hello', toRecipients } })).status, 202)
}
