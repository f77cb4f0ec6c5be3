import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MailError } from '../../../src/mail/errors.js'
import { forSubmission, transportHeadersOf } from '../../../src/mail/mime/render.js'
import { sampleMessage } from './sample-message.js'

const ada = { name: 'Ada King', address: 'ada@example.com' }
const message = sampleMessage({ from: ada, sender: ada })
const complete = [
  'From: "Ada" <ADA@example.com>',
  'Date: Mon, 3 Mar 2025 01:02:03 +0100',
  'Message-ID: <0123456789ABCDEF@mail.example.com>',
  'MIME-Version: 1.0',
]

function submitted(lines: string[], sent = message): string[] {
  return forSubmission(Buffer.from(lines.join('\r\n')), sent)
    .toString('latin1')
    .split('\r\n')
}

test('a complete message leaves as it came, byte for byte', () => {
  const signed = [
    ...complete,
    'Subject:   odd   spacing',
    '\tand folding',
    'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=s',
    '',
    '--s',
    'Content-Type: text/plain',
    '',
    'Bcc: this is text ',
    '.',
    'From here',
    '--s',
    'Content-Type: application/pkcs7-signature',
    'Content-Transfer-Encoding: base64',
    '',
    'MIAGCSqGSIb3DQEHAqCAMIACAQEx',
    '--s--',
    '',
  ].join('\r\n')
  assert.equal(forSubmission(Buffer.from(signed), message).toString(), signed)
})

test('a signed body of 8 bits stays as it is when the header has to change', () => {
  const body = Buffer.concat([
    Buffer.from('\r\n--s\r\n\r\n'),
    Buffer.from([0xe9, 0xff, 0x80]),
    Buffer.from('\r\n--s--\r\n'),
  ])
  const out = forSubmission(Buffer.concat([Buffer.from('Subject: x\r\nBcc: h@example.com\r\n'), body]), message)
  assert.ok(out.subarray(-body.length).equals(body))
})

test('hidden recipients are taken out, however the field is written', () => {
  const lines = submitted([
    ...complete,
    'bCC : one@example.com,',
    '\ttwo@example.com,',
    ' \t',
    ' three@example.com',
    'Resent-Bcc: four@example.com',
    'Subject: kept',
    'BCC:five@example.com',
    '',
    'text',
    '',
  ])
  assert.deepEqual(lines, [...complete, 'Subject: kept', '', 'text', ''])
})

test('From and Sender say who sends, whatever the message says', () => {
  for (const from of [
    'From: boss@example.com',
    'From: boss@example.com, ada@example.com',
    'From: "ada@example.com" <boss@example.com>',
    'From: ada@example.com@example.org',
    'From:',
  ]) {
    const lines = submitted([
      from,
      ...complete.slice(1),
      'Sender: boss@example.com',
      'From: again@example.com',
      '',
      'x',
      '',
    ])
    assert.deepEqual(lines, ['From: Ada King <ada@example.com>', ...complete.slice(1), '', 'x', ''])
  }
})

test('Sender stands where somebody sends for another', () => {
  const boss = { address: 'boss@example.com' }
  const onBehalf = sampleMessage({ from: boss, sender: ada })
  assert.deepEqual(submitted(['From: boss@example.com', ...complete.slice(1), '', 'x', ''], onBehalf).slice(0, 2), [
    'Sender: Ada King <ada@example.com>',
    'From: boss@example.com',
  ])
  const already = ['From: boss@example.com', 'Sender: ada@example.com', ...complete.slice(1), '', 'x', '']
  assert.deepEqual(submitted(already, onBehalf), already)
})

test('what a message must have is added', () => {
  assert.deepEqual(submitted(['Subject: x', '', 'text']), [
    'From: Ada King <ada@example.com>',
    'Date: Tue, 04 Mar 2025 05:06:07 +0000',
    'Message-ID: <0123456789ABCDEF@mail.example.com>',
    'MIME-Version: 1.0',
    'Subject: x',
    '',
    'text',
    '',
  ])
})

test('the Message-ID is the one that Graph shows', () => {
  const lines = submitted([
    ...complete.slice(0, 2),
    'Message-ID: <other@example.com>',
    'MIME-Version: 1.0',
    '',
    'x',
    '',
  ])
  assert.deepEqual(
    lines.filter((line) => line.startsWith('Message-ID')),
    ['Message-ID: <0123456789ABCDEF@mail.example.com>'],
  )
})

test('no line end that another server could read otherwise leaves, and no NUL', () => {
  const smuggled = 'Subject: x\n\ntext\n.\nMAIL FROM:<a@b>\r.\r\r\n.\r\nQ\0uit\r'
  const text = forSubmission(Buffer.from(smuggled), message).toString('latin1')
  assert.doesNotMatch(text.replaceAll('\r\n', ''), /[\r\n\0]/)
  assert.ok(text.endsWith('\r\n\r\ntext\r\n.\r\nMAIL FROM:<a@b>\r\n.\r\n.\r\nQuit\r\n'))
})

test('a line that is no field does not end the header early', () => {
  const lines = submitted([
    'From ada Mon Mar  3 01:02:03 2025',
    ...complete,
    'no field',
    ' continued',
    'Bcc: h@example.com',
    '',
    'x',
    '',
  ])
  assert.deepEqual(lines, [...complete, '', 'x', ''])
})

test('empty lines before the header are no end of it', () => {
  assert.deepEqual(submitted(['', '', ...complete, 'Bcc: h@example.com', '', 'x', '']), [...complete, '', 'x', ''])
})

test('a header without a body is complete', () => {
  assert.deepEqual(submitted([...complete, 'Subject: x']), [...complete, 'Subject: x', '', ''])
})

test('a header beyond the bounds is not sent in part', () => {
  assert.throws(() => forSubmission(Buffer.from('X: y\r\n'.repeat(1_001)), message), MailError)
})

test('the header of a received message is shown field by field', () => {
  const mime =
    'Received: from a\r\n\tby b\r\nReceived: from c\r\nSubject: =?utf-8?Q?gr=C3=BCn=0D=0A?=\r\nnone\r\nX-E:\r\n\r\nX-Body: no\r\n'
  assert.deepEqual(transportHeadersOf(Buffer.from(mime)), [
    { name: 'Received', value: 'from a by b' },
    { name: 'Received', value: 'from c' },
    { name: 'Subject', value: 'grün' },
    { name: 'X-E', value: '' },
  ])
  assert.equal(transportHeadersOf(Buffer.from('X: y\r\n'.repeat(5_000))).length, 1_000)
})
