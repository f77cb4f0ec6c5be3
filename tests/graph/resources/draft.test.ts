import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GraphError } from '../../../src/graph/errors.js'
import { isWritableMessageProperty, readDraft } from '../../../src/graph/resources/draft.js'
import { MailError, type MailErrorCode } from '../../../src/mail/errors.js'
import type { Draft } from '../../../src/mail/message.js'

const read = (message: unknown, version: 'v1.0' | 'beta' = 'v1.0'): Draft => readDraft(message, version)

/** As it comes from the wire, where `__proto__` is a member like any other. */
const readText = (json: string): Draft => read(JSON.parse(json))

function refused(message: unknown, code: string, text: RegExp | string, target?: string): void {
  assert.throws(
    () => read(message),
    (error) => {
      assert.ok(error instanceof GraphError, String(error))
      assert.equal(error.code, code)
      if (typeof text === 'string') assert.equal(error.message, text)
      else assert.match(error.message, text)
      if (target !== undefined) assert.equal(error.target, target)
      return true
    },
  )
}

function breaksRule(message: unknown, code: MailErrorCode, details: { property?: string; value?: string } = {}): void {
  assert.throws(
    () => read(message),
    (error) => {
      assert.ok(error instanceof MailError, String(error))
      assert.equal(error.code, code)
      if (details.property !== undefined) assert.equal(error.property, details.property)
      if (details.value !== undefined) assert.equal(error.value, details.value)
      return true
    },
  )
}

const unknownIn = (name: string, type: string) =>
  `The property '${name}' does not exist on type 'microsoft.graph.${type}'. Make sure to only use property names that are defined by the type or mark the type as open type.`

test('a draft of which nothing is said has the values recorded of a new one', () => {
  assert.deepEqual(read({}), {
    subject: null,
    body: { contentType: 'text', content: '' },
    importance: 'normal',
    isRead: true,
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
    attachments: [],
  })
})

test('every writable property is taken', () => {
  const ada = { emailAddress: { name: 'Ada', address: 'ada@example.com' } }
  const bob = { emailAddress: { address: 'bob@example.com' } }
  const draft = read({
    subject: 'Lunch?',
    body: { contentType: 'html', content: '<p>Noon</p>' },
    toRecipients: [ada, bob],
    ccRecipients: [ada],
    bccRecipients: [bob],
    replyTo: [bob],
    from: ada,
    sender: bob,
    importance: 'high',
    categories: ['Red category'],
    flag: { flagStatus: 'flagged', startDateTime: { dateTime: '2023-08-30T12:13:00', timeZone: 'UTC' } },
    inferenceClassification: 'other',
    internetMessageId: '<1@example.com>',
    internetMessageHeaders: [{ name: 'X-Group', value: 'Nevada' }],
    isRead: false,
    isReadReceiptRequested: true,
    isDeliveryReceiptRequested: true,
    singleValueExtendedProperties: [{ id: 'String 0x1045', value: '<https://example.com>' }],
    multiValueExtendedProperties: [
      { id: 'StringArray {66f5a359-4659-4830-9070-00050ec6ac6e} Name Food', value: ['Soup', 'Bread'] },
    ],
    attachments: [{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes: 'SGk=' }],
  })
  const { attachments, ...rest } = draft
  assert.equal(attachments.length, 1)
  assert.deepEqual(rest, {
    subject: 'Lunch?',
    body: { contentType: 'html', content: '<p>Noon</p>' },
    toRecipients: [{ name: 'Ada', address: 'ada@example.com' }, { address: 'bob@example.com' }],
    ccRecipients: [{ name: 'Ada', address: 'ada@example.com' }],
    bccRecipients: [{ address: 'bob@example.com' }],
    replyTo: [{ address: 'bob@example.com' }],
    from: { name: 'Ada', address: 'ada@example.com' },
    sender: { address: 'bob@example.com' },
    importance: 'high',
    categories: ['Red category'],
    flag: { flagStatus: 'flagged', startDateTime: { dateTime: '2023-08-30T12:13:00.0000000', timeZone: 'UTC' } },
    inferenceClassification: 'other',
    internetMessageId: '<1@example.com>',
    internetMessageHeaders: [{ name: 'X-Group', value: 'Nevada' }],
    isRead: false,
    isReadReceiptRequested: true,
    isDeliveryReceiptRequested: true,
    singleValueExtendedProperties: [{ id: 'String 0x1045', value: '<https://example.com>' }],
    multiValueExtendedProperties: [
      { id: 'StringArray {66f5a359-4659-4830-9070-00050ec6ac6e} Name Food', value: ['Soup', 'Bread'] },
    ],
  })
})

test('enumerations are read in any case', () => {
  const draft = read({
    importance: 'LOW',
    inferenceClassification: 'Other',
    body: { contentType: 'HTML' },
    flag: { flagStatus: 'Complete' },
  })
  assert.equal(draft.importance, 'low')
  assert.equal(draft.inferenceClassification, 'other')
  assert.equal(draft.body.contentType, 'html')
  assert.equal(draft.flag.flagStatus, 'complete')
})

test('a body without a content type, or with an empty one, is text', () => {
  for (const body of [{ content: 'Hi' }, { contentType: null, content: 'Hi' }, { contentType: '', content: 'Hi' }]) {
    assert.deepEqual(read({ body }).body, { contentType: 'text', content: 'Hi' })
  }
})

test('Booleans may be written as texts, in any case', () => {
  const draft = read({ isRead: 'False', isReadReceiptRequested: 'true', isDeliveryReceiptRequested: 'TRUE' })
  assert.equal(draft.isRead, false)
  assert.equal(draft.isReadReceiptRequested, true)
  assert.equal(draft.isDeliveryReceiptRequested, true)
})

test('null says nothing', () => {
  const names = ['subject', 'body', 'toRecipients', 'from', 'importance', 'categories', 'flag', 'isRead', 'attachments']
  const more = ['internetMessageHeaders', 'internetMessageId', 'inferenceClassification', 'replyTo', 'sender']
  const nothing = Object.fromEntries([...names, ...more].map((name) => [name, null]))
  assert.deepEqual(read(nothing), read({}))
  assert.equal(read({ isDeliveryReceiptRequested: null }).isDeliveryReceiptRequested, null)
})

test('a whole message sent back is accepted; what the server manages is not taken from it, whatever it holds', () => {
  const managed = ['id', 'changeKey', 'createdDateTime', 'lastModifiedDateTime', 'receivedDateTime', 'sentDateTime']
  const derived = ['hasAttachments', 'bodyPreview', 'uniqueBody', 'parentFolderId', 'conversationId', 'webLink']
  const message = Object.fromEntries(
    [...managed, ...derived, 'conversationIndex', 'isDraft'].map((name) => [name, { any: ['thing'] }]),
  )
  assert.deepEqual(read(message), read({}))
})

test('annotations are passed over wherever they stand, unless they are objects or lists', () => {
  const draft = read({
    '@odata.type': '#microsoft.graph.message',
    '@odata.etag': 'W/"x"',
    'toRecipients@odata.type': '#Collection(microsoft.graph.recipient)',
    toRecipients: [{ '@odata.type': 'x', emailAddress: { '@odata.type': 'x', address: 'a@example.com' } }],
    body: { '@odata.type': '#microsoft.graph.itemBody', content: 'Hi' },
  })
  assert.deepEqual(draft.toRecipients, [{ address: 'a@example.com' }])
  refused({ '@odata.type': { deep: [] } }, 'RequestBodyRead', /StartObject/, 'message/@odata.type')
  refused({ body: { 'content@odata.type': [1] } }, 'RequestBodyRead', /StartArray/)
  refused({ 'x@y': 1 }, 'RequestBodyRead', unknownIn('x@y', 'message'))
})

test('a property the type does not have is refused by name, at every level', () => {
  refused({ datereceived: 1 }, 'RequestBodyRead', unknownIn('datereceived', 'message'), 'message/datereceived')
  refused({ body: { text: 'x' } }, 'RequestBodyRead', unknownIn('text', 'itemBody'), 'message/body/text')
  refused({ from: { address: 'x' } }, 'RequestBodyRead', unknownIn('address', 'recipient'))
  refused(
    { toRecipients: [{}, { emailAddress: { mail: 'x' } }] },
    'RequestBodyRead',
    unknownIn('mail', 'emailAddress'),
    'message/toRecipients/1/emailAddress/mail',
  )
  refused({ flag: { status: 'x' } }, 'RequestBodyRead', unknownIn('status', 'followupFlag'))
  refused({ internetMessageHeaders: [{ key: 'x' }] }, 'RequestBodyRead', unknownIn('key', 'internetMessageHeader'))
})

test('names that mean something to JavaScript are unknown properties like any other', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    assert.throws(() => readText(`{"${name}":{"isRead":false}}`), { code: 'RequestBodyRead' }, name)
    assert.throws(() => readText(`{"body":{"${name}":"x"}}`), { code: 'RequestBodyRead' }, name)
    assert.equal(isWritableMessageProperty(name), false)
  }
  assert.equal(Object.getPrototypeOf(read({})), Object.prototype)
})

test('the first letter of a property may be a capital, but not beside the same property without one', () => {
  const draft = read({ Subject: 'Hi', Body: { ContentType: 'Text', Content: 'x' }, Id: 'ignored' })
  assert.equal(draft.subject, 'Hi')
  assert.deepEqual(draft.body, { contentType: 'text', content: 'x' })
  assert.equal(isWritableMessageProperty('Subject'), true)
  refused({ SUBJECT: 'x' }, 'RequestBodyRead', unknownIn('SUBJECT', 'message'))
  refused({ from: null, From: null }, 'RequestBodyRead', /^Multiple properties with the name 'from'/)
  refused({ Body: { content: 'a', Content: 'b' } }, 'RequestBodyRead', /^Multiple properties with the name 'content'/)
})

test('mentions and the like belong to beta alone', () => {
  const message = { mentions: [{ mentioned: { address: 'dana@example.com' } }], unsubscribeEnabled: false }
  const mention = { mentioned: { address: 'dana@example.com' }, mentionText: null, clientReference: null }
  assert.deepEqual(read(message, 'beta'), { ...read({}), mentions: [mention] })
  refused(message, 'RequestBodyRead', unknownIn('mentions', 'message'))
})

test('a value of another type is refused with what was found', () => {
  refused({ subject: 0 }, 'RequestBodyRead', "Cannot convert the literal '0' to the expected type 'Edm.String'.")
  refused({ isRead: 'yes' }, 'RequestBodyRead', "Cannot convert the literal 'yes' to the expected type 'Edm.Boolean'.")
  refused({ isRead: 1 }, 'RequestBodyRead', "Cannot convert the literal '1' to the expected type 'Edm.Boolean'.")
  refused({ importance: 'urgent' }, 'RequestBodyRead', "Requested value 'urgent' was not found.")
  refused({ subject: {} }, 'RequestBodyRead', /'StartObject' node was found .* A 'PrimitiveValue' node was expected\.$/)
  refused({ body: 'Hi' }, 'RequestBodyRead', /'PrimitiveValue' node was found .* A 'StartObject' node was expected\.$/)
  refused(
    { toRecipients: {} },
    'RequestBodyRead',
    /'StartObject' node was found .* A 'StartArray' node was expected\.$/,
  )
  refused({ categories: [[]] }, 'RequestBodyRead', /'StartArray'/, 'message/categories/0')
  for (const message of [null, [], 'x', 1, true]) refused(message, 'RequestBodyRead', /./, 'message')
})

test('what a refusal repeats is short, printable and on one line', () => {
  const long = `a\r\n\u202eb${'x'.repeat(10_000)}`
  for (const message of [{ isRead: long }, { importance: long }, { [long]: 1 }, { body: { contentType: long } }]) {
    assert.throws(
      () => read(message),
      (error) => error instanceof GraphError && error.message.length < 400 && /^[ -~]+$/.test(error.message),
    )
  }
  assert.throws(
    () => read({ toRecipients: [{ emailAddress: { address: long } }] }),
    (error) => error instanceof MailError && /^[ -~]{1,100}$/.test(error.value ?? ''),
  )
})

test('a place in the body other than the parameter message is named as it is', () => {
  assert.throws(() => readDraft({ subject: 1 }, 'v1.0', 'reply'), { target: 'reply/subject' })
})

test('a subject is one line', () => {
  for (const subject of ['a\r\nBcc: eve@example.com', 'a\nb', 'a\u0000b', 'a\u0007', 'a\u0085b', '\u007f']) {
    breaksRule({ subject }, 'propertyInvalid', { property: 'subject' })
  }
  assert.equal(read({ subject: 'Grüße 😀' }).subject, 'Grüße 😀')
  assert.equal(read({ subject: '' }).subject, '')
})

test('addresses and their names are one line; the refusal shows the address without what does not belong there', () => {
  const withAddress = (address: string) => ({ ccRecipients: [{ emailAddress: { address } }] })
  breaksRule(withAddress('a@example.com\r\nRCPT TO:<b@x>'), 'recipientInvalid', {
    value: 'a@example.com??RCPT TO:<b@x>',
  })
  breaksRule({ from: { emailAddress: { name: 'A\nB', address: 'a@example.com' } } }, 'recipientInvalid')
})

test('recipients are kept as given: whether they can be reached is asked when the message is sent', () => {
  const people = ['not an address', 'a@x.com;b@y.com', ''].map((address) => ({ emailAddress: { address } }))
  const { toRecipients } = read({ toRecipients: [...people, {}, { emailAddress: null }] })
  assert.deepEqual(
    toRecipients.map(({ address }) => address),
    ['not an address', 'a@x.com;b@y.com', '', '', ''],
  )
})

test('own headers begin with x-, in any case', () => {
  const { internetMessageHeaders } = read({
    internetMessageHeaders: [
      { name: 'x-a', value: '1' },
      { name: 'X-B', value: null },
    ],
  })
  assert.deepEqual(internetMessageHeaders, [
    { name: 'x-a', value: '1' },
    { name: 'X-B', value: '' },
  ])
  breaksRule({ internetMessageHeaders: [{ name: 'Sender', value: 'x' }] }, 'headerNotAllowed', { value: 'Sender' })
  breaksRule({ internetMessageHeaders: [{ name: 'x-', value: 'x' }] }, 'headerNotAllowed')
})

test('a header that could end its line, or is no RFC 5322 field name, is refused', () => {
  for (const name of ['x-a b', 'x-a:', 'x-a\r\nBcc', 'x-ä', '', 'x-a\u0000']) {
    breaksRule({ internetMessageHeaders: [{ name, value: 'x' }] }, 'headerInvalid')
  }
  for (const value of ['a\r\nBcc: eve@example.com', 'a\rb', 'a\nb', 'a\u0000b']) {
    breaksRule({ internetMessageHeaders: [{ name: 'x-a', value }] }, 'headerInvalid', { value: 'x-a' })
  }
})

test('a list of headers has one to five of them', () => {
  const headers = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `x-${index}`, value: '' }))
  assert.equal(read({ internetMessageHeaders: headers(5) }).internetMessageHeaders.length, 5)
  breaksRule({ internetMessageHeaders: headers(6) }, 'tooManyHeaders')
  breaksRule({ internetMessageHeaders: [] }, 'tooManyHeaders')
})

test('a flag that is due has a start too', () => {
  const time = { dateTime: '2023-09-01T17:00:00', timeZone: 'Eastern Standard Time' }
  breaksRule({ flag: { flagStatus: 'flagged', dueDateTime: time } }, 'propertyInvalid', {
    property: 'flag/dueDateTime',
  })
  const { flag } = read({ flag: { flagStatus: 'flagged', dueDateTime: time, startDateTime: time } })
  const kept = { dateTime: '2023-09-01T17:00:00.0000000', timeZone: 'Eastern Standard Time' }
  assert.deepEqual(flag, { flagStatus: 'flagged', dueDateTime: kept, startDateTime: kept })
})

test('times of a flag are wall-clock times with their zone, UTC when none is named', () => {
  const start = (startDateTime: unknown) => read({ flag: { startDateTime } }).flag.startDateTime
  assert.deepEqual(start({ dateTime: '2023-09-01T17:00:30.25Z' }), {
    dateTime: '2023-09-01T17:00:30.2500000',
    timeZone: 'UTC',
  })
  assert.equal(start(null), undefined)
  for (const dateTime of ['', 'tomorrow', '1', '2023-13-01T00:00:00', '2023-09-01T25:00:00', '2023-09-01']) {
    refused({ flag: { startDateTime: { dateTime } } }, 'RequestBodyRead', /Edm\.DateTime/)
  }
  refused({ flag: { startDateTime: {} } }, 'RequestBodyRead', /Edm\.DateTime/)
  breaksRule({ flag: { startDateTime: { dateTime: '2023-09-01T17:00:00', timeZone: 'a\nb' } } }, 'propertyInvalid')
})

test('a message id is one word in angle brackets', () => {
  assert.equal(read({ internetMessageId: '' }).internetMessageId, undefined)
  for (const internetMessageId of ['1@example.com', '<a b@x>', '<a@x>\r\nBcc: b', '<<a@x>>', '<>']) {
    breaksRule({ internetMessageId }, 'propertyInvalid', { property: 'internetMessageId' })
  }
})

test('extended properties have an id of theirs and values of text', () => {
  const single = (property: unknown) => ({ singleValueExtendedProperties: [property] })
  assert.deepEqual(read(single({ id: 'LONG 0x0E08', value: null })).singleValueExtendedProperties, [])
  breaksRule(single({ id: 'Colour', value: 'x' }), 'propertyInvalid')
  breaksRule(single({ value: 'x' }), 'propertyInvalid')
  refused(single({ id: 'Integer 0x0E07', value: 1 }), 'RequestBodyRead', /Edm\.String/)
  refused(single(null), 'RequestBodyRead', /null/)
  refused({ multiValueExtendedProperties: [{ id: 'StringArray 0x1', value: 'x' }] }, 'RequestBodyRead', /StartArray/)
})

const names = [
  ...['subject', 'body', 'toRecipients', 'from', 'importance', 'categories', 'flag', 'isRead', 'id', 'Body'],
  ...['internetMessageHeaders', 'internetMessageId', 'singleValueExtendedProperties', 'attachments', 'contentType'],
  ...['content', 'emailAddress', 'address', 'name', 'value', 'item', 'contentBytes', '@odata.type', '__proto__', 'x'],
  ...['startDateTime', 'dueDateTime', 'dateTime', 'timeZone', 'flagStatus', 'constructor', 'sourceUrl', 'isInline'],
]
const scalars = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('text', 'true', 'x-a', 'SGk=', 'String 0x1a', '2023-09-01T17:00:00', '<a@b>'),
  fc.constantFrom('#microsoft.graph.fileAttachment', 'microsoft.graph.itemAttachment', 'microsoft.graph.message'),
  fc.constantFrom('microsoft.graph.event', 'microsoft.graph.referenceAttachment'),
  fc.boolean(),
  fc.double(),
  fc.constant(null),
)
const messages = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'medium' }, scalars, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  object: fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), tie('value'), { maxKeys: 6 }),
})).value

test('whatever the JSON, a draft is read or the request refused, and nothing else happens', () => {
  fc.assert(
    fc.property(
      fc.oneof(messages, fc.jsonValue()),
      fc.constantFrom('v1.0' as const, 'beta' as const),
      (json, version) => {
        try {
          const draft = readDraft(JSON.parse(JSON.stringify(json)), version)
          assert.ok(draft.subject === null || !/\p{Cc}/u.test(draft.subject))
        } catch (error) {
          if (!(error instanceof GraphError || error instanceof MailError)) throw error
        }
      },
    ),
    { numRuns: 2_000 },
  )
})
