import type { FolderId, MailboxId, MessageId } from './ids.js'
import type { Message, MessageEnvelope } from './message.js'

/** Fields of a message that a list can be ordered by. */
export type MessageOrderField =
  | 'createdAt'
  | 'fromAddress'
  | 'fromName'
  | 'hasAttachments'
  | 'importance'
  | 'isDraft'
  | 'isRead'
  | 'modifiedAt'
  | 'receivedAt'
  | 'sentAt'
  | 'subject'

export interface MessageOrder {
  readonly field: MessageOrderField
  readonly descending: boolean
}

/** What is asked of a mailbox: one page of messages. */
export interface MessageQuery {
  readonly mailbox: MailboxId
  /** Absent: every folder. */
  readonly folder?: FolderId
  /** Empty: newest received first. Ties are always broken by id, so that pages do not overlap. */
  readonly order: readonly MessageOrder[]
  readonly skip: number
  /** 1-1000, Graph's own bounds for `$top`. */
  readonly top: number
  /** False: the content (bodies, recipients) is not read at all. */
  readonly withContent: boolean
}

/** A message of a list: with its content exactly when the query asked for it. */
export type ListedMessage = MessageEnvelope & Partial<Pick<Message, 'content'>>

/** What changes are asked of: the messages of a folder, or of all folders of the mailbox. */
export interface ChangeScope {
  readonly mailbox: MailboxId
  readonly folder?: FolderId
  /** Only messages received at this time, ms since 1970, or later. */
  readonly receivedFrom?: number
}

/** One page of messages as they stand, newest received first. */
export interface ListingQuery extends ChangeScope {
  /** The last of the page before. */
  readonly after?: { readonly receivedAt: number; readonly id: number }
  readonly top: number
  readonly withContent: boolean
}

/** A place in the order of changes: that of the commit, in it first what left, then what was written; each by its id. */
export interface ChangePlace {
  readonly commit: number
  readonly kind: 'removed' | 'written'
  /** Of what was written; of a removal its own. */
  readonly id: number
}

export type ChangeKind = 'created' | 'updated' | 'deleted'

/** One page of changes of messages. */
export interface ChangesQuery extends ChangeScope {
  readonly after: ChangePlace
  /** The last commit that counts. */
  readonly until: number
  /** What is wanted; created: what has come into the folder with a later commit than `since`. */
  readonly kinds: ReadonlySet<ChangeKind>
  readonly since: number
  readonly top: number
  readonly withContent: boolean
}

/** One page of changes of folders. */
export type FolderChangesQuery = Pick<ChangesQuery, 'mailbox' | 'after' | 'until' | 'top'>

/** Changes in their order. */
export type Changes<Written> = (
  | { readonly place: ChangePlace; readonly written: Written }
  | { readonly place: ChangePlace; readonly removed: Removal }
)[]

/** What left: the message as a client knew it, or a folder. */
export interface Removal {
  readonly item: MessageId | FolderId
  readonly folder: FolderId
  readonly moves: number
  /** Whether it has come back since. */
  readonly isBack: boolean
}
