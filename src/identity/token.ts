// Each by its own path: the package as a whole would load encryption too.
import type { JWTPayload } from 'jose'
import { decodeJwt } from 'jose/jwt/decode'
import { SignJWT } from 'jose/jwt/sign'
import { jwtVerify } from 'jose/jwt/verify'
import type { Caller } from './caller.js'
import { type Cloud, clouds, graphApplicationId } from './clouds.js'
import type { KeyRing } from './key-ring.js'
import { grantedSet } from './permissions.js'
import { signingAlgorithm } from './signing-key.js'
import {
  audienceReader,
  audiencesOf,
  clockToleranceSeconds,
  type GraphAudience,
  refusalOf,
  TokenRefused,
} from './token-check.js'
import type { TrustedIssuers } from './trusted-issuer.js'

/** What a token says of its bearer. */
export interface TokenGrant {
  readonly tenant: string
  readonly application: string
  readonly applicationName: string
  /** `oid` of an application that acts as itself; its client id unless given. */
  readonly applicationObject?: string
  /** How the application proved itself: not at all, by a secret, by a certificate. */
  readonly proof?: 'none' | 'secret' | 'certificate'
  /** Absent: the application acts as itself, and the permissions are its roles. */
  readonly user?: { readonly id: string; readonly userPrincipalName: string; readonly displayName: string }
  readonly permissions: readonly string[]
  /** Graph's application id unless given. */
  readonly audience?: string
  /** The global one unless given. */
  readonly cloud?: Cloud
  readonly lifetimeSeconds: number
}

/** Issues and checks tokens. */
export interface Tokens {
  /** An access token in the v1.0 shape that Graph itself asks for. */
  issue(grant: TokenGrant): Promise<string>
  /** Signs other claims, as those of an id token, with the same keys. */
  sign(claims: JWTPayload, lifetimeSeconds: number): Promise<string>
  /** The bearer of a token for Graph, or @throws TokenRefused */
  verify(token: string): Promise<Caller>
  /** The bearer when this very token was verified before and is still valid: what spares the signature check. */
  verified(token: string): Caller | undefined
  /**
   * Claims of a token of ours, whomever it is for.
   *
   * @throws TokenRefused
   */
  claimsOf(token: string): Promise<JWTPayload>
  /** Public halves of the keys, as RFC 7517 writes them. */
  publicKeys(): readonly PublicJwk[]
  /** Takes over keys that were added to the store, and forgets what was verified by those that were removed. */
  reloadKeys(): Promise<void>
}

export interface PublicJwk {
  readonly kty: 'RSA'
  readonly use: 'sig'
  readonly alg: typeof signingAlgorithm
  readonly kid: string
  readonly n: string
  readonly e: string
}

interface Remembered {
  readonly token: string
  readonly caller: Caller
  /** Of our own keys; undefined when another issuer's signed. */
  readonly kid: string | undefined
  /** ms since 1970; not after the token's own end. */
  readonly until: number
}

/** Verified tokens remembered at most; the oldest make room. */
const maxRemembered = 10_000

/** How long a token of another issuer is believed without asking for its keys again, ms. */
const rememberForeignMs = 300_000

export interface TokenSurroundings {
  readonly ring: KeyRing
  /** Whether a tenant is on this server. A token of another is not taken, even when our key signed it. */
  readonly isTenant: (id: string) => Promise<boolean>
  /** Others whose tokens are taken too. */
  readonly trusted?: TrustedIssuers
  /** Host names by which this server's own address may stand in an audience, beside those that always mean this machine. */
  readonly ownHosts?: readonly string[]
  /** ms since 1970 */
  readonly now: () => number
  readonly uuid: () => string
}

export function tokensOf({ ring, isTenant, trusted, ownHosts = [], now, uuid }: TokenSurroundings): Tokens {
  const remembered = new Map<string, Remembered>()
  const audience = audienceReader(ownHosts)

  const sign = (claims: JWTPayload, lifetimeSeconds: number) => {
    const seconds = Math.floor(now() / 1000)
    const { id, key } = ring.signing
    return new SignJWT(claims)
      .setProtectedHeader({ alg: signingAlgorithm, typ: 'JWT', kid: id })
      .setIssuedAt(seconds)
      .setNotBefore(seconds)
      .setExpirationTime(seconds + lifetimeSeconds)
      .sign(key)
  }
  const isKept = (kid: string | undefined) => kid === undefined || ring.keys.some(({ id }) => id === kid)

  return {
    sign,
    issue: (grant) => sign({ ...accessClaims(grant), uti: uuid() }, grant.lifetimeSeconds),

    verified: (token) => {
      const known = remembered.get(tailOf(token))
      if (known === undefined || known.token !== token) return undefined
      if (now() < known.until) return known.caller
      remembered.delete(tailOf(token))
      return undefined
    },

    verify: async (token) => {
      const found = await bearerOf(token, { ring, isTenant, trusted, audience, now: now() })
      // Its key may have been removed while the signature was checked: what is remembered from now on would stay.
      if (!isKept(found.kid)) throw unknownKey()
      if (remembered.size >= maxRemembered) remembered.delete(remembered.keys().next().value ?? '')
      const { caller, kid } = found
      const until = kid === undefined ? Math.min(caller.expiresAt, now() + rememberForeignMs) : caller.expiresAt
      remembered.set(tailOf(token), { token, caller, kid, until })
      return caller
    },

    claimsOf: async (token) => (await verifyOwn(ring, token, now())).payload,

    publicKeys: () =>
      ring.keys.map(({ id, privateJwk: { n = '', e = '' } }) => ({
        kty: 'RSA',
        use: 'sig',
        alg: signingAlgorithm,
        kid: id,
        n,
        e,
      })),

    reloadKeys: async () => {
      await ring.reload()
      for (const [tail, { kid }] of remembered) if (!isKept(kid)) remembered.delete(tail)
    },
  }
}

/** The end of the signature: enough to find a token by, and far quicker to hash than all of it. The whole is compared. */
function tailOf(token: string): string {
  return token.slice(-48)
}

/** The v1.0 shape of claims, which the real Graph gets whichever endpoint was asked. */
function accessClaims(grant: TokenGrant): JWTPayload {
  const { tenant, application, applicationName, user, cloud = clouds[0] as Cloud } = grant
  const proof = grant.proof ?? (user === undefined ? 'secret' : 'none')
  const object = grant.applicationObject ?? application
  return {
    ver: '1.0',
    iss: `https://${cloud.issuerHost}/${tenant}/`,
    aud: grant.audience ?? graphApplicationId,
    tid: tenant,
    appid: application,
    appidacr: { none: '0', secret: '1', certificate: '2' }[proof],
    app_displayname: applicationName,
    ...(user === undefined
      ? {
          idtyp: 'app',
          oid: object,
          sub: object,
          // Without any permission the claim is missing: such a token signs in and is then refused.
          ...(grant.permissions.length === 0 ? {} : { roles: grant.permissions }),
        }
      : {
          idtyp: 'user',
          oid: user.id,
          sub: user.id,
          upn: user.userPrincipalName,
          unique_name: user.userPrincipalName,
          name: user.displayName,
          scp: grant.permissions.join(' '),
        }),
  }
}

interface Checks {
  readonly ring: KeyRing
  readonly isTenant: (id: string) => Promise<boolean>
  readonly trusted: TrustedIssuers | undefined
  readonly audience: (audience: string) => GraphAudience | undefined
  readonly now: number
}

async function bearerOf(token: string, checks: Checks): Promise<{ caller: Caller; kid: string | undefined }> {
  const { trusted, audience, now } = checks
  const foreign = trusted === undefined ? undefined : await trusted.verify(issuerOf(token), token)
  if (foreign !== undefined) return { caller: foreign, kid: undefined }
  const { payload, kid } = await verifyOwn(checks.ring, token, now)
  const found = audiencesOf(payload)
    .map(audience)
    .find((read) => read !== undefined)
  if (found === undefined) throw new TokenRefused('audience', 'The token is for another resource than Graph.')
  requireOwnIssuer(payload)
  await requireTenant(payload, checks)
  return { caller: callerOf(payload, found.cloud), kid }
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

async function verifyOwn(ring: KeyRing, token: string, now: number): Promise<{ payload: JWTPayload; kid: string }> {
  if (!token.includes('.')) throw new TokenRefused('malformed', 'The token is not a JWT: it has no dots.')
  try {
    // The algorithm is fixed by us and the key by its id among ours: nothing in the header chooses either.
    const { payload, protectedHeader } = await jwtVerify(
      token,
      async ({ kid }) => {
        const key = typeof kid === 'string' ? await ring.find(kid) : undefined
        if (key !== undefined) return key
        throw unknownKey()
      },
      {
        algorithms: [signingAlgorithm],
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(now),
        requiredClaims: ['exp', 'tid', 'iss', 'aud'],
      },
    )
    return { payload, kid: protectedHeader.kid ?? '' }
  } catch (error) {
    throw refusalOf(error)
  }
}

function unknownKey(): TokenRefused {
  return new TokenRefused('invalid', 'The token is signed by a key this server does not know.')
}

const issuerHosts = new Set(clouds.map((cloud) => cloud.issuerHost))

/** `https://sts.windows.net/{tid}/` of v1.0 tokens, `https://{authority}/{tid}/v2.0` of v2.0 ones. */
function requireOwnIssuer({ iss = '', tid }: JWTPayload): void {
  const { hostname, pathname } = URL.canParse(iss) ? new URL(iss) : { hostname: '', pathname: '' }
  const isV1 = issuerHosts.has(hostname) && pathname === `/${tid}/`
  if (!isV1 && pathname !== `/${tid}/v2.0`) {
    throw new TokenRefused('invalid', 'The issuer is not that of the tenant.')
  }
}

async function requireTenant({ tid }: JWTPayload, { isTenant }: Checks): Promise<void> {
  if (typeof tid === 'string' && (await isTenant(tid))) return
  throw new TokenRefused('invalid', 'The token is of a tenant that is not on this server.')
}

function callerOf(payload: JWTPayload, cloud: Cloud['name'] | undefined): Caller {
  const text = (claim: string) => {
    const value = payload[claim]
    return typeof value === 'string' ? value : undefined
  }
  const scopes = text('scp')
  const roles = Array.isArray(payload.roles) ? payload.roles.filter((role) => typeof role === 'string') : []
  const user = scopes === undefined ? undefined : text('oid')
  if (scopes !== undefined && user === undefined) throw new TokenRefused('invalid', 'A user token needs an oid.')
  return {
    tenant: text('tid') ?? '',
    application: text('appid') ?? text('azp') ?? '',
    user: user?.toLowerCase(),
    permissions: grantedSet(scopes === undefined ? roles : scopes.split(' ')),
    cloud,
    expiresAt: (payload.exp ?? 0) * 1000,
  }
}
