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

/**
 * Fields of a message that a condition can be about. Moments are ms since 1970, importance is 0 low, 1 normal, 2 high;
 * `conversation` is its 32 hex digits, `movesInId` the moves as a default id counts them (mod 256).
 */
export type MessageField =
  | MessageOrderField
  | 'bodyContent'
  | 'bodyType'
  | 'conversation'
  | 'flagCompletedAt'
  | 'flagDueAt'
  | 'flagStartAt'
  | 'flagStatus'
  | 'folder'
  | 'id'
  | 'inferenceClassification'
  | 'internetMessageId'
  | 'isDeliveryReceiptRequested'
  | 'isReadReceiptRequested'
  | 'movesInId'
  | 'senderAddress'
  | 'senderName'

/** Lists inside a message. `values`: those of a multi-value extended property. */
export type MessageCollection =
  | 'categories'
  | 'mentions'
  | 'multiValueExtendedProperties'
  | 'singleValueExtendedProperties'
  | 'values'

/**
 * What an element of a list can be asked: an extended property its id (in normal form), its value, and its value as a
 * number; a mention the address; a category or one value of several itself.
 */
export type ElementField = 'address' | 'id' | 'number' | 'value'

export type ComparisonOperator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le'
export type ComparedValue = string | number | boolean | null

/**
 * One question about a field. Text is compared without case: letters of ASCII, and those others that the asked-for text
 * has; `gt` and the like order by code point. What is missing equals null alone, is neither more nor less than anything,
 * and of what it contains nothing is known.
 */
export type FieldTest<Field> =
  | {
      readonly kind: 'compare'
      readonly field: Field
      readonly operator: ComparisonOperator
      readonly value: ComparedValue
    }
  | { readonly kind: 'oneOf'; readonly field: Field; readonly values: readonly ComparedValue[] }
  | {
      readonly kind: 'match'
      readonly field: Field
      readonly operator: 'contains' | 'startswith' | 'endswith'
      readonly text: string
    }

/** A condition in three values, as OData has them: true, false, unknown. `is`: whether the inner one is known to be so. */
export type Condition<Test> =
  | Test
  | { readonly kind: 'every' | 'some'; readonly of: readonly Condition<Test>[] }
  | { readonly kind: 'not'; readonly of: Condition<Test> }
  | { readonly kind: 'is'; readonly of: Condition<Test>; readonly value: boolean }

/** Whether a list has an element of which the condition is true; without one, whether it has any. */
export interface AnyElement {
  readonly kind: 'any'
  readonly collection: MessageCollection
  readonly where?: ElementCondition
}

export type ElementCondition = Condition<FieldTest<ElementField> | AnyElement>
export type MessageCondition = Condition<FieldTest<MessageField> | AnyElement>

/** A place in an ordered list: the values of the order's fields, as the store orders them, then the message's number. */
export type ListPosition = readonly (string | number | null)[]

/** What is asked of a mailbox: one page of messages. */
export interface MessageQuery {
  readonly mailbox: MailboxId
  /** Absent: every folder. */
  readonly folder?: FolderId
  /** Absent: every message. */
  readonly where?: MessageCondition
  /** Empty: newest received first. Ties are always broken by id, so that pages do not overlap. */
  readonly order: readonly MessageOrder[]
  readonly skip: number
  /** The page begins after this place, however deep that is; `skip` counts from there. */
  readonly after?: ListPosition
  /** 1-1000, Graph's own bounds for `$top`. */
  readonly top: number
  /** False: the content (bodies, recipients) is not read at all. */
  readonly withContent: boolean
}

/**
 * A message of a list: with its content exactly when the query asked for it. The last of a full page has its position.
 */
export type ListedMessage = MessageEnvelope & Partial<Pick<Message, 'content'>> & { readonly position?: ListPosition }

/** Where a message is, and how often it was moved: what its default id says. */
export type MessagePlace = Pick<MessageEnvelope, 'id' | 'folder' | 'moves'>
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

/** Which messages of a mailbox are looked through: so many of the newest, received in this time (ms since 1970). */
export interface NewestMessages {
  readonly newest: number
  readonly since?: number
  readonly until?: number
}

/** A message found by its Message-ID. */
export type NamedMessage = Pick<MessageEnvelope, 'id' | 'folder' | 'internetMessageId' | 'conversation'>
