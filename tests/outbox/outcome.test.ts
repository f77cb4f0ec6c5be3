import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneLine, outcomeOf, parseReply } from '../../src/outbox/outcome.js'

test('only a 5yz reply fails a recipient, only a 2yz relays it, everything else delays it', () => {
  const fates = [200, 250, 251, 299, 354, 421, 450, 452, 499, 500, 550, 552, 599, 600, 700, 0].map((code) =>
    outcomeOf({ code, text: '' }),
  )
  assert.deepEqual(fates, [
    ...['relayed', 'relayed', 'relayed', 'relayed'],
    ...['delayed', 'delayed', 'delayed', 'delayed', 'delayed'],
    ...['failed', 'failed', 'failed', 'failed'],
    ...['delayed', 'delayed', 'delayed'],
  ])
})

test('silence says nothing about an address', () => {
  assert.equal(outcomeOf(undefined), 'delayed')
})

test('a reply of one line is kept as it is', () => {
  assert.deepEqual(parseReply('250 2.0.0 Ok: queued as 4XyZ'), { code: 250, text: '250 2.0.0 Ok: queued as 4XyZ' })
})

test('a reply of several lines becomes one, the codes said once', () => {
  const reply = parseReply('550-5.1.1 No such user here.\r\n550-5.1.1 Look for\r\n550 5.1.1 a typing error.')
  assert.deepEqual(reply, { code: 550, text: '550 5.1.1 No such user here. Look for a typing error.' })
})

test('a bare code is a reply', () => {
  assert.deepEqual(parseReply('354'), { code: 354, text: '354' })
})

test('what does not begin with a reply code is no reply', () => {
  for (const text of ['', 'hello', '99 bottles', '2500 too long', '650 unknown class', '250x']) {
    assert.equal(parseReply(text), undefined)
  }
})

test('the words of a peer are made printable and short', () => {
  assert.equal(oneLine('a\r\nb\tc\0d\u001b[31m\u202ee'), 'a b c d [31m e')
  assert.equal(oneLine(`550 ${'x'.repeat(10_000_000)}`).length, 500)
  assert.ok(oneLine(`${'x'.repeat(498)}😀 and more`).endsWith('x…'))
})
