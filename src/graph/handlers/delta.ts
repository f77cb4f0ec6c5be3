import { type DeltaPosition, folderDelta, messageDelta } from '../../mail/delta.js'
import { MailError } from '../../mail/errors.js'
import type { FolderId, MessageId } from '../../mail/ids.js'
import type { Mail } from '../../mail/mail.js'
import { folderId } from '../../mail/mail-folder.js'
import type { ChangeKind, Removal } from '../../mail/query.js'
import type { Query, RawOption } from '../../odata/query.js'
import { type DeltaState, deltaUrl, presentDeltaToken, readDeltaToken, syncStateNotFound } from '../delta-token.js'
import { badRequest, GraphError } from '../errors.js'
import { presentFolderId, presentImmutableId, presentMessageId } from '../item-id.js'
import { folderOfPath } from '../keys.js'
import { needsContent, readExpansion } from '../message-expansion.js'
import { parsedFilter } from '../message-filter.js'
import { readQuery } from '../query-options.js'
import type { GraphReply, GraphRequest, Handler } from '../request.js'
import { presentFolder, selectFolderProperties } from '../resources/mail-folder.js'
import { selectProperties } from '../resources/message.js'
import { presentListed } from './messages.js'

/** Graph's page when the caller asks for none. */
const defaultPage = 10
const maxPage = 1_000

/** GET .../mailFolders/{folder}/messages/delta, {mailbox}/messages/delta: a page of a round of changes. */
export const messagesDelta: Handler = async (request, mail) => {
  const folder = await trackedFolder(request, mail)
  const call = await readCall(request, 'messages', folder)
  const { query } = call
  refuseUntracked(query, 'Messages', ['$search'])
  if (query.skip !== undefined || query.count) throw untracked('Messages', query.count ? '$count' : '$skip')
  requireNewestFirst(query)
  const selection = selectProperties(query.select, request.version, request.cloud)
  const expansion = readExpansion(query, request.version)
  const receivedFrom = readReceivedFrom(query.other.$filter)
  const page = await messageDelta(
    mail.store,
    {
      mailbox: request.mailbox.id,
      ...(folder === null ? {} : { folder }),
      ...(receivedFrom === undefined ? {} : { receivedFrom }),
      kinds: readChangeType(query),
      withContent: selection.needsContent || needsContent(expansion),
    },
    call.position,
    pageSize(request, query),
  )
  if ('gone' in page) throw syncStateNotFound(request, page.gone, call.state.query)
  const value: unknown[] = []
  for (const item of page.items) {
    if ('written' in item) {
      const shown = await presentListed(request, mail, item.written, selection, expansion)
      value.push({ '@odata.type': '#microsoft.graph.message', ...shown })
    } else if (!(request.preferences.immutableIds && item.removed.isBack)) {
      value.push(presentRemoved('message', removedMessageId(request, item.removed)))
    }
  }
  return reply(request, call, 'message', value, page.position)
}

/** GET {mailbox}/mailFolders/delta: folders of every level, without an order that means anything. */
export const foldersDelta: Handler = async (request, mail) => {
  const call = await readCall(request, 'mailFolders', null)
  const { query } = call
  refuseUntracked(query, 'MailFolders', ['$search', '$filter'])
  if (query.skip !== undefined || query.count) throw untracked('MailFolders', query.count ? '$count' : '$skip')
  if (query.orderBy !== undefined) throw untracked('MailFolders', '$orderby')
  if (query.expand !== undefined) throw untracked('MailFolders', '$expand')
  const selection = selectFolderProperties(query.select, request.version)
  const { mailbox } = request
  const page = await folderDelta(mail.store, mailbox.id, call.position, pageSize(request, query))
  if ('gone' in page) throw syncStateNotFound(request, page.gone, call.state.query)
  const value = page.items.map((item) =>
    'written' in item
      ? {
          '@odata.type': '#microsoft.graph.mailFolder',
          ...presentFolder(item.written, { mailbox, tree: page.tree }, selection),
        }
      : presentRemoved('mailFolder', presentFolderId(mailbox, item.removed.item as FolderId)),
  )
  return reply(request, call, 'mailFolder', value, page.position)
}

/** A call of a delta function: the options its round began with, and where the round stands. */
interface DeltaCall {
  readonly state: Omit<DeltaState, 'position'>
  readonly query: Query
  readonly position: DeltaPosition | 'latest' | undefined
}

async function readCall(
  request: GraphRequest,
  resource: DeltaState['resource'],
  folder: FolderId | null,
): Promise<DeltaCall> {
  const asked = readQuery(request.query)
  const { $skiptoken, $deltatoken } = asked.other
  const given = asked.asWritten.filter(([name]) => !/^\$?(?:skip|delta)token$/i.test(name))
  const skips = $skiptoken !== undefined
  // An empty token begins anew: what a 410 names in its Location.
  if (!skips && ($deltatoken === undefined || $deltatoken === '' || $deltatoken === 'latest')) {
    const query = new URLSearchParams(given.map(([name, value]): [string, string] => [name, value])).toString()
    const state = { resource, mailbox: request.mailbox.id, folder, query }
    return { state, query: asked, position: $deltatoken === 'latest' ? 'latest' : undefined }
  }
  if (skips && $deltatoken !== undefined) throw badRequest('$skiptoken and $deltatoken cannot be given together.')
  const option = skips ? '$skiptoken' : '$deltatoken'
  const { position, ...state } = await readDeltaToken(request, option, $skiptoken ?? $deltatoken ?? '', {
    resource,
    folder,
  })
  const query = readQuery(state.query)
  const kept = new Set(query.asWritten.map(([name, value]) => `${name}=${value}`))
  const other = given.find(([name, value]) => !kept.has(`${name}=${value}`))
  if (other !== undefined) {
    throw badRequest(`The query parameter '${other[0]}' cannot be changed within a delta query: it is in the token.`)
  }
  return { state, query, position }
}

/** null: every folder of the mailbox. */
async function trackedFolder(request: GraphRequest, mail: Mail): Promise<FolderId | null> {
  try {
    const folder = await folderOfPath(request, mail)
    if (folder === undefined || folder.id === folderId('msgfolderroot')) return null
    if (folder.search === undefined) return folder.id
    throw new GraphError(400, 'ErrorInvalidRequest', 'Change tracking is not supported over a search folder.')
  } catch (error) {
    if (!(error instanceof MailError) || error.code !== 'folderNotFound') throw error
    throw new GraphError(404, 'ErrorSyncFolderNotFound', 'The specified folder could not be found in the store.', {
      reason: error.message,
    })
  }
}

/** What cannot be asked of a round of changes, in the words of the service. */
function untracked(resource: 'Messages' | 'MailFolders', option: string): GraphError {
  return new GraphError(
    400,
    'ErrorInvalidUrlQuery',
    `The following parameters are not supported with change tracking over the '${resource}' resource: '${option}'.`,
  )
}

function refuseUntracked(query: Query, resource: 'Messages' | 'MailFolders', options: readonly RawOption[]): void {
  const option = options.find((name) => query.other[name] !== undefined)
  if (option !== undefined) throw untracked(resource, option)
}

/** The one order there is. */
function requireNewestFirst({ orderBy = [] }: Query): void {
  const isNewestFirst = orderBy.every(({ path, descending }) => path.toLowerCase() === 'receiveddatetime' && descending)
  if (!isNewestFirst) throw untracked('Messages', '$orderby')
}

/** ms since 1970 of the one condition there is; undefined without one. */
function readReceivedFrom(filter: string | undefined): number | undefined {
  if (filter === undefined) return undefined
  const node = parsedFilter(filter)
  if (node.kind === 'compare' && (node.operator === 'ge' || node.operator === 'gt')) {
    const { left, operator, right } = node
    const isReceived = left.kind === 'path' && left.segments.join('/').toLowerCase() === 'receiveddatetime'
    if (isReceived && right.kind === 'literal' && right.type === 'moment') {
      return operator === 'gt' ? right.value + 1 : right.value
    }
  }
  throw untracked('Messages', '$filter')
}

const changeKinds: readonly ChangeKind[] = ['created', 'updated', 'deleted']

/** `changeType=created`, an option of this function that is none of OData's; all kinds without it. */
function readChangeType({ unknown }: Query): ReadonlySet<ChangeKind> {
  const [, value] = unknown.find(([name]) => name.toLowerCase() === 'changetype') ?? []
  if (value === undefined) return new Set(changeKinds)
  const kind = changeKinds.find((name) => name === value.trim().toLowerCase())
  if (kind !== undefined) return new Set([kind])
  throw badRequest(`Invalid value for the query parameter 'changeType': it is one of ${changeKinds.join(', ')}.`)
}

/** The header is documented as what the size of a page is asked with. */
function pageSize({ preferences }: GraphRequest, { top }: Query): number {
  return Math.min(preferences.maxPageSize ?? top ?? defaultPage, maxPage)
}

/** The id by which a client knew the message when it left. */
function removedMessageId({ mailbox, preferences }: GraphRequest, { item, folder, moves }: Removal): string {
  const id = item as MessageId
  return preferences.immutableIds ? presentImmutableId(mailbox, id) : presentMessageId(mailbox, { id, folder, moves })
}

/** Gone for the reader of this folder, wherever it went: the service says `deleted` of what was moved, too. */
function presentRemoved(type: 'message' | 'mailFolder', id: string) {
  return { '@odata.type': `#microsoft.graph.${type}`, id, '@removed': { reason: 'deleted' } }
}

function reply(
  request: GraphRequest,
  { state }: DeltaCall,
  type: 'message' | 'mailFolder',
  value: readonly unknown[],
  position: DeltaPosition,
): GraphReply {
  const token = presentDeltaToken(request, { ...state, position })
  const link =
    position.step === 'waiting'
      ? { '@odata.deltaLink': deltaUrl(request, '$deltatoken', token) }
      : { '@odata.nextLink': deltaUrl(request, '$skiptoken', token) }
  return {
    status: 200,
    json: { '@odata.context': `${request.baseUrl}/${request.version}/$metadata#Collection(${type})`, ...link, value },
    applied: 'odata.track-changes',
  }
}
