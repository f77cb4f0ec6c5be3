import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patch } from '../support/patch.js'
import { startServer } from '../support/start-server.js'

const path = '/me/outlook/masterCategories'
const permissions = ['MailboxSettings.ReadWrite']

test('a mailbox has categories, and its owner makes, recolors and deletes others', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com', permissions)
  const { json } = await adele.get(path)
  assert.match(json['@odata.context'], /\$metadata#users\('[0-9a-f-]{36}'\)\/outlook\/masterCategories$/)
  assert.deepEqual(
    json.value.map(({ displayName, color }: { displayName: string; color: string }) => [displayName, color]),
    [
      ['Red category', 'preset0'],
      ['Orange category', 'preset1'],
      ['Yellow category', 'preset3'],
      ['Green category', 'preset4'],
      ['Blue category', 'preset7'],
      ['Purple category', 'preset8'],
    ],
  )

  const made = await adele.post(path, { displayName: 'Project expenses', color: 'Preset9' })
  assert.equal(made.status, 201, made.text)
  const { id, ...rest } = made.json
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.deepEqual(rest, {
    '@odata.context': `${json['@odata.context']}/$entity`,
    displayName: 'Project expenses',
    color: 'preset9',
  })
  assert.deepEqual((await adele.get(`${path}/${id}`)).json, made.json)
  assert.equal((await adele.get(`${path}('${id.toUpperCase()}')`)).json.id, id)

  const recolored = await patch(adele, `${path}/${id}`, { color: 'preset15' })
  assert.equal(recolored.status, 200, recolored.text)
  assert.deepEqual(recolored.json, { ...made.json, color: 'preset15' })
  const page = await adele.get(`${path}?$top=2&$skip=5&$count=true`)
  assert.deepEqual(
    page.json.value.map((each: { displayName: string }) => each.displayName),
    ['Purple category', 'Project expenses'],
  )
  assert.equal(page.json['@odata.count'], 7)
  assert.equal(page.json['@odata.nextLink'], undefined)
  const first = await adele.get(`${path}?$top=2&$select=color`)
  assert.deepEqual(Object.keys(first.json.value[0]), ['id', 'color'])
  assert.match(first.json['@odata.nextLink'], /skip=2$/)
  assert.equal((await adele.get(first.json['@odata.nextLink'].replace(server.url, ''))).json.value.length, 2)
  assert.equal((await adele.get(`${path}?$filter=color eq 'preset1'`)).status, 400)

  assert.equal((await adele.call('DELETE', `${path}/${id}`)).status, 204)
  for (const gone of [await adele.get(`${path}/${id}`), await adele.call('DELETE', `${path}/${id}`)]) {
    assert.equal(gone.status, 404)
    assert.equal(gone.json.error.code, 'ErrorItemNotFound')
  }
  assert.equal((await adele.get(path)).json.value.length, 6)
})

test('a name is there once, in any case, cannot be changed, and is the owner’s alone', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com', permissions)
  const alex = await server.user('alex@contoso.com', permissions)
  const twice = await adele.post(path, { displayName: 'RED category', color: 'preset5' })
  assert.equal(twice.status, 409)
  assert.match(twice.json.error.message, /RED category/)
  const both = await Promise.all(
    ['Plums', 'plums'].map((displayName) => adele.post(path, { displayName, color: 'none' })),
  )
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 409])
  assert.equal((await alex.post(path, { displayName: 'Plums' })).json.color, 'none')

  const [red] = (await adele.get(path)).json.value
  const renamed = await patch(adele, `${path}/${red.id}`, { displayName: 'Crimson' })
  assert.equal(renamed.json.error.code, 'ErrorInvalidPropertySet')
  assert.equal((await patch(adele, `${path}/${red.id}`, red)).status, 200)
  for (const [body, target] of [
    [{ color: 'preset1' }, 'displayName'],
    [{ displayName: 'x', color: 'mauve' }, 'outlookCategory/color'],
    [{ displayName: 5 }, 'outlookCategory/displayName'],
    [{ displayName: 'x', shade: 1 }, 'outlookCategory/shade'],
  ] as const) {
    const { status, json } = await adele.post(path, body)
    assert.equal(status, 400)
    assert.equal(json.error.target, target)
  }
  for (const displayName of ['', ' ', 'a\nb', 'x'.repeat(256), '\0'])
    assert.equal((await adele.post(path, { displayName })).json.error.code, 'ErrorInvalidProperty')
  assert.equal((await alex.get(`${path}/${red.id}`)).status, 404)
  assert.equal((await adele.get(`${path}/%00`)).status, 404)
})
