import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GraphError } from '../../../src/graph/errors.js'
import { readDraft } from '../../../src/graph/resources/draft.js'
import type { NewAttachment } from '../../../src/mail/attachment.js'
import { MailError } from '../../../src/mail/errors.js'

type Json = Record<string, unknown>

function readOne(attachment: unknown, version: 'v1.0' | 'beta' = 'v1.0'): NewAttachment {
  const [read] = readDraft({ attachments: [attachment] }, version).attachments
  assert.ok(read)
  return read
}

const file = (members: Json = {}): Json => ({
  '@odata.type': '#microsoft.graph.fileAttachment',
  name: 'notes.txt',
  contentBytes: 'SGVsbG8=',
  ...members,
})
const item = (members: Json, name = 'Agenda'): Json => ({
  '@odata.type': '#microsoft.graph.itemAttachment',
  name,
  item: members,
})
const reference = (members: Json = {}): Json => ({
  '@odata.type': '#microsoft.graph.referenceAttachment',
  name: 'Pictures',
  sourceUrl: 'https://files.example.com/pics',
  ...members,
})

function refused(attachment: unknown, status: number, code: string, message?: RegExp, version?: 'beta'): void {
  assert.throws(
    () => readOne(attachment, version),
    (error) => {
      assert.ok(error instanceof GraphError, String(error))
      assert.equal(error.status, status)
      assert.equal(error.code, code)
      if (message !== undefined) assert.match(error.message, message)
      return true
    },
  )
}

function without(name: string, members: Json): Json {
  const { [name]: _, ...rest } = members
  return rest
}

test('a file has its bytes, and what else is said of it', () => {
  const read = readOne(
    file({ contentType: 'text/markdown', isInline: 'true', contentId: 'logo', contentLocation: 'x', id: 'i', size: 9 }),
  )
  assert.equal(read.kind === 'file' && Buffer.from(read.content).toString(), 'Hello')
  assert.deepEqual(
    { ...read, content: undefined },
    {
      kind: 'file',
      name: 'notes.txt',
      contentType: 'text/markdown',
      isInline: true,
      contentId: 'logo',
      contentLocation: null,
      content: undefined,
    },
  )
})

test('the type may stand anywhere, with or without #, in any case, in the namespace of old too', () => {
  const types = ['microsoft.graph.fileAttachment', '#microsoft.graph.fileattachment']
  for (const type of [...types, '#Microsoft.OutlookServices.FileAttachment']) {
    const members = without('@odata.type', file())
    assert.equal(readOne({ '@odata.type': type, ...members }).kind, 'file')
    assert.equal(readOne({ ...members, '@odata.type': type }).kind, 'file')
  }
})

test('an attachment that does not say its type is refused as the service does', () => {
  const untyped = without('@odata.type', file())
  refused(untyped, 400, 'RequestBodyRead', /'contentBytes' does not exist on type 'microsoft\.graph\.attachment'/)
  refused({ name: 'x' }, 422, 'UnprocessableType', /abstract type 'microsoft\.graph\.attachment'$/)
  refused(file({ '@odata.type': '#microsoft.graph.picture' }), 400, 'RequestBodyRead', /'#microsoft\.graph\.picture'/)
  refused(file({ '@odata.type': `x${'y'.repeat(9_999)}` }), 400, 'RequestBodyRead', /^.{1,250}$/)
  refused(null, 400, 'RequestBodyRead')
  refused('x', 400, 'RequestBodyRead')
})

test('without a content type, the name says what a file is', () => {
  const typed = (name: string, contentType?: string | null) =>
    readOne(file({ name, ...(contentType === undefined ? {} : { contentType }) })).contentType
  assert.equal(typed('a.PNG'), 'image/png')
  assert.equal(typed('report.pdf', null), 'application/pdf')
  assert.equal(typed('report.pdf', ''), 'application/pdf')
  assert.equal(typed('smile'), 'application/octet-stream')
  assert.equal(typed('x.constructor'), 'application/octet-stream')
})

test('a content id is kept without angle brackets, which a cid: link does not have', () => {
  const idOf = (contentId: string) => {
    const read = readOne(file({ contentId }))
    return read.kind === 'file' ? read.contentId : undefined
  }
  assert.equal(idOf('<image001@example.com>'), 'image001@example.com')
  assert.equal(idOf('image001@example.com'), 'image001@example.com')
  assert.equal(idOf(''), null)
})

test('name and content are required, and the content may be empty', () => {
  refused(without('name', file()), 400, 'ErrorRequiredPropertyMissing', /^Required property is missing\.$/)
  refused(file({ contentBytes: null }), 400, 'ErrorRequiredPropertyMissing')
  refused(without('contentBytes', file()), 400, 'ErrorRequiredPropertyMissing')
  refused(without('item', item({})), 400, 'ErrorRequiredPropertyMissing')
  const read = readOne(file({ contentBytes: '' }))
  assert.equal(read.kind === 'file' && read.content.byteLength, 0)
})

test('whatever the bytes, their base64 is read back as them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const read = readOne(file({ contentBytes: Buffer.from(bytes).toString('base64') }))
      assert.deepEqual(read.kind === 'file' && new Uint8Array(read.content), bytes)
    }),
  )
})

test('base64 may be wrapped into lines', () => {
  const bytes = Buffer.alloc(200, 'ab')
  const wrapped = bytes.toString('base64').replaceAll(/.{76}/g, '$&\r\n')
  const read = readOne(file({ contentBytes: wrapped }))
  assert.deepEqual(read.kind === 'file' && Buffer.from(read.content), bytes)
})

test('what is not ordinary base64 with its padding is not deserialised', () => {
  const wrong = ['SGVsbG8', 'SGVsbG8==', 'SGVs bG8', 'SGV*bG8=', 'SGVs-_8=', 'S===', '====', 'QQ==QUJD', 'QQ=A']
  // The low byte of the first is an A, and Buffer would take it for one.
  for (const contentBytes of [...wrong, 'Ł' + 'UFB', 'QUJ\u2028', 'data:text/plain;base64,SGVsbG8=']) {
    refused(file({ contentBytes }), 400, 'UnableToDeserializePostBody', /^were unable to deserialize $/)
  }
  refused(file({ contentBytes: 5 }), 400, 'RequestBodyRead', /Edm\.Binary/)
  refused(file({ contentBytes: [1] }), 400, 'RequestBodyRead')
})

test('names, content types and content ids are one line', () => {
  for (const member of ['name', 'contentType', 'contentId']) {
    assert.throws(
      () => readOne(file({ [member]: 'a\r\nX-Evil: 1' })),
      (error) => error instanceof MailError && error.code === 'propertyInvalid' && /0\/\w+$/.test(error.property ?? ''),
    )
  }
})

test('a property of another kind is unknown', () => {
  refused(
    file({ item: {} }),
    400,
    'RequestBodyRead',
    /'item' does not exist on type 'microsoft\.graph\.fileAttachment'/,
  )
  refused(item({}, 'x'), 422, 'UnprocessableType', /outlookItem/)
  refused(
    { ...item({ '@odata.type': '#microsoft.graph.contact' }), contentBytes: '' },
    400,
    'RequestBodyRead',
    /'contentBytes' .*itemAttachment/,
  )
})

test('an attached message is a draft of its own, with attachments of its own', () => {
  const read = readOne(
    item({
      '@odata.type': 'microsoft.graph.message',
      id: '',
      subject: 'Inner',
      body: { contentType: 'html', content: '<p>x</p>' },
      attachments: [file()],
    }),
  )
  assert.ok(read.kind === 'item' && read.item.type === 'message')
  assert.equal(read.contentType, null)
  assert.equal(read.item.message.subject, 'Inner')
  assert.equal(read.item.message.attachments[0]?.name, 'notes.txt')
})

test('of the headers of an attached message only those of its author are kept, and no list of them is refused', () => {
  const headersOf = (internetMessageHeaders: unknown[]) => {
    const read = readOne(item({ '@odata.type': '#microsoft.graph.message', internetMessageHeaders }))
    return read.kind === 'item' && read.item.type === 'message' ? read.item.message.internetMessageHeaders : undefined
  }
  const received = [
    { name: 'Received', value: 'from a\tby b' },
    { name: 'X-Group', value: '1' },
  ]
  assert.deepEqual(headersOf(received), [{ name: 'X-Group', value: '1' }])
  assert.deepEqual(headersOf([]), [])
})

test('an attached event or contact is kept as it was given', () => {
  const event = {
    '@odata.type': 'microsoft.graph.event',
    subject: 'Holiday',
    start: { dateTime: '2016-12-02T18:00:00', timeZone: 'Pacific Standard Time' },
    attendees: [{ emailAddress: { address: 'a@example.com' }, type: 'Required' }],
  }
  const read = readOne(item(event))
  assert.ok(read.kind === 'item' && read.item.type === 'event')
  assert.deepEqual(read.item.properties, event)
  const contact = readOne(item({ '@odata.type': '#microsoft.graph.contact', givenName: 'Ada' }))
  assert.equal(contact.kind === 'item' && contact.item.type, 'contact')
})

test('in an event or contact, nothing deep and no name that JavaScript knows is kept', () => {
  const event = '"@odata.type":"#microsoft.graph.event"'
  for (const members of ['"__proto__":{"x":1}', '"body":{"constructor":1}', '"a":{"b":{"prototype":1}}']) {
    refused(item(JSON.parse(`{${event},${members}}`)), 400, 'RequestBodyRead', /does not exist/)
  }
  refused(item(JSON.parse(`{${event},"a@odata.context":{"x":1}}`)), 400, 'RequestBodyRead')
  const deep = `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`
  refused(item(JSON.parse(`{${event},"a":${deep}}`)), 400, 'UnableToDeserializePostBody')
})

test('items hold items thirty deep and no deeper', () => {
  const nested = (depth: number): Json =>
    item({ '@odata.type': '#microsoft.graph.message', attachments: depth === 1 ? [] : [nested(depth - 1)] })
  assert.equal(readOne(nested(30)).kind, 'item')
  refused(nested(31), 400, 'UnableToDeserializePostBody')
})

test('an item is a message, an event or a contact, and says which', () => {
  refused(item({ '@odata.type': '#microsoft.graph.user' }), 400, 'RequestBodyRead', /'#microsoft\.graph\.user'/)
  refused(item({ subject: 'x' }), 422, 'UnprocessableType')
  refused({ ...item({}), item: 'x' }, 400, 'RequestBodyRead', /StartObject/)
})

test('beta takes a reference, its enumerations in any case', () => {
  const link = { providerType: 'onedriveconsumer', permission: 'Edit', isFolder: 'True', previewUrl: null }
  assert.deepEqual(readOne(reference(link), 'beta'), {
    kind: 'reference',
    name: 'Pictures',
    contentType: null,
    isInline: false,
    sourceUrl: 'https://files.example.com/pics',
    providerType: 'oneDriveConsumer',
    permission: 'edit',
    isFolder: true,
  })
  refused(reference({ permission: 'own' }), 400, 'RequestBodyRead', /'own' was not found/, 'beta')
  const noLink = without('sourceUrl', reference())
  refused(noLink, 400, 'ErrorInvalidProperty', /^The property 'SourceUrl' is required/, 'beta')
})

test('v1.0 has no property that says where a reference leads', () => {
  refused(reference(), 400, 'RequestBodyRead', /'sourceUrl' does not exist on type 'microsoft\.graph\.reference/)
})

test('attachments are a list, or null for none', () => {
  assert.deepEqual(readDraft({ attachments: null }, 'v1.0').attachments, [])
  assert.throws(() => readDraft({ attachments: file() }, 'v1.0'), { code: 'RequestBodyRead' })
})
