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

async function make(client: Client, parent: string, displayName: string, more: object = {}) {
  const path = parent === '' ? '/me/mailFolders' : `/me/mailFolders/${parent}/childFolders`
  const { status, json, text } = await client.post(path, { displayName, ...more })
  assert.equal(status, 201, text)
  return json
}

const patch = (client: Client, path: string, body: object) =>
  client.call('PATCH', path, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })

const errorOf = ({ status, json }: { status: number; json: { error?: { code: string } } }) => [status, json.error?.code]

const namesIn = async (client: Client, folder: string) =>
  namesOf((await client.get(`/me/mailFolders/${folder}/childFolders?$top=1000&includeHiddenFolders=true`)).json)

test('a folder is made in the root and in a folder, and located under /mailFolders', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const top = await adele.post('/me/mailFolders', { displayName: 'Projects' })
  assert.equal(top.status, 201)
  assert.match(top.json['@odata.context'], /\/mailFolders\/\$entity$/)
  assert.ok(top.headers.get('location')?.endsWith(`/mailFolders('${top.json.id}')`))
  const { id, displayName, parentFolderId, isHidden } = top.json
  assert.equal(parentFolderId, (await adele.get('/me/mailFolders/msgfolderroot')).json.id)
  assert.deepEqual([displayName, isHidden, top.json.totalItemCount, top.json.sizeInBytes], ['Projects', false, 0, 0])
  const child = await adele.post(`/me/mailFolders/${id}/childFolders`, { displayName: 'A/B "ü"', isHidden: true })
  assert.equal(child.status, 201)
  assert.match(child.json['@odata.context'], /\/mailFolders\('[\w%-]+'\)\/childFolders\/\$entity$/)
  assert.ok(child.headers.get('location')?.endsWith(`/mailFolders('${child.json.id}')`))
  assert.deepEqual((await adele.get(`/me/mailFolders/${id}/childFolders`)).json.value, [])
  const countOf = async (hidden: boolean) =>
    (await adele.get(`/me/mailFolders/${id}/childFolders/$count?includeHiddenFolders=${hidden}`)).text
  assert.deepEqual([await countOf(false), await countOf(true)], ['0', '1'])
  assert.deepEqual(await namesIn(adele, id), ['A/B "ü"'])
  assert.equal((await adele.get(`/me/mailFolders/${id}`)).json.childFolderCount, 1)
  const deep = await make(adele, child.json.id, 'C')
  assert.equal(
    (await adele.get(`/me/mailFolders/${id}/childFolders/${child.json.id}/childFolders/${deep.id}`)).json.id,
    deep.id,
  )
  assert.deepEqual(namesOf((await adele.get('/me/mailFolders?$skip=6')).json), ['Outbox', 'Projects', 'Sent Items'])
})

test('names that are taken, empty, too long or no text are refused', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await make(adele, '', 'Projects', { isHidden: true })
  const taken = await adele.post('/me/mailFolders', { displayName: 'PROJECTS' })
  assert.deepEqual(taken.json, {
    error: {
      code: 'ErrorFolderExists',
      message: "A folder with the specified name already exists., Could not create folder 'PROJECTS'.",
    },
  })
  assert.equal(taken.status, 409)
  assert.deepEqual(errorOf(await adele.post('/me/mailFolders', { displayName: 'inbox' })), [409, 'ErrorFolderExists'])
  for (const displayName of ['', '  ', 'x'.repeat(256), 'a\nb', 'a\ud800b']) {
    const { status, json } = await adele.post('/me/mailFolders', { displayName })
    assert.deepEqual([status, json.error.code], [400, 'ErrorInvalidProperty'], JSON.stringify(displayName))
    assert.match(json.error.message, /'displayName'/)
  }
  assert.deepEqual(errorOf(await adele.post('/me/mailFolders', {})), [400, 'ErrorRequiredPropertyMissing'])
  assert.deepEqual(errorOf(await adele.post('/me/mailFolders', { displayName: 5 })), [
    400,
    'UnableToDeserializePostBody',
  ])
  const unknown = await adele.post('/me/mailFolders', { displayName: 'x', colour: 'red' })
  assert.deepEqual([unknown.status, unknown.json.error.target], [400, 'mailFolder/colour'])
  const gone = `${(await make(adele, '', 'Gone')).id}`
  assert.equal((await adele.call('POST', `/me/mailFolders/${gone}/permanentDelete`, { body: '' })).status, 204)
  assert.deepEqual(errorOf(await adele.post(`/me/mailFolders/${gone}/childFolders`, { displayName: 'x' })), [
    404,
    'ErrorItemNotFound',
  ])
})

test('a folder is renamed; a default folder, a taken name and what only the server sets are refused', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const { id } = await make(adele, '', 'Projects')
  await make(adele, '', 'Other')
  const renamed = await patch(adele, `/me/mailFolders/${id}`, { displayName: 'projects' })
  assert.deepEqual([renamed.status, renamed.json.id, renamed.json.displayName], [200, id, 'projects'])
  assert.equal((await adele.get(`/me/mailFolders/${id}`)).json.displayName, 'projects')
  assert.deepEqual(errorOf(await patch(adele, `/me/mailFolders/${id}`, { displayName: 'OTHER' })), [
    409,
    'ErrorFolderExists',
  ])
  assert.deepEqual(errorOf(await patch(adele, '/me/mailFolders/inbox', { displayName: 'X' })), [
    400,
    'ErrorMoveDistinguishedFolder',
  ])
  for (const body of [{ isHidden: true }, { totalItemCount: 0 }, { filterQuery: 'isRead eq true' }]) {
    assert.deepEqual(errorOf(await patch(adele, `/me/mailFolders/${id}`, body)), [400, 'ErrorInvalidPropertySet'])
  }
})

test('a deleted folder goes to Deleted Items with all it holds, and from there away; its mail can be recovered', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const { id } = await make(adele, '', 'Projects')
  const child = await make(adele, id, 'Child')
  await put(adele, child.id, 2, { isRead: false })
  await make(adele, 'deleteditems', 'Projects')
  assert.equal((await adele.call('DELETE', `/me/mailFolders/${id}`)).status, 204)
  assert.deepEqual(await namesIn(adele, 'deleteditems'), ['Projects', 'Projects (1)'])
  const [message] = (await adele.get(`/me/mailFolders/${child.id}/messages`)).json.value
  assert.equal((await adele.get(`/me/messages/${message.id}`)).status, 200)
  assert.equal((await adele.call('DELETE', `/me/mailFolders/${id}`)).status, 204)
  assert.deepEqual(await namesIn(adele, 'deleteditems'), ['Projects'])
  assert.equal((await adele.get(`/me/mailFolders/${child.id}`)).status, 404)
  assert.equal((await adele.get(`/me/messages/${message.id}`)).status, 404)
  const deletions = (await adele.get('/me/mailFolders/recoverableitemsdeletions')).json
  assert.deepEqual([deletions.totalItemCount, deletions.unreadItemCount], [2, 2])
  assert.equal((await adele.get('/me/mailFolders/recoverableitemsdeletions/messages')).json.value.length, 2)
})

test('permanentDelete leaves nothing of a folder', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const { id } = await make(adele, '', 'Projects')
  await put(adele, (await make(adele, id, 'Child')).id, 3)
  assert.equal((await adele.call('POST', `/me/mailFolders/${id}/permanentDelete`, { body: '' })).status, 204)
  assert.equal((await adele.get(`/me/mailFolders/${id}`)).status, 404)
  assert.equal((await adele.get('/me/messages/$count')).text, '0')
  assert.deepEqual((await adele.get('/me/messages')).json.value, [])
  assert.equal((await adele.get('/me/mailFolders/recoverableitemsdeletions')).json.totalItemCount, 0)
})

test('default folders are neither deleted, moved nor purged', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  for (const name of ['inbox', 'msgfolderroot', 'recoverableitemsdeletions', 'conflicts']) {
    assert.deepEqual(errorOf(await adele.call('DELETE', `/me/mailFolders/${name}`)), [
      400,
      'ErrorDeleteDistinguishedFolder',
    ])
    const purge = await adele.call('POST', `/me/mailFolders/${name}/permanentDelete`, { body: '' })
    assert.deepEqual(errorOf(purge), [400, 'ErrorDeleteDistinguishedFolder'])
    const move = await adele.post(`/me/mailFolders/${name}/move`, { destinationId: 'archive' })
    assert.deepEqual(errorOf(move), [400, 'ErrorMoveDistinguishedFolder'])
  }
  const text = (await adele.call('DELETE', '/me/mailFolders/inbox')).json.error.message
  assert.equal(text, 'Distinguished folders cannot be deleted.')
})

test('a moved folder keeps its id and those of its messages; into itself it cannot be put', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const { id } = await make(adele, '', 'Projects')
  const child = await make(adele, id, 'Child')
  await put(adele, child.id, 1)
  const [message] = (await adele.get(`/me/mailFolders/${child.id}/messages`)).json.value
  const archive = (await adele.get('/me/mailFolders/archive')).json
  const moved = await adele.post(`/me/mailFolders/${id}/move`, { destinationId: 'Archive' })
  assert.deepEqual([moved.status, moved.json.id, moved.json.parentFolderId], [200, id, archive.id])
  assert.equal(moved.json.childFolderCount, 1)
  assert.equal((await adele.get(`/me/mailFolders/archive/childFolders/${id}`)).status, 200)
  assert.equal((await adele.get(`/me/messages/${message.id}`)).json.parentFolderId, child.id)
  for (const destinationId of [id, child.id]) {
    const answer = await adele.post(`/me/mailFolders/${id}/move`, { destinationId })
    assert.deepEqual(errorOf(answer), [400, 'ErrorMoveCopyFailed'])
  }
  await make(adele, '', 'PROJECTS')
  const taken = await adele.post(`/me/mailFolders/${id}/move`, { destinationId: 'msgfolderroot' })
  assert.deepEqual(errorOf(taken), [409, 'ErrorFolderExists'])
  assert.deepEqual(errorOf(await adele.post(`/me/mailFolders/${id}/move`, { destinationId: 'Some name' })), [
    400,
    'ErrorInvalidIdMalformed',
  ])
  assert.deepEqual(errorOf(await adele.post(`/me/mailFolders/${id}/move`, {})), [400, 'RequestBodyRead'])
})

test('a copied folder has everything again under new ids: folders, messages, MIME, attachments, counts', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const { id } = await make(adele, '', 'Projects')
  const child = await make(adele, id, 'Child', { isHidden: true })
  const file = { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes: 'UXVpbmNlcw==' }
  await put(adele, child.id, 1, { isRead: false, attachments: [file] })
  const mime = Buffer.from('Subject: As it came\r\nX-Odd:  kept\r\n\r\nBody\r\n').toString('base64')
  const imported = await adele.call('POST', `/me/mailFolders/${child.id}/messages`, {
    headers: { 'Content-Type': 'text/plain' },
    body: mime,
  })
  assert.equal(imported.status, 201, imported.text)
  const copy = await adele.post(`/me/mailFolders/${id}/copy`, { destinationId: 'archive' })
  assert.equal(copy.status, 201, copy.text)
  assert.ok(copy.headers.get('location')?.endsWith(`/mailFolders('${copy.json.id}')`))
  assert.notEqual(copy.json.id, id)
  assert.deepEqual([copy.json.displayName, copy.json.childFolderCount], ['Projects', 1])
  const path = `/me/mailFolders/${copy.json.id}/childFolders`
  const [copied] = (await adele.get(`${path}?includeHiddenFolders=true`)).json.value
  const original = (await adele.get(`/me/mailFolders/${child.id}`)).json
  for (const name of ['displayName', 'isHidden', 'totalItemCount', 'unreadItemCount', 'sizeInBytes']) {
    assert.equal(copied[name], original[name], name)
  }
  const query = 'messages?$expand=attachments&$orderby=subject'
  const before = (await adele.get(`/me/mailFolders/${child.id}/${query}`)).json.value
  const after = (await adele.get(`/me/mailFolders/${copied.id}/${query}`)).json.value
  assert.deepEqual(
    after.map((message: { subject: string }) => message.subject),
    ['0', 'As it came'],
  )
  assert.notEqual(after[0].id, before[0].id)
  assert.equal(after[0].attachments[0].contentBytes, 'UXVpbmNlcw==')
  assert.equal(after[0].receivedDateTime, before[0].receivedDateTime)
  assert.match((await adele.get(`/me/messages/${after[1].id}/$value`)).text, /X-Odd: {2}kept/)
  assert.deepEqual(errorOf(await adele.post(`/me/mailFolders/${id}/copy`, { destinationId: child.id })), [
    400,
    'ErrorMoveCopyFailed',
  ])
  assert.deepEqual(errorOf(await adele.post(`/me/mailFolders/${id}/copy`, { destinationId: 'archive' })), [
    409,
    'ErrorFolderExists',
  ])
})

test('folders are expanded to any depth, each level with its own options', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const { id } = await make(adele, 'inbox', 'B')
  await make(adele, 'inbox', 'A')
  await make(adele, id, 'C')
  const { json } = await adele.get(
    '/me/mailFolders/inbox?$expand=childFolders($top=9999;$select=displayName;$expand=childFolders)',
  )
  assert.match(json['@odata.context'], /mailFolders\(childFolders\(displayName,childFolders\(\)\)\)\/\$entity$/)
  assert.deepEqual(
    json.childFolders.map((folder: { displayName: string; childFolders: object[] }) => [
      folder.displayName,
      folder.childFolders.length,
    ]),
    [
      ['A', 0],
      ['B', 1],
    ],
  )
  assert.deepEqual(errorOf(await adele.get('/me/mailFolders?$expand=messageRules')), [400, 'ExpandNotSupported'])
})

test('updateAllMessagesReadState marks everything in the folder, and its count (beta)', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const { id } = await make(adele, '', 'Projects')
  await put(adele, id, 3, { isRead: false })
  await put(adele, id, 1)
  const path = `/beta/me/mailFolders/${id}/updateAllMessagesReadState`
  const unread = async () => (await adele.get(`/me/mailFolders/${id}`)).json.unreadItemCount
  const states = async () =>
    (await adele.get(`/me/mailFolders/${id}/messages`)).json.value.map(({ isRead }: { isRead: boolean }) => isRead)
  assert.equal((await adele.post(path, { isRead: 'true', suppressReadReceipts: 'true' })).status, 204)
  assert.deepEqual([await unread(), await states()], [0, [true, true, true, true]])
  assert.equal((await adele.post(path, { isRead: false, suppressReadReceipts: true })).status, 204)
  assert.deepEqual([await unread(), await states()], [4, [false, false, false, false]])
  assert.deepEqual(errorOf(await adele.post(path, {})), [400, 'RequestBodyRead'])
  assert.equal((await adele.post(path.replace('/beta', '/v1.0'), { isRead: true })).status, 400)
})

test('markAsJunk and markAsNotJunk move a message when they are asked to (beta)', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await put(adele, 'inbox', 1)
  const [{ id }] = (await adele.get('/me/mailFolders/inbox/messages')).json.value
  const stays = await adele.post(`/beta/me/messages/${id}/markAsJunk`, { moveToJunk: false })
  assert.deepEqual([stays.status, stays.json.id], [202, id])
  const junk = await adele.post(`/beta/me/messages/${id}/markAsJunk`, { MoveToJunk: true })
  assert.equal(junk.status, 202)
  assert.equal(junk.json.parentFolderId, (await adele.get('/me/mailFolders/junkemail')).json.id)
  const back = await adele.post(`/beta/me/messages/${junk.json.id}/markAsNotJunk`, { moveToInbox: true })
  assert.equal(back.json.parentFolderId, (await adele.get('/me/mailFolders/inbox')).json.id)
  assert.deepEqual(errorOf(await adele.post(`/beta/me/messages/${back.json.id}/markAsJunk`, {})), [
    400,
    'RequestBodyRead',
  ])
})

test('$filter on folders compares names without case, and counts', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await put(adele, 'inbox', 2, { isRead: false })
  const { id } = await make(adele, 'inbox', "O'Brien")
  await make(adele, 'inbox', 'Other')
  const found = async (filter: string, path = '/me/mailFolders') => {
    const { status, json, text } = await adele.get(`${path}?$filter=${encodeURIComponent(filter)}&$count=true`)
    assert.equal(status, 200, text)
    assert.equal(json['@odata.count'], json.value.length)
    return namesOf(json)
  }
  assert.deepEqual(await found("displayName eq 'INBOX'"), ['Inbox'])
  assert.deepEqual(await found('totalItemCount gt 1 and unreadItemCount ge 2'), ['Inbox'])
  assert.deepEqual(await found('childFolderCount eq 2 or startsWith(displayName,"x")'.replaceAll('"', "'")), ['Inbox'])
  assert.deepEqual(await found("contains(displayName,'items') and not (displayName eq 'Sent Items')"), [
    'Deleted Items',
  ])
  assert.deepEqual(await found("displayName in ('drafts','outbox')"), ['Drafts', 'Outbox'])
  assert.deepEqual(await found('isHidden eq true'), [])
  const children = '/me/mailFolders/inbox/childFolders'
  assert.deepEqual(await found("displayName eq 'o''brien'", children), ["O'Brien"])
  assert.deepEqual(await found(`id eq '${id}'`, children), ["O'Brien"])
  const page = await adele.get(`${children}?$filter=displayName eq 'other'&$top=1`)
  assert.match(page.json['@odata.nextLink'], /\?%24filter=displayName\+eq\+%27other%27&%24top=1&%24skip=1$/)
  assert.equal((await adele.get("/me/mailFolders/$count?$filter=endswith(displayName,'box')")).text, '2')
  for (const [filter, code] of [
    ['colour eq 1', 'RequestBroker--ParseUri'],
    ['displayName eq 1', 'BadRequest'],
    ['displayName eq', 'BadRequest'],
    ['sourceFolderIds eq null', 'ErrorInvalidUrlQueryFilter'],
    ['length(displayName) eq 5', 'ErrorInvalidUrlQueryFilter'],
    ['displayName', 'BadRequest'],
  ]) {
    const answer = await adele.get(`/me/mailFolders?$filter=${encodeURIComponent(filter ?? '')}`)
    assert.deepEqual(errorOf(answer), [400, code], filter)
  }
})

test('messages and extended properties of folders are expanded', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const folderClass = { id: 'String 0x3613', value: 'IPF.Note' }
  const { id } = await make(adele, '', 'Projects', { singleValueExtendedProperties: [folderClass] })
  await put(adele, id, 3)
  const { json } = await adele.get(`/me/mailFolders/${id}?$expand=messages($top=2;$select=subject;$orderby=subject)`)
  assert.deepEqual(
    json.messages.map(({ subject, body }: { subject: string; body?: object }) => [subject, body]),
    [
      ['0', undefined],
      ['1', undefined],
    ],
  )
  const asked = "singleValueExtendedProperties($filter=id eq 'STRING 0x3613')"
  const shown = await adele.get(`/me/mailFolders/${id}?$expand=${asked}`)
  assert.deepEqual(shown.json.singleValueExtendedProperties, [folderClass])
  const changed = { ...folderClass, value: 'IPF.Other' }
  assert.equal((await patch(adele, `/me/mailFolders/${id}`, { singleValueExtendedProperties: [changed] })).status, 200)
  const after = await adele.get(`/me/mailFolders?$expand=${asked}&$top=1000`)
  const found = after.json.value.filter((folder: object) => 'singleValueExtendedProperties' in folder)
  assert.deepEqual(namesOf({ value: found }), ['Projects'])
  assert.deepEqual(found[0].singleValueExtendedProperties, [changed])
  const where = "singleValueExtendedProperties/any(ep: ep/id eq 'String 0x3613' and ep/value eq 'IPF.Other')"
  assert.deepEqual(namesOf((await adele.get(`/me/mailFolders?$filter=${where}`)).json), ['Projects'])
  const basic = await server.user('adele@contoso.com', ['Mail.ReadBasic'])
  const [message] = (await basic.get(`/me/mailFolders/${id}?$expand=messages`)).json.messages
  assert.equal('body' in message, false)
})
