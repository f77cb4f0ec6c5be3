import assert from 'node:assert/strict'
import { test } from 'node:test'
import { graphApplicationId } from '../../src/identity/clouds.js'
import { developmentApplication } from '../../src/identity/development.js'
import type { OAuthFault } from '../../src/oauth/errors.js'
import type { Answer } from '../support/start-server.js'
import { type Contoso, daemon, daemonApi, desktop, stale, startContoso } from './contoso.js'
import { verifier } from './sign-in.js'
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

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Status, `error`, its number, `suberror`; and how it comes about. */
type Refusal = [
  status: number,
  error: string,
  code: number,
  suberror: string | undefined,
  provoke: (contoso: Contoso) => Promise<Answer>,
]

/** What only the pages of sign-in and discovery refuse. */
type Elsewhere =
  | 'unsupportedResponse'
  | 'wrongRedirect'
  | 'loginRequired'
  | 'interactionRequired'
  | 'administratorNeeded'
  | 'accessDenied'
  | 'invalidInstance'

const plain = undefined
const minutes = 60_000

/** Every fault that the token endpoint tells; one that is missing does not compile. */
const refusals: Record<Exclude<OAuthFault, Elsewhere>, Refusal> = {
  missingParameter: [400, 'invalid_request', 900144, plain, (c) => ask(c, { client_id: daemon })],
  repeatedParameter: [
    400,
    'invalid_request',
    9000411,
    plain,
    (c) => ask(c, [...Object.entries(daemonFields), ['scope', 'Mail.Send']]),
  ],
  malformedRequest: [400, 'invalid_request', 9000410, plain, (c) => ask(c, { ...daemonFields, x: 'x'.repeat(70_000) })],
  unknownTenant: [400, 'invalid_request', 90002, plain, (c) => ask(c, daemonFields, { tenant: 'unknown.example' })],
  noTenant: [400, 'invalid_request', 50059, plain, (c) => ask(c, daemonFields, { tenant: 'organizations' })],
  tenantNeeded: [400, 'invalid_request', 9001023, plain, (c) => ask(c, passwordFields, { tenant: 'common' })],
  unknownApplication: [
    400,
    'unauthorized_client',
    700016,
    plain,
    (c) => ask(c, { ...daemonFields, client_id: '99999999-9999-4999-8999-999999999999' }),
  ],
  malformedApplicationId: [
    400,
    'unauthorized_client',
    700038,
    plain,
    (c) => ask(c, { ...daemonFields, client_id: 'my-daemon' }),
  ],
  wrongSecret: [401, 'invalid_client', 7000215, plain, (c) => ask(c, { ...daemonFields, client_secret: 'wrong' })],
  expiredSecret: [
    401,
    'invalid_client',
    7000222,
    plain,
    (c) => ask(c, { ...daemonFields, client_id: stale, client_secret: 'an old secret' }),
  ],
  missingCredential: [401, 'invalid_client', 7000218, plain, (c) => ask(c, { ...daemonFields, client_secret: '' })],
  wrongAssertion: [
    401,
    'invalid_client',
    700027,
    plain,
    async (c) => ask(c, await assertionFields(c, { aud: 'https://elsewhere.example/token' })),
  ],
  expiredAssertion: [
    401,
    'invalid_client',
    700024,
    plain,
    async (c) => ask(c, await assertionFields(c, { exp: Math.floor(c.server.clock.now() / 1000) - 400 })),
  ],
  unsupportedGrant: [
    400,
    'unsupported_grant_type',
    70003,
    plain,
    (c) => ask(c, { ...daemonFields, grant_type: 'implicit' }),
  ],
  invalidScope: [400, 'invalid_scope', 70011, plain, (c) => ask(c, { ...passwordFields, scope: 'Mail Send!' })],
  staticScopeNeeded: [
    400,
    'invalid_scope',
    1002012,
    plain,
    (c) => ask(c, { ...developmentFields, scope: 'https://graph.microsoft.com/Mail.Send' }),
  ],
  manyResources: [
    400,
    'invalid_request',
    28000,
    plain,
    (c) => ask(c, { ...passwordFields, scope: `Mail.Send ${daemonApi}/access_as_user` }),
  ],
  unknownResource: [
    400,
    'invalid_resource',
    500011,
    plain,
    (c) => ask(c, { ...developmentFields, scope: 'https://vault.example/.default' }),
  ],
  notConsented: [
    400,
    'invalid_grant',
    65001,
    'consent_required',
    (c) => ask(c, { ...passwordFields, client_id: desktop }),
  ],
  wrongPassword: [400, 'invalid_grant', 50126, plain, (c) => ask(c, { ...passwordFields, password: 'wrong' })],
  lockedOut: [
    400,
    'invalid_grant',
    50053,
    plain,
    async (c) => {
      const fields = { ...passwordFields, username: 'nobody@contoso.com', password: 'wrong' }
      for (let tries = 0; tries < 10; tries++) {
        assert.deepEqual((await ask(c, fields)).json.error_codes, [50126], `try ${tries}`)
      }
      return ask(c, fields)
    },
  ],
  unknownUser: [
    400,
    'invalid_grant',
    50034,
    plain,
    async (c) => ask(c, await onBehalfFields(c, { oid: '99999999-9999-4999-8999-999999999999' })),
  ],
  noSignIn: [400, 'invalid_grant', 50057, plain, (c) => ask(c, { ...passwordFields, username: 'desk@contoso.com' })],
  expiredGrant: [
    400,
    'invalid_grant',
    70008,
    'token_expired',
    async (c) => {
      const fields = await codeFor(c)
      c.server.clock.advance(11 * minutes)
      return ask(c, fields)
    },
  ],
  malformedGrant: [
    400,
    'invalid_grant',
    9002313,
    'bad_token',
    (c) => ask(c, { grant_type: 'refresh_token', client_id: developmentApplication, refresh_token: 'M.never' }),
  ],
  usedCode: [
    400,
    'invalid_grant',
    54005,
    plain,
    async (c) => {
      const fields = await codeFor(c)
      assert.equal((await ask(c, fields)).status, 200)
      return ask(c, fields)
    },
  ],
  repeatedGrant: [
    400,
    'invalid_grant',
    50173,
    plain,
    async (c) => {
      const fields = await refreshFields(c)
      assert.equal((await ask(c, fields)).status, 200)
      return ask(c, fields)
    },
  ],
  revokedGrant: [
    400,
    'invalid_grant',
    50173,
    'bad_token',
    async (c) => {
      const fields = await refreshFields(c)
      assert.equal((await ask(c, fields)).status, 200)
      c.server.clock.advance(11_000)
      return ask(c, fields)
    },
  ],
  otherApplication: [
    400,
    'invalid_grant',
    70000,
    plain,
    async (c) => ask(c, { ...(await refreshFields(c)), client_id: desktop }),
  ],
  otherTenant: [
    400,
    'invalid_grant',
    700005,
    plain,
    async (c) => ask(c, await refreshFields(c), { tenant: 'fabrikam.com' }),
  ],
  wrongVerifier: [
    400,
    'invalid_grant',
    501481,
    plain,
    async (c) => ask(c, { ...(await codeFor(c)), code_verifier: `${verifier}-and-more` }),
  ],
  missingVerifier: [
    400,
    'invalid_grant',
    501471,
    plain,
    async (c) => ask(c, { ...(await codeFor(c)), code_verifier: '' }),
  ],
  otherRedirect: [
    400,
    'invalid_grant',
    500112,
    plain,
    async (c) => ask(c, { ...(await codeFor(c)), redirect_uri: 'http://localhost:5000/elsewhere' }),
  ],
  wrongAudience: [
    400,
    'invalid_grant',
    500131,
    plain,
    async (c) => ask(c, await onBehalfFields(c, { aud: graphApplicationId })),
  ],
  wrongUserAssertion: [
    400,
    'invalid_grant',
    50013,
    plain,
    async (c) => ask(c, { ...(await onBehalfFields(c, {})), assertion: 'a.b.c' }),
  ],
  expiredUserAssertion: [
    400,
    'invalid_grant',
    500133,
    plain,
    async (c) => ask(c, await onBehalfFields(c, { exp: Math.floor(c.server.clock.now() / 1000) - 400 })),
  ],
  appAssertion: [
    400,
    'invalid_grant',
    50027,
    plain,
    async (c) => ask(c, await onBehalfFields(c, { scp: undefined, roles: ['Mail.Send'] })),
  ],
  devicePending: [400, 'authorization_pending', 70016, plain, async (c) => ask(c, await deviceFields(c))],
  deviceDeclined: [400, 'authorization_declined', 70018, plain, async (c) => ask(c, await deviceFields(c, 'decline'))],
  deviceUnknown: [
    400,
    'bad_verification_code',
    70019,
    plain,
    (c) => ask(c, { grant_type: 'device_code', client_id: developmentApplication, device_code: 'unknown' }),
  ],
  deviceExpired: [
    400,
    'expired_token',
    70020,
    plain,
    async (c) => {
      const fields = await deviceFields(c, 'accept')
      c.server.clock.advance(16 * minutes)
      return ask(c, fields)
    },
  ],
}

test('the token endpoint refuses', async (t) => {
  const contoso = await startContoso(t)
  for (const [fault, [status, error, code, suberror, provoke]] of Object.entries(refusals)) {
    await t.test(`${fault} with ${error} and ${code}`, async () => {
      const answer = await provoke(contoso)
      assert.deepEqual(
        [answer.status, answer.json.error, answer.json.error_codes, answer.json.suberror],
        [status, error, [code], suberror],
      )
      requireShape(contoso, answer, code)
    })
  }
})

/** What every refusal has, in the order of the service. */
function requireShape({ url }: Contoso, { headers, json }: Answer, code: number): void {
  assert.deepEqual(Object.keys(json), [
    'error',
    'error_description',
    'error_codes',
    'timestamp',
    'trace_id',
    'correlation_id',
    'error_uri',
    ...(json.suberror === undefined ? [] : ['suberror']),
  ])
  assert.match(json.timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/)
  assert.match(json.trace_id, guid)
  assert.match(json.correlation_id, guid)
  const ids = ` Trace ID: ${json.trace_id} Correlation ID: ${json.correlation_id} Timestamp: ${json.timestamp}`
  assert.ok(json.error_description.startsWith(`AADSTS${code}: `), json.error_description)
  assert.ok(json.error_description.endsWith(ids), json.error_description)
  assert.equal(json.error_uri, `${url}/error?code=${code}`)
  assert.equal(headers.get('x-ms-request-id'), json.trace_id)
  assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
  assert.equal(headers.get('cache-control'), 'no-store, no-cache')
  assert.equal(headers.get('pragma'), 'no-cache')
}
