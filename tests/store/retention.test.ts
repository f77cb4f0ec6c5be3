/** Mail that is kept no longer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retain } from '../../src/mail/retention.js'
import { openPostOffice, to } from '../outbox/delivery-fixture.js'

const day = 86_400_000

test('mail beyond an age goes, with exact counts; drafts and what is being delivered stay', async (t) => {
  const office = await openPostOffice(t)
  const { mail, clock } = office
  const ada = await office.mailbox('ada@contoso.example')
  const ben = await office.mailbox('ben@contoso.example')
  const worker = office.startWorker()
  for (let count = 0; count < 120; count++)
    await office.send(ada, { subject: `old ${count}`, toRecipients: to(ben.address) })
  await worker.drain(20_000)
  worker.pause()
  const waiting = await office.send(ada, { subject: 'waiting', toRecipients: to('cy@fabrikam.example') })
  clock.advance(30 * day)
  await office.send(ada, { subject: 'young', toRecipients: to('cy@fabrikam.example') })

  const first = await retain(mail, { ageMs: 30 * day, sizeBytes: undefined })
  assert.deepEqual(first, { purged: 240, removed: 0 })
  const sent = await office.messages(ada, 'sentitems')
  assert.deepEqual(sent.map(({ subject }) => subject).sort(), ['waiting', 'young'])
  assert.deepEqual(await office.messages(ben, 'inbox'), [])
  for (const mailbox of [ada, ben]) {
    for (const { id, totalItemCount, sizeBytes } of await mail.store.folders.list(mailbox.id)) {
      const there = await mail.store.messages.list({
        mailbox: mailbox.id,
        folder: id,
        order: [],
        top: 1_000,
        skip: 0,
        withContent: false,
      })
      assert.equal(totalItemCount, there.length)
      assert.equal(
        sizeBytes,
        there.reduce((sum, message) => sum + message.sizeBytes, 0),
      )
    }
  }

  clock.advance(2 * day)
  const second = await retain(mail, { ageMs: 365 * day, sizeBytes: undefined })
  assert.deepEqual(second, { purged: 0, removed: 240 })
  worker.resume()
  await worker.drain(20_000)
  assert.deepEqual(await office.states(ada, waiting), { 'cy@fabrikam.example': 'captured' })
})

test('the oldest goes until all of it is as small as it may be', async (t) => {
  const office = await openPostOffice(t)
  const { mail, clock } = office
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker()
  for (let count = 0; count < 150; count++) {
    clock.advance(1_000)
    const body = { contentType: 'text' as const, content: 'x'.repeat(9_000) }
    await office.send(ada, { subject: `${count}`, body, toRecipients: to('cy@fabrikam.example') })
  }
  await worker.drain(20_000)
  clock.advance(1_000)
  const sizeBytes = 700_000
  await retain(mail, { ageMs: undefined, sizeBytes })
  const left = await office.messages(ada, 'sentitems')
  assert.ok((await mail.store.retention.totalBytes()) <= sizeBytes)
  const numbers = left.map(({ subject }) => Number(subject)).sort((one, other) => one - other)
  assert.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, index) => 150 - numbers.length + index),
  )
  assert.equal(numbers.length, 50)
})
