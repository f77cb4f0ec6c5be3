import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { BodyRefused, readBody } from '../http/body.js'
import type { Application } from '../identity/application.js'
import { admits } from '../identity/permissions.js'
import type { IdentityStore } from '../identity/store.js'
import type { Tenant } from '../identity/tenant.js'
import type { Tokens } from '../identity/token.js'
import { TokenRefused } from '../identity/token-check.js'
import type { CallLog } from '../mail/call-record.js'
import type { Mail } from '../mail/mail.js'
import { changeQueue, type QueueAction, readMessageName } from '../mail/queue.js'
import type { QueueFilter } from '../mail/store.js'
import type { Trace } from '../mail/trace.js'
import { addSecret, applyDirectory } from './directory.js'
import { checkedDocument, DirectoryFault } from './directory-file.js'

/** What the admin API stands on. */
export interface AdminServices {
  readonly mail: Mail
  readonly identity: IdentityStore
  /** The one whose directory is changed. */
  readonly tenant: Tenant
  readonly tokens: Tokens
  readonly calls: CallLog
  readonly trace: (name: string) => Promise<Trace>
  /** Undefined: calls are not limited. */
  readonly limiter?: { counts(limit: number): readonly object[] } | undefined
}

interface AdminCall {
  readonly query: URLSearchParams
  /** What the path names, decoded. */
  readonly id: string
  /** JSON of the request; undefined when it has no body. */
  readonly body: unknown
}

interface AdminRoute {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** The group is the id. */
  readonly path: RegExp
  readonly answer: (services: AdminServices, call: AdminCall) => Promise<unknown>
}

/** JSON that Graph does not have: every row needs the token of an application with the permission Graphpost.Admin. */
const routes: readonly AdminRoute[] = [
  // Newest calls, refused ones too, each with the reason and the message it made.
  route('GET', /^\/admin\/calls$/, async ({ calls }, { query }) => ({ value: await calls.list(limitOf(query)) })),
  // From the id of a call or of a message to what other servers said.
  route('GET', /^\/admin\/trace\/(.+)$/, (services, { id }) => services.trace(id)),
  // What applications and mailboxes have used of their limits, the busiest first; nothing where there are none.
  route('GET', /^\/admin\/limits$/, async ({ limiter, mail }, { query }) => ({
    calls: limiter?.counts(limitOf(query)) ?? [],
    sending: mail.sendingLimits?.counts(limitOf(query)) ?? [],
  })),
  // Newest envelopes with each recipient's fate.
  route('GET', /^\/admin\/outbox$/, async ({ mail }, { query }) => ({
    value: await mail.store.outbox.listNewest(limitOf(query)),
  })),

  // What waits, and what people do to it: `{"message": "4711"}`, `{"destination": "..."}` or `{"all": true}`.
  route('GET', /^\/admin\/queue$/, async ({ mail }, { query }) => ({
    value: await mail.store.outbox.listQueue(queueFilterOf(Object.fromEntries(query)), limitOf(query)),
  })),
  route('GET', /^\/admin\/queue\/([^/]+)$/, async ({ mail }, { id }) => {
    const filter = { ...queueFilterOf({ message: id }), closedToo: true as const }
    const value = await mail.store.outbox.listQueue(filter, maxLimit)
    if (value.length === 0) throw new NotFound(`The outbox has no message ${id}.`)
    return { value }
  }),
  route('POST', /^\/admin\/queue\/(retry|hold|release|cancel)$/, async ({ mail }, { id, body }) => {
    const said = Object(body) as Record<string, unknown>
    const filter = queueFilterOf(said)
    const isAll = said.all === true && Object.keys(filter).length === 0
    if (!isAll && Object.keys(filter).length === 0) {
      throw new DirectoryFault('Say which: "message", "destination", or "all": true.')
    }
    return changeQueue(mail, filter, id as QueueAction)
  }),

  // The directory, as `--directory` takes it; all of it, or one list.
  route('PUT', /^\/admin\/directory$/, (services, { body }) => apply(services, body)),
  route('PUT', /^\/admin\/users$/, (services, { body }) => apply(services, { users: [body] })),
  route('PUT', /^\/admin\/shared-mailboxes$/, (services, { body }) => apply(services, { sharedMailboxes: [body] })),
  route('PUT', /^\/admin\/groups$/, (services, { body }) => apply(services, { groups: [body] })),
  route('PUT', /^\/admin\/applications$/, (services, { body }) => apply(services, { applications: [body] })),

  route('GET', /^\/admin\/users$/, async ({ identity, tenant }, { query }) => ({
    value: (await identity.listUsers(tenant.id, limitOf(query))).map(({ passwordHash, tenant: _, ...user }) => ({
      ...user,
      hasPassword: passwordHash !== undefined,
    })),
  })),
  route('GET', /^\/admin\/groups$/, async ({ identity, tenant }) => ({
    value: (await identity.listGroups(tenant.id)).map(({ tenant: _, ...group }) => group),
  })),
  route('GET', /^\/admin\/applications$/, async ({ identity, tenant }) => ({
    value: (await identity.listApplications(tenant.id)).map(withoutHashes),
  })),
  route('DELETE', /^\/admin\/applications\/([^/]+)$/, async (services, { id }) => {
    const application = await applicationNamed(services, id)
    await services.identity.removeApplication(application.tenant, application.id)
    return {}
  }),
  // The only time that the secret is shown.
  route('POST', /^\/admin\/applications\/([^/]+)\/secrets$/, async (services, { id, body }) => {
    const expires = (body as { expires?: unknown } | undefined)?.expires
    const expiresAt = expires === undefined ? undefined : Date.parse(String(expires))
    if (Number.isNaN(expiresAt)) throw new DirectoryFault('"expires" is no date.')
    return { value: await addSecret(services, await applicationNamed(services, id), expiresAt) }
  }),
]

function route(method: AdminRoute['method'], path: RegExp, answer: AdminRoute['answer']): AdminRoute {
  return { method, path, answer }
}

async function apply(services: AdminServices, document: unknown): Promise<object> {
  await applyDirectory(services, services.tenant, await checkedDocument(document, 'The request'))
  return {}
}

async function applicationNamed({ identity, tenant }: AdminServices, id: string): Promise<Application> {
  const found = await identity.findApplication(tenant.id, id)
  if (found === undefined) throw new NotFound(`There is no application ${id}.`)
  return found
}

function withoutHashes({ tenant: _, secrets, ...application }: Application) {
  return { ...application, secrets: secrets.map(({ hash: __, ...secret }) => secret) }
}

/** @throws DirectoryFault for what names nothing of the queue */
function queueFilterOf({ message, destination }: Record<string, unknown>): QueueFilter {
  if (destination !== undefined && typeof destination !== 'string') {
    throw new DirectoryFault('"destination" is no domain.')
  }
  const named = message === undefined ? {} : readMessageName(String(message))
  if (named === undefined) throw new DirectoryFault('"message" is neither a number of the queue nor a Message-ID.')
  return { ...named, ...(destination === undefined ? {} : { destination: destination.toLowerCase() }) }
}

const defaultLimit = 100
const maxLimit = 1_000

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? defaultLimit)
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, maxLimit) : defaultLimit
}

/** Serves `/admin/...` and hands everything else on. */
export function adminListener(services: AdminServices): (next: RequestListener) => RequestListener {
  return (next) => (request, response) => {
    if (!request.url?.startsWith('/admin/')) {
      next(request, response)
      return
    }
    answer(services, request).then(
      ({ status, body }) => send(response, status, body),
      () => send(response, 500, { error: 'internal error' }),
    )
  }
}

class NotFound extends Error {}

interface Answer {
  readonly status: number
  readonly body: unknown
}

async function answer(services: AdminServices, request: IncomingMessage): Promise<Answer> {
  const refusal = await refusalOf(services.tokens, request.headers.authorization)
  if (refusal !== undefined) return refusal
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://localhost')
  const onPath = routes.filter(({ path }) => path.test(pathname))
  const found = onPath.find(({ method }) => method === request.method)
  if (onPath.length === 0) return { status: 404, body: { error: `There is no ${pathname}.` } }
  if (found === undefined) {
    return { status: 405, body: { error: `${pathname} takes ${onPath.map(({ method }) => method).join(', ')}.` } }
  }
  try {
    const id = decodeURIComponent(found.path.exec(pathname)?.[1] ?? '')
    const body = await readJson(request)
    return { status: 200, body: await found.answer(services, { query, id, body }) }
  } catch (error) {
    if (error instanceof NotFound) return { status: 404, body: { error: error.message } }
    if (error instanceof DirectoryFault || error instanceof BodyRefused || error instanceof URIError) {
      return { status: 400, body: { error: error.message } }
    }
    throw error
  }
}

/** A directory of some ten thousand users. */
const maxBodyBytes = 16_777_216

async function readJson(request: IncomingMessage): Promise<unknown> {
  if (request.method === 'GET') return undefined
  const bytes = await readBody(request, maxBodyBytes)
  if (bytes.length === 0) return undefined
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new DirectoryFault('The request is no JSON.')
  }
}

async function refusalOf(tokens: Tokens, authorization: string | undefined): Promise<Answer | undefined> {
  const token = /^bearer (\S+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) return { status: 401, body: { error: 'The call has no bearer token.' } }
  try {
    const { permissions, user } = tokens.verified(token) ?? (await tokens.verify(token))
    // Users consent to scopes on their own, and would make themselves administrators.
    if (user !== undefined) return { status: 403, body: { error: 'The token is of a user, not of an application.' } }
    if (admits(permissions, 'Graphpost.Admin', 'application')) return undefined
    return { status: 403, body: { error: 'The token lacks the permission Graphpost.Admin.' } }
  } catch (error) {
    if (error instanceof TokenRefused) return { status: 401, body: { error: error.message } }
    throw error
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    })
    .end(JSON.stringify(body))
}
