import type { FolderId } from '../mail/ids.js'
import type { ListedMessage, MessageCondition } from '../mail/query.js'

/** Whose messages a list shows: those of a folder, those that a search folder finds, or all of the mailbox. */
export interface ListedPlace {
  /** The folder of the path; undefined: the mailbox, or its root. */
  readonly listed?: FolderId
  /** Where the messages are; undefined: anywhere. */
  readonly folder?: FolderId
  /** What a search folder shows. */
  readonly shown?: MessageCondition
}

/** One page of such a list. */
export interface PageAsked extends ListedPlace {
  readonly top: number
  readonly withContent: boolean
}

export interface MessagePage {
  readonly messages: readonly ListedMessage[]
  /** Of all pages, where it was asked for. */
  readonly count?: number | undefined
  readonly nextLink: string | undefined
}
