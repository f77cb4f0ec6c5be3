import { performance } from 'node:perf_hooks'
import { setTimeout as pass } from 'node:timers/promises'
import type { MailboxId } from './ids.js'
import { type Indexing, indexMailbox, maxBatch } from './index-mailbox.js'

/** How often it is asked which mailboxes have got mail, ms. By the next time, those writes are on disk. */
const askEveryMs = 1_000
/** Between two steps, ms; the time in which it shows whether the process has other things to do. */
const pauseMs = 10
/** Share of a pause in which other things were done, from which on indexing gives way. */
const busyShare = 0.3
/** Messages of a step then: some 5 ms for the one writer that SQLite has. */
const busyBatch = 50
/** How many times as long as the one before each pause is then: one request is no load. */
const longer = 5
/** How long it waits then at most, ms: under load that never ends the index grows all the same, by a step in this time. */
const maxPauseMs = 5_000
/** How often it is told how much is left, ms, where that is more than a moment's work. */
const tellEveryMs = 10_000

/** Who hears of it. */
export interface IndexingEvents {
  readonly failed: (error: unknown) => void
  /** So many messages of all mailboxes are still to be indexed; 0: that was the last of those that were told of. */
  readonly progressed?: (left: number) => void
}

/**
 * Indexes in the background what was accepted, when there is time for it. Searches do not depend on it, since they index
 * what they lack; it spares the first of them the wait.
 *
 * @returns ends it, once the step under way is through
 */
export function startIndexing(mail: Indexing, events: IndexingEvents): () => Promise<void> {
  const ending = new AbortController()
  const { signal } = ending
  const running = keepIndexed(mail, signal, events)
  return () => {
    ending.abort()
    return running
  }
}

async function keepIndexed({ store }: Indexing, signal: AbortSignal, events: IndexingEvents): Promise<void> {
  const behind = new Set<MailboxId>()
  const pace = new Pace(signal)
  const told = new Told({ store }, events)
  let written: readonly MailboxId[] = []
  let askAt = 0
  let isFirst = true
  await wait(askEveryMs, signal)
  while (!signal.aborted) {
    try {
      if (isFirst) for (const mailbox of await store.search.listBehind()) behind.add(mailbox)
      isFirst = false
      if (performance.now() >= askAt) {
        for (const mailbox of written) behind.add(mailbox)
        written = store.search.takeWritten()
        askAt = performance.now() + askEveryMs
      }
      const [mailbox] = behind
      await told.tell(mailbox === undefined)
      if (mailbox === undefined) {
        await wait(askEveryMs, signal)
        askAt = 0
        continue
      }
      // Each has its turn, also beside one that takes long or fails.
      behind.delete(mailbox)
      behind.add(mailbox)
      const isDone = await indexMailbox({ store }, mailbox, { messages: pace.batch, lookedThrough: Infinity })
      if (isDone) behind.delete(mailbox)
      await pace.pause()
    } catch (error) {
      events.failed(error)
      await wait(askEveryMs, signal)
    }
  }
}

/** Lets the others go first: the busier the process is, the less is indexed. */
class Pace {
  batch = busyBatch
  readonly #signal: AbortSignal
  #pauseMs = pauseMs

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  async pause(): Promise<void> {
    const before = performance.eventLoopUtilization()
    await wait(this.#pauseMs, this.#signal)
    const isBusy = performance.eventLoopUtilization(before).utilization >= busyShare
    this.#pauseMs = isBusy ? Math.min(this.#pauseMs * longer, maxPauseMs) : pauseMs
    this.batch = isBusy ? busyBatch : maxBatch
  }
}

/** Tells of work that takes its time. */
class Told {
  readonly #mail: Indexing
  readonly #events: IndexingEvents
  #at = performance.now() + tellEveryMs
  #isUnderWay = false

  constructor(mail: Indexing, events: IndexingEvents) {
    this.#mail = mail
    this.#events = events
  }

  async tell(isDone: boolean): Promise<void> {
    if (isDone) {
      if (this.#isUnderWay) this.#events.progressed?.(0)
      this.#isUnderWay = false
      this.#at = performance.now() + tellEveryMs
    } else if (performance.now() >= this.#at) {
      this.#isUnderWay = true
      this.#at = performance.now() + tellEveryMs
      this.#events.progressed?.(await this.#mail.store.search.countAllUnindexed())
    }
  }
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await pass(ms, undefined, { ref: false, signal }).catch(() => {})
}
