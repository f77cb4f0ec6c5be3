import { type CryptoKey, errors, jwtVerify, SignJWT } from 'jose'
import type { Caller } from './caller.js'
import { graphApplicationId } from './clouds.js'
import { grantedSet } from './permissions.js'
import { privateKeyOf, publicKeyOf, type SigningKey, signingAlgorithm } from './signing-key.js'

const audiences = [graphApplicationId, 'https://graph.microsoft.com', 'https://graph.microsoft.com/']

/** RFC 7519 leaves "some small leeway"; two clocks may differ by this much, seconds. */
const clockToleranceSeconds = 300

/** What a token says of its bearer. */
export interface TokenGrant {
  readonly tenant: string
  readonly application: string
  readonly applicationName: string
  /** Absent: the application acts as itself, and the permissions are its roles. */
  readonly user?: { readonly id: string; readonly userPrincipalName: string; readonly displayName: string }
  readonly permissions: readonly string[]
  readonly lifetimeSeconds: number
}

/** Why a token was refused. */
export type TokenFault = 'malformed' | 'expired' | 'audience' | 'invalid'

export class TokenRefused extends Error {
  readonly fault: TokenFault

  constructor(fault: TokenFault, message: string) {
    super(message)
    this.name = 'TokenRefused'
    this.fault = fault
  }
}

/** Issues and checks access tokens with the server's own keys. */
export interface Tokens {
  /** An access token in the v1.0 shape that Graph itself asks for. */
  issue(grant: TokenGrant): Promise<string>
  /** The bearer, or @throws TokenRefused */
  verify(token: string): Promise<Caller>
  /** The bearer when this very token was verified before and is still valid: what spares the signature check. */
  verified(token: string): Caller | undefined
}

/** Verified tokens remembered at most; the oldest make room. */
const maxRemembered = 10_000

/**
 * @param keys newest first; the newest signs, all of them verify
 * @param now ms since 1970
 */
export async function tokensOf(keys: readonly SigningKey[], now: () => number, uuid: () => string): Promise<Tokens> {
  const [newest] = keys
  if (newest === undefined) throw new Error('no key to sign with')
  const signing = await privateKeyOf(newest)
  const verifying = new Map<string, CryptoKey>()
  for (const key of keys) verifying.set(key.id, await publicKeyOf(key))
  const remembered = new Map<string, { token: string; caller: Caller }>()

  return {
    issue: (grant) => sign(grant, signing, newest.id, now(), uuid()),

    verified: (token) => {
      const known = remembered.get(tailOf(token))
      if (known === undefined || known.token !== token) return undefined
      if (now() < known.caller.expiresAt) return known.caller
      remembered.delete(tailOf(token))
      return undefined
    },

    verify: async (token) => {
      const caller = await verifyWith(verifying, token, now())
      if (remembered.size >= maxRemembered) remembered.delete(remembered.keys().next().value ?? '')
      remembered.set(tailOf(token), { token, caller })
      return caller
    },
  }
}

/** The end of the signature: enough to find a token by, and far quicker to hash than all of it. The whole is compared. */
function tailOf(token: string): string {
  return token.slice(-48)
}

/** The v1.0 shape of claims, which the real Graph gets whichever endpoint was asked. */
async function sign(grant: TokenGrant, key: CryptoKey, kid: string, nowMs: number, uti: string): Promise<string> {
  const seconds = Math.floor(nowMs / 1000)
  const { user } = grant
  const bearer =
    user === undefined
      ? { idtyp: 'app', oid: grant.application, sub: grant.application, roles: grant.permissions }
      : {
          idtyp: 'user',
          oid: user.id,
          sub: user.id,
          upn: user.userPrincipalName,
          unique_name: user.userPrincipalName,
          name: user.displayName,
          scp: grant.permissions.join(' '),
        }
  return new SignJWT({
    ver: '1.0',
    tid: grant.tenant,
    appid: grant.application,
    appidacr: user === undefined ? '1' : '0',
    app_displayname: grant.applicationName,
    ...bearer,
    uti,
  })
    .setProtectedHeader({ alg: signingAlgorithm, typ: 'JWT', kid })
    .setIssuer(issuerOf(grant.tenant))
    .setAudience(graphApplicationId)
    .setIssuedAt(seconds)
    .setNotBefore(seconds)
    .setExpirationTime(seconds + grant.lifetimeSeconds)
    .sign(key)
}

function issuerOf(tenant: string): string {
  return `https://sts.windows.net/${tenant}/`
}

async function verifyWith(keys: ReadonlyMap<string, CryptoKey>, token: string, nowMs: number): Promise<Caller> {
  if (!token.includes('.')) throw new TokenRefused('malformed', 'The token is not a JWT: it has no dots.')
  try {
    // The algorithm is fixed by us and the key by its id among ours: nothing in the header chooses either.
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = kid === undefined ? undefined : keys.get(kid)
        if (key === undefined)
          throw new TokenRefused('invalid', 'The token is signed by a key this server does not know.')
        return key
      },
      {
        algorithms: [signingAlgorithm],
        audience: audiences,
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(nowMs),
        requiredClaims: ['exp', 'tid', 'iss'],
      },
    )
    return callerOf(payload)
  } catch (error) {
    throw refusalOf(error)
  }
}

function callerOf(payload: Readonly<Record<string, unknown>>): Caller {
  const text = (claim: string) => {
    const value = payload[claim]
    return typeof value === 'string' ? value : undefined
  }
  const tenant = text('tid') ?? ''
  if (payload.iss !== issuerOf(tenant)) throw new TokenRefused('invalid', 'The issuer is not that of the tenant.')
  const scopes = text('scp')
  const roles = Array.isArray(payload.roles) ? payload.roles.filter((role) => typeof role === 'string') : []
  const user = scopes === undefined ? undefined : text('oid')
  if (scopes !== undefined && user === undefined) throw new TokenRefused('invalid', 'A user token needs an oid.')
  return {
    tenant,
    application: text('appid') ?? text('azp') ?? '',
    user: user?.toLowerCase(),
    permissions: grantedSet(scopes === undefined ? roles : scopes.split(' ')),
    expiresAt: (payload.exp as number) * 1000,
  }
}

function refusalOf(error: unknown): TokenRefused {
  if (error instanceof TokenRefused) return error
  if (error instanceof errors.JWTExpired) return new TokenRefused('expired', 'The token is expired.')
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return new TokenRefused('audience', 'The token is for another resource than Graph.')
    if (error.claim === 'nbf') return new TokenRefused('expired', 'The token is not valid yet.')
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return new TokenRefused('invalid', 'The token is not a signed JWT.')
  }
  return new TokenRefused('invalid', 'The token does not bear a valid signature of this server.')
}
