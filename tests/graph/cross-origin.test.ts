import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../support/start-server.js'

const origin = { Origin: 'https://app.example' }

test('a script of any origin may call, read refusals too, and ask beforehand without a token', async (t) => {
  const server = await startServer(t)
  const client = await server.user('adele@contoso.com')
  const question = await server.nobody.call('OPTIONS', '/me/sendMail', {
    headers: {
      ...origin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,content-type,sdkversion',
    },
  })
  assert.equal(question.status, 200)
  assert.match(question.headers.get('access-control-allow-methods') ?? '', /\bPOST\b/)
  assert.equal(question.headers.get('access-control-allow-headers'), 'authorization,content-type,sdkversion')
  const message = { subject: 'From a page', toRecipients: [{ emailAddress: { address: 'alex@contoso.com' } }] }
  const answers = [
    [202, await client.post('/me/sendMail', { message }, origin)],
    [200, await client.get('/me/messages', origin)],
    [404, await client.get('/users/nobody@contoso.com/messages', origin)],
    [401, await server.nobody.call('GET', '/me/messages', { headers: origin })],
  ] as const
  for (const [status, answer] of answers) {
    assert.equal(answer.status, status)
    assert.equal(answer.headers.get('access-control-allow-origin'), '*')
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', /\bretry-after\b/i)
    assert.equal(answer.headers.get('access-control-allow-credentials'), null)
  }
  const odd = await server.nobody.call('OPTIONS', '/me', {
    headers: { ...origin, 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'a b' },
  })
  assert.equal(odd.headers.get('access-control-allow-headers'), null)
})

test('who is no browser sees none of it', async (t) => {
  const client = await (await startServer(t)).user('adele@contoso.com')
  const { headers } = await client.get('/me/messages')
  assert.equal(headers.get('access-control-allow-origin'), null)
  assert.equal((await client.call('OPTIONS', '/me/messages')).status, 405)
})
