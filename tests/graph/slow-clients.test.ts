/** Clients that are slow, stop in the middle or go away: they are cut off, and nobody else waits for them. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { CallRecord } from '../../src/mail/call-record.js'
import { openSocket, type RawSocket } from '../support/raw-socket.js'
import { atEnd, type Client, startServer, type TestServer } from '../support/start-server.js'

const lunch = {
  subject: 'Lunch?',
  body: { contentType: 'Text', content: 'Noon.' },
  toRecipients: [{ emailAddress: { address: 'alex@contoso.com' } }],
}
const body = JSON.stringify({ message: lunch })

const impatient = { headersTimeout: '400ms', requestTimeout: '900ms' }
/** Longer than any test takes: here nobody is cut off for being slow. */
const patient = { headersTimeout: '5m', requestTimeout: '10m' }

async function adeleAt(t: TestContext, settings: typeof impatient): Promise<{ server: TestServer; adele: Client }> {
  const server = await startServer(t, settings)
  await server.user('alex@contoso.com')
  return { server, adele: await server.user('adele@contoso.com') }
}

function head(client: Client, ...lines: string[]): string {
  const common = ['Host: localhost', `Authorization: Bearer ${client.token}`, 'Content-Type: application/json']
  return `${['POST /v1.0/me/sendMail HTTP/1.1', ...common, ...lines].join('\r\n')}\r\n\r\n`
}

/** Sends one byte after the other until the connection is closed. */
function drip(t: TestContext, socket: RawSocket, text: string): void {
  let at = 0
  const timer = setInterval(() => socket.send(text.charAt(at++ % text.length)), 20)
  atEnd(t, () => clearInterval(timer))
  socket.answer.then(() => clearInterval(timer))
}

async function requireNothingStored(server: TestServer, adele: Client): Promise<void> {
  const { status, json } = await adele.get('/me/messages')
  assert.equal(status, 200)
  assert.deepEqual(json.value, [])
  assert.deepEqual(await server.graphpost.directory.listOutbox(10), [])
}

async function requireWorking(adele: Client): Promise<void> {
  assert.equal((await adele.post('/me/sendMail', { message: lunch })).status, 202)
}

/** The record of the call, which is written just after the connection is gone. */
async function recorded(server: TestServer, status: number): Promise<CallRecord> {
  const [found] = await someCalls(server, 1, (call) => call.status === status)
  assert.ok(found)
  return found
}

/** The records of such calls, once there are so many. */
async function someCalls(
  server: TestServer,
  count: number,
  such: (call: CallRecord) => boolean,
): Promise<CallRecord[]> {
  for (let tries = 0; tries < 1_000; tries++) {
    const calls = (await server.graphpost.directory.listCalls(500)).filter(such)
    if (calls.length >= count) return calls
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('the calls were never recorded')
}

test('headers that come byte by byte are cut off', async (t) => {
  const { server, adele } = await adeleAt(t, impatient)
  const socket = await openSocket(t, server.url)
  drip(t, socket, `${head(adele).slice(0, -4)}\r\nX-More: and more and more`)
  assert.match(await socket.answer, /^(HTTP\/1\.1 408 Request Timeout\r\n|$)/)
  await requireNothingStored(server, adele)
  await requireWorking(adele)
})

test('headers that never go on are cut off', async (t) => {
  const { server, adele } = await adeleAt(t, impatient)
  const socket = await openSocket(t, server.url)
  socket.send('POST /v1.0/me/sendMail HTTP/1.1\r\nHost: localhost\r\n')
  assert.match(await socket.answer, /^(HTTP\/1\.1 408 Request Timeout\r\n|$)/)
  await requireWorking(adele)
})

test('a connection that never begins with TLS is cut off', { timeout: 60_000 }, async (t) => {
  const server = await startServer(t, { ...impatient, httpsPort: '0' })
  const socket = await openSocket(t, server.graphpost.httpsUrl ?? '')
  assert.equal(await socket.answer, '')
})

for (const length of [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked']) {
  test(`a body that never ends is cut off (${length})`, async (t) => {
    const { server, adele } = await adeleAt(t, impatient)
    const socket = await openSocket(t, server.url)
    const beginning = body.slice(0, 20)
    const isChunked = length.startsWith('T')
    socket.send(head(adele, length) + (isChunked ? `${(20).toString(16)}\r\n${beginning}\r\n` : beginning))
    assert.match(await socket.answer, /^(HTTP\/1\.1 408 Request Timeout\r\n|$)/)
    assert.equal((await recorded(server, 499)).url, '/v1.0/me/sendMail')
    await requireNothingStored(server, adele)
    await requireWorking(adele)
  })
}

test('a body that comes byte by byte is cut off too, however much it keeps coming', async (t) => {
  const { server, adele } = await adeleAt(t, impatient)
  const socket = await openSocket(t, server.url)
  socket.send(head(adele, 'Content-Length: 1000000'))
  drip(t, socket, ' ')
  assert.match(await socket.answer, /^(HTTP\/1\.1 408 Request Timeout\r\n|$)/)
  await requireNothingStored(server, adele)
})

test('while fifty connections crawl, another client is answered as ever', async (t) => {
  const { server, adele } = await adeleAt(t, patient)
  const slow = await Promise.all(Array.from({ length: 50 }, () => openSocket(t, server.url)))
  slow.forEach((socket, index) => {
    const whole = head(adele, 'Content-Length: 1000') + body
    // A third in the middle of the headers, a third in the body, a third before anything.
    if (index % 3 === 0) socket.send(whole.slice(0, 60))
    else if (index % 3 === 1) socket.send(whole)
    drip(t, socket, ' ')
  })
  for (let count = 0; count < 20; count++) await requireWorking(adele)
  const { json } = await adele.get('/me/mailFolders/sentitems/messages?$top=100')
  assert.equal(json.value.length, 20)
  for (const socket of slow) socket.hangUp()
  await requireWorking(adele)
})

test('fifty connections that crawl are all cut off', async (t) => {
  const { server, adele } = await adeleAt(t, impatient)
  const slow = await Promise.all(Array.from({ length: 50 }, () => openSocket(t, server.url)))
  for (const socket of slow) socket.send(head(adele, 'Content-Length: 1000') + body)
  for (const socket of slow) assert.match(await socket.answer, /^(HTTP\/1\.1 408 Request Timeout\r\n|$)/)
  await requireNothingStored(server, adele)
  await requireWorking(adele)
})

/** The ways in which the middle of a body can be all there is. */
const middles: readonly { name: string; lines: string[]; sent: string | Buffer }[] = [
  { name: 'of known length', lines: [`Content-Length: ${body.length}`], sent: body.slice(0, -1) },
  { name: 'in chunks', lines: ['Transfer-Encoding: chunked'], sent: `${body.length.toString(16)}\r\n${body}\r\n` },
  { name: 'in gzip', lines: ['Content-Encoding: gzip', 'Content-Length: 900'], sent: Buffer.from('1f8b0800', 'hex') },
]

for (const { name, lines, sent } of middles) {
  for (const leave of ['hangUp', 'end'] as const) {
    const how = leave === 'end' ? 'stops sending' : 'hangs up'
    test(`a client that ${how} in the middle of a body ${name} has sent nothing`, async (t) => {
      const { server, adele } = await adeleAt(t, patient)
      const socket = await openSocket(t, server.url)
      socket.send(Buffer.concat([Buffer.from(head(adele, ...lines)), Buffer.from(sent)]))
      await arrived(server, adele)
      socket[leave]()
      assert.doesNotMatch(await socket.answer, /^HTTP\/1\.1 2/)
      const call = await recorded(server, 499)
      assert.equal(call.method, 'POST')
      assert.equal(call.message, undefined)
      assert.equal(call.reason, 'The client went away before its request was whole.')
      await requireNothingStored(server, adele)
      await requireWorking(adele)
    })
  }
}

/** What was sent before, on another connection, has been read when a later call is answered. */
async function arrived(server: TestServer, adele: Client): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await adele.get('/me/messages/$count')
  await server.graphpost.directory.listCalls(1)
}

test('a client that hangs up in the middle of its headers leaves no trace', async (t) => {
  const { server, adele } = await adeleAt(t, patient)
  for (const leave of ['hangUp', 'end'] as const) {
    const socket = await openSocket(t, server.url)
    socket.send('POST /v1.0/me/sendMail HTTP/1.1\r\nHost: local')
    await arrived(server, adele)
    socket[leave]()
    assert.doesNotMatch(await socket.answer, /^HTTP\/1\.1 2/)
  }
  await requireNothingStored(server, adele)
  await requireWorking(adele)
})

for (const leave of ['hangUp', 'end'] as const) {
  const how = leave === 'end' ? 'stops sending' : 'hangs up'
  test(`of a client that sends a whole mail and ${how} at once, the mail is kept whole or not at all`, async (t) => {
    const { server, adele } = await adeleAt(t, patient)
    const tries = 20
    for (let count = 0; count < tries; count++) {
      const socket = await openSocket(t, server.url)
      socket.send(head(adele, `Content-Length: ${body.length}`) + body)
      if (count % 2 === 0) await arrived(server, adele)
      socket[leave]()
      await socket.answer
    }
    const calls = await someCalls(server, tries, (call) => call.method === 'POST')
    const accepted = calls.filter((call) => call.status === 202).length
    const { json } = await adele.get('/me/mailFolders/sentitems/messages?$top=100')
    assert.equal(json.value.length, accepted)
    assert.equal((await server.graphpost.directory.listOutbox(100)).length, accepted)
    assert.ok(calls.every((call) => call.status === 202 || call.status === 499))
    await requireWorking(adele)
  })
}

test('a client that never reads its answers holds nobody up', async (t) => {
  const { server, adele } = await adeleAt(t, patient)
  await requireWorking(adele)
  const socket = await openSocket(t, server.url, { paused: true })
  const list = `GET /v1.0/me/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${adele.token}\r\n\r\n`
  socket.send(list.repeat(200))
  await arrived(server, adele)
  await requireWorking(adele)
  socket.hangUp()
  await requireWorking(adele)
})

test('a server that stops does not wait for those who crawl', async (t) => {
  const server = await startServer(t, { ...patient, drainTimeout: '100ms' })
  const adele = await server.user('adele@contoso.com')
  const socket = await openSocket(t, server.url)
  socket.send(head(adele, 'Content-Length: 1000') + body)
  await arrived(server, adele)
  await server.graphpost.close()
  assert.doesNotMatch(await socket.answer, /^HTTP\/1\.1 2/)
})
