/**
 * The clouds, as a client finds them that was led here by a hosts file or by `graphpost run`: it connects to our https
 * port, asks for the certificate of the real host, and writes that host into its requests.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { decodeJwt } from 'jose'
import type { SettingKey } from '../../src/config.js'
import {
  developmentApplication,
  developmentPassword,
  developmentSecret,
  developmentTenant,
} from '../../src/identity/development.js'
import { startServer } from '../support/start-server.js'

/** What the documentation and the published models say of each cloud. */
const clouds = [
  {
    name: 'global',
    graphHost: 'graph.microsoft.com',
    signInHosts: ['login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
    issuer: `https://sts.windows.net/${developmentTenant}/`,
    lacksOperations: [],
    lacksProperties: [],
  },
  {
    name: 'US Government L4',
    graphHost: 'graph.microsoft.us',
    signInHosts: ['login.microsoftonline.us', 'login.usgovcloudapi.net'],
    issuer: `https://sts.windows.net/${developmentTenant}/`,
    lacksOperations: ['permanentDelete', 'createUploadSession'],
    lacksProperties: ['conversationIndex'],
  },
  {
    name: 'US Government L5',
    graphHost: 'dod-graph.microsoft.us',
    signInHosts: ['login.microsoftonline.us', 'login.usgovcloudapi.net'],
    issuer: `https://sts.windows.net/${developmentTenant}/`,
    lacksOperations: ['permanentDelete', 'createUploadSession'],
    lacksProperties: ['conversationIndex'],
  },
  {
    name: 'China',
    graphHost: 'microsoftgraph.chinacloudapi.cn',
    signInHosts: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    issuer: `https://sts.chinacloudapi.cn/${developmentTenant}/`,
    lacksOperations: ['permanentDelete'],
    lacksProperties: ['conversationIndex', 'flag', 'internetMessageHeaders'],
  },
] as const

/** Each is worldwide, and missing somewhere. */
const properties = ['conversationIndex', 'flag', 'internetMessageHeaders']

const mailbox = '/v1.0/users/adele@contoso.com'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** undefined when the body is none. */
  readonly json: ReturnType<typeof JSON.parse>
}

interface Sent {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Written behind the host. */
  readonly port?: string
}

/** A server that is called under names of the cloud. */
interface LedHere {
  readonly port: string
  call(host: string, method: string, path: string, sent?: Sent): Promise<Answer>
  /** A token of the application for Graph of that host. */
  tokenFrom(signInHost: string, graphHost: string): Promise<string>
  /** The answer to any question for a token. */
  askToken(signInHost: string, form: Readonly<Record<string, string>>): Promise<Answer>
}

async function startLedHere(t: TestContext, given: Partial<Record<SettingKey, string>> = {}): Promise<LedHere> {
  const server = await startServer(t, { httpsPort: '0', ...given })
  await server.user('adele@contoso.com')
  const { httpsUrl = '', caPem = '' } = server.graphpost
  const { port } = new URL(httpsUrl)

  const call: LedHere['call'] = async (host, method, path, sent = {}) => {
    const isForm = sent.body instanceof URLSearchParams
    const body = isForm ? String(sent.body) : sent.body === undefined ? '' : JSON.stringify(sent.body)
    const asked = request({
      ...{ host: '127.0.0.1', port, servername: host, ca: caPem, agent: false, method, path },
      headers: {
        Host: sent.port === undefined ? host : `${host}:${sent.port}`,
        'Content-Length': Buffer.byteLength(body),
        ...(body === '' ? {} : { 'Content-Type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' }),
        ...(sent.token === undefined ? {} : { Authorization: `Bearer ${sent.token}` }),
        ...sent.headers,
      },
    })
    asked.end(body)
    const [response] = await once(asked, 'response')
    const read = await text(response)
    return { status: response.statusCode, headers: response.headers, json: read === '' ? undefined : JSON.parse(read) }
  }
  const askToken: LedHere['askToken'] = (signInHost, form) => {
    const client = { client_id: developmentApplication, client_secret: developmentSecret }
    const body = new URLSearchParams({ ...client, ...form })
    return call(signInHost, 'POST', `/${developmentTenant}/oauth2/v2.0/token`, { body })
  }
  return {
    port,
    call,
    askToken,
    tokenFrom: async (signInHost, graphHost) => {
      const scope = `https://${graphHost}/.default`
      const { status, json } = await askToken(signInHost, { grant_type: 'client_credentials', scope })
      assert.equal(status, 200, JSON.stringify(json))
      return json.access_token
    },
  }
}

const draft = { subject: 'Draft', toRecipients: [{ emailAddress: { address: 'alex@contoso.com' } }] }
const file = { AttachmentItem: { attachmentType: 'file', name: 'large.bin', size: 4_000_000 } }

test('a token from any name of the sign-in is good for the Graph of its cloud, and bears its names', async (t) => {
  const { call, tokenFrom } = await startLedHere(t)
  for (const { name, graphHost, signInHosts, issuer } of clouds) {
    for (const signInHost of signInHosts) {
      const token = await tokenFrom(signInHost, graphHost)
      const { aud, iss } = decodeJwt(token)
      assert.deepEqual({ aud, iss }, { aud: `https://${graphHost}`, iss: issuer }, signInHost)
      assert.equal((await call(graphHost, 'GET', `${mailbox}/messages`, { token })).status, 200, name)
    }
  }
})

test('the sign-in of a cloud knows the Graph of no other', async (t) => {
  const { askToken } = await startLedHere(t)
  for (const { graphHost, signInHosts } of clouds) {
    for (const other of clouds) {
      if (other.signInHosts[0] === signInHosts[0]) continue
      const scope = `https://${graphHost}/.default`
      for (const form of [
        { grant_type: 'client_credentials', scope },
        { ...bySignIn, scope: `${scope} openid` },
      ]) {
        const { status, json } = await askToken(other.signInHosts[0], form)
        assert.equal(status, 400, `${graphHost} at ${other.signInHosts[0]}`)
        assert.equal(json.error, 'invalid_resource')
        assert.match(json.error_description, /^AADSTS500011: /)
      }
    }
  }
})

/** As a user without any page. */
const bySignIn = { grant_type: 'password', username: 'adele@contoso.com', password: developmentPassword }

test('a permission asked for by its name alone is one of Graph in the cloud of the sign-in', async (t) => {
  const { askToken, call } = await startLedHere(t)
  for (const { graphHost, signInHosts, issuer } of clouds) {
    const { status, json } = await askToken(signInHosts[0], { ...bySignIn, scope: 'Mail.Read' })
    assert.equal(status, 200, JSON.stringify(json))
    assert.equal(decodeJwt(json.access_token).iss, issuer)
    assert.equal((await call(graphHost, 'GET', '/v1.0/me/messages', { token: json.access_token })).status, 200)
  }
})

test('a token of one cloud opens nothing in another; who has none is told where to sign in', async (t) => {
  const { call, tokenFrom } = await startLedHere(t)
  for (const { graphHost, signInHosts } of clouds) {
    const token = await tokenFrom(signInHosts[0], graphHost)
    for (const other of clouds) {
      if (other.graphHost === graphHost) continue
      // Remembered as good where it is good.
      assert.equal((await call(graphHost, 'GET', `${mailbox}/messages`, { token })).status, 200)
      const { status, headers, json } = await call(other.graphHost, 'GET', `${mailbox}/messages`, { token })
      assert.equal(status, 401, `${graphHost} at ${other.graphHost}`)
      assert.equal(json.error.code, 'InvalidAuthenticationToken')
      assert.equal(json.error.message, 'Access token validation failure. Invalid audience.')
      assert.equal(headers['www-authenticate'], challenge(other.signInHosts[0]))
    }
    const { status, headers } = await call(graphHost, 'GET', `${mailbox}/messages`)
    assert.equal(status, 401)
    assert.equal(headers['www-authenticate'], challenge(signInHosts[0]))
  }
})

function challenge(signInHost: string): string {
  return `Bearer realm="", authorization_uri="https://${signInHost}/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`
}

test('links lead to the Graph that was called, by its own name and without a port', async (t) => {
  const { call, tokenFrom } = await startLedHere(t)
  for (const { graphHost, signInHosts, lacksOperations } of clouds) {
    const origin = `https://${graphHost}`
    const token = await tokenFrom(signInHosts[0], graphHost)
    const created = await call(graphHost, 'POST', `${mailbox}/messages`, { token, body: draft })
    assert.equal(created.status, 201)
    assert.equal(created.headers.location, `${origin}${locationPath(created.json.id)}`)
    await call(graphHost, 'POST', `${mailbox}/messages`, { token, body: draft })

    const page = await call(graphHost, 'GET', `${mailbox}/messages?$top=1`, { token })
    assert.equal(page.json['@odata.context'], `${origin}/v1.0/$metadata#users('adele%40contoso.com')/messages`)
    const next = String(page.json['@odata.nextLink'])
    assert.ok(next.startsWith(`${origin}${mailbox}/messages?`), next)
    assert.equal((await call(graphHost, 'GET', next.slice(origin.length), { token })).status, 200)

    if (lacksOperations.some((name) => name === 'createUploadSession')) continue
    const path = `${mailbox}/messages/${created.json.id}/attachments/createUploadSession`
    const { json } = await call(graphHost, 'POST', path, { token, body: file })
    const { origin: uploadOrigin, pathname, search } = new URL(json.uploadUrl)
    assert.equal(uploadOrigin, origin)
    assert.equal((await call(graphHost, 'GET', pathname + search)).status, 200)
  }
})

function locationPath(id: string): string {
  return `/v1.0/users('adele@contoso.com')/messages('${id}')`
}

test('a port that the client has called stands in links, and in the address of the sign-in', async (t) => {
  const { call, tokenFrom, port } = await startLedHere(t)
  for (const { graphHost, signInHosts } of clouds) {
    const token = await tokenFrom(signInHosts[0], graphHost)
    const { status, headers } = await call(graphHost, 'POST', `${mailbox}/messages`, { token, body: draft, port })
    assert.equal(status, 201)
    assert.ok(
      String(headers.location).startsWith(`https://${graphHost}:${port}/v1.0/users(`),
      headers.location as string,
    )
    const refused = await call(graphHost, 'GET', `${mailbox}/messages`, { port })
    assert.equal(refused.headers['www-authenticate'], challenge(`${signInHosts[0]}:${port}`))
  }
})

test('behind a proxy a name of the cloud still leads to that cloud', async (t) => {
  const { call, tokenFrom } = await startLedHere(t, { publicUrl: 'https://mail.example.com' })
  const [, { graphHost, signInHosts }, , china] = clouds
  const discovery = `/${developmentTenant}/v2.0/.well-known/openid-configuration`
  const { json } = await call(signInHosts[0], 'GET', discovery)
  assert.equal(json.token_endpoint, `https://${signInHosts[0]}/${developmentTenant}/oauth2/v2.0/token`)
  assert.equal(json.msgraph_host, graphHost)
  const token = await tokenFrom(signInHosts[0], graphHost)
  const created = await call(graphHost, 'POST', `${mailbox}/messages`, { token, body: draft })
  assert.equal(created.headers.location, `https://${graphHost}${locationPath(created.json.id)}`)
  assert.equal((await call(china.graphHost, 'GET', `${mailbox}/messages`, { token })).status, 401)
  // Whoever calls by any other name came through the proxy.
  const { headers } = await call('localhost', 'POST', `${mailbox}/messages`, { token, body: draft })
  assert.match(String(headers.location), /^https:\/\/mail\.example\.com\/v1\.0\//)
})

/** Each is worldwide, and missing somewhere; in an order in which one message can have them all. */
const operations = [
  { operation: 'createUploadSession', path: 'attachments/createUploadSession', body: file, status: 201 },
  { operation: 'permanentDelete', path: 'permanentDelete', body: undefined, status: 204 },
]

test('an operation is served in every cloud that has it, and is unknown in the others', async (t) => {
  const { call, tokenFrom } = await startLedHere(t)
  for (const { name, graphHost, signInHosts, lacksOperations } of clouds) {
    const token = await tokenFrom(signInHosts[0], graphHost)
    for (const version of ['v1.0', 'beta']) {
      const messages = `${mailbox.replace('v1.0', version)}/messages`
      const { json } = await call(graphHost, 'POST', messages, { token, body: draft })
      for (const { operation, path, body, status } of operations) {
        const answer = await call(graphHost, 'POST', `${messages}/${json.id}/${path}`, { token, body })
        const isLacking = lacksOperations.some((lacking) => lacking === operation)
        assert.equal(answer.status, isLacking ? 400 : status, `${operation} in ${name}`)
        if (!isLacking) continue
        assert.equal(answer.json.error.code, 'BadRequest')
        assert.equal(answer.json.error.message, `Resource not found for the segment '${operation}'.`)
      }
    }
  }
})

test('a property is shown in every cloud that has it, and is unknown in the others', async (t) => {
  const { call, tokenFrom } = await startLedHere(t)
  for (const { name, graphHost, signInHosts, lacksProperties } of clouds) {
    const token = await tokenFrom(signInHosts[0], graphHost)
    const created = await call(graphHost, 'POST', `${mailbox}/messages`, { token, body: draft })
    const messages = `${mailbox}/mailFolders/sentitems/messages`
    const message = {
      ...draft,
      subject: name,
      internetMessageHeaders: [{ name: 'x-menu', value: 'soup' }],
    }
    const sent = await call(graphHost, 'POST', `${mailbox}/sendMail`, { token, body: { message } })
    assert.equal(sent.status, 202)
    const { json: listed } = await call(graphHost, 'GET', messages, { token })
    const kept = listed.value.find(({ subject }: { subject: string }) => subject === name)
    const { json: got } = await call(graphHost, 'GET', `${mailbox}/messages/${kept.id}`, { token })

    for (const property of properties) {
      const isLacking = lacksProperties.some((lacking) => lacking === property)
      const shown = !isLacking && property !== 'internetMessageHeaders'
      for (const answer of [created.json, kept, got]) {
        assert.equal(property in answer, shown, `${property} in ${name}`)
      }
      for (const select of [property, `subject,${property.toUpperCase()}`, `microsoft.graph.message/${property}`]) {
        const path = `${mailbox}/messages/${kept.id}?$select=${select}`
        const { status, json } = await call(graphHost, 'GET', path, { token })
        assert.equal(status, isLacking ? 400 : 200, `${select} in ${name}`)
        if (isLacking) {
          assert.equal(json.error.code, 'RequestBroker--ParseUri')
          assert.match(
            json.error.message,
            /^Could not find a property named '.*' on type 'microsoft\.graph\.message'\.$/,
          )
        } else assert.ok(property in json, `${property} in ${name}`)
      }
    }
  }
})
