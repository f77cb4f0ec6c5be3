import type { MailboxId } from './ids.js'
import type { MailStore } from './store.js'

const queues = new WeakMap<MailStore, Map<MailboxId, Promise<void>>>()

/**
 * Runs the works of one mailbox one after another. Only to spare them each other's conflicts: what other processes do is
 * seen by the guards of each write.
 */
export async function inTurn<Result>(
  store: MailStore,
  mailbox: MailboxId,
  work: () => Promise<Result>,
): Promise<Result> {
  const turns = queues.get(store) ?? new Map<MailboxId, Promise<void>>()
  queues.set(store, turns)
  const result = (turns.get(mailbox) ?? Promise.resolve()).then(work)
  const done = result.then(
    () => {},
    () => {},
  )
  turns.set(mailbox, done)
  void done.then(() => {
    if (turns.get(mailbox) === done) turns.delete(mailbox)
  })
  return result
}
