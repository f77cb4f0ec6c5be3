import type { Grant } from '../identity/grant.js'
import { OAuthError } from './errors.js'
import { readScope, scopeSurroundings } from './scopes.js'
import {
  applicationNamed,
  begunHere,
  grantId,
  newGrantToken,
  type OAuthCall,
  type OAuthServices,
  tenantsOf,
} from './services.js'

const lifetimeSeconds = 900
const pollSeconds = 5

/** Letters that are not taken for one another when they are read out (RFC 8628 §6.1). */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'
const codeLength = 9

/** `POST /{tenant}/oauth2/v2.0/devicecode`: a code to poll with, and one to type in (RFC 8628 §3.2). @throws OAuthError */
export async function deviceCodeEndpoint(services: OAuthServices, call: OAuthCall): Promise<Record<string, unknown>> {
  const application = await applicationNamed(services, call.tenant, call.form.get('client_id'))
  if (!application.isPublicClient) throw new OAuthError('missingCredential')
  const scope = call.form.get('scope') ?? ''
  if (scope.trim() === '') throw new OAuthError('missingParameter', 'scope')
  const [tenant] = await tenantsOf(services, call.tenant)
  await readScope(scope, scopeSurroundings(services, call, application.tenant))
  const deviceCode = newGrantToken(services)
  const userCode = newUserCode(services)
  const grant: Grant = {
    id: grantId(deviceCode),
    kind: 'device',
    state: 'open',
    tenant: tenant?.id ?? application.tenant,
    application: application.id,
    user: undefined,
    userCode,
    family: services.random.uuid(),
    details: { scope, ...begunHere(services) },
    expiresAt: services.now() + lifetimeSeconds * 1000,
    redeemedAt: undefined,
  }
  await services.identity.grants.insert(grant)
  const verificationUri = `${call.origin}/devicelogin`
  return {
    user_code: userCode,
    device_code: deviceCode,
    verification_uri: verificationUri,
    expires_in: lifetimeSeconds,
    interval: pollSeconds,
    message: `To sign in, use a web browser to open the page ${verificationUri} and enter the code ${userCode} to authenticate.`,
  }
}

/** Of 20 letters each as likely: bytes beyond a multiple of 20 are passed over. */
function newUserCode({ random }: OAuthServices): string {
  let code = ''
  while (code.length < codeLength) {
    const [byte = 255] = random.bytes(1)
    if (byte < 240) code += letters.charAt(byte % letters.length)
  }
  return code
}

/** A code as it was typed: without blanks and dashes, in upper case. */
export function readUserCode(typed: string): string {
  return typed.replace(/[\s-]/g, '').toUpperCase()
}
