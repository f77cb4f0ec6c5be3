import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, startServer } from '../support/start-server.js'

async function put(client: Client, folder: string, subject: string, more: object = {}): Promise<string> {
  const made = await client.post(`/me/mailFolders/${folder}/messages`, { subject, ...more })
  assert.equal(made.status, 201, made.text)
  return made.json.id
}

async function child(client: Client, parent: string, displayName: string): Promise<string> {
  return (await client.post(`/me/mailFolders/${parent}/childFolders`, { displayName })).json.id
}

const digests = {
  '@odata.type': 'microsoft.graph.mailSearchFolder',
  displayName: 'Weekly digests',
  includeNestedFolders: true,
  sourceFolderIds: ['inbox'],
  filterQuery: "contains(subject, 'weekly digest')",
}

const patch = (client: Client, path: string, body: object) =>
  client.call('PATCH', path, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })

const subjectsOf = (json: { value: { subject: string }[] }) => json.value.map(({ subject }) => subject).toSorted()

test('a search folder shows what its filter finds in its sources, and counts it', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const nested = await child(adele, 'inbox', 'Nested')
  await put(adele, 'inbox', 'A Weekly Digest', { isRead: false })
  await put(adele, 'inbox', 'Something else')
  const deep = await put(adele, nested, 'weekly digest, nested')
  const elsewhere = await put(adele, 'archive', 'weekly digest, archived')

  const made = await adele.post('/me/mailFolders/searchfolders/childFolders', digests)
  assert.equal(made.status, 201, made.text)
  const inbox = (await adele.get('/me/mailFolders/inbox')).json
  assert.deepEqual(Object.keys(made.json).slice(1), [
    '@odata.type',
    'id',
    'displayName',
    'parentFolderId',
    'childFolderCount',
    'unreadItemCount',
    'totalItemCount',
    'sizeInBytes',
    'isHidden',
    'isSupported',
    'includeNestedFolders',
    'sourceFolderIds',
    'filterQuery',
  ])
  assert.equal(made.json['@odata.type'], '#microsoft.graph.mailSearchFolder')
  assert.deepEqual(made.json.sourceFolderIds, [inbox.id])
  assert.deepEqual([made.json.totalItemCount, made.json.unreadItemCount], [2, 1])

  const path = `/me/mailFolders/${made.json.id}/messages`
  assert.deepEqual(subjectsOf((await adele.get(path)).json), ['A Weekly Digest', 'weekly digest, nested'])
  const found = await adele.get(`${path}?$search="subject:digest"`)
  assert.deepEqual(subjectsOf(found.json), ['A Weekly Digest', 'weekly digest, nested'])
  assert.deepEqual(subjectsOf((await adele.get(`${path}?$search="nested OR archived"`)).json), [
    'weekly digest, nested',
  ])
  assert.equal((await adele.get(`${path}/$count`)).text, '2')
  const unread = await adele.get(`${path}?$filter=isRead eq false&$count=true`)
  assert.deepEqual([subjectsOf(unread.json), unread.json['@odata.count']], [['A Weekly Digest'], 1])
  const page = await adele.get(`${path}?$top=1`)
  const next = new URL(page.json['@odata.nextLink'])
  const second = await adele.get(`${next.pathname}${next.search}`)
  assert.equal(second.json.value.length, 1)
  assert.notEqual(second.json.value[0].id, page.json.value[0].id)
  assert.equal((await adele.get(`${path}/${deep}`)).json.parentFolderId, nested)
  assert.equal((await adele.get(`${path}/${elsewhere}`)).status, 404)
  const list = await adele.get('/me/mailFolders/searchfolders/childFolders')
  assert.deepEqual([list.json.value.length, list.json.value[0].totalItemCount], [1, 2])
})

test('what a search folder shows is changed; what cannot be searched is refused', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const nested = await child(adele, 'inbox', 'Nested')
  await put(adele, 'inbox', 'weekly digest')
  await put(adele, nested, 'weekly digest')
  const { id } = (await adele.post('/me/mailFolders', digests)).json
  const path = `/me/mailFolders/${id}`
  const changed = await patch(adele, path, {
    '@odata.type': 'microsoft.graph.mailSearchFolder',
    includeNestedFolders: false,
    displayName: 'Digests',
  })
  assert.equal(changed.status, 200, changed.text)
  assert.deepEqual([changed.json.displayName, changed.json.totalItemCount], ['Digests', 1])
  assert.equal((await patch(adele, path, { filterQuery: "subject eq 'other'" })).json.totalItemCount, 0)
  const sources = await patch(adele, path, { sourceFolderIds: [nested], filterQuery: 'isRead eq true' })
  assert.deepEqual([sources.json.sourceFolderIds, sources.json.totalItemCount], [[nested], 1])

  const refused = async (body: object) => {
    const { status, json } = await adele.post('/me/mailFolders', { ...digests, displayName: 'Refused', ...body })
    return [status, json.error.code]
  }
  assert.deepEqual(await refused({ filterQuery: 'colour eq 1' }), [400, 'RequestBroker--ParseUri'])
  assert.deepEqual(await refused({ filterQuery: 'subject eq' }), [400, 'BadRequest'])
  assert.deepEqual(await refused({ filterQuery: undefined }), [400, 'ErrorRequiredPropertyMissing'])
  assert.deepEqual(await refused({ sourceFolderIds: [] }), [400, 'ErrorRequiredPropertyMissing'])
  assert.deepEqual(await refused({ sourceFolderIds: ['nonsense'] }), [400, 'ErrorInvalidIdMalformed'])
  assert.deepEqual(await refused({ sourceFolderIds: [id] }), [400, 'ErrorMoveCopyFailed'])
  assert.deepEqual(await refused({ '@odata.type': '#microsoft.graph.message' }), [400, 'UnableToDeserializePostBody'])
  assert.deepEqual(await refused({ '@odata.type': undefined }), [400, 'UnableToDeserializePostBody'])
})

test('nothing can be put into a search folder; deleted, it is gone, and what it showed stays', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const message = await put(adele, 'inbox', 'weekly digest')
  const { id } = (await adele.post('/me/mailFolders', digests)).json
  const refused = [
    await adele.post(`/me/mailFolders/${id}/messages`, { subject: 'x' }),
    await adele.post(`/me/messages/${message}/move`, { destinationId: id }),
    await adele.post(`/me/messages/${message}/copy`, { destinationId: id }),
    await adele.post(`/me/mailFolders/${id}/childFolders`, { displayName: 'x' }),
  ]
  for (const { status, json } of refused) assert.deepEqual([status, json.error.code], [400, 'ErrorMoveCopyFailed'])
  const copy = await adele.post(`/me/mailFolders/${id}/copy`, { destinationId: 'archive' })
  assert.deepEqual([copy.status, copy.json.totalItemCount, copy.json.filterQuery], [201, 1, digests.filterQuery])
  assert.equal((await adele.call('DELETE', `/me/mailFolders/${id}`)).status, 204)
  assert.equal((await adele.get(`/me/mailFolders/${id}`)).status, 404)
  assert.equal((await adele.get(`/me/messages/${message}`)).status, 200)
})

test('who may not read bodies learns nothing of them from a search folder', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await put(adele, 'inbox', 'x', { body: { contentType: 'text', content: 'the secret' } })
  const search = { ...digests, filterQuery: "contains(body/content,'secret')" }
  const { id, totalItemCount } = (await adele.post('/me/mailFolders', search)).json
  assert.equal(totalItemCount, 1)
  const basic = await server.user('adele@contoso.com', ['Mail.ReadBasic'])
  assert.equal((await basic.get(`/me/mailFolders/${id}`)).json.totalItemCount, 0)
  assert.equal((await basic.get(`/me/mailFolders/${id}/messages`)).status, 403)
})
