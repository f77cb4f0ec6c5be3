import type { MessageId } from '../../mail/ids.js'
import type { Mail } from '../../mail/mail.js'
import type { SearchPlace } from '../../mail/search.js'
import { searchMessages } from '../../mail/search-messages.js'
import { nextLink, type Query } from '../../odata/query.js'
import { GraphError } from '../errors.js'
import type { MessagePage, PageAsked } from '../message-page.js'
import type { GraphRequest } from '../request.js'
import { readSearch } from '../search-condition.js'

/** What one search answers at most, over all its pages. */
const maxResults = 1_000

/**
 * A page of a list with `$search`: newest sent first. `$skip` and `$count` are dropped, as documented.
 *
 * @throws GraphError SearchWithFilter, SearchWithOrderBy, ErrorExecuteSearchStaleData, BadRequest, ErrorAccessDenied
 */
export async function findMessages(
  request: GraphRequest,
  mail: Mail,
  query: Query,
  page: PageAsked,
): Promise<MessagePage> {
  if (!request.readsBodies) {
    throw new GraphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.', {
      reason: 'Mail.ReadBasic does not search: $search needs Mail.Read.',
    })
  }
  if (query.other.$filter !== undefined) throw notWithSearch('SearchWithFilter', '$filter')
  if (query.orderBy !== undefined) throw notWithSearch('SearchWithOrderBy', '$orderBy')
  const condition = readSearch(query.other.$search ?? '', mail.clock.now())
  const token = query.other.$skiptoken
  const from = token === undefined ? { found: 0 } : readToken(token)
  const top = Math.min(page.top, maxResults - from.found)
  const messages = await searchMessages(mail, {
    mailbox: request.mailbox.id,
    ...(page.folder === undefined ? {} : { folder: page.folder }),
    ...(page.shown === undefined ? {} : { where: page.shown }),
    condition,
    ...(from.after === undefined ? {} : { after: from.after }),
    top,
    withContent: page.withContent,
  })
  const last = messages.at(-1)
  const found = from.found + messages.length
  if (last === undefined || messages.length < top || found >= maxResults) return { messages, nextLink: undefined }
  const next = ['$skiptoken', tokenOf(found, last)] as const
  return { messages, nextLink: nextLink(request.baseUrl, request.path, query.asWritten, [next]) }
}

function notWithSearch(code: string, option: string): GraphError {
  return new GraphError(400, code, `The query parameter '${option}' is not supported with '$search'.`)
}

/** Where a page begins: how much was found before it, and the last of that. */
interface PageStart {
  readonly found: number
  readonly after?: SearchPlace
}

function tokenOf(found: number, { sentAt, id }: SearchPlace): string {
  return Buffer.from(`${found}.${sentAt}.${id}`).toString('base64url')
}

const tokenText = /^(\d{1,3})\.(-?\d{1,16})\.(\d{1,16})$/

/** @throws GraphError when it is none that was given here */
function readToken(token: string): PageStart {
  const [, found, sentAt, id] = tokenText.exec(Buffer.from(token, 'base64url').toString()) ?? []
  const place = { sentAt: Number(sentAt), id: Number(id) as MessageId }
  if (found === undefined || !Number.isSafeInteger(place.sentAt) || !Number.isSafeInteger(place.id)) {
    throw new GraphError(400, 'ErrorExecuteSearchStaleData', 'The search results are stale. Search again.', {
      reason: 'The $skiptoken is none that this server gave with a page of a search.',
    })
  }
  return { found: Number(found), after: place }
}
