import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, ResponseSplitter } from '../../bench/response-splitter.js'

const accepted = 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nrequest-id: 1\r\n\r\n'
const json = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"value":["x"]}'
const chunked = [
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  '5\r\n{"a":\r\n',
  'B;name=value\r\n"\r\n0\r\n\r\nno"\r\n',
  '1\r\n}\r\n',
  '0\r\n\r\n',
].join('')

/** The answers that come out when the text goes in by pieces of one size. */
function answers(text: string, pieceBytes: number): Answer[] {
  const splitter = new ResponseSplitter({ keepBody: true })
  const found: Answer[] = []
  for (let at = 0; at < text.length; at += pieceBytes) {
    const answer = splitter.push(Buffer.from(text.slice(at, at + pieceBytes)))
    if (answer !== undefined) found.push(answer)
  }
  return found
}

for (const [name, text, status, body] of [
  ['an answer without a body', accepted, 202, ''],
  ['an answer with Content-Length', json, 200, '{"value":["x"]}'],
  ['a chunked answer whose data looks like its own end', chunked, 200, '{"a":"\r\n0\r\n\r\nno"}'],
  ['an answer with neither', 'HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
  [
    'a chunked answer with a trailer',
    chunked.replace(/0\r\n\r\n$/, '0\r\nX-Sum: 1\r\n\r\n'),
    200,
    '{"a":"\r\n0\r\n\r\nno"}',
  ],
] as const) {
  test(`${name} is found whole, however it is cut`, () => {
    for (const pieceBytes of [text.length, 1, 2, 3, 7, 20]) {
      const found = answers(text, pieceBytes)
      assert.deepEqual(
        found.map((answer) => [answer.status, answer.body.toString()]),
        [[status, body]],
        `in pieces of ${pieceBytes}`,
      )
    }
  })
}

test('one splitter serves one answer after the other', () => {
  const splitter = new ResponseSplitter()
  const statuses = [json, accepted, chunked, accepted].map((text) => splitter.push(Buffer.from(text))?.status)
  assert.deepEqual(statuses, [200, 202, 200, 202])
})

test('a body is kept although the buffer it came in is used again', () => {
  const splitter = new ResponseSplitter({ keepBody: true })
  const buffer = Buffer.from(json.slice(0, -1))
  assert.equal(splitter.push(buffer), undefined)
  buffer.fill('z')
  assert.equal(splitter.push(Buffer.from(json.slice(-1)))?.body.toString(), '{"value":["x"]}')
})

test('bytes after the end of the answer are refused', () => {
  assert.throws(() => new ResponseSplitter().push(Buffer.from(`${accepted}HTTP/1.1`)), /more than one answer/)
  assert.throws(() => new ResponseSplitter().push(Buffer.from(`${chunked}x`)), /more than one answer/)
})

test('what is no HTTP/1.1 answer is refused', () => {
  assert.throws(() => new ResponseSplitter().push(Buffer.from('220 sink.example ESMTP\r\n\r\n')), /Not an answer/)
  const badChunk = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'
  assert.throws(() => new ResponseSplitter().push(Buffer.from(badChunk)), /Not the size of a chunk/)
})
