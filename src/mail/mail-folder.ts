import { MailError } from './errors.js'
import { translatedFolderName } from './folder-names.js'
import type { FolderId, MailboxId } from './ids.js'
import type { MultiValueExtendedProperty, SingleValueExtendedProperty } from './message.js'

/** A folder of a mailbox and its counts, which are exact: each write that changes a folder's content changes them with it. */
export interface MailFolder extends FolderDetails {
  readonly mailbox: MailboxId
  readonly id: FolderId
  /** undefined only for the root; {@link outsideTree} for what stands beside it. */
  readonly parent?: FolderId
  readonly wellKnownName?: WellKnownName
  readonly displayName: string
  readonly isHidden: boolean
  readonly totalItemCount: number
  readonly unreadItemCount: number
  readonly sizeBytes: number
  /**
   * Drawn from the id sequence whenever the folder itself is changed (not its content). That of the root changes with
   * every change of the tree: what a change of it is guarded with.
   */
  readonly change: number
}

/** What few folders have; kept as one JSON text. */
export interface FolderDetails {
  /** Present: it holds no messages of its own, but shows those of other folders. */
  readonly search?: FolderSearch
  readonly singleValueExtendedProperties?: readonly SingleValueExtendedProperty[]
  readonly multiValueExtendedProperties?: readonly MultiValueExtendedProperty[]
}

/** What a search folder shows. */
export interface FolderSearch {
  /** OData `$filter` of messages, as it was written. */
  readonly filterQuery: string
  readonly sources: readonly FolderId[]
  readonly includeNestedFolders: boolean
}

/**
 * The folders every mailbox is born with. `id` is the item counter that the real service gives each of them
 * (root 0x108, Sent 0x109 ... , seen at the end of recorded folder ids), so that ours end alike.
 * `hidden` folders stand in lists only when those are asked for; `under`: where the folder stands, the root unless given;
 * `outside`: beside the root, where no list shows it and no folder of the same name is in its way.
 */
export const wellKnownFolders = {
  msgfolderroot: { id: 0x108, displayName: 'Top of Information Store', hidden: true },
  sentitems: { id: 0x109, displayName: 'Sent Items', hidden: false },
  deleteditems: { id: 0x10a, displayName: 'Deleted Items', hidden: false },
  outbox: { id: 0x10b, displayName: 'Outbox', hidden: false },
  inbox: { id: 0x10c, displayName: 'Inbox', hidden: false },
  drafts: { id: 0x10f, displayName: 'Drafts', hidden: false },
  recoverableitemsdeletions: { id: 0x114, displayName: 'Deletions', hidden: true, under: 'outside' },
  junkemail: { id: 0x119, displayName: 'Junk Email', hidden: false },
  searchfolders: { id: 0x11a, displayName: 'Finder', hidden: true, under: 'outside' },
  syncissues: { id: 0x11c, displayName: 'Sync Issues', hidden: true },
  conflicts: { id: 0x11d, displayName: 'Conflicts', hidden: true, under: 'syncissues' },
  localfailures: { id: 0x11e, displayName: 'Local Failures', hidden: true, under: 'syncissues' },
  serverfailures: { id: 0x11f, displayName: 'Server Failures', hidden: true, under: 'syncissues' },
  scheduled: { id: 0x120, displayName: 'Scheduled', hidden: true, under: 'outside' },
  clutter: { id: 0x121, displayName: 'Clutter', hidden: true, under: 'outside' },
  conversationhistory: { id: 0x134, displayName: 'Conversation History', hidden: false },
  archive: { id: 0x13b, displayName: 'Archive', hidden: false },
} as const satisfies Record<string, { id: number; displayName: string; hidden: boolean; under?: string }>

export type WellKnownName = keyof typeof wellKnownFolders

/** Message ids, and ids of folders made by users, start above every well-known one. */
export const firstFreeId = 0x1000

/** The folder a well-known name stands for, whatever its case; undefined when the name is none. */
export function wellKnownFolderId(name: string): FolderId | undefined {
  const key = name.toLowerCase()
  return Object.hasOwn(wellKnownFolders, key) ? folderId(key as WellKnownName) : undefined
}

export function folderId(name: WellKnownName): FolderId {
  return wellKnownFolders[name].id as FolderId
}

/** Where a message is that was not to be saved: in no folder, so in no list and no count. */
export const noFolder = 0 as FolderId

/** The parent of what stands beside the root; itself no folder that any call finds. */
export const outsideTree = 0x101 as FolderId

/**
 * The rows a new mailbox starts with.
 *
 * @param language of their names, as in BCP 47
 */
export function defaultFolders(mailbox: MailboxId, language = 'en-US'): MailFolder[] {
  return (Object.keys(wellKnownFolders) as WellKnownName[]).map((name) => ({
    mailbox,
    id: folderId(name),
    ...(name === 'msgfolderroot' ? {} : { parent: defaultParent(name) }),
    wellKnownName: name,
    displayName: translatedFolderName(name, language) ?? wellKnownFolders[name].displayName,
    isHidden: wellKnownFolders[name].hidden,
    totalItemCount: 0,
    unreadItemCount: 0,
    sizeBytes: 0,
    change: 0,
  }))
}

function defaultParent(name: WellKnownName): FolderId {
  const row: { readonly id: number; readonly under?: string } = wellKnownFolders[name]
  if (row.under === 'outside') return outsideTree
  return folderId(row.under === undefined ? 'msgfolderroot' : (row.under as WellKnownName))
}

/**
 * Refuses a folder that messages cannot be put into.
 *
 * @throws MailError folderNotFound, searchFolder
 */
export function requireHoldsMessages(folder: Pick<MailFolder, 'id' | 'search'>): void {
  if (folder.id === folderId('msgfolderroot')) {
    throw new MailError('folderNotFound', 'The root of the mailbox holds folders, but no messages.')
  }
  if (folder.search !== undefined) {
    throw new MailError('searchFolder', 'A search folder shows messages of other folders; none can be put into it.')
  }
}
