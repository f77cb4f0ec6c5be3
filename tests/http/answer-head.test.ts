import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeadWriter } from '../../src/http/answer-head.js'

const noon = Date.UTC(2026, 10, 21, 12)
const date = 'Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n'

test('what heads repeat is written the same, what changes anew, wherever it stands', () => {
  const writer = new HeadWriter()
  const asked = [
    [202, 'Cache-Control', 'private', 'request-id', 'one'],
    [202, 'Cache-Control', 'private', 'request-id', 'two'],
    [404, 'request-id', 'two', 'Cache-Control', 'private', 'Content-Length', '0'],
    [202, 'Cache-Control', 'private', 'request-id', 'two'],
    [200],
    [202, 'Cache-Control', 'private', 'request-id', 'one'],
  ] as const
  const heads = asked.map(([status, ...headers]) => writer.write(status, headers, noon))
  const accepted = (id: string) => `HTTP/1.1 202 Accepted\r\nCache-Control: private\r\nrequest-id: ${id}\r\n${date}`
  assert.deepEqual(heads, [
    accepted('one'),
    accepted('two'),
    `HTTP/1.1 404 Not Found\r\nrequest-id: two\r\nCache-Control: private\r\nContent-Length: 0\r\n${date}`,
    accepted('two'),
    `HTTP/1.1 200 OK\r\n${date}`,
    accepted('one'),
  ])
})

test('a value that no header can hold is refused, and leaves nothing to the next head', () => {
  const writer = new HeadWriter()
  const before = writer.write(202, ['request-id', 'one', 'x', 'y'], noon)
  for (const value of ['a\r\nSet-Cookie: b', 'a\0', 'a\u0100', '\x7f']) {
    assert.throws(() => writer.write(202, ['request-id', 'two', 'x', value], noon), TypeError)
  }
  assert.equal(writer.write(202, ['request-id', 'one', 'x', 'y'], noon), before)
})

test('the date is that of the answer', () => {
  const writer = new HeadWriter()
  const dates = [0, 999, 1_000, 0].map((ms) => writer.write(200, [], noon + ms).split('\r\n')[1])
  const [first] = date.split('\r\n')
  assert.deepEqual(dates, [first, first, 'Date: Sat, 21 Nov 2026 12:00:01 GMT', first])
})
