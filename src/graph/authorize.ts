import type { Caller } from '../identity/caller.js'
import { admits, admittingPermissions, type Permission } from '../identity/permissions.js'
import { type TokenFault, TokenRefused, type Tokens } from '../identity/token.js'
import type { TenantId } from '../mail/ids.js'
import type { Mail } from '../mail/mail.js'
import type { Mailbox } from '../mail/mailbox.js'
import { GraphError } from './errors.js'

/** Graph's own words for each way a token can be wrong (recordings of 2024 and 2025). */
const tokenRefusals: Record<TokenFault | 'missing', string> = {
  missing: 'Access token is empty.',
  malformed:
    "IDX14100: JWT is not well formed, there are no dots (.).\nThe token needs to be in JWS or JWE Compact Serialization Format. (JWS): 'EncodedHeader.EncodedPayload.EncodedSignature'. (JWE): 'EncodedProtectedHeader.EncodedEncryptedKey.EncodedInitializationVector.EncodedCiphertext.EncodedAuthenticationTag'.",
  expired: 'Lifetime validation failed, the token is expired.',
  audience: 'Access token validation failure. Invalid audience.',
  invalid: 'Access token validation failure.',
}

/**
 * Who is calling, by the bearer token of the request. Answers at once for a token it verified before.
 *
 * @throws GraphError 401 InvalidAuthenticationToken
 */
export function authenticate(
  tokens: Tokens,
  authorization: string | undefined,
  baseUrl: string,
): Caller | Promise<Caller> {
  const token = bearerToken(authorization)
  if (token === undefined) {
    throw unauthenticated('missing', 'The call has no bearer token. Get one with `graphpost token`.', baseUrl)
  }
  return tokens.verified(token) ?? verify(tokens, token, baseUrl)
}

async function verify(tokens: Tokens, token: string, baseUrl: string): Promise<Caller> {
  try {
    return await tokens.verify(token)
  } catch (error) {
    if (error instanceof TokenRefused) throw unauthenticated(error.fault, error.message, baseUrl)
    throw error
  }
}

/** The scheme is compared without case, RFC 9110 §11.1. */
function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length <= 7) return undefined
  if (authorization.slice(0, 7).toLowerCase() !== 'bearer ') return undefined
  const token = authorization.slice(7).trim()
  return token === '' ? undefined : token
}

function unauthenticated(fault: TokenFault | 'missing', reason: string, baseUrl: string): GraphError {
  return new GraphError(401, 'InvalidAuthenticationToken', tokenRefusals[fault], {
    frontEnd: true,
    reason,
    headers: {
      'WWW-Authenticate': `Bearer realm="", authorization_uri="${baseUrl}/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`,
    },
  })
}

/** How long a mailbox once found is not looked for again, ms. Another process may have changed the directory. */
const rememberMs = 1_000
/** Mailboxes remembered at most. */
const maxRemembered = 10_000

/** Finds the mailbox a path names; at once when it was found a moment ago. */
export type MailboxFinder = (caller: Caller, key: string | undefined) => Mailbox | Promise<Mailbox>

/** Looks mailboxes up by `/me`, object id or user principal name, and remembers them for a moment. */
export function mailboxFinder(mail: Pick<Mail, 'store' | 'clock'>): MailboxFinder {
  const remembered = new Map<string, { mailbox: Mailbox; until: number }>()
  return (caller, key) => {
    const wanted = key === undefined ? caller.user : withoutTenant(key, caller.tenant)
    if (wanted === undefined) {
      throw new GraphError(400, 'BadRequest', '/me request is only valid with delegated authentication flow.', {
        frontEnd: true,
        reason: 'An application without a user has no /me: name the mailbox, as in /users/{id or user principal name}.',
      })
    }
    const now = mail.clock.now()
    const at = `${caller.tenant} ${wanted}`
    const known = remembered.get(at)
    if (known !== undefined && known.until > now) return known.mailbox
    return mail.store.mailboxes.find(caller.tenant as TenantId, wanted).then((mailbox) => {
      if (mailbox === undefined) throw unknownUser(caller, key)
      if (remembered.size >= maxRemembered) remembered.clear()
      remembered.set(at, { mailbox, until: now + rememberMs })
      return mailbox
    })
  }
}

/** Links of the upload service write a user as `{object id}@{tenant}`. */
function withoutTenant(key: string, tenant: string): string {
  const suffix = `@${tenant}`
  return key.toLowerCase().endsWith(suffix) ? key.slice(0, -suffix.length) : key
}

function unknownUser(caller: Caller, key: string | undefined): GraphError {
  const named = key ?? `${caller.user}@${caller.tenant}`
  return new GraphError(404, 'ErrorInvalidUser', `The requested user '${named}' is invalid.`, {
    reason: 'This server has no mailbox of that user. `graphpost user list` shows those it has.',
  })
}

/**
 * Lets the caller do what needs `needed` in this mailbox, or refuses.
 *
 * @throws GraphError 403 ErrorAccessDenied
 */
export function requirePermission(caller: Caller, mailbox: Mailbox, needed: Permission): void {
  if (!admits(caller.permissions, needed)) {
    const kind = caller.user === undefined ? 'application permission' : 'delegated permission'
    throw accessDenied(`The token lacks the ${kind} ${admittingPermissions(needed)}.`)
  }
  if (caller.user !== undefined && caller.user !== mailbox.owner) {
    throw accessDenied('The token is of another user, and the mailbox is not shared with them.')
  }
}

function accessDenied(reason: string): GraphError {
  return new GraphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.', { reason })
}
