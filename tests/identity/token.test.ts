import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { before, test } from 'node:test'
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import { openKeyRing } from '../../src/identity/key-ring.js'
import { generateSigningKey, privateKeyOf, type SigningKey } from '../../src/identity/signing-key.js'
import { type TokenGrant, type Tokens, tokensOf } from '../../src/identity/token.js'
import { type TokenFault, TokenRefused } from '../../src/identity/token-check.js'

const tenant = 'c0575050-0000-4000-8000-000000000001'
const graph = '00000003-0000-0000-c000-000000000000'
const noon = Date.UTC(2026, 0, 15, 12)
const minute = 60_000

const adele = {
  id: 'ABCDEF00-0000-4000-8000-000000000009',
  userPrincipalName: 'adele@contoso.com',
  displayName: 'Adele',
}

const delegated: TokenGrant = {
  tenant,
  application: '11111111-aaaa-4bbb-8ccc-222222222222',
  applicationName: 'My mailer',
  user: adele,
  permissions: ['Mail.Send', 'User.Read'],
  lifetimeSeconds: 3_600,
}

function asApplication(): TokenGrant {
  const { user: _, ...rest } = delegated
  return rest
}

let key: SigningKey
let otherKey: SigningKey

before(async () => {
  key = await generateSigningKey('first', noon)
  otherKey = await generateSigningKey('second', noon + 1)
})

interface Issuer {
  readonly tokens: Tokens
  at: number
}

async function issuer(keys: SigningKey[] = [key]): Promise<Issuer> {
  let count = 0
  const made = { at: noon }
  const now = () => made.at
  const tokens = tokensOf({
    ring: await openKeyRing({ listSigningKeys: async () => keys }),
    isTenant: async (id) => id === tenant,
    now,
    uuid: () => `00000000-0000-4000-8000-${String(count++).padStart(12, '0')}`,
  })
  return Object.assign(made, { tokens })
}

/** Signed by the server's own key, with whatever claims. */
async function signed(claims: Readonly<Record<string, unknown>>): Promise<string> {
  const seconds = noon / 1000
  const payload: Readonly<Record<string, unknown>> = {
    iss: `https://sts.windows.net/${tenant}/`,
    aud: graph,
    tid: tenant,
    exp: seconds + 3_600,
    nbf: seconds,
    appid: 'app',
    oid: adele.id,
    scp: 'Mail.Send',
    ...claims,
  }
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: key.id }).sign(await privateKeyOf(key))
}

async function requireRefused(tokens: Tokens, token: string, fault: TokenFault): Promise<void> {
  await assert.rejects(tokens.verify(token), (error) => {
    assert.ok(error instanceof TokenRefused, String(error))
    assert.equal(error.fault, fault, error.message)
    return true
  })
  assert.equal(tokens.verified(token), undefined)
}

test('a token for a user says who they are, when it is read again', async () => {
  const { tokens } = await issuer()
  const caller = await tokens.verify(await tokens.issue(delegated))
  assert.deepEqual(caller, {
    tenant,
    application: delegated.application,
    user: adele.id.toLowerCase(),
    permissions: new Set(['mail.send', 'user.read']),
    cloud: undefined,
    expiresAt: noon + 3_600_000,
  })
})

test('a token for an application has its roles and no user', async () => {
  const { tokens } = await issuer()
  const caller = await tokens.verify(await tokens.issue(asApplication()))
  assert.equal(caller.user, undefined)
  assert.equal(caller.application, delegated.application)
  assert.deepEqual(caller.permissions, new Set(['mail.send', 'user.read']))
})

test('the claims of a token for a user are those that Graph is given, in the v1.0 shape', async () => {
  const { tokens } = await issuer()
  const token = await tokens.issue(delegated)
  assert.deepEqual(decodeProtectedHeader(token), { alg: 'RS256', typ: 'JWT', kid: 'first' })
  assert.deepEqual(decodeJwt(token), {
    ver: '1.0',
    tid: tenant,
    appid: delegated.application,
    appidacr: '0',
    app_displayname: 'My mailer',
    idtyp: 'user',
    oid: adele.id,
    sub: adele.id,
    upn: adele.userPrincipalName,
    unique_name: adele.userPrincipalName,
    name: 'Adele',
    scp: 'Mail.Send User.Read',
    uti: '00000000-0000-4000-8000-000000000000',
    iss: `https://sts.windows.net/${tenant}/`,
    aud: graph,
    iat: noon / 1000,
    nbf: noon / 1000,
    exp: noon / 1000 + 3_600,
  })
})

test('the claims of a token for an application name it as the one that acts', async () => {
  const { tokens } = await issuer()
  const claims = decodeJwt(await tokens.issue(asApplication()))
  assert.equal(claims.idtyp, 'app')
  assert.equal(claims.appidacr, '1')
  assert.equal(claims.oid, delegated.application)
  assert.equal(claims.sub, delegated.application)
  assert.deepEqual(claims.roles, ['Mail.Send', 'User.Read'])
  assert.equal('scp' in claims, false)
  assert.equal('upn' in claims, false)
})

test('a token is remembered once it was verified, not before', async () => {
  const { tokens } = await issuer()
  const token = await tokens.issue(delegated)
  assert.equal(tokens.verified(token), undefined)
  const caller = await tokens.verify(token)
  assert.equal(tokens.verified(token), caller)
})

test('what is remembered is the whole token: another with the same end is not it', async () => {
  const { tokens } = await issuer()
  const token = await tokens.issue(delegated)
  await tokens.verify(token)
  assert.equal(tokens.verified(`x${token}`), undefined)
  assert.equal(tokens.verified(token.slice(1)), undefined)
  assert.equal(tokens.verified(token.slice(-48)), undefined)
  const [header = '', payload = '', signature = ''] = token.split('.')
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), scp: 'Mail.ReadWrite' }
  const forged = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
  await requireRefused(tokens, forged, 'invalid')
  assert.ok(tokens.verified(token))
})

test('what is remembered is forgotten when the token expires', async () => {
  const it = await issuer()
  const token = await it.tokens.issue(delegated)
  await it.tokens.verify(token)
  it.at = noon + 3_600_000 - 1
  assert.ok(it.tokens.verified(token))
  it.at = noon + 3_600_000
  assert.equal(it.tokens.verified(token), undefined)
})

test('verified while clocks may differ, a token is looked at anew each time', async () => {
  const it = await issuer()
  const token = await it.tokens.issue(delegated)
  it.at = noon + 3_600_000 + 4 * minute
  await it.tokens.verify(token)
  assert.equal(it.tokens.verified(token), undefined)
  it.at = noon + 3_600_000 + 6 * minute
  await requireRefused(it.tokens, token, 'expired')
})

test('two clocks may differ by five minutes, on both ends', async () => {
  const it = await issuer()
  const token = await it.tokens.issue(delegated)
  it.at = noon - 4 * minute
  assert.ok(await it.tokens.verify(token))
  const early = await issuer()
  early.at = noon - 6 * minute
  await requireRefused(early.tokens, token, 'expired')
  const late = await issuer()
  late.at = noon + 3_600_000 + 4 * minute
  assert.ok(await late.tokens.verify(token))
  late.at = noon + 3_600_000 + 5 * minute
  await requireRefused(late.tokens, token, 'expired')
})

test('the newest key signs, and what an older one signed is still good', async () => {
  const before = await issuer([key])
  const old = await before.tokens.issue(delegated)
  const { tokens } = await issuer([otherKey, key])
  const fresh = await tokens.issue(delegated)
  assert.equal(decodeProtectedHeader(fresh).kid, 'second')
  assert.ok(await tokens.verify(old))
  assert.ok(await tokens.verify(fresh))
  await requireRefused(before.tokens, fresh, 'invalid')
})

test('the audience is Graph in one of its spellings', async () => {
  const { tokens } = await issuer()
  for (const aud of [
    graph,
    'https://graph.microsoft.com',
    'https://graph.microsoft.com/',
    ['https://x.example', graph],
  ]) {
    assert.ok(await tokens.verify(await signed({ aud })))
  }
  for (const aud of ['https://outlook.office.com', 'https://graph.microsoft.com.evil.example', '', []]) {
    await requireRefused(tokens, await signed({ aud }), 'audience')
  }
})

test('the issuer is that of the tenant the token names', async () => {
  const { tokens } = await issuer()
  for (const iss of [
    'https://sts.windows.net/',
    `https://evil.example/${tenant}/`,
    `https://sts.windows.net/${tenant}`,
  ]) {
    await requireRefused(tokens, await signed({ iss }), 'invalid')
  }
  await requireRefused(tokens, await signed({ tid: 'another' }), 'invalid')
})

test('a token without an end, a tenant or, for a user, an id is refused', async () => {
  const { tokens } = await issuer()
  await requireRefused(tokens, await signed({ exp: undefined }), 'invalid')
  await requireRefused(tokens, await signed({ tid: undefined }), 'invalid')
  await requireRefused(tokens, await signed({ iss: undefined }), 'invalid')
  await requireRefused(tokens, await signed({ oid: undefined }), 'invalid')
})

test('a token with scp is one of a user, and its roles count for nothing', async () => {
  const { tokens } = await issuer()
  const caller = await tokens.verify(await signed({ scp: 'Mail.Read', roles: ['Mail.Send'] }))
  assert.equal(caller.user, adele.id.toLowerCase())
  assert.deepEqual(caller.permissions, new Set(['mail.read']))
})

test('a token with neither scp nor roles is valid, and may do nothing', async () => {
  const { tokens } = await issuer()
  const caller = await tokens.verify(await signed({ scp: undefined }))
  assert.equal(caller.user, undefined)
  assert.deepEqual(caller.permissions, new Set())
  const odd = await tokens.verify(await signed({ scp: undefined, roles: [1, null, 'Mail.Send'] }))
  assert.deepEqual(odd.permissions, new Set(['mail.send']))
})

test('the application is appid, or azp in a token of the v2.0 shape', async () => {
  const { tokens } = await issuer()
  assert.equal((await tokens.verify(await signed({ appid: undefined, azp: 'v2' }))).application, 'v2')
})

test('the public key is no secret: signing with it by HMAC gets nobody in', async () => {
  const { tokens } = await issuer()
  const { n = '', e = '' } = key.privateJwk
  const publicKey = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' })
  const token = await tokens.issue(delegated)
  const payload = token.split('.')[1] ?? ''
  const secrets = [
    publicKey.export({ type: 'spki', format: 'pem' }),
    publicKey.export({ type: 'spki', format: 'der' }),
    publicKey.export({ type: 'pkcs1', format: 'pem' }),
    Buffer.from(n, 'base64url'),
    JSON.stringify({ kty: 'RSA', n, e }),
  ]
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    for (const secret of secrets) {
      const input = `${Buffer.from(JSON.stringify({ alg, typ: 'JWT', kid: key.id })).toString('base64url')}.${payload}`
      const mac = createHmac(alg.replace('HS', 'sha'), secret).update(input).digest('base64url')
      await requireRefused(tokens, `${input}.${mac}`, 'invalid')
    }
  }
})

test('no algorithm but RS256 is taken, even of the right key', async () => {
  const { tokens } = await issuer()
  const token = await tokens.issue(delegated)
  const [, payload, signature] = token.split('.')
  for (const alg of ['none', 'None', 'NONE', '', 'RS384', 'RS512', 'PS256', 'ES256', 'rs256']) {
    const header = Buffer.from(JSON.stringify({ alg, typ: 'JWT', kid: key.id })).toString('base64url')
    await requireRefused(tokens, `${header}.${payload}.${signature}`, 'invalid')
    await requireRefused(tokens, `${header}.${payload}.`, 'invalid')
  }
})

test('what is no JWT is refused, and nothing else happens', async () => {
  const { tokens } = await issuer()
  for (const token of ['', 'x', 'a b c']) await requireRefused(tokens, token, 'malformed')
  for (const token of [
    '.',
    '..',
    '...',
    'a.b.c',
    '\u0000.\u0000.\u0000',
    '🎉.🎉.🎉',
    'e30.e30.e30',
    'bnVsbA.bnVsbA.x',
  ]) {
    await requireRefused(tokens, token, 'invalid')
  }
})

test('without a key nothing can be issued, which shows at once', async () => {
  await assert.rejects(issuer([]), /no key/)
})
