import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slots, SlotsClosed } from '../../src/outbox/slots.js'

test('so many tasks run at once and no more, the others in the order in which they came', async () => {
  const slots = new Slots(2)
  const began: number[] = []
  const ends: (() => void)[] = []
  const tasks = [0, 1, 2, 3].map((number) =>
    slots.run(async () => {
      began.push(number)
      await new Promise<void>((resolve) => ends.push(resolve))
      return number
    }),
  )
  await tick()
  assert.deepEqual(began, [0, 1])
  ends[1]?.()
  await tick()
  assert.deepEqual(began, [0, 1, 2])
  ends[0]?.()
  ends[2]?.()
  await tick()
  ends[3]?.()
  assert.deepEqual(await Promise.all(tasks), [0, 1, 2, 3])
})

test('a task that fails gives its slot back', async () => {
  const slots = new Slots(1)
  await assert.rejects(
    slots.run(() => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await slots.run(async () => 'yes'), 'yes')
})

test('closing refuses those who wait and those who come later, and lets the others finish', async () => {
  const slots = new Slots(1)
  let end: (() => void) | undefined
  const running = slots.run(() => new Promise<void>((resolve) => (end = resolve)))
  const waiting = slots.run(async () => 'never')
  await tick()
  slots.close()
  await assert.rejects(waiting, SlotsClosed)
  await assert.rejects(
    slots.run(async () => 'never'),
    SlotsClosed,
  )
  end?.()
  await running
})

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
