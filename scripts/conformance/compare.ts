import { bodyDifferences } from './compare-body.js'
import { errorDifferences } from './compare-error.js'
import { headerDifferences } from './compare-headers.js'
import type { Exchange } from './exchange.js'
import type { Facts } from './facts.js'
import { type Answer, jsonOf } from './http-call.js'
import { isObject } from './json.js'

/**
 * The status that must be answered. A note says where a page's sample contradicts its own text, and the text is right;
 * a scenario says it where the page shows no answer.
 */
function expectedStatus({ notes, request, response }: Exchange, facts: Pick<Facts, 'status'>): number | undefined {
  const [, told] = /page text says (\d{3})/.exec(notes) ?? []
  if (told !== undefined) return Number(told)
  return response === undefined ? facts.status : (madeIn(request, response.status) ?? response.status)
}

/** Pages show 200 for a draft or a folder made in a folder, where the recordings and other pages have 201. */
function madeIn({ method, path }: Exchange['request'], status: number): number | undefined {
  return method === 'POST' && status === 200 && /\/mailfolders\/[^/]+\/(?:messages|childfolders)$/i.test(path)
    ? 201
    : undefined
}

/** All that is wrong with an answer, one sentence each; none when it conforms. */
export function differences(answer: Answer, exchange: Exchange, facts: Facts): string[] {
  const [status] = statusDifference(answer, exchange, facts)
  // Of another answer than the one shown there is nothing more to say.
  if (status !== undefined) return [status]
  return [...headerDifferences(answer, exchange, facts), ...contentDifferences(answer, exchange, facts)]
}

/** A status that the source does not show is only known by its class. */
function statusDifference({ status, body }: Answer, exchange: Exchange, facts: Facts): string[] {
  const expected = expectedStatus(exchange, facts)
  if (expected === undefined || expected === status) return []
  const inferred = exchange.inferred.includes('response.status')
  if (inferred && Math.floor(expected / 100) === Math.floor(status / 100)) return []
  return [`status: expected ${expected}, got ${status} ${body.toString('utf8').slice(0, 200)}`.trimEnd()]
}

function contentDifferences(answer: Answer, exchange: Exchange, facts: Facts): string[] {
  const { response } = exchange
  const expected = response?.body
  const success = expectedStatus(exchange, facts) ?? 200
  if (success === 202 || success === 204) return answer.body.length === 0 ? [] : ['body: expected none']
  // Text (MIME, bytes) is compared by its scenario, which knows what was sent.
  if (expected === undefined || typeof expected === 'string') return []
  const actual = jsonOf(answer)
  if (actual === undefined) return ['body: expected JSON']
  if (isObject(expected) && 'error' in expected) return errorDifferences(expected, actual, exchange, facts)
  return bodyDifferences(expected, actual, exchange, facts)
}
