import type { SeenChange, Subscription } from './subscription.js'

/** What happens to a subscription itself. */
export type LifecycleEvent = 'missed' | 'reauthorizationRequired' | 'subscriptionRemoved'

/** What a subscription's owner is to be told. */
export type NotificationContent =
  | { readonly kind: 'change'; readonly seen: SeenChange }
  | { readonly kind: 'lifecycle'; readonly event: LifecycleEvent }

/** A notification that waits to be delivered, or to be tried again. */
export interface Notification {
  /** From the id sequence. */
  readonly id: number
  /** As it was when the notification was made; of a change, as it is now. */
  readonly subscription: Subscription
  readonly content: NotificationContent
  /** ms since 1970 */
  readonly createdAt: number
  /** When it is tried next, ms since 1970; while an attempt is under way, when that has run out. */
  readonly dueAt: number
}

/** Where a notification goes. */
export function urlOf({ subscription, content }: Pick<Notification, 'subscription' | 'content'>): string {
  const { notificationUrl, lifecycleNotificationUrl } = subscription
  return content.kind === 'change' ? notificationUrl : (lifecycleNotificationUrl ?? notificationUrl)
}
