import { nextLink, selectedContext } from '../odata/query.js'
import { contextOf } from './context.js'
import { GraphError } from './errors.js'
import { expandRefused, readQuery, refuseUnserved } from './query-options.js'
import type { GraphReply, GraphRequest } from './request.js'

/** A resource as it is shown. */
type Shown = Readonly<Record<string, unknown>>

/**
 * A list that is short enough to be read as a whole: `$top`, `$skip`, `$count` and `$select` are done here.
 *
 * @param below where the list stands in the mailbox, for `@odata.context`
 * @throws GraphError BadRequest, ErrorInvalidUrlQuery
 */
export function collectionReply(request: GraphRequest, below: string, items: readonly Shown[]): GraphReply {
  const query = readQuery(request.query)
  refuseUnserved(query, ['$filter', '$search', '$skiptoken', '$deltatoken'])
  if (query.orderBy !== undefined || query.expand !== undefined) {
    const option = query.orderBy !== undefined ? '$orderby' : '$expand'
    throw new GraphError(400, 'ErrorInvalidUrlQuery', `The query parameter '${option}' is not supported.`)
  }
  const { select, skip = 0, top = request.preferences.maxPageSize ?? items.length } = query
  const end = skip + top
  return {
    status: 200,
    json: {
      '@odata.context': contextOf(request, below + selectedContext(select)),
      ...(query.count ? { '@odata.count': items.length } : {}),
      value: items.slice(skip, end).map((item) => selected(item, select)),
      ...(end >= items.length
        ? {}
        : { '@odata.nextLink': nextLink(request.baseUrl, request.path, query.asWritten, end) }),
    },
  }
}

/** One resource of such a list; `$select` is done here. */
export function entityReply(request: GraphRequest, below: string, item: Shown, status = 200): GraphReply {
  const { select, expand: [expanded] = [] } = readQuery(request.query)
  if (expanded !== undefined) throw expandRefused(expanded.name)
  return {
    status,
    json: {
      '@odata.context': contextOf(request, `${below}${selectedContext(select)}/$entity`),
      ...selected(item, select),
    },
  }
}

/** The properties that are asked for; the id comes with them. */
function selected(item: Shown, select: readonly string[] | undefined): Shown {
  if (select === undefined || select.includes('*')) return item
  const wanted = new Set(select.map((name) => name.split('/')[0]?.toLowerCase()))
  return Object.fromEntries(Object.entries(item).filter(([name]) => name === 'id' || wanted.has(name.toLowerCase())))
}

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A key of the path that is a GUID, lower case; undefined for what can be the key of nothing. */
export function guidOfPath(request: GraphRequest, name: string): string | undefined {
  const key = request.keys[name] ?? ''
  return guid.test(key) ? key.toLowerCase() : undefined
}
