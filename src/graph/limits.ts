/**
 * What the service admits of one application in one mailbox: calls within ten minutes, calls at once, bytes sent within
 * five. What is beyond is refused with 429 and the time after which it is worth another try. Counted in this process, by
 * its clock; nothing of it is kept.
 */
import { limitOf, type Settings } from '../config.js'
import type { Clock } from '../mail/mail.js'
import { GraphError } from './errors.js'

/** Each undefined where there is none. */
export interface CallLimits {
  /** Within {@link requestWindowMs}. */
  readonly requests: number | undefined
  readonly concurrency: number | undefined
  /** Within {@link uploadWindowMs}. */
  readonly uploadBytes: number | undefined
}

/** What Graph documents for Outlook. */
const graphCallLimits = { requests: 10_000, concurrency: 4, uploadBytes: 150_000_000 }

/** The limits that are set; undefined where nothing is limited. */
export function callLimitsOf(settings: Settings): CallLimits | undefined {
  const limits = {
    requests: limitOf(settings, 'limitRequests', graphCallLimits.requests),
    concurrency: limitOf(settings, 'limitConcurrency', graphCallLimits.concurrency),
    uploadBytes: limitOf(settings, 'limitUploadBytes', graphCallLimits.uploadBytes),
  }
  return Object.values(limits).every((limit) => limit === undefined) ? undefined : limits
}

const requestWindowMs = 600_000
const uploadWindowMs = 300_000

/** The limits by the names that refusals give them: the first and last as recorded, the other after their fashion. */
const limitNames = { concurrency: 'MailboxConcurrency', requests: 'MailboxRequests', uploadBytes: 'IncomingBytes' }

type LimitName = keyof typeof limitNames

/** What one application has done in one mailbox, for people to look at. */
export interface CallCounts {
  readonly application: string
  readonly mailbox: number
  readonly underWay: number
  /** Of the current ten minutes. */
  readonly requests: number
  /** Of the current five minutes. */
  readonly uploadedBytes: number
  /** Since this began to be counted. */
  readonly refused: Readonly<Record<LimitName, number>>
}

/** A stretch of time that begins with the first thing counted in it. */
interface Window {
  startedAt: number
  count: number
}

interface Account {
  readonly application: string
  readonly mailbox: number
  underWay: number
  readonly requests: Window
  readonly uploaded: Window
  readonly refused: Record<LimitName, number>
}

/** Accounts beyond this number make the idle ones go. */
const sweepFrom = 10_000

/** Counts the calls of applications in mailboxes, and refuses those beyond the limits. */
export class CallLimiter {
  readonly limits: CallLimits
  readonly #clock: Clock
  readonly #accounts = new Map<string, Account>()
  #sweepAt = sweepFrom

  constructor(limits: CallLimits, clock: Clock) {
    this.limits = limits
    this.#clock = clock
  }

  /**
   * Begins a call. @returns ends it
   *
   * @throws GraphError 429
   */
  begin(application: string, mailbox: number): () => void {
    const now = this.#clock.now()
    const account = this.#accountOf(application, mailbox, now)
    const { concurrency, requests } = this.limits
    if (concurrency !== undefined && account.underWay >= concurrency) throw refusal(account, 'concurrency', 1)
    count(account.requests, 1, now, requestWindowMs)
    if (requests !== undefined && account.requests.count > requests) {
      throw refusal(account, 'requests', secondsLeft(account.requests, now, requestWindowMs))
    }
    account.underWay++
    return () => {
      account.underWay--
    }
  }

  /**
   * Counts what a call sends.
   *
   * @throws GraphError 429
   */
  upload(application: string, mailbox: number, bytes: number): void {
    const now = this.#clock.now()
    const account = this.#accountOf(application, mailbox, now)
    renew(account.uploaded, now, uploadWindowMs)
    const { uploadBytes } = this.limits
    // Counted only when it is let in: who waits as long as told finds room again.
    if (uploadBytes !== undefined && account.uploaded.count + bytes > uploadBytes) {
      throw refusal(account, 'uploadBytes', secondsLeft(account.uploaded, now, uploadWindowMs))
    }
    account.uploaded.count += bytes
  }

  /** Calls refused, by the name of the limit; of the accounts that are counted now. */
  refusals(): Record<LimitName, number> {
    const sums = { concurrency: 0, requests: 0, uploadBytes: 0 }
    for (const { refused } of this.#accounts.values()) {
      for (const limit of Object.keys(sums) as LimitName[]) sums[limit] += refused[limit]
    }
    return sums
  }

  /** Busiest first. */
  counts(limit: number): CallCounts[] {
    const now = this.#clock.now()
    return [...this.#accounts.values()]
      .map(({ application, mailbox, underWay, requests, uploaded, refused }) => ({
        application,
        mailbox,
        underWay,
        requests: isOver(requests, now, requestWindowMs) ? 0 : requests.count,
        uploadedBytes: isOver(uploaded, now, uploadWindowMs) ? 0 : uploaded.count,
        refused: { ...refused },
      }))
      .sort((one, other) => other.requests - one.requests)
      .slice(0, limit)
  }

  #accountOf(application: string, mailbox: number, now: number): Account {
    const key = `${mailbox} ${application}`
    const known = this.#accounts.get(key)
    if (known !== undefined) return known
    if (this.#accounts.size >= this.#sweepAt) this.#sweep(now)
    const account: Account = {
      application,
      mailbox,
      underWay: 0,
      requests: { startedAt: now, count: 0 },
      uploaded: { startedAt: now, count: 0 },
      refused: { concurrency: 0, requests: 0, uploadBytes: 0 },
    }
    this.#accounts.set(key, account)
    return account
  }

  #sweep(now: number): void {
    for (const [key, { underWay, requests, uploaded }] of this.#accounts) {
      const isIdle = isOver(requests, now, requestWindowMs) && isOver(uploaded, now, uploadWindowMs)
      if (underWay === 0 && isIdle) this.#accounts.delete(key)
    }
    // Not again before as many have come: else each new one would pass over all of them.
    this.#sweepAt = Math.max(sweepFrom, this.#accounts.size * 2)
  }
}

/** Also when the clock was set back: nobody waits for a time that is far ahead. */
function isOver({ startedAt }: Window, now: number, lengthMs: number): boolean {
  return now >= startedAt + lengthMs || now < startedAt
}

function renew(window: Window, now: number, lengthMs: number): void {
  if (!isOver(window, now, lengthMs)) return
  window.startedAt = now
  window.count = 0
}

function count(window: Window, amount: number, now: number, lengthMs: number): void {
  renew(window, now, lengthMs)
  window.count += amount
}

function secondsLeft({ startedAt }: Window, now: number, lengthMs: number): number {
  return Math.max(1, Math.ceil((startedAt + lengthMs - now) / 1_000))
}

function refusal(account: Account, limit: LimitName, retryAfterSeconds: number): GraphError {
  account.refused[limit]++
  return new GraphError(429, 'ApplicationThrottled', `Application is over its ${limitNames[limit]} limit.`, {
    reason: `The limit ${limit} of one application in one mailbox was reached; see the setting --limits.`,
    headers: { 'Retry-After': String(retryAfterSeconds) },
  })
}
