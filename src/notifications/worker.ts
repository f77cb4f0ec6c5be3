/**
 * Tells applications of changes. What is on disk, and who moves it on:
 *
 *     a write changes a message ──trigger──► message_changes
 *                                                 │ notifyOfChanges: one write
 *                                                 ▼
 *        ┌──────── claim: due again at its end ─ notifications ◄─── due again later ───┐
 *        ▼                                                                             │
 *     POST to the endpoint ── 2xx ──► gone                                             │
 *        └──────── anything else ──► younger than four hours? ── yes ──────────────────┘
 *                                        └── no ──► gone, and its owner hears `missed`
 *
 * Nothing here needs to survive. Notifications of one application for one endpoint form a lane: its POSTs follow one
 * another, so that an endpoint sees changes in their order while nothing goes wrong, and many of them in one POST when they
 * come faster than it answers.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CallFailed, callOutward, type Reach } from '../http/outward-call.js'
import { MailError } from '../mail/errors.js'
import type { Mail } from '../mail/mail.js'
import { type Notification, urlOf } from '../mail/notification.js'
import { lifecycleNotification, notifyOfChanges } from '../mail/notify.js'
import type { Subscription } from '../mail/subscription.js'
import { lookAfterSubscriptions, removeSubscription } from '../mail/subscription-life.js'
import { giveUpAfterMs, nextTryIn } from './retry-schedule.js'

export interface NotificationLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface NotificationWorkerOptions {
  readonly log: NotificationLog
  /** Where endpoints may be. */
  readonly reach: Reach
  /** The body of a POST, of notifications of one application and one tenant. */
  readonly present: (notifications: readonly Notification[]) => Promise<string>
  /** Whether a subscription may still be served. */
  readonly isEntitled: (subscription: Subscription) => Promise<boolean>
  /** How long {@link NotificationWorker.close} waits for calls under way. */
  readonly closeTimeoutMs: number
}

export interface NotificationWorker {
  /** Something was written. Costs nothing while nobody listens. */
  wake(): void
  /** There is somebody who listens. */
  begin(): void
  /** Calls nobody any more; what was not delivered is due at once for the next worker. Never rejects. */
  close(): Promise<void>
}

/** An endpoint has this long to answer, ms; whoever answers later is told again (documented). */
const answerTimeoutMs = 3_000
/** Nobody reads what it answers. */
const maxAnswerBytes = 65_536

/** Notifications in one POST. */
const batchSize = 100
const claimSize = 500
/** Claimed at once. */
const maxInFlight = 2_000
/** Calls at once, of all lanes. */
const maxCalls = 50
/** Longer than the longest lane that a claim can make takes to be told or given back. */
const claimMs = 300_000

/** A lane that nothing came for in this time begins anew, ms. */
const forgetFailuresAfterMs = 3_600_000

/** Between two looks, ms: other processes write too, and clocks are set. */
const pollMs = { needed: 1_000, idle: 5_000, afterTrouble: 5_000 }
/** Between two looks at the subscriptions themselves. */
const lookAfterEveryMs = 60_000

interface Lane {
  readonly url: string
  waiting: Notification[]
  isBusy: boolean
  failures: number
  /** Not called before, ms since 1970. */
  heldUntil: number
}

/** Starts telling, with whatever an earlier worker left behind. */
export function startNotificationWorker(mail: Mail, options: NotificationWorkerOptions): NotificationWorker {
  const worker = new Worker(mail, options)
  worker.begin()
  return worker
}

class Worker implements NotificationWorker {
  readonly #mail: Mail
  readonly #options: NotificationWorkerOptions
  readonly #stop = new AbortController()
  readonly #lanes = new Map<string, Lane>()
  readonly #calls = new Set<Promise<void>>()
  #inFlight = 0
  #isNeeded = true
  #isWanted = false
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #lookedAfterAt = Number.NEGATIVE_INFINITY
  #closing: Promise<void> | undefined

  constructor(mail: Mail, options: NotificationWorkerOptions) {
    this.#mail = mail
    this.#options = options
  }

  wake(): void {
    if (!this.#isNeeded || this.#isWanted || this.#closing !== undefined) return
    this.#isWanted = true
    this.#look()
  }

  begin(): void {
    this.#isNeeded = true
    this.wake()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#looking
    const left = [...this.#lanes.values()].flatMap((lane) => lane.waiting.splice(0))
    await this.#delay(left, this.#mail.clock.now())
    const ended = Promise.all(this.#calls)
    const isDone = await Promise.race([
      ended.then(() => true),
      sleep(this.#options.closeTimeoutMs, false, { ref: false }),
    ])
    if (!isDone) this.#stop.abort()
    await ended
  }

  #look(): void {
    if (this.#looking !== undefined || this.#closing !== undefined) return
    // Not at once: what is written together is looked at together.
    this.#looking = new Promise((resolve) => setImmediate(resolve))
      .then(() => this.#lookOnce())
      .catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'notifications could not be looked after; the next try follows')
        this.#lookIn(pollMs.afterTrouble)
      })
      .finally(() => {
        this.#looking = undefined
        if (this.#isWanted) this.#look()
      })
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#closing !== undefined) return
    this.#timer = setTimeout(() => {
      this.#isWanted = true
      this.#look()
    }, ms).unref()
  }

  async #lookOnce(): Promise<void> {
    this.#isWanted = false
    const { notifications } = this.#mail.store
    const wasNeeded = this.#isNeeded
    this.#isNeeded = await notifications.isNeeded()
    if (!this.#isNeeded) {
      if (wasNeeded) await lookAfterSubscriptions(this.#mail, this.#options.isEntitled).catch(unlessConflict)
      return this.#lookIn(pollMs.idle)
    }
    await this.#lookAfter()
    if (await this.#noteChanges()) this.#isWanted = true
    const dueAt = await notifications.nextDueAt()
    const now = this.#mail.clock.now()
    if (dueAt !== undefined && dueAt <= now) await this.#claim(now)
    this.#lookIn(pollMs.needed)
  }

  async #lookAfter(): Promise<void> {
    const now = this.#mail.clock.now()
    if (now - this.#lookedAfterAt < lookAfterEveryMs) return
    this.#lookedAfterAt = now
    await lookAfterSubscriptions(this.#mail, this.#options.isEntitled).catch(unlessConflict)
  }

  /** @returns whether there is more */
  async #noteChanges(): Promise<boolean> {
    try {
      return await notifyOfChanges(this.#mail)
    } catch (error) {
      unlessConflict(error)
      return true
    }
  }

  async #claim(now: number): Promise<void> {
    const limit = Math.min(claimSize, maxInFlight - this.#inFlight)
    if (limit <= 0) return
    const claimed = await this.#mail.store.notifications.claimDue(now, now + claimMs, limit)
    if (claimed.length === limit) this.#isWanted = true
    const early = new Map<number, Notification[]>()
    for (const notification of claimed) {
      const lane = this.#laneOf(notification)
      if (lane.heldUntil > now) early.set(lane.heldUntil, [...(early.get(lane.heldUntil) ?? []), notification])
      else {
        lane.waiting.push(notification)
        this.#inFlight++
      }
    }
    for (const [until, notifications] of early) await this.#delay(notifications, until)
    this.#callLanes()
  }

  #laneOf(notification: Notification): Lane {
    const { subscription, content } = notification
    const url = urlOf(notification)
    const key = JSON.stringify([subscription.tenant, subscription.application, content.kind, url])
    const known = this.#lanes.get(key)
    if (known !== undefined) return known
    const lane: Lane = { url, waiting: [], isBusy: false, failures: 0, heldUntil: 0 }
    this.#lanes.set(key, lane)
    return lane
  }

  #callLanes(): void {
    for (const [key, lane] of this.#lanes) {
      if (lane.isBusy) continue
      if (lane.waiting.length === 0) {
        // Of a lane that failed is remembered how often, until what waits in the store has been tried again.
        const idleMs = this.#mail.clock.now() - lane.heldUntil
        if (lane.failures === 0 || idleMs > forgetFailuresAfterMs) this.#lanes.delete(key)
        continue
      }
      if (this.#calls.size >= maxCalls || this.#closing !== undefined) return
      this.#begin(lane)
    }
  }

  #begin(lane: Lane): void {
    lane.isBusy = true
    const batch = lane.waiting.splice(0, batchSize)
    const call: Promise<void> = this.#tell(lane, batch)
      .catch((error: unknown) => {
        // The claim ends, and they are due again.
        this.#options.log.error({ err: error }, 'notifications could not be settled; they are told again')
      })
      .finally(() => {
        lane.isBusy = false
        this.#inFlight -= batch.length
        this.#calls.delete(call)
        this.#callLanes()
        this.wake()
      })
    this.#calls.add(call)
  }

  async #tell(lane: Lane, batch: readonly Notification[]): Promise<void> {
    const entitled = await this.#entitled(batch)
    if (entitled.length === 0) return
    const fault = await this.#post(lane, entitled)
    if (fault === undefined) {
      lane.failures = 0
      lane.heldUntil = 0
      return this.#mail.store.write((tx) => {
        for (const { id } of entitled) tx.deleteNotification(id)
      })
    }
    if (this.#stop.signal.aborted) return this.#delay(entitled, this.#mail.clock.now())
    const now = this.#mail.clock.now()
    lane.heldUntil = now + nextTryIn(lane.failures++)
    const later = lane.waiting.splice(0)
    this.#inFlight -= later.length
    this.#options.log.warn(
      { fault, notifications: entitled.length + later.length },
      'an endpoint took no notifications',
    )
    await this.#putBack([...entitled, ...later], now, lane.heldUntil)
  }

  /** Those whose subscription is there and may be served; the others are gone. */
  async #entitled(batch: readonly Notification[]): Promise<Notification[]> {
    const refused = new Set<string>()
    const now = this.#mail.clock.now()
    const asking = batch.filter((each) => !isLast(each)).map(({ subscription }) => subscription)
    for (const subscription of new Map(asking.map((each) => [each.id, each])).values()) {
      if (subscription.expiresAt <= now) refused.add(subscription.id)
      else if (!(await this.#options.isEntitled(subscription))) {
        refused.add(subscription.id)
        await removeSubscription(this.#mail, subscription).catch(unlessConflict)
      }
    }
    const [kept, gone] = [true, false].map((isKept) =>
      batch.filter((each) => (isLast(each) || !refused.has(each.subscription.id)) === isKept),
    ) as [Notification[], Notification[]]
    if (gone.length > 0) {
      await this.#mail.store.write((tx) => {
        for (const { id } of gone) tx.deleteNotification(id)
      })
    }
    return kept
  }

  /** @returns what went wrong; undefined when they were taken */
  async #post(lane: Lane, batch: readonly Notification[]): Promise<string | undefined> {
    try {
      const { status } = await callOutward(lane.url, this.#options.reach, {
        headers: { 'Content-Type': 'application/json; charset=utf-8' },
        body: await this.#options.present(batch),
        timeoutMs: answerTimeoutMs,
        maxAnswerBytes,
        signal: this.#stop.signal,
      })
      return status >= 200 && status < 300 ? undefined : `it answered ${status}`
    } catch (error) {
      if (error instanceof CallFailed) return error.message
      this.#options.log.error({ err: error }, 'notifications could not be presented')
      return 'not presented'
    }
  }

  async #putBack(notifications: readonly Notification[], now: number, dueAt: number): Promise<void> {
    const given = notifications.filter(({ createdAt }) => now - createdAt >= giveUpAfterMs)
    const missed = new Map(
      given
        .filter(({ content }) => content.kind === 'change')
        .map(({ subscription }) => [subscription.id, subscription]),
    )
    await this.#mail.store.write((tx) => {
      for (const notification of notifications) {
        if (given.includes(notification)) tx.deleteNotification(notification.id)
        else tx.delayNotification(notification.id, dueAt)
      }
      for (const subscription of missed.values()) {
        const notification = lifecycleNotification(this.#mail, subscription, 'missed')
        if (notification !== undefined) tx.insertNotification(notification)
      }
    })
  }

  async #delay(notifications: readonly Notification[], dueAt: number): Promise<void> {
    await this.#mail.store
      .write((tx) => {
        for (const { id } of notifications) tx.delayNotification(id, dueAt)
      })
      // Their claims end in any case.
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'notifications could not be given back'))
  }
}

/** Whether it says that there is no subscription any more: nothing is asked of that. */
function isLast({ content }: Notification): boolean {
  return content.kind === 'lifecycle' && content.event === 'subscriptionRemoved'
}

/** Somebody else was at the same thing. */
function unlessConflict(error: unknown): void {
  if (!(error instanceof MailError) || error.code !== 'conflict') throw error
}
