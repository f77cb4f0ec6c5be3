import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openRelay, type Relay, type SmtpTimeouts } from '../../src/outbox/smtp.js'
import { type SmtpScript, startScriptedPeer, startSmtpSink } from '../support/scripted-smtp.js'

const content = Buffer.from('Subject: hello\r\n\r\nhow are you?\r\n')
const patient: SmtpTimeouts = { setupMs: 20_000, replyMs: 20_000, transactionMs: 20_000 }
const [ada, ben, zoe] = ['ada@fabrikam.example', 'ben@fabrikam.example', 'zoe@fabrikam.example'] as const

test('the envelope and the message arrive as they were given', async (t) => {
  const sink = await startSmtpSink(t)
  const relay = open(t, sink.url)

  const replies = await relay.send({ mailFrom: 'me@contoso.example', recipients: [ada, ben] }, content)

  assert.deepEqual(sink.received, [{ mailFrom: 'me@contoso.example', rcptTo: [ada, ben], bytes: content }])
  assert.deepEqual(
    replies.map(({ address, reply }) => [address, reply?.code]),
    [
      [ada, 250],
      [ben, 250],
    ],
  )
  assert.match(replies[0]?.remark ?? '', /^250 /)
})

test('dots are stuffed and bare line ends become CRLF, so that nothing in a message can end it', async (t) => {
  const peer = await startScriptedPeer(t, {})
  const relay = open(t, peer.url)

  await relay.send(
    { mailFrom: 'me@contoso.example', recipients: [ada] },
    Buffer.from('Subject: dots\r\n\r\n.\r\n..two\r\n\n.\n\r.\rend'),
  )

  assert.deepEqual(peer.wire.map(String), ['Subject: dots\r\n\r\n..\r\n...two\r\n\r\n..\r\n\r\n..\r\nend\r\n.\r\n'])
  assert.equal(peer.commands.filter((command) => command.startsWith('DATA')).length, 1)
})

test('a large message with bytes above 127 arrives whole, announced as 8BITMIME', async (t) => {
  const sink = await startSmtpSink(t)
  const large = Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), Buffer.from('.grüße 😀\r\n'.repeat(40_000))])
  const peer = await startScriptedPeer(t, {})

  await open(t, sink.url).send({ mailFrom: 'me@contoso.example', recipients: [ada] }, large)
  await open(t, peer.url).send({ mailFrom: 'me@contoso.example', recipients: [ada] }, large)

  assert.ok(sink.received[0]?.bytes.equals(large))
  assert.ok(peer.commands.includes('MAIL FROM:<me@contoso.example> BODY=8BITMIME'))
})

test('one connection carries many messages', async (t) => {
  const peer = await startScriptedPeer(t, {})
  const relay = open(t, peer.url, { connections: 1 })
  for (let count = 0; count < 5; count++) {
    const [reply] = await relay.send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
    assert.equal(reply?.reply?.code, 250)
  }
  assert.equal(peer.connections, 1)
})

for (const pipelining of [true, false]) {
  const ehlo = pipelining ? '250-peer.example\r\n250 PIPELINING' : '250 peer.example'
  const how = pipelining ? 'with pipelining' : 'without pipelining'

  test(`each refused recipient has its own answer, the others are taken (${how})`, async (t) => {
    const codes = await codesFrom(t, {
      ehlo,
      rcpt: (address) => (address === ada ? '550 5.1.1 unknown' : address === ben ? '450 4.2.0 greylisted' : '250 ok'),
    })
    assert.deepEqual(codes, [550, 450, 250])
  })

  test(`what was said about a recipient stands when the message then fails (${how})`, async (t) => {
    const rcpt = (address: string) => (address === ada ? '550 5.1.1 unknown' : '250 ok')
    for (const script of [{ dot: '451 4.3.0 later' }, { data: '451 4.3.0 later' }] satisfies SmtpScript[]) {
      assert.deepEqual(await codesFrom(t, { ehlo, rcpt, ...script }), [550, 451, 451])
    }
    assert.deepEqual(await codesFrom(t, { ehlo, rcpt, dot: 'drop' }), [550, undefined, undefined])
    assert.deepEqual(await codesFrom(t, { ehlo, rcpt, dropAfterBytes: 5 }), [550, undefined, undefined])
  })

  test(`when every recipient is refused, each has its own answer (${how})`, async (t) => {
    const codes = await codesFrom(t, {
      ehlo,
      rcpt: (address) => (address === ben ? '452 4.2.2 full' : '550 5.1.1 unknown'),
    })
    assert.deepEqual(codes, [550, 452, 550])
  })

  test(`a peer that wants a message for nobody gets none (${how})`, async (t) => {
    const script: SmtpScript = { ehlo, rcpt: '550 5.1.1 unknown', data: '354 go ahead' }
    assert.deepEqual(await codesFrom(t, script), [550, 550, 550])
  })

  test(`the answer to MAIL is everyone's, whatever RCPT is answered after it (${how})`, async (t) => {
    const rcpt = '503 5.5.1 MAIL first'
    assert.deepEqual(await codesFrom(t, { ehlo, rcpt, mail: '451 4.3.0 later' }), [451, 451, 451])
    assert.deepEqual(await codesFrom(t, { ehlo, rcpt, mail: '550 5.7.1 not you' }), [550, 550, 550])
    assert.deepEqual(await codesFrom(t, { ehlo, rcpt, mail: '421 4.3.2 shutting down' }), [421, 421, 421])
  })

  test(`the answer to DATA and to the final dot is everyone's (${how})`, async (t) => {
    assert.deepEqual(await codesFrom(t, { ehlo, data: '554 5.6.0 no' }), [554, 554, 554])
    assert.deepEqual(await codesFrom(t, { ehlo, dot: '554 5.6.0 no' }), [554, 554, 554])
    assert.deepEqual(await codesFrom(t, { ehlo, dot: '452 4.3.1 disk full' }), [452, 452, 452])
  })

  test(`a connection that ends gives no answer (${how})`, async (t) => {
    for (const script of [
      { greeting: 'drop' },
      { ehlo: 'drop' },
      { ehlo, mail: 'drop' },
      { ehlo, rcpt: 'drop' },
      { ehlo, data: 'drop' },
      { ehlo, dropAfterBytes: 10 },
      { ehlo, dot: 'drop' },
    ] satisfies SmtpScript[]) {
      assert.deepEqual(await codesFrom(t, script), [undefined, undefined, undefined])
    }
  })
}

test('a message is offered once, however the connection ends after its first byte', async (t) => {
  for (const script of [{ dropAfterBytes: 10 }, { dot: 'drop' }] satisfies SmtpScript[]) {
    const peer = await startScriptedPeer(t, script)
    await open(t, peer.url).send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
    assert.equal(peer.commands.filter((command) => command === 'DATA').length, 1)
  }
})

test('a kept connection that turns out dead costs nothing: another one takes the message', async (t) => {
  let mails = 0
  const peer = await startScriptedPeer(t, { mail: () => (++mails === 2 ? 'drop' : '250 ok') })
  const relay = open(t, peer.url, { connections: 1 })
  for (let count = 0; count < 2; count++) {
    const [reply] = await relay.send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
    assert.equal(reply?.reply?.code, 250)
  }
  assert.equal(peer.connections, 2)
  assert.equal(peer.wire.length, 2)
})

test('kept connections that turn out dead one after the other are no tries: a new one takes the message', async (t) => {
  const connections = 4
  let mails = 0
  const isDead = () => mails > connections && mails <= 2 * connections
  const peer = await startScriptedPeer(t, { mail: () => (++mails && isDead() ? 'drop' : '250 ok') })
  const relay = open(t, peer.url, { connections })
  const send = () => relay.send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
  await Promise.all(Array.from({ length: connections }, send))
  assert.equal(peer.connections, connections)
  const [reply] = await send()
  assert.equal(reply?.reply?.code, 250)
  assert.equal(peer.connections, connections + 1)
  assert.equal(peer.wire.length, connections + 1)
})

test('a peer that takes new connections and closes them is tried three times, whatever a kept one did', async (t) => {
  let isClosing = false
  const peer = await startScriptedPeer(t, {
    greeting: () => (isClosing ? 'drop' : '220 peer.example'),
    mail: () => (isClosing ? 'drop' : '250 ok'),
  })
  const relay = open(t, peer.url, { connections: 1 })
  const send = () => relay.send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
  await send()
  isClosing = true
  const [reply] = await send()
  assert.equal(reply?.reply, undefined)
  assert.equal(reply?.mayBeTaken, undefined)
  assert.equal(peer.connections, 1 + 3)
  assert.equal(peer.wire.length, 1)
})

test('a greeting, TLS or a login that is refused says nothing about the mail', async (t) => {
  for (const [script, credentials] of [
    [{ greeting: '554 5.3.2 no service' }, ''],
    [{ greeting: '421 4.3.2 too busy' }, ''],
    [{ ehlo: '250-peer.example\r\n250 STARTTLS' }, ''],
    [{ ehlo: '250-peer.example\r\n250 AUTH PLAIN', auth: '535 5.7.8 wrong password' }, 'user:secret@'],
  ] satisfies [SmtpScript, string][]) {
    const peer = await startScriptedPeer(t, script)
    const relay = open(t, peer.url.replace('://', `://${credentials}`))
    const [reply] = await relay.send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
    assert.equal(reply?.reply, undefined)
    assert.match(reply?.remark ?? '', /554|421|STARTTLS|535/)
    assert.doesNotMatch(reply?.remark ?? '', /secret/)
  }
})

test('a relay that refuses both EHLO and HELO decides', async (t) => {
  assert.deepEqual(await codesFrom(t, { ehlo: '550 5.7.1 go away', helo: '550 5.7.1 go away' }), [550, 550, 550])
  assert.deepEqual(await codesFrom(t, { ehlo: '451 4.7.1 later', helo: '451 4.7.1 later' }), [451, 451, 451])
  assert.deepEqual(await codesFrom(t, { ehlo: '502 5.5.1 what?' }), [250, 250, 250])
})

test('nobody listening is no answer, and says so', async (t) => {
  const peer = await startScriptedPeer(t, {})
  await peer.close()
  const [reply] = await open(t, peer.url).send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
  assert.equal(reply?.reply, undefined)
  assert.match(reply?.remark ?? '', /ECONNREFUSED/)
})

test('a peer that says nothing more is not waited for for ever', async (t) => {
  for (const script of [
    { greeting: 'stall' },
    { ehlo: 'stall' },
    { mail: 'stall' },
    { rcpt: 'stall' },
    { data: 'stall' },
    { dot: 'stall' },
  ] satisfies SmtpScript[]) {
    const peer = await startScriptedPeer(t, script)
    const relay = open(t, peer.url, { timeouts: { ...patient, setupMs: 100, replyMs: 100 } })
    const [reply] = await relay.send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
    assert.equal(reply?.reply, undefined)
  }
})

test('a transaction has an end, even when the peer never falls silent for long', async (t) => {
  const peer = await startScriptedPeer(t, { dot: 'stall' })
  const relay = open(t, peer.url, { timeouts: { ...patient, transactionMs: 100 } })
  const replies = await relay.send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
  assert.deepEqual(replies, [{ address: ada, reply: undefined, remark: 'The relay took too long.', mayBeTaken: true }])
})

test('an endless reply is cut off', async (t) => {
  const relay = open(t, (await startScriptedPeer(t, { mail: `250-${'x'.repeat(500_000)}` })).url)
  const [reply] = await relay.send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
  assert.equal(reply?.reply, undefined)
  assert.ok((reply?.remark.length ?? 1000) <= 500)
})

test('a message above the size the relay names is final, and not offered', async (t) => {
  const peer = await startScriptedPeer(t, { ehlo: '250-peer.example\r\n250 SIZE 10' })
  const [reply] = await open(t, peer.url).send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
  assert.equal(reply?.reply?.code, 552)
  assert.ok(!peer.commands.some((command) => command.startsWith('MAIL')))
})

test('an address that could change a command never reaches the wire, and the others still go out', async (t) => {
  const peer = await startScriptedPeer(t, {})
  const bad = [
    'x@y> NOTIFY=NEVER',
    'x@y.example\r\nRCPT TO:<z@y.example>',
    'a@b c@d.example',
    '"a@evil.example b"c@d.example',
    'no-at-sign',
    '@y.example',
    'x@',
    '',
  ]
  const relay = open(t, peer.url)

  const replies = await relay.send({ mailFrom: 'me@contoso.example', recipients: [...bad, ada] }, content)

  assert.deepEqual(
    replies.map(({ reply }) => reply?.code),
    [...bad.map(() => 553), 250],
  )
  assert.deepEqual(
    peer.commands.filter((command) => command.startsWith('RCPT')),
    [`RCPT TO:<${ada}>`],
  )
  const [sender] = await relay.send({ mailFrom: 'me@x> SIZE=1', recipients: [ada] }, content)
  assert.equal(sender?.reply?.code, 553)
})

test('a quoted local part goes out as it is, a domain of another script as A-labels', async (t) => {
  const peer = await startScriptedPeer(t, {})
  const recipients = ['"one @ two"@fabrikam.example', 'zoe@bücher.example']
  const replies = await open(t, peer.url).send({ mailFrom: 'me@contoso.example', recipients }, content)
  assert.deepEqual(
    peer.commands.filter((command) => command.startsWith('RCPT')),
    ['RCPT TO:<"one @ two"@fabrikam.example>', 'RCPT TO:<zoe@xn--bcher-kva.example>'],
  )
  assert.deepEqual(
    replies.map(({ address, reply }) => [address, reply?.code]),
    recipients.map((address) => [address, 250]),
  )
})

test('credentials of the URL are used', async (t) => {
  const peer = await startScriptedPeer(t, { ehlo: '250-peer.example\r\n250 AUTH PLAIN' })
  const relay = open(t, peer.url.replace('://', '://me%40contoso.example:p%3Aw@'))
  await relay.send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
  const auth = peer.commands.find((command) => command.startsWith('AUTH PLAIN '))?.slice('AUTH PLAIN '.length) ?? ''
  assert.equal(Buffer.from(auth, 'base64').toString(), '\0me@contoso.example\0p:w')
})

test('a certificate is checked unless the URL says otherwise', async (t) => {
  for (const tls of ['starttls', 'implicit'] as const) {
    const sink = await startSmtpSink(t, { tls })
    const [checked] = await open(t, sink.url).send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
    assert.equal(checked?.reply, undefined)
    assert.match(checked?.remark ?? '', /certificate/i)

    const trusting = open(t, `${sink.url}?verify=no`)
    const [trusted] = await trusting.send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
    assert.equal(trusted?.reply?.code, 250)
    assert.equal(sink.received.length, 1)
  }
})

test('TLS that was asked for is not given up', async (t) => {
  const peer = await startScriptedPeer(t, {})
  const relay = open(t, `${peer.url}?tls=required`)
  const [reply] = await relay.send({ mailFrom: 'me@contoso.example', recipients: [ada] }, content)
  assert.equal(reply?.reply, undefined)
  assert.ok(!peer.commands.some((command) => command.startsWith('MAIL')))
})

test('a relay that is no SMTP URL is refused without its password in the text', () => {
  for (const url of ['http://user:secret@host', 'smtp://', 'secret']) {
    assert.throws(
      () => openRelay({ url, hostname: 'mail.example', connections: 1 }),
      (error: Error) => error instanceof TypeError && !error.message.includes('secret'),
    )
  }
})

/** The codes for ada, ben and zoe from a peer with this script. */
async function codesFrom(t: TestContext, script: SmtpScript): Promise<(number | undefined)[]> {
  const peer = await startScriptedPeer(t, script)
  const relay = open(t, peer.url)
  const replies = await relay.send({ mailFrom: 'me@contoso.example', recipients: [ada, ben, zoe] }, content)
  assert.deepEqual(
    replies.map(({ address }) => address),
    [ada, ben, zoe],
  )
  return replies.map(({ reply }) => reply?.code)
}

function open(t: TestContext, url: string, options: { connections?: number; timeouts?: SmtpTimeouts } = {}): Relay {
  const relay = openRelay({ url, hostname: 'mail.contoso.example', connections: 2, timeouts: patient, ...options })
  t.after(() => relay.close({ force: true }))
  return relay
}
