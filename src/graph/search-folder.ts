import { FolderTree } from '../mail/folder-tree.js'
import type { FolderId } from '../mail/ids.js'
import type { Mail } from '../mail/mail.js'
import type { FolderSearch, MailFolder } from '../mail/mail-folder.js'
import type { MessageCondition } from '../mail/query.js'
import { GraphError } from './errors.js'
import { readFilter } from './message-filter.js'
import type { GraphRequest } from './request.js'

/**
 * Which messages a search folder shows: those of its sources that its filter is true of. A source that is gone has none.
 *
 * @throws GraphError as `readFilter`; ErrorAccessDenied for a filter of what the caller may not read
 */
export function searchCondition(request: GraphRequest, tree: FolderTree, search: FolderSearch): MessageCondition {
  const folders = new Set<FolderId>()
  for (const source of search.sources) {
    if (!tree.has(source)) continue
    const shown = search.includeNestedFolders ? tree.within(source).map(({ id }) => id) : [source]
    for (const id of shown) folders.add(id)
  }
  const inSources: MessageCondition = { kind: 'oneOf', field: 'folder', values: [...folders] }
  return { kind: 'every', of: [inSources, readFilter(search.filterQuery, [], request)] }
}

/** The same where only the folder was read; undefined: it is no search folder. */
export async function conditionOfFolder(
  request: GraphRequest,
  mail: Mail,
  { search }: MailFolder,
): Promise<MessageCondition | undefined> {
  if (search === undefined) return undefined
  return searchCondition(request, new FolderTree(await mail.store.folders.list(request.mailbox.id)), search)
}

/** The folder with the counts it has at this moment; those of a search folder are kept nowhere. */
export async function withCounts(
  request: GraphRequest,
  mail: Mail,
  tree: FolderTree,
  folder: MailFolder,
): Promise<MailFolder> {
  if (folder.search === undefined) return folder
  const where = countable(request, tree, folder.search)
  if (where === undefined) return folder
  const unread: MessageCondition = { kind: 'compare', field: 'isRead', operator: 'eq', value: false }
  const { messages } = mail.store
  return {
    ...folder,
    totalItemCount: await messages.count(request.mailbox.id, undefined, where),
    unreadItemCount: await messages.count(request.mailbox.id, undefined, { kind: 'every', of: [where, unread] }),
  }
}

/** undefined: the filter asks for what the caller may not read, so they are not told how much there is either. */
function countable(request: GraphRequest, tree: FolderTree, search: FolderSearch): MessageCondition | undefined {
  try {
    return searchCondition(request, tree, search)
  } catch (error) {
    if (error instanceof GraphError && error.status === 403) return undefined
    throw error
  }
}
