/** From a call to what other servers said about its message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DeliveryAttempt, slotOf } from '../../src/mail/delivery-attempt.js'
import type { Trace } from '../../src/mail/trace.js'
import { openTestStore } from '../support/open-test-store.js'
import { startScriptedPeer, startSmtpSink } from '../support/scripted-smtp.js'
import { startServer } from '../support/start-server.js'

const adele = 'adele@contoso.com'

function mailTo(...addresses: string[]) {
  const toRecipients = addresses.map((address) => ({ emailAddress: { address } }))
  const body = { contentType: 'Text', content: 'Nobody else may read this.' }
  return { message: { subject: 'Lunch?', body, toRecipients } }
}

test('a trace leads from either id of the call, and from those of the message, to every word of the peer', async (t) => {
  const sink = await startSmtpSink(t)
  const server = await startServer(t, { relay: sink.url })
  const client = await server.user(adele)
  const sent = await client.post('/me/sendMail', mailTo('ben@fabrikam.com'), { 'client-request-id': 'order-4711' })
  assert.equal(sent.status, 202)
  await server.graphpost.drainOutbox(20_000)

  const operator = await server.application(['Graphpost.Admin'])
  const [message] = (await client.get('/me/mailFolders/sentitems/messages')).json.value
  const immutable = (await client.get(`/me/messages/${message.id}`, { Prefer: 'IdType="ImmutableId"' })).json.id
  const requestId = sent.headers.get('request-id') ?? ''
  for (const name of [requestId, 'order-4711', message.id, immutable, message.internetMessageId]) {
    const { status, json } = await operator.get(`/admin/trace/${encodeURIComponent(name)}`)
    assert.equal(status, 200, name)
    const { calls, messages } = json as Trace
    if (name !== message.internetMessageId)
      assert.ok(
        calls.some((call) => call.requestId === requestId),
        name,
      )
    assert.equal(messages.length, 1, name)
    const [entry] = messages[0]?.entries ?? []
    assert.equal(entry?.recipients[0]?.state, 'relayed')
    const [attempt] = entry?.history ?? []
    assert.match(attempt?.peer ?? '', /^127\.0\.0\.1 \[127\.0\.0\.1\]:\d+$/)
    const words = attempt?.dialogue.join('\n') ?? ''
    assert.match(words, /^S: 220 .*\nC: EHLO graphpost\.localhost\n/)
    assert.match(words, /\nC: MAIL FROM:<adele@contoso\.com>\nC: RCPT TO:<ben@fabrikam\.com>\nC: DATA\nS: 250 /)
    assert.match(words, /\nS: 354 .*\nS: 250 OK: message queued$/)
    assert.doesNotMatch(words, /Nobody else|Subject/)
  }
  // A connection that is kept serves the next message, which gets its own words and no others.
  await client.post('/me/sendMail', mailTo('cy@tailspin.com'), { 'client-request-id': 'order-4712' })
  await server.graphpost.drainOutbox(20_000)
  const second: Trace = (await operator.get('/admin/trace/order-4712')).json
  const words = second.messages[0]?.entries[0]?.history[0]?.dialogue ?? []
  assert.ok(words.includes('C: RCPT TO:<cy@tailspin.com>'))
  assert.equal(words.filter((line) => line.includes('ben@')).length, 0)
  assert.equal((await operator.get('/admin/trace/unheard-of')).json.messages.length, 0)
})

test('each attempt has its record, and one without a connection too', async (t) => {
  const peer = await startScriptedPeer(t, { rcpt: () => '450 4.2.0 Try later' })
  const server = await startServer(t, { relay: peer.url })
  const client = await server.user(adele)
  await client.post('/me/sendMail', mailTo('ben@fabrikam.com'), { 'client-request-id': 'mine' })
  await server.graphpost.drainOutbox(20_000)
  server.clock.advance(3_600_000)
  await server.graphpost.drainOutbox(20_000)
  await peer.close()
  server.clock.advance(3 * 3_600_000)
  await server.graphpost.drainOutbox(20_000)

  const { messages } = await server.graphpost.directory.trace('mine')
  const history = messages[0]?.entries[0]?.history ?? []
  assert.deepEqual(
    history.map(({ attempt }) => attempt),
    [1, 2, 3],
  )
  assert.ok(history[0]?.dialogue.includes('S: 450 4.2.0 Try later'))
  assert.deepEqual(history[2]?.dialogue, [])
  assert.match(history[2]?.replies[0]?.reply ?? '', /ECONNREFUSED|closed/i)
})

test('passwords and what a peer says back of them are not in the record', async (t) => {
  const password = 'Tr0ub4dor'
  const peer = await startScriptedPeer(t, {
    ehlo: '250-peer\r\n250 AUTH PLAIN LOGIN',
    auth: `535 5.7.8 Wrong: ${password} ${Buffer.from(`\0ada\0${password}`).toString('base64')}`,
  })
  const server = await startServer(t, { relay: peer.url.replace('://', `://ada:${password}@`) })
  const client = await server.user(adele)
  await client.post('/me/sendMail', mailTo('ben@fabrikam.com'), { 'client-request-id': 'mine' })
  await server.graphpost.drainOutbox(20_000)
  const { messages } = await server.graphpost.directory.trace('mine')
  const dialogue = messages[0]?.entries[0]?.history[0]?.dialogue.join('\n') ?? ''
  assert.match(dialogue, /C: AUTH PLAIN .*\nS: 535 5\.7\.8$/m)
  assert.doesNotMatch(dialogue, new RegExp(password))
  assert.doesNotMatch(dialogue, new RegExp(Buffer.from(`\0ada\0${password}`).toString('base64')))
})

test('of many attempts the first and the latest are kept', async (t) => {
  const { mail } = await openTestStore(t)
  const mailbox = 1 as DeliveryAttempt['mailbox']
  const message = 2 as DeliveryAttempt['message']
  for (let attempt = 1; attempt <= 100; attempt++) {
    const heard = { destination: 'fabrikam.com', attempt, at: attempt, durationMs: 1, dialogue: [], replies: [] }
    await mail.write((tx) => tx.putAttempt({ mailbox, message, ...heard }))
  }
  const kept = await mail.outbox.listAttempts(mailbox, message)
  assert.deepEqual(
    kept.map(({ attempt }) => attempt),
    [1, 2, 3, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100],
  )
  assert.equal(new Set(Array.from({ length: 1_000 }, (_, index) => slotOf(index + 1))).size, 15)
})
