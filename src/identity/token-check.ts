import type { JWTPayload } from 'jose'
import * as errors from 'jose/errors'
import { type Cloud, cloudOfGraphHost, graphApplicationId } from './clouds.js'

/** RFC 7519 leaves "some small leeway"; two clocks may differ by this much, seconds. */
export const clockToleranceSeconds = 300

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

/** The signer may have written anything. */
export function audiencesOf({ aud }: JWTPayload): readonly string[] {
  return [aud].flat().filter((audience) => typeof audience === 'string')
}

/** An audience that means Graph, and whose. */
export interface GraphAudience {
  readonly cloud: Cloud['name'] | undefined
}

/** Graph without an address. */
const graphIds = new Set([graphApplicationId, `api://${graphApplicationId}`])

/** Names that always mean this machine (RFC 6761 §6.3). */
const thisMachine = ['localhost', '127.0.0.1', '[::1]']

/**
 * Tells whether an audience, or a resource asked for, is Graph: its application id, the address of Graph in any cloud, or
 * the address of this server, with and without port and slash, as clients derive it from the request's host.
 */
export function audienceReader(ownHosts: readonly string[]): (audience: string) => GraphAudience | undefined {
  const own = new Set([...thisMachine, ...ownHosts.map((host) => host.toLowerCase())])
  return (audience) => {
    if (graphIds.has(audience.toLowerCase())) return { cloud: undefined }
    const { protocol, hostname, pathname } = URL.canParse(audience) ? new URL(audience) : { protocol: '' }
    if ((protocol !== 'https:' && protocol !== 'http:') || hostname === undefined || pathname !== '/') return undefined
    const cloud = cloudOfGraphHost(hostname)
    if (cloud !== undefined) return { cloud: cloud.name }
    return own.has(hostname) || hostname.endsWith('.localhost') ? { cloud: undefined } : undefined
  }
}

/** What a signature check that failed means. */
export function refusalOf(error: unknown): unknown {
  if (error instanceof TokenRefused) return error
  if (error instanceof errors.JWTExpired) return new TokenRefused('expired', 'The token is expired.')
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return new TokenRefused('audience', 'The token is for another resource than Graph.')
    if (error.claim === 'nbf') return new TokenRefused('expired', 'The token is not valid yet.')
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return new TokenRefused('invalid', 'The token is not a signed JWT.')
  }
  if (error instanceof errors.JOSEError || error instanceof TypeError) {
    return new TokenRefused('invalid', 'The token does not bear a valid signature of this server.')
  }
  return error
}
