/** Searches for mail of a time among much other mail that says the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../src/mail/message.js'
import type { SearchCondition } from '../../src/mail/search.js'
import { searchMessages } from '../../src/mail/search-messages.js'
import { openTestStore } from '../support/open-test-store.js'
import { insert, mailboxIn, messageIn } from '../support/searched-mail.js'

const hour = 3_600_000
const start = 1_600_000_000_000

test('mail of a time is found wherever it was sent, behind much that was received later', async (t) => {
  const store = await openTestStore(t)
  const mailbox = await mailboxIn(store)
  const said = { subject: 'alpha', body: '', from: '', to: '' }
  const messages = Array.from({ length: 4_000 }, (_, n) => {
    const receivedAt = start + n * hour
    // Some were under way for long, and the clocks of others were wrong.
    const sentAt =
      n % 97 === 0 ? receivedAt - 900 * hour : n % 89 === 0 ? receivedAt + 5_000 * hour : receivedAt - 1_000
    return messageIn(store, mailbox, said, { receivedAt, sentAt })
  })
  for (let at = 0; at < messages.length; at += 800) {
    await insert(store, ...messages.slice(at, at + 800))
    await find({ kind: 'and', operands: [] }, 1)
  }

  async function find(condition: SearchCondition, top: number, after?: Message) {
    const place = after === undefined ? {} : { after }
    const all: SearchCondition = {
      kind: 'and',
      operands: [{ kind: 'words', fields: ['subject'], words: ['alpha'], isPrefix: false }, condition],
    }
    const search = { mailbox: mailbox.id, condition: all, ...place, top, withContent: false }
    return searchMessages({ store: store.mail }, search)
  }

  for (const [from, until] of [
    [100, 340],
    [0, 1],
    [-10, 0],
    [3_990, 5_000],
    [undefined, 200],
    [3_800, undefined],
    [200, 200],
  ] as const) {
    const [first, end] = [from, until].map((n) => (n === undefined ? undefined : start + n * hour))
    const expected = messages
      .filter(({ receivedAt }) => receivedAt >= (first ?? -Infinity) && receivedAt < (end ?? Infinity))
      .sort((a, b) => b.sentAt - a.sentAt || b.id - a.id)
      .map(({ id }) => id)
    const ids: number[] = []
    for (let last: Message | undefined; ; ) {
      const page = await find({ kind: 'receivedAt', from: first, until: end }, 150, last)
      ids.push(...page.map(({ id }) => id))
      last = messages.find(({ id }) => id === ids.at(-1))
      if (page.length < 150) break
    }
    assert.deepEqual(ids, expected, `from ${from} until ${until}`)
  }
})
