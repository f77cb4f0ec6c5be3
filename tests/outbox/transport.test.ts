import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { accessTokens } from '../../src/outbox/access-token.js'
import { type RouteSettings, routesOf } from '../../src/outbox/open-routes.js'
import { openTransport, type TransportOptions } from '../../src/outbox/transport.js'
import { type FaultScript, startFaultyPeer } from '../support/faulty-peer.js'

const content = Buffer.from('From: me@contoso.example\r\nSubject: hello\r\n\r\nhow are you?\r\n')
const mailFrom = 'me@contoso.example'
const [ada, ben] = ['ada@fabrikam.example', 'ben@tailspin.example'] as const

test('what the first relay cannot take now the next one gets, and only that', async (t) => {
  const first = await peer(t, { rcpt: (address) => (address === ben ? '451 4.3.2 later' : undefined) })
  const second = await peer(t)
  const transport = open(t, { relays: [first.url, second.url] })
  const answers = await transport.send({ mailFrom, recipients: [ada, ben] }, content)
  assert.deepEqual(
    answers.map(({ reply }) => reply?.code),
    [250, 250],
  )
  assert.deepEqual([first.taken[0]?.rcptTo, second.taken[0]?.rcptTo], [[ada], [ben]])
})

test('a relay that is down is asked last for a while', async (t) => {
  const down = await peer(t)
  const up = await peer(t)
  await down.close()
  const transport = open(t, { relays: [down.url, up.url] })
  for (let count = 0; count < 3; count++) {
    const [answer] = await transport.send({ mailFrom, recipients: [ada] }, content)
    assert.equal(answer?.reply?.code, 250)
  }
  assert.equal(up.taken.length, 3)
})

test('a relay that may have taken the message is the last one asked; a refusal is everyone’s', async (t) => {
  for (const script of [
    { at: { dot: { close: 'before' } } },
    { at: { dot: { say: '550 5.7.1 never' } } },
  ] satisfies FaultScript[]) {
    const first = await peer(t, script)
    const second = await peer(t)
    const [answer] = await open(t, { relays: [first.url, second.url] }).send({ mailFrom, recipients: [ada] }, content)
    assert.notEqual(answer?.reply?.code, 250)
    assert.equal(second.connections, 0)
  }
})

test('routes by recipient and by sender, relays by name, and the rest through the relay of the settings', async (t) => {
  const [one, two, rest] = [await peer(t), await peer(t), await peer(t)]
  const transport = open(t, {
    relays: [rest.url],
    document: {
      relays: { one: { url: one.url } },
      routes: [
        { recipients: ['fabrikam.example'], via: 'one' },
        { senders: ['boss@contoso.example'], via: [two.url] },
      ],
    },
  })
  await transport.send({ mailFrom, recipients: [ada, ben] }, content)
  await transport.send({ mailFrom: 'boss@contoso.example', recipients: [ada, ben] }, content)
  const reached = (taken: typeof one.taken) => taken.map(({ mailFrom, rcptTo }) => [mailFrom, ...rcptTo])
  assert.deepEqual(reached(one.taken), [
    [mailFrom, ada],
    ['boss@contoso.example', ada],
  ])
  assert.deepEqual(reached(two.taken), [['boss@contoso.example', ben]])
  assert.deepEqual(reached(rest.taken), [[mailFrom, ben]])
})

test('bounces go to the address that is set, and mail without a return path keeps none', async (t) => {
  const relay = await peer(t)
  const transport = open(t, { relays: [relay.url] }, { bounceAddress: 'bounces@contoso.example' })
  for (const from of [mailFrom, '']) await transport.send({ mailFrom: from, recipients: [ada] }, content)
  assert.deepEqual(
    relay.taken.map(({ mailFrom }) => mailFrom),
    ['bounces@contoso.example', ''],
  )
})

test('routes that cannot be are refused by name', () => {
  const refused = (settings: Partial<RouteSettings>, pattern: RegExp) =>
    assert.throws(
      () => routesOf({ ...none, ...settings }),
      (error: Error) => error instanceof TypeError && pattern.test(error.message),
    )
  refused({ document: { routes: [{ via: 'nobody' }] } }, /No relay of the routes is called "nobody"/)
  refused({ document: { routes: [{ via: ['mx', 'smtp://x.example'] }] } }, /stands alone/)
  refused({ document: { relays: { mx: { url: 'smtp://x.example' } }, routes: [] } }, /No relay can be called "mx"/)
  refused(
    {
      document: {
        relays: { a: { url: 'smtp://x.example', oauth2: { tokenEndpoint: 'https://x.example', clientId: 'x' } } },
        routes: [],
      },
    },
    /names one/,
  )
})

test('XOAUTH2 signs in with a token of the endpoint, one for all connections, and a new one when it is over', async (t) => {
  const asked: string[] = []
  const endpoint = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (form: string) => asked.push(form))
    request.on('end', () => {
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify({ access_token: `token-${asked.length}`, expires_in: 3600, refresh_token: 'next' }))
    })
  })
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve))
  t.after(() => endpoint.close())
  const { port } = endpoint.address() as { port: number }
  let now = 0
  const oauth2 = {
    tokenEndpoint: `http://127.0.0.1:${port}/token`,
    clientId: 'app',
    clientSecret: 's3cret',
    refreshToken: 'first',
  }
  const relay = await peer(t, { auth: ['XOAUTH2'] })
  const { rules } = routesOf({ ...none, relays: [relay.url] })
  const address = { host: 'localhost', port: relay.port, tls: 'none', verify: true } as const
  const credentials = { user: 'me', tokens: accessTokens(oauth2, () => now) }
  const openOne = () => openTransport({ ...base, rules, relays: new Map([[relay.url, { ...address, credentials }]]) })

  const both = [openOne(), openOne()]
  t.after(() => {
    for (const transport of both) transport.close({ force: true })
  })
  await Promise.all(both.map((transport) => transport.send({ mailFrom, recipients: [ada] }, content)))
  assert.equal(asked.length, 1)
  assert.equal(new URLSearchParams(asked[0]).get('refresh_token'), 'first')
  now += 3_600_000
  const later = openOne()
  t.after(() => later.close({ force: true }))
  await later.send({ mailFrom, recipients: [ada] }, content)
  assert.equal(new URLSearchParams(asked[1]).get('refresh_token'), 'next')
  assert.equal(relay.taken.length, 3)
  const tokens = relay.heard
    .filter((line) => line.startsWith('AUTH XOAUTH2'))
    .map((line) => Buffer.from(line.slice(13), 'base64').toString())
  assert.deepEqual(
    tokens.map((text) => /Bearer ([\w-]+)/.exec(text)?.[1]),
    ['token-1', 'token-1', 'token-2'],
  )
})

test('a token that cannot be had delays, and says so without the secret', async (t) => {
  const endpoint = createServer((_, response) => {
    response.statusCode = 400
    response.end(JSON.stringify({ error: 'invalid_grant', error_description: 's3cret was wrong' }))
  })
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve))
  t.after(() => endpoint.close())
  const { port } = endpoint.address() as { port: number }
  const relay = await peer(t, { auth: ['XOAUTH2'] })
  const transport = open(t, {
    document: {
      relays: {
        office: {
          url: relay.url.replace('://', '://me@'),
          oauth2: { tokenEndpoint: `http://127.0.0.1:${port}/token`, clientId: 'app', clientSecret: 's3cret' },
        },
      },
      routes: [{ via: 'office' }],
    },
  })
  const [answer] = await transport.send({ mailFrom, recipients: [ada] }, content)
  assert.equal(answer?.reply, undefined)
  assert.match(answer?.remark ?? '', /400 invalid_grant/)
  assert.doesNotMatch(answer?.remark ?? '', /s3cret/)
  assert.equal(relay.taken.length, 0)
})

const none: RouteSettings = { relays: [], deliver: 'relay', allowRecipients: undefined, hold: [] }
const base = {
  hostname: 'mail.contoso.example',
  connections: 2,
  timeouts: { setupMs: 20_000, replyMs: 20_000, transactionMs: 30_000 },
}

async function peer(t: TestContext, script: FaultScript = {}) {
  const started = await startFaultyPeer(script)
  t.after(() => started.close().catch(() => {}))
  return started
}

function open(t: TestContext, settings: Partial<RouteSettings>, options: Partial<TransportOptions> = {}) {
  const transport = openTransport({ ...base, ...routesOf({ ...none, ...settings }), ...options })
  t.after(() => transport.close({ force: true }))
  return transport
}
