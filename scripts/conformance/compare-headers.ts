import type { Exchange, HeaderFields } from './exchange.js'
import type { Facts } from './facts.js'
import type { Answer } from './http-call.js'
import { shown } from './json.js'
import { guidForm } from './value-forms.js'

/** JSON of the mail workload, blanks as recorded. */
const mailJson =
  'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8'

/** Belong to the connection, or depend on what the client accepts: neither asserted nor missed. */
const ofTheConnection = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
  'vary',
])

/** As the service writes them; some recorders write their own capitals. */
const wireSpelling = [
  'Cache-Control',
  'Content-Type',
  'Location',
  'Preference-Applied',
  'Retry-After',
  'Strict-Transport-Security',
  'WWW-Authenticate',
  'client-request-id',
  'request-id',
  'x-ms-ags-diagnostic',
]

/** How the headers answered differ from those shown, and from what every answer of the service carries. */
export function headerDifferences(answer: Answer, exchange: Exchange, facts: Facts): string[] {
  return [
    ...standingRules(answer, exchange, facts),
    ...spelling(answer),
    ...fieldDifferences(exchange.response?.headers ?? {}, answer, exchange, facts),
    ...(exchange.evidence === 'recorded' ? unrecorded(exchange.response?.headers, answer) : []),
  ]
}

/** `golden/README.md`, "Answer headers": true of every recording since 2022, so of every answer of ours. */
function standingRules(answer: Answer, exchange: Exchange, facts: Facts): string[] {
  const { status } = answer
  const success = status < 300
  const empty = answer.body.length === 0
  return [
    ...expectField(answer, 'strict-transport-security', 'max-age=31536000'),
    ...expectForm(answer, 'request-id', (value) => guidForm.test(value)),
    ...expectForm(answer, 'x-ms-ags-diagnostic', isDiagnostic),
    ...expectField(answer, 'client-request-id', facts.clientRequestId ?? field(answer, 'request-id')),
    ...expectForm(answer, 'date', (value) => !Number.isNaN(Date.parse(value))),
    ...(success ? expectField(answer, 'cache-control', 'private') : []),
    ...(status === 401 ? expectField(answer, 'cache-control', undefined) : []),
    ...(status === 202 ? expectField(answer, 'content-length', '0') : []),
    ...(empty ? expectField(answer, 'content-type', undefined) : []),
    ...(status === 204 ? expectField(answer, 'content-length', undefined) : []),
    ...(success && !empty && field(answer, 'content-type')?.startsWith('application/json')
      ? expectField(answer, 'content-type', jsonOf(exchange))
      : []),
    ...(!success && !empty ? expectField(answer, 'content-type', 'application/json') : []),
  ]
}

/** A batch is the front end's; anything else is of the mail workload, at the level of metadata that was asked for. */
function jsonOf({ request }: Exchange): string {
  if (request.path.toLowerCase() === '/$batch') return 'application/json'
  const asked = Object.entries(request.headers).find(([name]) => name.toLowerCase() === 'accept')?.[1]
  const [, level = 'minimal'] = /odata\.metadata=(\w+)/i.exec(String(asked)) ?? []
  return mailJson.replace('minimal', level.toLowerCase())
}

function field(answer: Answer, name: string): string | undefined {
  return answer.headers.find(([header]) => header.toLowerCase() === name)?.[1]
}

function expectField(answer: Answer, name: string, expected: string | undefined): string[] {
  const value = field(answer, name)
  return value === expected ? [] : [`header ${name}: expected ${shown(expected)}, got ${shown(value)}`]
}

function expectForm(answer: Answer, name: string, fits: (value: string) => boolean): string[] {
  const value = field(answer, name)
  return value !== undefined && fits(value) ? [] : [`header ${name}: not of its form: ${shown(value)}`]
}

/** `{"ServerInfo":{...}}` on one line, in this order, all values text. */
function isDiagnostic(value: string): boolean {
  const names = ['DataCenter', 'Slice', 'Ring', 'ScaleUnit', 'RoleInstance']
  const members = names.map((name) => `"${name}":"[^"]*"`).join(',')
  return new RegExp(`^\\{"ServerInfo":\\{${members}\\}\\}$`).test(value)
}

function spelling(answer: Answer): string[] {
  return answer.headers.flatMap(([name]) => {
    const wire = wireSpelling.find((known) => known.toLowerCase() === name.toLowerCase())
    return wire === undefined || wire === name ? [] : [`header ${name} is written ${wire} on the wire`]
  })
}

/** The fields shown whose values the standing rules do not already say. */
function fieldDifferences(shownFields: HeaderFields, answer: Answer, exchange: Exchange, facts: Facts): string[] {
  return Object.entries(shownFields).flatMap(([name, shownValue]) => {
    const lower = name.toLowerCase()
    const values = typeof shownValue === 'string' ? [shownValue] : shownValue
    if (ofTheConnection.has(lower)) return []
    if (lower === 'www-authenticate') return challengeDifferences(values, answer)
    if (lower === 'content-type') return contentTypeDifference(values[0] ?? '', answer, exchange)
    if (lower === 'location') return locationDifference(values[0] ?? '', answer, facts)
    if (lower === 'retry-after') return expectForm(answer, lower, (value) => /^\d+$/.test(value))
    if (lower === 'x-ms-ags-diagnostic' || lower === 'request-id' || lower === 'client-request-id') return []
    return expectField(answer, lower, values[0])
  })
}

/** The documentation shows the media type alone; recordings show its parameters too. */
function contentTypeDifference(expected: string, answer: Answer, { evidence }: Exchange): string[] {
  if (evidence !== 'documented') return expectField(answer, 'content-type', expected)
  return expectForm(answer, 'content-type', (value) => value.split(';', 1)[0] === expected.split(';', 1)[0])
}

/**
 * The scheme, its parameters and their values are those of the service; proof of possession (a second challenge since
 * 2025) is asked for only by servers that can check it, so it may be left out.
 */
function challengeDifferences(expected: readonly string[], answer: Answer): string[] {
  const challenges = answer.headers.filter(([name]) => name.toLowerCase() === 'www-authenticate')
  const bearer = challenges.find(([, value]) => value.startsWith('Bearer '))?.[1]
  const wanted = expected.find((value) => value.startsWith('Bearer '))
  if (wanted === undefined || bearer === undefined) return ['header WWW-Authenticate: expected a Bearer challenge']
  const parameters = (value: string) => [...value.matchAll(/(\w+)="/g)].map(([, name]) => name).join(', ')
  return parameters(bearer).startsWith(parameters(wanted))
    ? []
    : [`header WWW-Authenticate: expected parameters ${parameters(wanted)}, got ${shown(bearer)}`]
}

/** Host and ids are ours; the mailbox stands as the request wrote it, nothing is escaped. */
function locationDifference(expected: string, answer: Answer, facts: Facts): string[] {
  const keys = [...facts.contextKeys]
  const wanted = expected
    .replace(/^https:\/\/graph\.microsoft\.com/, facts.baseUrl)
    .replace(/\('[^']*'\)/, () => `('${keys.shift() ?? ''}')`)
    .replace(/\('[^']*'\)$/, "('{new}')")
  return expectForm(answer, 'location', (value) => value.replace(/\('[^']*'\)$/, "('{new}')") === wanted)
}

/** What was not recorded was not sent. */
function unrecorded(expected: HeaderFields | undefined, answer: Answer): string[] {
  if (expected === undefined) return []
  const names = new Set(Object.keys(expected).map((name) => name.toLowerCase()))
  return answer.headers
    .map(([name]) => name.toLowerCase())
    .filter((name) => !names.has(name) && !ofTheConnection.has(name))
    .map((name) => `header ${name} is not in the recording`)
}
