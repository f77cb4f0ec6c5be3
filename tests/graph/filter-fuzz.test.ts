/**
 * No filter, however it is put together, makes the parser or the database fail: it is refused by name or it is run.
 *
 *     GRAPHPOST_FUZZ_RUNS=1000000 GRAPHPOST_TEST_STORE=sqlite node --test dist/tests/graph/filter-fuzz.test.js
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GraphError } from '../../src/graph/errors.js'
import { type FilterReading, readFilter } from '../../src/graph/message-filter.js'
import { createMailbox } from '../../src/mail/create-mailbox.js'
import type { MessageId, TenantId } from '../../src/mail/ids.js'
import { folderId } from '../../src/mail/mail-folder.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import type { Message } from '../../src/mail/message.js'
import type { MessageCondition } from '../../src/mail/query.js'
import type { Store } from '../../src/store/open.js'
import { openTestStore } from '../support/open-test-store.js'
import { anyFilter, color, palette, size } from './any-filter.js'

const runs = Number(process.env.GRAPHPOST_FUZZ_RUNS ?? 4_000)

const words =
  "eq|ne|gt|ge|lt|le|and|or|not|in|add|has|any|all|cast|contains|startswith|endswith|tolower|isof|true|false|null|(|)|((|))|,|:|/| |'|''|'a'|'%'|'!'|\\|\0|é|🎉|\ud800|1|-1.5e9|5L|1e999|2020-01-01|2020-01-01T00:00:00Z|2020-02-30|9999999999999999999999|b9cf8971-7d55-4b73-9ffa-a584611b600b|microsoft.graph.importance'high'|Edm.Int32|Edm.Guid|subject|id|isRead|isDeliveryReceiptRequested|parentFolderId|'inbox'|conversationId|importance|'low'|flag/flagStatus|flag/dueDateTime/dateTime|body/content|bodyPreview|receivedDateTime|from/emailAddress/address|from/emailAddress/name|sender|categories|categories/any(c:|c|toRecipients/any(r:|singleValueExtendedProperties/any(e:|multiValueExtendedProperties/any(e:|e/id eq 'String 0x1a'|e/id eq 'Long 0xe08'|e/value|e/value/any(v:|v|mentionsPreview/isMentioned|$count|__proto__|constructor".split(
    '|',
  )

/** Numbers that a seed repeats (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

type Random = (below: number) => number

const pick = (random: Random, from: readonly string[]) => from[random(from.length)] ?? ''

/** Words that can stand for each other, so that what parsed parses again. */
const classes: readonly (readonly [RegExp, (random: Random) => string])[] = [
  [/\b(?:eq|ne|gt|ge|lt|le)\b/g, (random) => pick(random, ['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'EQ'])],
  [/\b(?:and|or)\b/g, (random) => pick(random, ['and', 'or', 'or not', 'and not'])],
  [/'(?:[^']|'')*'/g, (random) => `'${Array.from({ length: random(9) }, () => pick(random, letters)).join('')}'`],
  [/\b(?:contains|startswith|endswith)\b/g, (random) => pick(random, ['contains', 'startswith', 'endswith'])],
  [/\b(?:true|false|null)\b/g, (random) => pick(random, ['true', 'false', 'null'])],
  [
    /\b(?:subject|from\/emailAddress\/name|sender\/emailAddress\/address|body\/content)\b/g,
    (random) => pick(random, texts),
  ],
  [
    /\b(?:isRead|isReadReceiptRequested)\b/g,
    (random) => pick(random, ['isDraft', 'hasAttachments', 'isDeliveryReceiptRequested', 'isReadReceiptRequested']),
  ],
]
const letters = [
  ...'aZ%_!\\"$?:;-/`{}[]\n\tÜßſİΣ漢🎉\u202e\u0001',
  "''",
  '\ud800',
  '--',
  '/*',
  '||',
  '$1',
  '?1',
  '::int',
  '%%',
]
const texts = [
  'subject',
  'internetMessageId',
  'from/emailAddress/address',
  'from/emailAddress/name',
  'sender/emailAddress/name',
  'body/content',
  'flag/dueDateTime/dateTime',
  "cast(subject,'Edm.String')",
]

/** A filter of some seed with words exchanged for others of their kind. */
function varied(random: Random, corpus: readonly string[]): string {
  let text = random(4) === 0 ? `(${pick(random, corpus)}) or ${pick(random, corpus)}` : pick(random, corpus)
  for (const [form, other] of classes) text = text.replace(form, (word) => (random(2) === 0 ? word : other(random)))
  return text
}

/** A filter of some seed with something in it cut out, doubled, exchanged or put in. */
function mutated(random: Random, corpus: readonly string[]): string {
  let text = pick(random, corpus)
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(text.length + 1)
    const end = at + random(Math.min(20, text.length - at + 1))
    const pieces = [
      () => '',
      () => text.slice(at, end).repeat(2 + random(3)),
      () => pick(random, words),
      () => ` ${pick(random, words)} `,
      () => text.slice(at, end) + pick(random, corpus),
      () => String.fromCharCode(random(0x180)),
    ]
    text = text.slice(0, at) + pieces[random(pieces.length)]?.() + text.slice(end)
  }
  return text
}

function jumbled(random: Random): string {
  return Array.from({ length: 1 + random(30) }, () => pick(random, words)).join(random(3) === 0 ? '' : ' ')
}

const subjects = [
  '',
  null,
  '%',
  "it's",
  'Ünder',
  '12',
  '\ud800',
  'null',
  '{"a":1}',
  '007',
  '1e5',
  ' 12 ',
  '99999999999999999999',
]

/** A message whose texts, all of them this one, are what databases stumble over. */
function oddMessage(store: Store, mailbox: Mailbox, text: string | null): Message {
  const at = Date.UTC(2020, 0, 1)
  const said = `${text}`
  const address = { name: said, address: said }
  const [id, change] = [store.ids.next() as MessageId, store.ids.next()]
  const moments = { createdAt: at, modifiedAt: at, receivedAt: at, sentAt: at }
  return {
    ...moments,
    mailbox: mailbox.id,
    id,
    folder: folderId('inbox'),
    moves: 0,
    change,
    isRead: false,
    isDraft: true,
    hasAttachments: false,
    importance: 'normal',
    subject: text,
    internetMessageId: said,
    conversation: { id: '0'.repeat(32), index: 'AQ==' },
    sizeBytes: 100,
    content: {
      body: { contentType: 'text', content: `${said}\0` },
      ...(text === null ? {} : { from: address, sender: address }),
      toRecipients: [address],
      ccRecipients: [],
      bccRecipients: [],
      replyTo: [],
      categories: [said, `${said}\0`],
      flag: { flagStatus: 'flagged', dueDateTime: { dateTime: said, timeZone: said } },
      inferenceClassification: 'other',
      isDeliveryReceiptRequested: null,
      isReadReceiptRequested: null,
      internetMessageHeaders: [],
      singleValueExtendedProperties: [
        { id: color, value: `${said}\0` },
        { id: size, value: said },
      ],
      multiValueExtendedProperties: [{ id: palette, value: [said, `\ud800${said}`] }],
      mentions: [{ mentioned: address, mentionText: said, clientReference: null }],
    },
  }
}

test('no filter makes the parser or the database fail', async (t) => {
  const store = await openTestStore(t)
  let uuids = 0
  const random = {
    bytes: (count: number) => Buffer.alloc(count),
    uuid: () => `00000000-0000-4000-8000-${String(++uuids).padStart(12, '0')}`,
  }
  const owner = { tenant: random.uuid() as TenantId, userPrincipalName: 'adele@contoso.com', displayName: 'Adele' }
  const mailbox = await createMailbox({ store: store.mail, ids: store.ids, random }, owner)
  for (const subject of subjects) await store.mail.write((tx) => tx.insertMessage(oddMessage(store, mailbox, subject)))
  const reading: FilterReading = { mailbox, version: 'beta', cloud: undefined, readsBodies: true }
  const corpus = fc.sample(anyFilter(['2020-01-01', '2020-01-01T00:00:00Z']), { numRuns: 300, seed: 1 })
  const seed = Number(process.env.GRAPHPOST_FUZZ_SEED ?? 1)
  const dice = randomFrom(seed)
  const slowest = { parsing: 0, running: 0, text: '' }
  let ran = 0
  for (let run = 0; run < runs; run++) {
    const text = [jumbled, mutated, varied, varied][run % 4]?.(dice, corpus) ?? ''
    const condition = conditionOf(text, reading, slowest)
    if (condition === undefined) continue
    ran++
    const began = performance.now()
    await store.mail.messages.count(mailbox.id, undefined, condition).catch((error: unknown) => {
      assert.fail(`seed ${seed}, run ${run}: ${JSON.stringify(text)}: ${error}`)
    })
    slowest.running = Math.max(slowest.running, performance.now() - began)
  }
  assert.ok(ran > 0)
  t.diagnostic(
    `${runs} filters, ${ran} of them run; slowest: ${slowest.parsing.toFixed(1)} ms to read (${JSON.stringify(slowest.text)}), ${slowest.running.toFixed(1)} ms to run`,
  )
})

/** undefined: it was refused, in Graph's words. */
function conditionOf(
  text: string,
  reading: FilterReading,
  slowest: { parsing: number; text: string },
): MessageCondition | undefined {
  const began = performance.now()
  try {
    return readFilter(text, [], reading)
  } catch (error) {
    if (error instanceof GraphError && error.status === 400) return undefined
    throw new Error(`${JSON.stringify(text)}: ${error}`)
  } finally {
    const took = performance.now() - began
    if (took > slowest.parsing) Object.assign(slowest, { parsing: took, text: text.slice(0, 200) })
  }
}
