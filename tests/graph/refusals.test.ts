/**
 * Every row of the route table, called in every way that must be refused. Each call names a message, folder and attachment
 * that are there, and would succeed with a good token, which the end of the walk shows. A refusal is compared whole,
 * headers too, so that nothing can be in it that is not expected; and after each way the mailboxes are as they were.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { decodeJwt, type JWTPayload } from 'jose'
import { routes } from '../../src/graph/routes.js'
import { startServerWithKnownKey } from '../support/known-key.js'
import { type Client, clientOf, type TestServer } from '../support/start-server.js'
import { badTokens, type Forge, forgeOf, signed } from './bad-tokens.js'
import {
  documentedPermission,
  everyPermission,
  meOfApplication,
  permissionOf,
  permissionsBeside,
  type Refusal,
  type Route,
  unauthenticated,
  workloadOf,
} from './documented-access.js'
import { callOf, makeDraft, newsletter, other, owner, type Target, targetFor, targetOf } from './route-call.js'

const nobody = 'nobody@contoso.com'
const nobodysId = '77777777-7777-4777-8777-777777777777'

/** What the walk walks in: one mailbox with mail in it, and everyone who would like to be let in. */
interface Place {
  readonly server: TestServer
  readonly forge: Forge
  /** Claims that open everything to Adele, to Alex, to an application. */
  readonly claims: { readonly owner: JWTPayload; readonly other: JWTPayload; readonly application: JWTPayload }
  readonly ownersId: string
  readonly adele: Client
  /** A received message with a way to leave its list. */
  readonly received: Target
  readonly draft: Target
}

async function preparePlace(t: TestContext): Promise<Place> {
  const { server, key } = await startServerWithKnownKey(t)
  const adele = await server.user(owner, everyPermission)
  const alex = await server.user(other, everyPermission)
  const daemon = await server.application(everyPermission)
  const sent = await alex.post('/me/sendMail', newsletter, { 'Content-Type': 'text/plain' })
  assert.equal(sent.status, 202, sent.text)
  await server.graphpost.drainOutbox(10_000)
  const [received] = (await adele.get('/me/mailFolders/inbox/messages?$expand=attachments')).json.value
  const claims = { owner: decodeJwt(adele.token), other: decodeJwt(alex.token), application: decodeJwt(daemon.token) }
  return {
    server,
    forge: await forgeOf(key, server.clock.now()),
    claims,
    ownersId: String(claims.owner.oid),
    adele,
    received: targetOf(received),
    draft: await makeDraft(adele),
  }
}

/** One call that must be refused. */
interface Attempt {
  /** As the path has it, without its first slash. */
  readonly mailbox: string
  readonly authorization: string | undefined
  readonly refusal: Refusal
}

/** One reason to refuse. */
interface Reason {
  readonly name: string
  /** Absent: at every row. */
  readonly isOne?: (route: Route) => boolean
  readonly attempts: (place: Place, route: Route) => Promise<readonly Attempt[]>
}

async function bearer(forge: Forge, claims: JWTPayload): Promise<string> {
  return `Bearer ${await signed(forge, claims)}`
}

/** Every attempt of one token, at mailboxes named in several ways. */
async function attempts(token: Promise<string>, mailboxes: readonly string[], refusal: Refusal): Promise<Attempt[]> {
  const authorization = await token
  return mailboxes.map((mailbox) => ({ mailbox, authorization, refusal }))
}

const reasons: readonly Reason[] = [
  ...badTokens.map(
    ({ name, message, authorization }): Reason => ({
      name,
      attempts: async ({ forge, claims }) => {
        const refusal = unauthenticated(message)
        return [
          { mailbox: 'me', authorization: await authorization(forge, claims.owner), refusal },
          { mailbox: `users/${owner}`, authorization: await authorization(forge, claims.application), refusal },
        ]
      },
    }),
  ),
  {
    name: "a user's token without the scope",
    attempts: async ({ forge, claims }, route) => {
      const others = permissionsBeside(route)
      const mailboxes = ['me', `users/${owner}`]
      const { denied } = workloadOf(route)
      return [
        ...(await attempts(bearer(forge, { ...claims.owner, scp: others.join(' ') }), mailboxes, denied)),
        ...(await attempts(bearer(forge, { ...claims.owner, scp: '' }), mailboxes, denied)),
        // Roles of a user are no scopes.
        ...(await attempts(
          bearer(forge, { ...claims.owner, scp: others.join(' '), roles: everyPermission }),
          mailboxes,
          denied,
        )),
      ]
    },
  },
  {
    name: "an application's token without the role",
    attempts: async ({ forge, claims }, route) => {
      const mailboxes = [`users/${owner}`]
      const { denied } = workloadOf(route)
      const permission = permissionOf(route)
      const kinds = [permissionsBeside(route), [], undefined, permission, { [permission]: true }]
      const all = kinds.map((roles) => attempts(bearer(forge, { ...claims.application, roles }), mailboxes, denied))
      return (await Promise.all(all)).flat()
    },
  },
  {
    name: "another user's mailbox",
    isOne: (route) => !workloadOf(route).sharesUsers,
    attempts: async ({ forge, claims, ownersId }, route) => {
      const { denied } = workloadOf(route)
      const names = [owner, owner.toUpperCase(), ownersId]
      const mailboxes = names.flatMap((name) => [`users/${name}`, `users('${name}')`])
      return attempts(bearer(forge, claims.other), mailboxes, denied)
    },
  },
  {
    name: '/me of an application',
    attempts: async ({ forge, claims }) => attempts(bearer(forge, claims.application), ['me'], meOfApplication),
  },
  {
    name: 'an unknown user',
    attempts: async ({ forge, claims }, route) => {
      const { unknownUser } = workloadOf(route)
      const found = await Promise.all(
        [nobody, nobodysId].flatMap((key) =>
          [claims.application, claims.other].map((each) =>
            attempts(bearer(forge, each), [`users/${key}`], unknownUser(key)),
          ),
        ),
      )
      return found.flat()
    },
  },
  {
    name: 'a signed-in user without a mailbox',
    attempts: async ({ forge, claims }, route) => {
      const gone = { ...claims.owner, oid: nobodysId, sub: nobodysId, upn: nobody }
      const refusal = workloadOf(route).unknownUser(`${nobodysId}@${claims.owner.tid}`)
      return attempts(bearer(forge, gone), ['me'], refusal)
    },
  },
]

function routesOf({ isOne = () => true }: Reason): Route[] {
  return routes.filter(isOne)
}

/** Compares all of the answer; what is new in each call is checked for its form. */
function requireRefusal(response: Response, text: string, refusal: Refusal, server: TestServer): void {
  const headers = Object.fromEntries(response.headers)
  const requestId = headers['request-id'] ?? ''
  assert.match(requestId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  const { status, code, message, isFrontEnd } = refusal
  const body = JSON.parse(text)
  const date = body.error?.innerError?.date
  if (isFrontEnd) assert.match(date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
  const innerError = { date, 'request-id': requestId, 'client-request-id': requestId }
  assert.deepEqual(
    { status: response.status, body },
    { status, body: { error: { code, message, ...(isFrontEnd ? { innerError } : {}) } } },
  )
  assert.deepEqual(headers, {
    connection: 'keep-alive',
    'content-type': 'application/json',
    date: headers.date,
    'keep-alive': headers['keep-alive'],
    'request-id': requestId,
    'client-request-id': requestId,
    'strict-transport-security': 'max-age=31536000',
    'transfer-encoding': 'chunked',
    vary: 'Accept-Encoding',
    'x-ms-ags-diagnostic':
      '{"ServerInfo":{"DataCenter":"Graphpost","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"GRAPHPOST"}}',
    ...(status === 401 ? { 'www-authenticate': challenge(server) } : {}),
  })
}

function challenge(server: TestServer): string {
  return `Bearer realm="", authorization_uri="${server.url}/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`
}

/** Every mailbox and the outbox, in all that a call could change. */
async function stateOf({ server, forge, claims }: Place): Promise<unknown> {
  const daemon = clientOf(server.url, await signed(forge, claims.application))
  const users = await server.graphpost.directory.listUsers()
  const mailboxes = await Promise.all(
    users.map(async ({ userPrincipalName }) => {
      const { status, json } = await daemon.get(`/users/${userPrincipalName}/messages?$top=1000&$expand=attachments`)
      assert.equal(status, 200)
      return [userPrincipalName, json.value]
    }),
  )
  return { mailboxes, outbox: await server.graphpost.directory.listOutbox(1_000) }
}

test('every route refuses in the documented words, shows nothing and writes nothing', async (t) => {
  const place = await preparePlace(t)
  const { server, received, draft } = place
  const before = await stateOf(place)
  for (const reason of reasons) {
    await t.test(reason.name, async () => {
      for (const route of routesOf(reason)) {
        for (const { mailbox, authorization, refusal } of await reason.attempts(place, route)) {
          const { path, init } = callOf(route, mailbox, targetFor(route, received, draft), authorization)
          const response = await fetch(server.url + path, { method: route.method, ...init })
          try {
            requireRefusal(response, await response.text(), refusal, server)
            walked.add(`${reason.name}: ${route.method} ${route.path}`)
          } catch (error) {
            throw new Error(`${route.method} ${path}`, { cause: error })
          }
        }
      }
      assert.deepEqual(await stateOf(place), before)
    })
  }
})

/** What was refused as it must be: reason and row. */
const walked = new Set<string>()

test('every route of the table was walked, for every reason that there is', () => {
  const missing = reasons.flatMap((reason) =>
    routesOf(reason)
      .map(({ method, path }) => `${reason.name}: ${method} ${path}`)
      .filter((each) => !walked.has(each)),
  )
  assert.deepEqual(missing, [])
})

test('every route asks for the permission that is documented', () => {
  for (const route of routes)
    assert.equal(route.permission, documentedPermission(route), `${route.method} ${route.path}`)
})

test('the same calls succeed with a token that has the one permission', async (t) => {
  const place = await preparePlace(t)
  const { server, forge, claims, received, adele } = place
  for (const route of routes) {
    await t.test(`${route.method} ${route.path}`, async () => {
      const permission = permissionOf(route)
      for (const [mailbox, bearersClaims] of [
        ['me', { ...claims.owner, scp: permission }],
        [`users/${owner}`, { ...claims.application, roles: [permission] }],
      ] as const) {
        // What an earlier row did to its draft is not this one's business.
        const target = targetFor(route, received, await makeDraft(adele))
        const { path, init } = callOf(route, mailbox, target, await bearer(forge, bearersClaims))
        const response = await fetch(server.url + path, { method: route.method, ...init })
        const text = await response.text()
        assert.ok(response.ok, `${path}: ${response.status} ${text}`)
      }
    })
  }
})
