import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { NewAttachment } from '../../../src/mail/attachment.js'
import { MailError } from '../../../src/mail/errors.js'
import { decodeMimeBody, parseMime } from '../../../src/mail/mime/parse.js'

const parse = (text: string) => parseMime(Buffer.from(text, 'latin1'))
const parseUtf8 = (text: string) => parseMime(Buffer.from(text))

function contentOf(attachment: NewAttachment | undefined): string {
  assert.equal(attachment?.kind, 'file')
  return Buffer.from(attachment.content).toString()
}

function messageOf(attachment: NewAttachment | undefined) {
  assert.ok(attachment?.kind === 'item' && attachment.item.type === 'message')
  return attachment.item.message
}

async function refused(bytes: Uint8Array | string): Promise<void> {
  await assert.rejects(
    parseMime(Buffer.from(bytes)),
    (error) => error instanceof MailError && error.code === 'mimeInvalid',
  )
}

/** Bare LF line ends, alternative inside mixed, Latin-1 in quoted-printable, a text file: what the documents show. */
const documented = `From: Ben Hall <ben@example.com>
To: Cleo Marsh <cleo@example.org>
Subject:Travel plan
Content-Type: multipart/mixed;
\tboundary="_004_AB12CD_"
MIME-Version: 1.0

--_004_AB12CD_
Content-Type: multipart/alternative;
\tboundary="_000_AB12CD_"

--_000_AB12CD_
Content-Type: text/plain; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

Z=FCrich at noon, then a line that was too long for one and so is soft =
broken


--_000_AB12CD_
Content-Type: text/html; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

<html>
<body title=3D"x">
Z=FCrich
</body>
</html>

--_000_AB12CD_--

--_004_AB12CD_
Content-Type: text/plain;
Content-Disposition: attachment;
        filename="plan.txt"

first line
last line

--_004_AB12CD_--
`

test('a message of the documented shape is read, its HTML the body', async () => {
  const bytes = Buffer.from(documented)
  const draft = await parseMime(bytes)
  assert.deepEqual(draft.from, { name: 'Ben Hall', address: 'ben@example.com' })
  assert.deepEqual(draft.toRecipients, [{ name: 'Cleo Marsh', address: 'cleo@example.org' }])
  assert.equal(draft.subject, 'Travel plan')
  assert.deepEqual(draft.body, {
    contentType: 'html',
    content: '<html>\r\n<body title="x">\r\nZürich\r\n</body>\r\n</html>\r\n',
  })
  assert.equal(draft.attachments.length, 1)
  assert.equal(draft.attachments[0]?.name, 'plan.txt')
  assert.equal(draft.attachments[0]?.contentType, 'text/plain')
  assert.equal(contentOf(draft.attachments[0]), 'first line\r\nlast line\r\n')
  assert.ok(Buffer.from(draft.mime ?? []).equals(bytes))
})

test('a text is the body where there is no HTML', async () => {
  const draft = await parse('Subject: x\n\nline 1\nline 2\n')
  assert.deepEqual(draft.body, { contentType: 'text', content: 'line 1\r\nline 2' })
  assert.equal(draft.isRead, true)
  assert.equal(draft.isReadReceiptRequested, null)
  assert.equal(draft.isDeliveryReceiptRequested, null)
  assert.equal(draft.internetMessageId, undefined)
  assert.equal(draft.sentAt, undefined)
})

test('every header field that a draft knows is read', async () => {
  const draft = await parse(
    [
      'From: =?UTF-8?Q?J=C3=B6rg?= <joerg@example.com>',
      'Sender: desk@example.com',
      'To: a@example.com, "B, C" <b@example.com>',
      'TO: Team: =?utf-8?B?w6k=?= <e@example.com>, f@example.com;, g@example.com (comment)',
      'Cc: "odd local"@example.com, undisclosed-recipients:;',
      'Bcc: hidden@example.com',
      'Reply-To: answers@example.com',
      'Subject: =?utf-8?Q?folded?=',
      ' =?utf-8?Q?_word?=',
      'Date: Tue, 04 Mar 2025 06:06:07 +0100',
      'Message-ID:',
      '\t<id@example.com>',
      'In-Reply-To: <one@example.com> (said so)',
      'References: <zero@example.com>',
      ' <one@example.com>',
      'X-Priority: 1 (Highest)',
      'Disposition-Notification-To: joerg@example.com',
      'Return-Receipt-To: joerg@example.com',
      'X-Own: =?utf-8?Q?gr=C3=BCn?=',
      'x-other:1',
      'X-MS-Exchange-Organization-SCL: -1',
      'X-MS-Has-Attach: yes',
      'Received: from somewhere',
      '',
      'body',
    ].join('\r\n'),
  )
  assert.deepEqual(draft.from, { name: 'Jörg', address: 'joerg@example.com' })
  assert.deepEqual(draft.sender, { address: 'desk@example.com' })
  assert.deepEqual(draft.toRecipients, [
    { address: 'a@example.com' },
    { name: 'B, C', address: 'b@example.com' },
    { name: 'é', address: 'e@example.com' },
    { address: 'f@example.com' },
    { name: 'comment', address: 'g@example.com' },
  ])
  assert.deepEqual(draft.ccRecipients, [{ address: '"odd local"@example.com' }])
  assert.deepEqual(draft.bccRecipients, [{ address: 'hidden@example.com' }])
  assert.deepEqual(draft.replyTo, [{ address: 'answers@example.com' }])
  assert.equal(draft.subject, 'folded word')
  assert.equal(draft.sentAt, Date.UTC(2025, 2, 4, 5, 6, 7))
  assert.equal(draft.internetMessageId, '<id@example.com>')
  assert.equal(draft.inReplyTo, '<one@example.com>')
  assert.equal(draft.references, '<zero@example.com> <one@example.com>')
  assert.equal(draft.importance, 'high')
  assert.equal(draft.isReadReceiptRequested, true)
  assert.equal(draft.isDeliveryReceiptRequested, true)
  assert.deepEqual(draft.internetMessageHeaders, [
    { name: 'X-Priority', value: '1 (Highest)' },
    { name: 'X-Own', value: 'grün' },
    { name: 'x-other', value: '1' },
  ])
})

test('Importance is asked before X-Priority', async () => {
  assert.equal((await parse('Importance: Low\nX-Priority: 1\n\n')).importance, 'low')
  assert.equal((await parse('X-Priority: 5\n\n')).importance, 'low')
  assert.equal((await parse('X-Priority: 3\n\n')).importance, 'normal')
})

test('a recipient that is no address keeps its text, so that it can be refused by name', async () => {
  const draft = await parse('To: nobody, a@example.com\n\n')
  assert.deepEqual(draft.toRecipients, [{ address: 'nobody' }, { address: 'a@example.com' }])
})

test('an address inside quotes is a name or a local part, never a recipient', async () => {
  const draft = await parse('To: "a@evil.example b"@example.com, "c@evil.example" <d@example.com>\n\n')
  assert.deepEqual(draft.toRecipients, [
    { address: '"a@evil.example b"@example.com' },
    { name: 'c@evil.example', address: 'd@example.com' },
  ])
})

test('an encoded word cannot bring a line end or another control into a name or subject', async () => {
  const hidden = '=?utf-8?Q?a=0D=0ABcc=3A_x=40example.com=00=1B?='
  const draft = await parse(`Subject: ${hidden}\nTo: ${hidden} <a@example.com>\nX-Own: ${hidden}\n\n`)
  assert.equal(draft.subject, 'a Bcc: x@example.com')
  assert.deepEqual(draft.toRecipients, [{ name: 'a Bcc: x@example.com', address: 'a@example.com' }])
  assert.deepEqual(draft.internetMessageHeaders, [{ name: 'X-Own', value: 'a Bcc: x@example.com' }])
})

test('charsets, also unknown and missing ones, become text', async () => {
  const bodyOf = async (charset: string, bytes: string) =>
    (await parse(`Subject: x\nContent-Type: text/plain${charset}\n\n${Buffer.from(bytes, 'hex').toString('latin1')}`))
      .body.content
  assert.equal(await bodyOf('; charset=iso-8859-1', 'fc'), 'ü')
  assert.equal(await bodyOf('; charset="UTF-8"', 'c3bc'), 'ü')
  assert.equal(await bodyOf('; charset=Shift_JIS', '82a0'), 'あ')
  assert.equal(await bodyOf('; charset=cp932', '82a0'), 'あ')
  assert.equal(await bodyOf('; charset=x-unheard-of', 'fc'), 'ü')
  assert.equal(await bodyOf('', 'c3bc'), 'ü')
})

test('inline images are inline, files are not, names are decoded', async () => {
  const draft = await parseUtf8(
    `Subject: x
Content-Type: multipart/related; boundary=r

preamble
--r
Content-Type: text/html

<img src="cid:a@b">
--r
Content-Type: image/png
Content-ID: <a@b>
Content-Transfer-Encoding: base64

iVBORw0K
Ggo=
--r
Content-Type: application/pdf; name="=?utf-8?Q?=C3=A4.pdf?="
Content-Disposition: attachment; filename*0*=utf-8''%C3%A4%20long; filename*1=" name.pdf"
Content-Transfer-Encoding: quoted-printable

a=00=FF=
b
--r
Content-Type: text/plain

a second text
--r--
epilogue
`,
  )
  assert.equal(draft.body.contentType, 'html')
  const [image, pdf, second, ...others] = draft.attachments
  assert.deepEqual(image, {
    kind: 'file',
    name: 'ATT00001.png',
    contentType: 'image/png',
    isInline: true,
    contentId: 'a@b',
    contentLocation: null,
    content: Buffer.from('89504e470d0a1a0a', 'hex'),
  })
  assert.equal(pdf?.name, 'ä long name.pdf')
  assert.equal(pdf?.isInline, false)
  assert.ok(pdf?.kind === 'file' && Buffer.from(pdf.content).equals(Buffer.from('6100ff62', 'hex')))
  assert.equal(second?.name, 'ATT00003.txt')
  assert.equal(contentOf(second), 'a second text')
  assert.equal(others.length, 0)
})

test('an attached message is an item with its own attachments, not text of the outer one', async () => {
  const draft = await parse(
    `Subject: outer
Content-Type: multipart/mixed; boundary=o

--o

outer text
--o
Content-Type: message/rfc822
Content-Disposition: attachment; filename="A note.eml"

Subject: inner
Date: Tue, 04 Mar 2025 05:06:07 +0000
Content-Type: multipart/mixed; boundary=i

--i
Content-Type: text/plain

inner text
--i
Content-Type: application/octet-stream; name=f.bin
Content-Transfer-Encoding: base64

AAEC
--i
Content-Type: message/rfc822

Subject: innermost

deep
--i--

--o--
`,
  )
  assert.equal(draft.body.content, 'outer text')
  const [item] = draft.attachments
  assert.equal(item?.name, 'A note')
  assert.equal(item?.contentType, 'message/rfc822')
  const inner = messageOf(item)
  assert.equal(inner.subject, 'inner')
  assert.equal(inner.body.content, 'inner text')
  assert.match(Buffer.from(inner.mime ?? []).toString(), /^Subject: inner\r\n/)
  assert.equal(inner.attachments[0]?.name, 'f.bin')
  assert.equal(inner.attachments[1]?.name, 'innermost')
  assert.equal(messageOf(inner.attachments[1]).body.content, 'deep')
})

test('messages in messages are opened 30 deep, the next one is a file', async () => {
  let depth = 0
  let draft: Parameters<typeof messageOf>[0]
  const bytes = `${'Subject: x\nContent-Type: message/rfc822\n\n'.repeat(40)}Subject: end\n\nend\n`
  let current = (await parse(bytes)).attachments
  while (current[0]?.kind === 'item') {
    depth += 1
    current = messageOf(current[0]).attachments
    draft = current[0]
  }
  assert.equal(depth, 30)
  assert.equal(draft?.contentType, 'message/rfc822')
  assert.match(contentOf(draft), /^Subject: x\r\n/)
})

test('a broken multipart still shows what it holds', async () => {
  assert.equal((await parse('Content-Type: multipart/mixed\n\nno boundary\n')).body.content, 'no boundary')
  const cut = await parse(
    'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\nContent-Type: image/gif\n\nGIF',
  )
  assert.equal(cut.body.content, 'first')
  assert.equal(contentOf(cut.attachments[0]), 'GIF')
})

test('empty lines before the header are passed over, those of a part are not', async () => {
  const draft = await parse(
    '\n\nSubject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nTo: is text here\n--b--\n',
  )
  assert.equal(draft.subject, 'x')
  assert.equal(draft.body.content, 'To: is text here')
})

test('what is no message is refused', async () => {
  for (const content of [
    '',
    '\r\n\r\n',
    'just words\n\nand more',
    '{"message":{}}',
    Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
    Buffer.alloc(100),
    ' leading: blank\n\n',
  ]) {
    await refused(content)
  }
})

test('a message beyond the bounds is refused, one at the bounds is read', async () => {
  const multipart = (parts: number) =>
    `Content-Type: multipart/mixed; boundary=b\n\n${'--b\nContent-Type: image/gif\n\nx\n'.repeat(parts)}--b--\n`
  assert.equal((await parse(multipart(999))).attachments.length, 999)
  await refused(multipart(1_000))

  const nested = (depth: number) =>
    Array.from({ length: depth }, (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\n\n--b${at}\n`).join('')
  assert.equal((await parse(`${nested(63)}\nend\n`)).body.content, 'end\r\n')
  await refused(`${nested(65)}\nend\n`)

  assert.equal((await parse(`${'X-A: b\n'.repeat(1_000)}\n`)).internetMessageHeaders.length, 1_000)
  await refused(`${'X-A: b\n'.repeat(1_001)}\n`)
  assert.equal((await parse(`Subject: ${'x'.repeat(16_000)}\n\n`)).subject?.length, 16_000)
  await refused(`Subject: ${'x'.repeat(16_400)}\n\n`)
  await refused(`${`Subject: ${'x'.repeat(16_000)}\n`.repeat(20)}\n`)
})

const hostile: Record<string, (bytes: number) => string> = {
  'empty lines': (n) => `Subject: x\n\n${'\n'.repeat(n)}`,
  'carriage returns': (n) => `Subject: x\n\n${'\r'.repeat(n)}`,
  'recipients without end': (n) =>
    `To: ${'a@b,\n '.repeat(n / 6)}\n\n`.replaceAll(/((?:a@b,\n ){100})/g, (m) => `${m.replaceAll('\n', '')}\n `),
  quotes: (n) => `To: ${'"<('.repeat(n / 3).replaceAll(/(.{900})/g, '$1\n ')}\n\n`,
  'encoded words': (n) => `Subject: ${'=?utf-8?Q?=C3?= '.repeat(n / 16).replaceAll(/(.{900})/g, '$1\n ')}\n\n`,
  'half encoded words': (n) => `Subject: ${'=?'.repeat(n / 2).replaceAll(/(.{900})/g, '$1\n ')}\n\n`,
  parameters: (n) => `Content-Type: a/b; ${'a*1*=%41;('.repeat(n / 10).replaceAll(/(.{900})/g, '$1\n ')}\n\n`,
  delimiters: (n) => `Content-Type: multipart/mixed; boundary=b\n\n${'--b\n'.repeat(n / 4)}`,
  'almost delimiters': (n) => `Content-Type: multipart/mixed; boundary=-\n\n${'-'.repeat(n)}`,
  'nested multiparts': (n) =>
    Array.from({ length: n / 50 }, (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\n\n--b${at}\n`).join(''),
  'nested messages': (n) => `${'Content-Type: message/rfc822\n\n'.repeat(n / 30)}Subject: x\n\n`,
  'soft line ends': (n) => `Content-Transfer-Encoding: quoted-printable\n\n${'= '.repeat(n / 2)}`,
  'blanks after an equals sign': (n) => `Content-Transfer-Encoding: quoted-printable\n\n=${' '.repeat(n)}x`,
  'header lines': (n) => 'X: y\n'.repeat(n / 5),
  'message ids': (n) => `References: ${'<a '.repeat(n / 3).replaceAll(/(.{900})/g, '$1\n ')}\n\n`,
}

for (const [name, make] of Object.entries(hostile)) {
  test(`${name}: read or refused in bounded time`, async (t) => {
    const took: number[] = []
    for (const size of [20_000, 200_000]) {
      const bytes = Buffer.from(make(size))
      const start = performance.now()
      await parseMime(bytes).catch((error: unknown) =>
        assert.ok(error instanceof MailError && error.code === 'mimeInvalid'),
      )
      took.push(performance.now() - start)
    }
    const [small = 0, large = 0] = took
    t.diagnostic(`200 KB took ${(large / Math.max(small, 0.1)).toFixed(1)} times as long as 20 KB`)
  })
}

test('any bytes are read or refused, never an error of ours', async () => {
  const line = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.constantFrom('Content-Type: multipart/mixed; boundary=b', '--b', '--b--', '', 'To: "', 'Subject: =?utf-8?Q?=?='),
    fc.constantFrom(
      'Content-Type: message/rfc822',
      'Content-Transfer-Encoding: base64',
      'Content-Type: text/html; charset=x',
    ),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 30 }),
      fc.constantFrom('\n', '\r\n', '\r', '\r\r\n'),
      async (lines, end) => {
        try {
          await parseMime(Buffer.from(`Subject: x${end}${lines.join(end)}`))
        } catch (error) {
          assert.ok(error instanceof MailError)
        }
      },
    ),
    { numRuns: 300 },
  )
})

const base64Refused = (text: string | Buffer) =>
  assert.throws(
    () => decodeMimeBody(text),
    (error) => error instanceof MailError && error.code === 'mimeNotBase64',
  )

test('base64 is decoded, in lines or not, as text or bytes', () => {
  const bytes = Buffer.from('Subject: x\r\n\r\nGrüße')
  const base64 = bytes.toString('base64')
  assert.ok(decodeMimeBody(base64).equals(bytes))
  assert.ok(decodeMimeBody(Buffer.from(`\r\n ${base64.replaceAll(/(.{7})/g, '$1\r\n')}\t\n`)).equals(bytes))
})

test('what is not base64 is refused', () => {
  for (const text of [
    '',
    ' \r\n',
    'Subject: x',
    'YQ',
    'YQ=',
    'YQ===',
    '=YQ=',
    'Y=Q=',
    'YQ==YQ==',
    'YW-_',
    'YWé=',
    'YWJj"',
    'Y\0Jj',
    '====',
  ]) {
    base64Refused(text)
    base64Refused(Buffer.from(text))
  }
})
