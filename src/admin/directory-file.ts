/**
 * The directory as a document: who may sign in and what programs may do, in YAML or JSON. What it names is made or brought
 * up to date at each start; what it does not name stays as it is. `docs/directory.schema.json` is the schema below.
 */
import { readFile } from 'node:fs/promises'

export interface DirectoryDocument {
  readonly tenants?: readonly TenantEntry[]
  /** The lists that may stand in a tenant belong to the first one when they stand outside. */
  readonly users?: readonly UserEntry[]
  readonly sharedMailboxes?: readonly SharedMailboxEntry[]
  readonly groups?: readonly GroupEntry[]
  readonly applications?: readonly ApplicationEntry[]
}

export type TenantContent = Pick<DirectoryDocument, 'users' | 'sharedMailboxes' | 'groups' | 'applications'>

export interface TenantEntry extends TenantContent {
  /** GUID */
  readonly id: string
  readonly domain: string
  readonly displayName?: string
}

export interface MailboxEntry {
  readonly userPrincipalName: string
  readonly displayName?: string
  /** Primary address; the user principal name unless given. Of a mailbox that is there it stays as it is. */
  readonly mail?: string
  readonly aliases?: readonly string[]
  /** Those who may open the mailbox, by user principal name. Each list is all of them. */
  readonly fullAccess?: readonly string[]
  readonly sendAs?: readonly string[]
  readonly sendOnBehalf?: readonly string[]
}

export interface UserEntry extends MailboxEntry {
  readonly password?: string
}

export type SharedMailboxEntry = MailboxEntry

export interface GroupEntry {
  readonly address: string
  readonly displayName?: string
  /** User principal names. */
  readonly members: readonly string[]
}

export interface ApplicationEntry {
  /** GUID; a new one unless given. */
  readonly clientId?: string
  readonly displayName?: string
  readonly publicClient?: boolean
  readonly redirectUris?: readonly string[]
  readonly identifierUris?: readonly string[]
  readonly secrets?: readonly SecretEntry[]
  /** PEM, each. */
  readonly certificates?: readonly string[]
  readonly delegatedPermissions?: readonly string[]
  readonly applicationPermissions?: readonly string[]
  /** Application access policies. */
  readonly mailboxPolicies?: readonly { readonly access: 'restrict' | 'deny'; readonly members: readonly string[] }[]
  /** Permissions in some mailboxes alone. */
  readonly scopedPermissions?: readonly { readonly permission: string; readonly members: readonly string[] }[]
}

export interface SecretEntry {
  readonly value: string
  /** ISO 8601 */
  readonly expires?: string
}

const text = { type: 'string', minLength: 1 }
const texts = { type: 'array', items: text }
const address = { type: 'string', pattern: '^[^\\s@]+@[^\\s@]+$' }
const addresses = { type: 'array', items: address }
const guid = { type: 'string', pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' }

function object(properties: object, required: readonly string[] = []): object {
  return { type: 'object', properties, required, additionalProperties: false }
}

const mailbox = {
  userPrincipalName: address,
  displayName: text,
  mail: address,
  aliases: addresses,
  fullAccess: addresses,
  sendAs: addresses,
  sendOnBehalf: addresses,
}

const content = {
  users: { type: 'array', items: object({ ...mailbox, password: text }, ['userPrincipalName']) },
  sharedMailboxes: { type: 'array', items: object(mailbox, ['userPrincipalName']) },
  groups: {
    type: 'array',
    items: object({ address, displayName: text, members: addresses }, ['address', 'members']),
  },
  applications: {
    type: 'array',
    items: object({
      clientId: guid,
      displayName: text,
      publicClient: { type: 'boolean' },
      redirectUris: texts,
      identifierUris: texts,
      secrets: {
        type: 'array',
        items: object({ value: text, expires: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d' } }, ['value']),
      },
      certificates: texts,
      delegatedPermissions: texts,
      applicationPermissions: texts,
      mailboxPolicies: {
        type: 'array',
        items: object({ access: { enum: ['restrict', 'deny'] }, members: texts }, ['access', 'members']),
      },
      scopedPermissions: {
        type: 'array',
        items: object({ permission: text, members: texts }, ['permission', 'members']),
      },
    }),
  },
}

/** JSON Schema 2020-12 of the document. */
export const directorySchema: object = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Graphpost directory',
  description: 'Tenants, users, shared mailboxes, groups and applications, for the setting --directory.',
  ...object({
    $schema: { type: 'string' },
    tenants: {
      type: 'array',
      items: object({ id: guid, domain: text, displayName: text, ...content }, ['id', 'domain']),
    },
    ...content,
  }),
}

/** A document that is not as the schema says. */
export class DirectoryFault extends Error {
  override readonly name = 'DirectoryFault'
}

/** Reads a document from a file. @throws DirectoryFault naming the file and what is wrong where */
export async function readDirectoryFile(path: string): Promise<DirectoryDocument> {
  const source = await readFile(path, 'utf8').catch((error: Error) => {
    throw new DirectoryFault(`The directory file ${path} cannot be read: ${error.message}`)
  })
  // JSON is YAML. Loaded here, because most servers have no such file.
  const { parse } = await import('yaml')
  let document: unknown
  try {
    document = parse(source, { maxAliasCount: 100 })
  } catch (error) {
    throw new DirectoryFault(`The directory file ${path} is no YAML: ${error instanceof Error ? error.message : error}`)
  }
  return checkedDocument(document ?? {}, `The directory file ${path}`)
}

/** @throws DirectoryFault */
export async function checkedDocument(document: unknown, name: string): Promise<DirectoryDocument> {
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const validate = new Ajv2020({ allErrors: true, strict: false }).compile<DirectoryDocument>(directorySchema)
  if (validate(document)) return document
  const faults = (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${instancePath === '' ? 'the document' : instancePath} ${message}${params.additionalProperty === undefined ? '' : ` ("${params.additionalProperty}")`}`,
  )
  throw new DirectoryFault(`${name} is not as docs/directory.schema.json says: ${faults.slice(0, 5).join('; ')}.`)
}
