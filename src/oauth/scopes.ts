import type { Application } from '../identity/application.js'
import { type Cloud, cloudOfGraphHost, cloudOfSignInHost, clouds, graphApplicationId } from '../identity/clouds.js'
import type { IdentityStore } from '../identity/store.js'
import { audienceReader } from '../identity/token-check.js'
import { OAuthError } from './errors.js'
import type { OAuthCall, OAuthServices } from './services.js'

/** What a `scope` parameter asks for: one resource, and permissions there. */
export interface RequestedScope {
  readonly resource: Resource
  /** Short names as written; empty with `.default`. */
  readonly permissions: readonly string[]
  /** `/.default`: what was consented to already. */
  readonly isDefault: boolean
  /** `openid`, `profile`, `email`, `offline_access`. */
  readonly oidc: ReadonlySet<string>
  /** Every part as written, for the answer: clients look tokens up by what they asked. */
  readonly asWritten: readonly string[]
}

/** What tokens are for. */
export interface Resource {
  readonly kind: 'graph' | 'application'
  /** `aud` of its tokens. */
  readonly audience: string
  /** What stands before the permission's name, with the slash; empty when only bare names were written. */
  readonly prefix: string
  readonly cloud: Cloud | undefined
}

const oidcScopes = new Set(['openid', 'profile', 'email', 'offline_access'])

/**
 * The `scope` of a request. The older endpoints name a `resource` instead, beside nothing or `openid`; empty when there is
 * neither.
 */
export function askedScope(parameters: URLSearchParams): string {
  const scope = (parameters.get('scope') ?? '').trim()
  const resource = parameters.get('resource')
  const namesPermissions = scope.split(/\s+/).some((part) => part !== '' && !oidcScopes.has(part.toLowerCase()))
  return resource === null || namesPermissions ? scope : `${scope} ${resource}/.default`.trim()
}

/** The lengths and letters a permission may have: `Mail.Send`, `access_as_user`. */
const permissionName = /^[A-Za-z][\w.-]{0,119}$/
const maxScopes = 100

export interface ScopeSurroundings {
  readonly tenant: string
  readonly store: Pick<IdentityStore, 'findResource'>
  /** Host names that mean this server, without port. */
  readonly ownHosts: readonly string[]
  /** Where the client signs in; undefined at a name of our own, where Graph of every cloud can be had. */
  readonly cloud: Cloud | undefined
}

/** What is around a scope that is asked for in a call. @param tenant its id */
export function scopeSurroundings(
  { identity, ownHosts }: Pick<OAuthServices, 'identity' | 'ownHosts'>,
  { origin }: Pick<OAuthCall, 'origin'>,
  tenant: string,
): ScopeSurroundings {
  return { tenant, store: identity, ownHosts, cloud: cloudOfSignInHost(new URL(origin).hostname) }
}

/**
 * Reads a `scope` parameter. A bare name is Graph's; a resource that ends in a slash keeps it before `/.default`.
 *
 * @throws OAuthError invalidScope, manyResources, unknownResource
 */
export async function readScope(text: string, surroundings: ScopeSurroundings): Promise<RequestedScope> {
  const asWritten = [...new Set(text.split(/\s+/).filter((part) => part !== ''))]
  if (asWritten.length > maxScopes) throw new OAuthError('invalidScope', `${asWritten.length} scopes`)
  const oidc = new Set<string>()
  const resources = new Set<string>()
  const permissions: string[] = []
  for (const part of asWritten) {
    if (oidcScopes.has(part.toLowerCase())) {
      oidc.add(part.toLowerCase())
      continue
    }
    const slash = part.lastIndexOf('/')
    const name = part.slice(slash + 1)
    if (name.toLowerCase() !== '.default' && !permissionName.test(name)) throw new OAuthError('invalidScope', text)
    resources.add(slash === -1 ? '' : part.slice(0, slash))
    permissions.push(name)
  }
  const isDefault = permissions.some((name) => name.toLowerCase() === '.default')
  if (isDefault && permissions.length > 1) throw new OAuthError('invalidScope', text)
  const resource = await oneResource([...resources], surroundings)
  return { resource, permissions: isDefault ? [] : permissions, isDefault, oidc, asWritten }
}

/** Names of Graph may be mixed: a bare name beside `https://graph.microsoft.com/...` is the same resource. */
async function oneResource(names: readonly string[], surroundings: ScopeSurroundings): Promise<Resource> {
  const found = await Promise.all(names.map((name) => resourceNamed(name, surroundings)))
  const [first = graph('', surroundings.cloud)] = found.filter(({ prefix }) => prefix !== '')
  const isSame = (resource: Resource) =>
    resource.kind === first.kind && (resource.kind === 'graph' || resource.audience === first.audience)
  if (!found.every(isSame)) throw new OAuthError('manyResources')
  return first
}

async function resourceNamed(name: string, surroundings: ScopeSurroundings): Promise<Resource> {
  const { tenant, store, ownHosts, cloud } = surroundings
  if (name === '') return graph('', cloud)
  if (audienceReader(ownHosts)(name) !== undefined) {
    const named = URL.canParse(name) ? cloudOfGraphHost(new URL(name).hostname) : undefined
    // The two of the US Government have one sign-in.
    if (named !== undefined && cloud !== undefined && named.signInHosts[0] !== cloud.signInHosts[0]) {
      throw new OAuthError('unknownResource', name)
    }
    return graph(name, named ?? cloud)
  }
  const application = await store.findResource(tenant, name)
  if (application === undefined) throw new OAuthError('unknownResource', name)
  return { kind: 'application', audience: name, prefix: `${name}/`, cloud }
}

/** The audience keeps the spelling of an address, as the service does; its application id stands for a bare name. */
function graph(name: string, cloud: Cloud | undefined): Resource {
  return {
    kind: 'graph',
    audience: name === '' ? graphApplicationId : name,
    prefix: name === '' ? '' : `${name}/`,
    cloud,
  }
}

/** The cloud whose names a token bears. */
export function cloudOfResource({ cloud }: Resource): Cloud {
  return cloud ?? (clouds[0] as Cloud)
}

/** What the user let the application use of what it asks, in the spelling asked for. */
export interface GrantedScope {
  /** Short names: the `scp` of the token. */
  readonly permissions: readonly string[]
  /** Asked for and not consented to. */
  readonly missing: readonly string[]
  /** The `scope` member of the answer. */
  readonly answer: string
}

/** @param consented lower case */
export function grantedScope(
  requested: RequestedScope,
  application: Application,
  consented: readonly string[],
): GrantedScope {
  const { resource, isDefault, oidc, asWritten } = requested
  const allowed = new Map([...application.delegatedPermissions, ...consented].map((name) => [name.toLowerCase(), name]))
  // What an application of the tenant offers needs nobody's consent but its user's sign-in.
  const isAllowed = (name: string) => resource.kind === 'application' || allowed.has(name.toLowerCase())
  const wanted = isDefault ? defaultPermissions(resource, [...allowed.values()]) : requested.permissions
  // By their own names, however they were written: who reads the token may compare them.
  const permissions = wanted.filter(isAllowed).map((name) => allowed.get(name.toLowerCase()) ?? name)
  const shown = isDefault
    ? [...permissions.map((name) => resource.prefix + name), `${resource.prefix}.default`, ...oidc]
    : asWritten.filter((part) => oidcScopes.has(part.toLowerCase()) || isAllowed(part.slice(part.lastIndexOf('/') + 1)))
  return {
    permissions: [...permissions, ...[...oidc].filter((name) => name !== 'offline_access')],
    missing: wanted.filter((name) => !isAllowed(name)),
    answer: shown.filter((part) => part.toLowerCase() !== 'offline_access').join(' '),
  }
}

function defaultPermissions(resource: Resource, consented: readonly string[]): readonly string[] {
  return resource.kind === 'application' ? ['access_as_user'] : consented
}
