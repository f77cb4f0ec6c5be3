import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerConversation, startConversation } from '../../src/mail/conversation.js'
import { timeZoneNamed } from '../../src/mail/time-zone.js'

const random = { bytes: (count: number) => Buffer.alloc(count, 0xab), uuid: () => '' }

test('each answer adds five bytes that tell how long after the thread began it came', () => {
  const began = Date.UTC(2026, 2, 20, 9, 9, 47)
  const first = startConversation({ random }, began)
  const second = answerConversation({ random }, first, began + 3_600_000)
  const third = answerConversation({ random }, second, began + 5 * 365 * 86_400_000)
  assert.equal(second.id, first.id)
  const [one, two, three] = [first, second, third].map(({ index }) => Buffer.from(index, 'base64'))
  assert.deepEqual([one?.length, two?.length, three?.length], [22, 27, 32])
  assert.deepEqual(two?.subarray(0, 22), one)
  assert.deepEqual(three?.subarray(0, 27), two)
  // One hour in units of 2^18 ticks; the thread's own time lost its low 24 bits, 1.7 s.
  const hour = two?.readUInt32BE(22) ?? 0
  assert.ok(Math.abs(hour - 36_000_000_000 / 2 ** 18) <= 2 ** 6 + 1, String(hour))
  const years = three?.readUInt32BE(27) ?? 0
  assert.ok(years >= 0x80000000)
  assert.ok(Math.abs(years - 0x80000000 - (5 * 365 * 86_400e7) / 2 ** 23) <= 3)
})

test('an index that is none, or too long, begins anew in the same thread', () => {
  const thread = { id: 'ab'.repeat(16), index: 'AQ==' }
  const answer = answerConversation({ random }, thread, 0)
  assert.equal(answer.id, thread.id)
  assert.equal(Buffer.from(answer.index, 'base64').length, 22)
})

test('zones are known by their names in Windows and IANA, in any case', () => {
  assert.equal(timeZoneNamed('Pacific Standard Time'), 'America/Los_Angeles')
  assert.equal(timeZoneNamed('w. europe standard time'), 'Europe/Berlin')
  assert.equal(timeZoneNamed('europe/paris'), 'Europe/Paris')
  assert.equal(timeZoneNamed('UTC'), 'UTC')
  assert.equal(timeZoneNamed('Nowhere Standard Time'), undefined)
})
