import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import type { Answer } from '../support/start-server.js'
import { type Contoso, callback, daemon, desktop, letters, lettersCallback, password, startContoso } from './contoso.js'
import {
  askToken,
  authorizePath,
  type Browser,
  challenge,
  type Fields,
  newBrowser,
  pickAccount,
  type Visit,
  verifier,
} from './sign-in.js'

const adele = 'adele@contoso.com'

/** What the desktop program asks; it may read the user's profile without anybody's consent. */
const request = {
  client_id: desktop,
  response_type: 'code',
  redirect_uri: callback,
  scope: 'openid User.Read',
  state: 'the state',
}

function begin(browser: Browser, more: Record<string, string> = {}, tenant = 'contoso.com'): Promise<Visit> {
  return browser.get(authorizePath({ ...request, ...more }, tenant))
}

/** Signs in by the list of accounts. */
async function signIn(browser: Browser, more: Record<string, string> = {}, name = adele): Promise<Visit> {
  return pickAccount(browser, await begin(browser, more), name)
}

/** What the application is told. */
function told({ location }: Visit): Record<string, string> {
  return Object.fromEntries(location?.searchParams ?? [])
}

function redeem({ url }: Contoso, code: string | undefined, more: Record<string, string> = {}): Promise<Answer> {
  const fields = { grant_type: 'authorization_code', client_id: desktop, redirect_uri: callback, code: code ?? '' }
  return askToken(url, { ...fields, ...more })
}

/** A page for people, which leads nowhere. */
function requirePage({ status, location, headers, text }: Visit, expected: number): void {
  assert.equal(status, expected, text)
  assert.equal(location, undefined)
  assert.match(headers.get('content-type') ?? '', /^text\/html/)
}

test('nobody is sent to an address that the application is not registered with', async (t) => {
  const { url } = await startContoso(t)
  const browser = newBrowser(url)
  for (const redirect_uri of [
    'https://evil.example/',
    'https://localhost:5000/callback',
    'http://127.0.0.1:5000/callback',
    'http://localhost.evil.example/callback',
    'http://localhost:5000@evil.example/callback',
    'http://user@localhost:5000/callback',
    'http://localhost:5000/callback/',
    'http://localhost:5000/callback/more',
    'http://localhost:5000/callback?more=1',
    'http://localhost:5000/callback#more',
    'http://localhost:5000/callback\r\nX-Injected: 1',
    'http://localhost:5000/callbäck',
    'http://localhost:5000\\@evil.example/callback',
    '//localhost:5000/callback',
    '/callback',
    'javascript:alert(1)',
    'data:text/html,x',
  ]) {
    requirePage(await begin(browser, { redirect_uri }), 400)
    requirePage(await begin(browser, { redirect_uri, prompt: 'none' }), 400)
    requirePage(await begin(browser, { redirect_uri, response_mode: 'form_post', response_type: 'x' }), 400)
    const posted = await browser.post('/contoso.com/oauth2/v2.0/authorize', { ...request, redirect_uri })
    requirePage(posted, 400)
  }
})

test('nobody is sent on for an application that is not known, or a request that can be read in two ways', async (t) => {
  const { url } = await startContoso(t)
  const browser = newBrowser(url)
  for (const client_id of ['99999999-9999-4999-8999-999999999999', 'my-app', '', `${desktop}x`]) {
    requirePage(await begin(browser, { client_id, prompt: 'none' }), 400)
  }
  for (const name of ['client_id', 'redirect_uri', 'response_type', 'scope', 'state']) {
    const twice: Fields = [...Object.entries(request), [name, name === 'client_id' ? daemon : 'x']]
    requirePage(await browser.get(authorizePath(twice, 'contoso.com')), 400)
  }
  requirePage(await begin(browser, {}, 'unknown.example'), 400)
})

test('of a loopback address the port does not count', async (t) => {
  const contoso = await startContoso(t)
  const redirect_uri = 'http://localhost:61234/callback'
  const visit = await signIn(newBrowser(contoso.url), { redirect_uri })
  assert.equal(visit.location?.origin, 'http://localhost:61234')
  assert.equal((await redeem(contoso, told(visit).code, { redirect_uri })).status, 200)
})

test('an address with letters that no header has is reached', async (t) => {
  const { url } = await startContoso(t)
  const visit = await signIn(newBrowser(url), { client_id: letters, redirect_uri: lettersCallback })
  assert.equal(decodeURIComponent(visit.location?.pathname ?? ''), '/zur\u00fcck \u2192')
  assert.ok(told(visit).code)
})

test('a verifier must fit the challenge, by either method', async (t) => {
  const contoso = await startContoso(t)
  const code = async (more: Record<string, string>) => told(await signIn(newBrowser(contoso.url), more)).code
  const s256 = { code_challenge: challenge, code_challenge_method: 'S256' }
  const cases: [Record<string, string>, Record<string, string>, number | undefined][] = [
    [s256, { code_verifier: verifier }, undefined],
    [s256, { code_verifier: challenge }, 501481],
    [s256, { code_verifier: `${verifier}x` }, 501481],
    [s256, {}, 501471],
    [{ code_challenge: verifier, code_challenge_method: 'plain' }, { code_verifier: verifier }, undefined],
    [{ code_challenge: verifier }, { code_verifier: verifier }, undefined],
    [{ code_challenge: verifier }, { code_verifier: challenge }, 501481],
    [{ code_challenge: verifier }, {}, 501471],
    // Somebody took the challenge out on its way.
    [{}, { code_verifier: verifier }, 501481],
    [{}, {}, undefined],
  ]
  for (const [asked, shown, refusal] of cases) {
    const { json } = await redeem(contoso, await code(asked), shown)
    assert.equal(json.error_codes?.[0], refusal, JSON.stringify([asked, shown]))
  }
  const unknown = await begin(newBrowser(contoso.url), { code_challenge: challenge, code_challenge_method: 's256' })
  assert.equal(told(unknown).error, 'invalid_request')
})

test('a code that was refused for its verifier is still good for whoever has the right one', async (t) => {
  const contoso = await startContoso(t)
  const visit = await signIn(newBrowser(contoso.url), { code_challenge: challenge, code_challenge_method: 'S256' })
  const { code } = told(visit)
  assert.equal((await redeem(contoso, code, { code_verifier: 'guessed' })).status, 400)
  assert.equal((await redeem(contoso, code, { code_verifier: verifier })).status, 200)
})

const odd = `a b&c=d+e%20"'<script>alert(1)</script>ü\u{1f600}`

test('state and nonce come back as they were sent, in each response mode', async (t) => {
  const contoso = await startContoso(t)
  const query = await signIn(newBrowser(contoso.url), { state: odd, nonce: odd, client_info: '1' })
  assert.deepEqual([...(query.location?.searchParams.keys() ?? [])], ['code', 'client_info', 'session_state', 'state'])
  assert.equal(told(query).state, odd)
  const { json } = await redeem(contoso, told(query).code)
  assert.equal(decodeJwt(json.id_token).nonce, odd)

  const fragment = await signIn(newBrowser(contoso.url), { state: odd, response_mode: 'fragment' })
  assert.equal(fragment.location?.search, '')
  const inFragment = new URLSearchParams(fragment.location?.hash.slice(1))
  assert.equal(inFragment.get('state'), odd)
  assert.equal((await redeem(contoso, inFragment.get('code') ?? '')).status, 200)

  const post = await signIn(newBrowser(contoso.url), { state: odd, response_mode: 'form_post' })
  requirePage(post, 200)
  assert.equal(post.action, callback)
  const fields = hiddenFields(post)
  assert.equal(fields.get('state'), odd)
  assert.equal((await redeem(contoso, fields.get('code') ?? '')).status, 200)
})

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

function hiddenFields({ text }: Visit): Map<string, string> {
  const inputs = text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)
  const plain = (value: string) => value.replace(/&(#?\w+);/g, (_, name: string) => entities[name] ?? '')
  return new Map([...inputs].map(([, name = '', value = '']) => [name, plain(value)]))
}

test('an application is told what is wrong, in the mode it asked for and with its state', async (t) => {
  const { url } = await startContoso(t)
  const faults: [Record<string, string>, string, string][] = [
    [{ response_type: 'token' }, 'unsupported_response_type', 'AADSTS70005'],
    [{ response_type: '' }, 'invalid_request', 'AADSTS900144'],
    [{ scope: '' }, 'invalid_request', 'AADSTS900144'],
    [{ prompt: 'none' }, 'login_required', 'AADSTS50058'],
  ]
  for (const [wrong, error, code] of faults) {
    const visit = await begin(newBrowser(url), { ...wrong, state: odd })
    assert.deepEqual([told(visit).error, told(visit).state], [error, odd])
    assert.match(told(visit).error_description ?? '', new RegExp(`^${code}: .* Trace ID: .* Timestamp: `))
    const fragment = await begin(newBrowser(url), { ...wrong, response_mode: 'fragment' })
    assert.equal(new URLSearchParams(fragment.location?.hash.slice(1)).get('error'), error)
    const post = await begin(newBrowser(url), { ...wrong, response_mode: 'form_post' })
    assert.equal(hiddenFields(post).get('error'), error)
  }
  const scope = await signIn(newBrowser(url), { scope: 'https://nowhere.example/x' })
  assert.equal(told(scope).error, 'invalid_resource')
})

test('whoever signed in is not asked again, unless the request wants it or means somebody else', async (t) => {
  const { url } = await startContoso(t)
  const browser = newBrowser(url)
  await signIn(browser)
  assert.ok(told(await begin(browser)).code)
  assert.ok(told(await begin(browser, { prompt: 'none' })).code)
  assert.ok(told(await begin(browser, { login_hint: 'Adele@Contoso.com' })).code)
  for (const more of [{ prompt: 'login' }, { prompt: 'select_account' }, { login_hint: 'alex@contoso.com' }]) {
    requirePage(await begin(browser, more), 200)
  }
  assert.equal(told(await begin(browser, { prompt: 'none', login_hint: 'alex@contoso.com' })).error, 'login_required')
  requirePage(await begin(browser, {}, 'fabrikam.com'), 400)
})

test('a session is over in its time, and when the user signs out', async (t) => {
  const { server, url } = await startContoso(t)
  const browser = newBrowser(url)
  await signIn(browser)
  const out = await browser.get('/common/oauth2/v2.0/logout')
  requirePage(out, 200)
  assert.equal(browser.cookies.has('graphpost-session'), false)
  assert.equal(told(await begin(browser, { prompt: 'none' })).error, 'login_required')
  await signIn(browser)
  server.clock.advance(23 * 3_600_000)
  assert.ok(told(await begin(browser, { prompt: 'none' })).code)
  server.clock.advance(2 * 3_600_000)
  assert.equal(told(await begin(browser, { prompt: 'none' })).error, 'login_required')
})

test('after signing out nobody is sent to an address that no application has', async (t) => {
  const { url } = await startContoso(t)
  const browser = newBrowser(url)
  const out = (target: string) =>
    browser.get(
      `/contoso.com/oauth2/v2.0/logout?${new URLSearchParams({ post_logout_redirect_uri: target, state: odd })}`,
    )
  requirePage(await out('https://evil.example/'), 200)
  requirePage(await out('javascript:alert(1)'), 200)
  const { location } = await out(callback)
  assert.equal(location?.origin, 'http://localhost:5000')
  assert.equal(location?.searchParams.get('state'), odd)
})

test('cookies are for the server alone, and over https for nothing else', async (t) => {
  const { url } = await startContoso(t)
  const browser = newBrowser(url)
  await begin(browser)
  const [begun = ''] = browser.cookieTexts
  assert.match(begun, /^graphpost-sign-in=[0-9a-f-]{36}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=900$/)
  await signIn(browser)
  const [session = ''] = browser.cookieTexts
  assert.match(session, /^graphpost-session=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=86400$/)
  const proxied = await startContoso(t, { publicUrl: 'https://mail.example.com' })
  const secure = newBrowser(proxied.url)
  await signIn(secure)
  assert.match(secure.cookieTexts[0] ?? '', /; Secure$/)
})

test('a step is taken only in the browser in which the sign-in was begun, with the state it was given', async (t) => {
  const { server, url } = await startContoso(t)
  const mine = newBrowser(url)
  const page = await begin(mine)
  const user = /name="user" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const [id, content = '', code = ''] = page.flow.split('.')
  const changed = Buffer.from(content, 'base64url').toString().replace('User.Read', 'Mail.Send')
  const flows = [
    '',
    'x',
    '..',
    `${id}.${content}.`,
    `${id}.${content}.${code.slice(0, -4)}AAAA`,
    `${id}.${Buffer.from(changed).toString('base64url')}.${code}`,
    `unknown.${content}.${code}`,
    `${page.flow}x`,
  ]
  for (const flow of flows) requirePage(await mine.post(page.action, { flow, user }), 400)

  const other = newBrowser(url)
  requirePage(await other.post(page.action, { flow: page.flow, user }), 400)
  await begin(other)
  requirePage(await other.post(page.action, { flow: page.flow, user }), 400)
  assert.equal(other.cookies.has('graphpost-session'), false)

  const signedIn = await mine.post(page.action, { flow: page.flow, user })
  assert.ok(told(signedIn).code)
  const session = mine.cookies.get('graphpost-session') ?? ''
  requirePage(await mine.post(page.action, { flow: session, user }), 400)
  requirePage(await mine.post('/contoso.com/consent', { flow: page.flow, decision: 'accept' }), 400)

  const late = await begin(mine, { prompt: 'login' })
  server.clock.advance(16 * 60_000)
  requirePage(await mine.post(late.action, { flow: late.flow, user }), 400)
})

test("consent is asked once, is the user's own, and may be declined", async (t) => {
  const contoso = await startContoso(t)
  const browser = newBrowser(contoso.url)
  const more = { scope: 'openid offline_access Mail.Send' }
  const asked = await signIn(browser, more)
  requirePage(asked, 200)
  assert.match(asked.text, /<li>Mail\.Send<\/li>/)
  assert.equal(told(await begin(browser, { ...more, prompt: 'none' })).error, 'interaction_required')
  const declined = await browser.post(asked.action, { flow: asked.flow, decision: 'decline' })
  assert.deepEqual([told(declined).error, told(declined).state], ['access_denied', request.state])
  const again = await begin(browser, more)
  const accepted = await browser.post(again.action, { flow: again.flow, decision: 'accept' })
  const { json } = await redeem(contoso, told(accepted).code)
  assert.equal(json.scope, 'openid Mail.Send')
  assert.ok(told(await begin(browser, { ...more, prompt: 'none' })).code)
  requirePage(await begin(browser, { ...more, prompt: 'consent' }), 200)
  requirePage(await signIn(newBrowser(contoso.url), more, 'alex@contoso.com'), 200)
})

test('consent given to less is no consent to more', async (t) => {
  const contoso = await startContoso(t)
  const browser = newBrowser(contoso.url)
  const { code } = told(await signIn(browser, { scope: 'offline_access User.Read' }))
  const { json } = await redeem(contoso, code)
  const fields = { grant_type: 'refresh_token', client_id: desktop, refresh_token: json.refresh_token }
  const more = await askToken(contoso.url, { ...fields, scope: 'Mail.Send' })
  assert.deepEqual([more.json.error_codes, more.json.suberror], [[65001], 'consent_required'])
  assert.equal((await askToken(contoso.url, { ...fields, scope: 'User.Read' })).status, 200)
})

test("over common a user's code goes only where their own tenant has registered the application", async (t) => {
  const { url } = await startContoso(t)
  const browser = newBrowser(url)
  const page = await begin(browser, {}, 'common')
  assert.ok(told(await pickAccount(browser, page, adele)).code)
  const other = newBrowser(url)
  const visit = await pickAccount(other, await begin(other, {}, 'common'), 'fay@fabrikam.com')
  assert.deepEqual([told(visit).code, told(visit).error], [undefined, 'invalid_request'])
  const session = await begin(other, {}, 'common')
  assert.deepEqual([told(session).code, told(session).error], [undefined, 'invalid_request'])
})

test('nothing that somebody sends becomes a part of a page', async (t) => {
  const { url } = await startContoso(t, { development: 'off' })
  const browser = newBrowser(url)
  const attack = `"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;`
  const page = await begin(browser, { login_hint: attack, state: attack })
  const visits = [
    page,
    await browser.post(page.action, { flow: page.flow, username: attack, password: attack }),
    await begin(browser, { redirect_uri: attack }),
    await begin(browser, { client_id: attack }),
    await begin(browser, {}, encodeURIComponent(attack)),
    await begin(browser, { response_type: attack, response_mode: 'form_post', state: attack }),
    await browser.get(`/devicelogin?otc=${encodeURIComponent(attack)}`),
    await browser.post('/devicelogin', { code: attack }),
    await browser.get(`/common/oauth2/v2.0/logout?post_logout_redirect_uri=${encodeURIComponent(attack)}`),
    await browser.get(authorizePath([...Object.entries(request), ['scope', attack]])),
  ]
  for (const { text, location } of visits) {
    assert.equal(location, undefined)
    assert.doesNotMatch(text, /<script>|<img/)
  }
  // Its name has markup in it.
  assert.ok(page.text.includes('<strong>Desktop &lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;</strong>'), page.text)
})

test('a page may load nothing, run nothing and stand in no frame', async (t) => {
  const { url } = await startContoso(t)
  const browser = newBrowser(url)
  const nonces = new Set<string>()
  const plain = await begin(browser)
  const sending = await pickAccount(browser, await begin(browser, { response_mode: 'form_post' }), adele)
  const refused = await begin(browser, { client_id: 'x' })
  for (const { headers, text } of [plain, sending, refused]) {
    const policy = headers.get('content-security-policy') ?? ''
    const nonce = /style-src 'nonce-([A-Za-z0-9+/=]{24})'/.exec(policy)?.[1] ?? ''
    nonces.add(nonce)
    const script = text.includes('<script') ? `; script-src 'nonce-${nonce}'` : ''
    assert.equal(
      policy,
      `default-src 'none'; style-src 'nonce-${nonce}'${script}; frame-ancestors 'none'; base-uri 'none'`,
    )
    assert.equal(headers.get('x-frame-options'), 'DENY')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.equal(headers.get('cache-control'), 'no-store, no-cache')
  }
  assert.equal(nonces.size, 3)
  assert.deepEqual(
    [plain, sending, refused].map(({ text }) => text.includes('<script')),
    [false, true, false],
  )
})

interface Guessing {
  readonly contoso: Contoso
  /** The AADSTS number; undefined when signed in. */
  guess(username: string, password: string): Promise<number | undefined>
}

/** With passwords: the development identity is off. */
async function startGuessing(...given: Parameters<typeof startContoso>): Promise<Guessing> {
  const contoso = await startContoso(given[0], { development: 'off' })
  const fields = { grant_type: 'password', client_id: desktop, scope: 'User.Read' }
  return {
    contoso,
    guess: async (username, secret) =>
      (await askToken(contoso.url, { ...fields, username, password: secret })).json.error_codes?.[0],
  }
}

test('after ten wrong passwords a user is locked for ten minutes, by every name and on every page', async (t) => {
  const { contoso, guess } = await startGuessing(t)
  const { server, url } = contoso
  const browser = newBrowser(url)
  const page = await begin(browser)
  const type = (secret: string) => browser.post(page.action, { flow: page.flow, username: adele, password: secret })
  for (let count = 0; count < 5; count++) {
    assert.equal(await guess(adele, 'wrong'), 50126)
    const visit = await type('wrong')
    requirePage(visit, 400)
    assert.match(visit.text, /invalid username or password/)
  }
  assert.equal(await guess(adele, password), 50053)
  assert.equal(await guess('Adele.Vance@contoso.com', password), 50053)
  assert.match((await type(password)).text, /locked/)
  assert.equal(browser.cookies.has('graphpost-session'), false)
  assert.equal(await guess('alex@contoso.com', 'wrong'), 50126)
  server.clock.advance(10 * 60_000 + 1)
  assert.equal(await guess(adele, password), undefined)
})

test('a right password takes the wrong ones before it back', async (t) => {
  const { guess } = await startGuessing(t)
  for (let round = 0; round < 2; round++) {
    for (let count = 0; count < 9; count++) assert.equal(await guess(adele, 'wrong'), 50126)
    assert.equal(await guess(adele, password), undefined)
  }
})

test('thirty guesses at once are ten guesses', async (t) => {
  const { guess } = await startGuessing(t)
  const codes = await Promise.all(Array.from({ length: 30 }, (_, index) => guess(adele, `wrong ${index}`)))
  assert.equal(codes.filter((code) => code === 50126).length, 10)
  assert.equal(codes.filter((code) => code === 50053).length, 20)
})

test('a user who is not there is answered, and locked, as one who is', async (t) => {
  const { guess } = await startGuessing(t)
  for (let count = 0; count < 10; count++) assert.equal(await guess('nobody@contoso.com', 'wrong'), 50126)
  assert.equal(await guess('nobody@contoso.com', 'wrong'), 50053)
})

test('without the development identity nobody is picked from a list, and its names open nothing', async (t) => {
  const { contoso, guess } = await startGuessing(t)
  const { server, url } = contoso
  const users = await server.graphpost.directory.listAccounts()
  const browser = newBrowser(url)
  const page = await begin(browser)
  for (const { id, userPrincipalName } of users) {
    assert.equal(page.text.includes(userPrincipalName), false)
    requirePage(await browser.post(page.action, { flow: page.flow, user: id }), 400)
  }
  assert.equal(await guess('alex@contoso.com', 'graphpost-development-password'), 50126)
  const development = '11111111-aaaa-4bbb-8ccc-222222222222'
  requirePage(await begin(browser, { client_id: development }), 400)
})

test('nobody signs in as a shared mailbox', async (t) => {
  const contoso = await startContoso(t)
  const desk = (await contoso.server.graphpost.directory.listAccounts()).find(({ kind }) => kind === 'shared')
  const browser = newBrowser(contoso.url)
  const page = await begin(browser)
  assert.equal(page.text.includes('desk@contoso.com'), false)
  for (const user of [desk?.id ?? '', 'desk@contoso.com']) {
    requirePage(await browser.post(page.action, { flow: page.flow, user }), 400)
  }
  assert.equal(browser.cookies.has('graphpost-session'), false)
  const { guess } = await startGuessing(t)
  for (const secret of ['', 'graphpost-development-password']) {
    assert.notEqual(await guess('desk@contoso.com', secret), undefined)
  }
})

test('a device code is for one decision, and one that is not known says nothing', async (t) => {
  const { server, url } = await startContoso(t)
  const path = '/contoso.com/oauth2/v2.0/devicecode'
  const { json } = await askToken(url, { client_id: desktop, scope: 'User.Read' }, { path })
  assert.deepEqual(Object.keys(json), [
    'user_code',
    'device_code',
    'verification_uri',
    'expires_in',
    'interval',
    'message',
  ])
  assert.deepEqual([json.expires_in, json.interval, json.verification_uri], [900, 5, `${url}/devicelogin`])
  const browser = newBrowser(url)
  requirePage(await browser.get('/devicelogin'), 200)
  requirePage(await browser.post('/devicelogin', { code: 'BBBBBBBBB' }), 400)
  const typed = ` ${json.user_code.slice(0, 4).toLowerCase()}-${json.user_code.slice(4)} `
  const step = async () => pickAccount(browser, await browser.post('/devicelogin', { code: typed }), adele)
  const [first, second] = [await step(), await step()]
  assert.match(first.text, /Permissions requested/)
  requirePage(await browser.post(first.action, { flow: first.flow, decision: 'accept' }), 200)
  requirePage(await browser.post(second.action, { flow: second.flow, decision: 'decline' }), 400)
  const fields = { grant_type: 'device_code', client_id: desktop, device_code: json.device_code }
  assert.equal((await askToken(url, fields)).status, 200)
  const late = await askToken(url, { client_id: desktop, scope: 'User.Read' }, { path })
  server.clock.advance(16 * 60_000)
  const over = await browser.post('/devicelogin', { code: late.json.user_code })
  assert.match(over.text, /not known, or its time is over/)
})
