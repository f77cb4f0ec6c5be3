import type { Application } from '../identity/application.js'
import { knownPermissions, needsAdministrator } from '../identity/permissions.js'
import type { User } from '../identity/user.js'
import { OAuthError } from './errors.js'
import { grantedScope, readScope, scopeSurroundings } from './scopes.js'
import type { OAuthCall, OAuthServices } from './services.js'

/** Permissions asked for that nobody consented to yet. @throws OAuthError for a scope that cannot be */
export async function wantedPermissions(
  services: OAuthServices,
  call: OAuthCall,
  { application, scope }: { readonly application: Application; readonly scope: string },
  user: User,
): Promise<readonly string[]> {
  const requested = await readScope(scope, scopeSurroundings(services, call, user.tenant))
  const consented = await services.identity.consentOf(user.tenant, user.id, application.id)
  const { missing } = grantedScope(requested, application, consented)
  // Where everybody may be anybody, whoever is picked is an administrator too.
  if (!services.development && requested.resource.kind === 'graph' && missing.some(needsAdministrator)) {
    throw new OAuthError('administratorNeeded', application.id)
  }
  return missing
}

const canonical = new Map(knownPermissions.map((name) => [name.toLowerCase(), name]))

/** Adds to what the user lets the application use, in the spelling that tokens have. */
export async function keepConsent(
  { identity }: OAuthServices,
  application: Application,
  user: User,
  permissions: readonly string[],
): Promise<void> {
  if (permissions.length === 0) return
  const consented = await identity.consentOf(user.tenant, user.id, application.id)
  const added = permissions.map((name) => canonical.get(name.toLowerCase()) ?? name)
  await identity.setConsent(user.tenant, user.id, application.id, [...new Set([...consented, ...added])].sort())
}
