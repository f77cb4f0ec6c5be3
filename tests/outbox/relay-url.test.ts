import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRelayUrl } from '../../src/outbox/relay-url.js'

test('what is not said follows from the rest', () => {
  const read = (url: string) => {
    const { host, port, tls, verify } = parseRelayUrl(url)
    return [host, port, tls, verify]
  }
  assert.deepEqual(read('smtp://mail.example'), ['mail.example', 25, 'opportunistic', true])
  assert.deepEqual(read('smtp://[2001:db8::1]:2525'), ['2001:db8::1', 2525, 'opportunistic', true])
  assert.deepEqual(read('smtps://mail.example?verify=no'), ['mail.example', 465, 'implicit', false])
  assert.deepEqual(read('smtp://mail.example?tls=none'), ['mail.example', 25, 'none', true])
  assert.deepEqual(read('smtp://mail.example?tls=required'), ['mail.example', 25, 'required', true])
})

test('a password leaves this machine by TLS alone, unless the operator says otherwise', () => {
  const tlsOf = (url: string) => parseRelayUrl(url).tls
  assert.equal(tlsOf('smtp://me:secret@mail.example'), 'required')
  assert.equal(tlsOf('smtp://me:secret@10.0.0.1'), 'required')
  assert.equal(tlsOf('smtp://me:secret@mail.example?tls=none'), 'none')
  assert.equal(tlsOf('smtp://me:secret@127.0.0.1:1025'), 'opportunistic')
  assert.equal(tlsOf('smtp://me:secret@localhost:1025'), 'opportunistic')
  assert.equal(parseRelayUrl('smtp://me:secret@mail.example').port, 587)
})

test('names and passwords are decoded', () => {
  const { credentials } = parseRelayUrl('smtp://me%40contoso.example:p%3A%40w@mail.example?auth=login')
  assert.deepEqual(credentials, { user: 'me@contoso.example', password: 'p:@w', method: 'login' })
})

test('what cannot be used is refused by name, without its password', () => {
  for (const [url, pattern] of [
    ['http://me:secret@mail.example', /smtp:/],
    ['smtp://me:secret@', /smtp:/],
    ['secret', /smtp:/],
    ['smtp://me:secret@mail.example/path', /smtp:/],
    ['smtp://me:secret@mail.example?tls=maybe', /"tls" is one of none, opportunistic, required/],
    ['smtps://me:secret@mail.example?tls=none', /leave out "tls"/],
    ['smtp://me:secret@mail.example?verify=maybe', /"verify" is one of/],
    ['smtp://me:secret%zz@mail.example', /%25/],
    ['smtp://mail.example?auth=plain', /needs a user/],
    ['smtp://me:secret@mail.example?auth=ntlm', /"auth" is one of/],
    ['smtp://me:secret@mail.example?requireTLS=true', /no option "requireTLS"/],
    ['smtp://me:secret@mail.example?ca=/no/such/file.pem', /\/no\/such\/file\.pem.*ENOENT/],
  ] as const) {
    assert.throws(
      () => parseRelayUrl(url),
      (error: Error) => error instanceof TypeError && pattern.test(error.message) && !error.message.includes('secret'),
      url,
    )
  }
})
