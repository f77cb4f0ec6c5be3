import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FolderId, MessageId } from '../../src/mail/ids.js'
import { indexMailbox } from '../../src/mail/index-mailbox.js'
import { folderId, noFolder } from '../../src/mail/mail-folder.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import type { Message } from '../../src/mail/message.js'
import { countIn, countOut } from '../../src/mail/put-message.js'
import type { SearchCondition, SearchField } from '../../src/mail/search.js'
import { searchDocumentOf } from '../../src/mail/search-document.js'
import { searchMessages } from '../../src/mail/search-messages.js'
import type { Store } from '../../src/store/open.js'
import { openTestStore, testLocation } from '../support/open-test-store.js'
import { insert, mailboxIn, messageIn, type Said } from '../support/searched-mail.js'

const [inbox, archive] = [folderId('inbox'), folderId('archive')]
const everything = { messages: Number.POSITIVE_INFINITY, lookedThrough: Number.POSITIVE_INFINITY }

async function change(store: Store, from: Message, to: Partial<Message>): Promise<Message> {
  const changed = { ...from, ...to, change: store.ids.next() }
  await store.mail.write((tx) => {
    tx.updateMessage(changed, from.change)
    countOut(tx, from, from.modifiedAt)
    if (changed.folder !== noFolder) countIn(tx, changed)
  })
  return changed
}

const words = (fields: readonly SearchField[], said: readonly string[], isPrefix = false): SearchCondition => ({
  kind: 'words',
  fields,
  words: said,
  isPrefix,
})

/** What the search should find, worked out without an index. */
function meets(message: Message, condition: SearchCondition): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.operands.every((operand) => meets(message, operand))
    case 'or':
      return condition.operands.some((operand) => meets(message, operand))
    case 'not':
      return !meets(message, condition.operand)
    case 'words':
      return condition.fields.some((field) =>
        holds(searchDocumentOf(message, []).words[field], condition.words, condition.isPrefix),
      )
    case 'hasAttachments':
      return message.hasAttachments === condition.value
    case 'importance':
      return message.importance === condition.value
    default: {
      const value = message[condition.kind]
      return (
        value >= (condition.from ?? Number.NEGATIVE_INFINITY) && value < (condition.until ?? Number.POSITIVE_INFINITY)
      )
    }
  }
}

function holds(text: readonly string[], wanted: readonly string[], isPrefix: boolean): boolean {
  return text.some((_, start) =>
    wanted.every((word, place) => {
      const found = text[start + place]
      if (found === undefined || found === '') return false
      return isPrefix && place === wanted.length - 1 ? found.startsWith(word) : found === word
    }),
  )
}

async function found(store: Store, mailbox: Mailbox, condition: SearchCondition, folder?: FolderId, top = 1_000) {
  const ids: MessageId[] = []
  for (;;) {
    const last = ids.at(-1)
    const message = last === undefined ? undefined : await store.mail.messages.find(mailbox.id, last)
    const page = await searchMessages(
      { store: store.mail },
      {
        mailbox: mailbox.id,
        ...(folder === undefined ? {} : { folder }),
        condition,
        ...(message === undefined ? {} : { after: message }),
        top,
        withContent: false,
      },
    )
    ids.push(...page.map(({ id }) => id))
    if (page.length < top) return ids
  }
}

const newestFirst = (a: Message, b: Message) => b.sentAt - a.sentAt || b.id - a.id

const vocabulary = [
  'alpha',
  'beta',
  'gamma',
  'al',
  'alphabet',
  'Été',
  'ete',
  '北京',
  '北',
  '42',
  "o'neil",
  'straße',
  'ﬁn',
  '🎉',
  'x'.repeat(70),
]
const textOf = (max: number) =>
  fc.array(fc.constantFrom(...vocabulary), { maxLength: max }).map((list) => list.join(' '))
const saying = fc.record({ subject: textOf(3), body: textOf(6), from: textOf(2), to: textOf(2) })
const moment = fc.integer({ min: -1, max: 8 }).map((day) => 1_700_000_000_000 + day * 86_400_000)
const properties = fc.record({
  sentAt: fc.oneof(moment, fc.constantFrom(-5, 0, 2 ** 42 - 1, -(2 ** 42) + 1)),
  receivedAt: moment,
  sizeBytes: fc.integer({ min: 1, max: 5 }),
  hasAttachments: fc.boolean(),
  importance: fc.constantFrom('low' as const, 'normal' as const, 'high' as const),
  folder: fc.constantFrom(inbox, archive),
})
const queryWords = [
  'alpha',
  'beta',
  'gamma',
  'al',
  'a',
  'ete',
  '北',
  '京',
  '42',
  'o',
  'neil',
  'strasse',
  'fin',
  'x'.repeat(64),
]
const wordsCondition: fc.Arbitrary<SearchCondition> = fc.record({
  kind: fc.constant('words' as const),
  fields: fc.subarray<SearchField>(['subject', 'body', 'from', 'to'], { minLength: 1 }),
  words: fc.array(fc.constantFrom(...queryWords), { minLength: 1, maxLength: 3 }),
  isPrefix: fc.boolean(),
})
const range: fc.Arbitrary<SearchCondition> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('sentAt' as const, 'receivedAt' as const),
    from: fc.option(moment, { nil: undefined }),
    until: fc.option(moment, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('sizeBytes' as const), from: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ kind: fc.constant('hasAttachments' as const), value: fc.boolean() }),
  fc.record({ kind: fc.constant('importance' as const), value: fc.constantFrom('low' as const, 'high' as const) }),
)
const { condition: anyCondition } = fc.letrec<{ condition: SearchCondition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: wordsCondition },
    { weight: 1, arbitrary: range },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        operands: fc.array(tie('condition'), { maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('not' as const), operand: tie('condition') }) },
  ),
}))
const story = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ act: fc.constant('insert' as const), said: saying, given: properties }) },
    {
      weight: 3,
      arbitrary: fc.record({
        act: fc.constantFrom('rewrite' as const, 'move' as const, 'read' as const, 'purge' as const, 'index' as const),
        which: fc.nat(20),
        said: saying,
        given: properties,
      }),
    },
  ),
  { minLength: 1, maxLength: 14 },
)

test('a search finds what reading every message would find, whatever became of the mail', async (t) => {
  const store = await openTestStore(t)
  await fc.assert(
    fc.asyncProperty(story, fc.array(anyCondition, { minLength: 1, maxLength: 6 }), async (acts, conditions) => {
      const mailbox = await mailboxIn(store)
      // Another mailbox with the same words: nothing of it is ever found.
      const other = await mailboxIn(store)
      const kept: Message[] = []
      for (const step of acts) {
        if (step.act === 'insert') {
          const message = messageIn(store, mailbox, step.said, step.given)
          await insert(store, message, messageIn(store, other, step.said, step.given))
          kept.push(message)
          continue
        }
        const at = step.which % Math.max(1, kept.length)
        const message = kept[at]
        if (step.act === 'index') {
          const bounds = { messages: 1 + (step.which % 4), lookedThrough: step.which }
          await indexMailbox({ store: store.mail }, mailbox.id, bounds)
        }
        if (message === undefined) continue
        if (step.act === 'rewrite') {
          const { subject, content } = messageIn(store, mailbox, step.said)
          kept[at] = await change(store, message, { subject, content, ...step.given })
        }
        if (step.act === 'move') kept[at] = await change(store, message, { folder: archive, moves: message.moves + 1 })
        if (step.act === 'read') kept[at] = await change(store, message, { isRead: true })
        if (step.act === 'purge') {
          await change(store, message, { folder: noFolder, moves: message.moves + 1 })
          kept.splice(at, 1)
        }
      }
      for (const condition of conditions) {
        for (const folder of [undefined, inbox]) {
          const expected = kept
            .filter((message) => (folder === undefined || message.folder === folder) && meets(message, condition))
            .sort(newestFirst)
            .map(({ id }) => id)
          assert.deepEqual(await found(store, mailbox, condition, folder), expected)
          assert.deepEqual(await found(store, mailbox, condition, folder, 2), expected)
        }
      }
      assert.equal(await store.mail.search.countUnindexed(mailbox.id), 0)
    }),
    { numRuns: 60 },
  )
})

const said = (subject: string, body = ''): Said => ({ subject, body, from: '', to: '' })

test('indexing that is broken off goes on where a new start finds it', async (t) => {
  const location = await testLocation(t)
  const first = await openTestStore(t, location)
  const mailbox = await mailboxIn(first)
  const messages = Array.from({ length: 130 }, (_, n) =>
    messageIn(first, mailbox, said(`alpha ${n}`), { sentAt: 1_700_000_000_000 + n, receivedAt: 1_700_000_000_000 + n }),
  )
  await insert(first, ...messages)
  await indexMailbox({ store: first.mail }, mailbox.id, { ...everything, messages: 100 })
  assert.equal(await first.mail.search.countUnindexed(mailbox.id), 30)
  await first.close()

  const second = await openTestStore(t, location)
  assert.deepEqual(await second.mail.search.listBehind(), [mailbox.id])
  assert.deepEqual(await found(second, mailbox, words(['subject'], ['alpha'])), messages.map(({ id }) => id).reverse())
  assert.equal(await second.mail.search.countUnindexed(mailbox.id), 0)
  assert.deepEqual(await second.mail.search.listBehind(), [])
})

test('a search of a large mailbox that is not indexed yet finds the newest, and the rest later', async (t) => {
  const store = await openTestStore(t)
  const mailbox = await mailboxIn(store)
  const messages = Array.from({ length: 1_300 }, (_, n) =>
    messageIn(store, mailbox, said('alpha'), { sentAt: n, receivedAt: n }),
  )
  await insert(store, ...messages)
  const newest = messages.map(({ id }) => id).reverse()
  const page = await searchMessages(
    { store: store.mail },
    { mailbox: mailbox.id, condition: words(['subject'], ['alpha']), top: 500, withContent: false },
  )
  assert.deepEqual(
    page.map(({ id }) => id),
    newest.slice(0, 500),
  )
  await indexMailbox({ store: store.mail }, mailbox.id, everything)
  assert.deepEqual(await found(store, mailbox, words(['subject'], ['alpha'])), newest)
})

test('several that index, change and search one mailbox at once end with what it says', async (t) => {
  const location = await testLocation(t)
  const store = await openTestStore(t, location)
  // On PostgreSQL a second server takes part; a folder belongs to one.
  const stores = location.kind === 'postgres' ? [store, await openTestStore(t, location)] : [store, store]
  const mailbox = await mailboxIn(store)
  const messages = Array.from({ length: 60 }, (_, n) => messageIn(store, mailbox, said('before'), { sentAt: n }))
  await insert(store, ...messages)
  const rewriting = messages.map(async (message, n) => {
    if (n % 3 === 0) return change(store, message, { subject: 'after' })
    if (n % 3 === 1) return change(store, message, { folder: noFolder, moves: 1 })
    return change(store, message, { isRead: true })
  })
  const searching = stores.flatMap((one) => [
    found(one, mailbox, words(['subject'], ['after'])),
    indexMailbox({ store: one.mail }, mailbox.id, everything),
  ])
  await Promise.all([...rewriting, ...searching])
  const expected = (rest: number) => messages.flatMap(({ id }, n) => (n % 3 === rest ? [id] : [])).reverse()
  for (const one of stores) {
    assert.deepEqual(await found(one, mailbox, words(['subject'], ['after'])), expected(0))
    assert.deepEqual(await found(one, mailbox, words(['subject'], ['before'])), expected(2))
    assert.equal(await one.mail.search.countUnindexed(mailbox.id), 0)
  }
})

test('a long body is found by what stands at its beginning, the same on every database', async (t) => {
  const store = await openTestStore(t)
  const mailbox = await mailboxIn(store)
  const often = 'the same '.repeat(300)
  const long = Array.from({ length: 17_000 }, (_, n) => `w${n}`).join(' ')
  const wide = '\ufdfa'.repeat(20_000)
  const bodies = [
    `${often} the end`,
    long,
    wide,
    'x'.repeat(3_000_000),
    `${'\u0301'.repeat(50_000)}zebra`,
    '\0a\0 zebra',
  ]
  const messages = bodies.map((body, n) => messageIn(store, mailbox, said('', body), { sentAt: -n }))
  await insert(store, ...messages)
  const at = async (...wanted: string[]) => {
    const ids = await found(store, mailbox, words(['body'], wanted))
    return ids.map((id) => messages.findIndex((message) => message.id === id))
  }
  assert.deepEqual(await at('the', 'same'), [0])
  assert.deepEqual(await at('end'), [0])
  // The 255th time is the last that a word counts, for its neighbours too.
  assert.deepEqual(await at('the', 'end'), [])
  assert.deepEqual(await at('w15000', 'w15001'), [1])
  assert.deepEqual(await at('w16999'), [])
  assert.deepEqual(await at('x'.repeat(64)), [3])
  assert.deepEqual(await at('zebra'), [4, 5])
})

test('messages of one moment come by id, also where the index would number them alike', async (t) => {
  const store = await openTestStore(t)
  const mailbox = await mailboxIn(store)
  const first = messageIn(store, mailbox, said('alpha'))
  const alike = [1, 2, 3].map((n) => ({ ...first, id: (first.id + n * 2 ** 21) as MessageId }))
  const next = { ...first, id: (first.id + 1) as MessageId }
  await insert(store, first, ...alike, next)
  const all = await found(store, mailbox, words(['subject'], ['alpha']))
  assert.deepEqual(
    [...all].sort((a, b) => a - b),
    [first, next, ...alike].map(({ id }) => id),
  )
  await change(store, first, { subject: 'beta' })
  assert.equal((await found(store, mailbox, words(['subject'], ['alpha']))).length, 4)
})

test('an old message is found by its new words', async (t) => {
  const store = await openTestStore(t)
  const mailbox = await mailboxIn(store)
  const messages = Array.from({ length: 5_100 }, (_, n) =>
    messageIn(store, mailbox, said('alpha'), { receivedAt: n, sentAt: n }),
  )
  await insert(store, ...messages)
  await indexMailbox({ store: store.mail }, mailbox.id, everything)
  const [oldest] = messages
  assert.ok(oldest !== undefined)
  await change(store, oldest, { subject: 'beta' })
  assert.deepEqual(await found(store, mailbox, words(['subject'], ['beta'])), [oldest.id])
  assert.equal((await found(store, mailbox, words(['subject'], ['alpha']))).length, 5_099)
})
