import type { FolderId, MailboxId, MessageId } from './ids.js'
import type { Mail } from './mail.js'
import type { LifecycleEvent, Notification } from './notification.js'
import type { MessageCondition } from './query.js'
import {
  changeTypesIn,
  type MessageChange,
  type SeenChange,
  type Subscription,
  seenBy,
  throughFilter,
} from './subscription.js'

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
  const matches = await matchesOf(mail, changes, listeners)
  const now = mail.clock.now()
  await mail.store.write((tx) => {
    for (const change of changes) {
      tx.deleteMessageChange(change.id)
      for (const [subscription, seen] of told(listeners.get(change.mailbox), change, matches)) {
        tx.insertNotification(newNotification(mail, subscription, { kind: 'change', seen }, now))
      }
    }
    for (const { subscription, message, was, known } of matches.values()) {
      if (was && !known) tx.insertMatch(subscription.id, message)
      if (!was && known) tx.deleteMatch(subscription.id, message)
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

/** A message and a subscription with a filter. */
interface Match {
  readonly subscription: Subscription
  readonly message: MessageId
  /** Whether the store knows it as matching. */
  readonly known: boolean
  /** Whether it matches now. */
  readonly is: boolean
  /** Whether it matched when the subscription was last told of it; moves on with each change. */
  was: boolean
}

type Matches = Map<string, Match>

function keyOf(subscription: Subscription, message: MessageId): string {
  return `${subscription.id} ${message}`
}

/** What the filters of all who listen say of the messages that changed, and said before. */
async function matchesOf(
  mail: Means,
  changes: readonly MessageChange[],
  listeners: ReadonlyMap<MailboxId, Listeners>,
): Promise<Matches> {
  const matches: Matches = new Map()
  for (const { mailbox, message } of changes) {
    for (const subscription of listeners.get(mailbox)?.subscriptions ?? []) {
      const key = keyOf(subscription, message)
      if (subscription.where === undefined || matches.has(key)) continue
      const known = await mail.store.notifications.isMatch(subscription.id, message)
      const is = await isMatching(mail, subscription, message)
      matches.set(key, { subscription, message, known, is, was: known })
    }
  }
  return matches
}

async function isMatching(mail: Means, { mailbox, where }: Subscription, message: MessageId): Promise<boolean> {
  if (where === undefined) return true
  const itself: MessageCondition = { kind: 'compare', field: 'id', operator: 'eq', value: message }
  const found = await mail.store.messages.list({
    mailbox,
    where: { kind: 'every', of: [itself, where] },
    order: [],
    skip: 0,
    top: 1,
    withContent: false,
  })
  return found.length > 0
}

function told(listeners: Listeners | undefined, change: MessageChange, matches: Matches): [Subscription, SeenChange][] {
  if (listeners === undefined) return []
  const { subscriptions, isHidden } = listeners
  return subscriptions.flatMap((subscription) => {
    const seen = filtered(seenBy(subscription, change, isHidden), matches.get(keyOf(subscription, change.message)))
    const wanted = changeTypesIn(subscription.changeType)
    return seen
      .filter(({ changeType }) => wanted.includes(changeType))
      .map((each): [Subscription, SeenChange] => [subscription, each])
  })
}

function filtered(seen: readonly SeenChange[], match: Match | undefined): readonly SeenChange[] {
  if (match === undefined) return seen
  const through = throughFilter(seen, match.was, match.is)
  if (seen.length > 0) match.was = match.is && seen.at(-1)?.changeType !== 'deleted'
  return through
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
