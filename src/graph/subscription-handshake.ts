import { STATUS_CODES } from 'node:http'
import { CallFailed, callOutward, type OutwardAnswer, type Reach } from '../http/outward-call.js'
import type { Random } from '../mail/mail.js'
import { GraphError } from './errors.js'

/** Documented: how long an endpoint may take, ms. */
const handshakeTimeoutMs = 10_000
/** The answer is the token and nothing else. */
const maxAnswerBytes = 4_096

/**
 * Asks an endpoint whether it wants to be notified: it must answer with the token that it was sent.
 *
 * @throws GraphError ValidationError, in the documented words
 */
export async function validateEndpoint(url: string, reach: Reach, random: Random): Promise<void> {
  const token = `Validation: Testing client application reachability for subscription Request-Id: ${random.uuid()}`
  const answer = await ask(withToken(url, token), reach)
  if (answer.status !== 200) throw failed(statusName(answer.status), `The endpoint answered ${answer.status}.`)
  const mediaType = answer.contentType?.split(';')[0]?.trim().toLowerCase()
  if (mediaType !== 'text/plain') {
    throw failed(undefined, `The endpoint answered with ${mediaType ?? 'no content type'}, not text/plain.`)
  }
  if (answer.body !== token) throw failed(undefined, 'The endpoint answered something else than the decoded token.')
}

async function ask(url: string, reach: Reach): Promise<OutwardAnswer> {
  try {
    return await callOutward(url, reach, {
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: '',
      timeoutMs: handshakeTimeoutMs,
      maxAnswerBytes,
    })
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error
    if (error.fault === 'timeout') {
      throw new GraphError(400, 'ValidationError', 'Subscription validation request timed out.', {
        frontEnd: true,
        reason: error.message,
      })
    }
    // Nothing of what went wrong reaches the caller: it would tell what is listening where.
    throw failed(undefined, error.message)
  }
}

/** The query that the endpoint has stays before it. */
function withToken(url: string, token: string): string {
  const withQuery = new URL(url)
  withQuery.hash = ''
  const { search } = withQuery
  withQuery.search = `${search === '' ? '?' : `${search}&`}validationToken=${encodeURIComponent(token)}`
  return withQuery.href
}

function failed(status: string | undefined, reason: string): GraphError {
  const named = status === undefined ? '' : ` HTTP status code is '${status}'.`
  return new GraphError(
    400,
    'ValidationError',
    `Subscription validation request failed.${named} Notification endpoint must respond with 200 OK to validation request.`,
    { frontEnd: true, reason },
  )
}

/** As .NET calls it: `NotFound`. */
function statusName(status: number): string {
  return (STATUS_CODES[status] ?? String(status)).replace(/\W/g, '')
}
