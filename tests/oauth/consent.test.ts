import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../support/start-server.js'
import { authorizePath, newBrowser } from './sign-in.js'

const clientId = '33333333-cccc-4ddd-8eee-444444444444'
const redirectUri = 'http://localhost:8000/done'

test('what only an administrator can consent to is not asked of a user, until it is granted to the application', async (t) => {
  const server = await startServer(t, { development: 'off' })
  const { directory } = server.graphpost
  await directory.putUser({ userPrincipalName: 'adele@contoso.com', password: 'a long one' })
  await directory.putApplication({ clientId, displayName: 'Reader', publicClient: true, redirectUris: [redirectUri] })
  const request = (scope: string) =>
    authorizePath({ client_id: clientId, response_type: 'code', redirect_uri: redirectUri, scope, state: 'kept' })
  const browser = newBrowser(server.url)
  const signIn = async (scope: string) => {
    const page = await browser.get(request(scope))
    if (!page.text.includes('name="username"')) return page
    return browser.post(page.action, { flow: page.flow, username: 'adele@contoso.com', password: 'a long one' })
  }
  for (const scope of [
    'User.Read.All',
    'Mail.Read https://graph.microsoft.com/Directory.Read.All',
    'Graphpost.Admin',
  ]) {
    const { location } = await signIn(scope)
    assert.equal(location?.searchParams.get('error'), 'access_denied', scope)
    assert.match(location?.searchParams.get('error_description') ?? '', /^AADSTS90094: /)
    assert.equal(location?.searchParams.get('state'), 'kept')
  }
  await directory.putApplication({ clientId, delegatedPermissions: ['User.Read.All'] })
  const admitted = await signIn('User.Read.All')
  assert.match(admitted.location?.searchParams.get('code') ?? '', /^\S{20,}$/)
  const asked = await signIn('Mail.Read')
  assert.match(asked.text, /<li>Mail\.Read<\/li>/)
})

test('a new password ends what a browser remembers of who signed in', async (t) => {
  const server = await startServer(t, { development: 'off' })
  const { directory } = server.graphpost
  await directory.putUser({ userPrincipalName: 'adele@contoso.com', password: 'a long one' })
  const delegatedPermissions = ['User.Read']
  await directory.putApplication({ clientId, publicClient: true, redirectUris: [redirectUri], delegatedPermissions })
  const path = authorizePath({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'User.Read',
    prompt: 'none',
  })
  const browser = newBrowser(server.url)
  const page = await browser.get(path.replace('&prompt=none', ''))
  await browser.post(page.action, { flow: page.flow, username: 'adele@contoso.com', password: 'a long one' })
  assert.match((await browser.get(path)).location?.searchParams.get('code') ?? '', /^\S{20,}$/)
  await directory.putUser({ userPrincipalName: 'adele@contoso.com', password: 'another one' })
  assert.equal((await browser.get(path)).location?.searchParams.get('error'), 'login_required')
})
