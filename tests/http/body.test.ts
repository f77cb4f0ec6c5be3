import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { BodyRefused, endAfterRequest, readBody } from '../../src/http/body.js'

const limit = 1_000

/** What came of reading one body: its bytes, or why not. */
type Outcome = Buffer | string

/** A server that reads each body, waits before if the test says so, and keeps what came of it. */
async function startReader(t: TestContext, before: (request: IncomingMessage) => Promise<void> = async () => {}) {
  const outcomes: Outcome[] = []
  let wake = () => {}
  const server = createServer(async (request, response) => {
    await before(request)
    const outcome = await readBody(request, limit).catch((error: unknown) =>
      error instanceof BodyRefused ? error.fault : String(error),
    )
    outcomes.push(outcome)
    wake()
    response.end(typeof outcome === 'string' ? outcome : `${outcome.length} bytes`)
  })
  server.on('clientError', (_, socket) => socket.destroy())
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  t.after(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const next = async (): Promise<Outcome | undefined> => {
    if (outcomes.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return outcomes.shift()
  }
  return { url: `http://127.0.0.1:${port}`, port, next }
}

const post = (url: string, body: string | Uint8Array | ReadableStream, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body, headers, duplex: 'half' })

function inPieces(pieces: readonly Uint8Array[]): ReadableStream {
  const rest = [...pieces]
  return new ReadableStream({
    pull: (controller) => {
      const piece = rest.shift()
      if (piece === undefined) controller.close()
      else controller.enqueue(piece)
    },
  })
}

const gzip = { 'Content-Encoding': 'gzip' }
const bytes = (count: number) => Buffer.alloc(count, 'x')

test('a body is read whole: with a length, in chunks, as gzip, and empty', async (t) => {
  const { url, next } = await startReader(t)
  const sendings: [string | Uint8Array | ReadableStream, Record<string, string>, Buffer][] = [
    ['hello', {}, Buffer.from('hello')],
    ['', {}, Buffer.alloc(0)],
    ['hello', { 'Content-Encoding': 'Identity' }, Buffer.from('hello')],
    [inPieces([bytes(300), bytes(300), bytes(400)]), {}, bytes(1_000)],
    [inPieces([]), {}, Buffer.alloc(0)],
    [gzipSync('hello'), gzip, Buffer.from('hello')],
    [gzipSync('hello'), { 'Content-Encoding': ' GZIP ' }, Buffer.from('hello')],
    [gzipSync(''), gzip, Buffer.alloc(0)],
    [inPieces([gzipSync(bytes(1_000)).subarray(0, 9), gzipSync(bytes(1_000)).subarray(9)]), gzip, bytes(1_000)],
    [Buffer.concat([gzipSync('one '), gzipSync('two')]), gzip, Buffer.from('one two')],
  ]
  for (const [body, headers, expected] of sendings) {
    assert.equal((await post(url, body, headers)).status, 200)
    assert.deepEqual(await next(), expected)
  }
})

test('one byte too many is too many: announced, in chunks or unpacked', async (t) => {
  const { url, next } = await startReader(t)
  const sendings: [string | Uint8Array | ReadableStream, Record<string, string>][] = [
    [bytes(limit + 1), {}],
    [inPieces([bytes(limit), bytes(1)]), {}],
    [gzipSync(bytes(limit + 1)), gzip],
    [gzipSync(bytes(50_000_000)), gzip],
    [Buffer.concat([gzipSync(bytes(limit)), gzipSync('x')]), gzip],
    [inPieces([gzipSync(bytes(limit + 1))]), gzip],
  ]
  for (const [body, headers] of sendings) {
    assert.equal(await (await post(url, body, headers)).text(), 'tooLarge')
    assert.equal(await next(), 'tooLarge')
  }
})

test('what is announced as too long is refused before any of it comes', async (t) => {
  const { port, next } = await startReader(t)
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${limit + 1}\r\n\r\n`)
  assert.equal(await next(), 'tooLarge')
})

test('another encoding than gzip is not read', async (t) => {
  const { url, next } = await startReader(t)
  for (const encoding of ['br', 'deflate', 'gzip, gzip', 'x-gzip', 'gzip;q=1']) {
    await post(url, 'hello', { 'Content-Encoding': encoding })
    assert.equal(await next(), 'unknownEncoding')
  }
})

test('gzip that is none, is cut off or does not add up is broken, and the client still hears of it', async (t) => {
  const { url, next } = await startReader(t)
  const whole = gzipSync(bytes(900))
  const wrongSum = Buffer.from(whole)
  wrongSum.writeUInt32LE(1, whole.length - 8)
  for (const body of [Buffer.from('hello'), whole.subarray(0, 12), whole.subarray(0, -1), wrongSum]) {
    for (const sent of [body, inPieces([body])]) {
      assert.equal(await (await post(url, sent, gzip)).text(), 'broken')
      assert.equal(await next(), 'broken')
    }
  }
})

test('a client that goes away in the middle has sent no body', async (t) => {
  let seen = () => {}
  const { port, next } = await startReader(t, async () => seen())
  const heads = ['Content-Length: 900', 'Transfer-Encoding: chunked', 'Content-Length: 900\r\nContent-Encoding: gzip']
  for (const head of heads) {
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      const start = head.startsWith('T') ? '5\r\nhello\r\n' : '\x1f\x8b\x08'
      const atServer = new Promise<void>((resolve) => {
        seen = resolve
      })
      socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n${start}`, 'latin1')
      await atServer
      socket[leave]()
      assert.equal(await next(), 'aborted')
    }
  }
})

test('a client that went away before its body was asked for has sent no body', async (t) => {
  const { port, next } = await startReader(t, (request) => new Promise((resolve) => request.once('close', resolve)))
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.end('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello')
  assert.equal(await next(), 'aborted')
})

test('an early answer reaches a client that sends all of its body before it listens', async (t) => {
  const server = createServer((request, response) => {
    response.writeHead(413, { Connection: 'close', 'Content-Length': 5 }).write('no...')
    assert.equal(request.readableEnded, false)
    endAfterRequest(response)
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const socket = connect(port, '127.0.0.1')
  const length = 20_000_000
  socket.pause()
  await new Promise((resolve) => {
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`)
    socket.write(bytes(length), resolve)
  })
  const received: Buffer[] = []
  socket.on('data', (chunk) => received.push(chunk))
  socket.resume()
  await new Promise((resolve) => socket.once('close', resolve))
  assert.match(Buffer.concat(received).toString(), /^HTTP\/1\.1 413 .*no\.\.\.$/s)
})
