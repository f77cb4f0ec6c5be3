import type { Reach } from '../http/outward-call.js'
import type { Caller } from '../identity/caller.js'
import { admits, grantedSet } from '../identity/permissions.js'
import type { IdentityStore } from '../identity/store.js'
import type { Mail } from '../mail/mail.js'
import type { Subscription } from '../mail/subscription.js'
import { type Doorkeeper, doorkeeper, type MailboxFinder } from './authorize.js'
import { GraphError } from './errors.js'
import type { SubscriptionServices } from './request.js'

/** What calls about subscriptions stand on, made from what the surface stands on. */
export function subscriptionServices(
  services: {
    readonly mail: Mail
    readonly identity: Pick<IdentityStore, 'findApplication'>
    readonly reach: Reach
    readonly subscriptionsChanged: () => void
  },
  { findMailbox, admit }: { readonly findMailbox: MailboxFinder; readonly admit: Doorkeeper },
): SubscriptionServices {
  const { mail, identity, reach } = services
  return {
    mail,
    findMailbox,
    admit,
    reach,
    changed: services.subscriptionsChanged,
    mayHaveSubscriptions: async ({ tenant, application, user, permissions }) => {
      if (admits(permissions, 'Mail.ReadBasic', user === undefined ? 'application' : 'delegated')) return true
      if (user !== undefined) return false
      // What was granted for some mailboxes is in no token.
      const scoped = (await identity.findApplication(tenant, application))?.scopedPermissions ?? []
      return admits(grantedSet(scoped.map(({ permission }) => permission)), 'Mail.ReadBasic', 'application')
    },
    objectOf: async ({ tenant, application }) =>
      (await identity.findApplication(tenant, application))?.objectId ?? application,
  }
}

/** What a subscription is still entitled to. */
export interface Standing {
  /** Whether bodies are shown. */
  readonly readsBodies: boolean
}

/**
 * Judges a subscription as its own application would be judged now: rights in a mailbox, access policies and grants can be
 * withdrawn while it lives. Undefined: it is entitled to nothing more.
 */
export function standingOf(
  mail: Pick<Mail, 'store' | 'clock'>,
  identity: Pick<IdentityStore, 'findApplication' | 'listGroups'>,
): (subscription: Subscription) => Promise<Standing | undefined> {
  const admit = doorkeeper(mail, identity)
  return async ({ tenant, application, user, permissions, mailbox, authorizedUntil }) => {
    const caller: Caller = {
      tenant,
      application,
      user,
      permissions: new Set(permissions),
      cloud: undefined,
      expiresAt: authorizedUntil,
    }
    try {
      return await admit(caller, await mail.store.mailboxes.get(mailbox), { permission: 'Mail.ReadBasic' })
    } catch (error) {
      if (error instanceof GraphError) return undefined
      throw error
    }
  }
}
