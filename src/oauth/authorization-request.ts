import type { Application } from '../identity/application.js'
import type { User } from '../identity/user.js'
import type { BrowserAnswer } from './browser.js'
import { describeError, OAuthError } from './errors.js'
import { formPostPage } from './pages.js'
import { isRegistered } from './redirect-uri.js'
import { askedScope } from './scopes.js'
import { applicationNamed, type OAuthCall, type OAuthServices } from './services.js'

/** An authorization request, read as far as is needed to answer it. */
export interface AuthorizationRequest {
  readonly application: Application
  readonly redirectUri: string
  readonly responseType: string
  readonly responseMode: 'query' | 'fragment' | 'form_post'
  readonly scope: string
  readonly state: string | undefined
  readonly nonce: string | undefined
  readonly challenge: string | undefined
  readonly challengeMethod: string
  readonly wantsClientInfo: boolean
  readonly loginHint: string | undefined
}

/** @throws OAuthError for what must not be answered by sending anybody anywhere */
export async function readRequest(
  services: OAuthServices,
  call: OAuthCall,
  parameters: URLSearchParams,
): Promise<AuthorizationRequest> {
  const application = await applicationNamed(services, call.tenant, parameters.get('client_id'))
  const [onlyUri] = application.redirectUris.length === 1 ? application.redirectUris : []
  const redirectUri = parameters.get('redirect_uri') ?? onlyUri ?? ''
  if (redirectUri === '') throw new OAuthError('missingParameter', 'redirect_uri')
  if (!isRegistered(application, redirectUri)) throw new OAuthError('wrongRedirect', redirectUri)
  const text = (name: string) => parameters.get(name) ?? undefined
  const mode = text('response_mode')
  return {
    application,
    redirectUri,
    responseType: text('response_type') ?? '',
    responseMode: mode === 'fragment' || mode === 'form_post' ? mode : 'query',
    scope: askedScope(parameters),
    state: text('state'),
    nonce: text('nonce'),
    challenge: text('code_challenge'),
    challengeMethod: text('code_challenge_method') ?? 'plain',
    wantsClientInfo: text('client_info') === '1',
    loginHint: text('login_hint'),
  }
}

/** One that is not known must not be taken for another (RFC 7636 §4.4.1). */
export function challengeMethodOf({ challengeMethod: method }: AuthorizationRequest): 'S256' | 'plain' {
  if (method === 'S256' || method === 'plain') return method
  throw new OAuthError('malformedRequest', `the code_challenge_method '${method}' is not supported`)
}

/** What goes wrong once the application is known is told to the application. */
export async function inRequest(
  services: OAuthServices,
  call: OAuthCall,
  request: AuthorizationRequest,
  step: () => Promise<BrowserAnswer>,
): Promise<BrowserAnswer> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const { traceId, correlationId } = call
    const description = describeError(error, { traceId, correlationId, at: services.now() })
    return respond(request, [
      ['error', error.error],
      ['error_description', description],
    ])
  }
}

/** Sends the answer where the request says, in the way it says. */
export function respond(request: AuthorizationRequest, answer: readonly (readonly [string, string])[]): BrowserAnswer {
  const { redirectUri, responseMode, state } = request
  const fields = state === undefined ? answer : [...answer, ['state', state] as const]
  if (responseMode === 'form_post') return { page: formPostPage(redirectUri, fields) }
  return { redirect: withParameters(redirectUri, responseMode === 'fragment' ? '#' : '?', fields) }
}

/** @param mark what the parameters follow */
export function withParameters(uri: string, mark: '?' | '#', fields: readonly (readonly [string, string])[]): string {
  if (fields.length === 0) return uri
  const text = new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])).toString()
  return `${uri}${mark === '?' && uri.includes('?') ? '&' : mark}${text}`
}

/**
 * Over `/common` the application was found before anybody knew whose user would come: a code goes where their own tenant
 * has registered it, not where another tenant registered one of the same id.
 */
export async function requireRegistered(
  { identity }: OAuthServices,
  { application, redirectUri }: AuthorizationRequest,
  { tenant }: User,
): Promise<void> {
  if (application.tenant === tenant) return
  const own = await identity.findApplication(tenant, application.id)
  if (own === undefined) throw new OAuthError('unknownApplication', application.id)
  if (!isRegistered(own, redirectUri)) throw new OAuthError('wrongRedirect', redirectUri)
}
