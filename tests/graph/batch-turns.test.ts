import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from '../../src/graph/batch.js'
import type { MailboxId } from '../../src/mail/ids.js'

test('four calls of a batch are under way in one mailbox, and mailboxes do not wait for each other', async () => {
  const turns = new Turns()
  const [one, two] = [1, 2] as MailboxId[] as [MailboxId, MailboxId]
  const started: string[] = []
  const ends: (() => void)[] = []
  const call = (name: string, mailbox: MailboxId) =>
    turns.take(mailbox, () => {
      started.push(name)
      return new Promise<void>((resolve) => ends.push(resolve))
    })
  const calls = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => call(name, one))
  const other = call('z', two)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(started, ['a', 'b', 'c', 'd', 'z'])
  ends[1]?.()
  await calls[1]
  assert.deepEqual(started, ['a', 'b', 'c', 'd', 'z', 'e'])
  for (let index = 0; index < 7; index++) {
    ends[index]?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all([...calls, other])
  assert.equal(started.at(-1), 'f')
})

test('a call that fails gives up its turn', async () => {
  const turns = new Turns(1)
  const mailbox = 1 as MailboxId
  const failing = turns.take(mailbox, () => Promise.reject(new Error('no')))
  const next = turns.take(mailbox, () => Promise.resolve('done'))
  await assert.rejects(failing, /no/)
  assert.equal(await next, 'done')
})
