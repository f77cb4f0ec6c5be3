/** A web application with `@azure/msal-node`, and the people who sign in to it in a real browser. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import type { SettingKey } from '../../src/config.js'
import { developmentApplication, developmentPassword } from '../../src/identity/development.js'
import { openBrowser } from '../support/browser.js'
import { registerClients, type SignInServer, startSignInServer } from './sign-in-server.js'

/** A visitor's browser, and the application that sends it to us. */
interface Visit extends SignInServer {
  readonly page: Page
  /** Goes to the application's sign-in, with what it is to ask for. */
  signIn(asked?: Record<string, string>): Promise<void>
  /** What the application made of the answer, once the browser is back there. */
  saw(): Promise<ReturnType<typeof JSON.parse>>
  /** Goes to another address of the application. */
  visit(path: string): Promise<void>
}

async function startVisit(
  t: TestContext,
  { given = {}, by }: { given?: Partial<Record<SettingKey, string>>; by: 'secret' | 'certificate' },
): Promise<Visit> {
  const started = await startSignInServer(t, given)
  const { graphpost } = started.server
  const { daemon, user } = await registerClients(t, started.server)
  await graphpost.directory.putApplication({
    clientId: daemon.id,
    displayName: 'Shop',
    redirectUris: ['http://localhost/redirect', 'http://localhost/'],
    // Who shows a certificate has nobody's consent yet.
    ...(by === 'certificate' ? { secrets: [], delegatedPermissions: [] } : { certificates: [] }),
  })
  const { keyPem: privateKey, thumbprintSha256 } = daemon.certificate
  const credential =
    by === 'secret' ? { clientSecret: daemon.secret } : { clientCertificate: { privateKey, thumbprintSha256 } }
  const site = await started.start('msal-web.js', { auth: { clientId: daemon.id, ...credential } }).said('listening')
  const page = await openBrowser(t, graphpost)
  assert.equal(user.name, adele)
  const visit = async (path: string) => {
    await page.goto(site + path)
  }
  return {
    ...started,
    page,
    visit,
    signIn: (asked = {}) => visit(`/sign-in?${new URLSearchParams(asked)}`),
    saw: async () => {
      const text = await page.locator('#saw').textContent()
      assert.equal(new URL(page.url()).origin, site)
      return JSON.parse(text ?? '')
    },
  }
}

const adele = 'adele@contoso.com'
const alex = 'alex@contoso.com'
const passwords = { [adele]: 'correct horse battery', [alex]: 'staple' }

/** What an application gets for someone who may read their name and send. */
function assertSignedIn(saw: ReturnType<typeof JSON.parse>, name: string): void {
  assert.deepEqual([saw.who, saw.sent, saw.account], [`200 ${name}`, '202', name])
  assert.deepEqual([saw.claims.upn, saw.idToken.preferred_username], [name, name])
}

test('people pick their account where no mail can leave, and stay signed in until they sign out', async (t) => {
  const { page, signIn, saw, visit, origin, authority } = await startVisit(t, { by: 'secret' })
  const accounts = () => page.getByRole('button').locator('span').allTextContents()

  await t.test('the page lists everybody; the code is good for a token, with the verifier and once', async () => {
    await signIn()
    assert.equal(await page.getByRole('heading').textContent(), 'Pick an account')
    assert.ok((await accounts()).includes(adele) && (await accounts()).includes(alex))
    assert.equal(await page.locator('input[type=password]').count(), 0)
    await page.getByRole('button', { name: adele }).click()
    const seen = await saw()
    assertSignedIn(seen, adele)
    assert.deepEqual([seen.by, seen.isKnown, seen.fromCache], ['GET', true, false])
    assert.deepEqual([seen.idToken.nonce, seen.idToken.iss], [seen.nonce, `${authority}/v2.0`])
    const { withoutVerifier, wrongVerifier, again } = seen.refused
    assert.deepEqual([withoutVerifier.errorCode, withoutVerifier.errorNo], ['invalid_grant', 501471])
    assert.deepEqual([wrongVerifier.errorCode, wrongVerifier.errorNo], ['invalid_grant', 501481])
    assert.deepEqual([again.errorCode, again.errorNo], ['invalid_grant', 54005])
  })

  await t.test('the application renews the token without them', async () => {
    await visit('/renew')
    const seen = await saw()
    assert.deepEqual([seen.who, seen.fromCache], [`200 ${adele}`, false])
  })

  for (const [mode, by] of [
    ['query', 'GET'],
    ['form_post', 'POST'],
    ['fragment', 'POST'],
  ]) {
    await t.test(`who is signed in is not asked; the answer comes by ${mode}`, async () => {
      await signIn({ response_mode: mode ?? '' })
      const seen = await saw()
      assertSignedIn(seen, adele)
      assert.deepEqual([seen.by, seen.isKnown], [by, true])
    })
  }

  await t.test('someone else may be picked', async () => {
    await signIn({ prompt: 'select_account' })
    assert.ok((await accounts()).includes(adele) && (await accounts()).includes(alex))
    await signIn({ login_hint: alex })
    assert.deepEqual(await accounts(), [alex])
    await page.getByRole('button', { name: alex }).click()
    assertSignedIn(await saw(), alex)
    await signIn({ prompt: 'none' })
    assertSignedIn(await saw(), alex)
  })

  await t.test('an answer goes to no address that is not registered', async () => {
    await signIn({ redirect_uri: 'http://localhost:1/elsewhere' })
    assert.equal(new URL(page.url()).origin, origin)
    assert.match((await page.getByRole('main').textContent()) ?? '', /AADSTS50011: .*http:\/\/localhost:1\/elsewhere/)
  })

  await t.test('after signing out, back at the application, nobody is signed in', async () => {
    await visit('/sign-out')
    assert.deepEqual(await saw(), { home: 'signed-out' })
    for (const response_mode of ['query', 'form_post', 'fragment']) {
      await signIn({ prompt: 'none', response_mode })
      const { isKnown, error, description } = await saw()
      assert.deepEqual([isKnown, error], [true, 'login_required'])
      assert.match(description, /^AADSTS50058: /)
    }
    await signIn()
    assert.equal(await page.getByRole('heading').textContent(), 'Pick an account')
  })
})

test('people sign in with their password, and are asked what the application may do', async (t) => {
  const visited = await startVisit(t, { given: { development: 'off' }, by: 'certificate' })
  const { page, signIn, saw, visit, server, origin } = visited
  const { directory } = server.graphpost
  await directory.putUser({ userPrincipalName: alex, password: passwords[alex] })
  const enter = async (name: string, password: string) => {
    await page.getByLabel('User name').fill(name)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  const listed = async () => {
    await page.getByRole('heading', { name: 'Permissions requested' }).waitFor()
    return page.getByRole('listitem').allTextContents()
  }
  const decide = (decision: 'Accept' | 'Cancel') => page.getByRole('button', { name: decision }).click()

  await t.test('nobody is listed; a wrong password, and the one everybody knows, do not get in', async () => {
    await signIn({ login_hint: adele })
    assert.equal(await page.getByRole('heading').textContent(), 'Sign in')
    assert.equal(await page.getByLabel('User name').inputValue(), adele)
    assert.ok(!((await page.getByRole('main').textContent()) ?? '').includes(alex))
    for (const [name, password] of [
      [adele, 'wrong'],
      [adele, developmentPassword],
      ['megan@contoso.com', developmentPassword],
      ['nobody@contoso.com', 'any'],
    ] as const) {
      await enter(name, password)
      // The page before had another name in it, or no alert.
      await page.locator(`[role=alert] + form input[name=username][value="${name}"]`).waitFor()
      assert.match((await page.getByRole('alert').textContent()) ?? '', /invalid username or password/)
      assert.equal(await page.getByLabel('Password').inputValue(), '')
    }
  })

  await t.test('who declines sends the application away with access_denied', async () => {
    await enter(adele, passwords[adele])
    assert.deepEqual((await listed()).slice(0, 2), ['User.Read', 'Mail.Send'])
    assert.match((await page.getByRole('main').textContent()) ?? '', new RegExp(`Shop asks ${adele} for`))
    await decide('Cancel')
    const { isKnown, error, description } = await saw()
    assert.deepEqual([isKnown, error], [true, 'access_denied'])
    assert.match(description, /^AADSTS65004: /)
  })

  await t.test('without consent nothing goes on silently', async () => {
    await signIn({ prompt: 'none' })
    const { error, description } = await saw()
    assert.equal(error, 'interaction_required')
    assert.match(description, /^AADSTS65001: /)
  })

  await t.test('who accepts is asked no more, until the application wants more', async () => {
    await signIn()
    assert.deepEqual((await listed()).slice(0, 2), ['User.Read', 'Mail.Send'])
    await decide('Accept')
    const seen = await saw()
    assertSignedIn(seen, adele)
    assert.equal(seen.claims.appidacr, '2')
    assert.ok(seen.claims.scp.split(' ').includes('Mail.Send'), seen.claims.scp)

    await signIn()
    assertSignedIn(await saw(), adele)

    await signIn({ scopes: 'User.Read Mail.Send Mail.Read' })
    assert.ok((await listed()).includes('Mail.Read'))
    await decide('Accept')
    assert.ok((await saw()).claims.scp.split(' ').includes('Mail.Read'))
  })

  await t.test('an application may ask for the password, or the question, once more', async () => {
    await signIn({ prompt: 'login' })
    await enter(adele, passwords[adele])
    assertSignedIn(await saw(), adele)
    await signIn({ prompt: 'consent' })
    assert.ok((await listed()).includes('Mail.Send'))
    await decide('Accept')
    assertSignedIn(await saw(), adele)
    await visit('/sign-out')
    await signIn({ prompt: 'consent' })
    await enter(adele, passwords[adele])
    assert.ok((await listed()).includes('Mail.Send'))
    await decide('Accept')
    assertSignedIn(await saw(), adele)
  })

  await t.test("one's consent is nobody else's", async () => {
    await signIn({ prompt: 'login' })
    await enter(alex, passwords[alex])
    assert.ok((await listed()).includes('Mail.Send'))
    await decide('Accept')
    assertSignedIn(await saw(), alex)
  })

  await t.test('the application that everybody knows is not there', async () => {
    const asked = new URLSearchParams({
      client_id: developmentApplication,
      response_type: 'code',
      redirect_uri: 'http://localhost/redirect',
      scope: 'Mail.Send',
    })
    const response = await page.goto(`/${server.graphpost.tenant}/oauth2/v2.0/authorize?${asked}`)
    assert.deepEqual([response?.status(), new URL(page.url()).origin], [400, origin])
    assert.match((await page.getByRole('main').textContent()) ?? '', /AADSTS700016: /)
  })
})
