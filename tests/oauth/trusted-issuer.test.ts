import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { JWTPayload } from 'jose'
import { graphApplicationId } from '../../src/identity/clouds.js'
import { movableClock } from '../support/movable-clock.js'
import { type Answer, type Client, clientOf, startServer, type TestServer } from '../support/start-server.js'
import { type OidcProvider, startProvider } from './oidc-provider.js'

interface Trusting {
  readonly server: TestServer
  readonly provider: OidcProvider
  /** Calls with a token of the provider. */
  as(claims: JWTPayload): Promise<Client>
}

/** A server with Adele and a provider whose tokens it takes; both have the server's clock. */
async function startTrusting(t: TestContext): Promise<Trusting> {
  const clock = movableClock()
  const provider = await startProvider(t, clock)
  const server = await startServer(
    t,
    { trustedIssuers: `${provider.issuer}, ${provider.v1Issuer}`, trustedAudiences: 'api://graphpost' },
    { clock },
  )
  await server.user('adele@contoso.com')
  await server.graphpost.directory.putSharedMailbox({ userPrincipalName: 'desk@contoso.com' })
  return {
    server: { ...server, clock },
    provider,
    as: async (claims) => clientOf(server.url, await provider.token(claims)),
  }
}

const adele = { upn: 'adele@contoso.com', scp: 'Mail.ReadWrite Mail.Send User.Read', appid: 'an-app' }

const refusal = ({ status, json }: Answer) => [status, json?.error?.code]
const invalidToken = [401, 'InvalidAuthenticationToken']

async function requireRefused(client: Client, what: string): Promise<void> {
  assert.deepEqual(refusal(await client.get('/me/messages')), invalidToken, what)
}

test("another issuer's tokens of both shapes open the mailbox of the same user", async (t) => {
  const { as, provider } = await startTrusting(t)
  for (const iss of [provider.issuer, provider.v1Issuer]) {
    const client = await as({ ...adele, iss })
    assert.equal((await client.get('/me')).json.userPrincipalName, 'adele@contoso.com')
    const message = { subject: 'From elsewhere', toRecipients: [{ emailAddress: { address: 'adele@contoso.com' } }] }
    assert.equal((await client.post('/me/sendMail', { message })).status, 202)
    const { json } = await client.get("/me/mailFolders('sentitems')/messages")
    assert.ok(json.value.length >= 1)
  }
})

test('the user is found by object id, or else by name or address, in any case', async (t) => {
  const { as, server } = await startTrusting(t)
  const [mailbox] = await server.graphpost.directory.listUsers()
  const { scp } = adele
  const claims: JWTPayload[] = [
    { oid: mailbox?.owner, scp },
    { oid: '99999999-9999-4999-8999-999999999999', upn: 'Adele@CONTOSO.com', scp },
    { preferred_username: 'adele@contoso.com', scp },
    { email: 'adele@contoso.com', scope: `openid ${scp}` },
    { unique_name: 'adele@contoso.com', scp: 'https://graph.microsoft.com/Mail.Read' },
    { upn: 'adele@contoso.com', scp: `${graphApplicationId}/Mail.Read` },
  ]
  for (const claim of claims) {
    assert.equal((await (await as(claim)).get('/me/messages')).status, 200, JSON.stringify(claim))
  }
})

test('an application of the other issuer has its roles, and no mailbox of its own', async (t) => {
  const { as } = await startTrusting(t)
  const client = await as({ idtyp: 'app', roles: ['Mail.Read'], azp: 'an-app' })
  assert.equal((await client.get('/users/adele@contoso.com/messages')).status, 200)
  assert.equal((await client.post('/users/adele@contoso.com/messages', {})).status, 403)
  assert.notEqual((await client.get('/me/messages')).status, 200)
})

test('a token opens no more than its permissions', async (t) => {
  const { as } = await startTrusting(t)
  const reader = await as({ ...adele, scp: 'Mail.Read' })
  assert.equal((await reader.get('/me/messages')).status, 200)
  assert.deepEqual(refusal(await reader.post('/me/messages', {})), [403, 'ErrorAccessDenied'])
  const nothing = await as({ upn: adele.upn, scp: 'openid profile' })
  assert.deepEqual(refusal(await nothing.get('/me/messages')), [403, 'ErrorAccessDenied'])
})

test('the audience must be Graph or one that the settings name', async (t) => {
  const { as } = await startTrusting(t)
  for (const aud of ['api://graphpost', graphApplicationId, 'https://graph.microsoft.com', ['x', 'api://graphpost']]) {
    assert.equal((await (await as({ ...adele, aud })).get('/me/messages')).status, 200, String(aud))
  }
  for (const aud of [
    'api://other',
    'api://graphpost/',
    '',
    [],
    undefined,
    'https://graph.microsoft.com.evil.example',
  ]) {
    await requireRefused(await as({ ...adele, aud } as JWTPayload), `aud ${aud}`)
  }
})

test('a token that is over, not valid yet, of nobody here or of an issuer that is not listed is refused', async (t) => {
  const { as, provider, server } = await startTrusting(t)
  const seconds = Math.floor(server.clock.now() / 1000)
  const wrong: Record<string, unknown>[] = [
    { exp: seconds - 301 },
    { exp: undefined },
    { exp: 'tomorrow' },
    { nbf: seconds + 400 },
    { upn: 'nobody@contoso.com' },
    { upn: undefined },
    { upn: ['adele@contoso.com'] },
    { upn: 'desk@contoso.com' },
    { iss: `${provider.issuer}/` },
    { iss: provider.v1Issuer.slice(0, -1) },
    { iss: provider.issuer.replace('127.0.0.1', 'localhost') },
    { iss: `https://sts.windows.net/${server.graphpost.tenant}/`, tid: server.graphpost.tenant },
    { iss: [provider.issuer] },
    { iss: undefined },
  ]
  for (const claims of wrong) {
    await requireRefused(await as({ ...adele, ...claims } as JWTPayload), JSON.stringify(claims))
  }
})

test('a token with no signature of the issuer is refused', async (t) => {
  const { provider, server } = await startTrusting(t)
  const stranger = await startProvider(t)
  const right = await provider.token(adele)
  const [header = '', payload = '', signature = ''] = right.split('.')
  const headed = (alg: string) =>
    `${Buffer.from(JSON.stringify({ alg, typ: 'JWT', kid: 'key-0' })).toString('base64url')}.${payload}`
  const mac = createHmac('sha256', 'key-0').update(headed('HS256')).digest('base64url')
  const forged = {
    stranger: await stranger.token({ ...adele, iss: provider.issuer }),
    cut: `${header}.${payload}.${signature.slice(0, -8)}`,
    none: `${headed('none')}.`,
    HS256: `${headed('HS256')}.${mac}`,
    PS256: `${headed('PS256')}.${signature}`,
  }
  for (const [name, token] of Object.entries(forged)) await requireRefused(clientOf(server.url, token), name)
  assert.equal((await clientOf(server.url, right).get('/me/messages')).status, 200)
})

test('a new key there is found, and strangers who name keys that never were do not make us ask each time', async (t) => {
  const { as, provider, server } = await startTrusting(t)
  assert.equal((await (await as(adele)).get('/me/messages')).status, 200)
  for (const alg of ['PS256', 'ES256', 'EdDSA']) {
    await provider.addKey(alg)
    server.clock.advance(6_000)
    assert.equal((await (await as(adele)).get('/me/messages')).status, 200, alg)
  }
  const before = provider.keyRequests
  const unknown = await provider.addKey()
  provider.removeKey(unknown)
  for (let round = 0; round < 20; round++) await requireRefused(await as({ ...adele, jti: `${round}` }), unknown)
  assert.ok(provider.keyRequests <= before + 1, `${provider.keyRequests - before} requests`)
})

test('a key taken back there is noticed within ten minutes, also for a token that was remembered', async (t) => {
  const { as, provider, server } = await startTrusting(t)
  const client = await as(adele)
  assert.equal((await client.get('/me/messages')).status, 200)
  await provider.addKey()
  provider.removeKey('key-0')
  for (let minute = 0; minute < 10; minute++) {
    server.clock.advance(60_000)
    await client.get('/me/messages')
  }
  await requireRefused(client, 'removed key')
  assert.equal((await (await as(adele)).get('/me/messages')).status, 200)
})

test('an issuer that is away makes its tokens invalid, no others, and is asked again', async (t) => {
  const { as, provider, server } = await startTrusting(t)
  const client = await as(adele)
  const own = await server.user('adele@contoso.com')
  const answers: Record<string, RequestListener> = {
    'closes the connection': (request) => void request.socket.destroy(),
    'answers 500': (_, response) => void response.writeHead(500).end(),
    'answers HTML': (_, response) => void response.end('<html>'),
    'answers null': (_, response) => void response.end('null'),
    'answers no keys': (_, response) => void response.end('{"issuer":"x"}'),
    'answers for another': (_, response) =>
      void response.end('{"issuer":"https://evil.example/","jwks_uri":"https://evil.example/keys"}'),
    'sends elsewhere': (_, response) => void response.writeHead(302, { Location: '/tenant/keys' }).end(),
    'answers too much': (_, response) => void response.end(`"${'x'.repeat(2_000_000)}"`),
  }
  for (const [what, answer] of Object.entries(answers)) {
    provider.answerWith(answer)
    await requireRefused(client, what)
    assert.equal((await own.get('/me/messages')).status, 200)
  }
  provider.answerWith(undefined)
  assert.equal((await client.get('/me/messages')).status, 200)
})

test('an issuer that does not answer is not waited for without end, and holds nobody else up', async (t) => {
  const { as, provider, server } = await startTrusting(t)
  const own = await server.user('adele@contoso.com')
  provider.answerWith(() => {})
  const client = await as(adele)
  const waiting = Promise.all([client.get('/me/messages'), client.get('/me/messages')])
  assert.equal((await own.get('/me/messages')).status, 200)
  for (const answer of await waiting) assert.deepEqual(refusal(answer), invalidToken)
})

test('keys that cannot be fetched again are not believed for longer', async (t) => {
  const { as, provider, server } = await startTrusting(t)
  assert.equal((await (await as(adele)).get('/me/messages')).status, 200)
  provider.answerWith((_, response) => void response.writeHead(503).end())
  assert.equal((await (await as({ ...adele, jti: 'soon' })).get('/me/messages')).status, 200)
  server.clock.advance(6 * 60_000)
  await requireRefused(await as({ ...adele, jti: 'late' }), 'the issuer is away')
  provider.answerWith(undefined)
  assert.equal((await (await as({ ...adele, jti: 'again' })).get('/me/messages')).status, 200)
})
