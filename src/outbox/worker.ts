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
import { attemptDelivery, type DueAgain, giveBack, type Means, type OutboxLog } from './attempt.js'
import { Flights } from './flights.js'
import { Lanes } from './lanes.js'
import { findLocalMailboxes } from './local-mailboxes.js'
import type { ClaimedEntry } from './record.js'
import { jittered, longestWaitMs, postfixSchedule, type RetrySchedule } from './retry-schedule.js'
import { openRelay, type Relay, type SmtpTimeouts } from './smtp.js'
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
  /** Transactions at once to one destination; 20 unless said. */
  readonly destinationConcurrency?: number
  /** Transactions a minute to one destination; not bounded unless said. */
  readonly destinationRate?: number
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
const defaultDestinationConcurrency = 20
const defaultWarnAfterMs = 4 * 3_600_000
const defaultCloseTimeoutMs = 30_000
/** After connections were cut off at the end of a close: for the results of what they carried. */
const lastWordsMs = 1_000

/** Between two looks of a drain. */
const drainPauseMs = 5

/** Entries in one claim. */
const claimBatch = 200

/** How long a claim lasts beyond the longest transaction, ms: local deliveries need no more, others also wait for a slot. */
const claimMarginMs = { local: 60_000, relay: 600_000 }

/** Waits after a store that did not answer, ms: doubling from the first to the last. */
const troubleWaitsMs = { first: 100, last: 30_000 }

/**
 * A timer is set for the next due entry, but for no longer than `longest`: clocks are set, and other processes put
 * mail into the same store or release it. No shorter than `shortest`: what is due and was not claimed is being taken by
 * another worker.
 */
const timerMs = { shortest: 100, longest: 5_000 }
/** Share of a claim's time that is left when it is renewed. */
const renewAt = 2 / 3
/** Beyond the longest that anything waits: what is due later than that was written before a clock was set back. */
const latestMarginMs = 60_000

class Worker implements OutboxWorker {
  readonly #mail: Mail
  readonly #means: Means
  readonly #stop = new AbortController()
  readonly #name: string
  readonly #claimMs: number
  readonly #closeTimeoutMs: number
  readonly #underWay = new Map<Promise<void>, ClaimedEntry>()
  readonly #flights: Flights
  /** There is to be a look after the one under way. */
  #wanted = false
  /** Something has become due since the last one began, whichever its destination. */
  #isNew = false
  /** The destination that the last look ended with; '' at the end of a round. */
  #after = ''
  /** The round began after the last that became due. */
  #isWholeRound = true
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
    const schedule = options.schedule ?? postfixSchedule
    const next = nextServer(mail, options, schedule)
    this.#flights = new Flights(options.destinationConcurrency ?? defaultDestinationConcurrency)
    this.#claimMs = next === undefined ? claimMarginMs.local : next.relay.transactionMs + claimMarginMs.relay
    this.#means = {
      next,
      rules: options.transport?.rules ?? [],
      schedule,
      warnAfterMs: options.warnAfterMs ?? defaultWarnAfterMs,
      log: options.log,
      stop: this.#stop.signal,
    }
  }

  wake(): void {
    this.#isNew = true
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
    next?.lanes.close()
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
      await Promise.all([this.#looking, ...this.#underWay.keys()])
    }
  }

  async #isSomethingDue(): Promise<boolean> {
    const dueAt = await this.#mail.store.outbox.nextDueAt().catch(() => 0)
    return dueAt !== undefined && dueAt <= this.#mail.clock.now()
  }

  get #mayClaim(): boolean {
    return this.#closing === undefined && !this.#isPaused && this.#flights.room > 0
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
    if (this.#isNew && this.#after !== '') this.#isWholeRound = false
    this.#wanted = false
    this.#isNew = false
    this.#clearTimer()
    try {
      const now = this.#mail.clock.now()
      await this.#renewClaims(now)
      await this.#claim(now)
      const dueAt = await this.#mail.store.outbox.nextNewDueAt(this.#latest(now))
      if (dueAt !== undefined && dueAt <= this.#mail.clock.now()) {
        this.#isNew = true
        this.#wanted = true
      }
      if (!this.#wanted) this.#wakeAt(dueAt ?? Number.POSITIVE_INFINITY)
      this.#lastTroubleWaitMs = 0
    } catch (error) {
      this.#waitAfterTrouble(error)
    }
  }

  /** Goes on where the last claim ended; a round is over when every destination that has something due was looked at. */
  async #claim(now: number): Promise<void> {
    if (this.#after === '') this.#isWholeRound = true
    const limit = Math.min(claimBatch, this.#flights.room)
    const asked = this.#flights.ask()
    const claimed = await this.#mail.store.outbox.claimDue({
      worker: this.#name,
      now,
      until: now + this.#claimMs,
      latest: this.#latest(now),
      after: this.#after,
      limit,
      ...asked,
    })
    const taken = new Set(claimed.entries.map(({ destination }) => destination))
    const isCut = claimed.entries.length === limit
    const cutAt = isCut ? claimed.destinations.findLast((each) => taken.has(each)) : undefined
    this.#flights.note(asked, claimed, cutAt)
    this.#begin(claimed.entries)
    const last = cutAt ?? (claimed.goesOn ? claimed.destinations.at(-1) : undefined)
    this.#after = last ?? ''
    const goesOn = last !== undefined
    if (goesOn || !this.#isWholeRound) this.#wanted = true
  }

  #latest(now: number): number {
    return now + Math.max(this.#claimMs, longestWaitMs(this.#means.schedule)) + latestMarginMs
  }

  /**
   * Claims whose end comes near, or has moved because a clock was set: before anything is claimed by the same clock, so
   * that nobody here takes from itself what is under way.
   */
  async #renewClaims(now: number): Promise<void> {
    const until = now + this.#claimMs
    const old = [...this.#underWay.values()].filter(
      ({ dueAt }) => dueAt < now + this.#claimMs * renewAt || dueAt > until + latestMarginMs,
    )
    if (old.length === 0) return
    await this.#mail.store.write((tx) => {
      for (const entry of old) tx.renewClaim(entry, until)
    })
    for (const entry of old) entry.dueAt = until
  }

  #begin(claimed: readonly ClaimedEntry[]): void {
    if (this.#closing !== undefined) {
      for (const entry of claimed) this.#track(entry, giveBack(this.#mail, this.#means, entry))
      return
    }
    if (claimed.length === 0) return
    const together = findLocalMailboxes(this.#mail, claimed)
    for (const entry of claimed) {
      // Asked for alone when that failed, so that an entry at fault is the only one held up.
      const mailboxes = together.catch(() => findLocalMailboxes(this.#mail, [entry])).then((find) => find(entry))
      this.#track(entry, attemptDelivery(this.#mail, this.#means, entry, mailboxes))
    }
  }

  #track(entry: ClaimedEntry, attempt: Promise<DueAgain>): void {
    const tracked = attempt
      .catch((error) => this.#means.log.error({ err: error }, 'a delivery attempt ended in a way it must not'))
      .then((dueAt) => {
        this.#underWay.delete(tracked)
        if (this.#flights.landed(entry.destination)) {
          this.#isNew = true
          this.#wanted = true
        }
        this.#wakeAt(dueAt ?? undefined)
        this.#look()
      })
    this.#underWay.set(tracked, entry)
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
      this.#timerAt = Number.POSITIVE_INFINITY
      this.#isWaitingAfterTrouble = false
      void this.#lookIfDue()
    }, waitMs).unref()
  }

  /** A look costs a write, and a timer has mostly nothing to tell. */
  async #lookIfDue(): Promise<void> {
    try {
      const now = this.#mail.clock.now()
      const { outbox } = this.#mail.store
      await this.#renewClaims(now)
      const isDue = (await this.#isSomethingDue()) || (await outbox.nextNewDueAt(this.#latest(now))) === 0
      if (isDue) this.wake()
      else this.#wakeAt((await outbox.nextDueAt()) ?? Number.POSITIVE_INFINITY)
    } catch (error) {
      this.#waitAfterTrouble(error)
    }
  }

  #clearTimer(): void {
    clearTimeout(this.#timer)
    this.#timerAt = Number.POSITIVE_INFINITY
  }
}

function nextServer(mail: Mail, options: OutboxWorkerOptions, schedule: RetrySchedule): Means['next'] {
  const relay = wayOut(mail, options)
  if (relay === undefined) return undefined
  return {
    relay,
    lanes: new Lanes({
      total: relay.connections,
      perDestination: options.destinationConcurrency ?? defaultDestinationConcurrency,
      perMinute: options.destinationRate ?? 0,
      clock: mail.clock,
      deadForMs: () => jittered(schedule.delaysMs[0], mail.random),
    }),
  }
}

function wayOut(mail: Mail, { relay, transport }: OutboxWorkerOptions): Relay | undefined {
  if (transport?.canLeave) return transport
  if (relay === undefined) return undefined
  const { connections = defaultConnections, ...options } = relay
  return openRelay({ ...options, connections, hostname: mail.hostname })
}
