import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../support/start-server.js'

const adele = 'adele@contoso.com'

test('GET /me is the profile of who is signed in, in the directory’s order', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele, ['User.Read'])
  const { status, json, headers } = await client.get('/me')
  assert.equal(status, 200)
  assert.match(headers.get('content-type') ?? '', /^application\/json;odata\.metadata=minimal;/)
  const { id } = json
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.deepEqual(Object.entries(json), [
    ['@odata.context', `${server.url}/v1.0/$metadata#users/$entity`],
    ['businessPhones', []],
    ['displayName', 'Adele'],
    ['givenName', 'Adele'],
    ['jobTitle', null],
    ['mail', adele],
    ['mobilePhone', null],
    ['officeLocation', null],
    ['preferredLanguage', null],
    ['surname', null],
    ['userPrincipalName', adele],
    ['id', id],
  ])
  for (const key of [id, adele, adele.toUpperCase(), `('${adele}')`.replace(/^/, '')]) {
    const path = key.startsWith('(') ? `/users${key}` : `/users/${key}`
    assert.equal((await client.get(path)).json.id, id, path)
  }
  const selected = await client.get('/me?$select=mail,displayName,accountEnabled,proxyAddresses')
  assert.deepEqual(selected.json, {
    '@odata.context': `${server.url}/v1.0/$metadata#users(mail,displayName,accountEnabled,proxyAddresses)/$entity`,
    displayName: 'Adele',
    mail: adele,
    accountEnabled: true,
    proxyAddresses: [`SMTP:${adele}`],
  })
  const wrong = await client.get('/me?$select=nonsense')
  assert.deepEqual([wrong.status, wrong.json.error.code], [400, 'BadRequest'])
  assert.match(wrong.json.error.message, /nonsense/)
})

test('GET /users lists everybody page by page, for those who may', async (t) => {
  const server = await startServer(t)
  const application = await server.application(['User.Read.All'])
  const all = await application.get('/users?$select=userPrincipalName')
  const names = all.json.value.map((user: { userPrincipalName: string }) => user.userPrincipalName)
  assert.deepEqual(
    names,
    ['adele', 'alex', 'diego', 'lee', 'megan', 'patti'].map((name) => `${name}@contoso.com`),
  )
  const found: string[] = []
  let next: string | undefined = `${server.url}/v1.0/users?$top=4&$select=userPrincipalName`
  while (next !== undefined) {
    const page = await application.get(next.slice(server.url.length))
    assert.equal(page.status, 200, page.text)
    found.push(...page.json.value.map((user: { userPrincipalName: string }) => user.userPrincipalName))
    next = page.json['@odata.nextLink']
  }
  assert.deepEqual(found, names)

  const self = await server.user(adele, ['User.Read'])
  const refused = await self.get('/users')
  assert.deepEqual([refused.status, refused.json.error.code], [403, 'Authorization_RequestDenied'])
  assert.equal((await self.get('/users/alex@contoso.com')).status, 403)
  const missing = await application.get('/users/nobody@contoso.com')
  assert.deepEqual(
    [missing.status, missing.json.error.code, missing.json.error.message],
    [
      404,
      'Request_ResourceNotFound',
      "Resource 'nobody@contoso.com' does not exist or one of its queried reference-property objects are not present.",
    ],
  )
  const me = await application.get('/me')
  assert.deepEqual([me.status, me.json.error.code], [400, 'BadRequest'])
})

test('$metadata and the service document are open to anybody, and are what they say', async (t) => {
  const { nobody, url } = await startServer(t)
  for (const version of ['v1.0', 'beta']) {
    const metadata = await nobody.call('GET', `/${version}/$metadata`)
    assert.equal(metadata.status, 200)
    assert.match(metadata.headers.get('content-type') ?? '', /^application\/xml/)
    assert.match(metadata.text, /^<\?xml version="1\.0" encoding="utf-8"\?><edmx:Edmx Version="4\.0"/)
    assert.match(metadata.text, /<EntityType Name="message" BaseType="microsoft\.graph\.outlookItem" OpenType="true">/)
    const service = await nobody.call('GET', `/${version}/`)
    assert.deepEqual(service.json, {
      '@odata.context': `${url}/${version}/$metadata`,
      value: [
        { name: 'subscriptions', kind: 'EntitySet', url: 'subscriptions' },
        { name: 'users', kind: 'EntitySet', url: 'users' },
        { name: 'me', kind: 'Singleton', url: 'me' },
      ],
    })
  }
  assert.equal((await nobody.call('GET', '/v1.0/users')).status, 401)
})
