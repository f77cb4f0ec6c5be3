import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { convertedFor } from '../../src/mail/mime/seven-bit.js'
import { parseRelayUrl } from '../../src/outbox/relay-url.js'
import { openPeer } from '../../src/outbox/smtp.js'
import { startFaultyPeer } from '../support/faulty-peer.js'

/** What ends a message, or a line, for some server (VU#302671). */
const pieces = [
  '\r',
  '\n',
  '\r\n',
  '.',
  '\0',
  'a',
  '\r\n.\r\n',
  '\n.\n',
  '\r.\r',
  '\n.\r\n',
  '\r\n.\n',
  '\r\n.\r',
  '\x85',
  'ü',
]

test('nothing in a message ends it, and no bare CR, bare LF or NUL leaves, whatever it is made of', async (t) => {
  const peer = await startFaultyPeer()
  const relay = openPeer(parseRelayUrl(peer.url), { hostname: 'mail.contoso.example', connections: 1 })
  t.after(() => {
    relay.close({ force: true })
    return peer.close()
  })
  let sent = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), async (parts) => {
      const smuggled = `${parts.join('')}MAIL FROM:<evil@fabrikam.example>\r\nRCPT TO:<x@fabrikam.example>\r\nDATA\r\n`
      const content = Buffer.from(`Subject: x\r\n\r\n${smuggled}`)
      const [answer] = await relay.send({ mailFrom: 'me@contoso.example', recipients: ['x@y.example'] }, content)
      sent++
      assert.equal(answer?.reply?.code, 250)
      assert.equal(peer.taken.length, sent, 'one message is one message')
      const wire = peer.taken.at(-1)?.wire.toString('latin1') ?? ''
      assert.doesNotMatch(wire, /\0|\r(?!\n)|(?<!\r)\n/)
      assert.equal(wire.indexOf('\r\n.\r\n'), wire.length - 5)
      assert.ok(
        wire
          .slice(0, -3)
          .split('\r\n')
          .every((line) => line === '' || line[0] !== '.' || line[1] === '.'),
      )
      assert.doesNotMatch(peer.taken.at(-1)?.mailFrom ?? '', /evil/)
    }),
    { numRuns: 300 },
  )
  assert.ok(!peer.heard.some((line) => line.includes('evil')))
})

test('a conversion to 7 bits adds no line that ends the message', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), fc.boolean(), (parts, isText) => {
      const type = isText ? 'text/plain; charset=utf-8' : 'application/octet-stream'
      const content = Buffer.from(`Subject: Grüße\r\nContent-Type: ${type}\r\n\r\n${parts.join('')}`)
      const converted = convertedFor(content, { bodies: false, headers: false })
      assert.ok(typeof converted !== 'string')
      assert.doesNotMatch(converted.toString('latin1'), /\0|[^\p{ASCII}]|\r(?!\n)|(?<!\r)\n/u)
    }),
  )
})
