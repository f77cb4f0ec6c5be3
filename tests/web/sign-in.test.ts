/** The sign-in pages in a real browser: forms, cookies and the Content-Security-Policy as Chromium takes them. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { decodeJwt } from 'jose'
import type { Page } from 'playwright-core'
import { developmentApplication } from '../../src/identity/development.js'
import { openBrowser } from '../support/browser.js'
import { atEnd, clientOf, startServer, type TestServer } from '../support/start-server.js'

/** An application on this machine: what its redirect URI is called with. */
interface Application {
  readonly redirectUri: string
  readonly received: Promise<URLSearchParams>
}

async function startApplication(t: TestContext): Promise<Application> {
  const { promise: received, resolve } = withResolver<URLSearchParams>()
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    response.setHeader('Content-Type', 'text/html').end('<title>Back in the application</title>')
    if (pathname === '/answer') resolve(request.method === 'POST' ? new URLSearchParams(body) : searchParams)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  atEnd(t, () => {
    server.close()
    server.closeAllConnections()
  })
  return { redirectUri: `http://localhost:${(server.address() as AddressInfo).port}/answer`, received }
}

function withResolver<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => {}
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** A sign-in as an application begins it, with a proof key (RFC 7636). */
interface SignIn {
  readonly page: Page
  readonly application: Application
  readonly verifier: string
  readonly scope: string
}

async function beginSignIn(t: TestContext, server: TestServer, scope: string, responseMode: string): Promise<SignIn> {
  const application = await startApplication(t)
  const verifier = randomBytes(32).toString('base64url')
  const page = await openBrowser(t, server.graphpost)
  const query = new URLSearchParams({
    client_id: developmentApplication,
    response_type: 'code',
    response_mode: responseMode,
    redirect_uri: application.redirectUri,
    scope,
    state: 'as it was',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  await page.goto(`/common/oauth2/v2.0/authorize?${query}`)
  return { page, application, verifier, scope }
}

async function redeem(server: TestServer, { application, verifier, scope }: SignIn): Promise<string> {
  const answer = await application.received
  assert.equal(answer.get('state'), 'as it was', String(answer))
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: developmentApplication,
    code: answer.get('code') ?? '',
    redirect_uri: application.redirectUri,
    code_verifier: verifier,
    scope,
  })
  const response = await fetch(`${server.url}/common/oauth2/v2.0/token`, { method: 'POST', body: form })
  const { access_token: token } = (await response.json()) as { access_token?: string }
  assert.ok(token, `${response.status}`)
  return token
}

for (const responseMode of ['query', 'form_post']) {
  test(`a user picks an account and the application has its code, by ${responseMode}`, async (t) => {
    const server = await startServer(t, { httpsPort: '0' })
    const signIn = await beginSignIn(t, server, 'Mail.Read', responseMode)
    await signIn.page.getByRole('button', { name: 'adele@contoso.com' }).click()
    await signIn.page.waitForURL(/\/answer/)
    assert.equal(await signIn.page.title(), 'Back in the application')
    const token = await redeem(server, signIn)
    assert.equal(decodeJwt(token).upn, 'adele@contoso.com')
    assert.equal((await clientOf(server.url, token).get('/me/messages')).status, 200)
  })
}

test('what is declined is not granted', async (t) => {
  const server = await startServer(t, { httpsPort: '0' })
  const { page, application } = await beginSignIn(t, server, 'Mail.Read Directory.Read.All', 'query')
  await page.getByRole('button', { name: 'adele@contoso.com' }).click()
  await page.getByText('Directory.Read.All').waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  const answer = await application.received
  assert.deepEqual([answer.get('error'), answer.get('code')], ['access_denied', null])
})

test('nobody becomes an administrator by consent', async (t) => {
  const server = await startServer(t, { httpsPort: '0' })
  const signIn = await beginSignIn(t, server, 'Mail.Read Graphpost.Admin', 'query')
  await signIn.page.getByRole('button', { name: 'adele@contoso.com' }).click()
  await signIn.page.getByText('Graphpost.Admin').waitFor()
  await signIn.page.getByRole('button', { name: 'Accept' }).click()
  const client = clientOf(server.url, await redeem(server, signIn))
  assert.equal((await client.get('/me/messages')).status, 200)
  assert.equal((await client.get('/admin/calls')).status, 403)
  assert.equal((await client.call('PUT', '/admin/users', { body: '{}' })).status, 403)
})
