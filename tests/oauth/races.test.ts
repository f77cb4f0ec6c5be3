import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { developmentApplication } from '../../src/identity/development.js'
import { type Answer, startServer, type TestServer } from '../support/start-server.js'
import { askToken, authorizePath, type Browser, challenge, newBrowser, pickAccount, verifier } from './sign-in.js'

/** What can be redeemed once is redeemed once, however many ask at the same moment. */

const rounds = 100
const atOnce = 8
const redirectUri = 'http://localhost:5000/callback'
const scope = 'openid offline_access Mail.Send'

interface SignedIn {
  readonly server: TestServer
  readonly browser: Browser
  readonly ask: (fields: Record<string, string>) => Promise<Answer>
}

/** A browser in which Adele has signed in. */
async function signedIn(t: TestContext): Promise<SignedIn> {
  const server = await startServer(t)
  await server.user('adele@contoso.com')
  return {
    server,
    browser: await signInAnew(server),
    ask: (fields) => askToken(server.url, { client_id: developmentApplication, ...fields }),
  }
}

async function signInAnew(server: TestServer): Promise<Browser> {
  const browser = newBrowser(server.url)
  const page = await browser.get(authorizePath(request))
  const { location } = await pickAccount(browser, page, 'adele@contoso.com')
  assert.ok(location?.searchParams.get('code'), String(location))
  return browser
}

const request = {
  client_id: developmentApplication,
  response_type: 'code',
  redirect_uri: redirectUri,
  scope,
  code_challenge: challenge,
  code_challenge_method: 'S256',
}

async function newCode({ browser }: SignedIn): Promise<Record<string, string>> {
  const { location } = await browser.get(authorizePath(request))
  const code = location?.searchParams.get('code')
  assert.ok(code, String(location))
  return { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
}

async function newDeviceCode({ browser, ask, server }: SignedIn): Promise<Record<string, string>> {
  const path = '/organizations/oauth2/v2.0/devicecode'
  const { json } = await askToken(server.url, { client_id: developmentApplication, scope }, { path })
  const fields = { grant_type: 'device_code', device_code: json.device_code }
  assert.deepEqual((await ask(fields)).json.error_codes, [70016])
  const accounts = await browser.get(`/devicelogin?otc=${json.user_code}`)
  const consent = await pickAccount(browser, accounts, 'adele@contoso.com')
  const done = await browser.post(consent.action, { flow: consent.flow, decision: 'accept' })
  assert.match(done.text, /You have signed in/)
  return fields
}

const refreshOf = ({ json }: Answer) => ({ grant_type: 'refresh_token', refresh_token: json.refresh_token })

/** Asks many times at once. @returns the one answer that is no refusal */
async function redeemAtOnce({ ask }: SignedIn, fields: Record<string, string>, refusal: number): Promise<Answer> {
  const answers = await Promise.all(Array.from({ length: atOnce }, () => ask(fields)))
  const [winner, ...others] = answers.filter(({ status }) => status === 200)
  assert.ok(winner !== undefined && others.length === 0, `${others.length + 1} of ${atOnce} got tokens`)
  for (const { status, json } of answers.filter((answer) => answer !== winner)) {
    assert.deepEqual([status, json.error_codes], [400, [refusal]])
  }
  assert.equal(typeof winner.json.access_token, 'string')
  return winner
}

/** How long a repeated redemption counts as the same client's, ms, and a little more. */
const pastLeewayMs = 11_000

test('of eight redemptions of an authorization code at once one gets tokens, and its refresh token works', async (t) => {
  const here = await signedIn(t)
  for (let round = 0; round < rounds; round++) {
    const winner = await redeemAtOnce(here, await newCode(here), 54005)
    assert.equal((await here.ask(refreshOf(winner))).status, 200, `round ${round}`)
  }
})

test('of eight redemptions of a refresh token at once one gets tokens, and its refresh token is good for the next round', async (t) => {
  const here = await signedIn(t)
  let newest = await here.ask(await newCode(here))
  for (let round = 0; round < rounds; round++) newest = await redeemAtOnce(here, refreshOf(newest), 50173)
  assert.equal((await here.ask(refreshOf(newest))).status, 200)
})

test('of eight redemptions of a device code at once one gets tokens, and its refresh token works', async (t) => {
  const here = await signedIn(t)
  for (let round = 0; round < rounds; round++) {
    const winner = await redeemAtOnce(here, await newDeviceCode(here), 70019)
    assert.equal((await here.ask(refreshOf(winner))).status, 200, `round ${round}`)
  }
})

test('a code used again within ten seconds is refused and harms nobody; later it takes all that followed with it', async (t) => {
  const here = await signedIn(t)
  const code = await newCode(here)
  const first = await here.ask(code)
  here.server.clock.advance(9_000)
  assert.deepEqual((await here.ask(code)).json.error_codes, [54005])
  const second = await here.ask(refreshOf(first))
  assert.equal(second.status, 200)
  here.server.clock.advance(2_000)
  assert.deepEqual((await here.ask(code)).json.error_codes, [54005])
  assert.equal((await here.ask(refreshOf(second))).json.error, 'invalid_grant')
})

test('a refresh token used again later than ten seconds takes its successors with it, and no other sign-in', async (t) => {
  const here = await signedIn(t)
  const other = await here.ask(await newCode(here))
  const first = await here.ask(await newCode(here))
  const second = await here.ask(refreshOf(first))
  assert.deepEqual((await here.ask(refreshOf(first))).json.error_codes, [50173])
  const third = await here.ask(refreshOf(second))
  assert.equal(third.status, 200)
  here.server.clock.advance(pastLeewayMs)
  assert.deepEqual((await here.ask(refreshOf(first))).json.error_codes, [50173])
  assert.equal((await here.ask(refreshOf(third))).json.error, 'invalid_grant')
  assert.equal((await here.ask(refreshOf(other))).status, 200)
})

test('a new password takes what was signed in before with it, and what is being refreshed', async (t) => {
  const before = await signedIn(t)
  const { directory } = before.server.graphpost
  for (let round = 0; round < 10; round++) {
    // The browser has to sign in again, too.
    const here = { ...before, browser: await signInAnew(before.server) }
    const first = await here.ask(await newCode(here))
    const entry = { userPrincipalName: 'adele@contoso.com', password: `the new one ${round}` }
    let isChanged = false
    const refreshing = async () => {
      let newest = first
      while (!isChanged) {
        const next = await here.ask(refreshOf(newest))
        if (next.status === 200) newest = next
      }
      return newest
    }
    const changing = directory.putUser(entry).finally(() => {
      isChanged = true
    })
    const [newest] = await Promise.all([refreshing(), changing])
    assert.equal((await here.ask(refreshOf(newest))).json.error, 'invalid_grant', `round ${round}`)
  }
})

test('a refresh under way while its family is revoked leaves nothing behind that works', async (t) => {
  const here = await signedIn(t)
  for (let round = 0; round < rounds; round++) {
    const first = await here.ask(await newCode(here))
    const second = await here.ask(refreshOf(first))
    here.server.clock.advance(pastLeewayMs)
    const [third] = await Promise.all([here.ask(refreshOf(second)), here.ask(refreshOf(first))])
    if (third.status !== 200) continue
    assert.equal((await here.ask(refreshOf(third))).json.error, 'invalid_grant', `round ${round}`)
  }
})
