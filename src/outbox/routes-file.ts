/**
 * Routes as a document, in YAML or JSON: relays by name, and who goes through which. `docs/routes.schema.json` is the
 * schema below.
 */
import { readFile } from 'node:fs/promises'
import type { TokenRequest } from './access-token.js'
import { type AddressPattern, addressPatternText } from './address-pattern.js'

export interface RoutesDocument {
  readonly relays?: Readonly<Record<string, RelayEntry>>
  readonly routes: readonly RouteEntry[]
}

export interface RelayEntry {
  /** As the setting `relay` takes it. */
  readonly url: string
  /** The user of the URL signs in with tokens of this endpoint (XOAUTH2). */
  readonly oauth2?: TokenRequest
}

export interface RouteEntry {
  readonly recipients?: readonly AddressPattern[]
  readonly senders?: readonly AddressPattern[]
  /** Names of relays or their URLs, in the order in which they are tried; or `mx`, `capture`, `hold`, `refuse` alone. */
  readonly via: string | readonly string[]
}

function object(properties: object, required: readonly string[] = []): object {
  return { type: 'object', properties, required, additionalProperties: false }
}

const text = { type: 'string', minLength: 1 }
const patterns = { type: 'array', minItems: 1, items: { type: 'string', pattern: addressPatternText } }

/** JSON Schema 2020-12 of the document. */
export const routesSchema: object = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Graphpost routes',
  description: 'Which way mail leaves, for the setting --routes. The first route that matches a recipient decides.',
  ...object(
    {
      $schema: { type: 'string' },
      relays: {
        type: 'object',
        additionalProperties: object(
          {
            url: text,
            oauth2: object(
              {
                tokenEndpoint: { type: 'string', pattern: '^https?://' },
                clientId: text,
                clientSecret: text,
                refreshToken: text,
                scope: text,
              },
              ['tokenEndpoint', 'clientId'],
            ),
          },
          ['url'],
        ),
      },
      routes: {
        type: 'array',
        items: object(
          {
            recipients: patterns,
            senders: patterns,
            via: { anyOf: [text, { type: 'array', minItems: 1, items: text }] },
          },
          ['via'],
        ),
      },
    },
    ['routes'],
  ),
}

/** A document that is not as the schema says, or names what is not there. */
export class RoutesFault extends Error {
  override readonly name = 'RoutesFault'
}

/** Reads a document from a file. @throws RoutesFault naming the file and what is wrong where; never a value */
export async function readRoutesFile(path: string): Promise<RoutesDocument> {
  const source = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new RoutesFault(`The routes file ${path} cannot be read (${error.code}).`)
  })
  const { parse, YAMLParseError } = await import('yaml')
  let document: unknown
  try {
    document = parse(source, { maxAliasCount: 100 })
  } catch (error) {
    // Its message quotes the file, which may hold a password.
    const line = error instanceof YAMLParseError ? ` (line ${error.linePos?.[0].line})` : ''
    throw new RoutesFault(`The routes file ${path} is no YAML${line}.`)
  }
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const validate = new Ajv2020({ allErrors: true, strict: false }).compile<RoutesDocument>(routesSchema)
  if (validate(document)) return document
  const faults = (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${instancePath === '' ? 'the document' : instancePath} ${message}${params.additionalProperty === undefined ? '' : ` ("${params.additionalProperty}")`}`,
  )
  throw new RoutesFault(
    `The routes file ${path} is not as docs/routes.schema.json says: ${faults.slice(0, 5).join('; ')}.`,
  )
}
