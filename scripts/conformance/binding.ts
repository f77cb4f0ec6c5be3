/** Puts a mailbox, a token and real keys where the exchange has its own. */
import type { Facts } from './facts.js'
import type { Call } from './http-call.js'
import { isObject, textMember } from './json.js'
import { keysOf, type RequestPath, withKeys } from './request-path.js'
import type { Candidate, Preparation } from './scenario.js'
import type { MailboxOwner, World } from './world.js'

/** The mailbox that the path names, the token, and how answers write the mailbox. */
export interface Binding {
  readonly owner: MailboxOwner
  /** Inside `users('...')`: as in the path, or the object id for `/me`. */
  readonly contextKey: string
  /** The user's key in the path; none for `/me`. */
  readonly pathKeys: readonly string[]
  readonly token: string
}

/** Someone to be where the exchange names nobody. */
export const anybody = { address: 'adelev@contoso.com', name: 'Adele Vance' }

/** A correspondent of theirs. */
export const correspondent = { address: 'alexw@contoso.com', name: 'Alex Wilber' }

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whether the path is under `/me`. */
export function isMe(path: RequestPath): boolean {
  return path.segments[0]?.name.toLowerCase() === 'me'
}

/** The principal name that stands in the path; undefined for `/me`, object ids and placeholders. */
export function principalInPath(path: RequestPath): string | undefined {
  const key = decodeURIComponent(path.segments[0]?.key ?? '')
  const [local = ''] = key.split('@')
  return key.includes('@') && !guid.test(local) ? key : undefined
}

/**
 * Makes the mailbox of the path. `/me` is asked with the token of its user, any other path with an application's.
 *
 * @param person whose mailbox it is where the path does not say
 */
export async function bindMailbox(
  world: World,
  path: RequestPath,
  permissions: readonly string[],
  person: { address: string; name: string } = anybody,
): Promise<Binding> {
  const named = principalInPath(path)
  const owner = await world.mailbox(named ?? person.address, person.name)
  const me = isMe(path)
  const key = named ?? keyOfObject(path, owner, world)
  const token = await world.token({ user: me ? owner : undefined, permissions, lifetimeSeconds: 3600 })
  return { owner, contextKey: me ? owner.objectId : key, pathKeys: me ? [] : [key], token }
}

/** Some paths write the object id with the tenant's after it. */
function keyOfObject(path: RequestPath, owner: MailboxOwner, world: World): string {
  const written = path.segments[0]?.key ?? ''
  return written.includes('@') ? `${owner.objectId}@${world.tenantId}` : owner.objectId
}

/** Headers that belong to the recorder's connection. */
const ofTheRecorder = /^(accept-encoding|content-length|host|user-agent|connection|authorization)$/i

/** What may vary in {@link prepared}. */
interface Choices {
  /** Keys of the path after the mailbox's, in order; those of the exchange where left out. */
  readonly keys?: readonly string[]
  readonly path?: RequestPath
  readonly body?: string
  /** Token in place of the binding's; empty: no Authorization at all. */
  readonly token?: string
  readonly controlled?: Iterable<string>
  readonly words?: Readonly<Record<string, string>>
  readonly status?: number
  readonly afterwards?: Preparation['afterwards']
}

/** The exchange's own request with our keys and token in it. */
export function prepared(candidate: Candidate, world: World, binding: Binding, choices: Choices = {}): Preparation {
  const { exchange } = candidate
  const path = choices.path ?? candidate.path
  const keys = [...binding.pathKeys, ...(choices.keys ?? keysOf(path).slice(binding.pathKeys.length))]
  const sent = `/${exchange.version}${withKeys(path, keys)}`
  const clientRequestId = clientRequestIdOf(candidate)
  const call: Call = {
    method: exchange.request.method,
    path: sent,
    headers: {
      ...recordedHeaders(candidate),
      ...authorization(choices.token ?? binding.token),
      ...(clientRequestId === undefined ? {} : { 'client-request-id': clientRequestId }),
    },
    body: choices.body ?? bodyText(candidate),
  }
  const facts: Facts = {
    baseUrl: world.baseUrl,
    path: sent,
    contextKeys: [binding.contextKey, ...keys.slice(binding.pathKeys.length)].map(decodeURIComponent),
    controlled: new Set(choices.controlled ?? []),
    words: choices.words ?? {},
    status: choices.status,
    clientRequestId,
  }
  return { call, facts, ...(choices.afterwards === undefined ? {} : { afterwards: choices.afterwards }) }
}

function authorization(token: string): Record<string, string> {
  return token === '' ? {} : { Authorization: `Bearer ${token}` }
}

/** The request's headers; a body whose type the source does not show is JSON unless it is text. */
function recordedHeaders({ exchange: { request } }: Candidate): Record<string, string> {
  const fields = Object.entries(request.headers).flatMap(([name, value]) =>
    ofTheRecorder.test(name) ? [] : [[name, String(value)] as const],
  )
  const hasType = fields.some(([name]) => name.toLowerCase() === 'content-type')
  const type = typeof request.body === 'string' ? 'text/plain' : 'application/json'
  const needsType = request.method === 'POST' || request.method === 'PATCH'
  return Object.fromEntries(hasType || !needsType ? fields : [...fields, ['Content-Type', type] as const])
}

/** The body as it is sent: text as it is, anything else as JSON; undefined when the exchange has none. */
export function bodyText({ exchange: { request } }: Candidate): string | undefined {
  if (typeof request.body === 'string') return request.body
  return request.body === null || request.method === 'GET' ? undefined : JSON.stringify(request.body)
}

/** The client's own id, where the recording shows that it sent one: it differs from `request-id`. */
function clientRequestIdOf({ exchange: { response } }: Candidate): string | undefined {
  const { body } = response ?? {}
  const inner = isObject(body) && isObject(body.error) ? body.error.innerError : undefined
  const [client, own] = [textMember(inner, 'client-request-id'), textMember(inner, 'request-id')]
  return client !== undefined && guid.test(client) && client !== own ? client : undefined
}
