import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readDirectoryFile } from '../../src/admin/directory-file.js'
import { clientOf, freshFolder, startServer } from '../support/start-server.js'

const page = fileURLToPath(new URL('../../../docs/directory.md', import.meta.url))
const ticketSystem = '33333333-cccc-4ddd-8eee-444444444444'

async function documentFile(t: Parameters<typeof freshFolder>[0], text: string): Promise<string> {
  const path = join(await freshFolder(t), 'directory.yaml')
  await writeFile(path, text)
  return path
}

/** The document that docs/directory.md shows. */
async function shownDocument(): Promise<string> {
  return /```yaml\n(.*?)```/s.exec(await readFile(page, 'utf8'))?.[1] ?? ''
}

test('the document in the documentation is brought into the store at a start, and again without a change', async (t) => {
  const directory = await documentFile(t, await shownDocument())
  const { graphpost } = await startServer(t, { directory })
  const accounts = await graphpost.directory.listAccounts()
  const named = (upn: string) => accounts.find(({ userPrincipalName }) => userPrincipalName === upn)
  assert.equal(named('grace@contoso.com')?.displayName, 'Grace Hopper')
  assert.match(named('grace@contoso.com')?.passwordHash ?? '', /^scrypt\$/)
  assert.equal(named('linus@contoso.com')?.passwordHash, undefined)
  assert.equal(named('support@contoso.com')?.kind, 'shared')
  const tickets = await graphpost.directory.findApplication(ticketSystem)
  assert.deepEqual(tickets?.applicationPermissions, ['Mail.Send', 'Mail.Read'])
  assert.ok(!JSON.stringify(tickets).includes('another long one'))
  assert.deepEqual(
    (await graphpost.directory.listGroups()).map(({ address }) => address),
    ['robots@contoso.com'],
  )

  const { users, ...rest } = await readDirectoryFile(directory)
  for (const user of users ?? []) await graphpost.directory.putUser(user)
  for (const application of rest.applications ?? []) await graphpost.directory.putApplication(application)
  assert.deepEqual(await graphpost.directory.listAccounts(), accounts)
  assert.deepEqual(await graphpost.directory.findApplication(ticketSystem), tickets)
})

test('a document with a fault starts no server, and the fault is named', async (t) => {
  for (const [text, fault] of [
    ['users: [{userPrincipalName: nobody}]', /\/users\/0\/userPrincipalName must match pattern/],
    ['users: [{}]', /\/users\/0 must have required property 'userPrincipalName'/],
    ['user: []', /the document must NOT have additional properties \("user"\)/],
    ['applications: [{clientId: 1}]', /\/applications\/0\/clientId must be string/],
    ['a: b: c', /is no YAML/],
    ['groups: [{address: g@contoso.com, members: [nobody@contoso.com]}]', /There is no user nobody@contoso.com/],
    ['applications: [{displayName: A, certificates: [x]}]', /no certificate in PEM/],
    ['users: [{userPrincipalName: a@contoso.com, aliases: [adele@contoso.com]}]', /is an address of adele@contoso.com/],
  ] as const) {
    const directory = await documentFile(t, text)
    await assert.rejects(startServer(t, { directory }), (error: Error) => {
      assert.match(error.message, fault, text)
      return true
    })
  }
  await assert.rejects(startServer(t, { directory: '/nowhere/at all.yaml' }), /cannot be read/)
})

test('the admin API changes the directory, for tokens with Graphpost.Admin alone', async (t) => {
  const server = await startServer(t)
  const admin = await server.application(['Graphpost.Admin'])
  const put = async (path: string, body: unknown, status = 200) => {
    const answer = await admin.call('PUT', path, { body: JSON.stringify(body) })
    assert.equal(answer.status, status, answer.text)
    return answer.json
  }
  await put('/admin/users', { userPrincipalName: 'grace@contoso.com', password: 'secret', aliases: ['g@contoso.com'] })
  await put('/admin/shared-mailboxes', { userPrincipalName: 'support@contoso.com', fullAccess: ['grace@contoso.com'] })
  await put('/admin/groups', { address: 'all@contoso.com', members: ['grace@contoso.com', 'support@contoso.com'] })
  await put('/admin/applications', {
    clientId: ticketSystem,
    displayName: 'Tickets',
    applicationPermissions: ['Mail.Send'],
  })
  const users = (await admin.get('/admin/users')).json.value
  const grace = users.find((user: { userPrincipalName: string }) => user.userPrincipalName === 'grace@contoso.com')
  assert.equal(grace.hasPassword, true)
  assert.ok(!JSON.stringify(users).includes('scrypt'))
  assert.equal((await admin.get('/admin/groups')).json.value[0].members.length, 2)

  const secret = await admin.post(`/admin/applications/${ticketSystem}/secrets`, {})
  const applications = (await admin.get('/admin/applications')).text
  assert.ok(!applications.includes(secret.json.value) && !applications.includes('scrypt'))
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: ticketSystem,
    client_secret: secret.json.value,
    scope: 'https://graph.microsoft.com/.default',
  })
  const token = await fetch(`${server.url}/contoso.com/oauth2/v2.0/token`, { method: 'POST', body: form })
  const { access_token: accessToken } = (await token.json()) as { access_token: string }
  const sent = await clientOf(server.url, accessToken).post('/users/grace@contoso.com/sendMail', {
    message: { subject: 'Tickets', toRecipients: [{ emailAddress: { address: 'g@contoso.com' } }] },
  })
  assert.equal(sent.status, 202, sent.text)

  assert.match((await put('/admin/users', { userPrincipalName: 'x' }, 400)).error, /userPrincipalName/)
  assert.equal((await admin.call('PUT', '/admin/users', { body: '{' })).status, 400)
  assert.equal((await admin.call('PATCH', '/admin/users')).status, 405)
  assert.equal((await admin.call('DELETE', `/admin/applications/${ticketSystem}`)).status, 200)
  assert.equal((await admin.call('DELETE', `/admin/applications/${ticketSystem}`)).status, 404)
  const other = await server.application(['Mail.Send'])
  assert.equal((await other.call('PUT', '/admin/users', { body: '{}' })).status, 403)
  assert.equal((await server.nobody.call('PUT', '/admin/users', { body: '{}' })).status, 401)
})

test('the admin API is for applications: no user makes themselves an administrator by consent', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com', ['Graphpost.Admin', 'Mail.ReadWrite'])
  for (const [method, path] of [
    ['GET', '/admin/calls'],
    ['GET', '/admin/outbox'],
    ['GET', '/admin/users'],
    ['PUT', '/admin/users'],
    ['PUT', '/admin/directory'],
    ['POST', `/admin/applications/${ticketSystem}/secrets`],
    ['GET', '/admin/nowhere'],
  ] as const) {
    const answer = await adele.call(method, path, method === 'GET' ? {} : { body: '{}' })
    assert.equal(answer.status, 403, answer.text)
  }
})

test('a tenant that is added while the server runs has tokens that are taken at once', async (t) => {
  const server = await startServer(t)
  const admin = await server.application(['Graphpost.Admin'])
  const tickets = {
    clientId: ticketSystem,
    displayName: 'Tickets',
    applicationPermissions: ['User.Read.All'],
    secrets: [{ value: 'a secret of its own' }],
  }
  const fabrikam = { id: '99999999-9999-4999-8999-999999999999', domain: 'fabrikam.com', applications: [tickets] }
  const users = [{ userPrincipalName: 'fay@fabrikam.com' }]
  const document = { tenants: [{ ...fabrikam, users }] }
  const put = await admin.call('PUT', '/admin/directory', { body: JSON.stringify(document) })
  assert.equal(put.status, 200, put.text)
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: ticketSystem,
    client_secret: 'a secret of its own',
    scope: 'https://graph.microsoft.com/.default',
  })
  const answer = await fetch(`${server.url}/fabrikam.com/oauth2/v2.0/token`, { method: 'POST', body: form })
  const { access_token: token = '' } = (await answer.json()) as { access_token?: string }
  const listed = await clientOf(server.url, token).get('/users?$select=userPrincipalName')
  assert.equal(listed.status, 200, listed.text)
  assert.deepEqual(listed.json.value, [{ userPrincipalName: 'fay@fabrikam.com' }])
})

test('a sign-in that was refused stands among the calls, with why and without what it carried', async (t) => {
  const server = await startServer(t)
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: '11111111-aaaa-4bbb-8ccc-222222222222',
    client_secret: 'a wrong one',
    scope: 'https://graph.microsoft.com/.default',
  })
  const answer = await fetch(`${server.url}/contoso.com/oauth2/v2.0/token?state=x`, { method: 'POST', body: form })
  assert.equal(answer.status, 401)
  const admin = await server.application(['Graphpost.Admin'])
  const { value } = (await admin.get('/admin/calls')).json
  const record = value.find((call: { requestId: string }) => call.requestId === answer.headers.get('x-ms-request-id'))
  assert.deepEqual(
    [record.method, record.url, record.status, record.error, record.application],
    ['POST', '/contoso.com/oauth2/v2.0/token', 401, 'invalid_client', '11111111-aaaa-4bbb-8ccc-222222222222'],
  )
  assert.match(record.reason, /^AADSTS7000215: /)
  assert.ok(!JSON.stringify(value).includes('a wrong one'))
})
