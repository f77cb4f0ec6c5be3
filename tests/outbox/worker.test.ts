import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startScriptedPeer, startSmtpSink } from '../support/scripted-smtp.js'
import { openPostOffice, patient, to } from './delivery-fixture.js'

test('close finishes what is under way and gives back the rest: everyone gets one copy', async (t) => {
  const sink = await startSmtpSink(t)
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const relay = { url: sink.url, connections: 2, timeouts: patient }
  const first = office.startWorker({ relay })
  for (let index = 0; index < 40; index++) {
    await office.send(ada, { subject: `no. ${index}`, toRecipients: to(`x${index}@fabrikam.example`) })
  }
  await sink.waitFor(5)

  await first.close()

  const takenByFirst = sink.received.length
  const relayed = (await office.mail.store.outbox.listNewest(100)).filter(({ state }) => state === 'closed')
  assert.equal(relayed.length, takenByFirst, 'every mail that was taken is on record')
  const dueAt = await office.mail.store.outbox.nextDueAt()
  assert.ok(takenByFirst === 40 || (dueAt ?? Number.POSITIVE_INFINITY) <= office.clock.now())

  await office.startWorker({ relay }).drain(20_000)
  assert.deepEqual(
    sink.received.map(({ rcptTo }) => rcptTo[0]).toSorted(),
    Array.from({ length: 40 }, (_, index) => `x${index}@fabrikam.example`).toSorted(),
  )
})

test('close waits for the answer to a final dot', async (t) => {
  let answer: ((reply: string) => void) | undefined
  const peer = await startScriptedPeer(t, {
    dot: () =>
      new Promise((resolve) => {
        answer = resolve
      }),
  })
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({ relay: { url: peer.url, timeouts: patient } })
  const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
  while (answer === undefined) await new Promise((resolve) => setTimeout(resolve, 5))

  const closed = worker.close()
  await new Promise((resolve) => setTimeout(resolve, 50))
  answer('250 2.0.0 at last')
  await closed

  assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'relayed' })
})

test('close does not wait for ever: what was cut off is tried again', async (t) => {
  const peer = await startScriptedPeer(t, { mail: 'stall' })
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({ relay: { url: peer.url, timeouts: patient }, closeTimeoutMs: 50 })
  const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
  while (!peer.commands.some((command) => command.startsWith('MAIL'))) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }

  await worker.close()

  assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'delayed' })
  assert.equal((await office.entries(ada, id))[0]?.state, 'queued')
  assert.ok(office.log.some(({ text }) => text === 'deliveries under way were cut off'))
})

test('a paused worker claims nothing until it goes on', async (t) => {
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker()
  worker.pause()
  await office.send(ada, { toRecipients: to(ada.address) })
  await worker.drain(10_000)
  assert.equal((await office.messages(ada, 'inbox')).length, 0)

  worker.resume()
  await worker.drain(10_000)
  assert.equal((await office.messages(ada, 'inbox')).length, 1)
})

test('a closed worker claims nothing, and closing twice is closing once', async (t) => {
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker()
  await Promise.all([worker.close(), worker.close()])
  await office.send(ada, { toRecipients: to(ada.address) })
  worker.wake()
  await worker.drain(10_000)
  assert.equal((await office.messages(ada, 'inbox')).length, 0)
  assert.equal(await office.mail.store.outbox.countOpen(), 1)
})

test('what an earlier worker left behind is delivered without being woken', async (t) => {
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  await office.send(ada, { toRecipients: to(ada.address) })
  office.startWorker()
  while ((await office.messages(ada, 'inbox')).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
})

test('what becomes due is tried again by itself', async (t) => {
  const sink = await startSmtpSink(t)
  const port = Number(new URL(sink.url).port)
  await sink.close()
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const schedule = { delaysMs: [200], giveUpAfterMs: 60_000 } as const
  const worker = office.startWorker({ relay: { url: sink.url, timeouts: patient }, schedule })
  await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
  await worker.drain(100)

  const back = await startSmtpSink(t, { port })
  await back.waitFor(1)
})

test('a store that cannot be read is asked again, later and later, and then all is delivered', async (t) => {
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const { outbox } = office.mail.store
  let asked = 0
  const claimDue: typeof outbox.claimDue = (...given) => {
    if (++asked <= 3) return Promise.reject(new Error('the database is restarting'))
    return outbox.claimDue(...given)
  }
  const unreliable = {
    claimDue,
    releaseClaims: outbox.releaseClaims.bind(outbox),
    nextDueAt: () => outbox.nextDueAt(),
    nextNewDueAt: outbox.nextNewDueAt.bind(outbox),
    listQueue: outbox.listQueue.bind(outbox),
    listByMessage: outbox.listByMessage.bind(outbox),
    listNewest: outbox.listNewest.bind(outbox),
    recipientsSince: outbox.recipientsSince.bind(outbox),
    listAttempts: outbox.listAttempts.bind(outbox),
    countByState: () => outbox.countByState(),
    countOpen: () => outbox.countOpen(),
  }
  await office.send(ada, { toRecipients: to(ada.address) })
  const worker = office.startWorker({}, { ...office.mail.store, outbox: unreliable })
  // Waking does not make it ask sooner.
  for (let index = 0; index < 100; index++) worker.wake()
  await worker.drain(20_000)

  assert.equal((await office.messages(ada, 'inbox')).length, 1)
  const waits = office.log.filter(({ level }) => level === 'error').map(({ fields }) => fields.waitMs)
  assert.deepEqual(waits, [100, 200, 400])
})
