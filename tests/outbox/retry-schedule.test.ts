import assert from 'node:assert/strict'
import { test } from 'node:test'
import { longestWaitMs, nextAttemptAt, postfixSchedule, scheduleOf } from '../../src/outbox/retry-schedule.js'

const createdAt = Date.UTC(2026, 0, 5, 12)
const minute = 60_000
const day = 24 * 60 * minute

test('waits double from 300 s to 4000 s and stay there', () => {
  const waits = [1, 2, 3, 4, 5, 6, 100].map((attempts) =>
    nextAttemptAt(postfixSchedule, { attempts, createdAt, now: createdAt, chance: 0 }),
  )
  assert.deepEqual(
    waits,
    [300, 600, 1200, 2400, 4000, 4000, 4000].map((seconds) => createdAt + seconds * 1000),
  )
})

test('chance shortens a wait by a tenth at most', () => {
  const wait = (chance: number) => nextAttemptAt(postfixSchedule, { attempts: 1, createdAt, now: 0, chance })
  assert.equal(wait(0), 300_000)
  assert.equal(wait(0.5), 285_000)
  assert.equal(wait(0.999999), 270_000)
})

test('after five days it is over', () => {
  const at = (now: number) => nextAttemptAt(postfixSchedule, { attempts: 100, createdAt, now, chance: 0 })
  assert.equal(at(createdAt + 5 * day - 1), createdAt + 5 * day - 1 + 4_000_000)
  assert.equal(at(createdAt + 5 * day), undefined)
})

test('a clock that was set back delays nothing by more than the schedule says', () => {
  const now = createdAt - 30 * day
  assert.equal(nextAttemptAt(postfixSchedule, { attempts: 2, createdAt, now, chance: 0 }), now + 600_000)
})

test('a schedule of one delay repeats it', () => {
  const schedule = { delaysMs: [1000], giveUpAfterMs: day } as const
  assert.equal(nextAttemptAt(schedule, { attempts: 7, createdAt, now: createdAt, chance: 0 }), createdAt + 1000)
})

test('a list of waits is gone through once: one attempt more than waits, and no more', () => {
  const schedule = scheduleOf([1_000, 1_000, 2_000, 5_000])
  const waits = [1, 2, 3, 4, 5, 6].map((attempts) =>
    nextAttemptAt(schedule, { attempts, createdAt, now: 0, chance: 0 }),
  )
  assert.deepEqual(waits, [1_000, 1_000, 2_000, 5_000, undefined, undefined])
  assert.equal(longestWaitMs(schedule), 5_000)
  assert.equal(nextAttemptAt(schedule, { attempts: 1, createdAt, now: createdAt + 2 * day, chance: 0 }), undefined)
})
