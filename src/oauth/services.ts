import { createHash } from 'node:crypto'
import type { Application } from '../identity/application.js'
import { developmentApplication } from '../identity/development.js'
import type { Seals } from '../identity/seal.js'
import type { IdentityStore } from '../identity/store.js'
import type { Tenant } from '../identity/tenant.js'
import type { Tokens } from '../identity/token.js'
import { OAuthError } from './errors.js'

/** What the token endpoints stand on. */
export interface OAuthServices {
  readonly identity: IdentityStore
  readonly tokens: Tokens
  readonly seals: Seals
  /** ms since 1970 */
  readonly now: () => number
  readonly random: { bytes(count: number): Uint8Array; uuid(): string }
  /** Host names that mean this server, without port. */
  readonly ownHosts: readonly string[]
  /** Origin of our addresses, when it is not what the client called (behind a proxy). */
  readonly publicUrl: string | undefined
  /**
   * Nothing can leave the machine: users are picked from a list instead of asked for a password, and the development
   * application with its known secret may sign in.
   */
  readonly development: boolean
  /** Told of every request, refused ones too; it does not make anybody wait. */
  readonly record: (record: SignInRecord) => void
  readonly log: { error(fields: object, message: string): void; info(fields: object, message: string): void }
}

/** One request to the sign-in side, for people to look at: nothing of what it carried. */
export interface SignInRecord {
  readonly requestId: string
  readonly clientRequestId: string
  /** When it began, ms since 1970. */
  readonly at: number
  readonly durationMs: number
  readonly method: string
  /** Without the query, which may hold names and states. */
  readonly url: string
  readonly status: number
  /** `invalid_client` and the like, when refused. */
  readonly error: string | undefined
  /** The sentence that the client was told. */
  readonly reason: string | undefined
  readonly application: string | undefined
}

/** One request to the sign-in side, read. */
export interface OAuthCall {
  /** First segment of the path, as written. */
  readonly tenantAsWritten: string
  /** undefined: `common` or `organizations`. */
  readonly tenant: Tenant | undefined
  /** The older endpoints, without `v2.0` in the path. */
  readonly isV1: boolean
  /** Scheme, host and port that the client used: what every address in an answer begins with. */
  readonly origin: string
  readonly query: URLSearchParams
  /** Of a POST; empty for others. */
  readonly form: URLSearchParams
  readonly authorization: string | undefined
  readonly cookies: ReadonlyMap<string, string>
  readonly traceId: string
  readonly correlationId: string
}

const everyTenant = new Set(['common', 'organizations'])

/** The tenant a path names by its id or domain; undefined for all of them. @throws OAuthError unknownTenant, tenantNeeded */
export async function tenantNamed(identity: IdentityStore, name: string): Promise<Tenant | undefined> {
  const lower = name.toLowerCase()
  if (everyTenant.has(lower)) return undefined
  if (lower === 'consumers') throw new OAuthError('tenantNeeded')
  const found = (await identity.listTenants()).find(({ id, domain }) => id === lower || domain === lower)
  if (found === undefined) throw new OAuthError('unknownTenant', name)
  return found
}

/** GUID of a tenant, or any of them. */
export async function tenantsOf({ identity }: OAuthServices, tenant: Tenant | undefined): Promise<readonly Tenant[]> {
  return tenant === undefined ? identity.listTenants() : [tenant]
}

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The application with this client id, in the tenant or in the first that has it.
 *
 * @throws OAuthError missingParameter, malformedApplicationId, unknownApplication
 */
export async function applicationNamed(
  services: OAuthServices,
  tenant: Tenant | undefined,
  id: string | null | undefined,
): Promise<Application> {
  if (id === null || id === undefined || id === '') throw new OAuthError('missingParameter', 'client_id')
  if (!guid.test(id)) throw new OAuthError('malformedApplicationId', id)
  const isClosed = id.toLowerCase() === developmentApplication && !services.development
  if (!isClosed) {
    for (const { id: tenantId } of await tenantsOf(services, tenant)) {
      const found = await services.identity.findApplication(tenantId, id)
      if (found !== undefined) return found
    }
  }
  throw new OAuthError('unknownApplication', id)
}

/** What a client is given to present later: 256 random bits. */
export function newGrantToken({ random }: OAuthServices): string {
  return `1.${Buffer.from(random.bytes(32)).toString('base64url')}`
}

/** What is kept of it. */
export function grantId(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** Marks what is begun without a real proof of who somebody is; it must not outlive the development identity. */
export function begunHere({ development }: OAuthServices): { isDevelopment?: true } {
  return development ? { isDevelopment: true } : {}
}
