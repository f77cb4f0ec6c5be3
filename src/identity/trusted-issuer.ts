import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from 'jose'
import * as errors from 'jose/errors'
import { createLocalJWKSet } from 'jose/jwks/local'
import { jwtVerify } from 'jose/jwt/verify'
import type { Caller } from './caller.js'
import { graphApplicationId } from './clouds.js'
import { grantedSet } from './permissions.js'
import type { IdentityStore } from './store.js'
import { audienceReader, audiencesOf, clockToleranceSeconds, refusalOf, TokenRefused } from './token-check.js'

/**
 * Other OpenID providers whose tokens are taken: Entra itself, Keycloak, an emulator. Their keys are found by discovery
 * (OpenID Connect Discovery 1.0 §4) and fetched anew when a token names one that is not known.
 *
 * A user of theirs is a user of ours by object id, or else by user principal name or address.
 */
export interface TrustedIssuers {
  /** The bearer when the issuer is one of those; undefined when it is not. @throws TokenRefused */
  verify(issuer: string | undefined, token: string): Promise<Caller | undefined>
}

export interface TrustedIssuerOptions {
  /** `iss` of their tokens, and where discovery begins, without `/.well-known/...`. */
  readonly issuers: readonly string[]
  /** Values of `aud` that mean us, beside Graph's own. */
  readonly audiences: readonly string[]
  /** Whose users and mailboxes their tokens open. */
  readonly tenant: string
  readonly store: Pick<IdentityStore, 'findUser'>
  readonly ownHosts: readonly string[]
  /** ms since 1970 */
  readonly now: () => number
}

/** Signatures that are taken (RFC 8725 §3.1): never `none`, never a shared secret. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

/** How long keys are believed without asking again, and how soon a missing one may be asked for, ms. */
const keysMaxAgeMs = 300_000
const keysCooldownMs = 5_000
const fetchTimeoutMs = 5_000
const maxDocumentBytes = 1_048_576

export function trustedIssuersOf(options: TrustedIssuerOptions): TrustedIssuers {
  const known = new Map<string, Promise<JWTVerifyGetKey>>()
  const isGraph = audienceReader(options.ownHosts)
  const keysOf = (issuer: string) => {
    const found = known.get(issuer)
    if (found !== undefined) return found
    const asked = discoverKeys(issuer, options.now).catch((error: unknown) => {
      known.delete(issuer)
      throw unreachable(issuer, error)
    })
    known.set(issuer, asked)
    return asked
  }
  return {
    verify: async (issuer, token) => {
      if (issuer === undefined || !options.issuers.includes(issuer)) return undefined
      const keys = await keysOf(issuer)
      try {
        const { payload } = await jwtVerify(token, keys, {
          algorithms,
          issuer,
          clockTolerance: clockToleranceSeconds,
          currentDate: new Date(options.now()),
          requiredClaims: ['exp', 'aud'],
        })
        const isForUs = audiencesOf(payload).some(
          (audience) => options.audiences.includes(audience) || isGraph(audience) !== undefined,
        )
        if (!isForUs) throw new TokenRefused('audience', `The token is for ${audiencesOf(payload).join(', ')}.`)
        return await callerOf(payload, options)
      } catch (error) {
        throw refusalOf(error)
      }
    },
  }
}

function unreachable(issuer: string, error: unknown): TokenRefused {
  const why = error instanceof Error ? error.message : String(error)
  return new TokenRefused('invalid', `The keys of ${issuer} could not be fetched: ${why}`)
}

async function discoverKeys(issuer: string, now: () => number): Promise<JWTVerifyGetKey> {
  const document = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const { jwks_uri: uri, issuer: named } = document as { jwks_uri?: unknown; issuer?: unknown }
  if (typeof uri !== 'string') throw new Error('its discovery document names no jwks_uri')
  // Entra's v1.0 tokens are issued by another name than the one its document is found under.
  if (named !== issuer && new URL(String(named)).origin !== new URL(issuer).origin) {
    throw new Error(`its discovery document is of ${String(named)}`)
  }
  return keysAt(uri, issuer, now)
}

/**
 * Keys that are fetched when they are needed, when they are too old, and when a token names one that is not among them;
 * once for all who wait. By our clock, so that a key taken back there is noticed in the time that is promised here.
 */
function keysAt(uri: string, issuer: string, now: () => number): JWTVerifyGetKey {
  let keys: JWTVerifyGetKey | undefined
  let fetchedAt = Number.NEGATIVE_INFINITY
  let fetching: Promise<JWTVerifyGetKey> | undefined
  const fetchKeys = async () => {
    try {
      keys = createLocalJWKSet((await fetchJson(uri)) as JSONWebKeySet)
      fetchedAt = now()
      return keys
    } catch (error) {
      throw unreachable(issuer, error)
    } finally {
      fetching = undefined
    }
  }
  const fetched = () => {
    fetching ??= fetchKeys()
    return fetching
  }
  return async (header, token) => {
    const age = Math.abs(now() - fetchedAt)
    const known = keys !== undefined && age < keysMaxAgeMs ? keys : await fetched()
    try {
      return await known(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || Math.abs(now() - fetchedAt) < keysCooldownMs) throw error
      return (await fetched())(header, token)
    }
  }
}

async function fetchJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs), redirect: 'error' })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > maxDocumentBytes) throw new Error(`${url} answered more than a megabyte`)
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString())
}

async function callerOf(payload: JWTPayload, { tenant, store }: TrustedIssuerOptions): Promise<Caller> {
  const text = (...claims: string[]) =>
    claims.map((claim) => payload[claim]).find((value): value is string => typeof value === 'string' && value !== '')
  const roles = Array.isArray(payload.roles) ? payload.roles.filter((role) => typeof role === 'string') : []
  // Entra says `scp`, RFC 8693 and Keycloak say `scope`.
  const scopes = text('scp') ?? (roles.length > 0 ? undefined : text('scope'))
  const application = text('appid', 'azp', 'client_id') ?? ''
  const expiresAt = (payload.exp ?? 0) * 1000
  const common = { tenant, application, cloud: undefined, expiresAt }
  if (payload.idtyp === 'app' || scopes === undefined) {
    return { ...common, user: undefined, permissions: grantedSet(roles) }
  }
  const names = ['oid', 'upn', 'preferred_username', 'email', 'unique_name'].map((claim) => text(claim))
  for (const name of names) {
    const user = name === undefined ? undefined : await store.findUser(tenant, name)
    // Nobody signs in as a shared mailbox, wherever they do it.
    if (user?.kind === 'user') return { ...common, user: user.id, permissions: permissionsIn(scopes) }
  }
  throw new TokenRefused(
    'invalid',
    `The token's user (${names.find((name) => name !== undefined)}) has no mailbox here.`,
  )
}

/** `https://graph.microsoft.com/Mail.Send` and `{id}/Mail.Send` are `Mail.Send`. */
function permissionsIn(scopes: string): ReadonlySet<string> {
  return grantedSet(
    scopes.split(' ').map((scope) => {
      const slash = scope.lastIndexOf('/')
      const resource = scope.slice(0, Math.max(0, slash))
      return resource.startsWith('https://') || resource === graphApplicationId ? scope.slice(slash + 1) : scope
    }),
  )
}
