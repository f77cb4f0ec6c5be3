import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'
import type { MovableClock } from '../support/movable-clock.js'
import { atEnd } from '../support/start-server.js'

/** Another issuer of tokens: discovery and keys over real HTTP, at two names as Entra has them. */
export interface OidcProvider {
  /** `iss` of its v2.0 tokens. */
  readonly issuer: string
  /** `iss` of its v1.0 tokens. */
  readonly v1Issuer: string
  /** How often its keys were fetched. */
  readonly keyRequests: number
  /** A token that is right in all but what is given. */
  token(claims: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>
  /** A new key signs from now on. @returns its id */
  addKey(alg?: string): Promise<string>
  /** Signs as before, but is published no more. */
  removeKey(kid: string): void
  /** What is answered instead of discovery and keys; undefined: those again. */
  answerWith(listener: RequestListener | undefined): void
}

interface ProviderKey {
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

export async function startProvider(t: TestContext, clock: Pick<MovableClock, 'now'> = Date): Promise<OidcProvider> {
  const keys = new Map<string, ProviderKey>()
  const published = new Set<string>()
  let keyRequests = 0
  let instead: RequestListener | undefined
  const server = createServer((request, response) => {
    if (instead !== undefined) {
      instead(request, response)
      return
    }
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const tenant = /^(\/tenant(?:\/v2\.0)?)\/\.well-known\/openid-configuration$/.exec(request.url ?? '')?.[1]
    if (tenant !== undefined) {
      const issuer = origin + (tenant === '/tenant' ? '/tenant/' : tenant)
      send(response, { issuer, jwks_uri: `${origin}/tenant/keys` })
    } else if (request.url === '/tenant/keys') {
      keyRequests += 1
      send(response, { keys: [...published].map((kid) => keys.get(kid)?.publicJwk) })
    } else response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider: OidcProvider = {
    issuer: `${origin}/tenant/v2.0`,
    v1Issuer: `${origin}/tenant/`,
    get keyRequests() {
      return keyRequests
    },
    token: async (claims, header = {}) => {
      const kid = header.kid ?? [...keys.keys()].at(-1) ?? ''
      const key = keys.get(kid)
      if (key === undefined) throw new Error(`there is no key ${kid}`)
      const seconds = Math.floor(clock.now() / 1000)
      const usual: JWTPayload = {
        iss: provider.issuer,
        aud: 'api://graphpost',
        iat: seconds,
        nbf: seconds,
        exp: seconds + 3_600,
      }
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: key.alg, typ: 'JWT', kid, ...header })
        .sign(key.privateKey)
    },
    addKey: async (alg = 'RS256') => {
      const kid = `key-${keys.size}`
      const { privateKey, publicKey } = await generateKeyPair(alg)
      keys.set(kid, { alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' } })
      published.add(kid)
      return kid
    },
    removeKey: (kid) => void published.delete(kid),
    answerWith: (listener) => {
      instead = listener
    },
  }
  await provider.addKey()
  return provider
}

function send(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}
