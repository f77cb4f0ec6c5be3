import type { Exchange } from './exchange.js'
import type { Facts } from './facts.js'
import { isObject, type Json, type JsonObject, shown, textMember } from './json.js'
import { guidForm } from './value-forms.js'

/** `innerError` as the front end has written it since the middle of 2020, in this order. */
const innerErrorMembers = ['date', 'request-id', 'client-request-id']

/**
 * Texts of the documentation that recordings show otherwise: a recording beats a document. Whole messages, documented
 * → recorded.
 */
const recordedWording: Readonly<Record<string, string>> = {
  'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account. Cannot submit message.':
    'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., Cannot submit message.',
}

/**
 * How a refusal differs from the one shown: code and message to the letter, with the scenario's own addresses and ids
 * in the message, and an `innerError` from those parts of the service that still write one.
 */
export function errorDifferences(expected: Json, actual: Json, exchange: Exchange, facts: Facts): string[] {
  const wanted = isObject(expected) && isObject(expected.error) ? expected.error : {}
  if (!isObject(actual) || !isObject(actual.error)) return [`body: expected an error object, got ${shown(actual)}`]
  const got = actual.error
  return [
    ...codeDifference(wanted, got, exchange),
    ...messageDifference(wanted, got, facts),
    ...innerErrorDifferences(wanted, got, exchange),
  ]
}

function codeDifference(expected: JsonObject, actual: JsonObject, { inferred }: Exchange): string[] {
  const code = textMember(expected, 'code')
  if (inferred.includes('response.body.error.code') || code === actual.code) return []
  return [`body.error.code: expected ${shown(code)}, got ${shown(actual.code)}`]
}

function messageDifference(expected: JsonObject, actual: JsonObject, facts: Facts): string[] {
  const text = textMember(expected, 'message') ?? ''
  const current = recordedWording[text] ?? text
  const message = textMember(actual, 'message') ?? ''
  if (messagePattern(current, facts.words).test(message)) return []
  return [`body.error.message: expected ${shown(current)}, got ${shown(message)}`]
}

/** The recorded text with our words put in; a placeholder that is none of them stands for any text. */
function messagePattern(text: string, words: Readonly<Record<string, string>>): RegExp {
  const known = Object.keys(words).map(escaped)
  const parts = text.split(new RegExp(`(${[...known, '\\{[^}]*\\}', '\\[masked\\]'].join('|')})`))
  const pattern = parts.map((part, index) => {
    if (index % 2 === 0) return escaped(part)
    const ours = words[part]
    return ours === undefined ? '.+' : escaped(ours)
  })
  return new RegExp(`^${pattern.join('')}$`, 's')
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/**
 * The front end (401, routing) writes an `innerError`, the mail workload has written none since about 2023. Of older
 * recordings it can therefore not be told from the recording alone whether ours must have one.
 */
function innerErrorDifferences(expected: JsonObject, actual: JsonObject, exchange: Exchange): string[] {
  const { innerError } = actual
  if (innerError === undefined) {
    const fromFrontEnd = exchange.response?.status === 401
    return fromFrontEnd && 'innerError' in expected ? ['body.error.innerError is missing'] : []
  }
  if (!('innerError' in expected) && exchange.captured >= '2023') {
    return ['body.error.innerError is there, which the mail workload has not written since 2023']
  }
  if (!isObject(innerError)) return [`body.error.innerError: expected an object, got ${shown(innerError)}`]
  return [...orderDifference(innerError), ...innerErrorForms(innerError)]
}

function orderDifference(innerError: JsonObject): string[] {
  const names = Object.keys(innerError).join(', ')
  return names === innerErrorMembers.join(', ')
    ? []
    : [`body.error.innerError: expected ${innerErrorMembers.join(', ')}, got ${names}`]
}

function innerErrorForms(innerError: JsonObject): string[] {
  const date = textMember(innerError, 'date') ?? ''
  const id = textMember(innerError, 'request-id') ?? ''
  return [
    ...(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(date) ? [] : [`body.error.innerError.date: ${shown(date)}`]),
    ...(guidForm.test(id) ? [] : [`body.error.innerError.request-id: not a GUID: ${shown(id)}`]),
  ]
}
