import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, startServer } from '../support/start-server.js'

/** The folders that a new mailbox shows, in their order. */
const defaults = [
  'Archive',
  'Conversation History',
  'Deleted Items',
  'Drafts',
  'Inbox',
  'Junk Email',
  'Outbox',
  'Sent Items',
]

const namesOf = (json: { value: { displayName: string }[] }) => json.value.map(({ displayName }) => displayName)

async function put(client: Client, folder: string, count: number, more: object = {}): Promise<void> {
  for (let number = 0; number < count; number++) {
    const made = await client.post(`/me/mailFolders/${folder}/messages`, { subject: `${number}`, ...more })
    assert.equal(made.status, 201, made.text)
  }
}

test('a new mailbox shows eight folders, ordered by name, children of a root that is in no list', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const { json, status } = await adele.get('/me/mailFolders')
  assert.equal(status, 200)
  assert.deepEqual(namesOf(json), defaults)
  assert.equal(json['@odata.nextLink'], undefined)
  assert.match(json['@odata.context'], /\/v1\.0\/\$metadata#users\('[0-9a-f-]{36}'\)\/mailFolders$/)
  const root = (await adele.get('/me/mailFolders/msgfolderroot')).json
  for (const folder of json.value) {
    assert.deepEqual(Object.keys(folder), [
      'id',
      'displayName',
      'parentFolderId',
      'childFolderCount',
      'unreadItemCount',
      'totalItemCount',
      'sizeInBytes',
      'isHidden',
    ])
    assert.equal(folder.parentFolderId, root.id)
    assert.equal(folder.isHidden, false)
  }
  const hidden = await adele.get('/me/mailFolders/?includeHiddenFolders=true')
  assert.deepEqual(namesOf(hidden.json), [...defaults, 'Sync Issues'])
  assert.equal(root.childFolderCount, defaults.length + 1)
})

test('a folder is found by its well-known name in any case, by its id, and in beta tells its name', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const inbox = (await adele.get('/me/mailFolders/inbox')).json
  assert.match(inbox['@odata.context'], /\/mailFolders\/\$entity$/)
  assert.equal(inbox.displayName, 'Inbox')
  assert.equal('wellKnownName' in inbox, false)
  assert.equal((await adele.get("/me/mailFolders('InBox')")).json.id, inbox.id)
  assert.equal((await adele.get(`/me/mailFolders/${inbox.id}`)).json.id, inbox.id)
  assert.equal((await adele.get(`/me/mailFolders/msgfolderroot/childFolders/${inbox.id}`)).json.id, inbox.id)
  assert.equal((await adele.get('/beta/me/mailFolders/Inbox')).json.wellKnownName, 'inbox')
  assert.equal((await adele.get('/me/mailFolders/Sent%20Items')).json.error.code, 'ErrorInvalidIdMalformed')
  assert.equal((await adele.get(`/me/mailFolders/drafts/childFolders/${inbox.id}`)).status, 404)
})

test('counts are those of the items directly in the folder', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await put(adele, 'inbox', 2)
  await put(adele, 'inbox', 1, { isRead: false })
  const { totalItemCount, unreadItemCount, sizeInBytes } = (await adele.get('/me/mailFolders/inbox')).json
  assert.deepEqual([totalItemCount, unreadItemCount], [3, 1])
  assert.ok(sizeInBytes > 0)
})

test('$select, $top, $skip, $count and $orderby do what they say of folders', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await put(adele, 'inbox', 2)
  await put(adele, 'drafts', 1)
  const { json } = await adele.get('/me/mailFolders?$top=2&$skip=1&$count=true&$select=displayName,totalItemCount')
  assert.deepEqual(Object.keys(json), ['@odata.context', '@odata.count', 'value', '@odata.nextLink'])
  assert.match(json['@odata.context'], /mailFolders\(displayName,totalItemCount\)$/)
  assert.equal(json['@odata.count'], 8)
  assert.deepEqual(namesOf(json), ['Conversation History', 'Deleted Items'])
  assert.deepEqual(Object.keys(json.value[0]), ['id', 'displayName', 'totalItemCount'])
  assert.match(json['@odata.nextLink'], /&%24skip=3$/)
  const busiest = await adele.get('/me/mailFolders?$orderby=totalItemCount desc,displayName&$top=3')
  assert.deepEqual(namesOf(busiest.json), ['Inbox', 'Drafts', 'Archive'])
  const count = await adele.get('/me/mailFolders/$count')
  assert.deepEqual([count.text, count.headers.get('content-type')], ['8', 'text/plain'])
  const unknown = await adele.get('/me/mailFolders?$select=wellKnownName')
  assert.deepEqual([unknown.status, unknown.json.error.code], [400, 'RequestBroker--ParseUri'])
  assert.equal((await adele.get('/me/mailFolders?$orderby=id')).status, 400)
  assert.equal((await adele.get('/me/mailFolders?$top=9999')).status, 200)
  assert.equal((await adele.get('/me/mailFolders?$top=10001')).status, 400)
})
