import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startGraphpost } from '../../src/app.js'
import { openLog } from '../../src/log.js'
import { movableClock } from '../support/movable-clock.js'
import {
  atEnd,
  type Client,
  clientOf,
  freshFolder,
  startServer,
  type TestServer,
  testSettings,
} from '../support/start-server.js'

const hour = 3_600_000
const wait = 20_000

test('sendMail with a deferred send time keeps the mail in Drafts and sends it then', async (t) => {
  const server = await startServer(t)
  const { ada, ben } = await people(server)
  const at = new Date(server.clock.now() + hour).toISOString()
  assert.equal((await ada.post('/me/sendMail', { message: deferred([time, at]) })).status, 202)
  await server.graphpost.drainOutbox(wait)

  const [draft] = await listed(
    ada,
    'drafts',
    "&$expand=singleValueExtendedProperties($filter=id eq 'SystemTime 0x3FEF')",
  )
  assert.deepEqual([draft.subject, draft.isDraft], ['Later', true])
  assert.equal(draft.from.emailAddress.address, 'ada@contoso.com')
  assert.equal(draft.singleValueExtendedProperties[0].value, at)
  assert.deepEqual([await subjects(ada, 'sentitems'), await subjects(ben, 'inbox')], [[], []])

  server.clock.advance(hour)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual([await subjects(ada, 'drafts'), await subjects(ada, 'sentitems')], [[], ['Later']])
  assert.deepEqual(await subjects(ben, 'inbox'), ['Later'])
  const [sent] = await listed(ada, 'sentitems')
  assert.ok(Date.parse(sent.sentDateTime) >= Date.parse(at) - 1_000)
  assert.equal(sent.internetMessageId, draft.internetMessageId)

  server.clock.advance(hour)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(ben, 'inbox'), ['Later'])
})

test('a draft that is sent with a deferred time stays one until then, also when a message is an answer', async (t) => {
  const server = await startServer(t)
  const { ada, ben } = await people(server)
  const at = new Date(server.clock.now() + hour).toISOString()
  const { json: draft } = await ada.post('/me/messages', deferred([time, at]))
  assert.equal((await ada.post(`/me/messages/${draft.id}/send`, {})).status, 202)
  assert.deepEqual(await subjects(ada, 'drafts'), ['Later'])
  server.clock.advance(hour)
  await server.graphpost.drainOutbox(wait)
  const [original] = await listed(ben, 'inbox')

  const reply = { message: extended([time, new Date(server.clock.now() + hour).toISOString()]), comment: 'Fine' }
  assert.equal((await ben.post(`/me/messages/${original.id}/reply`, reply)).status, 202)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual([await subjects(ben, 'drafts'), await subjects(ada, 'inbox')], [['RE: Later'], []])
  server.clock.advance(hour)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual([await subjects(ben, 'drafts'), await subjects(ada, 'inbox')], [[], ['RE: Later']])
})

test('number and units are counted from the sending and win over the time; a time that is past is now', async (t) => {
  const server = await startServer(t)
  const { ada, ben } = await people(server)
  const far = new Date(server.clock.now() + 100 * hour).toISOString()
  const message = deferred([time, far], ['Integer 0x3FEB', '2'], ['Integer 0x3FEC', '1'])
  await ada.post('/me/sendMail', { message })
  await ada.post('/me/sendMail', { message: { ...deferred([time, '2001-01-01T00:00:00Z']), subject: 'Now' } })
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(ben, 'inbox'), ['Now'])
  server.clock.advance(hour)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(ben, 'inbox'), ['Now'])
  server.clock.advance(hour)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual((await subjects(ben, 'inbox')).toSorted(), ['Later', 'Now'])
})

test('deleting the draft cancels it, and so does moving it to Deleted Items', async (t) => {
  const server = await startServer(t)
  const { ada, ben } = await people(server)
  const at = new Date(server.clock.now() + hour).toISOString()
  for (let index = 0; index < 3; index++) await ada.post('/me/sendMail', { message: deferred([time, at]) })
  const [one, other, moved] = await listed(ada, 'drafts')
  assert.equal((await ada.call('DELETE', `/me/messages/${one.id}`)).status, 204)
  await ada.post(`/me/messages/${other.id}/move`, { destinationId: 'deleteditems' })
  // Any other folder is as good as Drafts.
  await ada.post(`/me/messages/${moved.id}/move`, { destinationId: 'archive' })
  server.clock.advance(2 * hour)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(ben, 'inbox'), ['Later'])
  assert.deepEqual([await subjects(ada, 'sentitems'), await subjects(ada, 'deleteditems')], [['Later'], ['Later']])
})

test('what the draft says when its time has come is what is sent, also a later time', async (t) => {
  const server = await startServer(t)
  const { ada, ben } = await people(server)
  await ada.post('/me/sendMail', { message: deferred([time, new Date(server.clock.now() + hour).toISOString()]) })
  const [draft] = await listed(ada, 'drafts')
  const later = extended([time, new Date(server.clock.now() + 3 * hour).toISOString()])
  assert.equal(
    (await ada.call('PATCH', `/me/messages/${draft.id}`, json({ subject: 'Changed', ...later }))).status,
    200,
  )
  server.clock.advance(2 * hour)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(ben, 'inbox'), [])
  server.clock.advance(hour)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(ben, 'inbox'), ['Changed'])
})

test('a draft that is given an earlier time goes then, and only one with a time that is none is refused', async (t) => {
  const server = await startServer(t)
  const { ada, ben } = await people(server)
  await ada.post('/me/sendMail', { message: deferred([time, new Date(server.clock.now() + 9 * hour).toISOString()]) })
  const [draft] = await listed(ada, 'drafts')
  const patch = (value: string) => ada.call('PATCH', `/me/messages/${draft.id}`, json(extended([time, value])))
  assert.equal((await patch('soon')).status, 400)
  assert.equal((await patch(new Date(server.clock.now() + hour).toISOString())).status, 200)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(ben, 'inbox'), [])
  server.clock.advance(hour)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(ben, 'inbox'), ['Later'])
})

test('what cannot be sent when its time has come stays a draft; it can be sent by hand', async (t) => {
  const server = await startServer(t)
  const { ada, ben } = await people(server)
  await ada.post('/me/sendMail', { message: deferred([time, new Date(server.clock.now() + hour).toISOString()]) })
  const [draft] = await listed(ada, 'drafts')
  await ada.call('PATCH', `/me/messages/${draft.id}`, json({ toRecipients: [] }))
  server.clock.advance(2 * hour)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(ada, 'drafts'), ['Later'])
  await ada.call('PATCH', `/me/messages/${draft.id}`, json({ toRecipients: toBen }))
  assert.equal((await ada.post(`/me/messages/${draft.id}/send`, {})).status, 202)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(ben, 'inbox'), ['Later'])
})

test('saveToSentItems false leaves nothing behind when it is sent', async (t) => {
  const server = await startServer(t)
  const { ada, ben } = await people(server)
  const message = deferred([time, new Date(server.clock.now() + hour).toISOString()])
  await ada.post('/me/sendMail', { message, saveToSentItems: false })
  server.clock.advance(hour)
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(ben, 'inbox'), ['Later'])
  assert.deepEqual([await subjects(ada, 'sentitems'), await subjects(ada, 'drafts')], [[], []])
  const { json: drafts } = await ada.get('/me/mailFolders/drafts')
  assert.equal(drafts.totalItemCount, 0)
})

test('a value that is no time, number or unit is refused, and nothing is kept', async (t) => {
  const server = await startServer(t)
  const { ada } = await people(server)
  const wrong: [string, string][][] = [
    [[time, 'tomorrow']],
    [
      ['Integer 0x3FEB', '-1'],
      ['Integer 0x3FEC', '0'],
    ],
    [
      ['Integer 0x3FEB', '1000'],
      ['Integer 0x3FEC', '0'],
    ],
    [
      ['Integer 0x3FEB', '1'],
      ['Integer 0x3FEC', '4'],
    ],
  ]
  for (const properties of wrong) {
    const { status, json } = await ada.post('/me/sendMail', { message: deferred(...properties) })
    assert.equal(status, 400)
    assert.ok(json.error.message.length > 0)
  }
  await server.graphpost.drainOutbox(wait)
  assert.deepEqual([await subjects(ada, 'drafts'), await subjects(ada, 'sentitems')], [[], []])
})

test('what is scheduled is sent after a restart', async (t) => {
  const settings = { ...(await testSettings(t)), memory: false, data: await freshFolder(t) }
  const log = openLog({ level: 'silent', format: 'json' })
  const clock = movableClock()
  const start = async () => {
    const graphpost = await startGraphpost(settings, { clock, log })
    atEnd(t, () => graphpost.close())
    const client = async (user: string) =>
      clientOf(
        graphpost.httpUrl ?? '',
        await graphpost.directory.issueToken({ user, scopes: ['Mail.ReadWrite', 'Mail.Send'] }),
      )
    return { graphpost, client }
  }
  const first = await start()
  for (const name of ['ada', 'ben']) {
    await first.graphpost.directory.addUser({ userPrincipalName: `${name}@contoso.com`, displayName: name })
  }
  const ada = await first.client('ada@contoso.com')
  await ada.post('/me/sendMail', { message: deferred([time, new Date(clock.now() + hour).toISOString()]) })
  await first.graphpost.close()

  clock.advance(2 * hour)
  const second = await start()
  await second.graphpost.drainOutbox(wait)
  assert.deepEqual(await subjects(await second.client('ben@contoso.com'), 'inbox'), ['Later'])
})

const time = 'SystemTime 0x3FEF'
const toBen = [{ emailAddress: { address: 'ben@contoso.com' } }]

function extended(...properties: [string, string][]) {
  return { singleValueExtendedProperties: properties.map(([id, value]) => ({ id, value })) }
}

function deferred(...properties: [string, string][]) {
  return { subject: 'Later', toRecipients: toBen, ...extended(...properties) }
}

function json(body: unknown) {
  return { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }
}

async function people(server: TestServer) {
  return { ada: await server.user('ada@contoso.com'), ben: await server.user('ben@contoso.com') }
}

async function listed(client: Client, folder: string, more = '') {
  const { json: page } = await client.get(`/me/mailFolders/${folder}/messages?$top=50${more}`)
  return page.value
}

async function subjects(client: Client, folder: string): Promise<string[]> {
  return (await listed(client, folder)).map(({ subject }: { subject: string }) => subject)
}
