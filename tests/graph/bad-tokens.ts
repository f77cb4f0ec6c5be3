/** Tokens that are wrong in one thing each, made with the server's own key wherever a forger could not do better. */
import { createHmac, webcrypto } from 'node:crypto'
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { privateKeyOf, publicKeyOf, type SigningKey } from '../../src/identity/signing-key.js'

/** What tokens are forged with. */
export interface Forge {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  /** Of nobody that the server knows. */
  readonly strangers: { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }
  /** s since 1970 */
  readonly now: number
  /** What was signed before: thousands of calls are made with few tokens, and a signature is what costs. */
  readonly signed: Map<string, string>
}

/** @param now ms since 1970 */
export async function forgeOf(key: SigningKey, now: number): Promise<Forge> {
  return {
    kid: key.id,
    privateKey: await privateKeyOf(key),
    publicKey: await publicKeyOf(key),
    strangers: await generateKeyPair('RS256', { extractable: true }),
    now: Math.floor(now / 1000),
    signed: new Map(),
  }
}

/** Signs as the server does; with these claims unaltered the token is good. */
export async function signed(forge: Forge, claims: JWTPayload): Promise<string> {
  const known = JSON.stringify(claims)
  const header = { alg: 'RS256', typ: 'JWT', kid: forge.kid }
  const token = forge.signed.get(known) ?? (await new SignJWT(claims).setProtectedHeader(header).sign(forge.privateKey))
  forge.signed.set(known, token)
  return token
}

/** A way to be refused for the token alone. */
export interface BadToken {
  readonly name: string
  /** The Authorization header, made of claims that would be good; undefined: there is none. */
  readonly authorization: (forge: Forge, claims: JWTPayload) => Promise<string | undefined>
  readonly message: string
}

/** The same words for everything that a forger might learn from. */
const invalid = 'Access token validation failure.'
const outsideLifetime = 'Lifetime validation failed, the token is expired.'
const anotherAudience = 'Access token validation failure. Invalid audience.'
const empty = 'Access token is empty.'
const notWellFormed =
  "IDX14100: JWT is not well formed, there are no dots (.).\nThe token needs to be in JWS or JWE Compact Serialization Format. (JWS): 'EncodedHeader.EncodedPayload.EncodedSignature'. (JWE): 'EncodedProtectedHeader.EncodedEncryptedKey.EncodedInitializationVector.EncodedCiphertext.EncodedAuthenticationTag'."

const strangersTenant = '99999999-9999-4999-8999-999999999999'

/** Clocks may differ by five minutes; an hour is out of all doubt. */
const hour = 3_600

export const badTokens: readonly BadToken[] = [
  { name: 'no token', message: empty, authorization: async () => undefined },
  { name: 'an empty bearer', message: empty, authorization: async () => 'Bearer ' },
  {
    name: 'another scheme',
    message: empty,
    authorization: async (forge, claims) => `Basic ${await signed(forge, claims)}`,
  },
  { name: 'no JWT', message: notWellFormed, authorization: async () => 'Bearer garbage' },
  ...['..', 'not.a.token', 'a.b.c.d.e', `${encoded(null)}.${encoded(null)}.x`, 'x.'.repeat(5_000)].map((token) => ({
    name: `${token.slice(0, 30)}, which has dots`,
    message: invalid,
    authorization: async () => `Bearer ${token}`,
  })),
  withClaims('expired', outsideLifetime, ({ now }) => ({ iat: now - 2 * hour, nbf: now - 2 * hour, exp: now - hour })),
  withClaims('not yet valid', outsideLifetime, ({ now }) => ({ nbf: now + hour, exp: now + 2 * hour })),
  withClaims('without an end', invalid, () => ({ exp: undefined })),
  withClaims("another API's audience", anotherAudience, () => ({ aud: 'https://outlook.office365.com' })),
  withClaims("the beginning of Graph's audience", anotherAudience, () => ({
    aud: 'https://graph.microsoft.com.evil.org',
  })),
  withClaims('no audience', anotherAudience, () => ({ aud: undefined })),
  withClaims('the issuer of another tenant', invalid, () => ({ iss: `https://sts.windows.net/${strangersTenant}/` })),
  withClaims('the tenant of another issuer', invalid, () => ({ tid: strangersTenant })),
  withClaims('a tenant that is not here', invalid, () => ({
    tid: strangersTenant,
    iss: `https://sts.windows.net/${strangersTenant}/`,
  })),
  withClaims('no issuer', invalid, () => ({ iss: undefined })),
  {
    name: 'a signature that was changed',
    message: invalid,
    authorization: async (forge, claims) => `Bearer ${withOtherLetter(await signed(forge, claims))}`,
  },
  {
    name: 'claims that were changed',
    message: invalid,
    authorization: async (forge, claims) => {
      const [header, , signature] = (await signed(forge, { ...claims, scp: 'User.Read' })).split('.')
      return `Bearer ${header}.${encoded(claims)}.${signature}`
    },
  },
  {
    name: 'no signature',
    message: invalid,
    authorization: async (forge, claims) => `Bearer ${(await signed(forge, claims)).split('.', 2).join('.')}.`,
  },
  {
    name: 'alg none',
    message: invalid,
    authorization: async (_, claims) => `Bearer ${new UnsecuredJWT(claims).encode()}`,
  },
  {
    name: 'alg none under our kid',
    message: invalid,
    authorization: async ({ kid }, claims) => `Bearer ${encoded({ alg: 'none', typ: 'JWT', kid })}.${encoded(claims)}.`,
  },
  {
    name: 'alg none with the signature',
    message: invalid,
    authorization: async (forge, claims) => {
      const [, payload, signature] = (await signed(forge, claims)).split('.')
      return `Bearer ${encoded({ alg: 'None', typ: 'JWT', kid: forge.kid })}.${payload}.${signature}`
    },
  },
  withSecret('our public key in PEM', async ({ publicKey }) => Buffer.from(await exportSPKI(publicKey))),
  withSecret('our public key in PEM, trimmed', async ({ publicKey }) =>
    Buffer.from((await exportSPKI(publicKey)).trim()),
  ),
  withSecret('our public key in DER', async ({ publicKey }) =>
    Buffer.from((await exportSPKI(publicKey)).replace(/-----[^-]+-----|\s/g, ''), 'base64'),
  ),
  withSecret('our public key as a JWK', async ({ publicKey }) =>
    Buffer.from(JSON.stringify(await exportJWK(publicKey))),
  ),
  withSecret('our modulus', async ({ publicKey }) => Buffer.from((await exportJWK(publicKey)).n ?? '', 'base64url')),
  withSecret('nothing', async () => new Uint8Array()),
  withHeader('an unknown kid', () => ({ header: { kid: 'unknown' } })),
  withHeader('no kid', () => ({ header: {} })),
  withHeader('a kid that is a path', () => ({ header: { kid: '../../../dev/null' } })),
  withHeader('a kid that JavaScript knows', () => ({ header: { kid: '__proto__' } })),
  withHeader('a kid that is no text', ({ kid }) => ({ header: { kid: { kid } } })),
  withHeader('an extension that must be understood', ({ kid }) => ({ header: { kid, crit: ['b64'], b64: false } })),
  withHeader('another RSA algorithm', ({ kid }) => ({ header: { kid, alg: 'RS512' } })),
  withHeader("a stranger's key under our kid", ({ strangers, kid }) => ({
    header: { kid },
    key: strangers.privateKey,
  })),
  withHeader("a stranger's key under a kid of its own", ({ strangers }) => ({
    header: { kid: 'stranger' },
    key: strangers.privateKey,
  })),
  withHeader("a stranger's key in the header", async ({ strangers }) => ({
    header: { jwk: await exportJWK(strangers.publicKey), jku: 'http://127.0.0.1/keys' },
    key: strangers.privateKey,
  })),
]

/** Rightly signed; `change` says what is wrong in the claims. */
function withClaims(name: string, message: string, change: (forge: Forge) => Record<string, unknown>): BadToken {
  return {
    name,
    message,
    authorization: async (forge, claims) => `Bearer ${await signed(forge, { ...claims, ...change(forge) })}`,
  }
}

/** HS256, with something as its secret that everybody can know. */
function withSecret(name: string, secret: (forge: Forge) => Promise<Uint8Array>): BadToken {
  return {
    name: `HS256 with ${name}`,
    message: invalid,
    authorization: async (forge, claims) => {
      const input = `${encoded({ alg: 'HS256', typ: 'JWT', kid: forge.kid })}.${encoded(claims)}`
      const signature = createHmac('sha256', await secret(forge)).update(input)
      return `Bearer ${input}.${signature.digest('base64url')}`
    },
  }
}

/** Signed with RS256, whatever the header says: by our own key unless another is chosen. */
function withHeader(
  name: string,
  choose: (
    forge: Forge,
  ) => { readonly header: object; readonly key?: CryptoKey } | Promise<{ header: object; key: CryptoKey }>,
): BadToken {
  return {
    name,
    message: invalid,
    authorization: async (forge, claims) => {
      const { header, key = forge.privateKey } = await choose(forge)
      const input = `${encoded({ alg: 'RS256', typ: 'JWT', ...header })}.${encoded(claims)}`
      const signature = await webcrypto.subtle.sign('RSASSA-PKCS1-v1_5', key, Buffer.from(input))
      return `Bearer ${input}.${Buffer.from(signature).toString('base64url')}`
    },
  }
}

function encoded(part: object | null): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

/** In the middle of the signature: of the last letter, not every bit counts. */
function withOtherLetter(token: string): string {
  const at = token.length - 100
  return token.slice(0, at) + (token.charAt(at) === 'A' ? 'B' : 'A') + token.slice(at + 1)
}
