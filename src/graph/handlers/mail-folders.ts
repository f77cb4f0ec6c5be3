import { FolderTree } from '../../mail/folder-tree.js'
import type { Mail } from '../../mail/mail.js'
import type { MailFolder } from '../../mail/mail-folder.js'
import { type ExpandItem, nextLink, type Query, selectedContext } from '../../odata/query.js'
import { contextOf, foldersContext } from '../context.js'
import { readFolderFilter } from '../folder-filter.js'
import { folderInTree } from '../keys.js'
import type { ApiVersion } from '../path.js'
import { expandRefused, readQuery, refuseUnserved } from '../query-options.js'
import type { GraphRequest, Handler } from '../request.js'
import { expandedPropertyIds, presentFolderValues } from '../resources/extended-property.js'
import { orderFolders, presentFolder, selectFolderProperties } from '../resources/mail-folder.js'
import { withCounts } from '../search-folder.js'
import { messagesOfFolder } from './messages.js'

/** Graph's page when the caller asks for none. */
const defaultPage = 10
/** What `$top` was recorded to take for folders is 9999, ten times what messages take. */
const maxTop = 10_000

/** The folders of the request's mailbox. */
export async function readTree(request: GraphRequest, mail: Mail): Promise<FolderTree> {
  return new FolderTree(await mail.store.folders.list(request.mailbox.id))
}

/** GET {mailbox}/mailFolders, GET .../mailFolders/{folder}/childFolders: a page, ordered by name. */
export const listFolders: Handler = async (request, mail) => {
  const query = readQuery(request.query, maxTop)
  const tree = await readTree(request, mail)
  const folders = await childrenOf(request, mail, tree, query)
  const skip = query.skip ?? 0
  const top = query.top ?? request.preferences.maxPageSize ?? defaultPage
  const page = folders.slice(skip, skip + top)
  const value = await presentAll(request, mail, tree, page, query)
  const below = foldersContext(request.folderPath.at(-1)) + selectedContext(query.select, query.expand)
  return {
    status: 200,
    json: {
      '@odata.context': contextOf(request, below),
      ...(query.count ? { '@odata.count': folders.length } : {}),
      value,
      // Given whenever the page came out full, also when nothing follows, as recorded.
      ...(page.length < top
        ? {}
        : { '@odata.nextLink': nextLink(request.baseUrl, request.path, query.asWritten, skip + top) }),
    },
  }
}

/** GET .../mailFolders/$count, .../childFolders/$count: digits alone. */
export const countFolders: Handler = async (request, mail) => {
  const query = readQuery(request.query, maxTop)
  const folders = await childrenOf(request, mail, await readTree(request, mail), query)
  return { status: 200, bytes: Buffer.from(String(folders.length)), contentType: 'text/plain' }
}

/** GET .../mailFolders/{folder} */
export const getFolder: Handler = async (request, mail) => {
  const query = readQuery(request.query, maxTop)
  const tree = await readTree(request, mail)
  const folder = folderInTree(request, tree) ?? tree.root
  const [shown] = await presentAll(request, mail, tree, [folder], query)
  const below = `${foldersContext(request.folderPath.at(-2))}${selectedContext(query.select, query.expand)}/$entity`
  return { status: 200, json: { '@odata.context': contextOf(request, below), ...shown } }
}

async function childrenOf(
  request: GraphRequest,
  mail: Mail,
  tree: FolderTree,
  query: Query,
): Promise<readonly MailFolder[]> {
  const parent = folderInTree(request, tree) ?? tree.root
  return listed(request, mail, tree, tree.children(parent.id, wantsHidden(query)), query)
}

/** The folders of a list as its options filter and order them. */
async function listed(
  request: GraphRequest,
  mail: Mail,
  tree: FolderTree,
  folders: readonly MailFolder[],
  query: Query,
): Promise<readonly MailFolder[]> {
  refuseUnserved(query, ['$search', '$skiptoken', '$deltatoken'])
  const { $filter } = query.other
  if ($filter === undefined && query.orderBy === undefined) return folders
  const { mailbox, version } = request
  const isWanted = $filter === undefined ? undefined : readFolderFilter($filter, { mailbox, tree }, version)
  const counted: MailFolder[] = []
  for (const folder of folders) counted.push(await withCounts(request, mail, tree, folder))
  const wanted = isWanted === undefined ? counted : counted.filter(isWanted)
  return query.orderBy === undefined ? wanted : orderFolders(wanted, query.orderBy, { mailbox, tree }, version)
}

/** `includeHiddenFolders=true`, which is no option of OData. */
function wantsHidden({ unknown }: Query): boolean {
  return unknown.some(([name, value]) => /^includehiddenfolders$/i.test(name) && /^true$/i.test(value.trim()))
}

async function presentAll(
  request: GraphRequest,
  mail: Mail,
  tree: FolderTree,
  folders: readonly MailFolder[],
  query: Query,
): Promise<Record<string, unknown>[]> {
  const selection = selectFolderProperties(query.select, request.version)
  // Asked of no folder at all, it is wrong too.
  for (const { name } of query.expand ?? []) requireExpandable(name, request.version)
  const shown: Record<string, unknown>[] = []
  for (const folder of folders) {
    const resource = presentFolder(
      await withCounts(request, mail, tree, folder),
      { mailbox: request.mailbox, tree },
      selection,
    )
    for (const item of query.expand ?? []) await expand(request, mail, tree, folder, item, resource)
    shown.push(resource)
  }
  return shown
}

const expandable = new Set([
  'childfolders',
  'messages',
  'singlevalueextendedproperties',
  'multivalueextendedproperties',
])

/** @throws GraphError ExpandNotSupported, RequestBroker--ParseUri for a name that folders do not have */
function requireExpandable(name: string, version: ApiVersion): void {
  if (expandable.has(name.toLowerCase())) return
  if (name !== '*') selectFolderProperties([name], version)
  throw expandRefused(name)
}

/** Puts what one item of `$expand` asks for into a folder that is shown. */
async function expand(
  request: GraphRequest,
  mail: Mail,
  tree: FolderTree,
  folder: MailFolder,
  { name, query }: ExpandItem,
  into: Record<string, unknown>,
): Promise<void> {
  switch (name.toLowerCase()) {
    case 'childfolders':
      into.childFolders = await expandedChildren(request, mail, tree, folder, query)
      return
    case 'messages':
      into.messages = await messagesOfFolder(request, mail, folder, query)
      return
    case 'singlevalueextendedproperties':
      addIfAny(into, 'singleValueExtendedProperties', folder.singleValueExtendedProperties, query)
      return
    case 'multivalueextendedproperties':
      addIfAny(into, 'multiValueExtendedProperties', folder.multiValueExtendedProperties, query)
      return
  }
}

async function expandedChildren(
  request: GraphRequest,
  mail: Mail,
  tree: FolderTree,
  folder: MailFolder,
  query: Query,
): Promise<Record<string, unknown>[]> {
  const children = await listed(request, mail, tree, tree.children(folder.id, wantsHidden(query)), query)
  const skip = query.skip ?? 0
  return presentAll(request, mail, tree, children.slice(skip, skip + (query.top ?? defaultPage)), query)
}

/** Extended properties come as asked for by id; without any the list is left out. */
function addIfAny<Value>(
  into: Record<string, unknown>,
  name: string,
  properties: readonly { readonly id: string; readonly value: Value }[] | undefined,
  { other }: Query,
): void {
  const ids = other.$filter === undefined ? [] : expandedPropertyIds(other.$filter)
  const shown = presentFolderValues(properties, ids)
  if (shown !== undefined) into[name] = shown
}
