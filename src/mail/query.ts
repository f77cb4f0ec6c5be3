import type { FolderId, MailboxId } from './ids.js'
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

/** Where a message is, and how often it was moved: what its default id says. */
export type MessagePlace = Pick<MessageEnvelope, 'id' | 'folder' | 'moves'>
