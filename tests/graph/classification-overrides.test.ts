import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patch } from '../support/patch.js'
import { startServer } from '../support/start-server.js'

const path = '/me/inferenceClassification/overrides'

test('mail of a sender arrives as its override says, from then on and until it is gone', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const alex = await server.user('alex@contoso.com')
  const arrive = async (subject: string) => {
    await alex.post('/me/sendMail', {
      message: { subject, toRecipients: [{ emailAddress: { address: 'adele@contoso.com' } }] },
    })
    await server.graphpost.drainOutbox(10_000)
    const [newest] = (await adele.get('/me/mailFolders/inbox/messages?$top=100')).json.value.filter(
      (each: { subject: string }) => each.subject === subject,
    )
    return newest.inferenceClassification
  }
  assert.deepEqual((await adele.get(path)).json.value, [])
  assert.equal(await arrive('one'), 'focused')

  const made = await adele.post(path, {
    classifyAs: 'Other',
    senderEmailAddress: { name: 'Alex', address: 'ALEX@contoso.com' },
  })
  assert.equal(made.status, 201, made.text)
  const { id, '@odata.context': context, ...rest } = made.json
  assert.match(context, /\/inferenceClassification\/overrides\/\$entity$/)
  assert.deepEqual(rest, {
    classifyAs: 'other',
    senderEmailAddress: { name: 'Alex', address: 'ALEX@contoso.com' },
  })
  assert.equal(await arrive('two'), 'other')

  const changed = await patch(adele, `${path}/${id}`, { classifyAs: 'focused' })
  assert.equal(changed.status, 200, changed.text)
  assert.deepEqual(changed.json, { ...made.json, classifyAs: 'focused' })
  assert.equal(await arrive('three'), 'focused')
  const { '@odata.context': contextOfOne, ...one } = (await adele.get(`${path}/${id}`)).json
  assert.equal(contextOfOne, context)
  assert.deepEqual(one, { id, ...rest, classifyAs: 'focused' })
  assert.equal((await adele.get(`${path}/98f5bdef-576a-404d-a2ea-07a3cf34af4d`)).status, 404)
  const around = await adele.get('/me/inferenceClassification')
  assert.match(around.json['@odata.context'], /\/inferenceClassification\/\$entity$/)
  assert.deepEqual(Object.keys(around.json), ['@odata.context', 'id'])
  const refused = await adele.get('/me/inferenceClassification?$expand=overrides')
  assert.equal(refused.json.error.code, 'ExpandNotSupported')

  // Another one for the same sender is the same one.
  const again = await adele.post(path, {
    classifyAs: 'other',
    senderEmailAddress: { name: 'A.', address: 'alex@contoso.com' },
  })
  assert.equal(again.json.id, id)
  assert.equal(again.json.senderEmailAddress.name, 'A.')
  assert.equal((await adele.get(path)).json.value.length, 1)
  assert.equal(await arrive('four'), 'other')
  assert.deepEqual((await alex.get(path)).json.value, [])
  assert.equal((await patch(alex, `${path}/${id}`, { classifyAs: 'focused' })).status, 404)

  assert.equal((await adele.call('DELETE', `${path}/${id}`)).status, 204)
  assert.equal((await adele.call('DELETE', `${path}/${id}`)).status, 404)
  assert.equal(await arrive('five'), 'focused')
})

test('what is no override is refused by name', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const senderEmailAddress = { address: 'a@example.com' }
  for (const [body, target] of [
    [{ senderEmailAddress }, 'classifyAs'],
    [{ classifyAs: 'other' }, 'senderEmailAddress'],
    [{ classifyAs: 'both', senderEmailAddress }, 'inferenceClassificationOverride/classifyAs'],
    [
      { classifyAs: 'other', senderEmailAddress: 'a@example.com' },
      'inferenceClassificationOverride/senderEmailAddress',
    ],
  ] as const) {
    const { status, json, text } = await adele.post(path, body)
    assert.equal(status, 400, text)
    assert.equal(json.error.target, target)
  }
  const nowhere = await adele.post(path, { classifyAs: 'other', senderEmailAddress: { address: 'nobody' } })
  assert.equal(nowhere.json.error.code, 'ErrorInvalidRecipients')
  assert.match(nowhere.json.error.message, /'nobody'/)
  assert.equal(
    (await patch(adele, `${path}/98f5bdef-576a-404d-a2ea-07a3cf34af4r`, { classifyAs: 'other' })).status,
    404,
  )
})

test('a mailbox has a thousand overrides at most', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const put = (index: number) =>
    adele.post(path, { classifyAs: 'other', senderEmailAddress: { address: `a${index}@example.com` } })
  for (let start = 0; start < 1_000; start += 50) {
    const made = await Promise.all(Array.from({ length: 50 }, (_, index) => put(start + index)))
    assert.deepEqual(new Set(made.map(({ status }) => status)), new Set([201]))
  }
  const more = await put(1_000)
  assert.equal(more.status, 400)
  assert.match(more.json.error.message, /1000/)
  assert.equal((await put(999)).status, 201)
})
