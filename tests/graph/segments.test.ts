/** Paths that go on behind a resource: to one property of it, or to a derived type; and conditional reads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, startServer } from '../support/start-server.js'

const adele = 'adele@contoso.com'

const files = [
  {
    '@odata.type': '#microsoft.graph.fileAttachment',
    name: 'a.txt',
    contentType: 'text/plain',
    contentBytes: 'SGVsbG8=',
  },
  {
    '@odata.type': '#microsoft.graph.itemAttachment',
    name: 'Inside',
    item: { '@odata.type': '#microsoft.graph.message', subject: 'Inside' },
  },
]

/** A draft with a file and an item, and the ids of all three. */
async function makeDraft(client: Client) {
  const { json } = await client.post('/me/messages', {
    subject: 'Quinces',
    body: { contentType: 'html', content: '<p>Ripe</p>' },
    categories: ['Red'],
    attachments: files,
  })
  const { value } = (await client.get(`/me/messages/${json.id}/attachments`)).json
  return { id: json.id as string, etag: json['@odata.etag'] as string, file: value[0].id, item: value[1].id }
}

test('a property of a message is read by its name', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const { id } = await makeDraft(client)
  const { json: whole } = await client.get(`/me/messages/${id}`)
  const path = `/me/messages/${id}`
  const subject = await client.get(`${path}/Subject`)
  const { '@odata.context': context, ...rest } = subject.json
  assert.deepEqual(rest, { value: 'Quinces' })
  assert.equal(context, whole['@odata.context'].replace('/$entity', `('${encodeURIComponent(id)}')/subject`))
  assert.deepEqual((await client.get(`${path}/categories`)).json.value, ['Red'])
  assert.equal((await client.get(`${path}/isRead`)).json.value, true)
  assert.equal((await client.get(`${path}/id`)).json.value, id)
  const text = await client.get(`${path}/body`, { Prefer: 'outlook.body-content-type="text"' })
  assert.equal(text.json.contentType, 'text')
  assert.equal(text.json.content.trim(), 'Ripe')
  assert.match((await client.get(`${path}/uniqueBody`)).json.content, /Ripe/)
  const inFolder = await client.get(`/me/mailFolders('drafts')/messages('${id}')/importance`)
  assert.equal(inFolder.json.value, 'normal')
  const none = await client.get(`${path}/from`)
  assert.deepEqual([none.status, none.text], [204, ''])
})

test('what is no property, or is hidden, is refused', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const basic = await server.user(adele, ['Mail.ReadBasic'])
  const { id, file, item } = await makeDraft(client)
  const path = `/me/messages/${id}`
  for (const segment of ['nothing', 'constructor', '__proto__']) {
    for (const method of ['GET', 'POST']) {
      const { status, json } = await client.call(method, `${path}/${segment}`, {
        ...(method === 'POST' ? { body: '' } : {}),
      })
      assert.equal(status, 400)
      assert.equal(json.error.message, `Resource not found for the segment '${segment}'.`)
    }
  }
  assert.equal((await client.get(`${path}/mentionsPreview`)).status, 400)
  assert.equal((await client.get(`/beta${path}/unsubscribeEnabled`)).json.value, false)
  assert.equal((await client.call('DELETE', `${path}/subject`)).status, 405)
  assert.equal((await basic.get(`${path}/subject`)).status, 200)
  assert.equal((await basic.get(`${path}/body`)).status, 403)
  const unknown = await client.get(`${path}/attachments/${item}/contentBytes`)
  assert.equal(unknown.json.error.message, "Resource not found for the segment 'contentBytes'.")
  assert.equal((await client.get(`${path}/attachments/${file}/item`)).status, 400)
  assert.equal((await client.get(`/me/messages/none/subject`)).json.error.code, 'ErrorInvalidIdMalformed')
})

test('a path may ask for a type: of messages, of attachments, and of one of them', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const { id, file, item } = await makeDraft(client)
  const path = `/me/messages/${id}`
  assert.equal((await client.get('/me/messages/microsoft.graph.message')).json.value.length, 1)
  assert.equal((await client.get(`${path}/microsoft.graph.message`)).json.id, id)
  assert.equal((await client.get(`${path}/graph.message/subject`)).json.value, 'Quinces')
  const meetings = await client.get('/me/messages/microsoft.graph.eventMessage?$count=true')
  assert.deepEqual([meetings.json.value, meetings.json['@odata.count']], [[], 0])
  assert.match(meetings.json['@odata.context'], /\/messages\/microsoft\.graph\.eventMessage$/)
  assert.equal((await client.get(`${path}/microsoft.graph.eventMessage`)).status, 400)
  assert.equal((await client.call('DELETE', `${path}/microsoft.graph.eventMessage`)).status, 400)
  assert.equal((await client.get('/me/messages/microsoft.graph.event')).status, 400)
  assert.equal((await client.get('/me/microsoft.graph.message')).status, 400)

  const of = async (type: string) =>
    (await client.get(`${path}/attachments/microsoft.graph.${type}`)).json.value.map(({ id }: { id: string }) => id)
  assert.deepEqual(await of('fileAttachment'), [file])
  assert.deepEqual(await of('ItemAttachment'), [item])
  assert.deepEqual(await of('referenceAttachment'), [])
  assert.deepEqual(await of('attachment'), [file, item])
  const one = `${path}/attachments/${file}/microsoft.graph.fileAttachment`
  assert.equal((await client.get(one)).json.name, 'a.txt')
  assert.equal((await client.get(`${one}/contentBytes`)).json.value, 'SGVsbG8=')
  assert.equal((await client.get(`${one}/$value`)).text, 'Hello')
  assert.equal((await client.get(`${path}/attachments/${item}/microsoft.graph.fileAttachment`)).status, 404)
  assert.equal((await client.get(`${path}/attachments/${item}/microsoft.graph.fileAttachment/$value`)).status, 404)
  assert.equal((await client.call('DELETE', one)).status, 400)
  const inside = await client.get(`${path}/attachments/${item}/microsoft.graph.itemAttachment/item`)
  assert.equal(inside.json.subject, 'Inside')
  assert.equal(inside.json['@odata.type'], '#microsoft.graph.message')
  assert.match(inside.json['@odata.context'], /\/microsoft\.graph\.itemAttachment\/item\/\$entity$/)
  assert.equal((await client.get(`${path}/attachments/${file}/microsoft.graph.itemAttachment/item`)).status, 404)
})

test('If-None-Match spares an answer that the caller has already', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const { id } = await makeDraft(client)
  const path = `/me/messages/${id}`
  const { '@odata.etag': etag } = (await client.get(path)).json
  const same = await client.get(path, { 'If-None-Match': `W/"other", ${etag}` })
  assert.deepEqual([same.status, same.text, same.headers.get('etag')], [304, '', etag])
  assert.equal((await client.get(path, { 'If-None-Match': '*' })).status, 304)
  assert.equal((await client.get(path, { 'If-None-Match': 'W/"other"' })).status, 200)
  server.clock.advance(5_000)
  await client.call('PATCH', path, { headers: { 'Content-Type': 'application/json' }, body: '{"subject":"Plums"}' })
  assert.equal((await client.get(path, { 'If-None-Match': etag })).json.subject, 'Plums')
})

test('return=minimal leaves the entity out of the answer to a change, and says where it is', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  const minimal = { Prefer: 'return=minimal, IdType="ImmutableId"' }
  const created = await client.post('/me/messages', { subject: 'Quinces' }, minimal)
  assert.deepEqual([created.status, created.text], [204, ''])
  assert.equal(created.headers.get('preference-applied'), 'return=minimal, IdType=ImmutableId')
  const location = created.headers.get('location') ?? ''
  assert.equal(created.headers.get('odata-entityid'), location)
  const path = location.slice(`${server.url}/v1.0`.length)
  const changed = await client.call('PATCH', path, {
    headers: { 'Content-Type': 'application/json', Prefer: 'return=minimal' },
    body: '{"subject":"Plums"}',
  })
  assert.deepEqual([changed.status, changed.headers.get('preference-applied')], [204, 'return=minimal'])
  assert.equal((await client.post(`${path}/attachments`, files[0], minimal)).status, 204)
  const read = await client.get(path, minimal)
  assert.equal(read.json.subject, 'Plums')
  assert.equal(read.json.hasAttachments, true)
  assert.equal(read.headers.get('preference-applied'), 'IdType=ImmutableId')
  assert.equal((await client.post(`${path}/move`, { destinationId: 'inbox' }, minimal)).status, 204)
})

test('$format may say json', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  assert.equal((await client.get('/me/messages?$format=json')).status, 200)
  assert.equal((await client.get('/me/messages?$format=application/json;odata.metadata=minimal')).status, 200)
  const { status, json } = await client.get('/me/messages?$format=atom')
  assert.equal(status, 400)
  assert.match(json.error.message, /\$format/)
})
