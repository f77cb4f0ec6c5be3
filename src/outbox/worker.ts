/**
 * Takes what is due out of the outbox, has it delivered, and puts back what must be tried again. An entry on its way:
 *
 *      accepted (submit)
 *          │
 *          ▼          claim: attempts + 1, due again at the end of the claim
 *       queued ────────────────────────────────────────────────► sending
 *        ▲  ▲                                                     │ │ │
 *        │  └──── a recipient is delayed: due at the next try ────┘ │ │
 *        │                                                          │ │
 *        └─── the worker died: the claim ends, it is due again ─────┘ │
 *                                                                     ▼
 *       closed ◄──── every recipient delivered, relayed, captured or failed
 *
 * All of that is on disk; nothing here needs to survive. A claim is a right for a time: its result is written only
 * while `attempts` is still the number that the claim was given, so a worker that comes back late writes nothing.
 *
 * There is one claim at a time, and what becomes due meanwhile is in the next one. So under load claims are large and
 * few, and the deliveries of one claim are written together, in one sync to disk.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mail } from '../mail/mail.js'
import type { OutboxEntry } from '../mail/outbox-entry.js'
import { attemptDelivery, type DueAgain, giveBack, type Means, type OutboxLog } from './attempt.js'
import { findLocalMailboxes } from './local-mailboxes.js'
import { postfixSchedule, type RetrySchedule } from './retry-schedule.js'
import { Slots } from './slots.js'
import { openRelay, type SmtpTimeouts } from './smtp.js'
import type { Transport } from './transport.js'

export interface OutboxWorkerOptions {
  readonly log: OutboxLog
  /** Where mail for other servers goes; without one it is captured. */
  readonly relay?: {
    /** See {@link openRelay}. */
    readonly url: string
    /** Transactions at once; 20 unless said. */
    readonly connections?: number
    readonly timeouts?: SmtpTimeouts
  }
  /** In place of a relay: every way out there is, closed with the worker. */
  readonly transport?: Transport
  /** Postfix's unless said. */
  readonly schedule?: RetrySchedule
  /** After this time a sender is told that their message is late, ms; 0: never. 4 hours unless said, as in Exchange. */
  readonly warnAfterMs?: number
  /** How long {@link OutboxWorker.close} waits for attempts under way; 30 s unless said. */
  readonly closeTimeoutMs?: number
}

export interface OutboxWorker {
  /** There may be something to do. Costs nothing when there is not; calls that come close together are one. */
  wake(): void
  /** Resolves once nothing is under way and nothing is due, or after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>
  /** Claims nothing more until {@link OutboxWorker.resume}; what is under way goes on. */
  pause(): void
  resume(): void
  /**
   * Claims nothing more, finishes what is under way, ends the connections. What had not begun is due at once for the
   * next worker, and a message that had is finished, so a stop makes no second copies. Never rejects.
   */
  close(): Promise<void>
}

/** Starts delivering, with whatever an earlier worker left behind. */
export function startOutboxWorker(mail: Mail, options: OutboxWorkerOptions): OutboxWorker {
  const worker = new Worker(mail, options)
  // Not before the caller has had its say: it may pause first.
  setImmediate(() => worker.wake())
  return worker
}

const defaultConnections = 20
const defaultWarnAfterMs = 4 * 3_600_000
const defaultCloseTimeoutMs = 30_000
/** After connections were cut off at the end of a close: for the results of what they carried. */
const lastWordsMs = 1_000

/** Between two looks of a drain. */
const drainPauseMs = 5

/** Entries in one claim. */
const claimBatch = 100
/** Entries claimed at once. Many more than transactions at once: mail for us must not wait behind a slow relay. */
const maxInFlight = 1_000

/** How long a claim lasts beyond the longest transaction, ms: local deliveries need no more, others also wait for a slot. */
const claimMarginMs = { local: 60_000, relay: 600_000 }

/** Waits after a store that did not answer, ms: doubling from the first to the last. */
const troubleWaitsMs = { first: 100, last: 30_000 }

/**
 * A timer is set for the next due entry, but for no longer than `longest`: clocks are set, and other processes put
 * mail into the same store. No shorter than `shortest`: what is due and was not claimed is being taken by another worker.
 */
const timerMs = { shortest: 100, longest: 60_000 }

class Worker implements OutboxWorker {
  readonly #mail: Mail
  readonly #means: Means
  readonly #stop = new AbortController()
  readonly #name: string
  readonly #claimMs: number
  readonly #closeTimeoutMs: number
  readonly #underWay = new Set<Promise<void>>()
  /** Someone asked for a look since the last one began. */
  #wanted = false
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** When it goes off, in the terms of `performance.now()`. */
  #timerAt = Number.POSITIVE_INFINITY
  #isPaused = false
  #lastTroubleWaitMs = 0
  #isWaitingAfterTrouble = false
  #closing: Promise<void> | undefined

  constructor(mail: Mail, options: OutboxWorkerOptions) {
    this.#mail = mail
    this.#name = mail.random.uuid()
    this.#closeTimeoutMs = options.closeTimeoutMs ?? defaultCloseTimeoutMs
    const next = nextServer(mail, options)
    this.#claimMs = next === undefined ? claimMarginMs.local : next.relay.transactionMs + claimMarginMs.relay
    const { transport, schedule = postfixSchedule, warnAfterMs = defaultWarnAfterMs, log } = options
    this.#means = { next, rules: transport?.rules ?? [], schedule, warnAfterMs, log, stop: this.#stop.signal }
  }

  wake(): void {
    this.#wanted = true
    this.#look()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.wake()
  }

  async drain(timeoutMs: number): Promise<void> {
    const timeout = sleep(timeoutMs, true, { ref: false })
    this.wake()
    while (true) {
      const isLate = await Promise.race([this.#idle().then(() => false), timeout])
      if (isLate || this.#closing !== undefined || this.#isPaused || !(await this.#isSomethingDue())) return
      this.wake()
      await sleep(drainPauseMs)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#clearTimer()
    const { next } = this.#means
    next?.slots.close()
    const isDone = await Promise.race([
      this.#idle().then(() => true),
      sleep(this.#closeTimeoutMs, false, { ref: false }),
    ])
    if (!isDone) {
      this.#means.log.warn({ underWay: this.#underWay.size }, 'deliveries under way were cut off')
      this.#stop.abort()
    }
    next?.relay.close({ force: !isDone })
    if (!isDone) await Promise.race([this.#idle(), sleep(lastWordsMs, undefined, { ref: false })])
  }

  /** Resolves when there was a moment without a look or an attempt under way. */
  async #idle(): Promise<void> {
    while (this.#looking !== undefined || this.#underWay.size > 0) {
      await Promise.all([this.#looking, ...this.#underWay])
    }
  }

  async #isSomethingDue(): Promise<boolean> {
    const dueAt = await this.#mail.store.outbox.nextDueAt().catch(() => 0)
    return dueAt !== undefined && dueAt <= this.#mail.clock.now()
  }

  get #mayClaim(): boolean {
    return this.#closing === undefined && !this.#isPaused && this.#underWay.size < maxInFlight
  }

  /** Begins a look unless there is one: that one sees to it that what is wanted meanwhile is not forgotten. */
  #look(): void {
    // After trouble the timer looks next: a store that is down is not asked again with every mail.
    if (!this.#wanted || !this.#mayClaim || this.#looking !== undefined || this.#isWaitingAfterTrouble) return
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = undefined
      this.#look()
    })
  }

  async #lookOnce(): Promise<void> {
    this.#wanted = false
    this.#clearTimer()
    try {
      const limit = Math.min(claimBatch, maxInFlight - this.#underWay.size)
      const claimed = await this.#claim(limit)
      if (claimed.length > 0) this.#begin(claimed)
      if (claimed.length === limit) this.#wanted = true
      if (!this.#wanted) this.#wakeAt(await this.#mail.store.outbox.nextDueAt())
      this.#lastTroubleWaitMs = 0
    } catch (error) {
      this.#waitAfterTrouble(error)
    }
  }

  #claim(limit: number): Promise<OutboxEntry[]> {
    const now = this.#mail.clock.now()
    return this.#mail.store.outbox.claimDue(this.#name, now, now + this.#claimMs, limit)
  }

  #begin(claimed: readonly OutboxEntry[]): void {
    if (this.#closing !== undefined) {
      for (const entry of claimed) this.#track(giveBack(this.#mail, this.#means, entry))
      return
    }
    const together = findLocalMailboxes(this.#mail, claimed)
    for (const entry of claimed) {
      // Asked for alone when that failed, so that an entry at fault is the only one held up.
      const mailboxes = together.catch(() => findLocalMailboxes(this.#mail, [entry])).then((find) => find(entry))
      this.#track(attemptDelivery(this.#mail, this.#means, entry, mailboxes))
    }
  }

  #track(attempt: Promise<DueAgain>): void {
    const tracked = attempt
      .catch((error) => this.#means.log.error({ err: error }, 'a delivery attempt ended in a way it must not'))
      .then((dueAt) => {
        this.#underWay.delete(tracked)
        this.#wakeAt(dueAt ?? undefined)
        this.#look()
      })
    this.#underWay.add(tracked)
  }

  /** Looks again when something is due, ms since 1970, unless there will be a look before that. */
  #wakeAt(dueAt: number | undefined): void {
    if (dueAt === undefined || this.#isWaitingAfterTrouble) return
    const waitMs = Math.min(Math.max(dueAt - this.#mail.clock.now(), timerMs.shortest), timerMs.longest)
    if (performance.now() + waitMs < this.#timerAt) this.#wakeIn(waitMs)
  }

  /** Looks again later, each time later than before, and at nothing until then. */
  #waitAfterTrouble(error: unknown): void {
    const waitMs = Math.min(Math.max(this.#lastTroubleWaitMs * 2, troubleWaitsMs.first), troubleWaitsMs.last)
    this.#means.log.error({ err: error, waitMs }, 'the outbox could not be read')
    this.#lastTroubleWaitMs = waitMs
    this.#isWaitingAfterTrouble = true
    this.#wakeIn(waitMs)
  }

  #wakeIn(waitMs: number): void {
    this.#clearTimer()
    if (this.#closing !== undefined) return
    this.#timerAt = performance.now() + waitMs
    // Waiting for mail keeps no process alive.
    this.#timer = setTimeout(() => {
      this.#isWaitingAfterTrouble = false
      this.wake()
    }, waitMs).unref()
  }

  #clearTimer(): void {
    clearTimeout(this.#timer)
    this.#timerAt = Number.POSITIVE_INFINITY
  }
}

function nextServer(mail: Mail, { relay, transport }: OutboxWorkerOptions): Means['next'] {
  if (transport?.canLeave) return { relay: transport, slots: new Slots(transport.connections) }
  if (relay === undefined) return undefined
  const { connections = defaultConnections, ...options } = relay
  return {
    relay: openRelay({ ...options, connections, hostname: mail.hostname }),
    slots: new Slots(connections),
  }
}
