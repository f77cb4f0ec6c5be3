import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { BodyRefused, endAfterRequest, readBody } from '../http/body.js'
import { cloudOfSignInHost } from '../identity/clouds.js'
import { authorize, consent, deviceLogin, logout, signIn } from './authorize.js'
import type { BrowserAnswer, BrowserCookie } from './browser.js'
import { deviceCodeEndpoint } from './device-code.js'
import { instanceDiscovery, keySet, openIdConfiguration, userRealm } from './discovery.js'
import { errorBody, OAuthError } from './errors.js'
import { document, messagePage, type Page } from './pages.js'
import { type OAuthCall, type OAuthServices, tenantNamed } from './services.js'
import { Lockout } from './sign-in.js'
import { tokenEndpoint } from './token-endpoint.js'

/**
 * The sign-in side: every address of the Microsoft identity platform that clients call, below any tenant, and the pages
 * that people see.
 */
interface OAuthRoute {
  readonly methods: readonly string[]
  /** Of the whole path, in any case; the first group is the tenant. */
  readonly path: RegExp
  readonly answer: (surface: Surface, call: OAuthCall, path: string) => Promise<Answer>
  /** Called by scripts of other origins. */
  readonly isCrossOrigin?: true
}

interface Surface {
  readonly services: OAuthServices
  readonly lockout: Lockout
}

type Answer = { readonly kind: 'json'; readonly body: unknown } | ({ readonly kind: 'browser' } & BrowserAnswer)

const json = (body: unknown): Answer => ({ kind: 'json', body })
const browser = (answer: BrowserAnswer): Answer => ({ kind: 'browser', ...answer })

const routes: readonly OAuthRoute[] = [
  {
    methods: ['GET'],
    path: /^\/([^/]+)(?:\/v2\.0)?\/\.well-known\/openid-configuration$/i,
    answer: async (_, call) => json(openIdConfiguration(call)),
    isCrossOrigin: true,
  },
  {
    methods: ['GET'],
    path: /^\/([^/]+)\/discovery\/instance$/i,
    answer: async (_, call) => json(instanceDiscovery(call)),
    isCrossOrigin: true,
  },
  {
    methods: ['GET'],
    path: /^\/([^/]+)\/discovery\/(?:v2\.0\/)?keys$/i,
    answer: async ({ services }, call) => json(await keySet(services, call)),
    isCrossOrigin: true,
  },
  {
    methods: ['POST'],
    path: /^\/([^/]+)\/oauth2\/(?:v2\.0\/)?token$/i,
    answer: async ({ services, lockout }, call) => json(await tokenEndpoint(services, call, lockout)),
    isCrossOrigin: true,
  },
  {
    methods: ['POST'],
    path: /^\/([^/]+)\/oauth2\/(?:v2\.0\/)?devicecode$/i,
    answer: async ({ services }, call) => json(await deviceCodeEndpoint(services, call)),
    isCrossOrigin: true,
  },
  {
    methods: ['GET'],
    path: /^\/([^/]+)\/userrealm\/[^/]+$/i,
    answer: async ({ services }, call, path) =>
      json(await userRealm(services, call, decodeSegment(path.split('/').at(-1) ?? ''))),
    isCrossOrigin: true,
  },
  {
    methods: ['GET', 'POST'],
    path: /^\/([^/]+)\/oauth2\/(?:v2\.0\/)?authorize$/i,
    answer: async ({ services }, call) => browser(await authorize(services, call)),
  },
  {
    methods: ['POST'],
    path: /^\/([^/]+)\/login$/i,
    answer: async ({ services, lockout }, call) => browser(await signIn(services, call, lockout)),
  },
  {
    methods: ['POST'],
    path: /^\/([^/]+)\/consent$/i,
    answer: async ({ services }, call) => browser(await consent(services, call)),
  },
  {
    methods: ['GET', 'POST'],
    path: /^\/([^/]+)\/oauth2\/(?:v2\.0\/)?logout$/i,
    answer: async ({ services }, call) => browser(await logout(services, call)),
  },
  {
    methods: ['GET', 'POST'],
    path: /^\/(?:[^/]+\/oauth2\/)?(?:devicelogin|deviceauth)$/i,
    answer: async ({ services }, call) => browser(await deviceLogin(services, call)),
  },
]

/** First segments that are never a tenant: the API has them. */
const notTenants = new Set(['v1.0', 'beta', 'admin'])

/** Larger forms are no sign-in: an assertion has some kilobytes. */
const maxFormBytes = 65_536

/** Serves the sign-in side and hands everything else on. */
export function oauthListener(services: OAuthServices): (next: RequestListener) => RequestListener {
  const surface: Surface = { services, lockout: new Lockout() }
  return (next) => (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    const found = routeOf(path)
    if (found === undefined) next(request, response)
    else void serve(surface, found, request, response, path)
  }
}

function routeOf(path: string): { route: OAuthRoute; tenant: string } | undefined {
  // The hot path is told apart by its first letters.
  if (path.startsWith('/v1.0/') || path.startsWith('/beta/')) return undefined
  for (const route of routes) {
    const match = route.path.exec(path)
    const tenant = match?.[1] ?? 'common'
    if (match !== null && !notTenants.has(tenant.toLowerCase())) return { route, tenant }
  }
  return undefined
}

async function serve(
  surface: Surface,
  { route, tenant }: { route: OAuthRoute; tenant: string },
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const { services } = surface
  const startedAt = services.now()
  let application: string | undefined
  let refusal: OAuthError | undefined
  const traceId = services.random.uuid()
  const origin = originOf(request, services.publicUrl)
  const query = given(new URLSearchParams(request.url?.slice(path.length + 1) ?? ''))
  const asked = request.headers['client-request-id'] ?? query.get('client-request-id')
  const correlationId = typeof asked === 'string' && /^[\w-]{1,64}$/.test(asked) ? asked : services.random.uuid()
  response.setHeader('x-ms-request-id', traceId)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Cache-Control', 'no-store, no-cache')
  response.setHeader('Pragma', 'no-cache')
  if (route.isCrossOrigin === true) response.setHeader('Access-Control-Allow-Origin', '*')
  const wantsIdBack = request.headers['return-client-request-id'] ?? query.get('return-client-request-id')
  if (wantsIdBack === 'true') response.setHeader('client-request-id', correlationId)
  try {
    if (request.method === 'OPTIONS' && route.isCrossOrigin === true) return preflight(request, response, route)
    if (!route.methods.includes(request.method ?? '')) {
      response.setHeader('Allow', route.methods.join(', '))
      throw new MethodRefused()
    }
    const form = request.method === 'POST' ? given(await readForm(request)) : new URLSearchParams()
    application = guidIn(form.get('client_id') ?? query.get('client_id'))
    requireOnce(query)
    requireOnce(form)
    const decoded = decodeSegment(tenant)
    const call: OAuthCall = {
      tenantAsWritten: decoded,
      tenant: await tenantNamed(services.identity, decoded),
      isV1: !/\/v2\.0\//i.test(path),
      origin,
      query,
      form,
      authorization: request.headers.authorization,
      cookies: cookiesOf(request.headers.cookie),
      traceId,
      correlationId,
    }
    const answer = await route.answer(surface, call, path)
    if (answer.kind === 'json') sendJson(response, 200, answer.body)
    else sendBrowser(services, origin, response, answer)
  } catch (error) {
    if (error instanceof OAuthError) refusal = error
    refuse(surface.services, response, error, { traceId, correlationId, origin, route })
  }
  services.record({
    requestId: traceId,
    clientRequestId: correlationId,
    at: startedAt,
    durationMs: services.now() - startedAt,
    method: request.method ?? '',
    url: path.slice(0, maxRecordedPath),
    status: response.statusCode,
    error: refusal?.error,
    reason: refusal?.message,
    application,
  })
}

const maxRecordedPath = 200

/** Only what looks like a client id is recorded: people put secrets in the wrong field. */
function guidIn(text: string | null): string | undefined {
  return text !== null && /^[0-9a-f-]{36}$/i.test(text) ? text.toLowerCase() : undefined
}

class MethodRefused extends Error {}

/** Without those that have no value, which count as omitted (RFC 6749 §3.1, §3.2). */
function given(parameters: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...parameters].filter(([, value]) => value !== ''))
}

/** Parameters that mean something here; any other is ignored, however often it comes. */
const known = new Set([
  ...['assertion', 'client_assertion', 'client_assertion_type', 'client_id', 'client_info', 'client_secret', 'code'],
  ...['code_challenge', 'code_challenge_method', 'code_verifier', 'device_code', 'grant_type', 'login_hint', 'nonce'],
  ...['password', 'post_logout_redirect_uri', 'prompt', 'redirect_uri', 'refresh_token', 'requested_token_use'],
  ...['resource', 'response_mode', 'response_type', 'scope', 'state', 'username'],
])

/** One that comes twice might be read by us in one way and by who checked the request before us in another (§3.1). */
function requireOnce(parameters: URLSearchParams): void {
  for (const name of parameters.keys()) {
    if (known.has(name) && parameters.getAll(name).length > 1) throw new OAuthError('repeatedParameter', name)
  }
}

function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new OAuthError('malformedRequest', 'its path is not percent-encoded')
  }
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  try {
    return new URLSearchParams((await readBody(request, maxFormBytes)).toString('utf8'))
  } catch (error) {
    if (error instanceof BodyRefused) throw new OAuthError('malformedRequest', `its body is ${error.fault}`)
    throw error
  }
}

const hostAndPort = /^[A-Za-z0-9.:[\]_-]{1,255}$/

/** The name the client used; behind a proxy `publicUrl`, except for one that was led here under a name of the cloud. */
function originOf({ socket, headers }: IncomingMessage, publicUrl: string | undefined): string {
  const isSecure = 'encrypted' in socket
  const host = headers.host !== undefined && hostAndPort.test(headers.host) ? headers.host.toLowerCase() : undefined
  const isCloud = isSecure && host !== undefined && cloudOfSignInHost(host.replace(/:\d+$/, '')) !== undefined
  if (publicUrl !== undefined && !isCloud) return publicUrl
  const scheme = isSecure ? 'https' : 'http'
  const origin = `${scheme}://${host ?? `localhost:${socket.localPort}`}`
  return URL.canParse(origin) ? new URL(origin).origin : `${scheme}://localhost:${socket.localPort}`
}

function cookiesOf(header: string | undefined): ReadonlyMap<string, string> {
  const pairs = (header ?? '').split(';').map((pair): [string, string] => {
    const equals = pair.indexOf('=')
    return [pair.slice(0, Math.max(0, equals)).trim(), pair.slice(equals + 1).trim()]
  })
  return new Map(pairs.filter(([name]) => name !== ''))
}

function preflight(request: IncomingMessage, response: ServerResponse, route: OAuthRoute): void {
  const asked = request.headers['access-control-request-headers']
  response.writeHead(204, {
    'Access-Control-Allow-Methods': route.methods.join(', '),
    ...(typeof asked === 'string' && /^[\w, -]{1,1000}$/.test(asked) ? { 'Access-Control-Allow-Headers': asked } : {}),
    'Access-Control-Max-Age': '86400',
  })
  response.end()
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, { 'Content-Type': 'application/json; charset=utf-8' }, JSON.stringify(body))
}

/** A request that is refused before it was read is read first: see {@link endAfterRequest}. */
function send(response: ServerResponse, status: number, headers: Record<string, string>, text: string): void {
  response.writeHead(status, { ...headers, 'Content-Length': String(Buffer.byteLength(text)) })
  if (response.req.complete) {
    response.end(text)
    return
  }
  response.write(text)
  endAfterRequest(response)
}

function sendBrowser(
  services: OAuthServices,
  origin: string,
  response: ServerResponse,
  { page, redirect, cookies = [] }: BrowserAnswer,
): void {
  // What the browser sees: a proxy before us may speak https where we do not.
  const isSecure = origin.startsWith('https:')
  if (cookies.length > 0)
    response.setHeader(
      'Set-Cookie',
      cookies.map((cookie) => cookieText(cookie, isSecure)),
    )
  response.setHeader('Referrer-Policy', 'no-referrer')
  if (redirect !== undefined) response.writeHead(302, { Location: inAscii(redirect) }).end()
  else if (page !== undefined) sendPage(services, response, page)
}

/** A registered address may have letters that a header cannot. */
function inAscii(address: string): string {
  return address.replace(/[^\x21-\x7e]+/g, encodeURIComponent)
}

function cookieText({ name, value, maxAgeSeconds }: BrowserCookie, isSecure: boolean): string {
  // Lax: an application's redirect brings it along, a form on another site does not.
  return `${name}=${value ?? ''}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${isSecure ? '; Secure' : ''}`
}

function sendPage({ random }: OAuthServices, response: ServerResponse, page: Page): void {
  const nonce = Buffer.from(random.bytes(16)).toString('base64')
  const script = page.sendsItself === true ? `; script-src 'nonce-${nonce}'` : ''
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': `default-src 'none'; style-src 'nonce-${nonce}'${script}; frame-ancestors 'none'; base-uri 'none'`,
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
  }
  send(response, page.status, headers, document(page, nonce))
}

interface Refusing {
  readonly traceId: string
  readonly correlationId: string
  readonly origin: string
  readonly route: OAuthRoute
}

/** To programs as JSON, to people as a page. */
function refuse(
  services: OAuthServices,
  response: ServerResponse,
  error: unknown,
  { traceId, correlationId, origin, route }: Refusing,
): void {
  // Not `request.destroyed`: a request is that as soon as its body was read.
  if (response.headersSent || response.req.socket.destroyed) {
    response.destroy()
    return
  }
  if (error instanceof MethodRefused) {
    send(response, 405, {}, '')
    return
  }
  const refusal = error instanceof OAuthError ? error : undefined
  if (refusal === undefined) services.log.error({ traceId, error }, 'a sign-in failed')
  if (route.isCrossOrigin !== true && refusal !== undefined) {
    sendPage(services, response, messagePage('This sign-in cannot go on', refusal.message, refusal.status))
    return
  }
  const at = services.now()
  if (refusal !== undefined)
    sendJson(response, refusal.status, errorBody(refusal, { traceId, correlationId, at }, origin))
  else sendJson(response, 503, { error: 'temporarily_unavailable', trace_id: traceId, correlation_id: correlationId })
}
