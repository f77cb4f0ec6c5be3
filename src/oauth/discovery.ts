import { cloudOfSignInHost, clouds } from '../identity/clouds.js'
import type { PublicJwk } from '../identity/token.js'
import { OAuthError } from './errors.js'
import type { OAuthCall, OAuthServices } from './services.js'
import { findSigningUser } from './sign-in.js'

/** Where the endpoints of a tenant are, under the name by which the client called us. */
function endpoints({ origin, tenantAsWritten }: OAuthCall) {
  const authority = `${origin}/${tenantAsWritten}`
  return {
    token: `${authority}/oauth2/v2.0/token`,
    authorize: `${authority}/oauth2/v2.0/authorize`,
    deviceCode: `${authority}/oauth2/v2.0/devicecode`,
    logout: `${authority}/oauth2/v2.0/logout`,
    keys: `${authority}/discovery/v2.0/keys`,
  }
}

/** `GET /{tenant}/v2.0/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §3). */
export function openIdConfiguration(call: OAuthCall): Record<string, unknown> {
  const { origin, tenant } = call
  const { token, authorize, deviceCode, logout, keys } = endpoints(call)
  const cloud = cloudOfSignInHost(new URL(origin).hostname) ?? clouds[0]
  const graphHost = cloudOfSignInHost(new URL(origin).hostname)?.graphHost
  const graph = graphHost === undefined ? origin : `https://${graphHost}`
  return {
    token_endpoint: token,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: keys,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: `${origin}/${tenant?.id ?? '{tenantid}'}/v2.0`,
    request_uri_parameter_supported: false,
    authorization_endpoint: authorize,
    device_authorization_endpoint: deviceCode,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: logout,
    claims_supported: [
      ...['sub', 'iss', 'cloud_instance_name', 'cloud_instance_host_name', 'cloud_graph_host_name', 'msgraph_host'],
      ...['aud', 'exp', 'iat', 'auth_time', 'nonce', 'preferred_username', 'name', 'tid', 'ver', 'email'],
    ],
    tenant_region_scope: null,
    cloud_instance_name: cloud?.instanceName,
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: new URL(graph).host,
  }
}

/**
 * `GET /common/discovery/instance`: this server knows itself, and the clouds it stands for when it is called by their names.
 *
 * @throws OAuthError invalidInstance
 */
export function instanceDiscovery(call: OAuthCall): Record<string, unknown> {
  const asked = call.query.get('authorization_endpoint') ?? ''
  const url = URL.canParse(asked) ? new URL(asked) : undefined
  const here = new URL(call.origin)
  const cloud = url && cloudOfSignInHost(url.hostname)
  if (url === undefined || (cloud === undefined && url.host !== here.host)) throw new OAuthError('invalidInstance')
  const [segment = 'common'] = url.pathname.split('/').filter((part) => part !== '')
  const hosts = cloud === undefined ? [here.host] : cloud.signInHosts
  return {
    tenant_discovery_endpoint: `${url.origin}/${segment}/v2.0/.well-known/openid-configuration`,
    'api-version': call.query.get('api-version') ?? '1.1',
    metadata:
      cloud === undefined
        ? [{ preferred_network: here.host, preferred_cache: here.host, aliases: hosts }]
        : distinctClouds().map(({ signInHosts }) => ({
            preferred_network: signInHosts[0],
            preferred_cache: signInHosts[0],
            aliases: signInHosts,
          })),
  }
}

/** Two clouds may share their sign-in. */
function distinctClouds() {
  return clouds.filter(
    ({ signInHosts }, at) => clouds.findIndex((other) => other.signInHosts[0] === signInHosts[0]) === at,
  )
}

/**
 * `GET /{tenant}/discovery/v2.0/keys` (RFC 7517 §5). Looked up at that moment: who meets a key of another process asks here
 * for it, and keeps the answer for long.
 */
export async function keySet(
  { tokens }: OAuthServices,
  call: OAuthCall,
): Promise<{ keys: (PublicJwk & { issuer: string })[] }> {
  await tokens.reloadKeys()
  const issuer = `${call.origin}/${call.tenant?.id ?? '{tenantid}'}/v2.0`
  return { keys: tokens.publicKeys().map((key) => ({ ...key, issuer })) }
}

/** `GET /common/userrealm/{name}`: how the name's domain signs in; MSAL asks before it sends a password. */
export async function userRealm(
  services: OAuthServices,
  call: OAuthCall,
  name: string,
): Promise<Record<string, unknown>> {
  const domain = name.split('@')[1]?.toLowerCase() ?? ''
  const tenants = await services.identity.listTenants()
  const isOurs =
    tenants.some((tenant) => tenant.domain === domain) || (await findSigningUser(services, undefined, name))
  const cloud = cloudOfSignInHost(new URL(call.origin).hostname) ?? clouds[0]
  return {
    ver: '1.0',
    account_type: isOurs ? 'Managed' : 'Unknown',
    domain_name: domain,
    cloud_instance_name: cloud?.instanceName,
    cloud_audience_urn: 'urn:federation:MicrosoftOnline',
  }
}
