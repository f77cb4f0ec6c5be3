import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../support/start-server.js'

test('a mail is found by a word of it as soon as it was accepted', async (t) => {
  const server = await startServer(t)
  const ada = await server.user('ada@example.com')
  await ada.post('/me/sendMail', {
    message: {
      subject: 'Quarterly Report',
      body: { contentType: 'html', content: '<p>Gr&uuml;&szlig;e aus <b>Zürich</b></p>' },
      toRecipients: [{ emailAddress: { name: 'Bob Builder', address: 'bob@example.org' } }],
    },
  })
  for (const search of [
    '"report"',
    'zurich',
    '"to:bob"',
    '"to:bob@example.org report"',
    '"subject:\\"quarterly report\\""',
    '"NOT pizza"',
    '"rep*"',
  ]) {
    const answer = await ada.get(`/me/messages?$search=${encodeURIComponent(search)}`)
    assert.deepEqual(
      answer.json?.value?.map((m: { subject: string }) => m.subject),
      ['Quarterly Report'],
      `${search} ${answer.text}`,
    )
  }
  const other = await ada.get(`/me/messages?$search="pizza"`)
  assert.deepEqual(other.json.value, [])
})
