import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser'
import type { NewAttachment } from '../../../src/mail/attachment.js'
import type { EmailAddress, Message } from '../../../src/mail/message.js'
import { parseMime } from '../../../src/mail/mime/parse.js'
import { renderItem, renderMime } from '../../../src/mail/mime/render.js'
import { sampleDraft, sampleFile, sampleMessage } from './sample-message.js'

const onTheWire = { includeBcc: false }

async function rendered(message: Message, attachments: NewAttachment[] = []): Promise<ParsedMail> {
  const bytes = await renderMime(message, attachments, onTheWire)
  assertTransportable(bytes)
  // The images stay attachments, as Graph shows them.
  return simpleParser(bytes, { keepCidLinks: true })
}

/** What a server that knows nothing but RFC 5321 takes: 7-bit lines of at most 998 bytes, each with CRLF. */
function assertTransportable(bytes: Buffer, isAscii = true): void {
  const text = bytes.toString('latin1')
  assert.ok(text.endsWith('\r\n'), 'ends with CRLF')
  assert.doesNotMatch(text.replaceAll('\r\n', ''), /[\r\n\0]/)
  if (isAscii) assert.doesNotMatch(text, /[^\0-\x7f]/)
  for (const line of text.split('\r\n')) assert.ok(line.length <= 998, `a line of ${line.length}`)
}

function addresses(field: AddressObject | AddressObject[] | undefined): EmailAddress[] {
  return [field ?? []].flat().flatMap(({ value }) => value.map(({ name, address = '' }) => ({ name, address })))
}

function headerOf(bytes: Buffer): string {
  return bytes.toString('utf8').split('\r\n\r\n')[0] ?? ''
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Texts end in the line end that ends the message or part. */
function withoutLastLineEnd(text: string | undefined): string {
  return (text ?? '').replace(/\r?\n$/, '').replaceAll('\r\n', '\n')
}

test('a text message has the fields Exchange writes, in its order', async () => {
  const bytes = await renderMime(sampleMessage(), [], onTheWire)
  assert.equal(
    bytes.toString('latin1'),
    [
      'From: Ada King <ada@example.com>',
      'To: Grace <grace@example.org>',
      'Subject: Lunch?',
      'Thread-Topic: Lunch?',
      'Thread-Index: AQHbZp7AAAAAAAAAAAAAAAAAAAAAAA==',
      'Date: Tue, 04 Mar 2025 05:06:07 +0000',
      'Message-ID: <0123456789ABCDEF@mail.example.com>',
      'Content-Language: en-US',
      'X-MS-Has-Attach:',
      'X-MS-TNEF-Correlator:',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 7bit',
      'MIME-Version: 1.0',
      '',
      'See you at noon.',
      '',
    ].join('\r\n'),
  )
})

test('an address without a name stands for its name, as recorded', async () => {
  const bytes = await renderMime(sampleMessage({ toRecipients: [{ address: 'test@example.com' }] }), [], onTheWire)
  assert.match(headerOf(bytes), /^To: "test@example\.com" <test@example\.com>$/m)
})

test('the same message gives the same bytes', async () => {
  const message = sampleMessage({ body: { contentType: 'html', content: '<p>Hello</p>' } })
  const file = sampleFile('a.bin', Buffer.from([1, 2, 3]))
  const [one, other] = await Promise.all([
    renderMime(message, [file], onTheWire),
    renderMime(message, [file], onTheWire),
  ])
  assert.ok(one?.equals(other ?? Buffer.alloc(0)))
})

test('HTML has its text beside it, an inline image is related to it, a file is attached', async () => {
  const image = Buffer.from('89504e470d0a1a0a', 'hex')
  const file = Buffer.from('id;name\n1;Zoë\n')
  const message = sampleMessage({
    body: { contentType: 'html', content: '<p>Look: <img src="cid:logo@1"> <b>nice</b></p>' },
  })
  const attachments = [
    sampleFile('logo.png', image, { contentType: 'image/png', isInline: true, contentId: 'logo@1' }),
    sampleFile('list.csv', file, { contentType: 'text/csv; charset=utf-8' }),
  ]
  const bytes = await renderMime(message, attachments, onTheWire)
  const parsed = await rendered(message, attachments)

  assert.match(headerOf(bytes), /^Content-Type: multipart\/mixed;/m)
  assert.match(headerOf(bytes), /^X-MS-Has-Attach: yes$/m)
  assert.equal(withoutLastLineEnd(parsed.text), 'Look: nice')
  assert.equal(withoutLastLineEnd(parsed.html || ''), '<p>Look: <img src="cid:logo@1"> <b>nice</b></p>')
  assert.deepEqual(
    parsed.attachments.map(({ filename, contentType, contentDisposition, cid, related, content }) => ({
      filename,
      contentType,
      contentDisposition,
      cid,
      related: related === true,
      hash: hash(content),
    })),
    [
      {
        filename: 'logo.png',
        contentType: 'image/png',
        contentDisposition: 'inline',
        cid: 'logo@1',
        related: true,
        hash: hash(image),
      },
      {
        filename: 'list.csv',
        contentType: 'text/csv',
        contentDisposition: 'attachment',
        cid: undefined,
        related: false,
        hash: hash(file),
      },
    ],
  )
})

test('an empty body beside a file stays the body', async () => {
  const parsed = await rendered(sampleMessage({ body: { contentType: 'text', content: '' } }), [
    sampleFile('a.txt', Buffer.from('file'), { contentType: 'text/plain' }),
  ])
  assert.equal(withoutLastLineEnd(parsed.text), '')
  assert.equal(parsed.attachments[0]?.content.toString(), 'file')
})

const bodies: Record<string, string> = {
  'one dot': 'a\n.\n..\n.b\n',
  'From at the start of a line': 'From here\n\nFrom there',
  'a line of 5,000 characters': 'x'.repeat(5_000),
  'a line of 5,000 characters that are not ASCII': 'ž'.repeat(5_000),
  emoji: 'Grüße 👩‍👩‍👧 at the end of a line 🎉\n🎉',
  'bare CR and LF': 'one\rtwo\nthree\r\nfour',
  'blanks at the end of a line': 'a  \nb\t\nc ',
  'what looks like a boundary': '--_=-00-Part_1\n--_=-00-Part_1--\n',
  'what looks like an escape': '=3D=\n=20 a=b',
}

for (const [name, content] of Object.entries(bodies)) {
  test(`a body with ${name} arrives as it is, its line ends made CRLF`, async () => {
    const parsed = await rendered(sampleMessage({ body: { contentType: 'text', content } }))
    assert.equal(withoutLastLineEnd(parsed.text), withoutLastLineEnd(content.replaceAll(/\r\n?/g, '\n')))
    const html = await rendered(sampleMessage({ body: { contentType: 'html', content } }))
    assert.equal(withoutLastLineEnd(html.html || ''), withoutLastLineEnd(content.replaceAll(/\r\n?/g, '\n')))
  })
}

test('NUL is not sent', async () => {
  const parsed = await rendered(sampleMessage({ body: { contentType: 'text', content: 'a\0b' } }, { subject: 'c\0d' }))
  assert.equal(withoutLastLineEnd(parsed.text), 'ab')
  assert.equal(parsed.subject, 'c d')
})

test('names with quotes, commas, escapes and other scripts arrive whole, each with its own address', async () => {
  const toRecipients = [
    { name: 'Müller, "Jörg"', address: 'joerg@example.com' },
    { name: "O'Neill; (sales) <x@example.org>", address: 'oneill@example.com' },
    { name: '山田 太郎', address: 'taro@example.jp' },
    { name: '=?utf-8?Q?evil=40example=2Ecom?=', address: 'plain@example.com' },
    { name: 'back\\slash', address: 'b@example.com' },
    { name: 'long '.repeat(40).trim(), address: 'long@example.com' },
    { name: 'two  blanks', address: 'two@example.com' },
  ]
  const parsed = await rendered(sampleMessage({ toRecipients }))
  assert.deepEqual(addresses(parsed.to), toRecipients)
})

test('a domain of another script is written in ASCII, unless the local part needs UTF-8 too', async () => {
  const toRecipients = [
    { name: 'A', address: 'a@bücher.example' },
    { name: 'B', address: 'büro@bücher.example' },
  ]
  const bytes = await renderMime(sampleMessage({ toRecipients }), [], onTheWire)
  assertTransportable(bytes, false)
  assert.match(headerOf(bytes), /^To: A <a@xn--bcher-kva\.example>, B <büro@bücher\.example>$/m)
})

test('an address can be read in one way only, and what is no address reaches nobody', async () => {
  const toRecipients = [
    { name: 'Q', address: '"a@b c"@example.com' },
    { name: 'R', address: 'c..d@example.com' },
    { name: 'S', address: 'e f@example.com' },
    { name: 'Broken', address: 'x@example.com>, y@example.org' },
    { address: 'no address' },
    { address: '' },
  ]
  const bytes = await renderMime(sampleMessage({ toRecipients }), [], onTheWire)
  assert.match(
    headerOf(bytes).replaceAll('\r\n ', ' '),
    /^To: Q <"a@b c"@example\.com>, R <"c..d"@example\.com>, S:;, Broken:;, no address:;, "":;$/m,
  )
  const draft = await parseMime(bytes)
  assert.deepEqual(draft.toRecipients, toRecipients.slice(0, 1).concat({ name: 'R', address: '"c..d"@example.com' }))
})

test('no value of a message can begin a header line of its own', async () => {
  const attack = 'x\r\nBcc: victim@example.com\r\n\r\nbody\n\u2028\u0085'
  const person = { name: attack, address: `a@example.com\r\nBcc: victim@example.com` }
  const message = sampleMessage(
    {
      from: { name: attack, address: 'ada@example.com' },
      sender: { name: attack, address: 'eve@example.com' },
      toRecipients: [person],
      ccRecipients: [person],
      replyTo: [person],
      internetMessageHeaders: [
        { name: 'x-own', value: attack },
        { name: 'x-a\r\nBcc', value: 'victim@example.com' },
        { name: 'X-Colon: y\r\nBcc', value: 'v' },
      ],
      inReplyTo: attack,
      references: attack,
      singleValueExtendedProperties: [{ id: 'String 0x1045', value: attack }],
    },
    { subject: attack, internetMessageId: `<a@b>${attack}` },
  )
  const file = sampleFile(attack, Buffer.from('x'), { contentType: attack, contentId: attack, isInline: true })
  const typed = sampleFile('t', Buffer.from('x'), { contentType: 'text/plain; a="\r\nBcc: v"; boundary=x' })
  const bytes = await renderMime(message, [file, typed], onTheWire)
  assertTransportable(bytes)
  assert.doesNotMatch(bytes.toString('latin1'), /^Bcc/im)
  const parsed = await simpleParser(bytes)
  assert.equal(parsed.bcc, undefined)
  assert.equal(withoutLastLineEnd(parsed.text), 'See you at noon.')
  assert.equal(parsed.attachments.length, 2)
})

test("hidden recipients are in the author's own copy and nowhere else", async () => {
  const bccRecipients = [{ name: 'Hidden', address: 'hidden@example.com' }]
  const inner = sampleDraft({ bccRecipients })
  const attached: NewAttachment = {
    kind: 'item',
    name: 'Inside',
    contentType: null,
    isInline: false,
    item: { type: 'message', message: inner },
  }
  const message = sampleMessage({ bccRecipients })
  assert.doesNotMatch((await renderMime(message, [attached], onTheWire)).toString(), /hidden@example\.com/)
  const own = await renderMime(message, [attached], { includeBcc: true })
  assert.equal(own.toString().split('hidden@example.com').length - 1, 1)
  assert.match(headerOf(own), /^Bcc: Hidden <hidden@example\.com>$/m)
})

test('a message to hidden recipients alone says so', async () => {
  const bytes = await renderMime(
    sampleMessage({ toRecipients: [], bccRecipients: [{ address: 'h@example.com' }] }),
    [],
    onTheWire,
  )
  assert.match(headerOf(bytes), /^To: undisclosed-recipients:;$/m)
})

test('importance, receipts, answers, threads and own headers are written', async () => {
  const message = sampleMessage(
    {
      from: { name: 'Boss', address: 'boss@example.com' },
      replyTo: [{ name: 'Desk', address: 'desk@example.com' }],
      isReadReceiptRequested: true,
      isDeliveryReceiptRequested: true,
      internetMessageHeaders: [
        { name: 'X-Campaign', value: 'Frühling' },
        { name: 'X-MS-Exchange-Organization-SCL', value: '-1' },
      ],
      inReplyTo: '<one@example.com>',
      references: '<zero@example.com> <one@example.com>',
      singleValueExtendedProperties: [
        { id: 'string 0x01045', value: '<https://example.com/u>, <mailto:u@example.com>' },
        { id: 'String 0x1046', value: 'not this' },
      ],
    },
    { importance: 'high', subject: 'RE: Lunch?' },
  )
  const header = headerOf(await renderMime(message, [], onTheWire))
  for (const line of [
    'From: Boss <boss@example.com>',
    'Sender: Ada King <ada@example.com>',
    'Reply-To: Desk <desk@example.com>',
    'Subject: RE: Lunch?',
    'Thread-Topic: Lunch?',
    'Importance: high',
    'X-Priority: 1',
    'In-Reply-To: <one@example.com>',
    'References: <zero@example.com> <one@example.com>',
    'Disposition-Notification-To: Boss <boss@example.com>',
    'Return-Receipt-To: Boss <boss@example.com>',
    'List-Unsubscribe: <https://example.com/u>, <mailto:u@example.com>',
    'X-Campaign: =?UTF-8?B?RnLDvGhsaW5n?=',
  ]) {
    assert.ok(header.split('\r\n').includes(line), line)
  }
  assert.doesNotMatch(header, /Organization/)
})

test('extended properties set the headers that Graph has no other way to set', async () => {
  const properties = [
    { id: 'String 0x1042', value: '<set@example.com>' },
    { id: 'String 0x1039', value: 'bare@example.com <set@example.com>' },
  ]
  const header = headerOf(
    await renderMime(
      sampleMessage({ inReplyTo: '<old@example.com>', singleValueExtendedProperties: properties }),
      [],
      onTheWire,
    ),
  )
  assert.match(header, /^In-Reply-To: <set@example\.com>$/m)
  assert.match(header, /^References: <bare@example\.com> <set@example\.com>$/m)
})

test('long subjects are folded and arrive whole, whatever they are made of', async () => {
  for (const subject of ['word '.repeat(200).trim(), 'x'.repeat(3_000), 'é'.repeat(2_000), '🎉'.repeat(500)]) {
    const parsed = await rendered(sampleMessage({}, { subject }))
    assert.equal(parsed.subject, subject)
  }
})

test('file names of other scripts, long ones and awkward ones arrive whole', async () => {
  const names = [
    'Übersicht – 2025 😀.pdf',
    `${'long-name-'.repeat(25)}.txt`,
    'a"b\\c;d=e.txt',
    "it's (1).txt",
    '=?x?=.txt',
  ]
  const parsed = await rendered(
    sampleMessage(),
    names.map((name) => sampleFile(name, Buffer.from(name))),
  )
  assert.deepEqual(
    parsed.attachments.map(({ filename }) => filename),
    names,
  )
  assert.deepEqual(
    parsed.attachments.map(({ content }) => content.toString()),
    names,
  )
})

test('a file name that fits on no line is cut up, and arrives whole', async () => {
  for (const name of [`${'x'.repeat(3_000)}.pdf`, `${'q"\\'.repeat(500)}.pdf`, `${'漢'.repeat(950)}.pdf`]) {
    for (const isInline of [false, true]) {
      const parsed = await rendered(sampleMessage(), [sampleFile(name, Buffer.from('bytes'), { isInline })])
      const [attachment] = parsed.attachments
      assert.equal(attachment?.filename, name)
      assert.equal(attachment?.contentDisposition, isInline ? 'inline' : 'attachment')
    }
  }
})

test('a file that calls itself a multipart or a message is bytes like any other', async () => {
  const content = Buffer.from('--x\r\n\r\nnot a part\r\n--x--\r\n')
  for (const contentType of ['multipart/mixed; boundary=x', 'message/rfc822', 'nonsense', '', null]) {
    const parsed = await rendered(sampleMessage(), [sampleFile('a.bin', content, { contentType })])
    assert.equal(parsed.attachments.length, 1)
    assert.equal(parsed.attachments[0]?.contentType, 'application/octet-stream')
    assert.equal(hash(parsed.attachments[0]?.content ?? Buffer.alloc(0)), hash(content))
  }
})

test('attached messages nest, with their own attachments', async () => {
  const file = Buffer.from([0, 13, 10, 255])
  const item = (name: string, message: ReturnType<typeof sampleDraft>): NewAttachment => ({
    kind: 'item',
    name,
    contentType: null,
    isInline: false,
    item: { type: 'message', message },
  })
  const innermost = sampleDraft({ subject: 'Innermost ü', attachments: [sampleFile('f.bin', file)] })
  const middle = sampleDraft({
    subject: 'Middle',
    body: { contentType: 'html', content: '<p>m</p>' },
    attachments: [item('Innermost ü', innermost)],
  })
  const bytes = await renderMime(sampleMessage(), [item('Middle', middle)], onTheWire)
  assertTransportable(bytes)

  const outer = await simpleParser(bytes)
  assert.equal(outer.attachments[0]?.contentType, 'message/rfc822')
  const read = await simpleParser(outer.attachments[0]?.content ?? '')
  assert.equal(read.subject, 'Middle')
  const inner = await simpleParser(read.attachments[0]?.content ?? '')
  assert.equal(inner.subject, 'Innermost ü')
  assert.equal(hash(inner.attachments[0]?.content ?? Buffer.alloc(0)), hash(file))
})

test('an attached message that came in MIME is sent as it came, without its hidden recipients', async () => {
  const mime = Buffer.from('Subject: As it came\r\nBCC: hidden@example.com\r\nX-Odd:   spaced\r\n\r\n  kept \r\n')
  const parsed = await rendered(sampleMessage(), [
    {
      kind: 'item',
      name: 'As it came',
      contentType: null,
      isInline: false,
      item: { type: 'message', message: sampleDraft({ mime }) },
    },
  ])
  assert.equal(parsed.attachments[0]?.content.toString(), 'Subject: As it came\r\nX-Odd:   spaced\r\n\r\n  kept \r\n')
})

test('an attached message that came in MIME of 8 bits is written anew', async () => {
  const draft = await parseMime(
    Buffer.from('Subject: eight\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n'),
  )
  const parsed = await rendered(sampleMessage(), [
    { kind: 'item', name: 'eight', contentType: null, isInline: false, item: { type: 'message', message: draft } },
  ])
  const inner = await simpleParser(parsed.attachments[0]?.content ?? '')
  assert.equal(withoutLastLineEnd(inner.text), 'Grüße')
})

test('events and contacts are attached as iCalendar and vCard, links are left out', async () => {
  const common = { contentType: null, isInline: false }
  const event = {
    subject: 'Review, final',
    start: { dateTime: '2025-04-09T14:00:00.0000000', timeZone: 'UTC' },
    end: { dateTime: '2025-04-09T16:00:00', timeZone: 'Pacific Standard Time' },
    body: { contentType: 'HTML', content: '<p>one</p><p>two</p>' },
  }
  const contact = { displayName: 'Alex Wilbur', emailAddresses: [{ address: 'alex@example.com' }] }
  const parsed = await rendered(sampleMessage(), [
    { ...common, kind: 'item', name: 'Review', item: { type: 'event', properties: event } },
    { ...common, kind: 'item', name: 'Alex', item: { type: 'contact', properties: contact } },
    {
      ...common,
      kind: 'reference',
      name: 'link',
      sourceUrl: 'https://example.com/f',
      providerType: 'other',
      permission: 'view',
      isFolder: false,
    },
  ])
  const [calendar, card, ...others] = parsed.attachments
  assert.deepEqual([calendar?.filename, card?.filename, others.length], ['Review.ics', 'Alex.vcf', 0])
  for (const line of [
    'SUMMARY:Review\\, final',
    'DTSTART:20250409T140000Z',
    'DTEND;TZID="Pacific Standard Time":20250409T160000',
    'DESCRIPTION:one\\n\\ntwo',
  ]) {
    assert.ok(calendar?.content.toString().split('\r\n').includes(line), line)
  }
  assert.match(card?.content.toString() ?? '', /^FN:Alex Wilbur\r$/m)
})

test('an item alone is rendered in its own format', async () => {
  assert.match((await renderItem({ type: 'message', message: sampleDraft() })).toString(), /^Subject: Inside\r$/m)
  assert.match((await renderItem({ type: 'event', properties: {} })).toString(), /^BEGIN:VCALENDAR\r\n/)
  assert.match((await renderItem({ type: 'contact', properties: {} })).toString(), /^BEGIN:VCARD\r\n/)
})

/** Text as a person could type it, in any script; controls are another test. */
const text = fc
  .string({ unit: 'grapheme', maxLength: 120 })
  .map((value) => value.replace(/[\p{C}\p{Z}]+/gu, ' ').trim())

test('any subject, name and body survives the way there and back', async () => {
  const anyBody = fc
    .string({ unit: 'binary', maxLength: 400 })
    .map((value) => Buffer.from(value.replaceAll('\0', '')).toString())
  await fc.assert(
    fc.asyncProperty(text, text, anyBody, text, async (subject, name, content, fileName) => {
      const message = sampleMessage(
        { toRecipients: [{ name, address: 'x@example.com' }], body: { contentType: 'text', content } },
        { subject },
      )
      const file = sampleFile(fileName === '' ? 'x' : fileName, Buffer.from(content))
      const bytes = await renderMime(message, [file], onTheWire)
      assertTransportable(bytes)

      const seen = await simpleParser(bytes)
      assert.equal(seen.subject ?? '', subject)
      assert.deepEqual(
        addresses(seen.to).map(({ address }) => address),
        ['x@example.com'],
      )
      assert.equal(addresses(seen.to)[0]?.name, name)

      const draft = await parseMime(bytes)
      assert.equal(draft.subject ?? '', subject)
      assert.equal(draft.body.content, content.replace(/\r*\n|\r/g, '\r\n'))
      const [attached] = draft.attachments
      assert.equal(attached?.kind === 'file' && Buffer.from(attached.content).equals(Buffer.from(content)), true)
      assert.equal(attached?.name, file.name)
    }),
    { numRuns: 150 },
  )
})
