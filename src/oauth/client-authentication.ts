import { createHash, timingSafeEqual } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import * as errors from 'jose/errors'
import { decodeJwt } from 'jose/jwt/decode'
import { jwtVerify } from 'jose/jwt/verify'
import { importX509 } from 'jose/key/import'
import type { Application, ClientCertificate } from '../identity/application.js'
import { cloudOfSignInHost } from '../identity/clouds.js'
import { developmentApplication, developmentSecret } from '../identity/development.js'
import { isSecret } from '../identity/secret.js'
import type { Tenant } from '../identity/tenant.js'
import { audiencesOf, clockToleranceSeconds } from '../identity/token-check.js'
import { OAuthError } from './errors.js'
import { applicationNamed, type OAuthCall, type OAuthServices } from './services.js'

/** An application, and how it proved to be it. */
export interface AuthenticatedClient {
  readonly application: Application
  readonly proof: 'none' | 'secret' | 'certificate'
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** RFC 7523 with the algorithms that MSAL signs with. */
const assertionAlgorithms = ['RS256', 'PS256']

/**
 * Who asks for a token: a secret in the form or in `Authorization: Basic`, or an assertion signed with a registered
 * certificate (RFC 7523). Without either, the application itself and no proof.
 *
 * @throws OAuthError of the `invalid_client` and `unauthorized_client` kinds
 */
export async function authenticateClient(
  services: OAuthServices,
  call: OAuthCall,
  tenant: Tenant | undefined,
): Promise<AuthenticatedClient> {
  const { form } = call
  const basic = basicCredentials(call.authorization)
  const assertion = form.get('client_assertion')
  const id = form.get('client_id') ?? basic?.id ?? subjectOf(assertion)
  const application = await applicationNamed(services, tenant, id)
  if (assertion !== null && assertion !== '') {
    if (form.get('client_assertion_type') !== assertionType)
      throw new OAuthError('missingParameter', 'client_assertion_type')
    await requireAssertion(services, call, application, assertion)
    return { application, proof: 'certificate' }
  }
  const secret = form.get('client_secret') ?? basic?.secret
  if (secret === undefined || secret === '') return { application, proof: 'none' }
  await requireSecret(services, application, secret)
  return { application, proof: 'secret' }
}

/** Whether a client may go on with a user's grant: one that keeps a credential must have shown it. */
export function requireProofUnlessPublic({ application, proof }: AuthenticatedClient): void {
  if (proof === 'none' && !application.isPublicClient) throw new OAuthError('missingCredential')
}

/** RFC 6749 §2.3.1: both halves form-encoded. */
function basicCredentials(authorization: string | undefined): { id: string; secret: string } | undefined {
  const encoded = /^basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon === -1) return undefined
  const decode = (part: string) => new URLSearchParams(`v=${part}`).get('v') ?? ''
  return { id: decode(text.slice(0, colon)), secret: decode(text.slice(colon + 1)) }
}

function subjectOf(assertion: string | null): string | undefined {
  if (assertion === null) return undefined
  try {
    const { sub } = decodeJwt(assertion)
    return typeof sub === 'string' ? sub : undefined
  } catch {
    return undefined
  }
}

async function requireSecret(services: OAuthServices, application: Application, secret: string): Promise<void> {
  const isDevelopment = services.development && application.id === developmentApplication
  if (isDevelopment && isSame(secret, developmentSecret)) return
  let isExpired = false
  for (const { hash, expiresAt } of application.secrets) {
    if (!(await isSecret(secret, hash))) continue
    if (expiresAt === undefined || services.now() < expiresAt) return
    isExpired = true
  }
  throw new OAuthError(isExpired ? 'expiredSecret' : 'wrongSecret', application.id)
}

/** Compared by hash, so that the time taken says nothing of where they differ. */
function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(one), hash(other))
}

async function requireAssertion(
  services: OAuthServices,
  call: OAuthCall,
  application: Application,
  assertion: string,
): Promise<void> {
  const certificate = certificateOf(application, assertion)
  if (certificate === undefined) {
    throw new OAuthError(
      'wrongAssertion',
      'The key was not found: the thumbprint is of no certificate of the application.',
    )
  }
  const now = services.now()
  if (now > certificate.notAfter) throw new OAuthError('expiredSecret', application.id)
  let payload: JWTPayload
  try {
    const { alg = '' } = decodeProtectedHeader(assertion)
    const key = await importX509(certificate.pem, assertionAlgorithms.includes(alg) ? alg : 'RS256')
    const verified = await jwtVerify(assertion, key, {
      algorithms: assertionAlgorithms,
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(now),
      requiredClaims: ['exp', 'aud', 'iss', 'sub'],
    })
    payload = verified.payload
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new OAuthError('expiredAssertion')
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf') {
      throw new OAuthError('expiredAssertion')
    }
    throw new OAuthError('wrongAssertion', error instanceof Error ? error.message : String(error))
  }
  // Ids are GUIDs, which clients write in either case.
  if (![payload.iss, payload.sub].every((name) => String(name).toLowerCase() === application.id)) {
    throw new OAuthError('wrongAssertion', 'Its issuer and its subject must be the application.')
  }
  if (!audiencesOf(payload).some((audience) => isOurs(services, call, audience))) {
    throw new OAuthError('wrongAssertion', 'The audience is not this token endpoint.')
  }
}

/** By the thumbprint in the header: `x5t#S256`, or the older `x5t`. */
function certificateOf({ certificates }: Application, assertion: string): ClientCertificate | undefined {
  try {
    const header = decodeProtectedHeader(assertion)
    return certificates.find(
      ({ thumbprint, thumbprintSha256 }) => header['x5t#S256'] === thumbprintSha256 || header.x5t === thumbprint,
    )
  } catch {
    return undefined
  }
}

/** The token endpoint, the issuer or the authority, under the name the client called us by or one of a cloud. */
function isOurs({ ownHosts }: OAuthServices, call: OAuthCall, audience: string): boolean {
  if (!URL.canParse(audience)) return false
  const { host, hostname, pathname } = new URL(audience)
  const isHere =
    host === new URL(call.origin).host || ownHosts.includes(hostname) || cloudOfSignInHost(hostname) !== undefined
  // By any of its names: a client may take the audience from discovery and call the address it was configured with.
  const names = [
    call.tenantAsWritten.toLowerCase(),
    ...(call.tenant === undefined ? [] : [call.tenant.id, call.tenant.domain]),
  ]
  return isHere && names.includes(pathname.split('/')[1]?.toLowerCase() ?? '')
}
