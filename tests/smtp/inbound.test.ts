import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { SettingKey } from '../../src/config.js'
import { startSmtpSink } from '../support/scripted-smtp.js'
import { startServer } from '../support/start-server.js'
import { connectSmtp, sendBy } from './smtp-client.js'

async function serverFor(t: TestContext, given: Partial<Record<SettingKey, string>> = {}) {
  const server = await startServer(t, { smtpPort: '0', ...given })
  const alex = await server.user('alex@contoso.com')
  const inbox = async () => (await alex.get('/me/mailFolders/inbox/messages')).json.value
  return { server, alex, inbox, client: () => connectSmtp(t, server.graphpost.smtpPort) }
}

const letter = 'From: Kim <kim@example.com>\r\nTo: alex@contoso.com\r\nSubject: Hello\r\n'
const hello = `${letter}Message-ID: <hello@example.com>\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\nHello.\r\n`

test('a session says what it offers, and nothing that tells who is here', async (t) => {
  const { client } = await serverFor(t)
  const session = await client()
  const offered = (await session.say('EHLO client.example')).split('\r\n').map((line) => line.slice(4))
  assert.deepEqual(offered.slice(1).sort(), [
    '8BITMIME',
    'AUTH PLAIN LOGIN',
    'DSN',
    'PIPELINING',
    'SIZE 36700160',
    'SMTPUTF8',
    'STARTTLS',
  ])
  for (const verb of ['VRFY alex@contoso.com', 'EXPN all', 'XCLIENT ADDR=10.0.0.1', 'XFORWARD NAME=x']) {
    assert.match(await session.say(verb), /^50[02] /, verb)
  }
})

test('verbs out of order are refused, and the session goes on', async (t) => {
  const { client, inbox } = await serverFor(t)
  const session = await client()
  assert.match(await session.say('MAIL FROM:<kim@example.com>'), /^503 /)
  await session.say('EHLO client.example')
  assert.match(await session.say('RCPT TO:<alex@contoso.com>'), /^503 /)
  assert.match(await session.say('DATA'), /^503 /)
  assert.match(await session.say('MAIL FROM:<a@b> SIZE=99999999999'), /^552 /)
  assert.match(await session.say('MAIL FROM:<a b@c>'), /^501 /)
  assert.match(await sendBy(session, { from: 'kim@example.com', to: ['alex@contoso.com'], content: hello }), /^250 /)
  assert.equal((await inbox()).length, 1)
})

test('a stranger sends to mailboxes here alone, however the other address is dressed up', async (t) => {
  const { client } = await serverFor(t, { relay: 'smtp://127.0.0.1:1' })
  const session = await client()
  await session.say('EHLO client.example')
  await session.say('MAIL FROM:<kim@example.com>')
  for (const address of [
    'someone@example.net',
    '@contoso.com:someone@example.net',
    'someone%example.net@contoso.com',
    '"someone@example.net"@contoso.com',
    'example.net!someone@contoso.com',
    'someone@[127.0.0.1]',
    'alex@contoso.com@example.net',
    'alex@contoso.com,someone@example.net',
  ]) {
    assert.match(await session.say(`RCPT TO:<${address}>`), /^5\d\d /, address)
  }
  assert.match(await session.say('DATA'), /^503 /)
})

test('one end of line ends a message: what looks like another end to other servers is text', async (t) => {
  const { client, inbox } = await serverFor(t)
  for (const [index, end] of ['\n.\n', '\n.\r\n', '\r.\r\n', '\r\n.\n', '\r.\r', '\r\n\0.\r\n'].entries()) {
    const session = await client()
    const smuggled = `${end}MAIL FROM:<admin@contoso.com>\r\nRCPT TO:<alex@contoso.com>\r\nDATA\r\nSubject: Smuggled\r\n\r\nx\r\n`
    const content = `${letter}Message-ID: <s${index}@example.com>\r\n\r\nBefore${smuggled}`
    assert.match(await sendBy(session, { from: 'kim@example.com', to: ['alex@contoso.com'], content }), /^250 /)
    const messages = await inbox()
    assert.equal(messages.length, index + 1, JSON.stringify(end))
    assert.match(messages[0].body.content, /Before.*MAIL FROM/s)
  }
})

test('bare line ends and NUL are gone from what is kept', async (t) => {
  const { client, alex, inbox } = await serverFor(t)
  const content = `${letter}\r\none\ntwo\rthree\0!\r\n`
  assert.match(await sendBy(await client(), { from: '', to: ['alex@contoso.com'], content }), /^250 /)
  const [message] = await inbox()
  const { text } = await alex.get(`/me/messages/${message.id}/$value`)
  assert.ok(text.trimEnd().endsWith('\r\n\r\none\r\ntwo\r\nthree!'))
})

test('a message is taken once, though it comes again, or to two addresses of one mailbox', async (t) => {
  const { server, client, inbox } = await serverFor(t)
  await server.graphpost.directory.putUser({
    userPrincipalName: 'alex@contoso.com',
    aliases: ['sales@contoso.com'],
  })
  const send = async (to: string[], content: string) =>
    assert.match(await sendBy(await client(), { from: 'kim@example.com', to, content }), /^250 /)
  await send(['alex@contoso.com', 'sales@contoso.com'], hello)
  await send(['sales@contoso.com'], hello)
  await Promise.all([send(['alex@contoso.com'], hello), send(['alex@contoso.com'], hello)])
  assert.equal((await inbox()).length, 1)
  await send(['alex@contoso.com'], hello.replace('Hello.\r\n', 'Something else.\r\n'))
  assert.equal((await inbox()).length, 2)
})

test('answers join the thread of what they follow, by References or In-Reply-To', async (t) => {
  const { client, inbox } = await serverFor(t)
  const send = async (id: string, more: string) => {
    const content = `${letter}Message-ID: <${id}@example.com>\r\n${more}\r\nText of ${id}.\r\n`
    assert.match(await sendBy(await client(), { from: 'kim@example.com', to: ['alex@contoso.com'], content }), /^250 /)
    return (await inbox())[0].conversationId
  }
  const first = await send('1', '')
  assert.equal(await send('2', 'In-Reply-To: <1@example.com>\r\n'), first)
  assert.equal(await send('3', 'In-Reply-To: <2@example.com>\r\n'), first)
  assert.equal(await send('4', 'References: <1@example.com> <unseen@example.com>\r\n'), first)
  const other = await send('5', '')
  assert.notEqual(other, first)
  // Of a thread whose beginning never came, what follows stands together all the same.
  const unseen = await send('6', 'References: <never@example.com> <seen@example.com>\r\n')
  assert.equal(await send('7', 'References: <never@example.com>\r\n'), unseen)
})

test('more recipients than are taken at once are put off, too large a message is refused', async (t) => {
  const { client, inbox } = await serverFor(t, { smtpMaxRecipients: '100', smtpMaxBytes: '64KiB' })
  const session = await client()
  await session.say('EHLO client.example')
  await session.say('MAIL FROM:<kim@example.com>')
  assert.match(await session.say('RCPT TO:<alex@contoso.com>'), /^250 /)
  await session.say('DATA')
  session.send(`${hello}${'x'.repeat(70)}\r\n`.repeat(1_000))
  assert.match(await session.say('.'), /^552 5\.3\.4 /)
  assert.deepEqual(await inbox(), [])
  assert.match(await sendBy(session, { from: 'kim@example.com', to: ['alex@contoso.com'], content: hello }), /^250 /)
})

test('a message that has been through a hundred servers goes no further', async (t) => {
  const { client } = await serverFor(t)
  const content = `${'Received: from a by b; Mon, 02 Nov 2026 10:00:00 +0000\r\n'.repeat(101)}${hello}`
  assert.match(await sendBy(await client(), { from: 'a@b.c', to: ['alex@contoso.com'], content }), /^554 5\.4\.6 /)
})

test('addresses and headers that are not ASCII come in (SMTPUTF8)', async (t) => {
  const { client, inbox } = await serverFor(t)
  const session = await client()
  await session.say('EHLO client.example')
  assert.match(await session.say('MAIL FROM:<jürgen@bücher.example> BODY=8BITMIME SMTPUTF8'), /^250 /)
  await session.say('RCPT TO:<alex@contoso.com>')
  await session.say('DATA')
  session.send(Buffer.from('From: Jürgen <jürgen@bücher.example>\r\nSubject: Grüße\r\n\r\nÄ\r\n'))
  assert.match(await session.say('.'), /^250 /)
  const [message] = await inbox()
  assert.equal(message.subject, 'Grüße')
  assert.equal(message.from.emailAddress.address, 'jürgen@bücher.example')
})

test('a peer that says nothing is let go, and one too many is told to come back', async (t) => {
  const { client, inbox } = await serverFor(t, { smtpTimeout: '500ms', smtpConnections: '1' })
  const silent = await client()
  assert.match((await client()).greeting, /^421 /)
  assert.match(await silent.closed, /^421 /)
  const half = await client()
  await half.say('EHLO client.example')
  await half.say('MAIL FROM:<kim@example.com>')
  await half.say('RCPT TO:<alex@contoso.com>')
  await half.say('DATA')
  half.send(letter)
  assert.match(await half.closed, /^421 /)
  assert.deepEqual(await inbox(), [])
})

test('a receipt for reading goes only to where the message came from', async (t) => {
  const sink = await startSmtpSink(t)
  const { server, client, alex, inbox } = await serverFor(t, { relay: sink.url })
  const send = async (from: string, receiptTo: string) => {
    const content = `${letter}Disposition-Notification-To: ${receiptTo}\r\n\r\n${receiptTo}\r\n`
    assert.match(await sendBy(await client(), { from, to: ['alex@contoso.com'], content }), /^250 /)
    const [{ id }] = await inbox()
    const { status } = await alex.call('PATCH', `/me/messages/${id}`, {
      headers: { 'Content-Type': 'application/json' },
      body: '{"isRead": true}',
    })
    assert.equal(status, 200)
    await server.graphpost.drainOutbox(20_000)
  }
  await send('kim@example.com', 'victim@example.net')
  await send('kim@example.com', 'kim@example.com, victim@example.net')
  await send('', 'victim@example.net')
  assert.equal(sink.received.length, 0)
  await send('kim@example.com', 'Kim <KIM@example.com>')
  assert.deepEqual(
    sink.received.map(({ mailFrom, rcptTo }) => [mailFrom, ...rcptTo]),
    [['', 'KIM@example.com']],
  )
  assert.match(sink.received[0]?.bytes.toString() ?? '', /^Auto-Submitted: auto-replied\r$/m)
})
