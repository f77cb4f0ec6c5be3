import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createTransport } from 'nodemailer'
import type { SettingKey } from '../../src/config.js'
import { startSmtpSink } from '../support/scripted-smtp.js'
import { startServer } from '../support/start-server.js'
import { connectSmtp } from './smtp-client.js'

const password = 'correct horse battery staple'

async function serverWithUsers(t: TestContext, given: Partial<Record<SettingKey, string>> = {}) {
  const server = await startServer(t, { smtpPort: '0', ...given })
  const { directory } = server.graphpost
  await directory.putUser({ userPrincipalName: 'alex@contoso.com', displayName: 'Alex', password })
  await directory.putUser({
    userPrincipalName: 'bea@contoso.com',
    displayName: 'Bea',
    password: 'another one',
  })
  await directory.putSharedMailbox({ userPrincipalName: 'sales@contoso.com', displayName: 'Sales' })
  const alex = await server.user('alex@contoso.com')
  const transport = (options: object = {}) => {
    const opened = createTransport({
      host: '127.0.0.1',
      port: server.graphpost.smtpPort,
      auth: { user: 'alex@contoso.com', pass: password },
      tls: { rejectUnauthorized: false },
      ...options,
    })
    t.after(() => opened.close())
    return opened
  }
  return { server, alex, transport }
}

function plain(user: string, pass: string): string {
  return Buffer.from(`\0${user}\0${pass}`).toString('base64')
}

test('who signs in submits to anybody: the copy is in Sent Items, hidden recipients stay hidden', async (t) => {
  const sink = await startSmtpSink(t)
  const { server, alex, transport } = await serverWithUsers(t, { relay: sink.url })
  await transport({ requireTLS: true }).sendMail({
    from: 'Alex <alex@contoso.com>',
    to: 'kim@fabrikam.example, not.in.envelope@fabrikam.example',
    envelope: { from: 'alex@contoso.com', to: ['kim@fabrikam.example', 'lee@fabrikam.example', 'bea@contoso.com'] },
    subject: 'Submitted',
    text: 'By SMTP.',
    headers: { Bcc: 'secret@fabrikam.example' },
  })
  await server.graphpost.drainOutbox(20_000)
  const [sent] = (await alex.get('/me/mailFolders/sentitems/messages')).json.value
  assert.equal(sent.subject, 'Submitted')
  assert.deepEqual(
    sent.bccRecipients.map((each: { emailAddress: { address: string } }) => each.emailAddress.address),
    ['lee@fabrikam.example', 'bea@contoso.com'],
  )
  assert.deepEqual(
    sink.received.map(({ mailFrom, rcptTo }) => ({ mailFrom, rcptTo })),
    [{ mailFrom: 'alex@contoso.com', rcptTo: ['kim@fabrikam.example', 'lee@fabrikam.example'] }],
  )
  const wire = sink.received[0]?.bytes.toString() ?? ''
  assert.match(wire, /^Received: from .*\r\n\tby .* with ESMTPSA id /m)
  assert.doesNotMatch(wire, /secret@|lee@|bea@|^Return-Path/m)
  const bea = await server.user('bea@contoso.com')
  const [received] = (await bea.get('/me/mailFolders/inbox/messages')).json.value
  assert.equal(received.subject, 'Submitted')
})

test('a wrong password, and one of somebody who has none, is refused', async (t) => {
  const { server } = await serverWithUsers(t)
  const session = await connectSmtp(t, server.graphpost.smtpPort)
  await session.say('EHLO client.example')
  for (const [user, pass] of [
    ['alex@contoso.com', 'wrong'],
    ['nobody@contoso.com', password],
    ['sales@contoso.com', password],
    ['', ''],
  ] as const) {
    assert.match(await session.say(`AUTH PLAIN ${plain(user, pass)}`), /^535 /, user)
  }
  assert.match(await session.say('AUTH CRAM-MD5'), /^504 /)
  assert.match(await session.say(`AUTH PLAIN ${plain('alex@contoso.com', password)}`), /^235 /)
  assert.match(await session.say(`AUTH PLAIN ${plain('alex@contoso.com', password)}`), /^503 /)
})

test('nobody sends as somebody else, in the envelope or in From, without the right to', async (t) => {
  const { server, transport } = await serverWithUsers(t)
  const send = (envelopeFrom: string, from: string) =>
    transport().sendMail({ envelope: { from: envelopeFrom, to: ['bea@contoso.com'] }, from, subject: 'x', text: 'x' })
  await assert.rejects(send('bea@contoso.com', 'alex@contoso.com'), /550.*5\.7\.1/)
  await assert.rejects(send('alex@contoso.com', 'bea@contoso.com'), /550.*5\.7\.1/)
  await assert.rejects(send('someone@example.net', 'alex@contoso.com'), /550.*5\.7\.1/)
  await assert.rejects(send('alex@contoso.com', 'sales@contoso.com'), /550.*5\.7\.1/)
  await server.graphpost.directory.changeRights('sales@contoso.com', 'alex@contoso.com', ['sendAs'], true)
  await send('sales@contoso.com', 'sales@contoso.com')
  await server.graphpost.drainOutbox(20_000)
  const bea = await server.user('bea@contoso.com')
  const messages = (await bea.get('/me/mailFolders/inbox/messages')).json.value
  assert.deepEqual(
    messages.map((each: { from: { emailAddress: { address: string } } }) => each.from.emailAddress.address),
    ['sales@contoso.com'],
  )
})

test('commands sent before TLS was agreed on are forgotten with it', async (t) => {
  const { server } = await serverWithUsers(t)
  const session = await connectSmtp(t, server.graphpost.smtpPort)
  await session.say('EHLO client.example')
  await session.say('MAIL FROM:<kim@example.com>')
  session.send('STARTTLS\r\nRCPT TO:<alex@contoso.com>\r\nDATA\r\n')
  assert.match(await session.answer(), /^220 /)
  await session.secure()
  assert.match(await session.say('RCPT TO:<alex@contoso.com>'), /^503 /)
  const offered = await session.say('EHLO client.example')
  assert.match(offered, /AUTH PLAIN LOGIN/)
  assert.doesNotMatch(offered, /STARTTLS/)
})

test('a receipt for delivery that a program asks for by NOTIFY comes to its user', async (t) => {
  const { server, alex } = await serverWithUsers(t)
  const session = await connectSmtp(t, server.graphpost.smtpPort)
  await session.say('EHLO client.example')
  await session.say(`AUTH PLAIN ${plain('alex@contoso.com', password)}`)
  await session.say('MAIL FROM:<alex@contoso.com> RET=HDRS ENVID=x1')
  assert.match(await session.say('RCPT TO:<bea@contoso.com> NOTIFY=SUCCESS,FAILURE'), /^250 /)
  await session.say('DATA')
  assert.match(await session.say('Subject: Told?\r\n\r\nYes.\r\n.'), /^250 /)
  await server.graphpost.drainOutbox(20_000)
  const messages = (await alex.get('/me/mailFolders/inbox/messages')).json.value
  assert.deepEqual(
    messages.map(({ subject }: { subject: string }) => subject),
    ['Delivered: Told?'],
  )
})

test('LMTP answers for each recipient after the dot, and relays nothing', async (t) => {
  const { server, alex } = await serverWithUsers(t, { lmtpPort: '0' })
  const session = await connectSmtp(t, server.graphpost.lmtpPort)
  assert.match(session.greeting, /^220 .* LMTP/)
  assert.match(await session.say('EHLO client.example'), /^500 /)
  assert.doesNotMatch(await session.say('LHLO client.example'), /AUTH/)
  await session.say('MAIL FROM:<kim@example.com>')
  assert.match(await session.say('RCPT TO:<alex@contoso.com>'), /^250 /)
  assert.match(await session.say('RCPT TO:<nobody@contoso.com>'), /^550 5\.1\.1 /)
  assert.match(await session.say('RCPT TO:<kim@example.net>'), /^550 5\.1\.1 /)
  assert.match(await session.say('RCPT TO:<bea@contoso.com>'), /^250 /)
  await session.say('DATA')
  assert.match(await session.say('Subject: Local\r\n\r\nmail\r\n.'), /^250 /)
  assert.match(await session.answer(), /^250 /)
  await session.say('MAIL FROM:<kim@example.com>')
  await session.say('RCPT TO:<alex@contoso.com>')
  await session.say('RCPT TO:<bea@contoso.com>')
  await session.say('DATA')
  assert.match(await session.say(`${'Received: x\r\n'.repeat(101)}\r\n.`), /^554 5\.4\.6 /)
  assert.match(await session.answer(), /^554 5\.4\.6 /)
  assert.equal((await alex.get('/me/mailFolders/inbox/messages')).json.value.length, 1)
})
