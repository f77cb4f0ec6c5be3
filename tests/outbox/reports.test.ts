import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MailError } from '../../src/mail/errors.js'
import type { Message } from '../../src/mail/message.js'
import type { MailWriter } from '../../src/mail/store.js'
import { startScriptedPeer } from '../support/scripted-smtp.js'
import { days, minutes, openPostOffice, patient, to } from './delivery-fixture.js'

const hour = 60 * minutes

async function mimeOf(office: Awaited<ReturnType<typeof openPostOffice>>, message: Message | undefined) {
  assert.ok(message)
  const mime = await office.mail.store.messages.mime(message.mailbox, message.id)
  return Buffer.from(mime ?? []).toString()
}

test('a recipient whom the relay refuses is reported to the sender, once, in the thread of the message', async (t) => {
  const office = await openPostOffice(t)
  const adele = await office.mailbox('adele@contoso.example')
  const peer = await startScriptedPeer(t, {
    rcpt: (address) =>
      address.startsWith('nobody') ? '550 5.1.1 <nobody@fabrikam.example>: <b>no</b> such user' : '250 2.1.5 ok',
  })
  const recipients = to('nobody@fabrikam.example', 'alex@fabrikam.example', 'nobody.else@fabrikam.example')
  const id = await office.send(adele, { subject: 'Grüße', toRecipients: recipients })
  await office.startWorker({ relay: { url: peer.url, timeouts: patient } }).drain(20_000)

  const [sent] = await office.messages(adele, 'sentitems')
  const inbox = await office.messages(adele, 'inbox')
  assert.equal(inbox.length, 1)
  const [report] = inbox
  assert.equal(report?.subject, 'Undeliverable: Grüße')
  assert.equal(report.content.from?.address, 'postmaster@contoso.example')
  assert.deepEqual(report.content.toRecipients, [{ name: 'adele', address: 'adele@contoso.example' }])
  assert.equal(report.conversation.id, sent?.conversation.id)
  assert.equal(report.content.inReplyTo, sent?.internetMessageId)
  assert.equal(report.isRead, false)
  assert.equal(report.hasAttachments, false)
  assert.deepEqual(report.content.singleValueExtendedProperties, [{ id: 'String 0x1a', value: 'REPORT.IPM.Note.NDR' }])
  assert.match(report.content.body.content, /nobody\.else@fabrikam\.example/)
  assert.match(report.content.body.content, /&lt;b&gt;no&lt;\/b&gt; such user/)
  assert.doesNotMatch(report.content.body.content, /alex@fabrikam|<b>no<\/b>/)

  const attachments = await office.mail.store.attachments.list(adele.id, report.id)
  assert.deepEqual(
    attachments.map(({ kind, name, contentType }) => [kind, name, contentType]),
    [['item', 'Grüße', 'message/rfc822']],
  )
  const mime = await mimeOf(office, report)
  assert.match(mime, /^Content-Type: multipart\/report; report-type=delivery-status;/m)
  assert.match(mime, /^Auto-Submitted: auto-replied\r$/m)
  assert.match(mime, /^Reporting-MTA: dns; mail\.contoso\.example\r$/m)
  assert.match(mime, /^Final-Recipient: rfc822; nobody@fabrikam\.example\r\nAction: failed\r\nStatus: 5\.1\.1\r$/m)
  assert.match(mime, /^Diagnostic-Code: smtp; 550 5\.1\.1 <nobody@fabrikam\.example>: <b>no<\/b> such user\r$/m)
  assert.equal(mime.match(/^Final-Recipient/gm)?.length, 2)
  assert.equal((await office.states(adele, id))['alex@fabrikam.example'], 'relayed')
})

test('what is given up without an answer is reported with 4.4.7', async (t) => {
  const office = await openPostOffice(t)
  const adele = await office.mailbox('adele@contoso.example')
  const peer = await startScriptedPeer(t, { greeting: 'drop' })
  await office.send(adele, { toRecipients: to('alex@fabrikam.example') })
  const worker = office.startWorker({ relay: { url: peer.url, timeouts: patient }, warnAfterMs: 0 })
  await worker.drain(20_000)
  assert.equal((await office.messages(adele, 'inbox')).length, 0)
  office.clock.advance(6 * days)
  await worker.drain(20_000)
  const [report, ...others] = await office.messages(adele, 'inbox')
  assert.equal(others.length, 0)
  assert.match(await mimeOf(office, report), /^Action: failed\r\nStatus: 4\.4\.7\r$/m)
})

test('the sender of a late message is told so once, and then again only what became of it', async (t) => {
  const office = await openPostOffice(t)
  const adele = await office.mailbox('adele@contoso.example')
  let answer = '451 4.7.1 greylisted'
  const peer = await startScriptedPeer(t, { rcpt: () => answer })
  await office.send(adele, { toRecipients: to('alex@fabrikam.example') })
  const worker = office.startWorker({ relay: { url: peer.url, timeouts: patient } })
  const subjects = async () => (await office.messages(adele, 'inbox')).map(({ subject }) => subject)
  await worker.drain(20_000)
  office.clock.advance(2 * hour)
  await worker.drain(20_000)
  assert.deepEqual(await subjects(), [])

  office.clock.advance(3 * hour)
  await worker.drain(20_000)
  assert.deepEqual(await subjects(), ['Delivery delayed: Lunch?'])
  const [warning] = await office.messages(adele, 'inbox')
  const mime = await mimeOf(office, warning)
  assert.match(mime, /^Action: delayed\r\nStatus: 4\.7\.1\r$/m)
  assert.match(mime, /^Will-Retry-Until: /m)
  assert.match(mime, /^Content-Type: text\/rfc822-headers\r$/m)

  office.clock.advance(3 * hour)
  await worker.drain(20_000)
  assert.deepEqual(await subjects(), ['Delivery delayed: Lunch?'])

  answer = '550 5.7.1 never'
  office.clock.advance(3 * hour)
  await worker.drain(20_000)
  assert.deepEqual(await subjects(), ['Undeliverable: Lunch?', 'Delivery delayed: Lunch?'])
})

test('a delivery receipt tells of each mailbox here, and of what the next server took without promising one', async (t) => {
  const office = await openPostOffice(t)
  const adele = await office.mailbox('adele@contoso.example')
  await office.mailbox('alex@contoso.example')
  const peer = await startScriptedPeer(t, {})
  await office.send(adele, {
    isDeliveryReceiptRequested: true,
    toRecipients: to('alex@contoso.example', 'lee@fabrikam.example'),
  })
  await office.startWorker({ relay: { url: peer.url, timeouts: patient } }).drain(20_000)
  const inbox = await office.messages(adele, 'inbox')
  assert.deepEqual(inbox.map(({ subject }) => subject).sort(), ['Delivered: Lunch?', 'Relayed: Lunch?'])
  const delivered = inbox.find(({ subject }) => subject?.startsWith('Delivered'))
  assert.match(
    await mimeOf(office, delivered),
    /^Final-Recipient: rfc822; alex@contoso\.example\r\nAction: delivered\r$/m,
  )
  assert.deepEqual(delivered?.content.singleValueExtendedProperties, [
    { id: 'String 0x1a', value: 'REPORT.IPM.Note.DR' },
  ])
})

test('a store that refuses the result refuses the report with it: once it takes them, there is one of each', async (t) => {
  const office = await openPostOffice(t)
  const adele = await office.mailbox('adele@contoso.example')
  const peer = await startScriptedPeer(t, { rcpt: () => '550 5.1.1 nobody' })
  const id = await office.send(adele, { toRecipients: to('nobody@fabrikam.example') })
  const { store } = office.mail
  let refused = 0
  const write: typeof store.write = async (change) => {
    const said: unknown[] = []
    change(new Proxy({} as MailWriter, { get: (_, name) => () => said.push(name) }))
    if (refused === 3 || !said.includes('settleOutboxEntry')) return store.write(change)
    refused++
    assert.ok(said.includes('insertMessage'))
    assert.equal((await office.messages(adele, 'inbox')).length, 0)
    throw new MailError('storeUnavailable', 'The disk is full.')
  }
  await office.startWorker({ relay: { url: peer.url, timeouts: patient } }, { ...store, write }).drain(20_000)
  assert.equal(refused, 3)
  assert.equal((await office.messages(adele, 'inbox')).length, 1)
  assert.deepEqual(await office.states(adele, id), { 'nobody@fabrikam.example': 'failed' })
  assert.equal(peer.commands.filter((line) => line.startsWith('RCPT')).length, 1)
})

test('a report that cannot be worked out now is worked out a little later, and what was relayed is not sent again', async (t) => {
  const office = await openPostOffice(t)
  const adele = await office.mailbox('adele@contoso.example')
  const peer = await startScriptedPeer(t, {
    rcpt: (address) => (address.startsWith('nobody') ? '550 5.1.1 nobody' : '250 2.1.5 ok'),
  })
  const id = await office.send(adele, { toRecipients: to('nobody@fabrikam.example', 'alex@fabrikam.example') })
  const { store } = office.mail
  let asked = 0
  // The question that only a report asks: whose the return path is.
  const findByAddress: typeof store.mailboxes.findByAddress = (tenant, addresses) => {
    const isOfReport = addresses[0] === adele.address
    if (isOfReport && ++asked <= 3) return Promise.reject(new Error('the database is restarting'))
    return store.mailboxes.findByAddress(tenant, addresses)
  }
  const mailboxes = new Proxy(store.mailboxes, {
    get: (target, name) => {
      if (name === 'findByAddress') return findByAddress
      const member = Reflect.get(target, name) as unknown
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  await office.startWorker({ relay: { url: peer.url, timeouts: patient } }, { ...store, mailboxes }).drain(20_000)
  assert.equal(asked, 4)
  assert.equal((await office.messages(adele, 'inbox')).length, 1)
  assert.deepEqual(await office.states(adele, id), {
    'nobody@fabrikam.example': 'failed',
    'alex@fabrikam.example': 'relayed',
  })
  assert.equal(peer.wire.length, 1)
})
