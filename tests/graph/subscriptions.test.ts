import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Receiver, startReceiver } from '../support/receiver.js'
import { type Client, startServer, type TestServer } from '../support/start-server.js'

const minuteMs = 60_000

interface Place {
  readonly server: TestServer
  readonly receiver: Receiver
  readonly adele: Client
  /** A subscription's body that succeeds, with what is given in its place. */
  wish(changes?: Record<string, unknown>): Record<string, unknown>
  in(minutes: number): string
}

async function prepare(t: TestContext): Promise<Place> {
  const server = await startServer(t)
  const receiver = await startReceiver(t)
  const adele = await server.user('adele@contoso.com')
  const inMinutes = (minutes: number) => new Date(server.clock.now() + minutes * minuteMs).toISOString()
  return {
    server,
    receiver,
    adele,
    in: inMinutes,
    wish: (changes = {}) => ({
      changeType: 'created,updated,deleted',
      notificationUrl: receiver.url,
      resource: 'me/messages',
      expirationDateTime: inMinutes(60),
      clientState: 'secret',
      ...changes,
    }),
  }
}

test('a subscription is made once its endpoint has repeated the token, and is read, renewed and deleted', async (t) => {
  const { server, receiver, adele, wish, in: inMinutes } = await prepare(t)
  const made = await adele.post('/subscriptions', wish({ notificationUrl: `${receiver.url}?a=1&b=%20x` }))
  assert.equal(made.status, 201, made.text)
  assert.match(receiver.handshakes[0] ?? '', /^\/notify\?a=1&b=%20x&validationToken=Validation%3A/)
  const { id } = made.json
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.equal(made.headers.get('location'), `${server.url}/v1.0/subscriptions('${id}')`)
  const [user] = await server.graphpost.directory.listUsers()
  const shown = {
    '@odata.context': `${server.url}/v1.0/$metadata#subscriptions/$entity`,
    id,
    resource: 'me/messages',
    applicationId: made.json.applicationId,
    changeType: 'created,updated,deleted',
    clientState: 'secret',
    notificationUrl: `${receiver.url}?a=1&b=%20x`,
    notificationQueryOptions: null,
    lifecycleNotificationUrl: null,
    expirationDateTime: made.json.expirationDateTime,
    creatorId: user?.owner,
    includeResourceData: false,
    latestSupportedTlsVersion: 'v1_2',
    encryptionCertificate: null,
    encryptionCertificateId: null,
    notificationUrlAppId: null,
  }
  assert.deepEqual(made.json, shown)

  assert.deepEqual((await adele.get(`/subscriptions/${id}`)).json, { ...shown, clientState: null })
  const listed = await adele.get('/subscriptions')
  assert.deepEqual(
    listed.json.value.map((each: { id: string }) => each.id),
    [id],
  )
  assert.equal(listed.json['@odata.context'], `${server.url}/v1.0/$metadata#subscriptions`)

  const end = inMinutes(10_080)
  const renewed = await adele.call('PATCH', `/subscriptions/${id}`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ expirationDateTime: end }),
  })
  assert.equal(renewed.status, 200, renewed.text)
  assert.equal(renewed.json.expirationDateTime, end.replace('.000Z', 'Z'))
  assert.equal((await adele.post(`/subscriptions/${id}/reauthorize`, '')).status, 204)

  assert.equal((await adele.call('DELETE', `/subscriptions/${id}`)).status, 204)
  const gone = await adele.get(`/subscriptions/${id}`)
  assert.equal(gone.status, 404)
  assert.equal(gone.json.error.code, 'ResourceNotFound')
})

test('mail that comes, changes, moves and goes is told, each with the id it has then', async (t) => {
  const { server, receiver, adele, wish } = await prepare(t)
  const made = await adele.post('/subscriptions', wish())
  assert.equal(made.status, 201, made.text)
  const draft = (await adele.post('/me/messages', { subject: 'Quinces' })).json
  await receiver.until((all) => all.length === 1)
  const [user] = await server.graphpost.directory.listUsers()
  assert.deepEqual(receiver.notifications(), [
    {
      subscriptionId: made.json.id,
      subscriptionExpirationDateTime: made.json.expirationDateTime.replace('Z', '0000+00:00'),
      tenantId: server.graphpost.tenant,
      clientState: 'secret',
      changeType: 'created',
      resource: `Users/${user?.owner}/Messages/${draft.id}`,
      resourceData: {
        '@odata.type': '#Microsoft.Graph.Message',
        '@odata.id': `Users/${user?.owner}/Messages/${draft.id}`,
        '@odata.etag': draft['@odata.etag'],
        id: draft.id,
      },
    },
  ])
  assert.equal(receiver.posts[0]?.contentType, 'application/json; charset=utf-8')

  await adele.call('PATCH', `/me/messages/${draft.id}`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ subject: 'Plums' }),
  })
  const moved = (await adele.post(`/me/messages/${draft.id}/move`, { destinationId: 'archive' })).json
  assert.equal((await adele.call('DELETE', `/me/messages/${moved.id}`)).status, 204)
  await receiver.until((all) => all.length === 5)
  assert.deepEqual(
    receiver.notifications().map((each) => [each.changeType, each.resourceData.id]),
    [
      ['created', draft.id],
      ['updated', draft.id],
      ['deleted', draft.id],
      ['created', moved.id],
      ['deleted', moved.id],
    ],
  )
})
