import type { FolderId, MailboxId, MessageId } from './ids.js'
import type { Importance } from './message.js'
import type { MessageCondition } from './query.js'

/** The texts of a message that are searched, each apart. `attachments`: their names. */
export type SearchField = 'subject' | 'body' | 'from' | 'to' | 'cc' | 'bcc' | 'attachments'

/** What a message must be. No operands: `and` is true of every message, `or` of none. */
export type SearchCondition =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly SearchCondition[] }
  | { readonly kind: 'not'; readonly operand: SearchCondition }
  | WordsCondition
  /** `from` inclusive, `until` exclusive; ms since 1970, or bytes. */
  | {
      readonly kind: 'sentAt' | 'receivedAt' | 'sizeBytes'
      readonly from?: number | undefined
      readonly until?: number | undefined
    }
  | { readonly kind: 'hasAttachments'; readonly value: boolean }
  | { readonly kind: 'importance'; readonly value: Importance }

/** The words stand one after another in one of the fields. At least one word, each as `wordsOf` makes them. */
export interface WordsCondition {
  readonly kind: 'words'
  readonly fields: readonly SearchField[]
  readonly words: readonly string[]
  /** The last one may go on. */
  readonly isPrefix: boolean
}

/** A message's place in the results, which go from the newest sent to the oldest, and by id among those of one moment. */
export interface SearchPlace {
  readonly sentAt: number
  readonly id: MessageId
}

/** What is searched: one page. */
export interface MessageSearch {
  readonly mailbox: MailboxId
  /** Absent: every folder. */
  readonly folder?: FolderId
  readonly condition: SearchCondition
  /** What else a message must be: that of a search folder. */
  readonly where?: MessageCondition
  /** The last of the page before. */
  readonly after?: SearchPlace
  readonly top: number
  readonly withContent: boolean
}

/**
 * What the index keeps of a message: the words of each field in their order. An empty one is a gap, over which no phrase
 * reaches, and which nothing finds.
 */
export interface SearchDocument {
  readonly mailbox: MailboxId
  readonly message: MessageId
  /** The message as it was read; the index takes nothing of a message that has changed since. */
  readonly change: number
  readonly words: Readonly<Record<SearchField, readonly string[]>>
}
