import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerConversation, conversationFrom, startConversation, startThread } from '../../src/mail/conversation.js'
import { timeZoneNamed, windowsZones } from '../../src/mail/time-zone.js'

const random = { bytes: (count: number) => Buffer.alloc(count, 0xab), uuid: () => '' }

/** The five bytes of each level: in which unit of ticks the time is, how many of them, and the byte of chance. */
function levelsOf(index: string) {
  const bytes = Buffer.from(index, 'base64')
  const levels = []
  for (let at = 22; at < bytes.length; at += 5) {
    const time = bytes.readUInt32BE(at)
    const isLong = time >= 0x80000000
    levels.push({ isLong, seconds: ((time % 0x80000000) * (isLong ? 2 ** 23 : 2 ** 18)) / 1e7, last: bytes[at + 4] })
  }
  return levels
}

const second = 1_000
const hour = 3_600 * second

test('each answer adds five bytes to the index of the message before it', () => {
  const began = Date.UTC(2026, 2, 20, 9, 9, 47)
  const first = startConversation({ random }, began)
  const reply = answerConversation({ random }, first, began + hour)
  const next = answerConversation({ random }, reply, began + 3 * hour)
  const forward = answerConversation({ random }, reply, began + 4 * hour)
  for (const { id } of [reply, next, forward]) assert.equal(id, first.id)
  const [head, one, two, other] = [first, reply, next, forward].map(({ index }) =>
    Buffer.from(index, 'base64').toString('hex'),
  )
  assert.deepEqual([head?.length, one?.length, two?.length, other?.length], [44, 54, 64, 64])
  assert.ok(one?.startsWith(head ?? '-'))
  assert.ok(two?.startsWith(one ?? '-'))
  assert.ok(other?.startsWith(one ?? '-'))
  // Sorted by index, answers to one message are in the order of time.
  assert.ok((two ?? '') < (other ?? ''))
})

test('the first level counts from the six bytes the index begins with, in 31 bits, as recorded', () => {
  // The header of a thread begun 2024-05-06T07:08:09Z: 01, and five bytes of the FILETIME 0x01da9f83_29......
  const header = Buffer.concat([Buffer.from('0101da9f8329', 'hex'), Buffer.alloc(16, 0x5a)])
  const thread = { id: '5a'.repeat(16), index: header.toString('base64') }
  const at = Date.UTC(2024, 4, 7, 8, 9, 10)
  const level = Buffer.from(answerConversation({ random }, thread, at).index, 'base64').subarray(22)
  const ticks = (BigInt(at) + 11_644_473_600_000n) * 10_000n
  const expected = (((ticks - (0x0101da9f8329n << 16n)) >> 23n) & 0x7fffffffn) | 0x80000000n
  assert.equal(level.readUInt32BE(0), Number(expected))
  assert.equal(level[4], 0xab)
})

test('each further level counts from the one before', () => {
  let at = Date.UTC(2024, 4, 6, 7, 8, 9)
  let thread = startConversation({ random }, at)
  const waits = [86_400, 818, 101, 232_759]
  for (const wait of waits) {
    at += wait * second
    thread = answerConversation({ random }, thread, at)
  }
  const [, ...later] = levelsOf(thread.index)
  later.forEach(({ isLong, seconds }, level) => {
    assert.ok(isLong)
    assert.ok(Math.abs(seconds - (waits[level + 1] ?? 0)) < 2, `level ${level + 2}: ${seconds}`)
  })
})

test('the older header, six bytes of FILETIME, is counted from in the finer unit', () => {
  const began = Date.UTC(2021, 0, 6, 13, 27, 4)
  const header = Buffer.alloc(22, 0x5a)
  header.writeUIntBE(Number(((BigInt(began) + 11_644_473_600_000n) * 10_000n) >> 16n), 0, 6)
  const thread = { id: '5a'.repeat(16), index: header.toString('base64') }
  const [level] = levelsOf(answerConversation({ random }, thread, began + hour).index)
  assert.equal(level?.isLong, false)
  assert.ok(Math.abs((level?.seconds ?? 0) - 3_600) < 0.1, String(level?.seconds))
  const [years] = levelsOf(answerConversation({ random }, thread, began + 5 * 365 * 24 * hour).index)
  assert.equal(years?.isLong, true)
  assert.ok(Math.abs((years?.seconds ?? 0) - 5 * 365 * 86_400) < 2, String(years?.seconds))
})

test('an index that is none, or has no room, begins anew with the id of its thread', () => {
  const id = 'ab'.repeat(16)
  const full = Buffer.alloc(22 + 5 * 101, 1).toString('base64')
  for (const index of ['', 'AQ==', 'not base64 at all', full]) {
    const answer = answerConversation(
      { random: { ...random, bytes: (count) => Buffer.alloc(count, 7) } },
      { id, index },
      0,
    )
    assert.equal(answer.id, id)
    const bytes = Buffer.from(answer.index, 'base64')
    assert.equal(bytes.length, 22)
    assert.equal(bytes.subarray(6).toString('hex'), id)
  }
})

test('a clock that was set back leaves an index that is one', () => {
  const began = Date.UTC(2026, 0, 1)
  const thread = startConversation({ random }, began)
  const reply = answerConversation({ random }, thread, began - hour)
  assert.equal(Buffer.from(reply.index, 'base64').length, 27)
})

test('zones are known by their names in Windows and IANA, in any case', () => {
  assert.equal(timeZoneNamed('Pacific Standard Time'), 'America/Los_Angeles')
  assert.equal(timeZoneNamed('w. europe standard time'), 'Europe/Berlin')
  assert.equal(timeZoneNamed('europe/paris'), 'Europe/Paris')
  assert.equal(timeZoneNamed('UTC'), 'UTC')
  for (const none of ['Nowhere Standard Time', '', 'Europe/Nowhere', '__proto__', 'constructor']) {
    assert.equal(timeZoneNamed(none), undefined, none)
  }
})

test('this Node.js knows every zone that Windows names', () => {
  const names = Object.keys(windowsZones)
  assert.ok(names.length > 130)
  for (const name of names) assert.notEqual(timeZoneNamed(name), undefined, name)
})

test('the recorded reply, to the bit', () => {
  const recorded = Buffer.from('AQHcuElNfikeYiJyz0O5BoQVRmVFtbXLcrAO', 'base64')
  const thread = { id: recorded.toString('hex', 6, 22), index: recorded.toString('base64', 0, 22) }
  const { index } = answerConversation({ random }, thread, Date.parse('2026-04-02T07:23:41Z'))
  const level = Buffer.from(index, 'base64').readUInt32BE(22)
  // Its createdDateTime has no fraction, and a unit is 0.84 s.
  assert.ok(Math.abs(level - recorded.readUInt32BE(22)) <= 2, level.toString(16))
})

test('a thread begun with a Message-ID of ours is the one that is read from the Message-ID', () => {
  const began = Date.UTC(2026, 2, 20, 9, 9, 47)
  const chance = {
    bytes: (count: number) => Buffer.from(Array.from({ length: count }, (_, at) => at * 17)),
    uuid: () => '',
  }
  for (const at of [began, began + 1, began + 7 * second, began + 400 * 24 * hour, began]) {
    const { internetMessageId, conversation } = startThread({ random: chance, hostname: 'mail.example' }, at)
    assert.equal(internetMessageId, '<00112233445566778899AABBCCDDEEFF@mail.example>')
    assert.deepEqual(conversation, conversationFrom(internetMessageId, at))
    const bytes = Buffer.from(conversation.index, 'base64')
    const ticks = (BigInt(at) + 11_644_473_600_000n) * 10_000n
    assert.equal(bytes.toString('hex'), `01${(ticks >> 24n).toString(16).padStart(10, '0')}${conversation.id}`)
  }
})
