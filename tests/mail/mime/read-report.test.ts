import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMime } from '../../../src/mail/mime/parse.js'
import { readReport, shownAttachments } from '../../../src/mail/mime/read-report.js'
import { transportHeadersOf } from '../../../src/mail/mime/render.js'

async function read(lines: readonly string[], mailFrom = '') {
  const mime = Buffer.from(lines.join('\r\n'))
  const draft = await parseMime(mime)
  const attachments = [...draft.attachments, ...(await shownAttachments(draft.attachments))]
  return readReport({ ...draft, attachments }, transportHeadersOf(mime), mailFrom)
}

function report(status: readonly string[], returned: readonly string[] = []) {
  return [
    'Subject: Undelivered',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=x',
    '',
    '--x',
    '',
    'It failed.',
    '--x',
    'Content-Type: message/delivery-status',
    '',
    ...status,
    '',
    ...(returned.length === 0 ? [] : ['--x', ...returned]),
    '--x--',
  ]
}

test('a report has the fate of each recipient, and says which message it is about', async () => {
  const found = await read(
    report(
      [
        'Original-Envelope-Id: abc@here',
        'Reporting-MTA: dns; mx.example',
        '',
        'Original-Recipient: rfc822;Sales@example.com',
        'Final-Recipient: RFC822; kim@example.com (Kim)',
        'Action: Failed (no such user)',
        'Status: 5.1.1 (bad)',
        'Diagnostic-Code: smtp; 550 5.1.1',
        '  no such user',
        '',
        'Final-Recipient: rfc822;lee@example.com',
        'Action: delayed',
        'Status: 4.4.1',
      ],
      [
        'Content-Type: message/rfc822',
        '',
        'Message-ID: <m@here>',
        'From: alex@here.example',
        'Date: Mon, 02 Nov 2026 10:00:00 +0000',
        '',
        'x',
      ],
    ),
  )
  assert.deepEqual(found, {
    envelopeId: 'abc@here',
    about: ['<m@here>'],
    sentAt: Date.UTC(2026, 10, 2, 10),
    senders: ['alex@here.example'],
    fates: [
      {
        addresses: ['kim@example.com (kim)', 'sales@example.com'],
        action: 'failed',
        status: '5.1.1',
        diagnostic: '550 5.1.1  no such user',
      },
      { addresses: ['lee@example.com'], action: 'delayed', status: '4.4.1', diagnostic: '' },
    ],
  })
})

test('a report whose groups are not kept apart, and that returns a header alone, is read too', async () => {
  const found = await read(
    report(
      ['Reporting-MTA: dns; x', 'Final-Recipient: rfc822; <kim@example.com>', 'Action: failed', 'Status: 5.0.0'],
      ['Content-Type: text/rfc822-headers', '', 'Subject: Hello', 'Message-ID: <m@here>'],
    ),
  )
  assert.deepEqual(found?.fates[0]?.addresses, ['kim@example.com'])
  assert.deepEqual(found?.about, ['<m@here>'])
})

test('words alone are read where there is no return path: those of qmail, and the header of Exim', async () => {
  const qmail = [
    'From: MAILER-DAEMON@example.com',
    'Subject: failure notice',
    '',
    'Hi. This is the program at example.com.',
    '',
    '<kim@example.com>:',
    '192.0.2.1 does not like recipient.',
    'Remote host said: 550 5.7.1 go away',
    '',
    '--- Below this line is a copy of the message.',
    '',
    'Message-ID: <m@here>',
    'Subject: Hello',
  ]
  const found = await read(qmail)
  assert.deepEqual(found?.about, ['<m@here>'])
  assert.deepEqual(found?.fates, [
    { addresses: ['kim@example.com'], action: 'failed', status: '5.7.1', diagnostic: '550 5.7.1 go away' },
  ])
  assert.equal(await read(qmail, 'somebody@example.com'), undefined)

  const exim = [
    'Subject: Warning',
    'X-Failed-Recipients: kim@example.com, Lee@example.com',
    'References: <m@here>',
    '',
    'x',
  ]
  const other = await read(exim)
  assert.deepEqual(
    other?.fates.map(({ addresses }) => addresses),
    [['kim@example.com'], ['lee@example.com']],
  )
  assert.deepEqual(other?.about, ['<m@here>'])
})

test('ordinary mail is no report, whatever it is called and however it is broken', async () => {
  assert.equal(await read(['Subject: failure notice', '', 'x'], 'kim@example.com'), undefined)
  assert.equal(await read(['Subject: Hello', '', 'x']), undefined)
  assert.equal(await read(report(['nonsense', ': : :', '', 'Action:', ''])), undefined)
  assert.equal(await read(report([])), undefined)
})

for (const [name, filler] of [
  ['groups', 'Final-Recipient: rfc822; a@b\r\nAction: failed\r\n\r\n'],
  ['empty lines', '\r\n'],
  ['one long field', 'x'.repeat(60)],
] as const) {
  test(`a status of many ${name} is read in bounded time`, async (t) => {
    const took = async (bytes: number) => {
      const startedAt = performance.now()
      await read(report([filler.repeat(Math.ceil(bytes / filler.length))]))
      return performance.now() - startedAt
    }
    await took(20_000)
    t.diagnostic(`200 KB took ${((await took(200_000)) / (await took(20_000))).toFixed(1)} times as long as 20 KB`)
    assert.ok((await read(report([filler.repeat(Math.ceil(1_000_000 / filler.length))]))) !== null)
  })
}
