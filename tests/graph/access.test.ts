/** Who is let through to every operation there is: the table of cases is made from the table of routes. */
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { test } from 'node:test'
import { routes } from '../../src/graph/routes.js'
import { type Answer, type Client, clientOf, startServer, type TestServer } from '../support/start-server.js'

const adele = 'adele@contoso.com'
const developer = '22222222-bbbb-4ccc-8ddd-333333333333'

/** Every permission of mail there is, delegated or application. */
const everyPermission = ['Mail.ReadBasic', 'Mail.ReadBasic.All', 'Mail.Read', 'Mail.ReadWrite', 'Mail.Send']

/** For each permission a route can ask for, every granted one that lets a caller through. */
const admitting: Readonly<Record<string, readonly string[]>> = {
  'Mail.ReadBasic': ['Mail.ReadBasic', 'Mail.ReadBasic.All', 'Mail.Read', 'Mail.ReadWrite'],
  'Mail.Read': ['Mail.Read', 'Mail.ReadWrite'],
  'Mail.ReadWrite': ['Mail.ReadWrite'],
  'Mail.Send': ['Mail.Send'],
}

type JwtObject = Readonly<Record<string, unknown>>

/** A token in parts, as the server issued it. */
interface Taken {
  readonly header: JwtObject
  readonly payload: JwtObject
  readonly signature: string
}

function takeApart(token: string): Taken {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const parse = (part: string): JwtObject => JSON.parse(Buffer.from(part, 'base64url').toString())
  return { header: parse(header), payload: parse(payload), signature }
}

function encode(part: JwtObject): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

/** Signed with RS256, whatever the header says. */
function signed(header: JwtObject, payload: JwtObject, key: KeyObject): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const strangerPem = stranger.publicKey.export({ type: 'spki', format: 'pem' })

const anyRefusal = 'Access token validation failure.'
const notWellFormed = /^IDX14100: JWT is not well formed, there are no dots \(\.\)\.\n/

/** What a server answers to a token that is none of its own; `made` from one that is. */
interface BadToken {
  readonly name: string
  readonly made: (taken: Taken, token: string) => string
  readonly message: string | RegExp
}

const badTokens: readonly BadToken[] = [
  { name: 'no token', made: () => '', message: 'Access token is empty.' },
  { name: 'a word', made: () => 'garbage', message: notWellFormed },
  { name: 'two dots', made: () => '..', message: anyRefusal },
  { name: 'three words', made: () => 'a.b.c', message: anyRefusal },
  { name: 'five parts', made: () => 'a.b.c.d.e', message: anyRefusal },
  {
    name: 'JSON of no object',
    made: () => `${Buffer.from('null').toString('base64url')}.bnVsbA.x`,
    message: anyRefusal,
  },
  { name: 'a long one', made: () => 'x.'.repeat(5_000), message: anyRefusal },
  {
    name: 'claims changed',
    made: ({ header, payload, signature }) =>
      `${encode(header)}.${encode({ ...payload, scp: 'Mail.ReadWrite Mail.Send User.Read' })}.${signature}`,
    message: anyRefusal,
  },
  { name: 'signature changed', made: (_, token) => changeMiddle(token), message: anyRefusal },
  { name: 'signature missing', made: (_, token) => `${token.split('.', 2).join('.')}.`, message: anyRefusal },
  {
    name: 'alg none',
    made: ({ header, payload }) => `${encode({ ...header, alg: 'none' })}.${encode(payload)}.`,
    message: anyRefusal,
  },
  {
    name: 'alg None without kid',
    made: ({ payload }) => `${encode({ alg: 'None', typ: 'JWT' })}.${encode(payload)}.`,
    message: anyRefusal,
  },
  {
    name: 'alg none with the signature',
    made: ({ header, payload, signature }) => `${encode({ ...header, alg: 'none' })}.${encode(payload)}.${signature}`,
    message: anyRefusal,
  },
  {
    name: 'HS256 with a public key',
    made: ({ header, payload }) => {
      const input = `${encode({ ...header, alg: 'HS256' })}.${encode(payload)}`
      return `${input}.${createHmac('sha256', strangerPem).update(input).digest('base64url')}`
    },
    message: anyRefusal,
  },
  {
    name: 'HS256 with nothing',
    made: ({ header, payload }) => {
      const input = `${encode({ ...header, alg: 'HS256' })}.${encode(payload)}`
      return `${input}.${createHmac('sha256', '').update(input).digest('base64url')}`
    },
    message: anyRefusal,
  },
  {
    name: 'another key under our kid',
    made: ({ header, payload }) => signed(header, payload, stranger.privateKey),
    message: anyRefusal,
  },
  {
    name: 'another key under its own kid',
    made: ({ header, payload }) => signed({ ...header, kid: 'stranger' }, payload, stranger.privateKey),
    message: anyRefusal,
  },
  {
    name: 'a key in the header',
    made: ({ header, payload }) => {
      const jwk = stranger.publicKey.export({ format: 'jwk' })
      return signed({ ...header, jwk, jku: 'http://127.0.0.1/keys' }, payload, stranger.privateKey)
    },
    message: anyRefusal,
  },
  {
    name: 'a kid that is a path',
    made: ({ header, payload }) => signed({ ...header, kid: '../../../dev/null' }, payload, stranger.privateKey),
    message: anyRefusal,
  },
  {
    name: 'a kid that JavaScript knows',
    made: ({ header, payload }) => signed({ ...header, kid: '__proto__' }, payload, stranger.privateKey),
    message: anyRefusal,
  },
  {
    name: 'a kid that is no text',
    made: ({ header, payload }) => signed({ ...header, kid: { a: 1 } }, payload, stranger.privateKey),
    message: anyRefusal,
  },
  {
    name: 'no kid',
    made: ({ payload }) => signed({ alg: 'RS256', typ: 'JWT' }, payload, stranger.privateKey),
    message: anyRefusal,
  },
  {
    name: 'critical extensions',
    made: ({ header, payload }) => signed({ ...header, crit: ['b64'], b64: false }, payload, stranger.privateKey),
    message: anyRefusal,
  },
]

/** Another letter in the middle of the signature: in the last one, not every bit counts. */
function changeMiddle(token: string): string {
  const at = token.length - 100
  return token.slice(0, at) + (token.charAt(at) === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

/** The path of a route in this mailbox, with keys that lead to nothing. */
function pathIn(mailbox: string, path: string): string {
  return path
    .replace('{mailbox}', `/${mailbox}`)
    .replace('{folder}', 'inbox')
    .replace(/\{\w+\}/g, 'AAAA')
}

const mail = { message: { subject: 'Lunch?', toRecipients: [{ emailAddress: { address: adele } }] } }

function callRoute(client: Client, route: (typeof routes)[number], mailbox: string): Promise<Answer> {
  const path = (route.since === 'beta' ? '/beta' : '') + pathIn(mailbox, route.path)
  if (route.body === 'none') return client.call(route.method, path)
  const headers = { 'Content-Type': 'application/json' }
  return client.call(route.method, path, {
    headers,
    body: JSON.stringify(route.path.endsWith('/sendMail') ? mail : {}),
  })
}

function requireUnauthenticated(answer: Answer, message: string | RegExp, server: TestServer): void {
  assert.equal(answer.status, 401, answer.text)
  assert.equal(
    answer.headers.get('www-authenticate'),
    `Bearer realm="", authorization_uri="${server.url}/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`,
  )
  const { error } = answer.json
  assert.equal(error.code, 'InvalidAuthenticationToken')
  if (typeof message === 'string') assert.equal(error.message, message)
  else assert.match(error.message, message)
  assert.deepEqual(Object.keys(error.innerError), ['date', 'request-id', 'client-request-id'])
  assert.doesNotMatch(answer.text, /\bat \S+ \(|node:|jose|JWSInvalid|JWTClaim/)
}

function requireDenied(answer: Answer): void {
  assert.equal(answer.status, 403, answer.text)
  assert.deepEqual(answer.json, {
    error: { code: 'ErrorAccessDenied', message: 'Access is denied. Check credentials and try again.' },
  })
  assert.equal(answer.headers.get('www-authenticate'), null)
}

/** The operation was reached: it was done, or met the key that leads to nothing. */
function requireLetThrough(answer: Answer): void {
  if (answer.status >= 300) assert.equal(answer.json.error.code, 'ErrorInvalidIdMalformed', answer.text)
}

test('every route asks for a permission of mail', () => {
  assert.ok(routes.length >= 15)
  for (const route of routes) assert.ok(route.permission in admitting, route.path)
})

test('no route is open without a valid token, and a path that leads nowhere is not shown to be one', async (t) => {
  const server = await startServer(t)
  const { token } = await server.user(adele)
  const taken = takeApart(token)
  for (const { name, made, message } of badTokens) {
    await t.test(name, async () => {
      const client = clientOf(server.url, made(taken, token))
      for (const route of routes) requireUnauthenticated(await callRoute(client, route, 'me'), message, server)
      for (const path of ['/nowhere', '/v2.0/me/messages', '/me/messages?$top=x']) {
        requireUnauthenticated(await client.get(path), message, server)
      }
    })
  }
})

test('a token is good everywhere until it expires, and nowhere after', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele)
  for (const route of routes) requireLetThrough(await callRoute(client, route, 'me'))
  // Twelve hours is what the token lives; five minutes more is what clocks may differ by.
  server.clock.advance((12 * 60 + 6) * 60_000)
  for (const route of routes) {
    requireUnauthenticated(
      await callRoute(client, route, 'me'),
      'Lifetime validation failed, the token is expired.',
      server,
    )
  }
})

test('a token from the future is not valid yet', async (t) => {
  const server = await startServer(t)
  server.clock.advance(3_600_000)
  const client = await server.user(adele)
  server.clock.advance(-3_600_000)
  const answer = await client.get('/me/messages')
  requireUnauthenticated(answer, 'Lifetime validation failed, the token is expired.', server)
})

test('the scheme is Bearer in any case, and no other', async (t) => {
  const server = await startServer(t)
  const { token } = await server.user(adele)
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    const answer = await server.nobody.get('/me/messages', { Authorization: `${scheme} ${token}` })
    assert.equal(answer.status, 200)
  }
  for (const authorization of ['Bearer', 'Bearer ', token, `Basic ${token}`, `Bearer${token}`, `Token ${token}`]) {
    const answer = await server.nobody.get('/me/messages', { Authorization: authorization })
    requireUnauthenticated(answer, 'Access token is empty.', server)
  }
})

test('a Host header that is none stands in no answer', async (t) => {
  const server = await startServer(t)
  const { status, headers } = await server.nobody.get('/me/messages', { Host: 'a"b\\c' })
  assert.equal(status, 401)
  assert.doesNotMatch(headers.get('www-authenticate') ?? '', /a"b/)
})

for (const kind of ['delegated', 'application'] as const) {
  test(`each route is open to the ${kind} permissions that include its own, and to no other`, async (t) => {
    const server = await startServer(t)
    await server.user(adele)
    const clientWith = (permissions: string[]) =>
      kind === 'delegated' ? server.user(adele, permissions) : server.application(permissions)
    const mailbox = `users/${adele}`
    for (const route of routes) {
      await t.test(`${route.method} ${route.path}`, async () => {
        requireDenied(await callRoute(await clientWith([]), route, mailbox))
        for (const permission of everyPermission) {
          const answer = await callRoute(await clientWith([permission]), route, mailbox)
          if (admitting[route.permission]?.includes(permission)) requireLetThrough(answer)
          else requireDenied(answer)
        }
        const others = everyPermission.filter((each) => !admitting[route.permission]?.includes(each))
        requireDenied(await callRoute(await clientWith([...others, 'User.Read', 'Graphpost.Admin']), route, mailbox))
        requireLetThrough(await callRoute(await clientWith(['User.Read', route.permission]), route, mailbox))
      })
    }
  })
}

test('a user is let into no other mailbox, however it is named', async (t) => {
  const server = await startServer(t)
  await server.user(adele)
  const alex = await server.user('alex@contoso.com', everyPermission)
  const [owner] = (await server.graphpost.directory.listUsers()).map((user) => user.owner)
  for (const route of routes) {
    for (const name of [adele, adele.toUpperCase(), owner ?? '']) {
      requireDenied(await callRoute(alex, route, `users/${name}`))
    }
    requireLetThrough(await callRoute(alex, route, 'users/ALEX@contoso.com'))
  }
  const client = await server.user(adele)
  assert.equal((await client.get('/me/mailFolders/sentitems/messages/$count')).text, '0')
})

test('an id of another mailbox leads nowhere, for a user and for an application', async (t) => {
  const server = await startServer(t)
  const ada = await server.user(adele)
  const alex = await server.user('alex@contoso.com', everyPermission)
  await ada.post('/me/sendMail', mail)
  const { json } = await ada.get('/me/mailFolders/sentitems/messages')
  const id = json.value[0].id
  assert.equal((await ada.get(`/me/messages/${id}`)).status, 200)
  const daemon = await server.application(everyPermission)
  for (const [client, mailbox] of [
    [alex, 'me'],
    [daemon, 'users/alex@contoso.com'],
  ] as const) {
    for (const below of ['', '/$value', '/attachments', '/attachments/AAAA']) {
      const answer = await client.get(`/${mailbox}/messages/${id}${below}`)
      assert.ok(answer.status === 404 || answer.status === 400, `${below}: ${answer.text}`)
      assert.doesNotMatch(answer.text, /Lunch/)
    }
  }
})

test('an application has no /me, and no mailbox that is not there', async (t) => {
  const server = await startServer(t)
  await server.user(adele)
  const daemon = await server.application(everyPermission)
  for (const route of routes) {
    const me = await callRoute(daemon, route, 'me')
    assert.equal(me.status, 400, me.text)
    assert.equal(me.json.error.code, 'BadRequest')
    assert.equal(me.json.error.message, '/me request is only valid with delegated authentication flow.')
    const nobody = await callRoute(daemon, route, 'users/nobody@contoso.com')
    assert.equal(nobody.status, 404, nobody.text)
    assert.equal(nobody.json.error.code, 'ErrorInvalidUser')
  }
})

test('a call refused for its token or its permission is remembered with why, and without the token', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele, ['Mail.Send'])
  await server.nobody.get('/me/messages')
  await client.get('/me/messages')
  const [denied, refused] = await server.graphpost.directory.listCalls(2)
  assert.equal(refused?.status, 401)
  assert.equal(denied?.status, 403)
  assert.match(denied?.reason ?? '', /delegated permission Mail\.ReadBasic/)
  assert.doesNotMatch(JSON.stringify([denied, refused]), new RegExp(client.token.slice(-40)))
  const admin = await server.application([developer])
  assert.equal((await admin.get('/admin/calls')).status, 403)
  assert.equal((await server.nobody.get('/admin/calls')).status, 401)
})
