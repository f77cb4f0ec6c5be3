import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as secureConnect } from 'node:tls'
import { cloudHosts } from '../../src/identity/clouds.js'
import { startProxy } from '../../src/proxy/proxy.js'
import type { StandIn } from '../../src/proxy/reach.js'
import { exchange } from '../support/raw-socket.js'
import { atEnd, startServer } from '../support/start-server.js'

/** A running server, and a proxy that leads to it. */
async function startBoth(t: TestContext, upstream?: URL): Promise<{ standIn: StandIn; url: URL }> {
  const { graphpost } = await startServer(t, { httpsPort: '0' })
  const port = Number(new URL(graphpost.httpsUrl ?? '').port)
  const standIn = { address: '127.0.0.1', port, hosts: cloudHosts, caPem: graphpost.caPem ?? '' }
  return { standIn, url: await proxyFor(t, standIn, upstream) }
}

async function proxyFor(t: TestContext, standIn: StandIn, upstream?: URL): Promise<URL> {
  const proxy = await startProxy({ standIn, upstream })
  atEnd(t, () => proxy.close())
  return new URL(`http://127.0.0.1:${proxy.port}`)
}

/** Listens on this machine until the test ends. */
async function listenLocally(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => server.close())
  return (server.address() as AddressInfo).port
}

/** Asks for a tunnel; with the status and the connection. */
async function openTunnel(t: TestContext, proxy: URL, target: string): Promise<{ status: number; socket: Socket }> {
  const asked = request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: target, agent: false })
  asked.end()
  const [answer, socket] = (await once(asked, 'connect')) as [IncomingMessage, Socket]
  atEnd(t, () => socket.destroy())
  return { status: answer.statusCode ?? 0, socket }
}

/** A request with the whole URL, as some clients write it to a proxy. */
async function askWhole(proxy: URL, url: string, init: { method?: string; body?: string } = {}) {
  const { method = 'GET', body } = init
  const headers = { Host: new URL(url).host, 'X-Kept': 'yes', 'Proxy-Connection': 'keep-alive' }
  const asked = request({ host: proxy.hostname, port: proxy.port, method, path: url, headers, agent: false })
  asked.end(body)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  return { status: answer.statusCode, headers: answer.headers, text }
}

test('a tunnel to any host of the cloud reaches our server, whose certificate is good for that host', async (t) => {
  const { standIn, url } = await startBoth(t)
  for (const host of cloudHosts) {
    const { status, socket } = await openTunnel(t, url, `${host}:443`)
    assert.equal(status, 200, host)
    const secure = secureConnect({ socket, servername: host, ca: standIn.caPem })
    secure.write(`GET /livez HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    let answer = ''
    for await (const chunk of secure.setEncoding('utf8')) answer += chunk
    assert.match(answer, /^HTTP\/1\.1 200 /, host)
  }
})

test('a tunnel to any other place leads there, and an end that is done lets the other go on', async (t) => {
  const { url } = await startBoth(t)
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    let heard = ''
    socket.setEncoding('utf8').on('data', (text) => {
      heard += text
    })
    socket.on('end', () => socket.end(`heard ${heard}`))
  })
  const port = await listenLocally(t, echo)
  const { status, socket } = await openTunnel(t, url, `127.0.0.1:${port}`)
  assert.equal(status, 200)
  socket.end('hello')
  let answer = ''
  for await (const chunk of socket) answer += chunk
  assert.equal(answer, 'heard hello')
})

test('an end that is lost takes the other with it', async (t) => {
  const { url } = await startBoth(t)
  const server = createServer((socket) => {
    socket.on('error', () => {})
  })
  const port = await listenLocally(t, server)
  for (const lost of ['client', 'server'] as const) {
    const arrived = once(server, 'connection') as Promise<[Socket]>
    const { socket: client } = await openTunnel(t, url, `127.0.0.1:${port}`)
    client.on('error', () => {})
    const [peer] = await arrived
    const [leaving, staying] = lost === 'client' ? [client, peer] : [peer, client]
    const closed = once(staying.resume(), 'close')
    leaving.resetAndDestroy()
    await closed
  }
})

test('what is no target is refused with 400, what cannot be reached with 502', async (t) => {
  const { url } = await startBoth(t)
  const rude = await listenLocally(
    t,
    createServer((socket) => socket.destroy()),
  )
  const closed = createServer()
  const port = await listenLocally(t, closed)
  closed.close()
  for (const [line, status] of [
    ['CONNECT graph.microsoft.com HTTP/1.1', 400],
    ['CONNECT graph.microsoft.com:0 HTTP/1.1', 400],
    ['CONNECT graph.microsoft.com:65536 HTTP/1.1', 400],
    ['CONNECT [::1:443 HTTP/1.1', 400],
    ['GET /v1.0/me HTTP/1.1', 400],
    ['GET ftp://127.0.0.1/file HTTP/1.1', 400],
    ['not HTTP at all', 400],
    [`CONNECT 127.0.0.1:${port} HTTP/1.1`, 502],
    [`GET http://127.0.0.1:${port}/ HTTP/1.1`, 502],
    [`GET http://127.0.0.1:${rude}/ HTTP/1.1`, 502],
    [`GET https://127.0.0.1:${rude}/ HTTP/1.1`, 502],
  ] as const) {
    const answer = await exchange(t, url.href, `${line}\r\nHost: example.com\r\n\r\n`)
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), line)
  }
})

test('a whole URL of the cloud, https or http, is asked of our server', async (t) => {
  const { url } = await startBoth(t)
  for (const scheme of ['https', 'http']) {
    const { status, text } = await askWhole(url, `${scheme}://graph.microsoft.com/livez`)
    assert.deepEqual({ status, text }, { status: 200, text: 'ok\n' })
  }
  const refused = await askWhole(url, 'https://graph.microsoft.com/v1.0/me/sendMail', { method: 'POST', body: '{}' })
  assert.equal(refused.status, 401)
})

test('a whole URL of any other place is asked there, with its body and headers and without those of the proxy', async (t) => {
  const { url } = await startBoth(t)
  const server = createHttpServer(async (asked, response) => {
    let body = ''
    for await (const chunk of asked) body += chunk
    response.setHeader('X-Answer', ['one', 'two'])
    response.statusCode = 201
    response.end(JSON.stringify({ method: asked.method, path: asked.url, body, headers: asked.headers }))
  })
  const port = await listenLocally(t, server)
  const answer = await askWhole(url, `http://127.0.0.1:${port}/a?b=c`, { method: 'PUT', body: 'content' })
  assert.equal(answer.status, 201)
  assert.equal(answer.headers['x-answer'], 'one, two')
  const seen = JSON.parse(answer.text)
  assert.deepEqual([seen.method, seen.path, seen.body], ['PUT', '/a?b=c', 'content'])
  assert.equal(seen.headers['x-kept'], 'yes')
  assert.equal(seen.headers.host, `127.0.0.1:${port}`)
  assert.equal(seen.headers['proxy-connection'], undefined)
})

test('where the machine has a proxy of its own, other places are reached through that one', async (t) => {
  const { standIn, url: machines } = await startBoth(t)
  // Nothing is led here by this one; only the other knows the hosts.
  const url = await proxyFor(t, { ...standIn, hosts: [] }, new URL(machines))
  const { status, socket } = await openTunnel(t, url, 'graph.microsoft.com:443')
  assert.equal(status, 200)
  const secure = secureConnect({ socket, servername: 'graph.microsoft.com', ca: standIn.caPem })
  await once(secure, 'secureConnect')
  assert.equal(secure.authorized, true)
  secure.destroy()
})

test('the proxy of the machine is told who we are, and its refusal is one of ours', async (t) => {
  const asked: (string | undefined)[] = []
  const refusing = createHttpServer()
  refusing.on('connect', ({ url, headers }, socket) => {
    asked.push(url, headers['proxy-authorization'])
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
  })
  const port = await listenLocally(t, refusing)
  const { url } = await startBoth(t, new URL(`http://ada:pass%20word@127.0.0.1:${port}`))
  const { status } = await openTunnel(t, url, 'example.com:443')
  assert.equal(status, 502)
  assert.deepEqual(asked, ['example.com:443', `Basic ${Buffer.from('ada:pass word').toString('base64')}`])
})
