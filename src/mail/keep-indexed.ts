import { performance } from 'node:perf_hooks'
import { setTimeout as pass } from 'node:timers/promises'
import type { MailboxId } from './ids.js'
import type { Mail } from './mail.js'
import { indexMailbox } from './search-messages.js'

/** How often it is asked which mailboxes have got mail, ms. By the next time, those writes are on disk. */
const askEveryMs = 1_000
/** Between two batches, ms; the time in which it shows whether the process has other things to do. */
const pauseMs = 50
/** Share of a pause in which other things were done, from which on indexing gives way. */
const busyShare = 0.3
/** How long it then waits, ms: under load that never ends the index grows all the same, by a batch in this time. */
const busyPauseMs = 5_000

/**
 * Indexes in the background what was accepted, when there is time for it. Searches do not depend on it, since they index
 * what they lack; it spares the first of them the wait.
 *
 * @returns ends it, once the batch under way is through
 */
export function startIndexing(mail: Pick<Mail, 'store'>, failed: (error: unknown) => void): () => Promise<void> {
  const ending = new AbortController()
  const { signal } = ending
  const running = keepIndexed(mail, signal, failed)
  return () => {
    ending.abort()
    return running
  }
}

async function keepIndexed(
  { store }: Pick<Mail, 'store'>,
  signal: AbortSignal,
  failed: (error: unknown) => void,
): Promise<void> {
  const behind = new Set<MailboxId>()
  let written: readonly MailboxId[] = []
  let isFirst = true
  while (await wait(askEveryMs, signal)) {
    try {
      if (isFirst) for (const mailbox of await store.search.listBehind()) behind.add(mailbox)
      isFirst = false
      for (const mailbox of written) behind.add(mailbox)
      written = store.search.takeWritten()
      for (const mailbox of behind) {
        const pause = () => pauseFor(signal)
        await indexMailbox({ store }, mailbox, { messages: Infinity, lookedThrough: Infinity, pause })
        if (signal.aborted) return
        behind.delete(mailbox)
      }
    } catch (error) {
      failed(error)
    }
  }
}

/** Lets the others go first. @returns false at the end */
async function pauseFor(signal: AbortSignal): Promise<boolean> {
  const before = performance.eventLoopUtilization()
  if (!(await wait(pauseMs, signal))) return false
  const { utilization } = performance.eventLoopUtilization(before)
  return utilization < busyShare || wait(busyPauseMs, signal)
}

/** @returns false at the end */
async function wait(ms: number, signal: AbortSignal): Promise<boolean> {
  await pass(ms, undefined, { ref: false, signal }).catch(() => {})
  return !signal.aborted
}
