import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simpleParser } from 'mailparser'
import { MailError } from '../../src/mail/errors.js'
import type { Mail } from '../../src/mail/mail.js'
import type { RetrySchedule } from '../../src/outbox/retry-schedule.js'
import { type ReceivedMail, startScriptedPeer, startSmtpSink } from '../support/scripted-smtp.js'
import { days, minutes, openPostOffice, patient, to } from './delivery-fixture.js'

const schedule: RetrySchedule = { delaysMs: [5 * minutes, 10 * minutes], giveUpAfterMs: 5 * days }

test('two domains are two envelopes with the same message, and nobody sees the Bcc', async (t) => {
  const sink = await startSmtpSink(t)
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({ relay: { url: sink.url, timeouts: patient } })
  const picture = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251))

  const id = await office.send(ada, {
    subject: 'Grüße 😀',
    body: { contentType: 'html', content: '<p>.dots\r\n.and <b>ümlauts</b></p>' },
    toRecipients: to('ben@fabrikam.example', 'cy@fabrikam.example'),
    ccRecipients: to('dee@tailspin.example'),
    bccRecipients: to('secret@tailspin.example'),
    attachments: [
      {
        kind: 'file',
        name: 'picture.png',
        contentType: 'image/png',
        isInline: false,
        contentId: null,
        contentLocation: null,
        content: picture,
      },
    ],
  })
  await worker.drain(20_000)

  const byDomain = sink.received.toSorted((one, other) => (domainOf(one) < domainOf(other) ? -1 : 1))
  assert.deepEqual(
    byDomain.map(({ mailFrom, rcptTo }) => [mailFrom, rcptTo]),
    [
      [ada.address, ['ben@fabrikam.example', 'cy@fabrikam.example']],
      [ada.address, ['dee@tailspin.example', 'secret@tailspin.example']],
    ],
  )
  const [one, other] = byDomain.map(({ bytes }) => bytes)
  assert.ok(one && other?.equals(one))
  assert.doesNotMatch(one.toString('latin1'), /^bcc:|secret/im)
  const parsed = await simpleParser(one)
  const [sent] = await office.messages(ada, 'sentitems')
  assert.equal(parsed.subject, 'Grüße 😀')
  assert.equal(parsed.messageId, sent?.internetMessageId)
  assert.match(String(parsed.html), /<b>ümlauts<\/b>/)
  assert.match(parsed.text ?? '', /^\.dots/)
  assert.ok(parsed.attachments[0]?.content.equals(picture))
  assert.deepEqual(await office.states(ada, id), {
    'ben@fabrikam.example': 'relayed',
    'cy@fabrikam.example': 'relayed',
    'dee@tailspin.example': 'relayed',
    'secret@tailspin.example': 'relayed',
  })
})

test('a message that was submitted in MIME goes out byte for byte, but for its Bcc', async (t) => {
  const sink = await startSmtpSink(t)
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({ relay: { url: sink.url, timeouts: patient } })
  const fields = [
    `From: ${ada.address}`,
    'To: ben@fabrikam.example',
    'Subject: Lunch?',
    'Date: Mon, 05 Jan 2026 12:00:00 +0000',
    'Message-ID: <one@contoso.example>',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ]
  const body = '\r\n\r\nAt noon: Käsespätzle.\r\n.\r\n..\r\n'

  await office.send(ada, {
    toRecipients: to('ben@fabrikam.example'),
    bccRecipients: to('cy@fabrikam.example'),
    internetMessageId: '<one@contoso.example>',
    mime: Buffer.from([...fields, 'Bcc: cy@fabrikam.example'].join('\r\n') + body),
  })
  await worker.drain(20_000)

  assert.deepEqual(
    sink.received.map(({ rcptTo, bytes }) => [rcptTo, bytes.toString()]),
    [[['ben@fabrikam.example', 'cy@fabrikam.example'], fields.join('\r\n') + body]],
  )
})

test('mailboxes of ours and others of the same domain each get theirs', async (t) => {
  const sink = await startSmtpSink(t)
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const ben = await office.mailbox('ben@contoso.example')
  const worker = office.startWorker({ relay: { url: sink.url, timeouts: patient } })

  const id = await office.send(ada, { toRecipients: to('elsewhere@contoso.example', ben.address) })
  await worker.drain(20_000)

  assert.deepEqual(
    sink.received.map(({ rcptTo }) => rcptTo),
    [['elsewhere@contoso.example']],
  )
  assert.equal((await office.messages(ben, 'inbox')).length, 1)
  assert.deepEqual(await office.states(ada, id), {
    'ben@contoso.example': 'delivered',
    'elsewhere@contoso.example': 'relayed',
  })
})

test('a refused recipient fails, a delayed one is tried again on schedule, one that was taken never', async (t) => {
  let isGreylisting = true
  const peer = await startScriptedPeer(t, {
    rcpt: (address) => {
      if (address.startsWith('unknown')) return '550 5.1.1 no such user'
      return address.startsWith('grey') && isGreylisting ? '450 4.2.0 greylisted' : '250 ok'
    },
  })
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({ relay: { url: peer.url, timeouts: patient }, schedule })
  const id = await office.send(ada, {
    toRecipients: to('good@fabrikam.example', 'unknown@fabrikam.example', 'grey@fabrikam.example'),
  })
  await worker.drain(20_000)

  const [entry] = await office.entries(ada, id)
  assert.deepEqual(
    entry?.recipients.map(({ state, reply }) => [state, reply]),
    [
      ['relayed', '250 2.0.0 kept as 1'],
      ['failed', '550 5.1.1 no such user'],
      ['delayed', '450 4.2.0 greylisted'],
    ],
  )
  assert.equal(entry?.state, 'queued')
  const waitMs = (entry?.dueAt ?? 0) - office.clock.now()
  assert.ok(waitMs > 4 * minutes && waitMs <= 5 * minutes, String(waitMs))

  office.clock.advance(1 * minutes)
  await worker.drain(20_000)
  assert.equal(peer.wire.length, 1)

  isGreylisting = false
  office.clock.advance(4 * minutes)
  await worker.drain(20_000)
  assert.deepEqual(await office.states(ada, id), {
    'good@fabrikam.example': 'relayed',
    'unknown@fabrikam.example': 'failed',
    'grey@fabrikam.example': 'relayed',
  })
  assert.equal(await office.mail.store.outbox.countOpen(), 0)
  assert.deepEqual(
    peer.commands.filter((command) => command.startsWith('RCPT')).map((command) => command.slice(9, 14)),
    ['good@', 'unkno', 'grey@', 'grey@'],
  )
})

test('a dropped connection delays, before the final dot and after it; the Message-ID of a second copy is the same', async (t) => {
  for (const misdeed of [{ dropAfterBytes: 20 }, { dot: 'drop' }] as const) {
    let isBroken = true
    const peer = await startScriptedPeer(t, {
      ...('dot' in misdeed ? { dot: () => (isBroken ? ('drop' as const) : '250 ok') } : {}),
      get dropAfterBytes() {
        return 'dropAfterBytes' in misdeed && isBroken ? 20 : Number.POSITIVE_INFINITY
      },
    })
    const office = await openPostOffice(t)
    const ada = await office.mailbox('ada@contoso.example')
    const worker = office.startWorker({ relay: { url: peer.url, timeouts: patient }, schedule })
    const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
    await worker.drain(20_000)
    assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'delayed' })

    isBroken = false
    office.clock.advance(5 * minutes)
    await worker.drain(20_000)
    assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'relayed' })
    const copies = peer.wire.map((bytes) => /^Message-ID: .*$/im.exec(bytes.toString())?.[0])
    assert.equal(copies.length, 'dot' in misdeed ? 2 : 1)
    assert.equal(new Set(copies).size, 1)
  }
})

test('a relay that is down for a day loses nothing', async (t) => {
  const gone = await startSmtpSink(t)
  await gone.close()
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({ relay: { url: gone.url, timeouts: patient } })
  const ids = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      office.send(ada, { subject: `no. ${index}`, toRecipients: to(`someone@domain${index % 3}.example`) }),
    ),
  )
  for (let hours = 0; hours < 24; hours++) {
    await worker.drain(20_000)
    office.clock.advance(60 * minutes)
  }
  for (const id of ids) assert.deepEqual(Object.values(await office.states(ada, id)), ['delayed'])

  const sink = await startSmtpSink(t, { port: Number(new URL(gone.url).port) })
  office.clock.advance(2 * 60 * minutes)
  await worker.drain(20_000)

  assert.equal(sink.received.length, 30)
  for (const id of ids) assert.deepEqual(Object.values(await office.states(ada, id)), ['relayed'])
})

test('after five days without an answer a recipient fails, and the last trouble is told', async (t) => {
  const peer = await startScriptedPeer(t, { mail: '451 4.3.0 not today' })
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({ relay: { url: peer.url, timeouts: patient } })
  const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
  await worker.drain(20_000)
  office.clock.advance(5 * days)
  await worker.drain(20_000)

  const [entry] = await office.entries(ada, id)
  assert.equal(entry?.state, 'closed')
  assert.deepEqual(
    entry?.recipients.map(({ state, reply }) => [state, reply]),
    [['failed', 'Given up. The last attempt: 451 4.3.0 not today']],
  )
})

test('mail for us does not wait behind a relay that has stopped answering', async (t) => {
  const peer = await startScriptedPeer(t, { mail: 'stall' })
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const ben = await office.mailbox('ben@contoso.example')
  const worker = office.startWorker({
    relay: { url: peer.url, connections: 2, timeouts: { ...patient, replyMs: 1_000 } },
    closeTimeoutMs: 0,
  })
  for (let index = 0; index < 20; index++) await office.send(ada, { toRecipients: to(`x${index}@fabrikam.example`) })
  await office.send(ada, { toRecipients: to(ben.address) })

  while ((await office.messages(ben, 'inbox')).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))

  assert.ok((await office.mail.store.outbox.countOpen()) > 2)
  await worker.close()
})

test('a worker whose claim ran out writes nothing', async (t) => {
  let asked = 0
  const slow = await startScriptedPeer(t, { dot: () => (++asked === 1 ? 'stall' : '250 ok') })
  const sink = await startSmtpSink(t)
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const late = office.startWorker({ relay: { url: slow.url, timeouts: { ...patient, replyMs: 1_000 } } })
  const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
  while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  late.pause()
  office.clock.advance(60 * minutes)
  await office.startWorker({ relay: { url: sink.url, timeouts: patient } }).drain(20_000)
  assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'relayed' })

  await late.drain(20_000)

  assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'relayed' })
  assert.ok(office.log.some(({ text }) => text.startsWith('a claim ran out')))
})

test('what a relay took is recorded once the store is back, and not sent again', async (t) => {
  const sink = await startSmtpSink(t)
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  let refusals = 0
  const store: Mail['store'] = {
    ...office.mail.store,
    write: async (change) => {
      // From the moment the relay has the mail, for a while.
      if (sink.received.length > 0 && refusals++ < 3) throw new MailError('storeUnavailable', 'The disk is full.')
      await office.mail.store.write(change)
    },
  }
  const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
  await office.startWorker({ relay: { url: sink.url, timeouts: patient } }, store).drain(20_000)

  assert.equal(sink.received.length, 1)
  assert.ok(refusals > 3)
  assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'relayed' })
})

function domainOf({ rcptTo }: ReceivedMail): string {
  return rcptTo[0]?.split('@')[1] ?? ''
}
