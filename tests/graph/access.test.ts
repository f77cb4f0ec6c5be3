/** Tokens and mailboxes where one operation stands for all; `refusals.test.ts` walks through every one. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { decodeJwt } from 'jose'
import { clouds } from '../../src/identity/clouds.js'
import { startServerWithKnownKey } from '../support/known-key.js'
import { exchange } from '../support/raw-socket.js'
import { type Answer, clientOf, startServer, type TestServer } from '../support/start-server.js'
import { forgeOf, signed } from './bad-tokens.js'

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

/** The whole answer to a call under this Host header, which `fetch` would not send. */
function answerUnder(t: TestContext, { url }: TestServer, host: string, token: string): Promise<string> {
  const head = [`Host: ${host}`, `Authorization: Bearer ${token}`, 'Connection: close']
  return exchange(t, url, `GET /v1.0/me/messages HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`)
}

test('a Host header that is none stands in no answer', async (t) => {
  const server = await startServer(t)
  const { port } = new URL(server.url)
  for (const host of ['a"b\\c', 'a b', "a'b", 'a,b', 'evil.org/', '<b>', 'a\u00ffb', 'x'.repeat(300)]) {
    const answer = await answerUnder(t, server, host, 'a.b.c')
    assert.match(answer, /^HTTP\/1\.1 401 /, answer)
    assert.match(answer, new RegExp(`authorization_uri="http://localhost:${port}/common/oauth2/authorize"`))
    assert.ok(!answer.includes(host), answer)
  }
})

test('a token for the Graph of one cloud opens nothing in that of another', async (t) => {
  const { server, key } = await startServerWithKnownKey(t)
  const claims = decodeJwt((await server.user(adele)).token)
  const forge = await forgeOf(key, server.clock.now())
  for (const called of clouds) {
    const authorization = `authorization_uri="https://${called.signInHosts[0]}/common/oauth2/authorize"`
    for (const meant of clouds) {
      const token = await signed(forge, { ...claims, aud: `https://${meant.graphHost}` })
      const answer = await answerUnder(t, server, called.graphHost, token)
      if (meant === called) {
        assert.match(answer, /^HTTP\/1\.1 200 /, answer)
        continue
      }
      assert.match(answer, /^HTTP\/1\.1 401 /, answer)
      assert.match(answer, /"message":"Access token validation failure\. Invalid audience\."/)
      assert.ok(answer.includes(authorization), answer)
    }
    // The application id of Graph is the same in all of them, and so in its tokens.
    assert.match(await answerUnder(t, server, called.graphHost, await signed(forge, claims)), /^HTTP\/1\.1 200 /)
  }
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
