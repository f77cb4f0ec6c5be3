/**
 * Exchanges without a scenario that are to have none, whatever is built: what they show is no longer true, or is no mail.
 */

import { isArray, isObject, textMember } from './json.js'
import { queryOption } from './request-path.js'
import type { Candidate } from './scenario.js'

/** Why exchanges of some kind are not replayed. */
interface SetAside {
  readonly reason: string
  readonly matches: (candidate: Candidate) => boolean
}

function says(message: RegExp, before = '9999'): SetAside['matches'] {
  return ({ exchange }) => {
    const { body } = exchange.response ?? {}
    const error = isObject(body) ? body.error : undefined
    return exchange.captured < before && message.test(textMember(error, 'message') ?? '')
  }
}

/** A selection whose names are not in the context of its answer. Every recording has them there. */
export function leavesSelectionOut({ exchange, path }: Candidate): boolean {
  const { body } = exchange.response ?? {}
  const context = isObject(body) ? textMember(body, '@odata.context') : undefined
  const below = context?.split('#')[1]
  return (
    queryOption(path, '$select') !== undefined &&
    below !== undefined &&
    !below.replace(/\('[^']*'\)/g, '').includes('(')
  )
}

/** An expansion that its context does not name, as those since 2021 do. */
export function leavesExpansionOut({ exchange, path }: Candidate): boolean {
  const { body } = exchange.response ?? {}
  const context = isObject(body) ? textMember(body, '@odata.context') : undefined
  const isOfItem = /^microsoft\.graph\.itemattachment\/item$/i.test(queryOption(path, '$expand') ?? '')
  return isOfItem && context?.endsWith('/attachments/$entity') === true
}

const setAside: readonly SetAside[] = [
  {
    reason: 'superseded: an expanded item stands in @odata.context, as the next example of the same page shows it',
    matches: leavesExpansionOut,
  },
  {
    reason: 'no such mailbox: every user of Graphpost has one, and it is here',
    matches: says(/^The mailbox is either inactive, soft-deleted, or is hosted on-premise\.$/),
  },
  {
    reason: 'no mail: bytes go into the upload session of an event; those of messages are replayed',
    matches: ({ exchange }) => /\/Events\('[^']*'\)\/AttachmentSessions\(/i.test(exchange.request.path),
  },
  {
    reason: 'written anew by a client: it left out members that are null and put links of full metadata in',
    matches: ({ exchange }) => JSON.stringify(exchange.response?.body ?? null).includes('"item@odata.navigationLink"'),
  },
  {
    reason:
      'superseded: tokens that are no JWT are refused with IDX14100 since 2025, expired ones with "Lifetime validation failed" since 2024',
    matches: says(/^CompactToken (parsing|validation) failed/),
  },
  {
    reason: 'superseded: an expired token is refused with "Lifetime validation failed" since 2024',
    matches: says(/^Access token has expired or is not yet valid\.$/),
  },
  {
    reason: 'superseded: a token of another audience is refused with "Invalid audience." today',
    matches: says(/^Access token validation failure\.$/, '2020'),
  },
  {
    reason: 'superseded: today the text has no contraction and single quotes',
    matches: says(/recipient isn't valid/),
  },
  {
    reason: 'superseded: a user without a mailbox is refused with MailboxNotEnabledForRESTAPI since about 2021',
    matches: says(/^(Resource could not be discovered|REST API is not yet supported for this mailbox)\.$/),
  },
  {
    reason: 'superseded: sendMail is recognised in any case, so the directory never answers for it',
    matches: says(/^Unexpected segment OpenPropertySegment\./),
  },
  {
    reason: 'superseded: the names that are selected stand in @odata.context in every recording',
    matches: leavesSelectionOut,
  },
  {
    reason: 'no mail: the sample shows a meeting request, and Graphpost has no calendar',
    matches: ({ exchange }) => {
      const { body } = exchange.response ?? {}
      const [first] = isObject(body) && isArray(body.value) ? body.value : [body]
      return isObject(first) && 'meetingMessageType' in first
    },
  },
  {
    reason: 'the real service under load, or short of something of its own: nothing to provoke here',
    matches: ({ exchange }) =>
      ('Retry-After' in (exchange.response?.headers ?? {}) && exchange.response?.status === 202) ||
      says(/^Cannot get ID from name\.$|is currently on backend/)({ exchange } as Candidate),
  },
  {
    reason: 'no mail: events, calendars, people and the directory are not served',
    matches: ({ shape, exchange }) =>
      exchange.response?.status !== 401 && /^\{mailbox\}\/(events|calendarview|calendars|people)\b/.test(shape),
  },
]

/** Why the exchange is not replayed; undefined when nothing speaks against it. */
export function setAsideReason(candidate: Candidate): string | undefined {
  return setAside.find(({ matches }) => matches(candidate))?.reason
}
