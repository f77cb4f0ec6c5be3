import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorDifferences } from '../../scripts/conformance/compare-error.js'
import { exchangeOf, factsOf } from './sample-exchange.js'

const innerError = {
  date: '2026-01-02T03:04:05',
  'request-id': '0b7d6f2e-9f0c-4b7e-8a51-0123456789ab',
  'client-request-id': 'mine',
}

function refusal(code: string, message: string, inner?: object) {
  return { error: { code, message, ...(inner === undefined ? {} : { innerError: { ...inner } }) } }
}

test('code and message are compared to the letter', () => {
  const shown = refusal('ErrorTest', 'It failed.')
  assert.deepEqual(errorDifferences(shown, refusal('ErrorTest', 'It failed.'), exchangeOf({}), factsOf()), [])
  assert.deepEqual(errorDifferences(shown, refusal('Other', 'It failed'), exchangeOf({}), factsOf()), [
    'body.error.code: expected "ErrorTest", got "Other"',
    'body.error.message: expected "It failed.", got "It failed"',
  ])
})

test('our words stand for the recorded ones, and placeholders for anything', () => {
  const shown = refusal('E', "Item '{id}' is not of '{mailbox}' (a+b).")
  const facts = factsOf({ words: { '{id}': 'AAMk1' } })
  const compared = (message: string) => errorDifferences(shown, refusal('E', message), exchangeOf({}), facts)
  assert.deepEqual(compared("Item 'AAMk1' is not of 'whatever' (a+b)."), [])
  assert.equal(compared("Item 'AAMk2' is not of 'whatever' (a+b).").length, 1)
})

test('a 401 has an innerError with its members in order', () => {
  const exchange = exchangeOf({ response: { status: 401 } })
  const shown = refusal('E', 'm', innerError)
  assert.deepEqual(errorDifferences(shown, refusal('E', 'm', innerError), exchange, factsOf()), [])
  assert.deepEqual(errorDifferences(shown, refusal('E', 'm'), exchange, factsOf()), [
    'body.error.innerError is missing',
  ])
  const { date, ...rest } = innerError
  const [difference = ''] = errorDifferences(shown, refusal('E', 'm', { ...rest, date }), exchange, factsOf())
  assert.match(difference, /innerError: expected date, request-id, client-request-id/)
})

test('the mail workload writes none since 2023, whatever older recordings show', () => {
  const shown = refusal('E', 'm', innerError)
  const old = exchangeOf({ captured: '2019-05', response: { status: 403 } })
  assert.deepEqual(errorDifferences(shown, refusal('E', 'm'), old, factsOf()), [])
  const recent = exchangeOf({ captured: '2024-05', response: { status: 403 } })
  assert.equal(errorDifferences(refusal('E', 'm'), refusal('E', 'm', innerError), recent, factsOf()).length, 1)
})

test('a code that was inferred is not asserted', () => {
  const exchange = exchangeOf({ inferred: ['response.body.error.code'] })
  assert.deepEqual(errorDifferences(refusal('Guess', 'm'), refusal('Known', 'm'), exchange, factsOf()), [])
})

test('a body that is no error object is told', () => {
  assert.equal(errorDifferences(refusal('E', 'm'), { value: [] }, exchangeOf({}), factsOf()).length, 1)
})
