/** `@azure/msal-browser`, which `@azure/identity` brings along: a page that signs in by itself, from another origin than ours. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openBrowser } from '../support/browser.js'
import { atEnd, clientOf, startServer } from '../support/start-server.js'

const clientId = '55555555-eeee-4fff-8aaa-666666666666'

/** A library of `@azure/identity` as one file that a page can load. */
function scriptOf(library: string): Promise<Buffer> {
  const { resolve } = createRequire(import.meta.resolve('@azure/identity'))
  return readFile(join(dirname(resolve(library)), 'msal-browser.min.js'))
}

/** What a user would write: one page, which shows what came of it. */
function pageOf(authority: string): string {
  const auth = { clientId, authority, knownAuthorities: [new URL(authority).host] }
  return `<!doctype html><title>Page</title><script src="/msal.js"></script>
<button id="in">Sign in</button><button id="out">Sign out</button>
<script type="module">
const tell = (value) => document.body.append(Object.assign(document.createElement('output'), { textContent: JSON.stringify(value) }))
const application = new msal.PublicClientApplication({ auth: { ...${JSON.stringify(auth)}, redirectUri: location.origin + '/' } })
await application.initialize()
const scopes = ['User.Read', 'Mail.Send']
const attempt = (request) => application.acquireTokenSilent(request).catch(({ errorCode, errorNo }) => ({ errorCode, errorNo }))
const back = await application.handleRedirectPromise()
if (back !== null) {
  const { account, accessToken } = back
  const renewed = await attempt({ account, scopes, forceRefresh: true })
  const refused = await attempt({ account, scopes: ['api://nobody/access'], forceRefresh: true })
  tell({ name: account.username, scopes: back.scopes, accessToken, renewed: renewed.accessToken, refused })
} else tell({ accounts: application.getAllAccounts().length })
document.querySelector('#in').onclick = () => application.loginRedirect({ scopes })
document.querySelector('#out').onclick = () => application.logoutRedirect()
</script>`
}

async function servePage(t: TestContext, authority: string): Promise<string> {
  const [script, html] = [await scriptOf('@azure/msal-browser'), pageOf(authority)]
  const server = createServer((request, response) => {
    const isScript = request.url === '/msal.js'
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html').end(isScript ? script : html)
  })
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening))
  atEnd(t, () => {
    server.close()
    server.closeAllConnections()
  })
  return `http://localhost:${(server.address() as AddressInfo).port}/`
}

test('a page of another origin signs in, renews its token, reads refusals and signs out', async (t) => {
  const { graphpost, url } = await startServer(t, { httpsPort: '0' })
  const redirectUris = ['http://localhost/']
  const delegatedPermissions = ['User.Read', 'Mail.Send']
  await graphpost.directory.putApplication({ clientId, displayName: 'Page', redirectUris, delegatedPermissions })
  const site = await servePage(t, `${graphpost.httpsUrl}/${graphpost.tenant}`)
  const page = await openBrowser(t, graphpost)
  const told = async () => JSON.parse((await page.locator('output').textContent()) ?? '')

  await page.goto(site)
  assert.deepEqual(await told(), { accounts: 0 })
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'adele@contoso.com' }).click()
  await page.waitForURL(site)
  const { name, scopes, accessToken, renewed, refused } = await told()
  assert.deepEqual([name, scopes], ['adele@contoso.com', ['User.Read', 'Mail.Send', 'openid', 'profile']])
  assert.notEqual(renewed, accessToken)
  for (const token of [accessToken, renewed]) {
    assert.equal((await clientOf(url, token).get('/me')).json.userPrincipalName, 'adele@contoso.com')
  }
  assert.deepEqual(refused, { errorCode: 'invalid_resource', errorNo: 500011 })

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('{"accounts":0}').waitFor()
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'adele@contoso.com' }).waitFor()
  assert.equal(await page.getByRole('heading').textContent(), 'Pick an account')
})
