import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerConversation, startConversation } from '../../src/mail/conversation.js'
import { timeZoneNamed } from '../../src/mail/time-zone.js'

const random = { bytes: (count: number) => Buffer.alloc(count, 0xab), uuid: () => '' }

test('each answer adds five bytes', () => {
  const began = Date.UTC(2026, 2, 20, 9, 9, 47)
  const first = startConversation({ random }, began)
  const second = answerConversation({ random }, first, began + 3_600_000)
  const third = answerConversation({ random }, second, began + 5 * 365 * 86_400_000)
  assert.deepEqual([second.id, third.id], [first.id, first.id])
  const [one, two, three] = [first, second, third].map(({ index }) => Buffer.from(index, 'base64'))
  assert.deepEqual([one?.length, two?.length, three?.length], [22, 27, 32])
  assert.deepEqual(two?.subarray(0, 22), one)
  assert.deepEqual(three?.subarray(0, 27), two)
})

test('the time of an answer is written as in the recorded one', () => {
  const recorded = Buffer.from('AQHcuElNfikeYiJyz0O5BoQVRmVFtbXLcrAO', 'base64')
  const thread = { id: recorded.toString('hex', 6, 22), index: recorded.toString('base64', 0, 22) }
  const { index } = answerConversation({ random }, thread, Date.parse('2026-04-02T07:23:41Z'))
  const level = Buffer.from(index, 'base64').readUInt32BE(22)
  // createdDateTime of the recording has no fraction, and a unit is 0.84 s.
  assert.ok(Math.abs(level - recorded.readUInt32BE(22)) <= 2, level.toString(16))
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
