import { MailError } from './errors.js'
import { FolderTree } from './folder-tree.js'
import type { FolderId, MailboxId } from './ids.js'
import type { Mail } from './mail.js'
import { type FolderDetails, type FolderSearch, folderId, type MailFolder, noFolder } from './mail-folder.js'
import type { MailWriter } from './store.js'
import { inTurn } from './turns.js'

/** What is said of a new folder. */
export interface NewFolder {
  readonly displayName: string
  readonly isHidden: boolean
  readonly details: FolderDetails
}

/** What an update says of a folder; what is absent stays. */
export interface FolderChanges
  extends Pick<FolderDetails, 'singleValueExtendedProperties' | 'multiValueExtendedProperties'> {
  readonly displayName?: string
  readonly search?: Partial<FolderSearch>
}

/** A folder among the others, as the change has left them. */
export interface FolderInTree {
  readonly folder: MailFolder
  readonly tree: FolderTree
}

/** Characters of a folder's name (MS-OXCFOLD: PidTagDisplayName of a folder). */
const maxNameLength = 255

/**
 * Makes a folder.
 *
 * @throws MailError folderNotFound, folderExists, searchFolder, propertyInvalid, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/user-post-mailfolders
 */
export async function createFolder(
  mail: Mail,
  mailbox: MailboxId,
  parent: FolderId,
  wanted: NewFolder,
): Promise<FolderInTree> {
  requireName(wanted.displayName)
  return onTree(mail, mailbox, (tree, change) => {
    requireRoomFor(tree, parent, wanted.displayName)
    requireSources(tree, wanted.details.search)
    const folder: MailFolder = {
      mailbox,
      id: mail.ids.next() as FolderId,
      parent,
      displayName: wanted.displayName,
      isHidden: wanted.isHidden,
      totalItemCount: 0,
      unreadItemCount: 0,
      sizeBytes: 0,
      change,
      ...wanted.details,
    }
    return { result: { folder, tree }, parents: [parent], write: (tx) => tx.insertFolder(folder) }
  })
}

/**
 * Renames a folder, or changes what a search folder shows.
 *
 * @param changesOf what is to change of the folder as it stands
 * @throws MailError folderNotFound, folderNotMovable, folderExists, propertyInvalid, propertyNotSettable, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/mailfolder-update
 */
export async function updateFolder(
  mail: Mail,
  mailbox: MailboxId,
  id: FolderId,
  changesOf: (current: MailFolder) => FolderChanges,
): Promise<FolderInTree> {
  return onTree(mail, mailbox, (tree, change) => {
    const current = tree.get(id)
    const { search: searchChanges, ...others } = changesOf(current)
    const { displayName = current.displayName } = others
    if (displayName !== current.displayName) {
      requireName(displayName)
      requireOwn(current, 'folderNotMovable')
      requireFreeName(tree, current.parent, displayName, id)
    }
    const search = changedSearch(tree, current, searchChanges)
    const folder = { ...current, ...others, displayName, change, ...(search === undefined ? {} : { search }) }
    return { result: { folder, tree }, write: (tx) => tx.updateFolder(folder) }
  })
}

/**
 * Puts a folder, with everything in it, into another. Its id stays, and so do those of all it holds.
 *
 * @throws MailError folderNotFound, folderNotMovable, folderInItself, folderExists, searchFolder, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/mailfolder-move
 */
export async function moveFolder(
  mail: Mail,
  mailbox: MailboxId,
  id: FolderId,
  destination: FolderId,
): Promise<FolderInTree> {
  return onTree(mail, mailbox, (tree, change) => {
    const current = tree.get(id)
    requireOwn(current, 'folderNotMovable')
    if (current.parent === destination) return { result: { folder: current, tree }, write: () => {} }
    requireOutside(tree, destination, id)
    requireRoomFor(tree, destination, current.displayName)
    const folder = { ...current, parent: destination, change }
    return { result: { folder, tree }, parents: parentsOf(current, folder), write: (tx) => tx.updateFolder(folder) }
  })
}

/**
 * Deletes a folder: into Deleted Items with everything in it. From there it is removed; its messages can still be
 * recovered. So is a search folder, which holds nothing.
 *
 * @throws MailError folderNotFound, folderNotDeletable, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/mailfolder-delete
 */
export async function deleteFolder(mail: Mail, mailbox: MailboxId, id: FolderId): Promise<void> {
  const [deletedItems, deletions] = [folderId('deleteditems'), folderId('recoverableitemsdeletions')]
  await onTree(mail, mailbox, (tree, change) => {
    const current = tree.get(id)
    requireOwn(current, 'folderNotDeletable')
    const isDeleted = tree.isWithin(id, deletedItems) || tree.isWithin(id, deletions)
    if (isDeleted || current.search !== undefined) return removal(mail, tree, current, deletions, change)
    const displayName = tree.freeName(deletedItems, current.displayName)
    const folder = { ...current, parent: deletedItems, displayName, change }
    return { result: undefined, parents: parentsOf(current, folder), write: (tx) => tx.updateFolder(folder) }
  })
}

/**
 * Deletes a folder and all it holds for good: no call finds any of it again.
 *
 * @throws MailError folderNotFound, folderNotDeletable, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/mailfolder-permanentdelete
 */
export async function purgeFolder(mail: Mail, mailbox: MailboxId, id: FolderId): Promise<void> {
  await onTree(mail, mailbox, (tree, change) => {
    const current = tree.get(id)
    requireOwn(current, 'folderNotDeletable')
    return removal(mail, tree, current, noFolder, change)
  })
}

/** Takes a folder and all below it away; what messages they hold go into another, or into none. */
function removal(
  mail: Mail,
  tree: FolderTree,
  folder: MailFolder,
  into: FolderId,
  change: number,
): TreeChange<undefined> {
  const { mailbox, id } = folder
  const gone = tree.within(id).map((each) => each.id)
  const at = mail.clock.now()
  return {
    result: undefined,
    parents: parentsOf(folder),
    write: (tx) => {
      tx.emptyFolders(mailbox, gone, { into, change, at })
      tx.deleteFolders(mailbox, gone, at)
    },
  }
}

/** A change that was decided on: what it comes to, and what it writes. */
interface TreeChange<Result> {
  readonly result: Result
  /** Folders that get or lose children, by which they change too. */
  readonly parents?: readonly FolderId[]
  readonly write: (tx: MailWriter) => void
}

function parentsOf(...folders: readonly MailFolder[]): FolderId[] {
  return folders.flatMap(({ parent }) => (parent === undefined ? [] : [parent]))
}

/** Writers from other processes that may come first, each time anew, before a change gives up. */
const maxTries = 64

/**
 * Runs a change of a mailbox's folders: `decide` is shown the tree as it stands and a new change number, and the write it
 * decides on is kept only if the tree is still that one; else it is asked again.
 */
export async function onTree<Result>(
  mail: Mail,
  mailbox: MailboxId,
  decide: (tree: FolderTree, change: number) => TreeChange<Result> | Promise<TreeChange<Result>>,
): Promise<Result> {
  return inTurn(mail.store, mailbox, async () => {
    for (let tries = 1; ; tries++) {
      const tree = new FolderTree(await mail.store.folders.list(mailbox))
      const change = mail.ids.next()
      const { result, parents = [], write } = await decide(tree, change)
      try {
        await mail.store.write((tx) => {
          tx.changeTree(mailbox, change, tree.root.change)
          write(tx)
          for (const parent of parents) tx.changeFolder(mailbox, parent, { total: 0, unread: 0, sizeBytes: 0 })
        })
        return result
      } catch (error) {
        if (!(error instanceof MailError) || error.code !== 'conflict' || tries === maxTries) throw error
      }
    }
  })
}

function requireName(displayName: string): void {
  if (displayName.trim() === '') {
    throw new MailError('propertyInvalid', 'A folder has a name.', { property: 'displayName' })
  }
  if (displayName.length > maxNameLength) {
    const rule = `The name of a folder has at most ${maxNameLength} characters.`
    throw new MailError('propertyInvalid', rule, { property: 'displayName' })
  }
  if (/[\p{Cc}\p{Cs}]/u.test(displayName)) {
    throw new MailError('propertyInvalid', 'The name of a folder holds no control character.', {
      property: 'displayName',
    })
  }
}

/** @throws MailError folderNotMovable or folderNotDeletable for a folder that every mailbox has */
export function requireOwn(folder: MailFolder, code: 'folderNotMovable' | 'folderNotDeletable'): void {
  if (folder.wellKnownName === undefined) return
  throw new MailError(code, `${folder.displayName} is a folder that every mailbox has: it stays where and what it is.`)
}

/** @throws MailError folderNotFound, searchFolder, folderExists */
export function requireRoomFor(tree: FolderTree, parent: FolderId, displayName: string): void {
  if (tree.get(parent).search !== undefined) {
    throw new MailError('searchFolder', 'A search folder shows messages of other folders; it holds no folders.')
  }
  requireFreeName(tree, parent, displayName)
}

function requireFreeName(tree: FolderTree, parent: FolderId | undefined, displayName: string, except?: FolderId): void {
  if (parent === undefined || !tree.hasChildNamed(parent, displayName, except)) return
  throw new MailError('folderExists', 'A folder beside it has that name, perhaps a hidden one.', { value: displayName })
}

/** @throws MailError folderNotFound, folderInItself */
export function requireOutside(tree: FolderTree, destination: FolderId, folder: FolderId): void {
  tree.get(destination)
  if (!tree.isWithin(destination, folder)) return
  throw new MailError('folderInItself', 'A folder cannot be put into itself, nor into what is below it.')
}

function changedSearch(
  tree: FolderTree,
  { search }: MailFolder,
  changes: Partial<FolderSearch> | undefined,
): FolderSearch | undefined {
  if (changes === undefined) return search
  if (search === undefined) {
    const [property = ''] = Object.keys(changes)
    throw new MailError('propertyNotSettable', 'Only a search folder has such properties.', { property })
  }
  const changed = { ...search, ...changes }
  if (changes.sources !== undefined) requireSources(tree, changed)
  return changed
}

function requireSources(tree: FolderTree, search: FolderSearch | undefined): void {
  for (const source of search?.sources ?? []) {
    if (tree.get(source).search === undefined) continue
    throw new MailError('searchFolder', 'A search folder cannot be the source of another.')
  }
}
