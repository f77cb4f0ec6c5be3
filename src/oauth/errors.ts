/**
 * What is wrong with a sign-in, in the words of RFC 6749 §5.2 and with the AADSTS number by which clients, and people,
 * know it. The texts are ours; the numbers are the service's.
 */
interface OAuthErrorRow {
  readonly status: 400 | 401 | 429
  readonly error: string
  /** `error_codes`, an integer. */
  readonly code: number
  readonly message: (value: string) => string
  readonly suberror?: string
}

const rows = {
  missingParameter: row(400, 'invalid_request', 900144, (name) => `The request must contain the parameter '${name}'.`),
  repeatedParameter: row(
    400,
    'invalid_request',
    9000411,
    (name) => `The request is not properly formatted. The parameter '${name}' is duplicated.`,
  ),
  malformedRequest: row(400, 'invalid_request', 9000410, (why) => `The request is malformed: ${why}.`),
  unknownTenant: row(
    400,
    'invalid_request',
    90002,
    (name) => `Tenant '${name}' not found. Check that the tenant is right.`,
  ),
  noTenant: row(
    400,
    'invalid_request',
    50059,
    () => 'No tenant is named by the request or implied by its credentials.',
  ),
  tenantNeeded: row(
    400,
    'invalid_request',
    9001023,
    () => 'This grant is not served over /common or /consumers. Use the endpoint of a tenant or /organizations.',
  ),
  unknownApplication: row(
    400,
    'unauthorized_client',
    700016,
    (id) => `Application with identifier '${id}' was not found in the directory.`,
  ),
  malformedApplicationId: row(
    400,
    'unauthorized_client',
    700038,
    (id) => `'${id}' is not a valid application identifier.`,
  ),
  wrongSecret: row(
    401,
    'invalid_client',
    7000215,
    (id) => `Invalid client secret provided. Send the value of a secret of application '${id}', not its id.`,
  ),
  expiredSecret: row(
    401,
    'invalid_client',
    7000222,
    (id) => `The provided client secret keys of application '${id}' are expired.`,
  ),
  missingCredential: row(
    401,
    'invalid_client',
    7000218,
    () => "The request body must contain the parameter 'client_assertion' or 'client_secret'.",
  ),
  wrongAssertion: row(
    401,
    'invalid_client',
    700027,
    (why) => `The client assertion failed signature validation: ${why}`,
  ),
  expiredAssertion: row(
    401,
    'invalid_client',
    700024,
    () => 'The client assertion is not within its valid time range.',
  ),
  unsupportedGrant: row(400, 'unsupported_grant_type', 70003, (type) => `The grant type '${type}' is not supported.`),
  unsupportedResponse: row(
    400,
    'unsupported_response_type',
    70005,
    (type) => `The response type '${type}' is not supported.`,
  ),
  invalidScope: row(400, 'invalid_scope', 70011, (scope) => `The scope '${scope}' is not valid.`),
  staticScopeNeeded: row(
    400,
    'invalid_scope',
    1002012,
    (scope) =>
      `The scope '${scope}' is not valid. Client credential flows must have a scope with /.default after the resource.`,
  ),
  manyResources: row(
    400,
    'invalid_request',
    28000,
    () => 'The scope names more than one resource. Ask for one resource in each request.',
  ),
  unknownResource: row(
    400,
    'invalid_resource',
    500011,
    (name) => `The resource principal named '${name}' was not found in the tenant.`,
  ),
  notConsented: row(
    400,
    'invalid_grant',
    65001,
    (id) =>
      `The user or administrator has not consented to use the application with ID '${id}'. Send an interactive authorization request for this user and resource.`,
    'consent_required',
  ),
  wrongPassword: row(
    400,
    'invalid_grant',
    50126,
    () => 'Error validating credentials due to invalid username or password.',
  ),
  lockedOut: row(
    400,
    'invalid_grant',
    50053,
    () => 'The account is locked: too many sign-ins with a wrong password. Try again later.',
  ),
  unknownUser: row(400, 'invalid_grant', 50034, (name) => `The user account ${name} does not exist in the directory.`),
  noSignIn: row(400, 'invalid_grant', 50057, () => 'The user account is disabled.'),
  expiredGrant: row(
    400,
    'invalid_grant',
    70008,
    () => 'The provided authorization code or refresh token has expired. Send a new interactive authorization request.',
    'token_expired',
  ),
  malformedGrant: row(
    400,
    'invalid_grant',
    9002313,
    () => 'Invalid request. The authorization code or refresh token is malformed or invalid.',
    'bad_token',
  ),
  usedCode: row(
    400,
    'invalid_grant',
    54005,
    () => 'The authorization code was already redeemed. Retry with a new code, or use the refresh token.',
  ),
  revokedGrant: row(
    400,
    'invalid_grant',
    50173,
    () => 'The provided grant has been revoked. The user must sign in again.',
    'bad_token',
  ),
  // Without `bad_token`: that makes MSAL forget the refresh token it got by the first use.
  repeatedGrant: row(
    400,
    'invalid_grant',
    50173,
    () => 'The provided grant has been revoked: it was used a moment ago. Use the one that followed from it.',
  ),
  otherApplication: row(400, 'invalid_grant', 70000, () => 'The provided grant was issued to another application.'),
  otherTenant: row(
    400,
    'invalid_grant',
    700005,
    () => 'The provided grant is intended to be used with another tenant.',
  ),
  wrongVerifier: row(
    400,
    'invalid_grant',
    501481,
    () => 'The code_verifier does not match the code_challenge of the authorization request.',
  ),
  missingVerifier: row(
    400,
    'invalid_grant',
    501471,
    () => 'The code_verifier is missing, and the authorization request had a code_challenge.',
  ),
  otherRedirect: row(
    400,
    'invalid_grant',
    500112,
    (uri) => `The redirect URI '${uri}' does not match the one of the authorization request.`,
  ),
  wrongRedirect: row(
    400,
    'invalid_request',
    50011,
    (uri) => `The redirect URI '${uri}' is not one that the application is registered with.`,
  ),
  wrongAudience: row(
    400,
    'invalid_grant',
    500131,
    () =>
      'The audience of the assertion does not match the application presenting it: it must have been asked for with the scope of this application.',
  ),
  wrongUserAssertion: row(400, 'invalid_grant', 50013, (why) => `The assertion failed validation: ${why}`),
  expiredUserAssertion: row(400, 'invalid_grant', 500133, () => 'The assertion is not within its valid time range.'),
  appAssertion: row(
    400,
    'invalid_grant',
    50027,
    () => 'The assertion is of an application, and the grant wants a user.',
  ),
  devicePending: row(400, 'authorization_pending', 70016, () => 'The authorization is pending. Continue polling.'),
  deviceDeclined: row(400, 'authorization_declined', 70018, () => 'The user declined the authorization.'),
  deviceUnknown: row(400, 'bad_verification_code', 70019, () => 'The device code is not known.'),
  deviceExpired: row(400, 'expired_token', 70020, () => 'The device code is expired. Begin anew.'),
  loginRequired: row(
    400,
    'login_required',
    50058,
    () => 'A silent sign-in request was sent, but no user is signed in.',
  ),
  interactionRequired: row(
    400,
    'interaction_required',
    65001,
    (id) => `The user has not consented to use the application with ID '${id}', and the request forbids asking.`,
  ),
  administratorNeeded: row(
    400,
    'access_denied',
    90094,
    (id) => `Application '${id}' asks for a permission that only an administrator can consent to.`,
  ),
  accessDenied: row(400, 'access_denied', 65004, () => 'The user declined to consent to access the application.'),
  invalidInstance: row(400, 'invalid_instance', 50049, () => 'Unknown or invalid instance.'),
} satisfies Record<string, OAuthErrorRow>

function row(
  status: OAuthErrorRow['status'],
  error: string,
  code: number,
  message: OAuthErrorRow['message'],
  suberror?: string,
): OAuthErrorRow {
  return { status, error, code, message, ...(suberror === undefined ? {} : { suberror }) }
}

/** What can be wrong with a sign-in. */
export type OAuthFault = keyof typeof rows

/** A request to sign in or for a token that is refused. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly fault: OAuthFault
  readonly status: number
  readonly error: string
  readonly code: number
  readonly suberror: string | undefined

  /** @param value what the text names: a parameter, an application, a scope */
  constructor(fault: OAuthFault, value = '') {
    const { status, error, code, message, suberror }: OAuthErrorRow = rows[fault]
    super(`AADSTS${code}: ${message(quotable(value))}`)
    this.fault = fault
    this.status = status
    this.error = error
    this.code = code
    this.suberror = suberror
  }
}

const maxQuoted = 200

/** What a request said, fit for one line of a text. */
function quotable(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return value.slice(0, maxQuoted).replace(/[\u0000-\u001f\u007f]/g, ' ')
}

/** The ids and the moment that every refusal carries. */
export interface Traced {
  readonly traceId: string
  readonly correlationId: string
  /** ms since 1970 */
  readonly at: number
}

/** `error_description`: the text with the ids, one line. */
export function describeError(error: OAuthError, { traceId, correlationId, at }: Traced): string {
  return `${error.message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp(at)}`
}

/** The body of a refusal, in the order of the service. @param origin scheme and host of the authority */
export function errorBody(error: OAuthError, traced: Traced, origin: string): Record<string, unknown> {
  return {
    error: error.error,
    error_description: describeError(error, traced),
    error_codes: [error.code],
    timestamp: timestamp(traced.at),
    trace_id: traced.traceId,
    correlation_id: traced.correlationId,
    error_uri: `${origin}/error?code=${error.code}`,
    ...(error.suberror === undefined ? {} : { suberror: error.suberror }),
  }
}

/** `2026-07-01 12:00:00Z` */
function timestamp(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace(/\.\d+/, '')
}
