import type { FolderId, MailboxId } from './ids.js'
import type { Mail } from './mail.js'
import type { LifecycleEvent, Notification } from './notification.js'
import { type MessageChange, type SeenChange, type Subscription, seenBy } from './subscription.js'

type Means = Pick<Mail, 'store' | 'clock' | 'ids'>

/** Changes looked at in one write. */
const changesAtOnce = 200

/**
 * Makes the oldest noted changes into notifications. A change is gone in the very write that has its notifications: each is
 * made exactly once, whoever dies when.
 *
 * @returns whether there may be more
 * @throws MailError conflict when another process was at the same changes; storeUnavailable
 */
export async function notifyOfChanges(mail: Means): Promise<boolean> {
  const changes = await mail.store.notifications.changes(changesAtOnce)
  if (changes.length === 0) return false
  const listeners = new Map<MailboxId, Listeners>()
  for (const { mailbox } of changes) {
    if (!listeners.has(mailbox)) listeners.set(mailbox, await listenersOf(mail, mailbox))
  }
  const now = mail.clock.now()
  await mail.store.write((tx) => {
    for (const change of changes) {
      tx.deleteMessageChange(change.id)
      for (const [subscription, seen] of told(listeners.get(change.mailbox), change)) {
        tx.insertNotification(newNotification(mail, subscription, { kind: 'change', seen }, now))
      }
    }
  })
  return changes.length === changesAtOnce
}

interface Listeners {
  readonly subscriptions: readonly Subscription[]
  readonly isHidden: (folder: FolderId) => boolean
}

async function listenersOf(mail: Means, mailbox: MailboxId): Promise<Listeners> {
  const now = mail.clock.now()
  const all = await mail.store.subscriptions.listByMailbox(mailbox)
  const hidden = new Set((await mail.store.folders.list(mailbox)).filter((each) => each.isHidden).map(({ id }) => id))
  return {
    subscriptions: all.filter(({ expiresAt }) => expiresAt > now),
    isHidden: (folder) => hidden.has(folder),
  }
}

function told(listeners: Listeners | undefined, change: MessageChange): [Subscription, SeenChange][] {
  if (listeners === undefined) return []
  const { subscriptions, isHidden } = listeners
  return subscriptions.flatMap((subscription) =>
    seenBy(subscription, change, isHidden).map((seen): [Subscription, SeenChange] => [subscription, seen]),
  )
}

/** What is to be told of the subscription itself, where its owner wants to hear that. */
export function lifecycleNotification(
  mail: Means,
  subscription: Subscription,
  event: LifecycleEvent,
): Notification | undefined {
  if (subscription.lifecycleNotificationUrl === undefined) return undefined
  return newNotification(mail, subscription, { kind: 'lifecycle', event }, mail.clock.now())
}

function newNotification(
  mail: Means,
  subscription: Subscription,
  content: Notification['content'],
  now: number,
): Notification {
  return { id: mail.ids.next(), subscription, content, createdAt: now, dueAt: now }
}
