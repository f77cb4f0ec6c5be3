import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patch } from '../support/patch.js'
import { startServer } from '../support/start-server.js'

const referral = {
  '@odata.type': 'microsoft.graph.openTypeExtension',
  extensionName: 'Com.Contoso.Referral',
  companyName: 'Wingtip Toys',
  'expirationDate@odata.type': '#DateTimeOffset',
  expirationDate: '2015-12-30T11:00:00.000Z',
  dealValue: 10_000,
  topPicks: [{ name: 'Employees only' }, 'x'],
  nothing: null,
}
const shown = {
  '@odata.type': '#microsoft.graph.openTypeExtension',
  id: 'Microsoft.OutlookServices.OpenTypeExtension.Com.Contoso.Referral',
  extensionName: 'Com.Contoso.Referral',
  companyName: 'Wingtip Toys',
  expirationDate: '2015-12-30T11:00:00.000Z',
  dealValue: 10_000,
  topPicks: [{ name: 'Employees only' }, 'x'],
}

test('an extension is put on a message, read by name and id, changed and taken away', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const { id, changeKey } = (await adele.post('/me/messages', { subject: 'Lunch' })).json
  const path = `/me/messages/${id}/extensions`
  const made = await adele.post(path, referral)
  assert.equal(made.status, 201, made.text)
  const { '@odata.context': context, ...extension } = made.json
  assert.match(context, /\/messages\('[^']+'\)\/extensions\/\$entity$/)
  assert.deepEqual(extension, shown)
  assert.match(made.headers.get('location') ?? '', /\/extensions\('Microsoft\.OutlookServices\.OpenTypeExtension\./)
  assert.notEqual((await adele.get(`/me/messages/${id}`)).json.changeKey, changeKey)

  for (const key of [shown.extensionName, shown.id, 'com.contoso.REFERRAL'])
    assert.deepEqual((await adele.get(`${path}/${key}`)).json, made.json)
  assert.deepEqual((await adele.get(`${path}('${shown.id}')`)).json, made.json)
  assert.deepEqual((await adele.get(path)).json.value, [shown])

  const changed = await patch(adele, `${path}/${shown.id}`, { dealValue: 500_050, companyName: null, more: true })
  assert.equal(changed.status, 200, changed.text)
  const { companyName: _, ...left } = shown
  assert.deepEqual(
    { ...changed.json, '@odata.context': undefined },
    {
      ...left,
      dealValue: 500_050,
      more: true,
      '@odata.context': undefined,
    },
  )
  const renamed = await patch(adele, `${path}/${shown.id}`, { extensionName: 'Other' })
  assert.equal(renamed.json.error.code, 'ErrorInvalidPropertySet')

  assert.equal((await adele.call('DELETE', `${path}/${shown.extensionName}`)).status, 204)
  for (const gone of [
    await adele.get(`${path}/${shown.id}`),
    await patch(adele, `${path}/${shown.id}`, {}),
    await adele.call('DELETE', `${path}/${shown.id}`),
  ])
    assert.equal(gone.json.error.code, 'ErrorItemNotFound')
  assert.deepEqual((await adele.get(path)).json.value, [])
})

test('a message is made with extensions, and shows them when they are expanded', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const made = await adele.post('/me/messages', {
    subject: 'Lunch',
    extensions: [referral, { extensionName: 'b', n: 1 }],
  })
  assert.equal(made.status, 201, made.text)
  const { id } = made.json
  assert.equal('extensions' in (await adele.get(`/me/messages/${id}`)).json, false)
  const read = async (filter: string) =>
    (await adele.get(`/me/messages/${id}?$select=subject&$expand=extensions(${filter})`)).json
  assert.deepEqual((await read(`$filter=id eq '${shown.id}'`)).extensions, [shown])
  assert.deepEqual((await read("$filter=id eq 'com.contoso.referral'")).extensions, [shown])
  assert.equal((await read("$filter=id eq 'B' or id eq 'Com.Contoso.Referral'")).extensions.length, 2)
  assert.equal((await read('')).extensions.length, 2)
  assert.equal('extensions' in (await read("$filter=id eq 'c'")), false)
  assert.equal((await read('$filter=dealValue gt 5')).error.code, 'ErrorInvalidUrlQueryFilter')
  const listed = await adele.get("/me/messages?$select=subject&$expand=extensions($filter=id eq 'b')")
  assert.deepEqual(listed.json.value[0].extensions[0].n, 1)
  const basic = await server.user('adele@contoso.com', ['Mail.ReadBasic'])
  assert.equal('extensions' in (await basic.get(`/me/messages/${id}?$expand=extensions`)).json, false)
  assert.equal((await basic.get(`/me/messages/${id}/extensions`)).status, 403)
  assert.equal(
    (await patch(adele, `/me/messages/${id}`, { extensions: [] })).json.error.code,
    'ErrorInvalidPropertySet',
  )
})

test('extensions stay with the copy of the sender, and nobody else sees them', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const alex = await server.user('alex@contoso.com')
  const toRecipients = [{ emailAddress: { address: 'alex@contoso.com' } }]
  await adele.post('/me/sendMail', { message: { subject: 'Lunch', toRecipients, extensions: [referral] } })
  const draft = await adele.post('/me/messages', { subject: 'Dinner', toRecipients, extensions: [referral] })
  await adele.call('POST', `/me/messages/${draft.json.id}/send`, { body: '' })
  await server.graphpost.drainOutbox(10_000)
  const sent = (await adele.get('/me/mailFolders/sentitems/messages?$expand=extensions')).json.value
  assert.equal(sent.length, 2)
  for (const { extensions } of sent) assert.deepEqual(extensions, [shown])
  const received = (await alex.get('/me/mailFolders/inbox/messages?$expand=extensions')).json.value
  assert.equal(received.length, 2)
  for (const message of received) assert.equal('extensions' in message, false)
  // A received message takes its own.
  const own = await alex.post(`/me/messages/${received[0].id}/extensions`, { extensionName: 'Seen' })
  assert.equal(own.status, 201, own.text)
})

test('what is no extension is refused by name', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const { id } = (await adele.post('/me/messages', { subject: 'Lunch' })).json
  const path = `/me/messages/${id}/extensions`
  for (const [body, code, target] of [
    [{ a: 1 }, 'ErrorRequiredPropertyMissing', 'extension/extensionName'],
    [{ extensionName: 5 }, 'RequestBodyRead', 'extension/extensionName'],
    [{ extensionName: 'x', '@odata.type': '#microsoft.graph.event' }, 'RequestBodyRead', 'extension/@odata.type'],
    [{ extensionName: 'x', 'a\nb': 1 }, 'RequestBodyRead', 'extension/a?b'],
    [[], 'RequestBodyRead', 'extension'],
  ] as const) {
    const { status, json, text } = await adele.post(path, body)
    assert.equal(status, 400, text)
    assert.equal(json.error.code, code)
    assert.equal(json.error.target, target)
  }
  for (const extensionName of ['', 'a b', '1x', `x${'y'.repeat(255)}`, "a'b"])
    assert.equal((await adele.post(path, { extensionName })).json.error.code, 'ErrorInvalidProperty')
  const large = await adele.post(path, { extensionName: 'x', text: 'x'.repeat(40_000) })
  assert.match(large.json.error.message, /32768/)
  const both = await Promise.all(['x', 'X'].map((extensionName) => adele.post(path, { extensionName })))
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 409])
  const proto = await adele.post(path, '{"extensionName":"p","__proto__":{"a":1},"constructor":2}')
  assert.equal(proto.status, 201, proto.text)
  assert.equal(proto.json.constructor, 2)
  for (let index = 0; index < 30; index++) await adele.post(path, { extensionName: `e${index}` })
  assert.match((await adele.post(path, { extensionName: 'last' })).json.error.message, /32 extensions/)
})
