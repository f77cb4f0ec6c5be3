import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mimeDifferences } from '../../scripts/conformance/compare-mime.js'

const lines = [
  'From: Ada <ada@example.com>',
  'To: bob@example.com',
  'Subject: Lunch',
  'Date: Fri, 02 Jan 2026 03:04:05 +0000',
  'Message-ID: <1@example.com>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'At noon?',
  '',
]
const known = { sent: true, subject: 'Lunch', internetMessageId: '<1@example.com>', text: 'At noon?' }

test('MIME with every field, its subject, id and text conforms', async () => {
  assert.deepEqual(await mimeDifferences(Buffer.from(lines.join('\r\n')), known), [])
})

test('a missing field, a bare line feed and other values are told', async () => {
  const without = lines.filter((line) => !line.startsWith('Date'))
  assert.deepEqual(await mimeDifferences(Buffer.from(without.join('\n')), { ...known, subject: 'Dinner' }), [
    'MIME: no date field',
    'MIME: a line does not end in CRLF',
    'MIME subject: expected "Dinner", got "Lunch"',
  ])
})
