import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyDifferences } from '../../scripts/conformance/compare-body.js'
import type { Json } from '../../scripts/conformance/json.js'
import { exchangeOf, factsOf, messageOf } from './sample-exchange.js'

const recorded = exchangeOf({})
const documented = exchangeOf({ evidence: 'documented' })

function compared(expected: Json, actual: Json, exchange = recorded, controlled: string[] = []): string[] {
  return bodyDifferences(expected, actual, exchange, factsOf({ controlled: new Set(controlled) }))
}

test('another message of the same form conforms', () => {
  assert.deepEqual(compared(messageOf(1), messageOf(2)), [])
})

test('a member that is missing, extra or out of place is told', () => {
  assert.deepEqual(compared({ a: 1, b: 2 }, { a: 1 }), ['body.b is missing'])
  assert.deepEqual(compared({ a: 1 }, { a: 1, b: 2 }), ['body.b is not in the recording'])
  assert.deepEqual(compared({ a: 1, b: 2, c: 3 }, { a: 1, c: 3, b: 2 }), ['body: expected member b where c stands'])
})

test('notes that say the order was lost are believed', () => {
  const sorted = exchangeOf({ notes: 'Keys were sorted when it was saved.' })
  assert.deepEqual(compared({ a: 1, b: 2 }, { b: 2, a: 1 }, sorted), [])
})

test('of a documented body only what is shown is compared, and its types', () => {
  assert.deepEqual(compared({ b: 'text', a: 1 }, { a: 2, b: 'other', c: true }, documented), [])
  assert.deepEqual(compared({ a: 'text' }, { a: 1 }, documented), ['body.a: expected string, got 1'])
  assert.deepEqual(compared({ a: 'text' }, { a: null }, documented), [])
  assert.deepEqual(compared({ a: 'text' }, { a: null }), ['body.a: expected string, got null'])
})

test('what the scenario controls must be equal, the rest only alike', () => {
  assert.deepEqual(compared({ subject: 'A' }, { subject: 'B' }), [])
  assert.deepEqual(compared({ subject: 'A' }, { subject: 'B' }, recorded, ['subject']), [
    'body.subject: expected "A", got "B"',
  ])
  assert.deepEqual(compared({ subject: '[trimmed]' }, { subject: 'B' }, recorded, ['subject']), [])
})

test('values of a form must have it', () => {
  const message = { ...messageOf(1), receivedDateTime: '2026-01-02T03:04:05.123Z' }
  const [difference = ''] = compared(messageOf(1), message)
  assert.match(difference, /receivedDateTime: not of the form of a date and time/)
})

test('members of one message must fit each other', () => {
  const { webLink } = messageOf(2)
  assert.deepEqual(compared(messageOf(1), { ...messageOf(1), webLink }), ['body: webLink does not name the id'])
})

test('each item of a list is compared with the one shown of its type', () => {
  const shown = {
    value: [
      { '@odata.type': '#x', name: 'n', size: 1 },
      { '@odata.type': '#y', name: 'n' },
    ],
  }
  assert.deepEqual(compared(shown, { value: [{ '@odata.type': '#y', name: 'm' }] }), [])
  assert.deepEqual(compared(shown, { value: [] }), ['body.value: expected items, got none'])
  assert.deepEqual(compared({ value: [] }, { value: [{ a: 1 }] }), ['body.value: expected no items'])
})

test('the context is the recorded one with our host and keys', () => {
  const context = "https://graph.microsoft.com/v1.0/$metadata#users('4a1f')/messages/$entity"
  const ours = "http://127.0.0.1:4242/v1.0/$metadata#users('owner-id')/messages/$entity"
  assert.deepEqual(compared({ '@odata.context': context }, { '@odata.context': ours }), [])
  assert.equal(compared({ '@odata.context': context }, { '@odata.context': `${ours}/x` }).length, 1)
})

test('members that came after the capture are let pass, for their reason', () => {
  const { conversationIndex, ...before } = messageOf(1)
  assert.ok(conversationIndex)
  assert.deepEqual(compared(before, messageOf(2), exchangeOf({ captured: '2018-03' })), [])
  assert.deepEqual(compared(before, messageOf(2)), ['body.conversationIndex is not in the recording'])
})
