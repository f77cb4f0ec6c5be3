import { badRequest, type GraphError, requestBodyRead } from './errors.js'
import { quotable } from './resources/values.js'

/** The parameters of an action as a request gives them. */
export interface ActionParameters {
  /** By the names asked for. */
  readonly values: ReadonlyMap<string, unknown>
  /** The first member that is none of them, nor an annotation. */
  readonly unknown: string | undefined
}

/**
 * The members of a body that are parameters, their names in any case: documents and hand-written clients write
 * `saveToSentItems`, generated ones `SaveToSentItems`, as the metadata does.
 *
 * @throws GraphError for a body that is no object, and for a parameter given twice
 */
export function collectParameters(json: unknown, operation: string, names: readonly string[]): ActionParameters {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badRequest(
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
      `The body must be an object with the parameters ${names.join(', ')}.`,
    )
  }
  const values = new Map<string, unknown>()
  let others: Set<string> | undefined
  let unknown: string | undefined
  for (const written of Object.keys(json)) {
    const name = names.includes(written) ? written : parameterNamed(written, names)
    if (name !== undefined) {
      if (values.has(name)) throw parameterTwice(written, operation)
      values.set(name, (json as Record<string, unknown>)[written])
    } else {
      const lower = written.toLowerCase()
      others ??= new Set()
      if (others.has(lower)) throw parameterTwice(written, operation)
      others.add(lower)
      if (!written.includes('@')) unknown ??= written
    }
  }
  return { values, unknown }
}

function parameterNamed(written: string, names: readonly string[]): string | undefined {
  const lower = written.toLowerCase()
  return names.find((known) => known.toLowerCase() === lower)
}

/**
 * The same for actions that take nothing else.
 *
 * @throws GraphError also for a parameter the action does not have
 */
export function readParameters(
  json: unknown,
  operation: string,
  names: readonly string[],
): ReadonlyMap<string, unknown> {
  const { values, unknown } = collectParameters(json, operation, names)
  if (unknown !== undefined) throw unknownParameter(unknown, operation)
  return values
}

function parameterTwice(written: string, operation: string): GraphError {
  const name = quotable(written)
  return requestBodyRead(
    `Multiple parameters with the name '${name}' were found in the request payload for the operation '${operation}'.`,
    name,
  )
}

/** The refusal of a parameter that the operation does not have. */
export function unknownParameter(written: string, operation: string): GraphError {
  const name = quotable(written)
  return requestBodyRead(
    `The parameter '${name}' in the request payload is not a valid parameter for the operation '${operation}'.`,
    name,
  )
}

/** The refusal of a call without a parameter that it needs; the name is spelt as in the metadata. */
export function parameterMissing(name: string, operation: string): GraphError {
  return requestBodyRead(
    `One or more parameters of the operation '${operation}' are missing from the request payload. The missing parameters are: ${name}.`,
    name.charAt(0).toLowerCase() + name.slice(1),
  )
}
