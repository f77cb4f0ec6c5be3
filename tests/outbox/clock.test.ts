import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { postfixSchedule, scheduleOf } from '../../src/outbox/retry-schedule.js'
import { startScriptedPeer, startSmtpSink } from '../support/scripted-smtp.js'
import { days, minutes, openPostOffice, patient, to } from './delivery-fixture.js'

const hour = 60 * minutes
const years = 365 * days
const waiting = 100
const longest = Math.max(...postfixSchedule.delaysMs)

for (const [name, by] of [
  ['an hour forward', hour],
  ['a day forward', days],
  ['30 years forward', 30 * years],
  ['an hour back', -hour],
  ['a day back', -days],
  ['30 years back', -30 * years],
] as const) {
  test(`a clock that is set ${name} while mail waits: nothing is stuck, nothing is sent twice`, async (t) => {
    let isOpen = false
    const taken: string[] = []
    const peer = await startScriptedPeer(t, {
      rcpt: (address) => {
        if (!isOpen) return '451 4.3.0 not now'
        taken.push(address)
        return '250 OK'
      },
    })
    const office = await openPostOffice(t)
    const ada = await office.mailbox('ada@contoso.example')
    const worker = office.startWorker({ relay: { url: peer.url, timeouts: patient } })
    for (let index = 0; index < waiting; index++) {
      await office.send(ada, { toRecipients: to(`x${index}@d${index % 10}.example`) })
    }
    await worker.drain(20_000)
    isOpen = true
    office.clock.advance(by)
    // Whatever waits is due after the longest wait of the schedule, by the clock as it is now.
    office.clock.advance(longest)
    worker.wake()
    await worker.drain(30_000)
    assert.equal(await office.mail.store.outbox.countOpen(), 0)
    assert.equal(taken.length, waiting)
    assert.equal(new Set(taken).size, waiting)
  })
}

for (const by of [30 * years, -30 * years]) {
  test(`a clock that is set by ${by / years} years takes nothing from a transaction under way`, async (t) => {
    let answer: ((reply: string) => void) | undefined
    const peer = await startScriptedPeer(t, {
      dot: () =>
        new Promise<string>((resolve) => {
          answer = resolve
        }),
    })
    const office = await openPostOffice(t)
    const ada = await office.mailbox('ada@contoso.example')
    const worker = office.startWorker({ relay: { url: peer.url, timeouts: patient } })
    const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
    while (answer === undefined) await sleep(5)
    office.clock.advance(by)
    worker.wake()
    await office.send(ada, { toRecipients: to(ada.address) })
    while ((await office.messages(ada, 'inbox')).length === 0) await sleep(5)
    answer('250 taken')
    await worker.drain(20_000)
    assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'relayed' })
    assert.equal((await office.entries(ada, id))[0]?.attempts, 1)
    assert.equal(peer.commands.filter((command) => command.startsWith('DATA')).length, 1)
  })
}

test('a claim is renewed for as long as its transaction goes on', async (t) => {
  let answer: ((reply: string) => void) | undefined
  const peer = await startScriptedPeer(t, {
    dot: () =>
      new Promise<string>((resolve) => {
        answer = resolve
      }),
  })
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const relay = { url: peer.url, timeouts: patient }
  const worker = office.startWorker({ relay })
  const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
  while (answer === undefined) await sleep(5)
  const [before] = await office.entries(ada, id)
  // In steps shorter than the claim, and longer than it in all; another worker looks for claims that have ended.
  const other = office.startWorker({ relay })
  for (let step = 0; step < 4; step++) {
    office.clock.advance(5 * minutes)
    worker.wake()
    await office.send(ada, { toRecipients: to(ada.address) })
    while ((await office.messages(ada, 'inbox')).length <= step) await sleep(5)
    const renewed = async () => ((await office.entries(ada, id))[0]?.dueAt ?? 0) > office.clock.now() + 5 * minutes
    while (!(await renewed())) {
      worker.wake()
      await sleep(5)
    }
  }
  const [entry] = await office.entries(ada, id)
  assert.equal(entry?.attempts, 1)
  assert.ok((entry?.dueAt ?? 0) > (before?.dueAt ?? 0))
  answer('250 taken')
  await worker.drain(20_000)
  await other.close()
  assert.deepEqual(await office.states(ada, id), { 'ben@fabrikam.example': 'relayed' })
})

test('a schedule of one’s own is gone through, and then it is over', async (t) => {
  const peer = await startScriptedPeer(t, { mail: '451 4.3.0 not today' })
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({
    relay: { url: peer.url, timeouts: patient },
    schedule: scheduleOf([minutes, minutes, 2 * minutes]),
  })
  const id = await office.send(ada, { toRecipients: to('ben@fabrikam.example') })
  for (const wait of [0, minutes, minutes, 2 * minutes, hour]) {
    office.clock.advance(wait)
    await worker.drain(20_000)
  }
  const [entry] = await office.entries(ada, id)
  assert.deepEqual([entry?.state, entry?.attempts, entry?.recipients[0]?.state], ['closed', 4, 'failed'])
  assert.equal(peer.commands.filter((command) => command.startsWith('MAIL')).length, 4)
})

test('a server that is gone is asked by a few of many, and all are told why', async (t) => {
  const gone = await startSmtpSink(t)
  await gone.close()
  const office = await openPostOffice(t)
  const ada = await office.mailbox('ada@contoso.example')
  const worker = office.startWorker({ relay: { url: gone.url, timeouts: patient } })
  const ids = []
  for (let index = 0; index < 60; index++) ids.push(await office.send(ada, { toRecipients: to(`x${index}@a.example`) }))
  await worker.drain(20_000)
  const replies = (await office.mail.store.outbox.listQueue({}, 100)).map(
    ({ recipients }) => recipients[0]?.reply ?? '',
  )
  assert.equal(replies.length, ids.length)
  assert.ok(
    replies.every((reply) => reply.includes('ECONNREFUSED')),
    replies[0],
  )
  const tried = replies.filter((reply) => !reply.startsWith('Not tried'))
  assert.ok(tried.length < 30, `${tried.length} were tried`)
})
