import type { Random } from '../mail/mail.js'

/** When a delayed recipient is tried again, and when it is given up. */
export interface RetrySchedule {
  /** The wait after the first attempt, the second ..., ms; the last one repeats. */
  readonly delaysMs: readonly [number, ...number[]]
  /** Age of a message, ms, after which an attempt that did not get through was the last. */
  readonly giveUpAfterMs: number
  /** Attempts after which it is over, however young the message; not bounded unless given. */
  readonly maxAttempts?: number
}

/**
 * Postfix's curve: 300 s, doubling to 4000 s, five days in all (`minimal_backoff_time`, `maximal_backoff_time` and
 * `maximal_queue_lifetime` of postconf(5)). RFC 5321 §4.5.4.1 asks to go on for four to five days at least.
 */
export const postfixSchedule: RetrySchedule = {
  delaysMs: [300_000, 600_000, 1_200_000, 2_400_000, 4_000_000],
  giveUpAfterMs: 5 * 24 * 60 * 60 * 1000,
}

/**
 * The schedule of a list of waits, ms: one attempt more than there are waits. Its age gives a message up a day later than
 * that at the latest: attempts that could not be counted end too.
 */
export function scheduleOf(delaysMs: readonly [number, ...number[]]): RetrySchedule {
  const inAllMs = delaysMs.reduce((sum, delayMs) => sum + delayMs, 0)
  return { delaysMs, giveUpAfterMs: inAllMs + slackMs, maxAttempts: delaysMs.length + 1 }
}

/** What attempts themselves may take beside the waits. */
const slackMs = 24 * 60 * 60 * 1000

/** The longest that anything waits for its next try, ms: what seems to wait longer was written before a clock was set back. */
export function longestWaitMs({ delaysMs }: RetrySchedule): number {
  return Math.max(...delaysMs)
}

/** By how much a wait can be shorter than the schedule says: what failed together is not tried together again. */
const jitter = 0.1

/** What is known after an attempt that left a recipient delayed. */
export interface Attempted {
  /** Attempts begun, this one included. */
  readonly attempts: number
  /** ms since 1970 */
  readonly createdAt: number
  /** ms since 1970 */
  readonly now: number
  /** From 0 to less than 1. */
  readonly chance: number
}

/** When to try again, ms since 1970; undefined when it is time to give up. */
export function nextAttemptAt(schedule: RetrySchedule, { attempts, createdAt, now, chance }: Attempted) {
  const { delaysMs, giveUpAfterMs, maxAttempts = Number.POSITIVE_INFINITY } = schedule
  if (now - createdAt >= giveUpAfterMs || attempts >= maxAttempts) return undefined
  const delayMs = delaysMs[Math.min(Math.max(attempts, 1), delaysMs.length) - 1] ?? delaysMs[0]
  return now + Math.round(delayMs * (1 - jitter * chance))
}

/** A wait shortened by chance, ms. */
export function jittered(waitMs: number, random: Pick<Random, 'bytes'>): number {
  return Math.round(waitMs * (1 - jitter * chanceOf(random)))
}

/** From 0 to less than 1. */
export function chanceOf(random: Pick<Random, 'bytes'>): number {
  return random.bytes(4).readUInt32LE() / 2 ** 32
}
