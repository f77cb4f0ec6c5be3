import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mailbox } from '../../src/mail/mailbox.js'
import { changeQueue } from '../../src/mail/queue.js'
import { startScriptedPeer, startSmtpSink } from '../support/scripted-smtp.js'
import { minutes, openPostOffice, type PostOffice, patient, to } from './delivery-fixture.js'

test('what is held by hand is not delivered, and goes out once it is released', async (t) => {
  const sink = await startSmtpSink(t)
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example', 'cid@northwind.example') })
  assert.deepEqual(await changeQueue(office.mail, { destination: 'fabrikam.example' }, 'hold'), counts({ changed: 1 }))
  const worker = office.startWorker({ relay: { url: sink.url, timeouts: patient } })
  await worker.drain(20_000)
  assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'held', 'cid@northwind.example': 'relayed' })
  assert.equal(await office.mail.store.outbox.nextDueAt(), undefined)
  assert.equal(await office.mail.store.outbox.countOpen(), 1)

  assert.deepEqual(await changeQueue(office.mail, {}, 'release'), counts({ changed: 1 }))
  await worker.drain(20_000)
  const [entry] = await office.entries(ada, id)
  assert.deepEqual(
    [entry?.state, entry?.recipients[0]?.state, entry?.recipients[0]?.isReleased],
    ['closed', 'relayed', true],
  )
  assert.equal(sink.received.length, 2)
})

test('what is cancelled is final, and nobody else of the message is touched', async (t) => {
  const sink = await startSmtpSink(t)
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example', 'cid@northwind.example') })
  await changeQueue(office.mail, { message: id, destination: 'fabrikam.example' }, 'hold')
  assert.deepEqual(
    await changeQueue(office.mail, { message: id, destination: 'fabrikam.example' }, 'cancel'),
    counts({ changed: 1 }),
  )
  assert.deepEqual(await changeQueue(office.mail, { destination: 'fabrikam.example' }, 'release'), counts({}))
  const worker = office.startWorker({ relay: { url: sink.url, timeouts: patient } })
  await worker.drain(20_000)
  const want = { 'ben@fabrikam.example': 'cancelled', 'cid@northwind.example': 'relayed' }
  assert.deepEqual(await office.states(ada, id), want)
  assert.deepEqual(
    (await office.entries(ada, id)).map(({ state }) => state),
    ['closed', 'closed'],
  )
})

test('what waits for its next try is tried at once when somebody asks for it', async (t) => {
  let isOpen = false
  const peer = await startScriptedPeer(t, { mail: () => (isOpen ? '250 OK' : '451 4.3.0 not now') })
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({ relay: { url: peer.url, timeouts: patient } })
  const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
  await worker.drain(20_000)
  assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'delayed' })
  const [message] = await office.messages(ada, 'sentitems')

  isOpen = true
  const filter = { internetMessageId: message?.internetMessageId ?? '' }
  assert.deepEqual(await changeQueue(office.mail, { internetMessageId: '<other@x>' }, 'retry'), counts({}))
  assert.deepEqual(await changeQueue(office.mail, filter, 'retry'), counts({ changed: 1 }))
  await worker.drain(20_000)
  assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'relayed' })
})

for (const [answer, fate] of [
  ['250 taken', 'relayed'],
  ['451 4.3.0 not now', 'cancelled'],
] as const) {
  test(`cancelling what is under way says so: after ${answer} it is ${fate}`, async (t) => {
    const { office, ada, id, worker, answerDot } = await underWay(t)
    assert.deepEqual(await changeQueue(office.mail, {}, 'retry'), counts({ underWay: 1 }))
    assert.deepEqual(await changeQueue(office.mail, {}, 'cancel'), counts({ wished: 1 }))
    assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'queued' })

    answerDot(answer)
    await worker.drain(20_000)
    assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': fate })
    assert.equal((await office.entries(ada, id))[0]?.state, 'closed')
  })
}

test('holding what is under way holds it when the attempt did not get through', async (t) => {
  const { office, ada, id, worker, answerDot, peer } = await underWay(t)
  assert.deepEqual(await changeQueue(office.mail, {}, 'hold'), counts({ wished: 1 }))
  answerDot('451 4.3.0 not now')
  await worker.drain(20_000)
  assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'held' })
  office.clock.advance(60 * minutes)
  await worker.drain(20_000)
  assert.equal(peer.commands.filter((command) => command.startsWith('MAIL')).length, 1)
})

test('many at once, while they are being delivered: each is delivered or cancelled, and never both', async (t) => {
  const sink = await startSmtpSink(t)
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({ relay: { url: sink.url, timeouts: patient } })
  const ids = []
  for (let index = 0; index < 150; index++) {
    ids.push(await office.send(ada, { toRecipients: to(`x${index}@fabrikam.example`) }))
    if (index % 30 === 29) await changeQueue(office.mail, {}, 'cancel')
  }
  await worker.drain(20_000)
  const fates = await Promise.all(ids.map(async (id) => Object.entries(await office.states(ada, id))[0]))
  const relayed = fates.filter((fate) => fate?.[1] === 'relayed').map((fate) => fate?.[0])
  assert.ok(fates.every((fate) => fate?.[1] === 'relayed' || fate?.[1] === 'cancelled'))
  assert.deepEqual(sink.received.map(({ rcptTo }) => rcptTo[0]).toSorted(), relayed.toSorted())
})

test('the queue is listed page by page, in one order, without what is closed', async (t) => {
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  for (let index = 0; index < 5; index++) {
    await office.send(ada, { toRecipients: to(`x@a${index}.example`, `x@b${index}.example`) })
  }
  await changeQueue(office.mail, { destination: 'b1.example' }, 'hold')
  await changeQueue(office.mail, { destination: 'a3.example' }, 'cancel')
  const { outbox } = office.mail.store
  const destinations: string[] = []
  for (let page = await outbox.listQueue({}, 2); page.length > 0; page = await outbox.listQueue({}, 2, page.at(-1))) {
    destinations.push(...page.map(({ destination }) => destination))
  }
  assert.deepEqual(
    destinations,
    [0, 1, 2, 3, 4]
      .flatMap((index) => [`a${index}.example`, `b${index}.example`])
      .filter((each) => each !== 'a3.example'),
  )
  const listed = async (filter: Parameters<typeof outbox.listQueue>[0]) =>
    (await outbox.listQueue(filter, 100)).map(({ destination }) => destination)
  assert.deepEqual(await listed({ state: 'held' }), ['b1.example'])
  assert.equal((await listed({ state: 'queued' })).length, 8)
  assert.deepEqual(await listed({ destination: 'a3.example' }), [])
  assert.deepEqual(await listed({ destination: 'a3.example', closedToo: true }), ['a3.example'])
})

/** A transaction that waits for the answer to its final dot. */
async function underWay(t: Parameters<typeof openPostOffice>[0]) {
  let answer: ((reply: string) => void) | undefined
  const peer = await startScriptedPeer(t, { dot: () => new Promise<string>((resolve) => (answer = resolve)) })
  const office: PostOffice = await openPostOffice(t)
  const ada: Mailbox = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({ relay: { url: peer.url, timeouts: patient } })
  const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
  while (answer === undefined) await sleep(5)
  return { office, ada, id, worker, peer, answerDot: (reply: string) => answer?.(reply) }
}

function counts(some: Partial<{ changed: number; wished: number; underWay: number }>) {
  return { changed: 0, wished: 0, underWay: 0, ...some }
}
