import type { Caller } from '../identity/caller.js'
import { policiesAdmit, scopedPermissionAdmits } from '../identity/mailbox-scope.js'
import { admits, admittingPermissions, type Permission, type PermissionUse } from '../identity/permissions.js'
import type { IdentityStore } from '../identity/store.js'
import type { Tokens } from '../identity/token.js'
import { type TokenFault, TokenRefused } from '../identity/token-check.js'
import type { TenantId } from '../mail/ids.js'
import type { Mail } from '../mail/mail.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Acting } from '../mail/sender.js'
import { GraphError } from './errors.js'
import { authorityOf, type Origin } from './origin.js'
import { remembering } from './remembered.js'

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
  origin: Origin,
): Caller | Promise<Caller> {
  const token = bearerToken(authorization)
  if (token === undefined) {
    throw unauthenticated('missing', 'The call has no bearer token. Get one with `graphpost token`.', origin)
  }
  const known = tokens.verified(token)
  return known === undefined ? verify(tokens, token, origin) : inItsCloud(known, origin)
}

async function verify(tokens: Tokens, token: string, origin: Origin): Promise<Caller> {
  try {
    return inItsCloud(await tokens.verify(token), origin)
  } catch (error) {
    if (error instanceof TokenRefused) throw unauthenticated(error.fault, error.message, origin)
    throw error
  }
}

/** A token for the Graph of one cloud opens nothing in another. */
function inItsCloud(caller: Caller, origin: Origin): Caller {
  const { cloud } = origin
  if (caller.cloud === undefined || cloud === undefined || cloud.name === caller.cloud) return caller
  throw unauthenticated('audience', `The token is for the cloud ${caller.cloud}, not for ${cloud.name}.`, origin)
}

/** The scheme is compared without case, RFC 9110 §11.1. */
function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length <= 7) return undefined
  if (authorization.slice(0, 7).toLowerCase() !== 'bearer ') return undefined
  const token = authorization.slice(7).trim()
  return token === '' ? undefined : token
}

function unauthenticated(fault: TokenFault | 'missing', reason: string, origin: Origin): GraphError {
  return new GraphError(401, 'InvalidAuthenticationToken', tokenRefusals[fault], {
    frontEnd: true,
    reason,
    headers: {
      'WWW-Authenticate': `Bearer realm="", authorization_uri="${authorityOf(origin)}/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`,
    },
  })
}

/** Finds the mailbox a path names; at once when it was found a moment ago. */
export type MailboxFinder = (caller: Caller, key: string | undefined) => Mailbox | Promise<Mailbox>

/** Looks mailboxes up by `/me`, object id or user principal name, and remembers them for a moment. */
export function mailboxFinder(mail: Pick<Mail, 'store' | 'clock'>): MailboxFinder {
  const find = remembering(mail.clock.now, async (tenantAndKey) => {
    const [tenant = '', ...key] = tenantAndKey.split(' ')
    return mail.store.mailboxes.find(tenant as TenantId, key.join(' '))
  })
  /** What callers' own mailboxes are asked for by: most calls are for those. */
  const own = new WeakMap<Caller, string>()
  return (caller, key) => {
    let asked = key === undefined ? own.get(caller) : undefined
    if (asked === undefined) {
      const wanted = key === undefined ? caller.user : withoutTenant(key, caller.tenant)
      if (wanted === undefined) throw notDelegated()
      asked = `${caller.tenant} ${wanted}`
      if (key === undefined) own.set(caller, asked)
    }
    const found = find(asked)
    if (found instanceof Promise) return found.then((mailbox) => mailbox ?? refuseUser(caller, key))
    return found ?? refuseUser(caller, key)
  }
}

/** `/me` of an application that acts as itself. */
export function notDelegated(): GraphError {
  return new GraphError(400, 'BadRequest', '/me request is only valid with delegated authentication flow.', {
    frontEnd: true,
    reason: 'An application without a user has no /me: name the mailbox, as in /users/{id or user principal name}.',
  })
}

/** Links of the upload service write a user as `{object id}@{tenant}`. */
function withoutTenant(key: string, tenant: string): string {
  const suffix = `@${tenant}`
  return key.toLowerCase().endsWith(suffix) ? key.slice(0, -suffix.length) : key
}

function refuseUser(caller: Caller, key: string | undefined): never {
  const named = key ?? `${caller.user}@${caller.tenant}`
  throw new GraphError(404, 'ErrorInvalidUser', `The requested user '${named}' is invalid.`, {
    reason: 'This server has no mailbox of that user. `graphpost user list` shows those it has.',
  })
}

/** What an operation asks of its caller: a row of the route table. */
interface Needed {
  readonly permission: Permission
  readonly ownOnly?: boolean
}

/** Someone who was let into a mailbox. */
export interface Admitted extends Acting {
  /** Whether their permissions show what Mail.ReadBasic hides. */
  readonly readsBodies: boolean
}

/**
 * Lets a caller into a mailbox, or refuses; at once where nothing has to be looked up.
 *
 * @throws GraphError 403 ErrorAccessDenied
 */
export type Doorkeeper = (caller: Caller, mailbox: Mailbox, needed: Needed) => Admitted | Promise<Admitted>

/**
 * The rules of who may do what in whose mailbox:
 *
 * - a user in their own, with the delegated permission;
 * - a user in another's, with the `.Shared` permission and Full Access there;
 * - an application, with the permission in every mailbox that its access policies leave open, or in those it was granted for.
 */
export function doorkeeper(
  mail: Pick<Mail, 'store' | 'clock'>,
  identity: Pick<IdentityStore, 'findApplication' | 'listGroups'>,
): Doorkeeper {
  const findMailbox = mailboxFinder(mail)
  const policiesOf = remembering(mail.clock.now, async (tenantAndApplication) => {
    const [tenant = '', id = ''] = tenantAndApplication.split(' ')
    const application = await identity.findApplication(tenant, id)
    return application && { application, groups: await identity.listGroups(tenant) }
  })

  const admitApplication = (caller: Caller, mailbox: Mailbox, { permission }: Needed): Admitted | Promise<Admitted> => {
    const judge = (known: Awaited<ReturnType<typeof policiesOf>>): Admitted => {
      const hasRole = admits(caller.permissions, permission, 'application')
      const may = (needed: Permission) => {
        if (known === undefined) return admits(caller.permissions, needed, 'application')
        const { application, groups } = known
        return (
          (admits(caller.permissions, needed, 'application') && policiesAdmit(application, mailbox, groups)) ||
          scopedPermissionAdmits(application, needed, mailbox, groups)
        )
      }
      if (!may(permission)) throw hasRole ? blockedByPolicy(mailbox) : lacks(permission, 'application')
      return { mailbox, actor: mailbox, forOthers: true, readsBodies: may('Mail.Read') }
    }
    const policies = policiesOf(`${caller.tenant} ${caller.application}`)
    return policies instanceof Promise ? policies.then(judge) : judge(policies)
  }

  const admitToShared = async (caller: Caller, mailbox: Mailbox, needed: Needed): Promise<Admitted> => {
    if (!admits(caller.permissions, needed.permission, 'shared')) throw lacks(needed.permission, 'shared')
    const rights = await mail.store.mailboxes.rightsOf(mailbox.id, caller.user ?? '')
    if (!rights.has('fullAccess')) {
      throw accessDenied('The token is of another user, who has no Full Access to the mailbox.')
    }
    if (needed.ownOnly === true) {
      throw accessDenied('As in Graph, a user can do this in their own mailbox alone, not in one shared with them.')
    }
    const readsBodies = admits(caller.permissions, 'Mail.Read', 'shared')
    return { mailbox, actor: await findMailbox(caller, undefined), forOthers: true, readsBodies }
  }

  return (caller, mailbox, needed) => {
    if (caller.user === undefined) return admitApplication(caller, mailbox, needed)
    if (caller.user !== mailbox.owner) return admitToShared(caller, mailbox, needed)
    if (!admits(caller.permissions, needed.permission, 'delegated')) throw lacks(needed.permission, 'delegated')
    const forOthers = admits(caller.permissions, 'Mail.Send', 'shared')
    return { mailbox, actor: mailbox, forOthers, readsBodies: admits(caller.permissions, 'Mail.Read', 'delegated') }
  }
}

function lacks(needed: Permission, use: PermissionUse): GraphError {
  if (admittingPermissions(needed, use) === '') {
    return accessDenied(`No permission admits a user to this in a mailbox of another: ${needed} is for one's own.`)
  }
  const kind = {
    delegated: 'delegated permission',
    shared: 'delegated permission',
    application: 'application permission',
  }
  const where = use === 'shared' ? ', which a mailbox of another user asks for' : ''
  return accessDenied(`The token lacks the ${kind[use]} ${admittingPermissions(needed, use)}${where}.`)
}

/** The refusal of what the permissions do not admit to. */
export function accessDenied(reason: string): GraphError {
  return new GraphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.', { reason })
}

function blockedByPolicy({ address }: Mailbox): GraphError {
  const message = 'Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.'
  return new GraphError(403, 'ErrorAccessDenied', message, {
    reason: `The application's access policies leave ${address} closed; \`graphpost app policy\` shows and changes them.`,
  })
}
