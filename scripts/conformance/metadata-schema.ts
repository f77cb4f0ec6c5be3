import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { DataMissing } from './exchange.js'
import { isArray, type Json, member, textMember } from './json.js'
import { parsePath, shapeOf } from './request-path.js'

// The package is CommonJS: under Node its default export arrives inside the module object.
const addFormats = addFormatsModule.default

/** Refusals: our own shape, since the metadata has none. `innerError` as the front end writes it. */
const errorSchema = {
  type: 'object',
  required: ['error'],
  additionalProperties: false,
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      additionalProperties: false,
      properties: {
        code: { type: 'string', minLength: 1 },
        message: { type: 'string' },
        target: { type: 'string' },
        innerError: {
          type: 'object',
          required: ['date', 'request-id', 'client-request-id'],
          additionalProperties: false,
          properties: {
            date: { type: 'string' },
            'request-id': { type: 'string' },
            'client-request-id': { type: 'string' },
          },
        },
      },
    },
  },
}

/** Last collection of a path → type of its items in the metadata; a type with derived ones ends in `.any`. */
const typeOfCollection: readonly (readonly [shape: RegExp, type: string])[] = [
  [/\/attachments(\/\{attachment\})?$/, 'attachment.any'],
  [/\/messages(\/\{message\})?$/, 'message.any'],
]

/** Says how a JSON answer breaks the published metadata; nothing where it conforms or has no type there. */
export type MetadataCheck = (version: string, path: string, status: number, body: Json) => string[]

/** Reads the schemas of both versions from a data directory. @throws DataMissing */
export async function readMetadataCheck(directory: string): Promise<MetadataCheck> {
  // Not strict: the schemas carry annotations (contentEncoding, x-...) that are for readers, not for validation.
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats(ajv)
  for (const version of ['v1.0', 'beta']) ajv.addSchema(await readSchema(directory, version), version)
  const isError = ajv.compile(errorSchema)
  return (version, path, status, body) => {
    if (status >= 400) return faultsOf(isError, 'body', body)
    const shape = shapeOf(parsePath(path))
    const type = typeOfCollection.find(([pattern]) => pattern.test(shape))?.[1]
    const validate = type === undefined ? undefined : ajv.getSchema(`${version}#/$defs/${type}`)
    if (validate === undefined) return []
    const items = shape.endsWith('}') ? undefined : member(body, 'value')
    if (items === undefined) return faultsOf(validate, 'body', body)
    if (!isArray(items)) return ['body.value is no list']
    return items.flatMap((item, index) => faultsOf(validate, `body.value[${index}]`, item))
  }
}

async function readSchema(directory: string, version: string): Promise<Record<string, unknown>> {
  const file = join(directory, 'spec', `mail.${version}.schema.json`)
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new DataMissing(`${file} cannot be read: ${error.message}`)
  })
  return JSON.parse(text) as Record<string, unknown>
}

/** Faults of the branch the answer means to be: the others of an `anyOf` only say that it is not them. */
function faultsOf(validate: ValidateFunction, where: string, value: Json): string[] {
  if (validate(value)) return []
  const type = textMember(value, '@odata.type')?.replace('#microsoft.graph.', '')
  const errors = validate.errors ?? []
  const branch = errors.filter(({ schemaPath }) => schemaPath.startsWith(`#/$defs/${type ?? 'message'}/`))
  return (branch.length > 0 ? branch : errors).map(({ instancePath, message, params }) => {
    return `metadata: ${where}${instancePath.replaceAll('/', '.')} ${message} ${JSON.stringify(params)}`
  })
}
