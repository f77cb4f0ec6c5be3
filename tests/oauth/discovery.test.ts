import assert from 'node:assert/strict'
import { request as plainRequest } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { developmentApplication, developmentSecret } from '../../src/identity/development.js'
import { startServer, type TestServer } from '../support/start-server.js'
import { fabrikam, startContoso } from './contoso.js'
import { askToken } from './sign-in.js'

/** As a client that was led here by the hosts file asks: our port, another's name. */
interface Called {
  readonly server: TestServer
  readonly host?: string
  readonly isSecure?: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the server says
async function get({ server, host, isSecure = false }: Called, path: string): Promise<{ status: number; json: any }> {
  const { httpsUrl = '', caPem = '' } = server.graphpost
  const url = new URL(path, isSecure ? httpsUrl : server.url)
  const headers = host === undefined ? {} : { Host: host }
  const call = isSecure
    ? request(url, { headers, ca: caPem, servername: host?.replace(/:\d+$/, '') ?? 'localhost' })
    : plainRequest(url, { headers })
  call.end()
  return new Promise((resolve, reject) => {
    call.on('error', reject)
    call.on('response', async (response) => {
      resolve({ status: response.statusCode ?? 0, json: JSON.parse(await text(response)) })
    })
  })
}

const configuration = (tenant: string) => `/${tenant}/v2.0/.well-known/openid-configuration`

test('the configuration names every endpoint below the authority that was asked, and each is there', async (t) => {
  const { server, url, tenant } = await startContoso(t)
  for (const name of [tenant, 'contoso.com', 'common', 'organizations']) {
    const { status, json } = await get({ server }, configuration(name))
    assert.equal(status, 200)
    const authority = `${url}/${name}`
    assert.equal(json.authorization_endpoint, `${authority}/oauth2/v2.0/authorize`)
    assert.equal(json.token_endpoint, `${authority}/oauth2/v2.0/token`)
    assert.equal(json.device_authorization_endpoint, `${authority}/oauth2/v2.0/devicecode`)
    assert.equal(json.end_session_endpoint, `${authority}/oauth2/v2.0/logout`)
    assert.equal(json.jwks_uri, `${authority}/discovery/v2.0/keys`)
    const posts = [json.token_endpoint, json.device_authorization_endpoint]
    for (const endpoint of posts) assert.equal((await fetch(endpoint, { method: 'POST' })).status, 400, endpoint)
    assert.equal((await fetch(json.authorization_endpoint)).status, 400)
    assert.equal((await fetch(json.end_session_endpoint)).status, 200)
    assert.equal((await fetch(json.jwks_uri)).status, 200)
  }
})

test('the configuration says what the server can do', async (t) => {
  const server = await startServer(t)
  const { json } = await get({ server }, configuration('common'))
  assert.deepEqual(json.token_endpoint_auth_methods_supported, [
    'client_secret_post',
    'private_key_jwt',
    'client_secret_basic',
  ])
  assert.deepEqual(json.response_types_supported, ['code'])
  assert.deepEqual(json.response_modes_supported, ['query', 'fragment', 'form_post'])
  assert.deepEqual(json.subject_types_supported, ['pairwise'])
  assert.deepEqual(json.id_token_signing_alg_values_supported, ['RS256'])
  assert.deepEqual(json.scopes_supported, ['openid', 'profile', 'email', 'offline_access'])
  assert.equal(json.request_uri_parameter_supported, false)
  assert.equal(json.msgraph_host, new URL(server.url).host)
  assert.equal('grant_types_supported' in json, false)
  assert.equal('code_challenge_methods_supported' in json, false)
})

test('the issuer has the origin that was called, and the id of the tenant however it was named', async (t) => {
  const { server, url, tenant } = await startContoso(t)
  const { port } = new URL(url)
  const issuerOf = async (host: string | undefined, name: string) =>
    (await get(host === undefined ? { server } : { server, host }, configuration(name))).json.issuer
  assert.equal(await issuerOf(undefined, tenant), `${url}/${tenant}/v2.0`)
  assert.equal(await issuerOf(undefined, 'CONTOSO.com'), `${url}/${tenant}/v2.0`)
  assert.equal(await issuerOf(undefined, 'fabrikam.com'), `${url}/${fabrikam}/v2.0`)
  assert.equal(await issuerOf(undefined, 'common'), `${url}/{tenantid}/v2.0`)
  assert.equal(await issuerOf(undefined, 'organizations'), `${url}/{tenantid}/v2.0`)
  assert.equal(await issuerOf(`127.0.0.1:${port}`, tenant), `http://127.0.0.1:${port}/${tenant}/v2.0`)
  assert.equal(await issuerOf('LocalHost:1234', tenant), `http://localhost:1234/${tenant}/v2.0`)
  assert.equal(await issuerOf('mail.example.com:80', tenant), `http://mail.example.com/${tenant}/v2.0`)
  for (const host of ['user@mail.example.com', 'mail.example.com/path', 'a b', '<b>', 'x:99999']) {
    assert.equal(await issuerOf(host, tenant), `${url}/${tenant}/v2.0`, host)
  }
})

test('behind a proxy the issuer has the public address, whatever was called', async (t) => {
  const server = await startServer(t, { publicUrl: 'https://mail.example.com' })
  const { tenant } = server.graphpost
  const { json } = await get({ server }, configuration(tenant))
  assert.equal(json.issuer, `https://mail.example.com/${tenant}/v2.0`)
  assert.equal(json.token_endpoint, `https://mail.example.com/${tenant}/oauth2/v2.0/token`)
})

test("under a cloud's name the server is that cloud's authority", async (t) => {
  const server = await startServer(t, { httpsPort: '0' })
  const { tenant } = server.graphpost
  const clouds = [
    ['login.microsoftonline.com', 'graph.microsoft.com', 'microsoftonline.com'],
    ['login.microsoftonline.us', 'graph.microsoft.us', 'microsoftonline.us'],
    ['login.partner.microsoftonline.cn', 'microsoftgraph.chinacloudapi.cn', 'partner.microsoftonline.cn'],
  ] as const
  for (const [host, graph, instance] of clouds) {
    const called = { server, host, isSecure: true }
    const { json } = await get(called, configuration(tenant))
    assert.equal(json.issuer, `https://${host}/${tenant}/v2.0`)
    assert.equal(json.token_endpoint, `https://${host}/${tenant}/oauth2/v2.0/token`)
    assert.equal(json.msgraph_host, graph)
    assert.equal(json.cloud_instance_name, instance)
    assert.equal((await get({ ...called, host: `${host}:443` }, configuration(tenant))).json.issuer, json.issuer)
    const keys = await get(called, '/common/discovery/v2.0/keys')
    assert.equal(keys.json.keys[0].issuer, `https://${host}/{tenantid}/v2.0`)
  }
})

test('an unknown tenant is refused as the token endpoint refuses it', async (t) => {
  const server = await startServer(t)
  for (const path of [configuration('unknown.example'), '/unknown.example/discovery/v2.0/keys']) {
    const { status, json } = await get({ server }, path)
    assert.deepEqual([status, json.error, json.error_codes], [400, 'invalid_request', [90002]])
  }
})

const instance = (authorize: string, version = '1.1') =>
  `/common/discovery/instance?api-version=${version}&authorization_endpoint=${encodeURIComponent(authorize)}`

test('asked for itself, instance discovery names this server as its only alias', async (t) => {
  const server = await startServer(t)
  const { host } = new URL(server.url)
  const { status, json } = await get({ server }, instance(`${server.url}/contoso.com/oauth2/v2.0/authorize`))
  assert.equal(status, 200)
  assert.deepEqual(json, {
    tenant_discovery_endpoint: `${server.url}/contoso.com/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  })
})

test('asked for a cloud it stands for, instance discovery names that and the other clouds', async (t) => {
  const server = await startServer(t, { httpsPort: '0' })
  const called = { server, host: 'login.microsoftonline.com', isSecure: true }
  for (const authority of ['https://login.microsoftonline.com/common', 'https://login.windows.net/common']) {
    const { status, json } = await get(called, instance(`${authority}/oauth2/v2.0/authorize`, '1.0'))
    assert.equal(status, 200)
    assert.equal(json.tenant_discovery_endpoint, `${authority}/v2.0/.well-known/openid-configuration`)
    assert.equal(json['api-version'], '1.0')
    const aliases: string[][] = json.metadata.map((each: { aliases: string[] }) => each.aliases)
    const [first] = aliases
    assert.ok(first?.includes('login.microsoftonline.com') && first.includes('login.windows.net'))
    assert.ok(aliases.some((each) => each.includes('login.partner.microsoftonline.cn')))
    assert.equal(new Set(aliases.flat()).size, aliases.flat().length)
  }
})

test('instance discovery does not know other hosts', async (t) => {
  const server = await startServer(t)
  const others = [
    'https://login.example/common',
    'https://login.microsoftonline.com.evil.example/x',
    'javascript:1',
    'x',
  ]
  for (const authorize of others) {
    const { status, json } = await get({ server }, instance(authorize))
    assert.deepEqual([status, json.error], [400, 'invalid_instance'], authorize)
  }
  assert.equal((await get({ server }, '/common/discovery/instance')).status, 400)
})

test('keys are public halves alone, with the issuer of the tenant', async (t) => {
  const { server, url, tenant } = await startContoso(t)
  for (const [path, issuer] of [
    [`/${tenant}/discovery/v2.0/keys`, `${url}/${tenant}/v2.0`],
    ['/common/discovery/v2.0/keys', `${url}/{tenantid}/v2.0`],
    ['/common/discovery/keys', `${url}/{tenantid}/v2.0`],
  ] as const) {
    const { json } = await get({ server }, path)
    const [key] = json.keys
    assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'issuer', 'kid', 'kty', 'n', 'use'])
    assert.deepEqual([key.kty, key.use, key.alg, key.kid, key.issuer], ['RSA', 'sig', 'RS256', 'known-key', issuer])
  }
})

test('the realm of a user is managed where the domain or the user is ours', async (t) => {
  const { server } = await startContoso(t)
  const realm = (name: string, spelling = 'userrealm') => get({ server }, `/common/${spelling}/${name}?api-version=1.0`)
  const { status, json } = await realm('adele@contoso.com')
  assert.equal(status, 200)
  assert.deepEqual(json, {
    ver: '1.0',
    account_type: 'Managed',
    domain_name: 'contoso.com',
    cloud_instance_name: 'microsoftonline.com',
    cloud_audience_urn: 'urn:federation:MicrosoftOnline',
  })
  for (const name of ['adele%40contoso.com', 'Fay@FABRIKAM.com', 'nobody@contoso.com']) {
    assert.equal((await realm(name, 'UserRealm')).json.account_type, 'Managed', name)
  }
  for (const name of ['somebody@example.org', 'nobody', '%20']) {
    assert.equal((await realm(name)).json.account_type, 'Unknown', name)
  }
  const malformed = await realm('%zz')
  assert.deepEqual([malformed.status, malformed.json.error_codes], [400, [9000410]])
})

test('scripts of other origins may ask for all of it; other methods may not', async (t) => {
  const { url } = await startServer(t)
  for (const path of [configuration('common'), instance(url), '/common/discovery/v2.0/keys']) {
    const response = await fetch(url + path, { headers: { Origin: 'https://app.example' } })
    assert.equal(response.headers.get('access-control-allow-origin'), '*', path)
    const posted = await fetch(url + path, { method: 'POST', body: 'x' })
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET'], path)
  }
})

test("what the API's own paths are called is no tenant", async (t) => {
  const { url } = await startServer(t)
  for (const name of ['v1.0', 'beta', 'admin']) {
    const { json } = await askToken(url, {}, { path: `/${name}/oauth2/v2.0/token` })
    assert.equal(json?.error_codes, undefined, name)
  }
})

test('a token asked for under a cloud is of that cloud', async (t) => {
  const server = await startServer(t)
  const { tenant } = server.graphpost
  const fields = {
    grant_type: 'client_credentials',
    client_id: developmentApplication,
    client_secret: developmentSecret,
    scope: 'https://microsoftgraph.chinacloudapi.cn/.default',
  }
  const { json } = await askToken(server.url, fields, { path: `/${tenant}/oauth2/v2.0/token` })
  const claims = JSON.parse(Buffer.from(json.access_token.split('.')[1], 'base64url').toString())
  assert.equal(claims.iss, `https://sts.chinacloudapi.cn/${tenant}/`)
})
