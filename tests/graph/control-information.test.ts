import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../support/start-server.js'

const none = { Accept: 'application/json;odata.metadata=none' }

/** Names of every member, at any depth. */
function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const below = Object.values(value).flatMap(namesIn)
  return Array.isArray(value) ? below : [...Object.keys(value), ...below]
}

test('with odata.metadata=none an answer has no control information but what leads on', async (t) => {
  const server = await startServer(t)
  const { post, get } = await server.user('adele@contoso.com', ['Mail.ReadWrite', 'User.Read'])
  const attachment = { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes: 'SGVsbG8=' }
  const created = await post('/me/messages', { subject: 'One', attachments: [attachment] }, none)
  assert.equal(created.status, 201)
  assert.equal(created.json.subject, 'One')
  assert.match(created.headers.get('content-type') ?? '', /^application\/json; ?odata\.metadata=none;/)

  const path = '/me/messages?$top=1&$count=true&$expand=attachments'
  const page = await get(path, none)
  const control = namesIn(page.json).filter((name) => name.includes('@'))
  assert.deepEqual(control, ['@odata.count', '@odata.nextLink'])
  // Nothing else is missing.
  const { json: whole, headers } = await get(path)
  assert.match(headers.get('content-type') ?? '', /odata\.metadata=minimal/)
  assert.deepEqual(
    namesIn(page.json).filter((name) => !name.includes('@')),
    namesIn(whole).filter((name) => !name.includes('@')),
  )
  assert.ok(namesIn(whole).includes('@odata.etag'))
  assert.equal(page.json.value[0].attachments[0].contentBytes, 'SGVsbG8=')

  const { json: user, headers: ofUser } = await get('/me', none)
  assert.ok(!('@odata.context' in user))
  assert.match(ofUser.get('content-type') ?? '', /odata\.metadata=none/)
})
