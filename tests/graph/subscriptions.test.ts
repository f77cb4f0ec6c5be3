import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { clientCertificate } from '../support/client-certificate.js'
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

const refusals: readonly {
  name: string
  changes: Record<string, unknown>
  status?: number
  code?: string
  message: RegExp | string
}[] = [
  ...['changeType', 'notificationUrl', 'resource', 'expirationDateTime'].map((name) => ({
    name: `no ${name}`,
    changes: { [name]: undefined },
    message: `${name} is a required property for subscription creation`,
  })),
  {
    name: 'an unknown property',
    changes: { NotificationURL: 'x' },
    message: 'Could not process subscription creation payload. Are all property names spelled and camelCased properly?',
  },
  { name: 'an unknown change', changes: { changeType: 'created,moved' }, message: /^changeType / },
  { name: 'no change', changes: { changeType: '' }, message: /^changeType / },
  {
    name: 'a number for a text',
    changes: { clientState: 5 },
    code: 'RequestBodyRead',
    message: /Edm.String|literal '5'/,
  },
  { name: 'a long client state', changes: { clientState: 'x'.repeat(129) }, message: /^clientState / },
  { name: 'no date', changes: { expirationDateTime: 'soon' }, message: /'soon'.*Edm.DateTimeOffset/ },
  { name: 'no such date', changes: { expirationDateTime: '2026-13-01T00:00:00Z' }, message: /Edm.DateTimeOffset/ },
  { name: 'the past', changes: { expirationDateTime: '2020-01-01T00:00:00Z' }, message: /^expirationDateTime / },
  {
    name: 'more than a week',
    changes: { expirationDateTime: new Date(Date.now() + 10_090 * minuteMs).toISOString() },
    code: 'ErrorInvalidParameter',
    message: 'Subscription expiration can only be 10080 minutes in the future.',
  },
  { name: 'another server', changes: { notificationUrl: 'https://example.com/x' }, message: /^notificationUrl / },
  { name: 'no URL', changes: { notificationUrl: 'localhost' }, message: /^notificationUrl / },
  {
    name: 'another server for its life',
    changes: { lifecycleNotificationUrl: 'https://example.com/x' },
    message: /^lifecycleNotificationUrl /,
  },
  { name: 'another resource', changes: { resource: 'me/events' }, message: /me\/events/ },
  { name: 'one message', changes: { resource: 'me/messages/AAMk' }, message: /me\/messages\/AAMk/ },
  { name: 'no resource', changes: { resource: '' }, message: /resource/ },
  { name: 'an order', changes: { resource: 'me/messages?$orderby=subject' }, message: /\$orderby/ },
  {
    name: 'an unknown property of messages',
    changes: { resource: 'me/messages?$select=colour' },
    code: 'RequestBroker--ParseUri',
    message: /colour/,
  },
  {
    name: 'a folder that is not there',
    changes: { resource: "me/mailFolders('nothing')/messages" },
    code: 'ErrorInvalidIdMalformed',
    message: 'Id is malformed.',
  },
  {
    name: "another user's mailbox",
    changes: { resource: 'users/alex@contoso.com/messages' },
    status: 403,
    code: 'ExtensionError',
    message: 'Operation: Create; Exception: [Status Code: Forbidden; Reason: Access denied]',
  },
  {
    name: 'nobody',
    changes: { resource: 'users/nobody@contoso.com/messages' },
    status: 404,
    code: 'ExtensionError',
    message: /nobody@contoso.com/,
  },
  {
    name: 'resource data without a certificate',
    changes: { includeResourceData: true, resource: 'me/messages?$select=subject' },
    message: /^encryptionCertificate /,
  },
  { name: 'no certificate', changes: { encryptionCertificate: 'AAAA' }, message: /^encryptionCertificate / },
  { name: 'an unknown version of TLS', changes: { latestSupportedTlsVersion: 'v9' }, message: /^latestSupported/ },
]

test('what a subscription cannot be made of is refused by name, and nothing is called', async (t) => {
  const { server, receiver, adele, wish } = await prepare(t)
  await server.user('alex@contoso.com')
  for (const { name, changes, status = 400, code = 'InvalidRequest', message } of refusals) {
    const { status: answered, json, text } = await adele.post('/subscriptions', wish(changes))
    assert.equal(answered, status, `${name}: ${text}`)
    assert.equal(json.error.code, code, `${name}: ${text}`)
    if (typeof message === 'string') assert.equal(json.error.message, message, name)
    else assert.match(json.error.message, message, name)
  }
  assert.deepEqual(receiver.handshakes, [])
  assert.deepEqual((await adele.get('/subscriptions')).json.value, [])
})

const handshakes: readonly { name: string; answer: Receiver['handshake']; message: string }[] = [
  {
    name: 'refuses',
    answer: (_, response) => void response.writeHead(403).end(),
    message:
      "Subscription validation request failed. HTTP status code is 'Forbidden'. Notification endpoint must respond with 200 OK to validation request.",
  },
  {
    name: 'takes it like a notification',
    answer: (token, response) => void response.writeHead(202, { 'Content-Type': 'text/plain' }).end(token),
    message:
      "Subscription validation request failed. HTTP status code is 'Accepted'. Notification endpoint must respond with 200 OK to validation request.",
  },
  ...(
    [
      ['says something else', (_, response) => void response.writeHead(200, { 'Content-Type': 'text/plain' }).end('x')],
      ['answers HTML', (token, response) => void response.writeHead(200, { 'Content-Type': 'text/html' }).end(token)],
      [
        'says it as it came',
        (token, response) =>
          void response.writeHead(200, { 'Content-Type': 'text/plain' }).end(encodeURIComponent(token)),
      ],
      ['closes the connection', (_, response) => void response.destroy()],
    ] as [string, Receiver['handshake']][]
  ).map(([name, answer]) => ({
    name,
    answer,
    message:
      'Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.',
  })),
  { name: 'says nothing', answer: () => {}, message: 'Subscription validation request timed out.' },
]

test('an endpoint that does not repeat the token gets no subscription', async (t) => {
  const { receiver, adele, wish } = await prepare(t)
  for (const { name, answer, message } of handshakes) {
    receiver.handshake = answer
    const { status, json, text } = await adele.post('/subscriptions', wish())
    assert.equal(status, 400, `${name}: ${text}`)
    assert.deepEqual([json.error.code, json.error.message], ['ValidationError', message], name)
  }
  assert.deepEqual((await adele.get('/subscriptions')).json.value, [])
})

test('subscriptions are those of one application and one user', async (t) => {
  const { server, adele, wish } = await prepare(t)
  const { id } = (await adele.post('/subscriptions', wish())).json
  const alex = await server.user('alex@contoso.com')
  const daemon = await server.application(['Mail.Read'])
  for (const other of [alex, daemon]) {
    assert.deepEqual((await other.get('/subscriptions')).json.value, [])
    assert.equal((await other.get(`/subscriptions/${id}`)).status, 404)
    assert.equal((await other.call('DELETE', `/subscriptions/${id}`)).status, 404)
    assert.equal((await other.post(`/subscriptions/${id}/reauthorize`, '')).status, 404)
  }
  const ofMe = await daemon.post('/subscriptions', wish())
  assert.equal(ofMe.json.error.message, '/me request is only valid with delegated authentication flow.')
  assert.equal((await adele.get(`/subscriptions/${id}`)).status, 200)
})

test('a short life is made 45 minutes; a subscription with resource data lives a day at most', async (t) => {
  const { server, adele, wish, in: inMinutes } = await prepare(t)
  const before = server.clock.now()
  const { json } = await adele.post('/subscriptions', wish({ expirationDateTime: inMinutes(5) }))
  const end = Date.parse(json.expirationDateTime)
  assert.ok(end >= before + 45 * minuteMs && end <= server.clock.now() + 45 * minuteMs)
  const { certPem } = await clientCertificate('receiver')
  const rich = wish({
    resource: 'me/messages?$select=subject',
    includeResourceData: true,
    encryptionCertificate: Buffer.from(certPem).toString('base64'),
    encryptionCertificateId: 'mine',
  })
  const long = await adele.post('/subscriptions', { ...rich, expirationDateTime: inMinutes(1_450) })
  assert.equal(long.json.error.message, 'Subscription expiration can only be 1440 minutes in the future.')
  const withBody = await adele.post('/subscriptions', { ...rich, resource: 'me/messages?$select=subject,body' })
  assert.equal(withBody.json.error.message, "The property 'body' cannot be included in notifications.")
  const made = await adele.post('/subscriptions', rich)
  assert.equal(made.status, 201, made.text)
  assert.equal(made.json.includeResourceData, true)
  assert.equal(made.json.encryptionCertificate, null)
  assert.equal(made.json.encryptionCertificateId, 'mine')
})

test('a new address is asked before it takes the place of the old one', async (t) => {
  const { receiver, adele, wish } = await prepare(t)
  const { id } = (await adele.post('/subscriptions', wish())).json
  const other = await startReceiver(t)
  const patch = (body: object) =>
    adele.call('PATCH', `/subscriptions/${id}`, {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  other.handshake = (_, response) => void response.writeHead(404).end()
  assert.equal((await patch({ notificationUrl: other.url })).json.error.code, 'ValidationError')
  assert.equal((await adele.get(`/subscriptions/${id}`)).json.notificationUrl, receiver.url)
  other.handshake = (token, response) => void response.writeHead(200, { 'Content-Type': 'text/plain' }).end(token)
  assert.equal((await patch({ notificationUrl: other.url })).status, 200)
  await adele.post('/me/messages', { subject: 'Quinces' })
  await other.until((all) => all.length === 1)
  assert.deepEqual(receiver.posts, [])
  assert.equal((await patch({})).status, 400)
  assert.equal((await patch({ lifecycleNotificationUrl: other.url })).status, 400)
  assert.equal((await patch({ encryptionCertificateId: 'x' })).status, 400)
})

test('where mail can leave, an endpoint is https and public, and this machine is none', async (t) => {
  const server = await startServer(t, { relay: 'smtp://127.0.0.1:9' })
  const receiver = await startReceiver(t)
  const adele = await server.user('adele@contoso.com')
  const urls = [
    receiver.url,
    receiver.url.replace('http:', 'https:'),
    'https://10.0.0.1/',
    'https://[::ffff:127.0.0.1]/',
    'http://example.com/',
  ]
  for (const notificationUrl of urls) {
    const { status, json } = await adele.post('/subscriptions', {
      changeType: 'created',
      notificationUrl,
      resource: 'me/messages',
      expirationDateTime: new Date(server.clock.now() + 60 * minuteMs).toISOString(),
    })
    assert.equal(status, 400, notificationUrl)
    assert.match(json.error.message, /^notificationUrl must be an https URL/)
  }
  assert.deepEqual(receiver.handshakes, [])
})
