import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { localCertificate } from '../../src/http/certificate.js'
import { openDirect } from '../../src/outbox/direct.js'
import { fateOf } from '../../src/outbox/fate.js'
import { startDnsServer, type Zone } from '../support/dns-server.js'
import { type FaultScript, startFaultyPeer } from '../support/faulty-peer.js'

const content = Buffer.from('From: me@contoso.example\r\nSubject: hello\r\n\r\nhow are you?\r\n')
const patient = { setupMs: 20_000, replyMs: 20_000, transactionMs: 30_000 }

/** A peer on the port that all mail hosts of a test have; `address` is the one of loopback it is found at. */
async function startPeer(t: TestContext, script: FaultScript, at: { port?: number; address: string }) {
  const peer = await startFaultyPeer(script, at)
  t.after(() => peer.close())
  return peer
}

async function open(
  t: TestContext,
  zone: Zone,
  port: number,
  options: { policy?: string; ca?: string; mayBePrivate?: boolean; now?: () => number } = {},
) {
  const { resolver, asked } = await startDnsServer(t, zone)
  const fetched: string[] = []
  const direct = openDirect({
    hostname: 'mail.contoso.example',
    connections: 2,
    resolver,
    fetchPolicy: async (domain) => {
      fetched.push(domain)
      if (options.policy === undefined) throw new Error('There is no policy.')
      return options.policy
    },
    mayBePrivate: options.mayBePrivate ?? true,
    timeouts: patient,
    port,
    chance: () => 0,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.now === undefined ? {} : { now: options.now }),
  })
  t.after(() => direct.close({ force: true }))
  const send = async (...recipients: string[]) => {
    const answers = await direct.send({ mailFrom: 'me@contoso.example', recipients }, content, 30_000)
    return answers.map((answer) => ({ ...answer, state: fateOf(answer, 1).state }))
  }
  return { send, asked, fetched }
}

test('the host of the lowest preference gets the mail, and the next one when it takes none now', async (t) => {
  const near = await startPeer(
    t,
    { rcpt: (address) => (address.startsWith('later') ? '451 4.7.1 later' : undefined) },
    { address: '127.0.0.1' },
  )
  const far = await startPeer(t, {}, { address: '127.0.0.2', port: near.port })
  const { send } = await open(
    t,
    {
      'fabrikam.example': {
        mx: [
          [20, 'far.fabrikam.example'],
          [10, 'near.fabrikam.example'],
          [5, 'dead.fabrikam.example'],
        ],
      },
      'near.fabrikam.example': { a: ['127.0.0.1'] },
      'far.fabrikam.example': { a: ['127.0.0.2'] },
      'dead.fabrikam.example': { a: ['127.0.0.3'] },
    },
    near.port,
  )
  const answers = await send('ada@fabrikam.example', 'later@fabrikam.example')
  assert.deepEqual(
    answers.map(({ state }) => state),
    ['relayed', 'relayed'],
  )
  assert.deepEqual(
    near.taken.map(({ rcptTo }) => rcptTo),
    [['ada@fabrikam.example']],
  )
  assert.deepEqual(
    far.taken.map(({ rcptTo }) => rcptTo),
    [['later@fabrikam.example']],
  )
})

test('a domain is asked about once for many mails, and again after trouble', async (t) => {
  const peer = await startPeer(t, {}, { address: '127.0.0.1' })
  const zone: Zone = { 'fabrikam.example': { a: ['127.0.0.1'] }, 'shaky.example': 'fails' }
  const { send, asked } = await open(t, zone, peer.port)
  for (let count = 0; count < 3; count++) assert.equal((await send('x@fabrikam.example'))[0]?.state, 'relayed')
  assert.deepEqual(asked.filter((question) => question === '15 fabrikam.example').length, 1)
  assert.equal((await send('x@shaky.example'))[0]?.state, 'delayed')
  zone['shaky.example'] = { a: ['127.0.0.1'] }
  assert.equal((await send('x@shaky.example'))[0]?.state, 'relayed')
})

/** A domain whose mail goes to the first address, and to the second when that does not take it. */
function twoHosts(first: string, second: string): Zone {
  return {
    'fabrikam.example': {
      mx: [
        [1, 'a.fabrikam.example'],
        [2, 'b.fabrikam.example'],
      ],
    },
    'a.fabrikam.example': { a: [first] },
    'b.fabrikam.example': { a: [second] },
  }
}

test('a host that may have taken the message is the last one asked', async (t) => {
  const first = await startPeer(t, { at: { dot: { close: 'within' } } }, { address: '127.0.0.1' })
  const second = await startPeer(t, {}, { address: '127.0.0.2', port: first.port })
  const { send } = await open(t, twoHosts('127.0.0.1', '127.0.0.2'), first.port)
  const [answer] = await send('ada@fabrikam.example')
  assert.equal(answer?.state, 'delayed')
  assert.deepEqual([first.taken.length, second.connections], [1, 0])
})

test('a refusal by one host is final, the next one is not asked', async (t) => {
  const first = await startPeer(t, { rcpt: () => '550 5.1.1 unknown' }, { address: '127.0.0.1' })
  const { send } = await open(t, twoHosts('127.0.0.1', '127.0.0.1'), first.port)
  const [answer] = await send('ada@fabrikam.example')
  assert.equal(answer?.remark, '550 5.1.1 unknown')
  assert.equal(first.connections, 1)
})

test('what the DNS says decides: null MX, no such domain, an address alone, trouble, ourselves', async (t) => {
  const peer = await startPeer(t, {}, { address: '127.0.0.1' })
  const { send } = await open(
    t,
    {
      'null.example': { mx: [[0, '.']] },
      'address.example': { a: ['127.0.0.1'] },
      'empty.example': { txt: ['nothing'] },
      'broken.example': 'fails',
      'looping.example': {
        mx: [
          [10, 'mail.contoso.example'],
          [20, 'backup.example'],
        ],
      },
      'nowhere.example': { mx: [[10, 'gone.example']] },
    },
    peer.port,
  )
  const outcome = async (domain: string) => {
    const [answer] = await send(`x@${domain}`)
    return [answer?.state, /\d\.\d+\.\d+/.exec(answer?.remark ?? '')?.[0]]
  }
  assert.deepEqual(await outcome('null.example'), ['failed', '5.1.10'])
  assert.deepEqual(await outcome('unknown.example'), ['failed', '5.1.2'])
  assert.deepEqual(await outcome('[127.0.0.1]'), ['failed', '5.1.2'])
  assert.deepEqual(await outcome(`${'x'.repeat(64)}.example`), ['failed', '5.1.2'])
  assert.deepEqual(await outcome('address.example'), ['relayed', '2.0.0'])
  assert.deepEqual(await outcome('empty.example'), ['failed', '5.4.4'])
  assert.deepEqual(await outcome('broken.example'), ['delayed', undefined])
  assert.deepEqual(await outcome('looping.example'), ['failed', '5.4.6'])
  assert.deepEqual(await outcome('nowhere.example'), ['failed', '5.4.4'])
})

test('a domain whose hosts are in our own network leads nowhere', async (t) => {
  const peer = await startPeer(t, {}, { address: '127.0.0.1' })
  const { send } = await open(t, { 'evil.example': { a: ['127.0.0.1', '10.0.0.1', '169.254.169.254'] } }, peer.port, {
    mayBePrivate: false,
  })
  const [answer] = await send('x@evil.example')
  assert.equal(answer?.state, 'delayed')
  assert.match(answer?.remark ?? '', /no public address/)
  assert.equal(peer.connections, 0)
})

test('TLS is taken whoever has signed for it, and done without where it does not work', async (t) => {
  const { certPem: cert, keyPem: key } = await localCertificate(undefined)
  const secure = await startPeer(t, { tls: { cert, key } }, { address: '127.0.0.1' })
  const refusing = await startPeer(
    t,
    { tls: { cert, key }, at: { STARTTLS: { say: '454 4.7.0 not now' } } },
    { address: '127.0.0.2', port: secure.port },
  )
  const { send } = await open(
    t,
    { 'one.example': { a: ['127.0.0.1'] }, 'two.example': { a: ['127.0.0.2'] } },
    secure.port,
  )
  assert.deepEqual(
    (await send('x@one.example', 'x@two.example')).map(({ state }) => state),
    ['relayed', 'relayed'],
  )
  assert.deepEqual([secure.taken[0]?.secure, refusing.taken[0]?.secure], [true, false])
})

test('a domain that enforces MTA-STS gets good TLS at a host that it names, or nothing', async (t) => {
  const { caPem: ca, certPem: cert, keyPem: key } = await localCertificate(undefined)
  const policy = 'version: STSv1\r\nmode: enforce\r\nmx: localhost\r\nmx: *.named.example\r\nmax_age: 86400\r\n'
  const zone: Zone = {
    'good.example': { mx: [[1, 'localhost']] },
    '_mta-sts.good.example': { txt: ['v=STSv1; id=1;'] },
    localhost: { a: ['127.0.0.1'] },
    'unnamed.example': { mx: [[1, 'other.example']] },
    '_mta-sts.unnamed.example': { txt: ['v=STSv1; id=1;'] },
    'other.example': { a: ['127.0.0.1'] },
    'wrong.example': { mx: [[1, 'mx.named.example']] },
    '_mta-sts.wrong.example': { txt: ['v=STSv1; id=1;'] },
    'mx.named.example': { a: ['127.0.0.1'] },
  }
  const peer = await startPeer(t, { tls: { cert, key } }, { address: '127.0.0.1' })
  const { send, fetched } = await open(t, zone, peer.port, { policy, ca })
  const stateOf = async (address: string) => (await send(address))[0]?.state
  assert.equal(await stateOf('x@good.example'), 'relayed')
  assert.equal(await stateOf('y@good.example'), 'relayed')
  assert.equal(fetched.length, 1, 'a policy is kept')
  assert.equal(await stateOf('x@unnamed.example'), 'delayed')
  assert.equal(await stateOf('x@wrong.example'), 'delayed', 'the certificate is for another name')
  assert.deepEqual(
    peer.taken.map(({ secure }) => secure),
    [true, true],
  )

  const plain = await startPeer(t, {}, { address: '127.0.0.1' })
  const stripped = await open(t, zone, plain.port, { policy, ca })
  assert.equal((await stripped.send('x@good.example'))[0]?.state, 'delayed')
  assert.equal(plain.taken.length, 0)
})

test('a policy outlives its DNS record, and ends with its age', async (t) => {
  let now = 1_000_000
  const plain = await startPeer(t, {}, { address: '127.0.0.1' })
  const zone: Zone = {
    'good.example': { mx: [[1, 'localhost']] },
    '_mta-sts.good.example': { txt: ['v=STSv1; id=1;'] },
    localhost: { a: ['127.0.0.1'] },
  }
  const policy = 'version: STSv1\nmode: enforce\nmx: localhost\nmax_age: 100\n'
  const { send } = await open(t, zone, plain.port, { policy, now: () => now })
  assert.equal((await send('x@good.example'))[0]?.state, 'delayed')
  delete zone['_mta-sts.good.example']
  assert.equal((await send('x@good.example'))[0]?.state, 'delayed')
  now += 101_000
  assert.equal((await send('x@good.example'))[0]?.state, 'relayed')
})

test('a policy in testing changes nothing, and one that cannot be had neither', async (t) => {
  const plain = await startPeer(t, {}, { address: '127.0.0.1' })
  const zone: Zone = {
    'good.example': { mx: [[1, 'localhost']] },
    '_mta-sts.good.example': { txt: ['v=STSv1; id=1;'] },
    localhost: { a: ['127.0.0.1'] },
  }
  for (const policy of ['version: STSv1\nmode: testing\nmx: elsewhere.example\nmax_age: 100', 'nonsense', undefined]) {
    const { send } = await open(t, zone, plain.port, policy === undefined ? {} : { policy })
    assert.equal((await send('x@good.example'))[0]?.state, 'relayed')
  }
})
