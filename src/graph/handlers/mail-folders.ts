import { FolderTree } from '../../mail/folder-tree.js'
import type { Mail } from '../../mail/mail.js'
import type { MailFolder } from '../../mail/mail-folder.js'
import { type ExpandItem, nextLink, type Query, selectedContext } from '../../odata/query.js'
import { contextOf, foldersContext } from '../context.js'
import { GraphError } from '../errors.js'
import { folderInTree } from '../keys.js'
import { readQuery, refuseUnserved } from '../query-options.js'
import type { GraphRequest, Handler } from '../request.js'
import { orderFolders, presentFolder, selectFolderProperties } from '../resources/mail-folder.js'

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
  const folders = childrenOf(request, tree, query)
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
  const folders = childrenOf(request, await readTree(request, mail), query)
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

function childrenOf(request: GraphRequest, tree: FolderTree, query: Query): MailFolder[] {
  const parent = folderInTree(request, tree) ?? tree.root
  return listed(request, tree, tree.children(parent.id, wantsHidden(query)), query)
}

/** The folders of a list as its options filter and order them. */
function listed(request: GraphRequest, tree: FolderTree, folders: MailFolder[], query: Query): MailFolder[] {
  refuseUnserved(query, ['$filter', '$search', '$skiptoken', '$deltatoken'])
  const { mailbox, version } = request
  return query.orderBy === undefined ? folders : orderFolders(folders, query.orderBy, { mailbox, tree }, version)
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
  const shown: Record<string, unknown>[] = []
  for (const folder of folders) {
    const resource = presentFolder(folder, { mailbox: request.mailbox, tree }, selection)
    for (const item of query.expand ?? []) await expand(request, mail, tree, folder, item, resource)
    shown.push(resource)
  }
  return shown
}

/** Puts what one item of `$expand` asks for into a folder that is shown. @throws GraphError ExpandNotSupported */
async function expand(
  request: GraphRequest,
  mail: Mail,
  tree: FolderTree,
  folder: MailFolder,
  { name, query }: ExpandItem,
  into: Record<string, unknown>,
): Promise<void> {
  if (name.toLowerCase() !== 'childfolders') throw expandRefused(name)
  const children = listed(request, tree, tree.children(folder.id, wantsHidden(query)), query)
  const skip = query.skip ?? 0
  const page = children.slice(skip, skip + (query.top ?? defaultPage))
  into.childFolders = await presentAll(request, mail, tree, page, query)
}

function expandRefused(name: string): GraphError {
  return new GraphError(
    400,
    'ExpandNotSupported',
    `Expand is not allowed for property '${name}' according to the entity schema.`,
    { frontEnd: true },
  )
}
