/** The credentials of `@azure/identity`, unmodified but for the authority's host. */
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { openBrowser } from '../support/browser.js'
import type { TestServer } from '../support/start-server.js'
import {
  type Clients,
  enterDeviceCode,
  registerClients,
  startSignInServer,
  type TalkingProgram,
} from './sign-in-server.js'

// At once: most of the time goes by between two questions of the device code.
suite('every credential of @azure/identity gets a token that Graph takes', { concurrency: true }, () => {
  test('with our address', async (t) => {
    const { server, origin, start } = await startSignInServer(t)
    const clients = await registerClients(t, server)
    const saw = await seenBy(t, start('azure-identity.js', clients), { server, clients, host: origin })
    await t.test('an unknown tenant is no authority', () => {
      assert.match(saw.refused.unknownTenant.message, /^endpoints_resolution_error: /)
    })
  })

  test('with no address of ours, by graphpost run', async (t) => {
    const { server, startAsItIs } = await startSignInServer(t)
    const clients = await registerClients(t, server)
    const program = startAsItIs('azure-identity.js', clients)
    const saw = await seenBy(t, program, { server, clients, host: 'https://login.microsoftonline.com' })
    // The endpoints of the cloud's authority are known to the client; it asks nobody for them.
    await t.test('an unknown tenant is refused', () => {
      assert.match(saw.refused.unknownTenant.message, /^invalid_request: .*AADSTS90002: /)
    })
  })
})

interface Seeing {
  readonly server: TestServer
  readonly clients: Clients
  /** Where the program sends people with their code. */
  readonly host: string
}

async function seenBy(t: TestContext, program: TalkingProgram, { server, clients, host }: Seeing) {
  const { userCode, verificationUri, message } = await program.said('deviceCode')
  assert.ok(message.includes(`open the page ${verificationUri} and enter the code ${userCode} `))
  const { origin, pathname } = new URL(verificationUri)
  assert.equal(origin, host)
  const page = await openBrowser(t, server.graphpost)
  await enterDeviceCode(page, { userCode, verificationUri: pathname }, clients.user.name, 'Accept')
  const saw = await program.said('saw')
  await assertAll(t, clients, saw)
  return saw
}

async function assertAll(t: TestContext, { daemon, desktop, user }: Clients, saw: ReturnType<typeof JSON.parse>) {
  for (const [name, proof] of [
    ['secret', '1'],
    ['certificate', '2'],
  ]) {
    await t.test(`an application by its ${name}`, () => {
      const { who, sent, claims } = saw[name ?? '']
      assert.deepEqual({ who, sent }, { who: `200 ${user.name}`, sent: '202' })
      assert.deepEqual([claims.appid, claims.appidacr, claims.idtyp], [daemon.id, proof, 'app'])
      assert.deepEqual(claims.roles, ['Mail.Send', 'User.Read.All'])
    })
  }

  for (const name of ['password', 'deviceCode']) {
    await t.test(`a user by ${name === 'password' ? 'name and password' : 'a code typed in elsewhere'}`, () => {
      const { who, sent, claims } = saw[name]
      assert.deepEqual({ who, sent }, { who: `200 ${user.name}`, sent: '202' })
      assert.deepEqual([claims.appid, claims.idtyp, claims.upn], [desktop, 'user', user.name])
      assert.deepEqual(claims.scp.split(' ').slice(0, 2), ['User.Read', 'Mail.Send'])
    })
  }

  await t.test('a service on behalf of the user who called it, by secret and by certificate', () => {
    const { secret, certificate } = saw.onBehalfOf
    assert.deepEqual([secret.who, secret.sent], [`200 ${user.name}`, '202'])
    assert.deepEqual([secret.claims.appid, secret.claims.appidacr, secret.claims.upn], [daemon.id, '1', user.name])
    // It asked for Mail.Send alone.
    assert.deepEqual([certificate.who, certificate.sent], ['403', '202'])
    assert.deepEqual([certificate.claims.appidacr, certificate.claims.scp.split(' ')[0]], ['2', 'Mail.Send'])
  })

  const refusals: readonly [name: string, error: string, code: number][] = [
    ['wrongSecret', 'invalid_client', 7000215],
    ['unknownApplication', 'unauthorized_client', 700016],
    ['wrongPassword', 'invalid_grant', 50126],
    ['notConsented', 'invalid_grant', 65001],
    ['wrongAudience', 'invalid_grant', 500131],
  ]
  for (const [name, error, code] of refusals) {
    await t.test(`a refusal reaches the program by its number: ${name}`, () => {
      assert.equal(saw.refused[name].name, 'AuthenticationRequiredError')
      assert.match(saw.refused[name].message, new RegExp(`^${error}: .*AADSTS${code}: `))
    })
  }
}
