import type { Caller } from '../identity/caller.js'
import type { Cloud } from '../identity/clouds.js'
import type { MailboxId } from '../mail/ids.js'
import type { Doorkeeper, MailboxFinder } from './authorize.js'
import type { Call, GraphServices } from './call.js'
import { requireDirectoryPermission } from './directory.js'
import { badRequest, GraphError, SegmentNotFound } from './errors.js'
import { runOnce } from './idempotency.js'
import type { CallLimiter } from './limits.js'
import { parsePath, type RouteFound } from './path.js'
import type { GraphReply, MailRoute, OperationRoute, RequestBody, Route, SubscriptionServices } from './request.js'
import { noBody } from './request-body.js'
import { routeTable } from './routes.js'

/** Finding mailboxes, and letting callers into them. */
export interface Doors {
  readonly findMailbox: MailboxFinder
  readonly admit: Doorkeeper
  readonly subscriptions: SubscriptionServices
}

/** A URL taken apart at its question mark, which belongs to neither part. */
export interface SplitUrl {
  readonly path: string
  readonly query: string
}

export function splitUrl(url: string): SplitUrl {
  const mark = url.indexOf('?')
  return mark === -1 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) }
}

/**
 * Does what a row of the table says for a caller whose token was checked: on a connection of its own and in a batch the
 * same. Reads the body, then finds the mailbox, then asks whether the caller may.
 *
 * @throws GraphError, MailError
 */
export function performOperation(
  services: GraphServices,
  doors: Doors,
  call: Call,
  caller: Caller,
  route: OperationRoute,
  found: RouteFound<unknown>,
  url: SplitUrl,
): Promise<GraphReply> {
  const { limiter } = services
  return limiter === undefined || route.kind !== 'mail'
    ? perform(services, doors, call, caller, route, found, url)
    : performWithin(limiter, services, doors, call, caller, route, found, url)
}

async function performWithin(
  limiter: CallLimiter,
  services: GraphServices,
  doors: Doors,
  call: Call,
  caller: Caller,
  route: MailRoute,
  found: RouteFound<unknown>,
  url: SplitUrl,
): Promise<GraphReply> {
  const mailbox = await admittedMailbox(doors, caller, route, found.mailboxKey)
  // Whoever is refused is told so by the checks in their order, and counts against nobody.
  if (mailbox === undefined) return perform(services, doors, call, caller, route, found, url)
  call.mailbox = mailbox
  const application = caller.application ?? ''
  const end = limiter.begin(application, mailbox)
  try {
    const counted = countUpload(limiter, application, mailbox, call, route)
    return await perform(services, doors, { ...call, ...counted }, caller, route, found, url)
  } finally {
    end()
  }
}

/** Where the call leads, when its caller may do that there. */
async function admittedMailbox(
  { findMailbox, admit }: Doors,
  caller: Caller,
  route: MailRoute,
  key: string | undefined,
): Promise<MailboxId | undefined> {
  try {
    const mailbox = await findMailbox(caller, key)
    await admit(caller, mailbox, route)
    return mailbox.id
  } catch (error) {
    if (error instanceof GraphError) return undefined
    throw error
  }
}

/** Counts a body whose length is told before it is read, any other once it is there. */
function countUpload(
  limiter: CallLimiter,
  application: string,
  mailbox: MailboxId,
  { request, readBody }: Call,
  { body }: MailRoute,
): Pick<Call, 'readBody'> {
  const told = request.headers['content-length']
  if (body !== 'none' && told !== undefined) {
    limiter.upload(application, mailbox, Number(told))
    return { readBody }
  }
  const readAndCount: Call['readBody'] = async (takes) => {
    const read = await readBody(takes)
    limiter.upload(application, mailbox, sizeOf(read))
    return read
  }
  return { readBody: readAndCount }
}

function sizeOf(body: RequestBody): number {
  if (body.kind === 'none') return 0
  return body.kind === 'mime' ? body.base64.length : Buffer.byteLength(JSON.stringify(body.value))
}

async function perform(
  services: GraphServices,
  doors: Doors,
  call: Call,
  caller: Caller,
  route: OperationRoute,
  { version, mailboxKey, params, folderPath, functionArguments, cast }: RouteFound<unknown>,
  { path, query }: SplitUrl,
): Promise<GraphReply> {
  const { baseUrl, cloud } = call.origin
  if (cloud !== undefined) requireInCloud(route, path, cloud)
  if (route.kind === 'directory') {
    await requireDirectoryPermission(caller, mailboxKey, route, services.identity)
    return route.handler({ version, caller, userKey: mailboxKey, query, baseUrl, path }, services.identity)
  }
  if (cast !== undefined && (route.kind !== 'mail' || route.takesCast !== true))
    throw new SegmentNotFound(`microsoft.graph.${cast}`)
  // What is known is not waited for: each wait costs a mail a fraction of a microsecond, and there were many.
  const read = route.body === 'none' ? noBody : call.readBody(route.body)
  const body = read instanceof Promise ? await read : read
  if (route.kind === 'subscription') {
    const { method } = route
    const { preferences } = call
    const request = { method, version, caller, keys: params, baseUrl, cloud, preferences, body }
    return route.handler(request, doors.subscriptions)
  }
  const found = doors.findMailbox(caller, mailboxKey)
  const mailbox = found instanceof Promise ? await found : found
  call.mailbox = mailbox.id
  const judged = doors.admit(caller, mailbox, route)
  const { actor, forOthers, readsBodies } = judged instanceof Promise ? await judged : judged
  const request = {
    version,
    caller,
    mailbox,
    actor,
    forOthers,
    mailboxAsWritten: mailboxKey ?? mailbox.owner,
    keys: params,
    folderPath,
    functionArguments,
    path,
    query,
    baseUrl,
    cloud,
    preferences: call.preferences,
    body,
    seals: services.seals,
    ifMatch: call.request.headers['if-match'],
    ifNoneMatch: call.request.headers['if-none-match'],
    cast,
    readsBodies,
  }
  const { turns } = call
  const { mail, idempotency } = services
  if (idempotency === undefined && turns === undefined) return await route.handler(request, mail)
  const run = () =>
    idempotency === undefined ? route.handler(request, mail) : runOnce(idempotency, mail, call, route, request)
  return turns === undefined ? await run() : await turns.take(mailbox.id, run)
}

/** An operation that the cloud whose Graph was called does not have. */
function requireInCloud({ notIn }: Route, path: string, cloud: Cloud): void {
  if (notIn?.includes(cloud.name) !== true) return
  throw new SegmentNotFound(lastSegment(path), `The cloud ${cloud.name} (${cloud.meaning}) does not have it.`)
}

function lastSegment(path: string): string {
  return path.split('/').at(-1) ?? ''
}

/** Matches of short paths, such as `/v1.0/me/sendMail`, which most calls share; by method, since no text need be made then. */
const knownRoutes = new Map<string, Map<string, RouteFound<Route>>>()
const longestKnownPath = 40
const maxKnownRoutes = 1_000

/**
 * The row of the table that a call is for, and what its path says beside it.
 *
 * @throws GraphError SegmentNotFound, 405, or 400 for a path that is none
 */
export function findRoute(method: string, path: string): RouteFound<Route> {
  if (path.length > longestKnownPath) return matchRoute(method, path)
  const known = knownRoutes.get(method)
  const remembered = known?.get(path)
  if (remembered !== undefined) return remembered
  const found = matchRoute(method, path)
  // Few methods have routes: what has none was refused.
  const paths = known ?? new Map<string, RouteFound<Route>>()
  if (paths.size >= maxKnownRoutes) paths.clear()
  knownRoutes.set(method, paths.set(path, found))
  return found
}

function matchRoute(method: string, rawPath: string): RouteFound<Route> {
  const path = parsePath(rawPath)
  if (path === undefined)
    throw badRequest('The request URI is not valid.', 'The path holds a broken percent escape or no version.')
  const match = routeTable.match(method, path)
  if (match.kind === 'found') {
    if (match.row.since === undefined || match.version === 'beta') return match
    throw new SegmentNotFound(lastSegment(rawPath), 'It is served under /beta alone.')
  }
  if (match.kind === 'notFound') throw new SegmentNotFound(match.unknownSegment)
  const allowed = match.allowed.join(', ')
  throw new GraphError(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.', {
    frontEnd: true,
    reason: `This path takes ${allowed}.`,
    headers: { Allow: allowed },
  })
}
