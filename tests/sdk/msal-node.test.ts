/** `@azure/msal-node`, unmodified but for the authority and its being known: services, and programs on a desktop. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrowser } from '../support/browser.js'
import { enterDeviceCode, registerClients, startSignInServer } from './sign-in-server.js'

test('every flow of @azure/msal-node gets a token that Graph takes', async (t) => {
  const { server, origin, authority, start } = await startSignInServer(t)
  const { daemon, desktop, user } = await registerClients(t, server)
  const program = start('msal-node.js', { daemon, desktop, user })
  const page = await openBrowser(t, server.graphpost)
  await enterDeviceCode(page, await program.said('deviceCode'), user.name, 'Accept')
  await enterDeviceCode(page, await program.said('declinedCode'), user.name, 'Cancel')
  const isBack = () => page.getByText('You may go back to the program.').waitFor()

  // Adele is signed in since the device's code, and is not asked again.
  await page.goto(await program.said('open'))
  await isBack()
  await page.goto(await program.said('open'))
  assert.ok(page.url().startsWith(`${origin}/`), page.url())
  await page.getByRole('button', { name: 'alex@contoso.com' }).click()
  await isBack()
  const saw = await program.said('saw')

  for (const [name, proof] of [
    ['secret', '1'],
    ['certificate', '2'],
    ['chain', '2'],
  ]) {
    await t.test(`an application by its ${name}: new, from the cache, and new again`, () => {
      const { who, sent, claims, fromCache, tokens } = saw[name ?? '']
      assert.deepEqual([who, sent], [`200 ${user.name}`, '202'])
      assert.deepEqual([claims.appid, claims.appidacr, claims.idtyp], [daemon.id, proof, 'app'])
      assert.deepEqual([fromCache, tokens], [[false, true, false], 2])
    })
  }

  const users: readonly [title: string, seen: ReturnType<typeof JSON.parse>, application: string, name?: string][] = [
    ['by name and password', saw.password, desktop],
    ['by a code typed in elsewhere', saw.deviceCode, desktop],
    ['in a browser that knows them', saw.interactive, desktop],
    ['in a browser, picked from a list', saw.hinted, desktop, 'alex@contoso.com'],
    ['without asking, with more permissions than at first', saw.silently.wider, desktop],
    ['after two renewals at once', saw.twoResources.after, desktop],
    ['by a service they called, which has a secret', saw.onBehalfOfBySecret, daemon.id],
    ['by a service they called, which has a certificate', saw.onBehalfOfByCertificate, daemon.id],
  ]
  for (const [title, seen, application, name = user.name] of users) {
    await t.test(`a user ${title}`, () => {
      assert.deepEqual([seen.who, seen.sent], [`200 ${name}`, '202'])
      assert.deepEqual([seen.claims.appid, seen.claims.idtyp, seen.claims.upn], [application, 'user', name])
      assert.deepEqual(seen.scopes, ['User.Read', 'Mail.Send', 'openid', 'profile'])
      assert.equal(seen.account, name)
      const { aud, iss, oid, tid, preferred_username } = seen.idToken
      assert.deepEqual([aud, iss, preferred_username], [application, `${authority}/v2.0`, name])
      assert.deepEqual([oid, tid], [seen.claims.oid, seen.claims.tid])
    })
  }

  await t.test('a user stays signed in: from the cache, and renewed as often as asked', () => {
    const { fromCache, tokens } = saw.silently
    assert.deepEqual([fromCache, tokens], [[false, true, false, false], 3])
  })

  await t.test('of two renewals at once one may be refused, as decision 13 says; the user stays signed in', () => {
    const { aud, refused } = saw.twoResources
    assert.equal(aud, `api://${daemon.id}`)
    // Not an error that sends the user to sign in again: MSAL would also forget what the other renewal brought.
    assert.ok(refused.length <= 1)
    for (const { name, errorNo, subError } of refused) {
      assert.deepEqual([name, errorNo, subError], ['ServerError', 50173, ''])
    }
  })

  const refusals: readonly [name: string, error: string, errorCode: string, number: number][] = [
    ['wrongSecret', 'ServerError', 'invalid_client', 7000215],
    ['unknownCertificate', 'ServerError', 'invalid_client', 700027],
    ['notDefault', 'ServerError', 'invalid_scope', 1002012],
    ['unknownApplication', 'ServerError', 'unauthorized_client', 700016],
    ['unknownResource', 'ServerError', 'invalid_resource', 500011],
    ['wrongPassword', 'ServerError', 'invalid_grant', 50126],
    ['wrongAssertion', 'ServerError', 'invalid_grant', 50013],
    ['notConsented', 'InteractionRequiredAuthError', 'invalid_grant', 65001],
  ]
  for (const [name, error, errorCode, number] of refusals) {
    await t.test(`a refusal reaches the program by its number: ${name}`, () => {
      const refused = saw.refused[name]
      assert.deepEqual([refused.name, refused.errorCode, refused.errorNo], [error, errorCode, number])
      assert.match(refused.errorMessage, new RegExp(`AADSTS${number}: `))
    })
  }

  await t.test('an unknown tenant, and a code that was declined', () => {
    const { unknownTenant, declined } = saw.refused
    assert.equal(unknownTenant.errorCode, 'endpoints_resolution_error')
    assert.deepEqual([declined.errorCode, declined.errorMessage], ['post_request_failed', 'authorization_declined'])
  })
})
