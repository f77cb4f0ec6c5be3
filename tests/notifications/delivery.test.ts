import assert from 'node:assert/strict'
import { constants, createDecipheriv, createHmac, privateDecrypt, X509Certificate } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { clientCertificate } from '../support/client-certificate.js'
import { type Receiver, startReceiver, take } from '../support/receiver.js'
import { type Client, startServer, type TestServer } from '../support/start-server.js'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

interface Place {
  readonly server: TestServer
  readonly receiver: Receiver
  readonly adele: Client
  /** Answers the id of the subscription. */
  subscribe(changes?: Record<string, unknown>, headers?: Record<string, string>): Promise<string>
  draft(subject: string): Promise<string>
}

async function prepare(t: TestContext): Promise<Place> {
  const server = await startServer(t)
  const receiver = await startReceiver(t)
  const adele = await server.user('adele@contoso.com')
  return {
    server,
    receiver,
    adele,
    subscribe: async (changes = {}, headers = {}) => {
      const body = {
        changeType: 'created',
        notificationUrl: receiver.url,
        resource: 'me/messages',
        expirationDateTime: new Date(server.clock.now() + 20 * hourMs).toISOString(),
        ...changes,
      }
      const { status, json, text } = await adele.post('/subscriptions', body, headers)
      assert.equal(status, 201, text)
      return json.id
    },
    draft: async (subject) => {
      const { status, json, text } = await adele.post('/me/messages', { subject })
      assert.equal(status, 201, text)
      return json.id
    },
  }
}

function idsOf(receiver: Receiver): string[] {
  return receiver.notifications().map((each) => each.resourceData.id)
}

/** Until the endpoint was called so often. */
async function called(receiver: Receiver, times: number): Promise<void> {
  for (let turn = 0; turn < 1_500 && receiver.posts.length < times; turn++) await sleep(20)
  assert.ok(receiver.posts.length >= times, `${receiver.posts.length} calls`)
}

const failures: readonly { name: string; answer: Receiver['answer'] }[] = [
  { name: 'answers 500', answer: (_, response) => void response.writeHead(500).end() },
  { name: 'answers 404', answer: (_, response) => void response.writeHead(404).end() },
  {
    name: 'redirects',
    answer: (_, response) => void response.writeHead(307, { Location: '/elsewhere' }).end(),
  },
  { name: 'closes the connection', answer: (_, response) => void response.destroy() },
  { name: 'says nothing', answer: () => {} },
  {
    name: 'answers without an end',
    answer: (_, response) => {
      response.writeHead(202)
      const pour = () => {
        if (!response.destroyed) response.write('x'.repeat(65_536), pour)
      }
      pour()
    },
  },
]

for (const { name, answer } of failures) {
  test(`an endpoint that ${name} is told again, in the order of the changes, and not before its time`, async (t) => {
    const { server, receiver, subscribe, draft } = await prepare(t)
    await subscribe()
    receiver.answer = answer
    const first = await draft('one')
    await called(receiver, 1)
    const second = await draft('two')
    receiver.answer = take
    // The endpoint is left alone meanwhile: many looks into the queue pass.
    server.clock.advance(1)
    await sleep(1_500)
    const before = receiver.posts.filter(({ path }) => path !== '/elsewhere').length
    server.clock.advance(30_000)
    await receiver.until((all) => all.length >= before + 2)
    assert.deepEqual(idsOf(receiver).slice(-2), [first, second])
    assert.deepEqual(
      receiver.posts.filter(({ path }) => path === '/elsewhere'),
      [],
    )
    if (name !== 'says nothing') assert.equal(before, 1)
  })
}

test('what comes while an endpoint is busy goes together in the next call', async (t) => {
  const { receiver, subscribe, draft } = await prepare(t)
  await subscribe()
  const held: (() => void)[] = []
  receiver.answer = (_, response) => void held.push(() => response.writeHead(202).end())
  const ids = [await draft('one')]
  await called(receiver, 1)
  for (const subject of ['two', 'three', 'four']) ids.push(await draft(subject))
  receiver.answer = take
  await sleep(300)
  held[0]?.()
  await receiver.until((all) => all.length >= 4)
  assert.deepEqual(idsOf(receiver), ids)
  assert.ok(receiver.posts.length < 4, 'notifications that waited came one by one')
})

test('after four hours a notification is given up, and the owner hears that some were missed', async (t) => {
  const { server, receiver, subscribe, draft } = await prepare(t)
  const lifecycle = await startReceiver(t)
  const id = await subscribe({ lifecycleNotificationUrl: lifecycle.url, clientState: 'x' })
  assert.equal(lifecycle.handshakes.length, 1)
  receiver.answer = (_, response) => void response.writeHead(503).end()
  await draft('one')
  await called(receiver, 1)
  server.clock.advance(4 * hourMs)
  await lifecycle.until((all) => all.length === 1)
  // The last attempt may have been the first, when the clock was moved under it.
  const tries = receiver.posts.length
  const [missed] = lifecycle.notifications()
  assert.deepEqual(missed, {
    subscriptionId: id,
    subscriptionExpirationDateTime: missed.subscriptionExpirationDateTime,
    tenantId: server.graphpost.tenant,
    clientState: 'x',
    lifecycleEvent: 'missed',
  })
  receiver.answer = take
  server.clock.advance(hourMs)
  const later = await draft('two')
  await receiver.until(() => idsOf(receiver).at(-1) === later)
  assert.equal(receiver.posts.length, tries + 1, 'what was given up was told')
})

test('deleting a subscription ends what waits for it', async (t) => {
  const { server, receiver, adele, subscribe, draft } = await prepare(t)
  const id = await subscribe()
  const other = await startReceiver(t)
  await subscribe({ notificationUrl: other.url })
  receiver.answer = (_, response) => void response.writeHead(503).end()
  await draft('one')
  await called(receiver, 1)
  assert.equal((await adele.call('DELETE', `/subscriptions/${id}`)).status, 204)
  server.clock.advance(hourMs)
  // The other one is told of what came later, after many looks.
  await draft('two')
  await other.until((all) => all.length === 2)
  assert.equal(receiver.posts.length, 1)
})

test('a subscription whose time is over tells nothing more', async (t) => {
  const { server, receiver, adele, subscribe, draft } = await prepare(t)
  const id = await subscribe({ expirationDateTime: new Date(server.clock.now() + hourMs).toISOString() })
  const other = await startReceiver(t)
  await subscribe({ notificationUrl: other.url })
  server.clock.advance(hourMs + minuteMs)
  await draft('one')
  await other.until((all) => all.length === 1)
  assert.equal((await adele.get(`/subscriptions/${id}`)).status, 404)
  assert.deepEqual(receiver.posts, [])
})

test('before its token ends the owner is asked once to authorize the subscription anew', async (t) => {
  const { server, adele, subscribe } = await prepare(t)
  const lifecycle = await startReceiver(t)
  const id = await subscribe({ lifecycleNotificationUrl: lifecycle.url })
  server.clock.advance(11 * hourMs + 50 * minuteMs)
  await lifecycle.until((all) => all.length === 1)
  assert.equal(lifecycle.notifications()[0].lifecycleEvent, 'reauthorizationRequired')
  assert.equal((await adele.post(`/subscriptions/${id}/reauthorize`, '')).status, 204)
  const renewed = await adele.get(`/subscriptions/${id}`)
  assert.equal(renewed.status, 200)
  // The same token, which ends as soon: it is asked again, and then not every minute.
  server.clock.advance(2 * minuteMs)
  await lifecycle.until((all) => all.length === 2)
  server.clock.advance(2 * minuteMs)
  await sleep(1_500)
  assert.equal(lifecycle.notifications().length, 2)
})

test('who loses the right to a mailbox hears no more of it, and hears that', async (t) => {
  const { server, receiver, draft } = await prepare(t)
  const lifecycle = await startReceiver(t)
  await server.user('delegate@contoso.com')
  const delegate = await server.user('delegate@contoso.com', ['Mail.Read.Shared'])
  const grant = (isGranted: boolean) =>
    server.graphpost.directory.changeRights('adele@contoso.com', 'delegate@contoso.com', ['fullAccess'], isGranted)
  await grant(true)
  const made = await delegate.post('/subscriptions', {
    changeType: 'created',
    notificationUrl: receiver.url,
    lifecycleNotificationUrl: lifecycle.url,
    resource: 'users/adele@contoso.com/messages',
    expirationDateTime: new Date(server.clock.now() + hourMs).toISOString(),
  })
  assert.equal(made.status, 201, made.text)
  const first = await draft('one')
  await receiver.until((all) => all.length === 1)
  await grant(false)
  await draft('two')
  await lifecycle.until((all) => all.length === 1)
  assert.equal(lifecycle.notifications()[0].lifecycleEvent, 'subscriptionRemoved')
  assert.equal((await delegate.get(`/subscriptions/${made.json.id}`)).status, 404)
  await sleep(1_500)
  assert.equal(lifecycle.notifications().length, 1)
  assert.deepEqual(idsOf(receiver), [first])
})

test('resource data is encrypted for the certificate and vouched for by a token of ours', async (t) => {
  const { server, receiver, adele, subscribe } = await prepare(t)
  const { certPem, keyPem } = await clientCertificate('receiver')
  const certificate = new X509Certificate(certPem)
  await subscribe({
    includeResourceData: true,
    resource: 'me/messages?$select=subject,receivedDateTime,toRecipients',
    encryptionCertificate: certificate.raw.toString('base64'),
    encryptionCertificateId: 'mine',
    expirationDateTime: new Date(server.clock.now() + hourMs).toISOString(),
  })
  const toRecipients = [{ emailAddress: { name: 'Alex', address: 'alex@contoso.com' } }]
  const draft = (await adele.post('/me/messages', { subject: 'Grüße', toRecipients })).json
  await receiver.until((all) => all.length === 1)
  const [{ encryptedContent, resourceData }] = receiver.notifications()
  assert.equal(resourceData.id, draft.id)
  assert.equal(encryptedContent.encryptionCertificateId, 'mine')
  assert.equal(encryptedContent.encryptionCertificateThumbprint, certificate.fingerprint.replaceAll(':', ''))

  const key = privateDecrypt(
    { key: keyPem, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
    Buffer.from(encryptedContent.dataKey, 'base64'),
  )
  assert.equal(key.length, 32)
  const data = Buffer.from(encryptedContent.data, 'base64')
  assert.equal(createHmac('sha256', key).update(data).digest('base64'), encryptedContent.dataSignature)
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16))
  const content = JSON.parse(Buffer.concat([decipher.update(data), decipher.final()]).toString('utf8'))
  assert.equal(content.subject, 'Grüße')
  assert.equal(content.id, draft.id)
  assert.equal(content['@odata.etag'], draft['@odata.etag'])
  assert.equal(content.receivedDateTime, draft.receivedDateTime)
  assert.equal(content['receivedDateTime@odata.type'], '#DateTimeOffset')
  assert.deepEqual(content.toRecipients, toRecipients)
  assert.equal(content.body, undefined)
  assert.equal(content.bodyPreview, undefined)

  const { validationTokens } = receiver.posts[0]?.json ?? {}
  assert.equal(validationTokens.length, 1)
  const { tenant } = server.graphpost
  const keys = createRemoteJWKSet(new URL(`${server.url}/${tenant}/discovery/v2.0/keys`))
  const mine = (await adele.get('/subscriptions')).json.value[0].applicationId
  const { payload } = await jwtVerify(validationTokens[0], keys, {
    audience: mine,
    issuer: `https://sts.windows.net/${tenant}/`,
  })
  assert.equal(payload.appid, '0bf30f3b-4a52-48df-9a82-234910c4a086')
  assert.equal(payload.tid, tenant)
  // It opens nothing: it is for the application, not for Graph.
  const used = await fetch(`${server.url}/v1.0/me/messages`, {
    headers: { Authorization: `Bearer ${validationTokens[0]}` },
  })
  assert.equal(used.status, 401)
})

test('notifications name messages as the subscription was made to: by immutable ids', async (t) => {
  const { receiver, adele, subscribe, draft } = await prepare(t)
  await subscribe({ changeType: 'created,deleted' }, { Prefer: 'IdType="ImmutableId"' })
  const id = await draft('one')
  const immutable = (await adele.get(`/me/messages/${id}`, { Prefer: 'IdType="ImmutableId"' })).json.id
  await adele.post(`/me/messages/${id}/move`, { destinationId: 'archive' })
  await receiver.until((all) => all.length === 3)
  assert.deepEqual(
    receiver.notifications().map((each) => [each.changeType, each.resourceData.id]),
    [
      ['created', immutable],
      ['deleted', immutable],
      ['created', immutable],
    ],
  )
})

test('a folder tells of what comes into it and leaves it; other mailboxes tell nothing', async (t) => {
  const { server, receiver, adele, subscribe, draft } = await prepare(t)
  const inbox = await startReceiver(t)
  await subscribe({ changeType: 'deleted', resource: "me/mailFolders('drafts')/messages" })
  await subscribe({ changeType: 'created', resource: '/me/mailFolders/inbox/messages', notificationUrl: inbox.url })
  const alex = await server.user('alex@contoso.com')
  await alex.post('/me/messages', { subject: 'not hers' })
  const id = await draft('one')
  await adele.call('PATCH', `/me/messages/${id}`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ toRecipients: [{ emailAddress: { address: 'adele@contoso.com' } }] }),
  })
  assert.equal((await adele.post(`/me/messages/${id}/send`, '')).status, 202)
  await inbox.until((all) => all.length === 1)
  await receiver.until((all) => all.length === 1)
  assert.deepEqual(idsOf(receiver), [id])
  const [arrived] = (await adele.get('/me/mailFolders/inbox/messages')).json.value
  assert.deepEqual(idsOf(inbox), [arrived.id])
})

test('through a filter a message is new when it begins to match, and gone when it no longer does', async (t) => {
  const { receiver, adele, subscribe } = await prepare(t)
  await subscribe({
    changeType: 'created,updated,deleted',
    resource: "me/mailFolders('drafts')/messages?$filter=importance eq 'high'",
  })
  const draft = async (importance: string) => (await adele.post('/me/messages', { importance })).json.id as string
  const patch = (id: string, body: object) =>
    adele.call('PATCH', `/me/messages/${id}`, {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  // Once each: on a machine that is very busy the answer to one may be late, and it is told again.
  const told = () =>
    receiver
      .notifications()
      .map((each) => [each.changeType, each.resourceData.id])
      .filter(([type, id], index, all) => type !== all[index - 1]?.[0] || id !== all[index - 1]?.[1])
  const low = await draft('low')
  const high = await draft('high')
  await receiver.until(() => told().length === 1)
  await patch(low, { subject: 'not seen' })
  await patch(low, { importance: 'high' })
  await receiver.until(() => told().length === 2)
  await patch(low, { subject: 'seen' })
  await receiver.until(() => told().length === 3)
  await patch(low, { importance: 'low' })
  await receiver.until(() => told().length === 4)
  await adele.call('DELETE', `/me/messages/${low}`)
  await adele.post(`/me/messages/${high}/move`, { destinationId: 'archive' })
  await receiver.until(() => told().length === 5)
  assert.deepEqual(told(), [
    ['created', high],
    ['created', low],
    ['updated', low],
    ['deleted', low],
    ['deleted', high],
  ])
})
