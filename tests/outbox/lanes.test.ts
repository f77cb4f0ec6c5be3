import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lanes, LanesClosed, type LanesOptions } from '../../src/outbox/lanes.js'
import { movableClock } from '../support/movable-clock.js'

test('a destination never has the last quarter of the connections, and those in it begin in the order in which they came', async () => {
  const { lanes, begin, began } = runner({ total: 4, perDestination: 20 })
  for (let number = 0; number < 6; number++) begin(`slow ${number}`)
  await tick()
  assert.deepEqual(began(), ['slow 0', 'slow 1', 'slow 2'])
  begin('fast 0')
  await tick()
  assert.deepEqual(began(), ['slow 0', 'slow 1', 'slow 2', 'fast 0'])
  lanes.close()
})

test('a connection that becomes free goes to the destination that has the fewest', async () => {
  const { begin, began, end } = runner({ total: 4, perDestination: 2 })
  for (const one of ['a 0', 'a 1', 'b 0', 'b 1', 'a 2', 'b 2', 'c 0', 'c 1']) begin(one)
  await tick()
  assert.deepEqual(began(), ['a 0', 'a 1', 'b 0', 'b 1'])
  end('a 0')
  await tick()
  assert.deepEqual(began().slice(4), ['c 0'])
})

test('a task that fails gives its connection back', async () => {
  const { lanes } = runner({ total: 1 })
  await assert.rejects(
    lanes.run('a', () => Promise.reject(new Error('no')), answered),
    /no/,
  )
  assert.deepEqual(await lanes.run('a', async () => 'yes', answered), { result: 'yes' })
})

test('closing refuses those who wait and those who come later, and lets the others finish', async () => {
  const { lanes, begin, end, began } = runner({ total: 1 })
  begin('a 0')
  const waiting = lanes.run('a', async () => 'never', answered)
  await tick()
  lanes.close()
  await assert.rejects(waiting, LanesClosed)
  await assert.rejects(
    lanes.run('b', async () => 'never', answered),
    LanesClosed,
  )
  end('a 0')
  assert.deepEqual(began(), ['a 0'])
})

test('a destination that does not answer is left alone for a while, and then one transaction asks for all', async () => {
  const clock = movableClock()
  const { lanes } = runner({ total: 20, clock })
  let tried = 0
  const silent = async () => ++tried
  const ran = await Promise.all(Array.from({ length: 50 }, () => lanes.run('dead', silent, () => 'refused')))
  assert.ok(tried >= 2 && tried < 10, `${tried} were tried`)
  assert.equal(ran.filter((each) => 'suspended' in each).length, 50 - tried)
  assert.equal(lanes.suspension('dead'), 'refused')
  assert.equal(lanes.suspension('other'), undefined)

  clock.advance(60_000)
  assert.equal(lanes.suspension('dead'), undefined)
  const before = tried
  await Promise.all(Array.from({ length: 50 }, () => lanes.run('dead', silent, () => 'refused')))
  assert.equal(tried, before + 1)

  clock.advance(60_000)
  const back = await Promise.all(Array.from({ length: 50 }, () => lanes.run('dead', silent, answered)))
  assert.ok(back.every((each) => 'result' in each))
})

test('one answer after another without one keeps a destination alive', async () => {
  const { lanes } = runner({ total: 20 })
  for (let turn = 0; turn < 50; turn++) {
    await lanes.run('flaky', async () => turn, turn % 2 === 0 ? () => 'dropped' : answered)
    assert.equal(lanes.suspension('flaky'), undefined)
  }
})

test('a dead destination is asked again when the clock is set, whichever way', async () => {
  for (const by of [-30 * 365 * 86_400_000, -3_600_000, 3_600_000]) {
    const clock = movableClock()
    const { lanes } = runner({ clock })
    while (lanes.suspension('dead') === undefined)
      await lanes.run(
        'dead',
        async () => 0,
        () => 'refused',
      )
    clock.advance(by)
    assert.equal(lanes.suspension('dead'), undefined)
  }
})

test('so many a minute and no more, at each destination', async (t) => {
  const { lanes } = runner({ perMinute: 600 })
  // What waits for its turn keeps no process alive.
  const alive = setInterval(() => {}, 1_000)
  t.after(() => clearInterval(alive))
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: 4 }, () => lanes.run('a', async () => 0, answered)))
  // The first at once, the others 100 ms apart.
  assert.ok(performance.now() - startedAt >= 299)
  await lanes.run('b', async () => 0, answered)
})

const answered = () => undefined

function runner(options: Partial<LanesOptions>) {
  const lanes = new Lanes({
    total: 20,
    perDestination: 20,
    perMinute: 0,
    deadForMs: () => 60_000,
    clock: movableClock(),
    ...options,
  })
  const names: string[] = []
  const ends = new Map<string, () => void>()
  return {
    lanes,
    began: () => names,
    end: (name: string) => ends.get(name)?.(),
    begin: (name: string) => {
      const task = () =>
        new Promise<void>((resolve) => {
          names.push(name)
          ends.set(name, resolve)
        })
      lanes.run(name.split(' ')[0] ?? '', task, answered).catch(() => {})
    },
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
