import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { openDirectory } from '../../src/app.js'
import { developmentApplication, developmentSecret } from '../../src/identity/development.js'
import { testLocation } from '../support/open-test-store.js'
import { type Answer, atEnd, clientOf, startServer, type TestServer, testSettings } from '../support/start-server.js'
import { askToken } from './sign-in.js'

/** Keys come and go while the server works, also by another process on the same store. */

interface Shared {
  readonly server: TestServer
  /** The same store, opened once more, as the command line does. */
  readonly beside: Awaited<ReturnType<typeof openDirectory>>
}

async function startShared(t: TestContext): Promise<Shared> {
  const location = await testLocation(t)
  if (location.kind === 'memory') throw new Error('what is kept in memory cannot be opened twice')
  const place =
    location.kind === 'postgres'
      ? { store: location.url, data: location.blobs }
      : { memory: 'off', data: location.path }
  const server = await startServer(t, place)
  await server.user('adele@contoso.com')
  const beside = await openDirectory(await testSettings(t, place))
  atEnd(t, () => beside.close())
  return { server, beside }
}

const adele = { user: 'adele@contoso.com', scopes: ['Mail.Send', 'Mail.ReadWrite'] }

function sendMail({ url }: TestServer, token: string): Promise<Answer> {
  const message = { subject: 'Keys', toRecipients: [{ emailAddress: { address: 'adele@contoso.com' } }] }
  return clientOf(url, token).post('/me/sendMail', { message })
}

function askForApplication({ url, graphpost }: TestServer): Promise<Answer> {
  const fields = {
    grant_type: 'client_credentials',
    client_id: developmentApplication,
    client_secret: developmentSecret,
    scope: 'https://graph.microsoft.com/.default',
  }
  return askToken(url, fields, { path: `/${graphpost.tenant}/oauth2/v2.0/token` })
}

const read = ({ url }: TestServer, token: string) => clientOf(url, token).get('/me/messages')

async function keysShown({ url }: TestServer): Promise<string[]> {
  const { keys } = (await (await fetch(`${url}/common/discovery/v2.0/keys`)).json()) as { keys: { kid: string }[] }
  return keys.map(({ kid }) => kid).sort()
}

async function keysKept({ server }: Shared): Promise<string[]> {
  return (await server.graphpost.directory.listKeys()).map(({ id }) => id).sort()
}

function refusal({ status, json }: Answer): unknown {
  return [status, json?.error?.code]
}

const invalidToken = [401, 'InvalidAuthenticationToken']

/** More than the reload of keys needs by far, ms. */
const patienceMs = 30_000

/** Until another process's change is noticed. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + patienceMs
  while (!(await isSo())) {
    assert.ok(Date.now() < end, 'it was not noticed')
    await sleep(100)
  }
}

test('keys rotate here and in another process while mail is sent and tokens are asked for, and nothing fails', async (t) => {
  const { server, beside } = await startShared(t)
  const { directory } = server.graphpost
  let isRotating = true
  let calls = 0
  const old = await directory.issueToken(adele)
  const work = async () => {
    while (isRotating || calls < 300) {
      for (const token of [old, await directory.issueToken(adele), await beside.issueToken(adele)]) {
        assert.equal((await sendMail(server, token)).status, 202, decodeProtectedHeader(token).kid)
      }
      const { status, json } = await askForApplication(server)
      assert.equal(status, 200)
      assert.equal((await clientOf(server.url, json.access_token).get('/users/adele@contoso.com')).status, 200)
      calls += 5
    }
  }
  const rotate = async () => {
    for (let round = 0; round < 5; round++) {
      await directory.rotateKey()
      await beside.rotateKey()
      // At once, while the server has never heard of the key.
      assert.equal((await sendMail(server, await beside.issueToken(adele))).status, 202, `round ${round}`)
    }
    isRotating = false
  }
  await Promise.all([rotate(), work(), work(), work(), work()])
  assert.ok(calls >= 300, `${calls} calls`)
  assert.equal((await directory.listKeys()).length, 11)
})

test('what a removed key signed is refused, although it was verified and remembered', async (t) => {
  const { server } = await startShared(t)
  const { directory } = server.graphpost
  const [old] = await directory.listKeys()
  const token = await directory.issueToken(adele)
  assert.equal((await read(server, token)).status, 200)
  await directory.rotateKey()
  assert.equal((await read(server, token)).status, 200)
  await directory.removeKey(old?.id ?? '')
  assert.deepEqual(refusal(await read(server, token)), invalidToken)
  assert.equal((await read(server, await directory.issueToken(adele))).status, 200)
})

test('what another process removed is noticed, and its tokens are refused', async (t) => {
  const { server, beside } = await startShared(t)
  const [old] = await beside.listKeys()
  const token = await beside.issueToken(adele)
  await beside.rotateKey()
  const kept = await beside.issueToken(adele)
  assert.equal((await read(server, token)).status, 200)
  assert.equal((await read(server, kept)).status, 200)
  await beside.removeKey(old?.id ?? '')
  // A key that is not known yet makes the server look before its time, and find the other one gone.
  await beside.rotateKey()
  assert.equal((await read(server, await beside.issueToken(adele))).status, 200)
  await eventually(async () => (await read(server, token)).status === 401)
  assert.deepEqual(refusal(await read(server, token)), invalidToken)
  assert.equal((await read(server, kept)).status, 200)
  assert.equal((await read(server, await server.graphpost.directory.issueToken(adele))).status, 200)
})

test('a token verified while its key is removed is not remembered', async (t) => {
  const { server } = await startShared(t)
  const { directory } = server.graphpost
  for (let round = 0; round < 20; round++) {
    const tokens = await Promise.all(Array.from({ length: 8 }, () => directory.issueToken(adele)))
    const [old] = await directory.listKeys()
    await directory.rotateKey()
    await Promise.all([...tokens.map((token) => read(server, token)), directory.removeKey(old?.id ?? '')])
    for (const token of tokens) assert.deepEqual(refusal(await read(server, token)), invalidToken, `round ${round}`)
  }
})

test('the key set shows the keys that are kept, whoever added or removed them, and tokens verify with it', async (t) => {
  const shared = await startShared(t)
  const { server, beside } = shared
  const { directory } = server.graphpost
  const [first] = await directory.listKeys()
  const before = await directory.issueToken(adele)
  await directory.rotateKey()
  assert.deepEqual(await keysShown(server), await keysKept(shared))
  await beside.rotateKey()
  assert.deepEqual(await keysShown(server), await keysKept(shared))
  const published = () => createRemoteJWKSet(new URL(`${server.url}/common/discovery/v2.0/keys`))
  for (const token of [before, await directory.issueToken(adele), await beside.issueToken(adele)]) {
    const { payload } = await jwtVerify(token, published(), { algorithms: ['RS256'] })
    assert.equal(payload.upn, 'adele@contoso.com')
  }
  await beside.removeKey(first?.id ?? '')
  assert.deepEqual(await keysShown(server), await keysKept(shared))
  assert.equal((await keysShown(server)).length, 2)
  await assert.rejects(jwtVerify(before, published()), /no applicable key/)
})
