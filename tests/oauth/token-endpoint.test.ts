import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { decodeJwt, type JWTHeaderParameters, type JWTPayload } from 'jose'
import { graphApplicationId } from '../../src/identity/clouds.js'
import { developmentApplication, developmentPassword } from '../../src/identity/development.js'
import { exchange } from '../support/raw-socket.js'
import { type Answer, clientOf } from '../support/start-server.js'
import { daemon, daemonApi, daemonSecret, fabrikam, password, startContoso } from './contoso.js'
import {
  ask,
  assertionFields,
  codeFor,
  daemonFields,
  developmentFields,
  deviceFields,
  onBehalfFields,
  passwordFields,
  refreshFields,
} from './token-requests.js'

const names = (answer: Answer) => Object.keys(answer.json)
const claimsOf = ({ json }: Answer) => decodeJwt(json.access_token)
const numberOf = ({ status, json }: Answer) => [status, ...(json.error_codes ?? [])]

const userMembers = ['token_type', 'scope', 'expires_in', 'ext_expires_in', 'access_token']

test('an application without a user gets a token and nothing else', async (t) => {
  const contoso = await startContoso(t)
  const answer = await ask(contoso, { ...daemonFields, client_info: '1' })
  assert.equal(answer.status, 200)
  assert.deepEqual(names(answer), ['token_type', 'expires_in', 'ext_expires_in', 'access_token'])
  const { token_type, expires_in, ext_expires_in } = answer.json
  assert.deepEqual([token_type, expires_in, ext_expires_in], ['Bearer', 3_599, 3_599])
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
  assert.equal(answer.headers.get('cache-control'), 'no-store, no-cache')
  assert.equal(answer.headers.get('pragma'), 'no-cache')
  const { idtyp, tid, appid, appidacr, roles } = claimsOf(answer)
  assert.deepEqual([idtyp, tid, appid, appidacr], ['app', contoso.tenant, daemon, '1'])
  assert.deepEqual(roles, ['Mail.Send', 'Mail.Read'])
})

test('a user gets what the scope asks for: a refresh token, an id token, the account', async (t) => {
  const contoso = await startContoso(t)
  const with_ = (scope: string, more = {}) => ask(contoso, { ...passwordFields, scope, ...more })
  assert.deepEqual(names(await with_('Mail.Send')), userMembers)
  assert.deepEqual(names(await with_('Mail.Send offline_access')), [...userMembers, 'refresh_token'])
  assert.deepEqual(names(await with_('Mail.Send openid')), [...userMembers, 'id_token'])
  const all = await with_('Mail.Send openid profile email offline_access', { client_info: '1' })
  assert.deepEqual(names(all), [...userMembers, 'refresh_token', 'id_token', 'client_info'])
  assert.equal(all.json.scope, 'Mail.Send openid profile email')
  const id = decodeJwt(all.json.id_token)
  assert.deepEqual(JSON.parse(Buffer.from(all.json.client_info, 'base64url').toString()), {
    uid: id.oid,
    utid: contoso.tenant,
  })
  assert.doesNotMatch(all.json.client_info, /=/)
  const { ver, iss, aud, preferred_username, tid, email, name } = id
  assert.deepEqual([ver, aud, tid], ['2.0', developmentApplication, contoso.tenant])
  assert.equal(iss, `${contoso.url}/${contoso.tenant}/v2.0`)
  assert.deepEqual([preferred_username, email, name], ['alex@contoso.com', 'alex@contoso.com', 'Alex'])
})

test('every grant of a user answers alike', async (t) => {
  const contoso = await startContoso(t)
  const all = [...userMembers, 'refresh_token', 'id_token', 'client_info']
  const asked = { client_info: '1' }
  assert.deepEqual(names(await ask(contoso, { ...passwordFields, ...asked })), all)
  assert.deepEqual(names(await ask(contoso, { ...(await codeFor(contoso)), ...asked })), all)
  assert.deepEqual(names(await ask(contoso, { ...(await refreshFields(contoso)), ...asked })), all)
  const device = await ask(contoso, { ...(await deviceFields(contoso, 'accept')), ...asked })
  assert.deepEqual(names(device), [...userMembers, 'refresh_token', 'client_info'])
  const behalf = await onBehalfFields(contoso, {})
  const scope = 'openid offline_access Mail.Send'
  assert.deepEqual(names(await ask(contoso, { ...behalf, ...asked, scope })), all)
})

test("the correlation id is the client's, and comes back as a header where that is asked", async (t) => {
  const contoso = await startContoso(t)
  const id = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee'
  const wrong = { ...daemonFields, client_id: 'wrong' }
  const header = await ask(contoso, wrong, { headers: { 'client-request-id': id } })
  assert.equal(header.json.correlation_id, id)
  assert.equal(header.headers.get('client-request-id'), null)
  const both = { 'client-request-id': id, 'return-client-request-id': 'true' }
  assert.equal((await ask(contoso, wrong, { headers: both })).headers.get('client-request-id'), id)
  const url = `${contoso.url}/common/oauth2/v2.0/token?client-request-id=${id}`
  const query = (await (await fetch(url, { method: 'POST', body: new URLSearchParams(wrong) })).json()) as JWTPayload
  assert.equal(query.correlation_id, id)
  const odd = await ask(contoso, wrong, { headers: { 'client-request-id': '<b>' } })
  assert.match(odd.json.correlation_id, /^[0-9a-f-]{36}$/)
})

test('Graph is asked for in every spelling, which its tokens keep as their audience', async (t) => {
  const contoso = await startContoso(t)
  const { port } = new URL(contoso.url)
  const spellings: Record<string, string> = {
    'https://graph.microsoft.com/.default': 'https://graph.microsoft.com',
    'https://graph.microsoft.com//.default': 'https://graph.microsoft.com/',
    [`${graphApplicationId}/.default`]: graphApplicationId,
    [`api://${graphApplicationId}/.default`]: `api://${graphApplicationId}`,
    '.default': graphApplicationId,
    'https://graph.microsoft.com/.DEFAULT': 'https://graph.microsoft.com',
    'openid offline_access profile https://graph.microsoft.com/.default': 'https://graph.microsoft.com',
    [`https://localhost:${port}/.default`]: `https://localhost:${port}`,
    [`http://localhost:${port}/.default`]: `http://localhost:${port}`,
    'https://localhost/.default': 'https://localhost',
    'https://localhost//.default': 'https://localhost/',
    'https://127.0.0.1/.default': 'https://127.0.0.1',
    'https://graph.microsoft.us/.default': 'https://graph.microsoft.us',
  }
  for (const [scope, aud] of Object.entries(spellings)) {
    const answer = await ask(contoso, { ...developmentFields, scope })
    assert.equal(answer.status, 200, `${scope}: ${answer.text}`)
    assert.equal(claimsOf(answer).aud, aud, scope)
    const graph = clientOf(contoso.url, answer.json.access_token)
    assert.equal((await graph.get('/users/adele@contoso.com/messages')).status, 200, scope)
  }
})

test('permissions are answered in the spelling in which they were asked for, and stand in the token by their names', async (t) => {
  const contoso = await startContoso(t)
  const scopes: Record<string, string> = {
    'Mail.Send': 'Mail.Send',
    'https://graph.microsoft.com/Mail.Send': 'Mail.Send',
    'https://graph.microsoft.com/mail.send https://graph.microsoft.com/Mail.ReadWrite': 'Mail.Send Mail.ReadWrite',
    'Mail.Send https://graph.microsoft.com/User.Read openid': 'Mail.Send User.Read openid',
    [`${graphApplicationId}/Mail.Send`]: 'Mail.Send',
    'https://localhost/Mail.Send profile': 'Mail.Send profile',
  }
  for (const [scope, scp] of Object.entries(scopes)) {
    const answer = await ask(contoso, { ...passwordFields, scope })
    assert.equal(answer.status, 200, `${scope}: ${answer.text}`)
    assert.equal(answer.json.scope, scope)
    assert.equal(claimsOf(answer).scp, scp)
  }
  const everything = await ask(contoso, { ...passwordFields, scope: 'https://graph.microsoft.com/.default' })
  const shown: string[] = everything.json.scope.split(' ')
  assert.ok(shown.includes('https://graph.microsoft.com/.default'))
  assert.ok(shown.includes('https://graph.microsoft.com/Mail.Send'))
})

test('scopes that cannot be are refused as what they are', async (t) => {
  const contoso = await startContoso(t)
  const wrong: Record<string, number> = {
    'https://graph.microsoft.com/.default Mail.Send': 70011,
    'https://graph.microsoft.com/': 70011,
    'Mail.Send\u0000': 70011,
    [Array.from({ length: 101 }, (_, index) => `Mail.N${index}`).join(' ')]: 70011,
    [`https://graph.microsoft.com/Mail.Send https://localhost/Mail.Send ${daemonApi}/x`]: 28000,
    'https://graph.microsoft.com.evil.example/.default': 500011,
    'https://graph.microsoft.com/v1.0/.default': 500011,
    'https://contoso.example/.default': 500011,
  }
  for (const [scope, code] of Object.entries(wrong)) {
    assert.deepEqual(numberOf(await ask(contoso, { ...passwordFields, scope })), [400, code], scope.slice(0, 80))
  }
})

test('an application of the tenant is a resource, and its tokens open nothing of Graph', async (t) => {
  const contoso = await startContoso(t)
  for (const api of [daemonApi, daemon]) {
    const answer = await ask(contoso, { ...passwordFields, scope: `${api}/access_as_user` })
    assert.deepEqual([claimsOf(answer).aud, claimsOf(answer).scp], [api, 'access_as_user'])
    assert.equal((await clientOf(contoso.url, answer.json.access_token).get('/me/messages')).status, 401)
    const behalf = await onBehalfFields(contoso, {})
    const next = await ask(contoso, { ...behalf, assertion: answer.json.access_token })
    assert.equal(claimsOf(next).upn, 'alex@contoso.com')
  }
})

test('a secret may come in Authorization: Basic, both halves form-encoded', async (t) => {
  const contoso = await startContoso(t)
  const { client_id: _, client_secret: __, ...fields } = daemonFields
  const basic = (text: string) => ({ headers: { Authorization: `Basic ${Buffer.from(text).toString('base64')}` } })
  const encoded = `${daemon}:${encodeURIComponent(daemonSecret)}`
  assert.equal((await ask(contoso, fields, basic(encoded))).status, 200)
  assert.equal((await ask(contoso, fields, basic(encoded.replaceAll('%20', '+')))).status, 200)
  assert.equal((await ask(contoso, { ...fields, client_id: daemon }, basic(encoded))).status, 200)
  assert.deepEqual(numberOf(await ask(contoso, fields, basic(`${daemon}:wrong`))), [401, 7000215])
  assert.deepEqual(numberOf(await ask(contoso, fields, basic(daemon))), [400, 900144])
})

test('an assertion signed with the certificate shows who the application is', async (t) => {
  const contoso = await startContoso(t)
  const { daemonKey, tenant, url } = contoso
  const { x5t } = daemonKey
  const headers: Partial<JWTHeaderParameters>[] = [
    {},
    { alg: 'RS256' },
    { alg: 'RS256', x5t, 'x5t#S256': undefined },
    { alg: 'PS256', x5t },
  ]
  for (const header of headers) {
    const answer = await ask(contoso, await assertionFields(contoso, {}, header))
    assert.equal(answer.status, 200, `${JSON.stringify(header)} ${answer.text}`)
    assert.equal(claimsOf(answer).appidacr, '2')
  }
  const audiences = [
    `${url}/${tenant}/v2.0`,
    `${url}/${tenant}`,
    `${url}/${tenant}/`,
    `${url}/contoso.com/oauth2/v2.0/token`,
    `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`,
    [`${url}/${tenant}/v2.0`, 'https://elsewhere.example'],
  ]
  for (const aud of audiences) {
    assert.equal((await ask(contoso, await assertionFields(contoso, { aud }))).status, 200, String(aud))
  }
  const upper = daemon.toUpperCase()
  const { client_id: _, ...nameless } = await assertionFields(contoso, { iss: upper, sub: upper })
  assert.equal((await ask(contoso, nameless)).status, 200)
})

test('an assertion that is wrong in one thing is refused', async (t) => {
  const contoso = await startContoso(t)
  const { url, tenant, server } = contoso
  const seconds = Math.floor(server.clock.now() / 1000)
  const claims: [JWTPayload | Record<string, unknown>, number][] = [
    [{ aud: 'https://elsewhere.example' }, 700027],
    [{ aud: `${url}/${tenant}-and-more/v2.0` }, 700027],
    [{ aud: `${url}/${fabrikam}/v2.0` }, 700027],
    [{ aud: `${url}/` }, 700027],
    [{ aud: 'no address' }, 700027],
    [{ aud: 1 }, 700027],
    [{ aud: {} }, 700027],
    [{ aud: undefined }, 700027],
    [{ iss: developmentApplication }, 700027],
    [{ sub: developmentApplication }, 700027],
    [{ iss: [daemon, 1] }, 700027],
    [{ sub: undefined }, 700027],
    [{ exp: undefined }, 700027],
    [{ exp: seconds - 301 }, 700024],
    [{ nbf: seconds + 400 }, 700024],
  ]
  for (const [wrong, code] of claims) {
    const answer = await ask(contoso, await assertionFields(contoso, wrong as JWTPayload))
    assert.deepEqual(numberOf(answer), [401, code], JSON.stringify(wrong))
  }
  const thumbprint = await ask(contoso, await assertionFields(contoso, {}, { 'x5t#S256': 'unknown' }))
  assert.deepEqual(numberOf(thumbprint), [401, 700027])
  const untyped = { ...(await assertionFields(contoso)), client_assertion_type: 'jwt' }
  assert.deepEqual(numberOf(await ask(contoso, untyped)), [400, 900144])
})

test('an assertion without a signature, or signed with what everybody knows, is refused', async (t) => {
  const contoso = await startContoso(t)
  const fields = await assertionFields(contoso)
  const [, payload = '', signature = ''] = fields.client_assertion.split('.')
  const forged = (alg: string, sign: (input: string) => string) => {
    const header = JSON.stringify({ alg, typ: 'JWT', 'x5t#S256': contoso.daemonKey.x5tS256 })
    const input = `${Buffer.from(header).toString('base64url')}.${payload}`
    return { ...fields, client_assertion: `${input}.${sign(input)}` }
  }
  const mac = (input: string) => createHmac('sha256', contoso.daemonKey.pem).update(input).digest('base64url')
  for (const assertion of [
    forged('none', () => ''),
    forged('None', () => signature),
    forged('HS256', mac),
    forged('RS512', () => signature),
    forged('PS256', () => ''),
    { ...fields, client_assertion: fields.client_assertion.slice(0, -8) },
  ]) {
    assert.deepEqual(numberOf(await ask(contoso, assertion)), [401, 700027], assertion.client_assertion)
  }
  const garbage = { ...fields, client_assertion: 'a.b.c' }
  assert.deepEqual(numberOf(await ask(contoso, garbage)), [401, 700027])
})

test('what is not known is ignored, and what has no value counts as omitted', async (t) => {
  const contoso = await startContoso(t)
  const fields: [string, string][] = [
    ...Object.entries(developmentFields),
    ['x-client-SKU', 'MSAL.JS'],
    ['x-client-SKU', 'MSAL.JS'],
    ['x-client-current-telemetry', '5|771,2,,,|,'],
    ['claims', '{"access_token":{"xms_cc":{"values":["cp1"]}}}'],
    ['client_assertion', ''],
    ['code', ''],
    ['code', ''],
    ['__proto__', 'x'],
  ]
  assert.equal((await ask(contoso, fields)).status, 200)
  for (const name of ['grant_type', 'client_id', 'scope']) {
    const answer = await ask(contoso, { ...developmentFields, [name]: '' })
    assert.deepEqual(numberOf(answer), [400, 900144], name)
    assert.match(answer.json.error_description, new RegExp(`'${name}'`))
  }
  for (const [name, value] of Object.entries(developmentFields)) {
    const answer = await ask(contoso, [...Object.entries(developmentFields), [name, value]])
    assert.deepEqual(numberOf(answer), [400, 9000411], name)
  }
  for (const grant_type of ['__proto__', 'constructor', 'toString']) {
    assert.deepEqual(numberOf(await ask(contoso, { ...developmentFields, grant_type })), [400, 70003])
  }
})

test('a tenant is named by id or domain in any case; organizations stands for all where a user says which', async (t) => {
  const contoso = await startContoso(t)
  for (const tenant of [contoso.tenant, contoso.tenant.toUpperCase(), 'contoso.com', 'Contoso.COM']) {
    assert.equal((await ask(contoso, developmentFields, { tenant })).status, 200, tenant)
  }
  const fay = { ...passwordFields, username: 'fay@fabrikam.com' }
  assert.deepEqual(numberOf(await ask(contoso, fay, { tenant: 'contoso.com' })), [400, 50126])
  assert.equal((await ask(contoso, passwordFields, { tenant: 'organizations' })).status, 200)
  assert.equal((await ask(contoso, passwordFields, { tenant: 'Organizations' })).status, 200)
  for (const tenant of ['common', 'COMMON', 'consumers']) {
    assert.deepEqual(numberOf(await ask(contoso, passwordFields, { tenant })), [400, 9001023], tenant)
  }
  for (const tenant of ['common', 'organizations']) {
    assert.deepEqual(numberOf(await ask(contoso, developmentFields, { tenant })), [400, 50059], tenant)
    const refreshed = await ask(contoso, await refreshFields(contoso), { tenant })
    assert.equal(claimsOf(refreshed).scp, 'Mail.Send openid')
  }
  for (const tenant of ['unknown.example', '99999999-9999-4999-8999-999999999999', '<b>']) {
    const answer = await ask(contoso, developmentFields, { tenant: encodeURIComponent(tenant) })
    assert.deepEqual(numberOf(answer), [400, 90002], tenant)
  }
  assert.deepEqual(numberOf(await ask(contoso, developmentFields, { tenant: '%zz' })), [400, 9000410])
})

test('a user signs in by any of their names, and with a password of their own', async (t) => {
  const contoso = await startContoso(t)
  for (const username of ['adele@contoso.com', ' Adele@Contoso.COM ', 'adele.vance@contoso.com']) {
    assert.equal(claimsOf(await ask(contoso, { ...passwordFields, username, password })).upn, 'adele@contoso.com')
  }
  const known = { ...passwordFields, username: 'adele@contoso.com', password: developmentPassword }
  assert.deepEqual(numberOf(await ask(contoso, known)), [400, 50126])
})

test('the older endpoint takes a resource instead of a scope, and answers in its own shape', async (t) => {
  const contoso = await startContoso(t)
  const { scope: _, ...fields } = developmentFields
  const ofApplication = await ask(contoso, { ...fields, resource: 'https://graph.microsoft.com/' }, { version: '' })
  assert.deepEqual(names(ofApplication), [
    'token_type',
    'expires_in',
    'ext_expires_in',
    'expires_on',
    'not_before',
    'resource',
    'access_token',
  ])
  const { aud, exp, nbf } = claimsOf(ofApplication)
  const { expires_in, expires_on, not_before, resource } = ofApplication.json
  assert.equal(aud, 'https://graph.microsoft.com/')
  assert.deepEqual([expires_in, expires_on, not_before, resource], ['3599', String(exp), String(nbf), aud])
  const user = { ...passwordFields, scope: 'openid', resource: 'https://graph.microsoft.com' }
  const ofUser = await ask(contoso, user, { version: '' })
  assert.ok(String(claimsOf(ofUser).scp).split(' ').includes('Mail.Send'))
  assert.equal(typeof ofUser.json.id_token, 'string')
  const code = await codeFor(contoso, { scope: 'openid', resource: 'https://graph.microsoft.com' })
  const redeemed = await ask(contoso, { ...code, resource: 'https://graph.microsoft.com' }, { version: '' })
  assert.equal(redeemed.json.resource, 'https://graph.microsoft.com')
  assert.ok(String(claimsOf(redeemed).scp).split(' ').includes('Mail.Send'))
  assert.deepEqual(numberOf(await ask(contoso, fields, { version: '' })), [400, 900144])
})

test('other methods get 405 and what is allowed; scripts of other origins may ask', async (t) => {
  const { url } = await startContoso(t)
  const endpoint = `${url}/common/oauth2/v2.0/token`
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']) {
    const response = await fetch(endpoint, { method, ...(method.startsWith('P') ? { body: 'x=y' } : {}) })
    assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST'], method)
  }
  const asked = 'client-request-id, content-type, x-client-sku'
  const headers = { Origin: 'https://app.example', 'Access-Control-Request-Headers': asked }
  const preflight = await fetch(endpoint, { method: 'OPTIONS', headers })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
  assert.equal(preflight.headers.get('access-control-allow-methods'), 'POST')
  assert.equal(preflight.headers.get('access-control-allow-headers'), asked)
  assert.equal(preflight.headers.get('access-control-allow-credentials'), null)
  const refused = await fetch(endpoint, { method: 'POST', body: new URLSearchParams(), headers: { Origin: 'x' } })
  assert.deepEqual([refused.status, refused.headers.get('access-control-allow-origin')], [400, '*'])
})

test('a form that is too large is answered, while it is still being sent', async (t) => {
  const { url } = await startContoso(t)
  const size = 10_000_000
  const head = `POST /common/oauth2/v2.0/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`
  const answer = await exchange(t, url, head + 'x'.repeat(size))
  assert.match(answer, /^HTTP\/1\.1 400 /)
  assert.match(answer, /"error_codes":\[9000410\]/)
})

test('a form may be compressed, and one that is not what it says is refused', async (t) => {
  const { url, tenant } = await startContoso(t)
  const post = async (body: Uint8Array | string, encoding: string) => {
    const headers = { 'Content-Encoding': encoding }
    const response = await fetch(`${url}/${tenant}/oauth2/v2.0/token`, { method: 'POST', headers, body })
    return [response.status, ((await response.json()) as JWTPayload).error_codes]
  }
  const form = new URLSearchParams(developmentFields).toString()
  assert.deepEqual(await post(gzipSync(form), 'gzip'), [200, undefined])
  assert.deepEqual(await post(form, 'gzip'), [400, [9000410]])
  assert.deepEqual(await post(form, 'br'), [400, [9000410]])
  assert.deepEqual(await post(gzipSync('x'.repeat(10_000_000)), 'gzip'), [400, [9000410]])
})
