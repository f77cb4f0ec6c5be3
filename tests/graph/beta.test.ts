/** What beta has beyond v1.0. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../support/start-server.js'

const dana = { name: 'Dana Swope', address: 'dana@contoso.com' }

test('mentions are kept, travel with the mail, and show whether the owner is meant', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const mentioned = await server.user('dana@contoso.com')
  const { status, json } = await adele.post('/beta/me/messages', {
    subject: 'Party planning',
    toRecipients: [{ emailAddress: dana }],
    mentions: [{ mentioned: dana, clientReference: 'menu' }],
  })
  assert.equal(status, 201)
  assert.deepEqual(json.mentionsPreview, { isMentioned: false })
  const [mention] = json.mentions
  assert.deepEqual(mention.mentioned, dana)
  assert.equal(mention.clientReference, 'menu')
  assert.equal(mention.createdBy.address, 'adele@contoso.com')
  assert.match(mention.id, /^[0-9a-f-]{36}$/)
  assert.equal((await adele.call('POST', `/me/messages/${json.id}/send`, { body: '' })).status, 202)
  await server.graphpost.drainOutbox(5_000)
  const [received] = (await mentioned.get('/beta/me/mailFolders/inbox/messages?$expand=mentions')).json.value
  assert.deepEqual(received.mentionsPreview, { isMentioned: true })
  assert.equal(received.mentions[0].createdBy.address, 'adele@contoso.com')
})

test('a mention is taken out, and the others stay who they are', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const randi = { name: 'Randi Welch', address: 'randi@contoso.com' }
  const mentions = [{ mentioned: dana }, { mentioned: randi }, { mentioned: dana }]
  const { json } = await adele.post('/beta/me/messages', { subject: 'Planning', mentions })
  const mentionsOf = async () => (await adele.get(`/beta/me/messages/${json.id}?$expand=mentions`)).json.mentions
  const remove = (id: string) => adele.call('DELETE', `/beta/me/messages/${json.id}/mentions/${id}`)
  const [first, second, third] = await mentionsOf()
  assert.equal(new Set([first.id, second.id, third.id]).size, 3)
  assert.equal((await remove(third.id)).status, 204)
  assert.deepEqual(await mentionsOf(), [first, second])
  assert.equal((await remove(first.id)).status, 204)
  assert.deepEqual(await mentionsOf(), [second])
  assert.equal((await remove(first.id)).status, 404)
  assert.equal((await adele.call('DELETE', `/me/messages/${json.id}/mentions/${second.id}`)).status, 400)
  assert.equal((await remove(second.id)).status, 204)
  assert.deepEqual(await mentionsOf(), [])
  const { mentionsPreview } = (await adele.get(`/beta/me/messages/${json.id}`)).json
  assert.equal(mentionsPreview, null)
})

test('v1.0 knows none of it', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const refused = await adele.post('/me/messages', { mentions: [{ mentioned: dana }] })
  assert.deepEqual([refused.status, refused.json.error.code], [400, 'UnableToDeserializePostBody'])
  const { json } = await adele.post('/me/messages', { subject: 'Plain' })
  for (const name of ['mentionsPreview', 'unsubscribeData', 'unsubscribeEnabled']) assert.equal(name in json, false)
  assert.equal((await adele.get('/me/messages?$expand=mentions')).json.error.code, 'ExpandNotSupported')
  assert.equal((await adele.get('/me/messages?$select=mentionsPreview')).status, 400)
  const unsubscribe = await adele.call('POST', `/me/messages/${json.id}/unsubscribe`, { body: '' })
  assert.equal(unsubscribe.status, 400)
  assert.equal(unsubscribe.json.error.message, "Resource not found for the segment 'unsubscribe'.")
})

test('a mention names somebody', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  for (const mentions of [[{}], [{ mentioned: null }], [null], 'dana', [{ mentioned: 'dana' }]]) {
    const { status, json } = await adele.post('/beta/me/messages', { mentions })
    assert.equal(status, 400, JSON.stringify(mentions))
    assert.ok(['ErrorRequiredPropertyMissing', 'UnableToDeserializePostBody'].includes(json.error.code))
  }
})

test('a list is left by the mail it asks for', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const list = await server.user('list@contoso.com')
  const mime = [
    'From: list@contoso.com',
    'To: adele@contoso.com',
    'Subject: Offers',
    'List-Unsubscribe: <https://example.com/leave?id=1>, <mailto:list@contoso.com?subject=leave%20me>',
    '',
    'Buy',
    '',
  ].join('\r\n')
  const sent = await list.post('/me/sendMail', Buffer.from(mime).toString('base64'), { 'Content-Type': 'text/plain' })
  assert.equal(sent.status, 202, sent.text)
  await server.graphpost.drainOutbox(5_000)
  const [offer] = (await adele.get('/beta/me/mailFolders/inbox/messages')).json.value
  assert.equal(offer.unsubscribeEnabled, true)
  assert.deepEqual(offer.unsubscribeData, [
    'https://example.com/leave?id=1',
    'mailto:list@contoso.com?subject=leave%20me',
  ])
  const answer = await adele.call('POST', `/beta/me/messages/${offer.id}/unsubscribe`, { body: '' })
  assert.deepEqual([answer.status, answer.text], [202, ''])
  await server.graphpost.drainOutbox(5_000)
  const [request] = (await list.get('/me/mailFolders/inbox/messages')).json.value
  assert.equal(request.subject, 'leave me')
  assert.equal(request.from.emailAddress.address, 'adele@contoso.com')
  assert.equal((await adele.get('/me/mailFolders/sentitems/messages/$count')).text, '0')
  const plain = (await adele.post('/beta/me/messages', { subject: 'No list' })).json
  const refused = await adele.call('POST', `/beta/me/messages/${plain.id}/unsubscribe`, { body: '' })
  assert.deepEqual([refused.status, refused.json.error.code], [400, 'ErrorInvalidReferenceItem'])
})
