import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simpleParser } from 'mailparser'
import { convertedFor } from '../../../src/mail/mime/seven-bit.js'

const sevenBits = { bodies: false, headers: false }

test('a message that needs nothing comes back as it is', () => {
  const plain = Buffer.from('Subject: x\r\n\r\nASCII\r\n')
  assert.equal(convertedFor(plain, sevenBits), plain)
  const body = Buffer.from('Subject: x\r\n\r\nGrüße\r\n')
  assert.equal(convertedFor(body, { bodies: true, headers: false }), body)
  const header = Buffer.from('Subject: Grüße\r\n\r\nx\r\n')
  assert.equal(convertedFor(header, { bodies: true, headers: true }), header)
})

test('texts become quoted-printable, files base64, header text encoded words, and all read as before', async () => {
  const attached = [
    'From: x@y.example',
    'Subject: Innen',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    'tief drinnen: ß',
  ].join('\r\n')
  const file = Buffer.from([0x00, 0x80, 0xff, 0x41].filter((byte) => byte !== 0))
  const message = Buffer.concat([
    Buffer.from(
      [
        'From: Jürgen <j@contoso.example>',
        'To: "Käthe, B." <k@contoso.example>, x@y.example',
        'Subject: Grüße aus Köln',
        'MIME-Version: 1.0',
        'Content-Transfer-Encoding: 8bit',
        'Content-Type: multipart/mixed; boundary=b',
        '',
        'preamble',
        '--b',
        'Content-Type: text/html; charset=utf-8',
        'Content-Transfer-Encoding: 8bit',
        '',
        `<p>Käse = ${'süß '.repeat(60)}</p>`,
        '--b',
        'Content-Type: text/plain',
        '',
        'untouched = yes',
        '--b',
        '',
        'no header ü',
        '--b',
        'Content-Type: message/rfc822',
        '',
        attached,
        '--b',
        'Content-Type: application/octet-stream; name="Übung.bin"',
        'Content-Disposition: attachment; filename="Übung.bin"',
        'Content-Transfer-Encoding: binary',
        '',
        '',
      ].join('\r\n'),
    ),
    file,
    Buffer.from('\r\n--b--\r\n'),
  ])
  const converted = convertedFor(message, sevenBits)
  assert.ok(typeof converted !== 'string')
  assert.ok(converted.every((byte) => byte < 128 && byte > 0))
  assert.ok(
    converted
      .toString()
      .split('\r\n')
      .every((line) => line.length <= 998),
  )
  assert.doesNotMatch(converted.toString(), /8bit|binary/i)
  assert.match(converted.toString(), /untouched = yes/)

  const [before, after] = [await simpleParser(message), await simpleParser(converted)]
  assert.equal(after.subject, 'Grüße aus Köln')
  assert.deepEqual(after.from?.value, [{ address: 'j@contoso.example', name: 'Jürgen' }])
  assert.deepEqual(
    after.to,
    before.to && { ...before.to, text: (after.to as { text: string }).text, html: (after.to as { html: string }).html },
  )
  assert.match(String(after.html), /Käse = süß süß/)
  assert.match(after.text ?? '', /tief drinnen: ß|no header/)
  const named = after.attachments.find(({ filename }) => filename === 'Übung.bin')
  assert.ok(named?.content.equals(file))
})

test('what must not be touched, or cannot be written in ASCII, is said', () => {
  const signed = ['Content-Type: multipart/signed; boundary=b', '', '--b', '', 'ü', '--b--', ''].join('\r\n')
  assert.equal(convertedFor(Buffer.from(signed), sevenBits), 'needs 8bit')
  const encoded = 'Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nü\r\n'
  assert.equal(convertedFor(Buffer.from(encoded), sevenBits), 'needs 8bit')
  const address = 'To: grüße@contoso.example\r\n\r\nx\r\n'
  assert.equal(convertedFor(Buffer.from(address), { bodies: true, headers: false }), 'needs utf8')
})
