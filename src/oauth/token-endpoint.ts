import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose/jwt/decode'
import type { Application } from '../identity/application.js'
import type { Grant, GrantDetails } from '../identity/grant.js'
import type { Tenant } from '../identity/tenant.js'
import { audiencesOf, TokenRefused } from '../identity/token-check.js'
import type { User } from '../identity/user.js'
import { type AuthenticatedClient, authenticateClient, requireProofUnlessPublic } from './client-authentication.js'
import { OAuthError, type OAuthFault } from './errors.js'
import { askedScope, cloudOfResource, type RequestedScope, readScope, scopeSurroundings } from './scopes.js'
import { grantId, type OAuthCall, type OAuthServices } from './services.js'
import { type Lockout, signInWithPassword } from './sign-in.js'
import { accessLifetimeSeconds, type TokenResponse, type UserSignIn, userTokens } from './token-response.js'

/**
 * `POST /{tenant}/oauth2/v2.0/token`: every grant of RFC 6749, and those of RFC 7523 and RFC 8628, as the Microsoft
 * identity platform spells them.
 */
export type TokenGrantHandler = (
  services: OAuthServices,
  call: OAuthCall,
  lockout: Lockout,
) => Promise<Record<string, unknown>>

const grants: Readonly<Record<string, TokenGrantHandler>> = {
  client_credentials: clientCredentials,
  authorization_code: authorizationCode,
  refresh_token: refreshToken,
  password,
  'urn:ietf:params:oauth:grant-type:jwt-bearer': onBehalfOf,
  'urn:ietf:params:oauth:grant-type:device_code': deviceCode,
  // What MSAL for Node sends.
  device_code: deviceCode,
}

/** The body of the answer. @throws OAuthError */
export const tokenEndpoint: TokenGrantHandler = async (services, call, lockout) => {
  const type = call.form.get('grant_type')
  if (type === null || type === '') throw new OAuthError('missingParameter', 'grant_type')
  const handler = Object.hasOwn(grants, type) ? grants[type] : undefined
  if (handler === undefined) throw new OAuthError('unsupportedGrant', type)
  const body = await handler(services, call, lockout)
  return call.isV1 ? inV1Shape(body) : body
}

/** The older endpoint's answer: numbers as texts, and when the token begins and ends and what it is for. */
function inV1Shape({ token_type, scope, expires_in, ext_expires_in, ...tokens }: Record<string, unknown>) {
  const { exp, nbf, aud } = decodeJwt(String(tokens.access_token))
  return {
    token_type,
    ...(scope === undefined ? {} : { scope }),
    expires_in: String(expires_in),
    ext_expires_in: String(ext_expires_in),
    expires_on: String(exp),
    not_before: String(nbf),
    resource: aud,
    ...tokens,
  }
}

async function clientCredentials(services: OAuthServices, call: OAuthCall): Promise<Record<string, unknown>> {
  const { tenant } = call
  if (tenant === undefined) throw new OAuthError('noTenant')
  const { application, proof } = await authenticateClient(services, call, tenant)
  if (proof === 'none') throw new OAuthError('missingCredential')
  const scope = scopeOf(call)
  const requested = await readScope(scope, scopeSurroundings(services, call, tenant.id))
  if (!requested.isDefault) throw new OAuthError('staticScopeNeeded', scope)
  const { resource } = requested
  const accessToken = await services.tokens.issue({
    tenant: tenant.id,
    application: application.id,
    applicationName: application.displayName,
    applicationObject: application.objectId,
    proof,
    permissions: resource.kind === 'graph' ? application.applicationPermissions : [],
    audience: resource.audience,
    cloud: cloudOfResource(resource),
    lifetimeSeconds: accessLifetimeSeconds,
  })
  return {
    token_type: 'Bearer',
    expires_in: accessLifetimeSeconds,
    ext_expires_in: accessLifetimeSeconds,
    access_token: accessToken,
  }
}

async function password(services: OAuthServices, call: OAuthCall, lockout: Lockout): Promise<Record<string, unknown>> {
  // `organizations` takes users of any tenant; `common` might mean a personal account, which has no such grant.
  if (call.tenantAsWritten.toLowerCase() === 'common') throw new OAuthError('tenantNeeded')
  const name = required(call, 'username')
  const secret = required(call, 'password')
  const client = await authenticateClient(services, call, call.tenant)
  requireProofUnlessPublic(client)
  const user = await signInWithPassword(services, lockout, call.tenant, { name, password: secret })
  return answer(services, await beginSignIn(services, call, client, user))
}

async function authorizationCode(services: OAuthServices, call: OAuthCall): Promise<Record<string, unknown>> {
  const token = required(call, 'code')
  const grant = await services.identity.grants.find(grantId(token))
  if (grant?.kind !== 'code') throw new OAuthError('malformedGrant')
  const client = await authenticateClient(services, call, await tenantOf(services, grant))
  requireGrantOf(services, call, grant, client.application)
  const { details } = grant
  if (call.form.get('redirect_uri') !== (details.redirectUri ?? null)) {
    throw new OAuthError('otherRedirect', call.form.get('redirect_uri') ?? '')
  }
  requireVerifier(call, details)
  // PKCE ties the code to who began; without it only a credential does.
  if (details.challenge === undefined || client.application.secrets.length > 0) requireProofUnlessPublic(client)
  const user = await userOf(services, grant)
  return redeemed(services, grant, 'usedCode', await signInOf(services, call, client, user, grant))
}

function requireVerifier(call: OAuthCall, { challenge, challengeMethod }: GrantDetails): void {
  const verifier = call.form.get('code_verifier')
  if (challenge === undefined) {
    // Somebody took the challenge out of the request on its way (RFC 9700 §2.1.1).
    if (verifier !== null) throw new OAuthError('wrongVerifier')
    return
  }
  if (verifier === null) throw new OAuthError('missingVerifier')
  const found = challengeMethod === 'S256' ? createHash('sha256').update(verifier).digest('base64url') : verifier
  if (found !== challenge) throw new OAuthError('wrongVerifier')
}

async function refreshToken(services: OAuthServices, call: OAuthCall): Promise<Record<string, unknown>> {
  const token = required(call, 'refresh_token')
  const grant = await services.identity.grants.find(grantId(token))
  if (grant?.kind !== 'refresh') throw new OAuthError('malformedGrant')
  const client = await authenticateClient(services, call, await tenantOf(services, grant))
  requireGrantOf(services, call, grant, client.application)
  if (client.application.secrets.length > 0) requireProofUnlessPublic(client)
  const user = await userOf(services, grant)
  return redeemed(services, grant, 'repeatedGrant', await signInOf(services, call, client, user, grant))
}

async function deviceCode(services: OAuthServices, call: OAuthCall): Promise<Record<string, unknown>> {
  const token = call.form.get('device_code') ?? required(call, 'code')
  const grant = await services.identity.grants.find(grantId(token))
  if (grant?.kind !== 'device') throw new OAuthError('deviceUnknown')
  const client = await authenticateClient(services, call, await tenantOf(services, grant))
  requireGrantOf(services, call, grant, client.application)
  if (services.now() >= grant.expiresAt) throw new OAuthError('deviceExpired')
  if (grant.state === 'declined') throw new OAuthError('deviceDeclined')
  if (grant.state === 'open') throw new OAuthError('devicePending')
  const user = await userOf(services, grant)
  return redeemed(services, grant, 'deviceUnknown', await signInOf(services, call, client, user, grant))
}

/** RFC 7523 §2.1 as Entra's on-behalf-of flow: a user's token for this application becomes one for the next. */
async function onBehalfOf(services: OAuthServices, call: OAuthCall): Promise<Record<string, unknown>> {
  const assertion = required(call, 'assertion')
  if (call.form.get('requested_token_use') !== 'on_behalf_of') {
    throw new OAuthError('missingParameter', 'requested_token_use')
  }
  const claims = await services.tokens.claimsOf(assertion).catch((error: unknown) => {
    if (!(error instanceof TokenRefused)) throw error
    throw error.fault === 'expired'
      ? new OAuthError('expiredUserAssertion')
      : new OAuthError('wrongUserAssertion', error.message)
  })
  const tenant = (await services.identity.listTenants()).find(({ id }) => id === claims.tid)
  if (tenant === undefined || (call.tenant !== undefined && call.tenant.id !== tenant.id)) {
    throw new OAuthError('wrongUserAssertion', 'It is of another tenant.')
  }
  const client = await authenticateClient(services, call, tenant)
  if (client.proof === 'none') throw new OAuthError('missingCredential')
  const { id, identifierUris } = client.application
  if (!audiencesOf(claims).some((audience) => audience === id || identifierUris.includes(audience))) {
    throw new OAuthError('wrongAudience')
  }
  if (typeof claims.scp !== 'string' || typeof claims.oid !== 'string') throw new OAuthError('appAssertion')
  const user = await services.identity.findUser(tenant.id, claims.oid)
  if (user === undefined) throw new OAuthError('unknownUser', claims.oid)
  return answer(services, await beginSignIn(services, call, client, user))
}

/** Tokens of a new sign-in. */
async function beginSignIn(
  services: OAuthServices,
  call: OAuthCall,
  client: AuthenticatedClient,
  user: User,
): Promise<TokenResponse> {
  const scope = scopeOf(call)
  const requested = await readScope(scope, scopeSurroundings(services, call, user.tenant))
  const signIn: UserSignIn = {
    ...client,
    user,
    requested,
    scope,
    family: services.random.uuid(),
    signedInAt: services.now(),
  }
  return userTokens(services, call, signIn)
}

/** Tokens that follow from a grant; they may be asked for less, more or another resource than it began with. */
async function signInOf(
  services: OAuthServices,
  call: OAuthCall,
  client: AuthenticatedClient,
  user: User,
  grant: Grant,
): Promise<TokenResponse> {
  const { details, family } = grant
  const asked = askedScope(call.form)
  const surroundings = scopeSurroundings(services, call, user.tenant)
  const begun = await readScope(details.scope, surroundings)
  const requested = withOidcOf(asked === '' ? begun : await readScope(asked, surroundings), begun)
  return userTokens(services, call, {
    ...client,
    user,
    requested,
    scope: details.scope,
    family,
    nonce: details.nonce,
    signedInAt: details.signedInAt ?? services.now(),
  })
}

/** Whoever may stay signed in stays so, also where a refresh does not repeat `offline_access`. */
function withOidcOf(requested: RequestedScope, begun: RequestedScope): RequestedScope {
  return { ...requested, oidc: new Set([...requested.oidc, ...begun.oidc]) }
}

/** The grant and its successor change hands in one write; who comes second gets nothing. */
async function redeemed(
  services: OAuthServices,
  grant: Grant,
  whenUsed: OAuthFault,
  response: TokenResponse,
): Promise<Record<string, unknown>> {
  const now = services.now()
  const { grants } = services.identity
  if (grant.state === 'approved' && (await grants.redeem(grant.id, now, response.refresh))) return response.body
  const current = await grants.find(grant.id)
  if (current === undefined) throw new OAuthError('revokedGrant')
  if (current.state !== 'redeemed') throw new OAuthError('expiredGrant')
  // Used twice within moments: one client that repeats itself. Later than that somebody else has it (RFC 9700 §4.14.2).
  if (now - (current.redeemedAt ?? now) > reuseLeewayMs) {
    await grants.revokeFamily(grant.family)
    services.log.info(
      { application: grant.application },
      'a grant was used again: all that followed from it is revoked',
    )
    if (grant.kind === 'refresh') throw new OAuthError('revokedGrant')
  }
  throw new OAuthError(whenUsed)
}

/** A second use of a grant within this time after the first is refused and does no more harm, ms. */
const reuseLeewayMs = 10_000

async function answer(services: OAuthServices, { body, refresh }: TokenResponse): Promise<Record<string, unknown>> {
  if (refresh !== undefined) await services.identity.grants.insert(refresh)
  return body
}

function requireGrantOf(
  { development }: OAuthServices,
  { tenant }: OAuthCall,
  grant: Grant,
  application: Application,
): void {
  if (grant.application !== application.id) throw new OAuthError('otherApplication')
  if (tenant !== undefined && tenant.id !== grant.tenant) throw new OAuthError('otherTenant')
  if (grant.details.isDevelopment === true && !development) throw new OAuthError('revokedGrant')
}

async function tenantOf({ identity }: OAuthServices, { tenant }: Grant): Promise<Tenant | undefined> {
  return (await identity.listTenants()).find(({ id }) => id === tenant)
}

async function userOf({ identity }: OAuthServices, { tenant, user }: Grant): Promise<User> {
  const found = user === undefined ? undefined : await identity.findUser(tenant, user)
  if (found === undefined) throw new OAuthError('unknownUser', user ?? '')
  if (found.kind !== 'user') throw new OAuthError('noSignIn')
  return found
}

function scopeOf({ form }: OAuthCall): string {
  const scope = askedScope(form)
  if (scope === '') throw new OAuthError('missingParameter', 'scope')
  return scope
}

function required({ form }: OAuthCall, name: string): string {
  const value = form.get(name)
  if (value === null || value === '') throw new OAuthError('missingParameter', name)
  return value
}
