import { ODataError } from '../odata/odata-error.js'
import { parseQuery, type Query, type RawOption } from '../odata/query.js'
import { badRequest, GraphError } from './errors.js'
import { quotable } from './resources/values.js'

/**
 * The query options of a request.
 *
 * @param maxTop the largest `$top`; that of messages unless given
 * @throws GraphError BadRequest, naming the option
 */
export function readQuery(query: string, maxTop?: number): Query {
  if (query === '') return noOptions
  try {
    const parsed = parseQuery(query, maxTop)
    requireJson(parsed)
    return parsed
  } catch (error) {
    if (error instanceof ODataError) throw badRequest(error.message, `The query option ${error.option} is not valid.`)
    throw error
  }
}

/** What a request without a query asks for. */
export const noOptions: Query = { count: false, other: {}, unknown: [], asWritten: [] }

/** An answer that ignored an option would be a wrong answer: what is not served yet is refused by name. */
export function refuseUnserved(query: Query, options: readonly RawOption[]): void {
  for (const option of options) {
    if (query.other[option] === undefined) continue
    throw new GraphError(400, 'ErrorInvalidUrlQuery', `The query parameter '${option}' is not supported.`, {
      reason: `Graphpost does not serve ${option} here yet; docs/compatibility.md lists what it serves.`,
    })
  }
}

/** What cannot be put into an answer by `$expand`: a property that is there anyway, or a relationship not shown so. */
export function expandRefused(name: string): GraphError {
  return new GraphError(
    400,
    'ExpandNotSupported',
    `Expand is not allowed for property '${quotable(name)}' according to the entity schema.`,
    { frontEnd: true },
  )
}

/** JSON is the only format there is. */
function requireJson({ other: { $format } }: Query): void {
  if ($format === undefined || /^(?:json|application\/json(?:;.*)?)$/i.test($format)) return
  throw badRequest("The value of the query option '$format' is not supported.", 'Answers are JSON: $format=json.')
}
