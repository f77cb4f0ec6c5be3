import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileRoutes, parsePath, type RouteFound, type RouteMatch } from '../../src/graph/path.js'

const rows = [
  { method: 'GET', path: '' },
  { method: 'POST', path: '$batch' },
  { method: 'GET', path: 'users' },
  { method: 'GET', path: '{mailbox}' },
  { method: 'POST', path: '{mailbox}/sendMail' },
  { method: 'GET', path: '{mailbox}/messages' },
  { method: 'POST', path: '{mailbox}/messages' },
  { method: 'GET', path: '{mailbox}/messages/$count' },
  { method: 'GET', path: '{mailbox}/messages/delta' },
  { method: 'GET', path: '{mailbox}/messages/microsoft.graph.eventMessage' },
  { method: 'GET', path: '{mailbox}/messages/{message}' },
  { method: 'POST', path: '{mailbox}/messages/{message}/send' },
  { method: 'GET', path: '{mailbox}/messages/{message}/attachments/{attachment}/$value' },
  { method: 'GET', path: '{mailbox}/mailFolders' },
  { method: 'GET', path: '{mailbox}/mailFolders/{folder}' },
  { method: 'GET', path: '{mailbox}/mailFolders/{folder}/childFolders' },
  { method: 'GET', path: '{mailbox}/mailFolders/{folder}/messages' },
  { method: 'GET', path: '{mailbox}/mailFolders/{folder}/messages/{message}/attachments/{attachment}/$value' },
  { method: 'GET', path: '{mailbox}/outlook/supportedTimeZones' },
]
const table = compileRoutes(rows)
type Row = (typeof rows)[number]

function find(method: string, url: string): RouteMatch<Row> {
  const path = parsePath(url)
  assert.ok(path !== undefined, url)
  return table.match(method, path)
}

function found(method: string, url: string): RouteFound<Row> {
  const match = find(method, url)
  assert.ok(match.kind === 'found', `${url}: ${JSON.stringify(match)}`)
  return match
}

function unknownSegment(method: string, url: string): string {
  const match = find(method, url)
  assert.ok(match.kind === 'notFound', `${url}: ${JSON.stringify(match)}`)
  return match.unknownSegment
}

test('me and users are the same mailbox routes', () => {
  const me = found('POST', '/v1.0/me/sendMail')
  assert.equal(me.row.path, '{mailbox}/sendMail')
  assert.deepEqual([me.mailboxKey, me.mailboxAsWritten], [undefined, 'me'])

  const user = found('POST', '/v1.0/users/ada@example.com/sendMail')
  assert.equal(user.row, me.row)
  assert.deepEqual([user.mailboxKey, user.mailboxAsWritten], ['ada@example.com', 'ada@example.com'])
  assert.equal(found('GET', '/v1.0/me').row.path, '{mailbox}')
  assert.equal(found('GET', '/v1.0/users/ada').row.path, '{mailbox}')
})

test('users/me is a key for the caller to make sense of', () => {
  assert.equal(found('POST', '/v1.0/users/me/sendMail').mailboxKey, 'me')
})

test('a route without a mailbox has none', () => {
  const match = found('GET', '/beta/users')
  assert.deepEqual([match.mailboxKey, match.mailboxAsWritten], [undefined, undefined])
  assert.equal(found('POST', '/v1.0/$batch').row.path, '$batch')
  assert.equal(found('GET', '/v1.0/').row.path, '')
})

test('a key may stand in parentheses, with its quotes doubled', () => {
  assert.equal(found('POST', "/v1.0/users('$ada@example.com')/sendMail").mailboxKey, '$ada@example.com')
  assert.equal(found('POST', '/v1.0/users(%27ada@example.com%27)/sendMail').mailboxKey, 'ada@example.com')
  assert.equal(found('POST', "/v1.0/users('o''hara@example.com')/sendMail").mailboxKey, "o'hara@example.com")
  assert.equal(found('POST', "/v1.0/users(id='ada')/sendMail").mailboxKey, 'ada')
  assert.equal(found('POST', '/v1.0/users(00aa11bb)/sendMail').mailboxKey, '00aa11bb')

  const match = found('GET', "/v1.0/me/mailFolders('inbox')/messages('AAM=')/attachments('AQ==')/$value")
  assert.deepEqual(match.params, { folder: 'inbox', message: 'AAM=', attachment: 'AQ==' })
})

test('a key in parentheses is never taken for a segment of the same spelling', () => {
  assert.deepEqual(found('GET', "/v1.0/me/messages('delta')").params, { message: 'delta' })
  assert.equal(found('GET', '/v1.0/me/messages(AAM==)').params.message, 'AAM==')
})

test('a key that holds parentheses stands as a segment', () => {
  assert.equal(found('POST', '/v1.0/users/ada(work)/sendMail').mailboxKey, 'ada(work)')
  assert.equal(found('POST', '/v1.0/users/ada(work)@example.com/sendMail').mailboxKey, 'ada(work)@example.com')
})

test('actions and functions may carry the namespace, functions parentheses', () => {
  for (const name of [
    'sendMail',
    'microsoft.graph.sendMail',
    'graph.sendmail',
    'Microsoft.Graph.SendMail',
    'sendMail()',
  ]) {
    assert.equal(found('POST', `/v1.0/me/${name}`).row.path, '{mailbox}/sendMail')
  }
  for (const name of ['delta', 'delta()', 'microsoft.graph.delta()', 'Delta%28%29']) {
    assert.equal(found('GET', `/v1.0/me/messages/${name}`).row.path, '{mailbox}/messages/delta')
  }
  assert.equal(found('GET', "/v1.0/me/messages/delta(changeType='created')").functionArguments, "changeType='created'")
  assert.equal(
    found('GET', "/v1.0/me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')")
      .functionArguments,
    "TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana'",
  )
})

test('a type cast needs the namespace', () => {
  const cast = '{mailbox}/messages/microsoft.graph.eventMessage'
  assert.equal(found('GET', '/v1.0/me/messages/microsoft.graph.eventMessage').row.path, cast)
  assert.equal(found('GET', '/v1.0/me/messages/graph.EventMessage').row.path, cast)
  assert.deepEqual(found('GET', '/v1.0/me/messages/eventMessage').params, { message: 'eventMessage' })
})

test('segments and version are matched in any case, keys keep theirs', () => {
  const match = found('GET', '/V1.0/Users/Ada/MAILFOLDERS/InBox/Messages')
  assert.equal(match.version, 'v1.0')
  assert.deepEqual([match.mailboxKey, match.params.folder], ['Ada', 'InBox'])
  assert.equal(found('GET', '/Beta/ME').version, 'beta')
  assert.equal(found('GET', '/Beta/ME').mailboxAsWritten, 'me')
})

test('slashes too many do not matter', () => {
  assert.equal(found('GET', '/v1.0/me/messages/').row.path, '{mailbox}/messages')
  assert.equal(found('GET', '//v1.0//me///messages//AAM=//').params.message, 'AAM=')
})

test('segments are decoded once each, after splitting', () => {
  assert.equal(found('GET', '/v1.0/me/messages/A%2FB%2BC%3D').params.message, 'A/B+C=')
  assert.equal(found('GET', '/v1.0/me/messages/A+B').params.message, 'A+B')
  assert.equal(found('GET', '/v1.0/me/messages/A%2541').params.message, 'A%41')
  assert.equal(found('GET', '/v1.0/me/%6dessages').row.path, '{mailbox}/messages')
  for (const bad of ['/v1.0/me/messages/%', '/v1.0/me/messages/%G0', '/v1.0/me/messages/%ff']) {
    assert.equal(parsePath(bad), undefined)
  }
})

test('a path without a version of the API is none of ours', () => {
  for (const path of ['', '/', '/v2.0/me', '/me', '/v1.0x/me', '/oauth2/v2.0/token']) {
    assert.equal(parsePath(path), undefined)
  }
})

test('child folders nest to any depth', () => {
  const match = found('GET', "/v1.0/me/mailFolders/inbox/childFolders/A=/childFolders('B=')/messages")
  assert.equal(match.row.path, '{mailbox}/mailFolders/{folder}/messages')
  assert.deepEqual(match.folderPath, ['inbox', 'A=', 'B='])
  assert.deepEqual(match.params, { folder: 'B=' })

  const children = found('GET', '/v1.0/me/mailFolders/inbox/childFolders/A=/childFolders')
  assert.equal(children.row.path, '{mailbox}/mailFolders/{folder}/childFolders')
  assert.deepEqual(children.folderPath, ['inbox', 'A='])
  assert.equal(found('GET', '/v1.0/me/mailFolders/inbox/childFolders/A').row.path, '{mailbox}/mailFolders/{folder}')
  assert.deepEqual(found('GET', '/v1.0/me/messages').folderPath, [])
})

test('an API segment comes before a key, and what begins with $ is no key', () => {
  assert.equal(found('GET', '/v1.0/me/messages/$count').row.path, '{mailbox}/messages/$count')
  assert.equal(found('GET', '/v1.0/me/messages/%24Count').row.path, '{mailbox}/messages/$count')
  assert.equal(unknownSegment('GET', '/v1.0/me/messages/$total'), '$total')
})

test('a method that the path does not take is answered with those it takes', () => {
  assert.deepEqual(find('DELETE', '/v1.0/me/messages'), { kind: 'methodNotAllowed', allowed: ['GET', 'POST'] })
  assert.deepEqual(find('GET', '/v1.0/me/sendMail'), { kind: 'methodNotAllowed', allowed: ['POST'] })
})

test('the first segment that leads nowhere is named', () => {
  assert.equal(unknownSegment('GET', '/v1.0/groups/x/threads'), 'groups')
  assert.equal(unknownSegment('GET', '/v1.0/me/Junk(1)/x'), 'Junk')
  assert.equal(unknownSegment('GET', '/v1.0/me/messages/AAM=/attachments/x/y'), 'y')
  assert.equal(unknownSegment('GET', '/v1.0/me/outlook'), 'outlook')
  assert.equal(unknownSegment('POST', "/v1.0/me/sendMail('x')"), 'sendMail')
  assert.equal(unknownSegment('GET', "/v1.0/me/messages/delta(a='b')/x"), 'x')
  assert.equal(unknownSegment('GET', "/v1.0/users('ada/messages"), "users('ada")
  assert.deepEqual(compileRoutes([]).match('GET', { version: 'v1.0', segments: [] }), {
    kind: 'notFound',
    unknownSegment: '',
  })
})

test('names of object members are no segments', () => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    assert.equal(unknownSegment('GET', `/v1.0/${name}`), name)
    assert.equal(found('GET', `/v1.0/me/messages/${name}`).params.message, name)
  }
})

test('a table that contradicts itself is refused', () => {
  const twice = { method: 'GET', path: '{mailbox}/messages' }
  assert.throws(() => compileRoutes([twice, { method: 'GET', path: '{mailbox}/Messages' }]), /two routes/)
  assert.throws(() => compileRoutes([{ method: 'GET', path: 'users/{user}' }]), /\{user\}/)
  const first = { method: 'GET', path: '{mailbox}/messages/{message}' }
  assert.throws(() => compileRoutes([first, { method: 'PATCH', path: '{mailbox}/messages/{id}' }]), /\{id\}/)
})

test('any key survives as a segment and in parentheses', () => {
  const key = fc.string({ unit: 'binary', minLength: 1 })
  fc.assert(
    fc.property(key, (key) => {
      const inParentheses = encodeURIComponent(`'${key.replaceAll("'", "''")}'`)
      assert.equal(found('POST', `/v1.0/users(${inParentheses})/sendMail`).mailboxKey, key)
      fc.pre(!key.startsWith('$'))
      assert.equal(found('POST', `/v1.0/users/${encodeURIComponent(key)}/sendMail`).mailboxKey, key)
    }),
  )
})

test('no path makes the matcher throw', () => {
  const part = fc.oneof(
    fc.constantFrom('me', 'users', 'messages', 'mailFolders', 'childFolders', "('x')", '()', '$count', '%27', "'"),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const path = parsePath(`/v1.0/${parts.join('/')}`)
      if (path !== undefined) table.match('GET', path)
    }),
  )
})
