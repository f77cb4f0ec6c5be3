import type { Application } from './application.js'
import type { Group } from './group.js'
import { admits, grantedSet, type Permission } from './permissions.js'

/** By what a mailbox and its owner are named in policies: object id, user principal name and address. */
export interface MailboxNames {
  readonly owner: string
  readonly userPrincipalName: string
  readonly address: string
}

/**
 * Whether the application's access policies leave this mailbox open. Any that denies it closes it; where some restrict, it
 * must be in one of those. Policies are about applications without a user alone.
 *
 * @see https://learn.microsoft.com/graph/auth-limit-mailbox-access
 */
export function policiesAdmit(application: Application, mailbox: MailboxNames, groups: readonly Group[]): boolean {
  const { mailboxPolicies } = application
  const holds = mailboxPolicies.filter(({ members }) => isMember(mailbox, members, groups))
  if (holds.some(({ access }) => access === 'deny')) return false
  return !mailboxPolicies.some(({ access }) => access === 'restrict') || holds.length > 0
}

/** Whether a permission was granted for some mailboxes, and this is one of them. It is in no token (RBAC for applications). */
export function scopedPermissionAdmits(
  application: Application,
  needed: Permission,
  mailbox: MailboxNames,
  groups: readonly Group[],
): boolean {
  const granted = application.scopedPermissions
    .filter(({ members }) => isMember(mailbox, members, groups))
    .map(({ permission }) => permission)
  return admits(grantedSet(granted), needed, 'application')
}

function isMember(mailbox: MailboxNames, members: readonly string[], groups: readonly Group[]): boolean {
  const names = [mailbox.owner, mailbox.userPrincipalName, mailbox.address].map((name) => name.toLowerCase())
  if (names.some((name) => members.includes(name))) return true
  return groups.some(
    (group) =>
      (members.includes(group.id) || members.includes(group.address.toLowerCase())) &&
      group.members.includes(mailbox.owner),
  )
}
