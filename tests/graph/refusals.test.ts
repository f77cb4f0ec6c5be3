/**
 * Every row of the route table, called in every way that must be refused. Each call names a message, folder and attachment
 * that are there, and would succeed with a good token, which the end of the walk shows. A refusal is compared whole,
 * headers too, so that nothing can be in it that is not expected; and after each way the mailboxes are as they were.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JWTPayload } from 'jose'
import { startReceiver } from '../support/receiver.js'
import { clientOf, type TestServer } from '../support/start-server.js'
import { badTokens, type Forge, signed } from './bad-tokens.js'
import {
  blockedByPolicy,
  documentedPermission,
  everyPermission,
  meOfApplication,
  operations,
  permissionOf,
  permissionsBeside,
  type Refusal,
  type Route,
  sendAsDenied,
  sufficientPermissions,
  type Use,
  unauthenticated,
  workloadOf,
} from './documented-access.js'
import {
  callOf,
  changesFolder,
  isAround,
  makeDraft,
  makeSurroundings,
  owner,
  targetFor,
  wishOf,
  withOwnFolder,
} from './route-call.js'
import { type Place, preparePlace } from './walk-place.js'

const nobody = 'nobody@contoso.com'
const nobodysId = '77777777-7777-4777-8777-777777777777'

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

/** Each token at each mailbox. */
async function attempts(
  tokens: readonly Promise<string>[],
  mailboxes: readonly string[],
  refusal: Refusal,
): Promise<Attempt[]> {
  const authorizations = await Promise.all(tokens)
  return mailboxes.flatMap((mailbox) => authorizations.map((authorization) => ({ mailbox, authorization, refusal })))
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
      const scp = permissionsBeside(route, 'delegated').join(' ')
      // Roles of a user are no scopes.
      const kinds = [{ scp }, { scp: '' }, { scp, roles: everyPermission }]
      const tokens = kinds.map((kind) => bearer(forge, { ...claims.owner, ...kind }))
      return attempts(tokens, ['me', `users/${owner}`], workloadOf(route).denied)
    },
  },
  {
    name: "an application's token without the role",
    attempts: async ({ forge, claims }, route) => {
      const [sufficient = ''] = sufficientPermissions(route, 'application')
      const kinds = [permissionsBeside(route, 'application'), [], undefined, sufficient, { [sufficient]: true }]
      const tokens = kinds.map((roles) => bearer(forge, { ...claims.application, roles }))
      return attempts(tokens, [`users/${owner}`], workloadOf(route).denied)
    },
  },
  {
    name: "another user's mailbox",
    isOne: isOfMail,
    attempts: async ({ forge, claims, ownersId }, route) => {
      const names = [owner, owner.toUpperCase(), ownersId]
      const mailboxes = names.flatMap((name) => [`users/${name}`, `users('${name}')`])
      const tokens = [claims.other, claims.secretary].map((each) => bearer(forge, each))
      return attempts(tokens, mailboxes, workloadOf(route).denied)
    },
  },
  {
    name: 'a shared mailbox without the scope for shared ones',
    isOne: isOfMail,
    attempts: async ({ forge, claims }, route) => {
      const scp = permissionsBeside(route, 'shared').join(' ')
      return attempts([bearer(forge, { ...claims.delegate, scp })], [`users/${owner}`], workloadOf(route).denied)
    },
  },
  {
    name: "another user's profile, with a scope for one's own",
    isOne: (route) => !isOfMail(route) && namesUser(route),
    attempts: async ({ forge, claims, ownersId }, route) => {
      const scp = permissionsBeside(route, 'shared').join(' ')
      const mailboxes = [owner, ownersId, nobody].map((name) => `users/${name}`)
      return attempts([bearer(forge, { ...claims.other, scp })], mailboxes, workloadOf(route).denied)
    },
  },
  {
    name: 'a shared mailbox, for what only its owner may do',
    isOne: isOwnersAlone,
    attempts: async ({ forge, claims }, route) =>
      attempts([bearer(forge, claims.delegate)], [`users/${owner}`], workloadOf(route).denied),
  },
  {
    name: 'a shared mailbox without the right to send',
    isOne: (route) => permissionOf(route) === 'Mail.Send',
    attempts: async ({ forge, claims }) => attempts([bearer(forge, claims.keeper)], [`users/${owner}`], sendAsDenied),
  },
  {
    name: 'a mailbox that policies of the application close',
    isOne: isOfMail,
    attempts: async ({ forge, claims }) => {
      const tokens = [claims.restrictedToOther, claims.deniedOwner].map((each) => bearer(forge, each))
      return attempts(tokens, [`users/${owner}`], blockedByPolicy)
    },
  },
  {
    name: 'a permission that the application has in other mailboxes',
    isOne: isOfMail,
    attempts: async ({ forge, claims }, route) => {
      const kinds = [undefined, permissionsBeside(route, 'application')]
      const tokens = kinds.map((roles) => bearer(forge, { ...claims.grantedInOther, roles }))
      return attempts(tokens, [`users/${owner}`], workloadOf(route).denied)
    },
  },
  {
    name: '/me of an application',
    isOne: namesUser,
    attempts: async ({ forge, claims }) => attempts([bearer(forge, claims.application)], ['me'], meOfApplication),
  },
  {
    name: 'an unknown user',
    isOne: namesUser,
    attempts: async ({ forge, claims }, route) => {
      const tokens = [claims.application, claims.other].map((each) => bearer(forge, each))
      const { unknownUser } = workloadOf(route)
      const found = [nobody, nobodysId].map((key) => attempts(tokens, [`users/${key}`], unknownUser(key)))
      return (await Promise.all(found)).flat()
    },
  },
  {
    name: 'a signed-in user who is not there',
    isOne: namesUser,
    attempts: async ({ forge, claims }, route) => {
      const gone: JWTPayload = { ...claims.owner, oid: nobodysId, sub: nobodysId, upn: nobody }
      const { unknownUser, keyOfMe } = workloadOf(route)
      return attempts([bearer(forge, gone)], ['me'], unknownUser(keyOfMe(nobodysId, String(gone.tid))))
    },
  },
]

function isOfMail({ kind }: Route): boolean {
  return kind === 'mail'
}

/** The directory's list of all users is nobody's. */
function namesUser({ path }: Route): boolean {
  return path.startsWith('{mailbox}')
}

/** Documented as failing in shared mailboxes. */
function isOwnersAlone({ path }: Route): boolean {
  return path.endsWith('/createUploadSession')
}

function routesOf({ isOne = () => true }: Reason): Route[] {
  return operations.filter(isOne)
}

/** Compares all of the answer; what is new in each call is checked for its form. */
function requireRefusal(response: Response, text: string, refusal: Refusal, server: TestServer): void {
  const { status, code, message, isFrontEnd } = refusal
  assert.equal(response.status, status, text)
  const headers = Object.fromEntries(response.headers)
  const requestId = headers['request-id'] ?? ''
  assert.match(requestId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  const body = JSON.parse(text)
  const date = body.error?.innerError?.date
  if (isFrontEnd) assert.match(date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
  const innerError = { date, 'request-id': requestId, 'client-request-id': requestId }
  assert.deepEqual(body, { error: { code, message, ...(isFrontEnd ? { innerError } : {}) } })
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
  const { server, received, draft, around } = place
  for (const reason of reasons) {
    await t.test(reason.name, async () => {
      const before = await stateOf(place)
      for (const route of routesOf(reason)) {
        for (const { mailbox, authorization, refusal } of await reason.attempts(place, route)) {
          const { path, init } = callOf(
            route,
            mailbox,
            { ...targetFor(route, received, draft), ...around },
            authorization,
          )
          const response = await fetch(server.url + path, { method: route.method, ...init })
          try {
            requireRefusal(response, await response.text(), refusal, server)
            walked.add(`${reason.name}: ${route.method} ${route.path}`)
          } catch (error) {
            throw new Error(`${route.method} ${path}: ${String(error)}`, { cause: error })
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
  for (const route of operations)
    assert.equal(route.permission, documentedPermission(route), `${route.method} ${route.path}`)
})

/** Who may: with any one permission that suffices, and in the end with what stands in no token. */
function admitted(route: Route, { claims, ownersId }: Place): [mailbox: string, claims: JWTPayload][] {
  const holding = (mailbox: string, whose: JWTPayload, use: Use) =>
    sufficientPermissions(route, use).map((permission): [string, JWTPayload] => [
      mailbox,
      { ...whose, ...(use === 'application' ? { roles: [permission] } : { scp: `User.Export.All ${permission}` }) },
    ])
  const ofOwner = `users/${owner}`
  const common = [...holding('me', claims.owner, 'delegated'), ...holding(ofOwner, claims.application, 'application')]
  if (!namesUser(route)) return common
  const own = [...common, ...[ofOwner, `users/${ownersId}`].flatMap((name) => holding(name, claims.owner, 'delegated'))]
  if (!isOfMail(route)) return [...own, ...holding(ofOwner, claims.other, 'shared')]
  return [
    ...own,
    ...(isOwnersAlone(route) ? [] : holding(ofOwner, claims.delegate, 'shared')),
    ...holding(ofOwner, claims.restrictedToOwner, 'application'),
    [ofOwner, { ...claims.grantedInOwner, roles: [] }],
  ]
}

/** A subscription of the caller's own, made with the one permission that the caller has. */
async function subscribe(
  server: TestServer,
  endpoint: string,
  authorization: string,
): Promise<{ subscription: string }> {
  const caller = clientOf(server.url, authorization.replace('Bearer ', ''))
  const { status, json, text } = await caller.post('/subscriptions', wishOf(endpoint))
  assert.equal(status, 201, text)
  return { subscription: json.id }
}

test('the same calls succeed with a token that has one permission', async (t) => {
  const place = await preparePlace(t)
  const { server, forge, received, adele } = place
  const receiver = await startReceiver(t)
  for (const route of operations) {
    await t.test(`${route.method} ${route.path}`, async () => {
      for (const [mailbox, bearersClaims] of admitted(route, place)) {
        // What an earlier row did to its draft is not this one's business.
        const authorization = await bearer(forge, bearersClaims)
        const onMail = targetFor(route, received, await makeDraft(adele))
        const target = {
          ...(changesFolder(route) ? await withOwnFolder(adele, onMail) : onMail),
          ...(isAround(route) ? await makeSurroundings(adele) : {}),
          endpoint: receiver.url,
          ...(route.path.includes('{subscription}') ? await subscribe(server, receiver.url, authorization) : {}),
        }
        const { path, init } = callOf(route, mailbox, target, authorization)
        const response = await fetch(server.url + path, { method: route.method, ...init })
        const text = await response.text()
        assert.ok(response.ok, `${path}: ${response.status} ${text}`)
      }
    })
  }
})
