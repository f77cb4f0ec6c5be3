import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startGraphpost } from '../../src/app.js'
import { movableClock } from '../support/movable-clock.js'
import {
  atEnd,
  type Client,
  clientOf,
  freshFolder,
  startServer,
  testSettings,
  testStore,
} from '../support/start-server.js'

const drafts = '/me/mailFolders/drafts/messages/delta'

async function setup(t: TestContext): Promise<Client> {
  return (await startServer(t)).user('adele@contoso.com')
}

async function created(client: Client, subject: string, folder = 'drafts'): Promise<string> {
  const answer = await client.post(`/me/mailFolders/${folder}/messages`, { subject })
  assert.equal(answer.status, 201, answer.text)
  return answer.json.id
}

function patch(client: Client, path: string, body: object) {
  return client.call('PATCH', path, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
}

/** A link without scheme and host, for a client that knows them. */
function below(link: string): string {
  return link.slice(link.indexOf('/v1.0'))
}

interface Round {
  readonly value: { id: string; subject?: string; displayName?: string; '@removed'?: object }[]
  readonly pages: number
  /** The deltaLink, as a path. */
  readonly next: string
}

/** Follows nextLinks up to the deltaLink. */
async function round(client: Client, path: string, headers: Record<string, string> = {}): Promise<Round> {
  const value: Round['value'] = []
  for (let pages = 1; ; pages++) {
    const { status, json, text } = await client.get(path, headers)
    assert.equal(status, 200, text)
    value.push(...json.value)
    if (json['@odata.deltaLink'] !== undefined) return { value, pages, next: below(json['@odata.deltaLink']) }
    path = below(json['@odata.nextLink'])
  }
}

const subjects = ({ value }: Round) => value.map((item) => item.subject ?? `removed ${item.id}`)

async function refused(client: Client, path: string, status: number, code: string): Promise<string> {
  const answer = await client.get(path)
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.json.error.code, code)
  return answer.json.error.message
}

test('the first round shows a folder in pages that lead to a deltaLink', async (t) => {
  const adele = await setup(t)
  for (const subject of ['one', 'two', 'three']) await created(adele, subject)
  const paged = { Prefer: 'odata.maxpagesize=2' }
  const first = await adele.get(`${drafts}?$select=subject`, paged)
  assert.deepEqual(Object.keys(first.json), ['@odata.context', '@odata.nextLink', 'value'])
  assert.match(first.json['@odata.context'], /\/v1\.0\/\$metadata#Collection\(message\)$/)
  assert.match(
    first.json['@odata.nextLink'],
    /\/v1\.0\/me\/mailFolders\('drafts'\)\/messages\/delta\?\$skiptoken=[\w.-]+$/,
  )
  assert.equal(first.headers.get('preference-applied'), 'odata.track-changes, odata.maxpagesize=2')
  assert.deepEqual(Object.keys(first.json.value[0]), ['@odata.type', '@odata.etag', 'id', 'subject'])
  assert.equal(first.json.value[0]['@odata.type'], '#microsoft.graph.message')

  const rest = await adele.get(below(first.json['@odata.nextLink']), paged)
  assert.deepEqual(Object.keys(rest.json), ['@odata.context', '@odata.deltaLink', 'value'])
  assert.match(rest.json['@odata.deltaLink'], /messages\/delta\?\$deltatoken=[\w.-]+$/)
  const both = [...first.json.value, ...rest.json.value]
  assert.deepEqual(both.map(({ subject }) => subject).sort(), ['one', 'three', 'two'])
})

test('a later round shows what was made, changed and deleted since, once, with the options of the first', async (t) => {
  const adele = await setup(t)
  const kept = await created(adele, 'kept')
  const changing = await created(adele, 'changing')
  const deleted = await created(adele, 'deleted')
  const first = await round(adele, `${drafts}?$select=subject,isRead`)
  await patch(adele, `/me/messages/${changing}`, { isRead: false })
  await adele.call('DELETE', `/me/messages/${deleted}`)
  await created(adele, 'new')

  const { json } = await adele.get(first.next)
  const [changed, gone, made] = json.value
  assert.equal(json.value.length, 3)
  assert.deepEqual(Object.keys(changed), ['@odata.type', '@odata.etag', 'id', 'subject', 'isRead'])
  assert.deepEqual([changed.id, changed.isRead], [changing, false])
  assert.deepEqual(gone, { '@odata.type': '#microsoft.graph.message', id: deleted, '@removed': { reason: 'deleted' } })
  assert.equal(made.subject, 'new')

  const third = await round(adele, below(json['@odata.deltaLink']))
  assert.deepEqual(third.value, [])
  // A link is good for more than once.
  assert.equal((await round(adele, first.next)).value.length, 3)
  assert.ok(kept !== '' && !json.value.some(({ id }: { id: string }) => id === kept))
})

test('pages of a later round, each in its own size', async (t) => {
  const adele = await setup(t)
  const { next } = await round(adele, drafts)
  for (let count = 1; count <= 7; count++) await created(adele, `message ${count}`)
  const paged = await round(adele, next, { Prefer: 'odata.maxpagesize=3' })
  assert.equal(paged.pages, 3)
  assert.deepEqual(
    subjects(paged).sort(),
    Array.from({ length: 7 }, (_, index) => `message ${index + 1}`),
  )
  assert.equal((await round(adele, `${drafts}?$top=4`)).pages, 2)
  assert.equal((await round(adele, drafts)).pages, 1)
})

test('every spelling of the function', async (t) => {
  const adele = await setup(t)
  await created(adele, 'one')
  for (const name of ['delta', 'delta()', 'microsoft.graph.delta()', 'microsoft.graph.delta', 'Delta']) {
    const found = await round(adele, `/me/mailFolders('Drafts')/messages/${name}`)
    assert.deepEqual(subjects(found), ['one'], name)
    assert.deepEqual((await round(adele, found.next)).value, [])
    assert.equal((await round(adele, `/me/mailFolders/${name}`)).value.length, 8, name)
  }
  assert.deepEqual(subjects(await round(adele, '/me/messages/delta')), ['one'])
})

test('a message that moves leaves one folder and comes into the other', async (t) => {
  const adele = await setup(t)
  const id = await created(adele, 'moving')
  const links = {
    drafts: await round(adele, drafts),
    inbox: await round(adele, '/me/mailFolders/inbox/messages/delta'),
  }
  const immutable = { Prefer: 'IdType="ImmutableId"' }
  const moved = (await adele.post(`/me/messages/${id}/move`, { destinationId: 'inbox' })).json
  assert.deepEqual((await round(adele, links.drafts.next)).value, [
    { '@odata.type': '#microsoft.graph.message', id, '@removed': { reason: 'deleted' } },
  ])
  assert.equal((await round(adele, links.inbox.next)).value[0]?.id, moved.id)

  // The header of each request says which ids: the token is the same.
  const [left] = (await round(adele, links.drafts.next, immutable)).value
  const [come] = (await round(adele, links.inbox.next, immutable)).value
  assert.equal(left?.id, come?.id)
  assert.notEqual(come?.id, moved.id)

  // And back: under another id it has come, by the immutable one it never left.
  await adele.post(`/me/messages/${moved.id}/move`, { destinationId: 'drafts' })
  const back = await round(adele, links.drafts.next)
  assert.deepEqual(
    back.value.map((item) => ('@removed' in item ? 'left' : item.subject)),
    ['left', 'moving'],
  )
  assert.deepEqual(subjects(await round(adele, links.drafts.next, immutable)), ['moving'])
})

test('a draft that is sent leaves Drafts and comes into Sent Items, its mail into the Inbox', async (t) => {
  const adele = await setup(t)
  const to = [{ emailAddress: { address: 'adele@contoso.com' } }]
  const id = (await adele.post('/me/messages', { subject: 'sent', toRecipients: to })).json.id
  const folders = ['drafts', 'sentitems', 'inbox']
  const links = await Promise.all(folders.map((folder) => round(adele, `/me/mailFolders/${folder}/messages/delta`)))
  await adele.call('POST', `/me/messages/${id}/send`, { body: '' })
  for (;;) {
    const found = await Promise.all(links.map(({ next }) => round(adele, next)))
    if (found[2]?.value.length === 0) continue
    assert.deepEqual(found.map(subjects), [[`removed ${id}`], ['sent'], ['sent']])
    break
  }
})

test('changeType shows one kind of change alone', async (t) => {
  const adele = await setup(t)
  const old = await created(adele, 'old')
  const going = await created(adele, 'going')
  const links: Record<string, string> = {}
  for (const kind of ['created', 'updated', 'deleted', 'Created']) {
    const first = await round(adele, `${drafts}?changeType=${kind}&$select=subject`)
    assert.deepEqual(subjects(first).sort(), /created/i.test(kind) ? ['going', 'old'] : [])
    links[kind] = first.next
  }
  const made = await created(adele, 'made')
  await patch(adele, `/me/messages/${made}`, { isRead: false })
  await patch(adele, `/me/messages/${old}`, { isRead: false })
  await adele.call('DELETE', `/me/messages/${going}`)
  assert.deepEqual(subjects(await round(adele, links.created ?? '')), ['made'])
  assert.deepEqual(subjects(await round(adele, links.updated ?? '')), ['old'])
  assert.deepEqual(subjects(await round(adele, links.deleted ?? '')), [`removed ${going}`])
  assert.match(await refused(adele, `${drafts}?changeType=moved`, 400, 'BadRequest'), /changeType/)
})

test('$filter by the time of receipt, $orderby newest first, and no other options', async (t) => {
  const { clock, user } = await startServer(t)
  const adele = await user('adele@contoso.com')
  const early = await created(adele, 'early')
  clock.advance(3_600_000)
  const from = new Date(clock.now() - 60_000).toISOString()
  const late = await created(adele, 'late')
  for (const operator of ['ge', 'gt']) {
    const filtered = `${drafts}?$filter=receivedDateTime ${operator} ${from}&$orderby=receivedDateTime desc`
    const first = await round(adele, filtered)
    assert.deepEqual(subjects(first), ['late'])
    await patch(adele, `/me/messages/${early}`, { categories: [operator] })
    await patch(adele, `/me/messages/${late}`, { categories: [operator] })
    assert.deepEqual(subjects(await round(adele, first.next)), ['late'])
  }
  for (const [option, name] of [
    ['$filter=isRead eq true', '$filter'],
    ['$filter=receivedDateTime le 2026-01-01', '$filter'],
    ['$filter=2026-01-01 ge receivedDateTime', '$filter'],
    ['$filter=sentDateTime ge 2026-01-01', '$filter'],
    ['$filter=receivedDateTime ge 2026-01-01T00:00:00Z and isRead eq true', '$filter'],
    ['$orderby=subject', '$orderby'],
    ['$orderby=receivedDateTime', '$orderby'],
    ['$search="a"', '$search'],
    ['$skip=1', '$skip'],
    ['$count=true', '$count'],
  ]) {
    const message = await refused(adele, `${drafts}?${option}`, 400, 'ErrorInvalidUrlQuery')
    assert.match(message, new RegExp(`'Messages' resource: '\\${name}'`))
  }
  for (const moment of ['2026-13-41', '2026-02-30', '2026-01-01T25:00:00Z', "'2026-01-01'", '1']) {
    assert.equal((await adele.get(`${drafts}?$filter=receivedDateTime ge ${moment}`)).status, 400, moment)
  }
  assert.equal(
    (await round(adele, `${drafts}?$filter=(receivedDateTime+ge+2020-01-01T00:00:00%2B02:00)`)).value.length,
    2,
  )
  for (const option of ['$filter=displayName eq 1', '$orderby=displayName', '$expand=childFolders', '$skip=1']) {
    await refused(adele, `/me/mailFolders/delta?${option}`, 400, 'ErrorInvalidUrlQuery')
  }
  await refused(adele, `${drafts}?$select=nothing`, 400, 'RequestBroker--ParseUri')
})

test('a token is good for what it was given out for alone', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const alex = await server.user('alex@contoso.com')
  for (const subject of ['one', 'two']) await created(adele, subject)
  const first = await adele.get(`${drafts}?$select=subject`, { Prefer: 'odata.maxpagesize=1' })
  const skip = /skiptoken=(.*)/.exec(first.json['@odata.nextLink'])?.[1] ?? ''
  const { next } = await round(adele, drafts)
  const token = /deltatoken=(.*)/.exec(next)?.[1] ?? ''
  const [key = '', content = '', code = ''] = token.split('.')
  const forged = Buffer.from(Buffer.from(content, 'base64url').toString().replace('drafts', 'inboxx')).toString(
    'base64url',
  )
  const other = content.startsWith('A') ? 'B' : 'A'
  for (const [path, why] of [
    [`${drafts}?$deltatoken=abc`, 'garbage'],
    [`${drafts}?$deltatoken=${key}.${other}${content.slice(1)}.${code}`, 'altered'],
    [`${drafts}?$deltatoken=${key}.${forged}.${code.slice(1)}`, 'short code'],
    [`${drafts}?$deltatoken=${key}.${content}.${'A'.repeat(43)}`, 'another code'],
    [`${drafts}?$deltatoken=${skip}`, 'a skiptoken'],
    [`${drafts}?$skiptoken=${token}`, 'a deltatoken'],
    [`/me/mailFolders/inbox/messages/delta?$deltatoken=${token}`, 'of another folder'],
    [`/me/messages/delta?$deltatoken=${token}`, 'of a folder'],
    [`/me/mailFolders/delta?$deltatoken=${token}`, 'of messages'],
    [`${drafts}?$deltatoken=%00${'x'.repeat(5000)}`, 'long'],
  ] as const) {
    assert.equal(await refused(adele, path, 400, 'BadRequest'), 'Badly formed token.', why)
  }
  assert.equal(await refused(alex, `${drafts}?$deltatoken=${token}`, 400, 'BadRequest'), 'Badly formed token.')
  await refused(adele, `${drafts}?$deltatoken=${token}&$skiptoken=${skip}`, 400, 'BadRequest')
  // The options are those of the first call: the same may be said again, others not.
  assert.match(await refused(adele, `${drafts}?$skiptoken=${skip}&$select=id`, 400, 'BadRequest'), /\$select/)
  assert.equal((await adele.get(`${drafts}?$skiptoken=${skip}&$select=subject`)).status, 200)
})

test('$deltatoken=latest passes the first round over', async (t) => {
  const adele = await setup(t)
  await created(adele, 'old')
  const latest = await round(adele, `${drafts}?$deltatoken=latest&$select=subject`)
  assert.deepEqual(latest.value, [])
  await created(adele, 'new')
  assert.deepEqual(subjects(await round(adele, latest.next)), ['new'])
})

test('by every path to the mailbox, in both versions, links are those of the path', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const application = await server.application(['Mail.ReadWrite'])
  for (const subject of ['one', 'two']) await created(adele, subject)
  const profile = await server.user('adele@contoso.com', ['User.Read'])
  const user = (await profile.get('/me')).json.id
  const one = { Prefer: 'odata.maxpagesize=1' }
  for (const path of [
    '/v1.0/users/adele@contoso.com/mailFolders/drafts/messages',
    `/v1.0/users('${user}')/mailFolders('drafts')/messages`,
    `/beta/users/${user}/mailFolders/drafts/messages`,
    `/beta/users/${user}/messages`,
    `/beta/users/${user}/mailFolders/msgfolderroot/childFolders/drafts/messages`,
  ]) {
    const first = (await application.get(`${path}/delta?$select=subject`, one)).json
    const version = path.slice(0, path.indexOf('/', 1))
    assert.ok(first['@odata.context'].endsWith(`${version}/$metadata#Collection(message)`), path)
    const link: string = first['@odata.nextLink']
    const asked = path.replaceAll(/olders\/([^/]+)/g, "olders('$1')")
    assert.ok(link.startsWith(`${server.url}${asked}/delta?$skiptoken=`), link)
    const second = (await application.get(link.slice(server.url.length), one)).json
    assert.deepEqual([...first.value, ...second.value].map(({ subject }) => subject).sort(), ['one', 'two'])
    assert.ok(second['@odata.deltaLink'].startsWith(`${server.url}${asked}/delta?$deltatoken=`))
  }
  // The same mailbox and folder: the owner may go on where the application was.
  const { next } = await round(application, `/users/${user}/mailFolders/drafts/messages/delta`)
  const token = /deltatoken=(.*)/.exec(next)?.[1] ?? ''
  assert.deepEqual((await round(adele, `${drafts}?$deltatoken=${token}`)).value, [])
})

test('the reader sees no more than in a list: without the body by Mail.ReadBasic, in the form that is preferred', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const basic = await server.user('adele@contoso.com', ['Mail.ReadBasic'])
  const body = { contentType: 'html', content: '<p>quinces</p>' }
  const id = (await adele.post('/me/messages', { subject: 'one', body })).json.id
  const { next, value } = await round(adele, `${drafts}?$select=subject,body`, {
    Prefer: 'outlook.body-content-type="text"',
  })
  assert.equal((value[0] as { body?: { content: string } }).body?.content.trim(), 'quinces')
  await patch(adele, `/me/messages/${id}`, { isRead: false })
  // What a token selects is no permission: whoever follows it is asked for their own.
  for (const path of [drafts, `${drafts}?$select=subject,body,bodyPreview`, next]) {
    const { text, json } = await basic.get(path)
    assert.equal(json.value[0].subject, 'one')
    assert.doesNotMatch(text, /quinces/)
  }
  await adele.call('DELETE', `/me/messages/${id}`)
  const none = await adele.get(next, { Accept: 'application/json;odata.metadata=none' })
  assert.deepEqual(Object.keys(none.json), ['@odata.deltaLink', 'value'])
  assert.deepEqual(none.json.value, [{ id, '@removed': { reason: 'deleted' } }])
})

test('a folder that is gone is said to be', async (t) => {
  const adele = await setup(t)
  const folder = (await adele.post('/me/mailFolders', { displayName: 'Going' })).json
  const { next } = await round(adele, `/me/mailFolders/${folder.id}/messages/delta`)
  await adele.call('POST', `/me/mailFolders/${folder.id}/permanentDelete`, { body: '' })
  await refused(adele, next, 404, 'ErrorSyncFolderNotFound')
})

test('folders: every level at first, then what was made, renamed, moved, deleted or has other counts', async (t) => {
  const adele = await setup(t)
  const inInbox = (await adele.post('/me/mailFolders/inbox/childFolders', { displayName: 'In Inbox' })).json
  const first = await round(adele, '/me/mailFolders/delta', { Prefer: 'odata.maxpagesize=4' })
  assert.equal(first.pages, 3)
  assert.deepEqual(first.value.map(({ displayName }) => displayName).sort(), [
    'Archive',
    'Conversation History',
    'Deleted Items',
    'Drafts',
    'In Inbox',
    'Inbox',
    'Junk Email',
    'Outbox',
    'Sent Items',
  ])
  const { json } = await adele.get('/me/mailFolders/delta?$select=displayName,totalItemCount')
  assert.match(json['@odata.context'], /#Collection\(mailFolder\)$/)
  assert.deepEqual(Object.keys(json.value[0]), ['@odata.type', 'id', 'displayName', 'totalItemCount'])

  let { next } = first
  const changes = async () => {
    const found = await round(adele, next)
    next = found.next
    return found.value.map((item) => item.displayName ?? item.id).sort()
  }
  assert.deepEqual(await changes(), [])
  await created(adele, 'one')
  assert.deepEqual(await changes(), ['Drafts'])
  await patch(adele, `/me/mailFolders/${inInbox.id}`, { displayName: 'Renamed' })
  assert.deepEqual(await changes(), ['Renamed'])
  await adele.post(`/me/mailFolders/${inInbox.id}/move`, { destinationId: 'archive' })
  assert.deepEqual(await changes(), ['Archive', 'Inbox', 'Renamed'])
  await adele.call('POST', `/me/mailFolders/${inInbox.id}/permanentDelete`, { body: '' })
  assert.deepEqual(await changes(), [inInbox.id, 'Archive'].sort())
})

test('links outlive the server; after a month, and without their key, the client is told to begin anew', async (t) => {
  const place = testStore === 'postgres' ? {} : { memory: 'off', data: await freshFolder(t) }
  const settings = await testSettings(t, { ...place, samples: 'on' })
  const clock = movableClock()
  const start = async () => {
    const graphpost = await startGraphpost(settings, { clock })
    atEnd(t, () => graphpost.close())
    const [user = ''] = graphpost.mailboxes
    const token = await graphpost.directory.issueToken({ user, scopes: ['Mail.ReadWrite'] })
    return { graphpost, adele: clientOf(graphpost.httpUrl ?? '', token) }
  }
  let { graphpost, adele } = await start()
  const id = await created(adele, 'going')
  const { next } = await round(adele, `${drafts}?$select=subject`)
  await adele.call('DELETE', `/me/messages/${id}`)
  await graphpost.close()

  clock.advance(20 * 24 * 3_600_000)
  ;({ graphpost, adele } = await start())
  const second = await round(adele, next)
  assert.deepEqual(subjects(second), [`removed ${id}`])
  await graphpost.close()

  clock.advance(11 * 24 * 3_600_000)
  ;({ graphpost, adele } = await start())
  // Clearing away begins when the server does.
  let gone = await adele.get(next)
  while (gone.status === 200) gone = await adele.get(next)
  assert.equal(gone.status, 410, gone.text)
  assert.equal(gone.json.error.code, 'SyncStateNotFound')
  assert.match(gone.json.error.message, /^The sync state generation is not found; generation=\d+;\[highest=\d+\]\.$/)
  const location = gone.headers.get('location') ?? ''
  assert.match(location, /\/v1\.0\/me\/mailFolders\('drafts'\)\/messages\/delta\?\$deltatoken=&%24select=subject$/)
  assert.deepEqual((await round(adele, below(location))).value, [])
  // The one that was told of the removal knows all there is to know.
  assert.deepEqual((await round(adele, second.next)).value, [])

  const [key] = await graphpost.directory.listKeys()
  await graphpost.directory.rotateKey()
  assert.deepEqual((await round(adele, second.next)).value, [])
  await graphpost.directory.removeKey(key?.id ?? '')
  const [user = ''] = graphpost.mailboxes
  const token = await graphpost.directory.issueToken({ user, scopes: ['Mail.ReadWrite'] })
  adele = clientOf(graphpost.httpUrl ?? '', token)
  await refused(adele, second.next, 410, 'SyncStateNotFound')
})
