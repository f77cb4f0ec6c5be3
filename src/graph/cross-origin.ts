import type { IncomingMessage, ServerResponse } from 'node:http'

/** What scripts may read of an answer, as the service allows them. */
const exposed =
  'ETag, Location, Preference-Applied, Content-Range, request-id, client-request-id, ReadWriteConsistencyToken, SdkVersion, WWW-Authenticate, x-ms-client-gcc-tenant, Retry-After'

const methods = 'GET, POST, PUT, PATCH, DELETE'
const headerNames = /^[\w-]+(?:\s*,\s*[\w-]+)*$/
const maxHeaderNames = 2_000
/** How long a browser need not ask again, seconds. */
const maxAge = '600'

/**
 * Lets scripts of any origin call (Fetch standard, CORS): nothing here is admitted by a cookie, so another page gains nothing
 * that it does not hold a token for. True when the request was a browser's question beforehand, which is then answered.
 */
export function isAnsweredAcrossOrigins(request: IncomingMessage, response: ServerResponse): boolean {
  response.setHeader('Access-Control-Allow-Origin', '*')
  response.setHeader('Access-Control-Expose-Headers', exposed)
  const { method, headers } = request
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false
  const asked = headers['access-control-request-headers'] ?? ''
  const isListOfNames = asked.length <= maxHeaderNames && headerNames.test(asked)
  response
    .writeHead(200, {
      'Access-Control-Allow-Methods': methods,
      ...(isListOfNames ? { 'Access-Control-Allow-Headers': asked } : {}),
      'Access-Control-Max-Age': maxAge,
      'Content-Length': '0',
    })
    .end()
  return true
}
