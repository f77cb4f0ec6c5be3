import type { FolderId, MailboxId } from './ids.js'

/** A folder of a mailbox and its counts, which are exact: each write that changes a folder's content changes them with it. */
export interface MailFolder {
  readonly mailbox: MailboxId
  readonly id: FolderId
  /** undefined only for the root. */
  readonly parent?: FolderId
  readonly wellKnownName?: WellKnownName
  readonly displayName: string
  readonly isHidden: boolean
  readonly totalItemCount: number
  readonly unreadItemCount: number
  readonly sizeBytes: number
}

/**
 * The folders every mailbox is born with. `id` is the item counter that the real service gives each of them
 * (root 0x108, Sent 0x109 ... , seen at the end of recorded folder ids), so that ours end alike.
 * `hidden` folders exist by name but stand in no list.
 */
export const wellKnownFolders = {
  msgfolderroot: { id: 0x108, displayName: 'Top of Information Store', hidden: true },
  sentitems: { id: 0x109, displayName: 'Sent Items', hidden: false },
  deleteditems: { id: 0x10a, displayName: 'Deleted Items', hidden: false },
  outbox: { id: 0x10b, displayName: 'Outbox', hidden: false },
  inbox: { id: 0x10c, displayName: 'Inbox', hidden: false },
  drafts: { id: 0x10f, displayName: 'Drafts', hidden: false },
  recoverableitemsdeletions: { id: 0x114, displayName: 'Deletions', hidden: true },
  junkemail: { id: 0x119, displayName: 'Junk Email', hidden: false },
  searchfolders: { id: 0x11a, displayName: 'Finder', hidden: true },
  syncissues: { id: 0x11c, displayName: 'Sync Issues', hidden: true },
  conflicts: { id: 0x11d, displayName: 'Conflicts', hidden: true },
  localfailures: { id: 0x11e, displayName: 'Local Failures', hidden: true },
  serverfailures: { id: 0x11f, displayName: 'Server Failures', hidden: true },
  scheduled: { id: 0x120, displayName: 'Scheduled', hidden: true },
  clutter: { id: 0x121, displayName: 'Clutter', hidden: true },
  conversationhistory: { id: 0x134, displayName: 'Conversation History', hidden: false },
  archive: { id: 0x13b, displayName: 'Archive', hidden: false },
} as const satisfies Record<string, { id: number; displayName: string; hidden: boolean }>

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

/** The rows a new mailbox starts with. */
export function defaultFolders(mailbox: MailboxId): MailFolder[] {
  return (Object.keys(wellKnownFolders) as WellKnownName[]).map((name) => ({
    mailbox,
    id: folderId(name),
    ...(name === 'msgfolderroot' ? {} : { parent: folderId('msgfolderroot') }),
    wellKnownName: name,
    displayName: wellKnownFolders[name].displayName,
    isHidden: wellKnownFolders[name].hidden,
    totalItemCount: 0,
    unreadItemCount: 0,
    sizeBytes: 0,
  }))
}
