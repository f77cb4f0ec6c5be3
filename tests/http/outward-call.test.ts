import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { CallFailed, callOutward, type Reach, refusalOfUrl } from '../../src/http/outward-call.js'
import { isLoopbackAddress, isPublicAddress } from '../../src/http/reachable-address.js'

const notPublic = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.9',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::2',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  '::ffff:0:10.0.0.1',
  '::127.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::1',
  '3fff::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'fec0::1',
  'ff02::1',
  '4000::1',
  'not an address',
  '',
]

const areal = [
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:81b::200e',
  '::ffff:1.1.1.1',
  '2002:0101:0101::1',
]

test('private, loopback, link-local, shared and multicast addresses are not public, however they are written', () => {
  assert.deepEqual(notPublic.filter(isPublicAddress), [])
  assert.deepEqual(
    areal.filter((address) => !isPublicAddress(address)),
    [],
  )
})

test('this machine has the addresses 127.0.0.0/8 and ::1', () => {
  const own = ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1']
  assert.deepEqual(own.filter(isLoopbackAddress), own)
  assert.deepEqual(['128.0.0.1', '::', '::2', '10.0.0.1', 'localhost', '1::1'].filter(isLoopbackAddress), [])
})

const urls: readonly { url: string; reach: Reach; isAllowed: boolean }[] = [
  { url: 'https://example.com/notify?x=1', reach: 'public', isAllowed: true },
  { url: 'https://1.1.1.1:8443/', reach: 'public', isAllowed: true },
  { url: 'http://example.com/', reach: 'public', isAllowed: false },
  { url: 'https://user:password@example.com/', reach: 'public', isAllowed: false },
  { url: 'https://user@example.com/', reach: 'public', isAllowed: false },
  { url: 'https://localhost/', reach: 'public', isAllowed: false },
  { url: 'https://a.localhost./', reach: 'public', isAllowed: false },
  { url: 'https://127.0.0.1/', reach: 'public', isAllowed: false },
  { url: 'https://2130706433/', reach: 'public', isAllowed: false },
  { url: 'https://0x7f.1/', reach: 'public', isAllowed: false },
  { url: 'https://017700000001/', reach: 'public', isAllowed: false },
  { url: 'https://１２７.0.0.1/', reach: 'public', isAllowed: false },
  { url: 'https://169.254.169.254/latest/meta-data', reach: 'public', isAllowed: false },
  { url: 'https://[::1]/', reach: 'public', isAllowed: false },
  { url: 'https://[::ffff:127.0.0.1]/', reach: 'public', isAllowed: false },
  { url: 'https://[fe80::1]/', reach: 'public', isAllowed: false },
  { url: 'ftp://example.com/', reach: 'public', isAllowed: false },
  { url: 'file:///etc/passwd', reach: 'public', isAllowed: false },
  { url: 'data:text/plain,x', reach: 'public', isAllowed: false },
  { url: 'example.com', reach: 'public', isAllowed: false },
  { url: '', reach: 'public', isAllowed: false },
  { url: 'http://localhost:3000/notify', reach: 'loopback', isAllowed: true },
  { url: 'https://localhost:3000/notify', reach: 'loopback', isAllowed: true },
  { url: 'http://127.0.0.1:3000/', reach: 'loopback', isAllowed: true },
  { url: 'http://[::1]:3000/', reach: 'loopback', isAllowed: true },
  { url: 'http://app.localhost/', reach: 'loopback', isAllowed: true },
  { url: 'https://example.com/', reach: 'loopback', isAllowed: false },
  { url: 'http://localhost.example.com/', reach: 'loopback', isAllowed: false },
  { url: 'http://10.0.0.1/', reach: 'loopback', isAllowed: false },
  { url: 'http://0.0.0.0/', reach: 'loopback', isAllowed: false },
  { url: 'http://user:password@localhost/', reach: 'loopback', isAllowed: false },
  { url: 'ftp://localhost/', reach: 'loopback', isAllowed: false },
]

for (const { url, reach, isAllowed } of urls) {
  test(`${url === '' ? 'no URL' : url} is ${isAllowed ? 'called' : 'refused'} where the reach is ${reach}`, () => {
    assert.equal(refusalOfUrl(url, reach) === undefined, isAllowed)
  })
}

const call = { headers: {}, body: 'x', timeoutMs: 10_000, maxAnswerBytes: 100 }

async function faultOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    assert.ok(error instanceof CallFailed, String(error))
    return error.fault
  }
}

const servers: Server[] = []
after(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(listener: ConstructorParameters<typeof Server>[1]): Promise<number> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

test('nothing is sent to an address that is refused', async () => {
  let calls = 0
  const port = await serve((_, response) => {
    calls++
    response.end()
  })
  assert.equal(await faultOf(callOutward(`https://127.0.0.1:${port}/`, 'public', call)), 'refused')
  assert.equal(await faultOf(callOutward(`https://[::ffff:127.0.0.1]:${port}/`, 'public', call)), 'refused')
  assert.equal(calls, 0)
})

test('an answer is read as it is; a redirect is an answer, and nobody follows it', async () => {
  const asked: string[] = []
  const port = await serve((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(307, { Location: '/other', 'Content-Type': 'text/plain' }).end('gone')
  })
  const answer = await callOutward(`http://localhost:${port}/first?a=b`, 'loopback', call)
  assert.deepEqual(answer, { status: 307, contentType: 'text/plain', body: 'gone' })
  assert.deepEqual(asked, ['/first?a=b'])
})

test('an answer that is too long, too slow or none is a failure', async () => {
  const port = await serve((request, response) => {
    if (request.url === '/long') response.end('x'.repeat(101))
    if (request.url === '/cut') response.destroy()
  })
  const at = (path: string) => `http://localhost:${port}${path}`
  assert.equal(await faultOf(callOutward(at('/long'), 'loopback', call)), 'failed')
  assert.equal(await faultOf(callOutward(at('/cut'), 'loopback', call)), 'failed')
  assert.equal(await faultOf(callOutward(at('/silent'), 'loopback', { ...call, timeoutMs: 50 })), 'timeout')
  const stop = new AbortController()
  const stopped = faultOf(callOutward(at('/silent'), 'loopback', { ...call, signal: stop.signal }))
  stop.abort()
  assert.equal(await stopped, 'failed')
})
