import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import { lifecycleNotification } from './notify.js'
import type { Subscription } from './subscription.js'

/** How long before its authorization or its life ends a subscription's owner is asked to renew it, ms. */
const askBeforeMs = 15 * 60_000

/**
 * Looks after every subscription: one whose time is over goes; one that is no longer entitled goes, and its owner hears so;
 * of one that ends soon the owner is asked once to authorize it anew. When there is none, changes are no longer noted.
 *
 * @param isEntitled whether it may still be served
 */
export async function lookAfterSubscriptions(
  mail: Pick<Mail, 'store' | 'clock' | 'ids'>,
  isEntitled: (subscription: Subscription) => Promise<boolean>,
): Promise<void> {
  const subscriptions = await mail.store.subscriptions.list()
  if (subscriptions.length === 0) return mail.store.write((tx) => tx.endNoting())
  for (const subscription of subscriptions) {
    try {
      await lookAfter(mail, subscription, isEntitled)
    } catch (error) {
      // Its owner, or another process, came first.
      if (!(error instanceof MailError) || error.code !== 'conflict') throw error
    }
  }
}

async function lookAfter(
  mail: Pick<Mail, 'store' | 'clock' | 'ids'>,
  subscription: Subscription,
  isEntitled: (subscription: Subscription) => Promise<boolean>,
): Promise<void> {
  const now = mail.clock.now()
  if (subscription.expiresAt <= now) await mail.store.write((tx) => tx.deleteSubscription(subscription.id))
  else if (!(await isEntitled(subscription))) await removeSubscription(mail, subscription)
  else if (isToBeAsked(subscription, now)) await askForAuthorization(mail, subscription)
}

/**
 * Ends a subscription from our side.
 *
 * @throws MailError conflict when it is gone already
 */
export async function removeSubscription(
  mail: Pick<Mail, 'store' | 'clock' | 'ids'>,
  subscription: Subscription,
): Promise<void> {
  const removed = lifecycleNotification(mail, subscription, 'subscriptionRemoved')
  await mail.store.write((tx) => {
    tx.deleteSubscription(subscription.id)
    if (removed !== undefined) tx.insertNotification(removed, true)
  })
}

function isToBeAsked(subscription: Subscription, now: number): boolean {
  const { lifecycleNotificationUrl, reauthorizationAsked, authorizedUntil, expiresAt } = subscription
  if (lifecycleNotificationUrl === undefined || reauthorizationAsked) return false
  return Math.min(authorizedUntil, expiresAt) - now <= askBeforeMs
}

async function askForAuthorization(
  mail: Pick<Mail, 'store' | 'clock' | 'ids'>,
  subscription: Subscription,
): Promise<void> {
  const asked = { ...subscription, reauthorizationAsked: true }
  const notification = lifecycleNotification(mail, asked, 'reauthorizationRequired')
  await mail.store.write((tx) => {
    tx.updateSubscription(asked, subscription)
    if (notification !== undefined) tx.insertNotification(notification)
  })
}
