import type { Caller } from '../identity/caller.js'
import { admits, admittingPermissions, type PermissionUse } from '../identity/permissions.js'
import type { IdentityStore } from '../identity/store.js'
import { notDelegated } from './authorize.js'
import { GraphError } from './errors.js'
import type { DirectoryRoute } from './request.js'

/**
 * Lets a caller ask about users. One's own profile, however it is named, asks for less than those of others.
 *
 * @throws GraphError 403 Authorization_RequestDenied, in the directory's words; 400 for `/me` without a user
 */
export async function requireDirectoryPermission(
  caller: Caller,
  userKey: string | undefined,
  route: DirectoryRoute,
  directory: Pick<IdentityStore, 'findUser'>,
): Promise<void> {
  const isMe = userKey === undefined && route.path === '{mailbox}'
  if (caller.user === undefined && isMe) throw notDelegated()
  const use: PermissionUse = caller.user === undefined ? 'application' : isMe ? 'delegated' : 'shared'
  if (admits(caller.permissions, route.permission, use)) return
  const asOwn = use === 'shared' && admits(caller.permissions, route.permission, 'delegated')
  if (asOwn && userKey !== undefined) {
    const user = await directory.findUser(caller.tenant, userKey)
    if (user?.id === caller.user) return
  }
  throw new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.', {
    frontEnd: true,
    reason: `The token lacks ${admittingPermissions(route.permission, use)}.`,
  })
}

/** Who is not there, in the directory's words. */
export function noSuchUser(key: string): GraphError {
  return new GraphError(
    404,
    'Request_ResourceNotFound',
    `Resource '${key}' does not exist or one of its queried reference-property objects are not present.`,
    { frontEnd: true, reason: 'This server has no such user. `graphpost user list` shows those it has.' },
  )
}
