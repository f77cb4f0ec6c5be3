/**
 * A web application as a user would write it with `@azure/msal-node`: signs its visitors in with PKCE and calls Graph for
 * them. Prints `{ "listening": URL }`. `/sign-in` takes `scopes`, `prompt`, `login_hint` and `response_mode`; what came of
 * it is the page that the browser ends at, as JSON.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  type AuthenticationResult,
  ConfidentialClientApplication,
  CryptoProvider,
  type NodeAuthOptions,
} from '@azure/msal-node'
import { type Known, outcome, readKnown, say, tryToken } from './sign-in.js'

interface Registered extends Known {
  readonly origin: string
  readonly auth: Pick<NodeAuthOptions, 'clientId' | 'clientSecret' | 'clientCertificate'>
}

const { origin, tenant, auth } = readKnown<Registered>()
const authority = `${origin}/${tenant}`
const application = new ConfidentialClientApplication({
  auth: { ...auth, authority, knownAuthorities: [new URL(origin).host] },
})
const crypto = new CryptoProvider()

/** A sign-in that is on its way, by its `state`. */
interface Begun {
  readonly scopes: string[]
  readonly verifier: string
  readonly nonce: string
}

const begun = new Map<string, Begun>()
let account: AuthenticationResult['account'] = null

const server = createServer((request, response) => {
  void serve(request, response).catch((error: unknown) => answer(response, { fault: String(error) }))
})
server.listen(0, 'localhost', () => say({ listening: home() }))

function home(): string {
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', home())
  if (pathname === '/sign-in') response.writeHead(302, { Location: await signInUrl(searchParams) }).end()
  else if (pathname === '/redirect') await takeAnswer(request, response, searchParams)
  else if (pathname === '/renew') answer(response, await renewed())
  else if (pathname === '/sign-out') response.writeHead(302, { Location: signOutUrl() }).end()
  else answer(response, { home: searchParams.get('state') })
}

/** Where a visitor is sent to sign in. */
async function signInUrl(asked: URLSearchParams): Promise<string> {
  const { verifier, challenge } = await crypto.generatePkceCodes()
  const [state, nonce] = [crypto.createNewGuid(), crypto.createNewGuid()]
  const scopes = (asked.get('scopes') ?? 'User.Read Mail.Send').split(' ')
  begun.set(state, { scopes, verifier, nonce })
  return application.getAuthCodeUrl({
    scopes,
    state,
    nonce,
    redirectUri: asked.get('redirect_uri') ?? `${home()}/redirect`,
    codeChallenge: challenge,
    codeChallengeMethod: 'S256',
    responseMode: (asked.get('response_mode') ?? 'query') as 'query',
    ...(asked.has('prompt') ? { prompt: asked.get('prompt') ?? '' } : {}),
    ...(asked.has('login_hint') ? { loginHint: asked.get('login_hint') ?? '' } : {}),
  })
}

/** In the query, in a form, or behind a `#`, which the page has to send on. */
async function takeAnswer(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
  const form = request.method === 'POST' ? new URLSearchParams(await text(request)) : query
  if (!form.has('state')) {
    response.setHeader('Content-Type', 'text/html').end(fragmentPage)
    return
  }
  const came = { by: request.method, isKnown: begun.has(form.get('state') ?? '') }
  if (form.has('error')) {
    answer(response, { ...came, error: form.get('error'), description: form.get('error_description') })
    return
  }
  answer(response, { ...came, ...(await outcome(() => redeemed(form))) })
}

const fragmentPage = `<!doctype html><title>Behind the #</title><form method="post"></form><script>
const form = document.forms[0]
for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
  form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }))
}
if (location.hash !== '') form.submit()
</script>`

async function redeemed(form: URLSearchParams): Promise<Record<string, unknown>> {
  const { scopes, verifier, nonce } = begun.get(form.get('state') ?? '') as Begun
  const request = {
    code: form.get('code') ?? '',
    scopes,
    redirectUri: `${home()}/redirect`,
    clientInfo: form.get('client_info') ?? '',
    nonce,
  }
  const withoutVerifier = await outcome(() => application.acquireTokenByCode(request))
  const wrongVerifier = await outcome(() =>
    application.acquireTokenByCode({ ...request, codeVerifier: `${verifier}wrong` }),
  )
  const result = await application.acquireTokenByCode({ ...request, codeVerifier: verifier })
  const again = await outcome(() => application.acquireTokenByCode({ ...request, codeVerifier: verifier }))
  account = result.account
  return { ...(await seen(result)), nonce, refused: { withoutVerifier, wrongVerifier, again } }
}

async function seen(result: AuthenticationResult): Promise<object> {
  return {
    ...(await tryToken(origin, result.accessToken)),
    fromCache: result.fromCache,
    account: result.account?.username,
    idToken: result.idTokenClaims,
  }
}

async function renewed(): Promise<object> {
  if (account === null) return { account }
  const request = { account, scopes: ['User.Read'], forceRefresh: true }
  return outcome(async () => seen(await application.acquireTokenSilent(request)))
}

function signOutUrl(): string {
  account = null
  const back = new URLSearchParams({ post_logout_redirect_uri: `${home()}/`, state: 'signed-out' })
  return `${authority}/oauth2/v2.0/logout?${back}`
}

function answer(response: ServerResponse, value: object): void {
  const json = JSON.stringify(value).replaceAll('<', '\\u003c')
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  response.end(`<!doctype html><title>Shop</title><script type="application/json" id="saw">${json}</script>`)
}
