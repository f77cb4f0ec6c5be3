/** Tokens and mailboxes where one operation stands for all; `refusals.test.ts` walks through every one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, clientOf, startServer } from '../support/start-server.js'

const adele = 'adele@contoso.com'
const developer = '22222222-bbbb-4ccc-8ddd-333333333333'

/** Every permission of mail there is, delegated or application. */
const everyPermission = ['Mail.ReadBasic', 'Mail.ReadBasic.All', 'Mail.Read', 'Mail.ReadWrite', 'Mail.Send']

const mail = { message: { subject: 'Lunch?', toRecipients: [{ emailAddress: { address: adele } }] } }

function requireUnauthenticated(answer: Answer, message: string, url: string): void {
  assert.equal(answer.status, 401, answer.text)
  assert.equal(
    answer.headers.get('www-authenticate'),
    `Bearer realm="", authorization_uri="${url}/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`,
  )
  assert.deepEqual([answer.json.error.code, answer.json.error.message], ['InvalidAuthenticationToken', message])
}

test('a path that leads nowhere is not shown to be one without a valid token', async (t) => {
  const { url, nobody } = await startServer(t)
  for (const path of ['/nowhere', '/v2.0/me/messages', '/me/messages?$top=x', '/users/nobody@contoso.com']) {
    requireUnauthenticated(await nobody.get(path), 'Access token is empty.', url)
    requireUnauthenticated(await clientOf(url, 'a.b.c').get(path), 'Access token validation failure.', url)
  }
})

test('a token that was verified before is good until it expires, and no longer', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  for (const _ of ['verified', 'remembered']) assert.equal((await client.get('/me/messages')).status, 200)
  // Twelve hours is what the token lives; five minutes more is what clocks may differ by.
  server.clock.advance((12 * 60 + 6) * 60_000)
  requireUnauthenticated(
    await client.get('/me/messages'),
    'Lifetime validation failed, the token is expired.',
    server.url,
  )
})

test('a token from the future is not valid yet', async (t) => {
  const server = await startServer(t)
  server.clock.advance(3_600_000)
  const client = await server.user(adele)
  server.clock.advance(-3_600_000)
  const answer = await client.get('/me/messages')
  requireUnauthenticated(answer, 'Lifetime validation failed, the token is expired.', server.url)
})

test('the scheme is Bearer in any case, and no other', async (t) => {
  const server = await startServer(t)
  const { token } = await server.user(adele)
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    const answer = await server.nobody.get('/me/messages', { Authorization: `${scheme} ${token}` })
    assert.equal(answer.status, 200)
  }
  for (const authorization of ['Bearer', 'Bearer ', token, `Basic ${token}`, `Bearer${token}`, `Token ${token}`]) {
    const answer = await server.nobody.get('/me/messages', { Authorization: authorization })
    requireUnauthenticated(answer, 'Access token is empty.', server.url)
  }
})

test('a Host header that is none stands in no answer', async (t) => {
  const server = await startServer(t)
  const { status, headers } = await server.nobody.get('/me/messages', { Host: 'a"b\\c' })
  assert.equal(status, 401)
  assert.doesNotMatch(headers.get('www-authenticate') ?? '', /a"b/)
})

test('an id of another mailbox leads nowhere, for a user and for an application', async (t) => {
  const server = await startServer(t)
  const ada = await server.user(adele)
  const alex = await server.user('alex@contoso.com', everyPermission)
  await ada.post('/me/sendMail', mail)
  const { json } = await ada.get('/me/mailFolders/sentitems/messages')
  const id = json.value[0].id
  assert.equal((await ada.get(`/me/messages/${id}`)).status, 200)
  const daemon = await server.application(everyPermission)
  for (const [client, mailbox] of [
    [alex, 'me'],
    [daemon, 'users/alex@contoso.com'],
  ] as const) {
    for (const below of ['', '/$value', '/attachments', '/attachments/AAAA']) {
      const answer = await client.get(`/${mailbox}/messages/${id}${below}`)
      assert.ok(answer.status === 404 || answer.status === 400, `${below}: ${answer.text}`)
      assert.doesNotMatch(answer.text, /Lunch/)
    }
  }
})

test('a call refused for its token or its permission is remembered with why, and without the token', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele, ['Mail.Send'])
  await server.nobody.get('/me/messages')
  await client.get('/me/messages')
  const [denied, refused] = await server.graphpost.directory.listCalls(2)
  assert.equal(refused?.status, 401)
  assert.equal(denied?.status, 403)
  assert.match(denied?.reason ?? '', /delegated permission Mail\.ReadBasic/)
  assert.doesNotMatch(JSON.stringify([denied, refused]), new RegExp(client.token.slice(-40)))
  const admin = await server.application([developer])
  assert.equal((await admin.get('/admin/calls')).status, 403)
  assert.equal((await server.nobody.get('/admin/calls')).status, 401)
})
