import { createHash } from 'node:crypto'
import type { Application } from '../identity/application.js'
import type { Grant } from '../identity/grant.js'
import type { User } from '../identity/user.js'
import type { AuthenticatedClient } from './client-authentication.js'
import { OAuthError } from './errors.js'
import { cloudOfResource, type GrantedScope, grantedScope, type RequestedScope } from './scopes.js'
import { begunHere, grantId, newGrantToken, type OAuthCall, type OAuthServices } from './services.js'

/** As the service's usual answer says it. */
export const accessLifetimeSeconds = 3_599
/** Ninety days without use, as the service keeps refresh tokens. */
const refreshLifetimeMs = 90 * 86_400_000

/** A user's sign-in, about to become tokens. */
export interface UserSignIn extends AuthenticatedClient {
  readonly user: User
  readonly requested: RequestedScope
  /** The `scope` as the refresh token is to keep it. */
  readonly scope: string
  /** All tokens of one sign-in have one. */
  readonly family: string
  readonly nonce?: string | undefined
  readonly signedInAt: number
}

/** An answer of the token endpoint, and the refresh token's record that must be kept before it leaves. */
export interface TokenResponse {
  readonly body: Record<string, unknown>
  readonly refresh: Grant | undefined
}

/** What the user let the application use. @throws OAuthError notConsented */
export async function consentedScope(
  services: OAuthServices,
  application: Application,
  user: User,
  requested: RequestedScope,
): Promise<GrantedScope> {
  const consented = await services.identity.consentOf(user.tenant, user.id, application.id)
  const granted = grantedScope(requested, application, consented)
  const isNothing = granted.permissions.length === 0 && requested.isDefault
  if (granted.missing.length > 0 || isNothing) throw new OAuthError('notConsented', application.id)
  return granted
}

/** Tokens for a user: access token, and refresh and id token where they were asked for. */
export async function userTokens(services: OAuthServices, call: OAuthCall, signIn: UserSignIn): Promise<TokenResponse> {
  const { application, proof, user, requested } = signIn
  const granted = await consentedScope(services, application, user, requested)
  const accessToken = await services.tokens.issue({
    tenant: user.tenant,
    application: application.id,
    applicationName: application.displayName,
    proof,
    user,
    permissions: granted.permissions,
    audience: requested.resource.audience,
    cloud: cloudOfResource(requested.resource),
    lifetimeSeconds: accessLifetimeSeconds,
  })
  const refreshToken = requested.oidc.has('offline_access') ? newGrantToken(services) : undefined
  const wantsInfo = call.form.get('client_info') === '1' || call.query.get('client_info') === '1'
  return {
    body: {
      token_type: 'Bearer',
      scope: granted.answer,
      expires_in: accessLifetimeSeconds,
      ext_expires_in: accessLifetimeSeconds,
      access_token: accessToken,
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      ...(requested.oidc.has('openid') ? { id_token: await idToken(services, call, signIn) } : {}),
      ...(wantsInfo ? { client_info: clientInfo(user) } : {}),
    },
    refresh: refreshToken === undefined ? undefined : refreshGrant(services, signIn, refreshToken),
  }
}

/** base64url without padding of the account's ids: MSAL builds its home account id of it. */
export function clientInfo({ id, tenant }: User): string {
  return Buffer.from(JSON.stringify({ uid: id, utid: tenant })).toString('base64url')
}

export function idToken(
  services: OAuthServices,
  call: OAuthCall,
  { application, user, requested, nonce, signedInAt }: UserSignIn,
): Promise<string> {
  return services.tokens.sign(
    {
      ver: '2.0',
      iss: `${call.origin}/${user.tenant}/v2.0`,
      aud: application.id,
      // Differs from application to application, so that none can recognise the other's users.
      sub: createHash('sha256').update(`${application.id} ${user.id}`).digest('base64url'),
      name: user.displayName,
      preferred_username: user.userPrincipalName,
      oid: user.id,
      tid: user.tenant,
      auth_time: Math.floor(signedInAt / 1000),
      ...(nonce === undefined ? {} : { nonce }),
      ...(requested.oidc.has('email') ? { email: user.mail } : {}),
      uti: services.random.uuid(),
    },
    accessLifetimeSeconds,
  )
}

function refreshGrant(services: OAuthServices, signIn: UserSignIn, token: string): Grant {
  return {
    id: grantId(token),
    kind: 'refresh',
    state: 'approved',
    tenant: signIn.user.tenant,
    application: signIn.application.id,
    user: signIn.user.id,
    userCode: undefined,
    family: signIn.family,
    details: { scope: signIn.scope, signedInAt: signIn.signedInAt, ...begunHere(services) },
    expiresAt: services.now() + refreshLifetimeMs,
    redeemedAt: undefined,
  }
}
