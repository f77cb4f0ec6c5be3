import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MessageId } from '../../src/mail/ids.js'
import type { MessageContent } from '../../src/mail/message.js'
import { contentColumns, contentFrom } from '../../src/store/message-content.js'

const usual: MessageContent = {
  body: { contentType: 'html', content: '<p>Hello</p>' },
  toRecipients: [],
  ccRecipients: [],
  bccRecipients: [],
  replyTo: [],
  categories: [],
  flag: { flagStatus: 'notFlagged' },
  inferenceClassification: 'focused',
  isDeliveryReceiptRequested: false,
  isReadReceiptRequested: false,
  internetMessageHeaders: [],
  singleValueExtendedProperties: [],
  multiValueExtendedProperties: [],
}

/** Text that JSON escapes, and text that it does not. */
const names = ['Adele Vance', '', '"Vance", Adele', 'back\\slash', 'tab\there', 'Adèle \u{1f4e7}', '\u007f', '\u2028']

test('a message that says nothing unusual is kept as hardly anything', () => {
  assert.deepEqual(contentColumns(usual), { content: '{"bodyType":"html"}', body: '<p>Hello</p>' })
})

test('whatever names and addresses hold, they are read as they were written', () => {
  for (const name of names) {
    const author = { name, address: 'adele@contoso.com' }
    const others = [{ address: `${name}@contoso.com` }, author, { name: 'Lee', address: name }]
    const content = { ...usual, from: author, sender: author, toRecipients: others, bccRecipients: others }
    assert.deepEqual(contentFrom(contentColumns(content)), content)
    // As `JSON.stringify` writes it: rows of every version are the same.
    const { body: _, ...said } = {
      bodyType: 'html',
      from: author,
      sender: { ...author },
      toRecipients: others,
      body: '',
    }
    const columns = contentColumns({ ...usual, ...said, ccRecipients: [] })
    assert.equal(columns.content, JSON.stringify(said))
  }
})

test('all that can be said is kept', () => {
  const date = { dateTime: '2026-03-07T09:00:00.0000000', timeZone: 'UTC' }
  // Required: a member that is new has to be named here, and kept.
  const content: Required<MessageContent> = {
    body: { contentType: 'text', content: 'Hello' },
    from: { address: 'adele@contoso.com' },
    sender: { name: 'Alex', address: 'alex@contoso.com' },
    toRecipients: [{ address: 'a@contoso.com' }],
    ccRecipients: [{ address: 'b@contoso.com' }, { address: 'c@contoso.com' }],
    bccRecipients: [{ address: 'd@contoso.com' }],
    replyTo: [{ name: 'E', address: 'e@contoso.com' }],
    categories: ['Red', '"Blue"'],
    flag: { flagStatus: 'flagged', dueDateTime: date },
    inferenceClassification: 'other',
    isDeliveryReceiptRequested: null,
    isReadReceiptRequested: true,
    internetMessageHeaders: [{ name: 'x-one', value: 'two' }],
    singleValueExtendedProperties: [{ id: 'String 0x1', value: 'v' }],
    multiValueExtendedProperties: [{ id: 'String 0x2', value: ['v', 'w'] }],
    inReplyTo: '<1@contoso.com>',
    references: '<1@contoso.com> <2@contoso.com>',
    answers: { message: 7 as MessageId, verb: 104 },
    autoSubmitted: 'auto-replied',
    readReceipt: 'sent',
    extensions: [{ extensionName: 'Com.Contoso.Referral', values: { dealValue: 5 } }],
    mentions: [{ mentioned: { address: 'f@contoso.com' }, mentionText: null, clientReference: null }],
  }
  assert.deepEqual(contentFrom(contentColumns(content)), content)
})

test('NUL and halves of a pair, which PostgreSQL refuses, are not kept', () => {
  const author = { name: 'A\0B', address: 'a\ud800b@contoso.com' }
  const content = { ...usual, from: author, sender: author, categories: ['\udc00\0'] }
  const kept = contentFrom(contentColumns(content))
  assert.deepEqual(kept.from, { name: 'AB', address: 'a\ufffdb@contoso.com' })
  assert.deepEqual(kept.sender, kept.from)
  assert.deepEqual(kept.categories, ['\ufffd'])
})
