/** Whatever a client sends, it gets the answer that `node:http` alone would give: the fast path only changes what it costs. */
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders, RequestListener } from 'node:http'
import { Agent, request } from 'node:https'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { FastPath } from '../../src/http/fast-path.js'
import { makeAuthority, makeLeaf } from '../../src/http/make-certificate.js'
import { type Listening, listen } from '../../src/http/server.js'

const timeouts = { headersTimeoutMs: 1_600, requestTimeoutMs: 2_000, keepAliveTimeoutMs: 5_000 }

/** What a request was understood as; the answer of both servers, so that it can be compared. */
function seen(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): Buffer {
  return Buffer.from(JSON.stringify({ method, url, headers, body: body.toString('latin1') }))
}

const listener: RequestListener = async (request, response) => {
  const chunks: Buffer[] = []
  request.on('error', () => {})
  for await (const chunk of request) chunks.push(chunk)
  const { method = '', url = '', headers } = request
  response.writeHead(200, ['X-Kind', 'echo']).end(seen(method, url, headers, Buffer.concat(chunks)))
}

interface Started {
  readonly port: number
  readonly listening: Listening
  /** Requests that `node:http` did not see. */
  readonly fast: () => number
}

async function start(t: TestContext, isFast: boolean, options: Partial<typeof timeouts> = {}): Promise<Started> {
  let fast = 0
  const fastPath: FastPath = ({ method, url, headers, body }, answer) => {
    if (url.startsWith('/slow')) return false
    fast++
    setImmediate(() => answer({ status: 200, headers: ['X-Kind', 'echo'], body: seen(method, url, headers, body) }))
    return true
  }
  const common = { host: '127.0.0.1', port: 0, ...timeouts, ...options }
  const listening = await listen(
    (request, response) => void Promise.resolve(listener(request, response)).catch(() => {}),
    {
      ...common,
      ...(isFast ? { fastPath } : {}),
    },
  )
  t.after(() => listening.close(0))
  return { port: listening.port, listening, fast: () => fast }
}

interface Connection {
  send(bytes: string): Promise<void>
  /** All that came, once so much has come, or the connection was closed, or nothing came for so long. */
  received(quietMs: number): Promise<string>
  readonly closed: Promise<string>
  /** All that came, once so many answers have begun. */
  answers(count: number): Promise<string>
  /** Sends no more. */
  end(): void
  destroy(): void
}

function open(port: number): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let text = ''
  let lastAt = Date.now()
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1')
    lastAt = Date.now()
  })
  socket.on('error', () => {})
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(text)))
  const connection: Connection = {
    send: (bytes) =>
      new Promise((resolve) => {
        lastAt = Date.now()
        socket.write(bytes, 'latin1', () => resolve())
      }),
    received: async (quietMs) => {
      while (!socket.destroyed && Date.now() - lastAt < quietMs) await new Promise((resolve) => setTimeout(resolve, 5))
      return text
    },
    closed,
    answers: async (count) => {
      while (!socket.destroyed && text.split(/HTTP\/1\.1 \d{3} /).length <= count)
        await new Promise((resolve) => setTimeout(resolve, 5))
      return text
    },
    end: () => void socket.end(),
    destroy: () => void socket.resetAndDestroy(),
  }
  return new Promise((resolve) => socket.on('connect', () => resolve(connection)))
}

function undated(answer: string): string {
  return answer.replace(/\r\nDate: [^\r]*/g, '\r\nDate: now')
}

const last = 'GET /last HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n'

/** Sends the pieces one by one, then one more request, and says all that came back. */
async function exchange(port: number, pieces: readonly string[]): Promise<string> {
  const connection = await open(port)
  for (const piece of pieces) {
    await connection.send(piece)
    await connection.received(40)
  }
  await connection.send(last)
  const cut = setTimeout(() => connection.destroy(), 3_000)
  const answer = await connection.closed
  clearTimeout(cut)
  return undated(answer)
}

const body = '{"message":{}}'
const token = `Bearer ${'abcDEF123-_.'.repeat(90)}`

function post(...headers: string[]): string {
  const lines = ['POST /v1.0/me/sendMail?a=%20b HTTP/1.1', 'Host: localhost:1', ...headers]
  return `${lines.join('\r\n')}\r\n\r\n`
}

const length = `Content-Length: ${body.length}`
const json = 'Content-Type: application/json; charset=utf-8'

/** What is read here. */
const plain: readonly (readonly string[])[] = [
  [post(length, json) + body],
  [
    post(length, json, `Authorization: ${token}`, 'client-request-id: 1', 'Accept: */*', 'Connection: keep-alive') +
      body,
  ],
  [post('content-length: 0')],
  [`${post('CONTENT-LENGTH:2', 'X-Empty:', 'x-a:b:c', "x!#$%&'*+.^_`|~-1: ok")}{}`],
  [post(length) + body, `${post('Content-Length: 1')}x`, post('Content-Length: 0')],
  [`${post('Content-Length: 3')}\xe2\x82\xac`],
  [post(length), body],
  [post(length) + body.slice(0, 3), body.slice(3, 7), body.slice(7)],
]

test('a plain request never reaches node:http, and its answer is the same', async (t) => {
  const [fast, slow] = await Promise.all([start(t, true), start(t, false)])
  let requests = 0
  for (const pieces of plain) {
    assert.equal(await exchange(fast.port, pieces), await exchange(slow.port, pieces))
    requests += pieces.filter((piece) => piece.startsWith('POST')).length
    assert.equal(fast.fast(), requests, pieces[0])
  }
})

const chunked = 'Transfer-Encoding: chunked'
const chunks = `e\r\n${body}\r\n0\r\n\r\n`

/** What is not. */
const other: Readonly<Record<string, readonly string[]>> = {
  'another method': ['GET /v1.0/me HTTP/1.1\r\nHost: here\r\n\r\n'],
  'a method in small letters': [`post / HTTP/1.1\r\nHost: here\r\n${length}\r\n\r\n${body}`],
  chunks: [post(chunked) + chunks],
  'chunks and a length': [post(chunked, length) + chunks],
  'a length and chunks': [post(length, 'transfer-encoding:\tchunked') + body],
  'another coding': [post(length, 'Content-Encoding: gzip') + body],
  'two lengths that agree': [post(length, length) + body],
  'two lengths that do not': [post(length, 'Content-Length: 2') + body],
  'a length in a list': [post('Content-Length: 14, 14') + body],
  'a length with a sign': [post('Content-Length: +14') + body],
  'a length below nothing': [post('Content-Length: -1') + body],
  'a length in hexadecimal': [post('Content-Length: 0xe') + body],
  'a length too long for anybody': [post(`Content-Length: ${'9'.repeat(40)}`) + body],
  'no length': [post(json) + body],
  'blanks around a length': [post('Content-Length:  14 ') + body],
  'a header twice': [post(length, 'X-A: 1', 'x-a: 2') + body],
  'another host': [post(length, 'host: elsewhere') + body],
  'no host': [`POST / HTTP/1.1\r\n${length}\r\n\r\n${body}`],
  'a name that every object has': [post(length, '__proto__: 1', 'constructor: 2') + body],
  cookies: [post(length, 'Set-Cookie: a=b', 'Cookie: c=d') + body],
  Expect: [post(length, 'Expect: 100-continue') + body],
  Upgrade: [post(length, 'Connection: Upgrade', 'Upgrade: h2c') + body],
  'a connection that is not kept': [post(length, 'Connection: close') + body],
  'HTTP/1.0': [`POST / HTTP/1.0\r\nHost: here\r\n${length}\r\n\r\n${body}`],
  'HTTP/1.2': [`POST / HTTP/1.2\r\nHost: here\r\n${length}\r\n\r\n${body}`],
  'a whole URL': [`POST http://here/ HTTP/1.1\r\nHost: here\r\n${length}\r\n\r\n${body}`],
  'two blanks': [`POST  / HTTP/1.1\r\nHost: here\r\n${length}\r\n\r\n${body}`],
  'an unusual character in the path': [`POST /"<\xe9> HTTP/1.1\r\nHost: here\r\n${length}\r\n\r\n${body}`],
  'a folded header': [post(length, 'X-A: 1\r\n 2') + body],
  'a blank before the colon': [post('Content-Length : 14') + body],
  'a line without a colon': [post(length, 'nonsense') + body],
  'a colon in a later line alone': [post('nonsense', length) + body],
  'an empty name': [post(length, ': x') + body],
  'lines that end with LF': [post(length, 'X-A: 1\nX-B: 2') + body],
  'a CR alone': [post(length, 'X-A: 1\rX-B: 2') + body],
  'a NUL': [post(length, 'X-A: 1\0') + body],
  'bytes beyond ASCII': [post(length, 'X-A: \xe9') + body],
  'blanks around a value': [post(length, 'X-A:  \t1\t ') + body],
  'an empty line before': [`\r\n${post(length)}${body}`],
  'no HTTP': ['nonsense\r\n\r\n'],
  TLS: ['\x16\x03\x01\x02\x00\x01\x00'],
  'a head too large': [post(length, `X-A: ${'a'.repeat(17_000)}`) + body],
  'very many headers': [post(length, ...Array.from({ length: 150 }, (_, index) => `X-${index}: 1`)) + body],
  'a head in two pieces': [post(length).slice(0, 30), post(length).slice(30) + body],
  'a head that never ends': [post(length).slice(0, 30)],
  'a byte too many behind pieces': [post(length) + body.slice(0, 5), body.slice(5) + body],
  'a body that never ends': [post('Content-Length: 100') + body],
  'more than one request at once': [post(length) + body + post(length) + body],
  'a byte too many': [`${post(length)}${body} `],
  'a request that the fast path leaves': [post(length).replace('/v1.0', '/slow') + body],
  'one after a plain one': [post(length) + body, post(length, 'X-A: 1', 'X-A: 2') + body, post(length) + body],
  'a large body': [post('Content-Length: 300000') + 'x'.repeat(300_000)],
}

test('anything else is left to node:http as if nobody had looked at it', async (t) => {
  const [fast, slow] = await Promise.all([start(t, true), start(t, false)])
  await eachOf(Object.entries(other), 6, async ([name, pieces]) => {
    const [answer, expected] = await Promise.all([exchange(fast.port, pieces), exchange(slow.port, pieces)])
    assert.equal(answer, expected, name)
  })
  assert.equal(fast.fast(), 1, 'only the first of "one after a plain one"')
})

/** Some at a time: the pieces of a request shall not meet on a machine that is too busy to read each. */
async function eachOf<Item>(items: readonly Item[], atOnce: number, run: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const runNext = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await run(item)
  }
  await Promise.all(Array.from({ length: atOnce }, runNext))
}

/** The same numbers in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const splinters = [
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  ':',
  '\0',
  '\x7f',
  '\xe9',
  ',',
  '0',
  '9',
  'x',
  ';',
  '\r\n\r\n',
  '\r\n ',
]
const headers = ['Content-Length: 3', chunked, 'Connection: close', 'Expect: x', 'Host: b', 'X: y', 'Content-Length:']

function mutated(text: string, below: (count: number) => number): string {
  const at = below(text.length)
  const kind = below(4)
  if (kind === 0) return text.slice(0, at) + text.slice(at + 1 + below(3))
  if (kind === 1) return text.slice(0, at) + splinters[below(splinters.length)] + text.slice(at)
  if (kind === 2) return text.slice(0, at) + splinters[below(splinters.length)] + text.slice(at + 1)
  const line = text.indexOf('\r\n', at)
  return line === -1 ? text : `${text.slice(0, line)}\r\n${headers[below(headers.length)]}${text.slice(line)}`
}

test('of requests with something broken in them both say the same', { timeout: 120_000 }, async (t) => {
  const runs = Number(process.env.GRAPHPOST_HTTP_FUZZ_RUNS ?? 400)
  const [fast, slow] = await Promise.all([start(t, true), start(t, false)])
  const below = numbers(7)
  const whole = post(length, json, 'Authorization: Bearer abc', 'Accept: */*') + body
  const requests = Array.from({ length: runs }, () => {
    let text = whole
    for (let count = below(3); count >= 0; count--) text = mutated(text, below)
    const cut = below(3) === 0 ? below(text.length) : text.length
    return [text.slice(0, cut), text.slice(cut)].filter((piece) => piece !== '')
  })
  await eachOf(requests, 20, async (pieces) => {
    const [answer, expected] = await Promise.all([exchange(fast.port, pieces), exchange(slow.port, pieces)])
    assert.equal(answer, expected, JSON.stringify(pieces))
  })
  assert.ok(fast.fast() > 0 && fast.fast() < runs, 'some were read here, some were not')
})

test('a connection is kept from one plain request to the next, and then to anything else', async (t) => {
  const { port, fast } = await start(t, true)
  const connection = await open(port)
  const answers = [
    post(length) + body,
    post(length) + body,
    'GET /a HTTP/1.1\r\nHost: here\r\n\r\n',
    post(length) + body,
  ]
  for (const [index, request] of answers.entries()) {
    await connection.send(request)
    await connection.answers(index + 1)
  }
  assert.equal(fast(), 2)
  connection.destroy()
})

test('a request ahead of the answer before it waits for that', async (t) => {
  const { port } = await start(t, true)
  const connection = await open(port)
  await connection.send(`${post('Content-Length: 1')}1`)
  await connection.send(`${post('Content-Length: 1')}2`)
  await connection.send(`${post('Content-Length: 1', 'Connection: close')}3`)
  const bodies = [...(await connection.closed).matchAll(/"body":"(\d)"/g)].map(([, digit]) => digit)
  assert.deepEqual(bodies, ['1', '2', '3'])
})

test('a client that says nothing is cut off like one that says nothing to node:http', async (t) => {
  const { port } = await start(t, true, { headersTimeoutMs: 300 })
  const connection = await open(port)
  assert.match(await connection.closed, /^HTTP\/1\.1 408 Request Timeout\r\n/)
})

test('a connection without requests is kept for so long and no longer', async (t) => {
  const { port } = await start(t, true, { headersTimeoutMs: 200, keepAliveTimeoutMs: 600 })
  const connection = await open(port)
  await connection.send(post(length) + body)
  await connection.answers(1)
  await connection.received(400)
  await connection.send(post(length) + body)
  await connection.answers(2)
  assert.equal((await connection.closed).split('HTTP/1.1 200 OK').length, 3)
})

test('a server that closes ends idle connections, and the others with their answers', async (t) => {
  let release = () => {}
  const asked = new Promise<void>((resolve) => {
    release = resolve
  })
  let answerNow = () => {}
  const fastPath: FastPath = ({ url }, answer) => {
    if (url === '/later') {
      answerNow = () => answer({ status: 202, headers: ['Content-Length', '0'] })
      release()
    } else {
      setImmediate(() => answer({ status: 202, headers: ['Content-Length', '0'] }))
    }
    return true
  }
  const listening = await listen(() => {}, { host: '127.0.0.1', port: 0, ...timeouts, fastPath })
  const [idle, fresh, busy] = await Promise.all([open(listening.port), open(listening.port), open(listening.port)])
  await idle.send(post(length) + body)
  await idle.answers(1)
  await busy.send(`POST /later HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n`)
  await asked
  const closed = listening.close(60_000)
  await Promise.all([idle.closed, fresh.closed])
  answerNow()
  assert.match(await busy.closed, /^HTTP\/1\.1 202 Accepted\r\n.*\r\nConnection: close\r\n\r\n$/s)
  await closed
  t.after(() => listening.close(0))
})

test('a client that goes away while it is answered harms nobody', async (t) => {
  const { port, fast } = await start(t, true)
  for (let count = 0; count < 20; count++) {
    const connection = await open(port)
    await connection.send(post(length) + body)
    connection.destroy()
  }
  const connection = await open(port)
  await connection.send(post(length) + body)
  await connection.answers(1)
  assert.ok(fast() > 0)
  connection.destroy()
})

for (const leave of ['end', 'destroy'] as const) {
  test(`a client that leaves in the middle of a body is reported by node:http (${leave})`, async (t) => {
    let aborted = () => {}
    const heard = new Promise<void>((resolve) => {
      aborted = resolve
    })
    const fastPath: FastPath = () => assert.fail('the request was never whole')
    const listening = await listen((request) => request.resume().on('error', aborted), {
      ...{ host: '127.0.0.1', port: 0, ...timeouts },
      fastPath,
    })
    t.after(() => listening.close(0))
    const connection = await open(listening.port)
    await connection.send(post(length) + body.slice(0, 5))
    await connection.received(40)
    connection[leave]()
    await heard
  })
}

test('an answer may say how long it is', async (t) => {
  const fastPath: FastPath = (_, answer) => {
    setImmediate(() => answer({ status: 413, headers: ['Content-Length', '3'], body: Buffer.from('abc') }))
    return true
  }
  const listening = await listen(() => {}, { host: '127.0.0.1', port: 0, ...timeouts, fastPath })
  t.after(() => listening.close(0))
  const connection = await open(listening.port)
  await connection.send(post(length) + body)
  const answer = await connection.received(40)
  assert.match(answer, /^HTTP\/1\.1 413 Payload Too Large\r\nContent-Length: 3\r\n/)
  assert.match(answer, /\r\n\r\nabc$/)
  assert.doesNotMatch(answer, /Transfer-Encoding/)
  connection.destroy()
})

test('what cannot stand in a header is not sent', async (t) => {
  let refused: unknown
  const fastPath: FastPath = (_, answer) => {
    setImmediate(() => {
      try {
        answer({ status: 200, headers: ['X-A', 'a\r\nX-B: b'] })
      } catch (error) {
        refused = error
        answer({ status: 500, headers: ['Content-Length', '0'] })
      }
    })
    return true
  }
  const listening = await listen(() => {}, { host: '127.0.0.1', port: 0, ...timeouts, fastPath })
  t.after(() => listening.close(0))
  const connection = await open(listening.port)
  await connection.send(post(length) + body)
  assert.match(await connection.answers(1), /^HTTP\/1\.1 500 Internal Server Error\r\nContent-Length: 0\r\n/)
  assert.ok(refused instanceof TypeError)
  connection.destroy()
})

test('requests over TLS are read the same way', async (t) => {
  const names = ['localhost']
  const authority = await makeAuthority(Date.now())
  const { certPem: cert, keyPem: key } = await makeLeaf(authority, names, Date.now())
  let fast = 0
  const fastPath: FastPath = ({ socket }, answer) => {
    fast++
    assert.ok('encrypted' in socket)
    setImmediate(() => answer({ status: 202, headers: ['Content-Length', '0'] }))
    return true
  }
  const listening = await listen((_, response) => response.writeHead(200).end(), {
    ...{ host: '127.0.0.1', port: 0, ...timeouts },
    tls: { cert, key },
    fastPath,
  })
  t.after(() => listening.close(0))
  const agent = new Agent({ keepAlive: true, ca: authority.certPem })
  t.after(() => agent.destroy())
  const ask = (method: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const asking = request({
        agent,
        method,
        host: 'localhost',
        port: listening.port,
        headers: { 'Content-Length': 2 },
      })
      asking.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode)))
      asking.on('error', reject)
      asking.end('{}')
    })
  assert.deepEqual([await ask('POST'), await ask('POST'), await ask('PUT'), await ask('POST')], [202, 202, 200, 200])
  assert.equal(fast, 2)
})
