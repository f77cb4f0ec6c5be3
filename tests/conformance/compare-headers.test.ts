import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headerDifferences } from '../../scripts/conformance/compare-headers.js'
import type { HeaderFields } from '../../scripts/conformance/exchange.js'
import type { Answer } from '../../scripts/conformance/http-call.js'
import { exchangeOf, factsOf } from './sample-exchange.js'

const requestId = '0b7d6f2e-9f0c-4b7e-8a51-0123456789ab'
const diagnostic = '{"ServerInfo":{"DataCenter":"Here","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"TEST"}}'
const always: [string, string][] = [
  ['Strict-Transport-Security', 'max-age=31536000'],
  ['request-id', requestId],
  ['client-request-id', requestId],
  ['x-ms-ags-diagnostic', diagnostic],
  ['Date', 'Fri, 02 Jan 2026 03:04:05 GMT'],
]
const accepted: Answer = {
  status: 202,
  headers: [['Cache-Control', 'private'], ...always, ['Content-Length', '0']],
  body: Buffer.alloc(0),
}
const recordedFields: HeaderFields = {
  'Cache-Control': 'private',
  'Strict-Transport-Security': 'max-age=31536000',
  'Request-Id': 'another',
  'Client-Request-Id': 'another',
  'X-Ms-Ags-Diagnostic': '{}',
  'Content-Length': '0',
  Date: 'then',
}

function compared(answer: Answer, headers: HeaderFields | undefined, facts = factsOf()): string[] {
  return headerDifferences(answer, exchangeOf({ response: { status: answer.status, headers } }), facts)
}

test('a 202 with the headers of the service conforms', () => {
  assert.deepEqual(compared(accepted, recordedFields), [])
})

test('a header that was not recorded, lacks or is spelt otherwise is told', () => {
  const extra: Answer = { ...accepted, headers: [...accepted.headers, ['OData-Version', '4.0']] }
  assert.deepEqual(compared(extra, recordedFields), ['header odata-version is not in the recording'])
  const lacking: Answer = { ...accepted, headers: accepted.headers.filter(([name]) => name !== 'request-id') }
  assert.ok(compared(lacking, recordedFields).some((line) => line.startsWith('header request-id: not of its form')))
  const shouted: Answer = {
    ...accepted,
    headers: accepted.headers.map(([name, value]) => [name === 'request-id' ? 'Request-Id' : name, value] as const),
  }
  assert.deepEqual(compared(shouted, recordedFields), ['header Request-Id is written request-id on the wire'])
})

test('the client’s own id is echoed', () => {
  assert.deepEqual(compared(accepted, undefined, factsOf({ clientRequestId: 'mine' })), [
    `header client-request-id: expected "mine", got "${requestId}"`,
  ])
})

test('JSON has the parameters of the mail workload, a refusal has none', () => {
  const body = Buffer.from('{}')
  const json: Answer = {
    status: 200,
    headers: [['Cache-Control', 'private'], ...always, ['Content-Type', 'application/json']],
    body,
  }
  assert.equal(compared(json, undefined).length, 1)
  assert.deepEqual(compared({ ...json, status: 404 }, undefined), [])
})

test('a challenge has the recorded parameters, proof of possession aside', () => {
  const challenge = 'Bearer realm="", authorization_uri="https://login.example/authorize", client_id="0"'
  const headers: [string, string][] = [...always, ['Content-Type', 'application/json'], ['WWW-Authenticate', challenge]]
  const answer: Answer = { status: 401, headers, body: Buffer.from('{}') }
  const shown = { 'www-authenticate': [challenge.replace('example', 'test'), 'PoP realm="", nonce="n"'] }
  const exchange = exchangeOf({ evidence: 'pasted', response: { status: 401, headers: shown } })
  assert.deepEqual(headerDifferences(answer, exchange, factsOf()), [])
  const bare = { ...answer, headers: headers.map(([name, value]) => [name, value.replace('realm="", ', '')] as const) }
  assert.equal(headerDifferences(bare, exchange, factsOf()).length, 1)
})

test('Location has our host and keys, and any new id', () => {
  const headers: [string, string][] = [
    ['Cache-Control', 'private'],
    ...always,
    ['Location', "http://127.0.0.1:4242/v1.0/users('ada@example.com')/messages('new')"],
  ]
  const shown = { Location: "https://graph.microsoft.com/v1.0/users('x@y')/messages('old')" }
  const exchange = exchangeOf({ evidence: 'pasted', response: { status: 201, headers: shown } })
  const answer: Answer = { status: 201, headers, body: Buffer.alloc(0) }
  assert.deepEqual(headerDifferences(answer, exchange, factsOf({ contextKeys: ['ada@example.com'] })), [])
})
