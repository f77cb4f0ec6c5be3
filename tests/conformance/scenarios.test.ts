import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchange } from '../../scripts/conformance/exchange.js'
import { candidateOf, scenarioFor } from '../../scripts/conformance/scenarios.js'
import { setAsideReason } from '../../scripts/conformance/set-aside.js'
import { exchangeOf } from './sample-exchange.js'

function scenarioName(exchange: Exchange): string | undefined {
  return scenarioFor(candidateOf(exchange))?.name
}

function refusal(status: number, code: string, message: string) {
  return { status, body: { error: { code, message } } }
}

test('exchanges find their scenario by shape and answer', () => {
  const sent = { method: 'POST', path: '/users/ada@example.com/sendMail' }
  assert.equal(scenarioName(exchangeOf({ ...sent, response: { status: 202 } })), 'sendMail is accepted')
  const denied = refusal(403, 'ErrorSendAsDenied', 'No.')
  assert.equal(scenarioName(exchangeOf({ ...sent, response: denied })), 'sendMail refuses to send as someone else')
  const listed = { path: '/me/mailFolders/inbox/messages?$select=subject&$top=5', response: { body: { value: [] } } }
  assert.equal(scenarioName(exchangeOf(listed)), 'messages are listed')
  const expired = refusal(401, 'InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.')
  assert.equal(scenarioName(exchangeOf({ path: '/me/drive', response: expired })), 'an expired token is refused')
})

test('what the server cannot do yet has no scenario', () => {
  for (const path of ['/me/messages/{id}?$expand=replies', '/me/messages/{id}?$expand=extensions']) {
    assert.equal(scenarioName(exchangeOf({ path, response: { body: {} } })), undefined, path)
  }
})

test('older wordings and what is no mail are set aside, with a reason', () => {
  const old = refusal(401, 'InvalidAuthenticationToken', 'Access token has expired or is not yet valid.')
  assert.match(setAsideReason(candidateOf(exchangeOf({ response: old }))) ?? '', /^superseded/)
  assert.match(setAsideReason(candidateOf(exchangeOf({ path: '/me/events/{id}' }))) ?? '', /^no mail/)
  assert.equal(setAsideReason(candidateOf(exchangeOf({}))), undefined)
})
