import type { CryptoKey, JWK } from 'jose'
import { exportJWK } from 'jose/key/export'
import { generateKeyPair } from 'jose/key/generate/keypair'
import { importJWK } from 'jose/key/import'

/** Graph tokens are signed with RS256; nothing else is accepted, whatever a token's header says (RFC 8725 §3.1). */
export const signingAlgorithm = 'RS256'

/** A key that signs tokens. */
export interface SigningKey {
  /** `kid` of the tokens it signs. */
  readonly id: string
  /** RFC 7517, private members included: kept only in the store. */
  readonly privateJwk: JWK
  /** ms since 1970 */
  readonly createdAt: number
}

/** A new RSA key of 2,048 bits. */
export async function generateSigningKey(id: string, createdAt: number): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(signingAlgorithm, { extractable: true })
  return { id, privateJwk: await exportJWK(privateKey), createdAt }
}

/** The half that checks signatures. */
export function publicKeyOf(key: SigningKey): Promise<CryptoKey> {
  const { n = '', e = '' } = key.privateJwk
  return rsaKey({ kty: 'RSA', n, e })
}

/** The half that signs. */
export function privateKeyOf(key: SigningKey): Promise<CryptoKey> {
  return rsaKey(key.privateJwk)
}

async function rsaKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, signingAlgorithm)
  if (key instanceof Uint8Array) throw new Error('a signing key must be an RSA key')
  return key
}
