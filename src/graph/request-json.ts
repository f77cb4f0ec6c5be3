import type { GraphRequest } from './request.js'

/** The body as JSON; undefined when there is none. */
export function jsonOf({ body }: GraphRequest): unknown {
  return body.kind === 'json' ? body.value : undefined
}
