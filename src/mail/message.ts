import type { NewAttachment } from './attachment.js'
import type { FolderId, MailboxId, MessageId } from './ids.js'
import type { OpenExtension } from './open-extension.js'

/** A mailbox address with the name shown for it (Graph `emailAddress`, RFC 5322 §3.4 `mailbox`). */
export interface EmailAddress {
  /** Absent when unknown; Graph then shows the address in its place. */
  readonly name?: string
  readonly address: string
}

export type Importance = 'low' | 'normal' | 'high'
export type InferenceClassification = 'focused' | 'other'

export interface ItemBody {
  readonly contentType: 'text' | 'html'
  readonly content: string
}

/** A wall-clock time and the name of its zone, as Graph writes them: `2016-03-07T09:00:00.0000000`, `UTC`. */
export interface DateTimeTimeZone {
  readonly dateTime: string
  readonly timeZone: string
}

export interface FollowupFlag {
  readonly flagStatus: 'notFlagged' | 'complete' | 'flagged'
  readonly startDateTime?: DateTimeTimeZone
  readonly dueDateTime?: DateTimeTimeZone
  readonly completedDateTime?: DateTimeTimeZone
}

export interface InternetMessageHeader {
  readonly name: string
  readonly value: string
}

/** Graph `singleValueLegacyExtendedProperty`: `id` names a MAPI property (`SystemTime 0x3FEF`), the value is text. */
export interface SingleValueExtendedProperty {
  readonly id: string
  readonly value: string
}

export interface MultiValueExtendedProperty {
  readonly id: string
  readonly value: readonly string[]
}

/**
 * What a message says. Kept as one JSON text beside the columns that are searched, so that a list which does not
 * show bodies never reads it, and accepting a mail writes one row.
 */
export interface MessageContent {
  readonly body: ItemBody
  /** Shown author; absent on a draft that did not name one. */
  readonly from?: EmailAddress
  /** Who submitted it; differs from `from` only when sent on behalf. */
  readonly sender?: EmailAddress
  readonly toRecipients: readonly EmailAddress[]
  readonly ccRecipients: readonly EmailAddress[]
  readonly bccRecipients: readonly EmailAddress[]
  readonly replyTo: readonly EmailAddress[]
  readonly categories: readonly string[]
  readonly flag: FollowupFlag
  readonly inferenceClassification: InferenceClassification
  /** `null`: not said, as on mail that came from outside. */
  readonly isDeliveryReceiptRequested: boolean | null
  readonly isReadReceiptRequested: boolean | null
  /** The author's own `x-` headers; of a received message, the transport's headers, newest first. */
  readonly internetMessageHeaders: readonly InternetMessageHeader[]
  readonly singleValueExtendedProperties: readonly SingleValueExtendedProperty[]
  readonly multiValueExtendedProperties: readonly MultiValueExtendedProperty[]
  /** RFC 5322 §3.6.4, with angle brackets. */
  readonly inReplyTo?: string
  /** RFC 5322 §3.6.4, space-separated, with angle brackets. */
  readonly references?: string
  /** Of a draft that answers another message: which, and how. Once it is sent, that message is marked. */
  readonly answers?: Answer
  /** RFC 3834 §5: written by nobody, in answer to a message (`auto-replied`) or not. */
  readonly autoSubmitted?: 'auto-replied' | 'auto-generated'
  /** The receipt for reading it was sent, and is not sent again. */
  readonly readReceipt?: 'sent'
  /** Data of applications; absent when there is none. */
  readonly extensions?: readonly OpenExtension[]
  /** Whom the body names with an @ (beta); absent when nobody. */
  readonly mentions?: readonly Mention[]
}

/** Somebody named in a message. */
export interface Mention {
  readonly mentioned: EmailAddress
  readonly mentionText: string | null
  readonly clientReference: string | null
}

/** PidTagLastVerbExecuted (MS-OXOMSG §2.2.1.9): 102 reply, 103 reply to all, 104 forward. */
export type AnswerVerb = 102 | 103 | 104

/** What a draft is to the message of the same mailbox that it was made from. */
export interface Answer {
  readonly message: MessageId
  readonly verb: AnswerVerb
}

/** What a caller wants written: a message that has no identity yet. */
export interface Draft extends MessageContent {
  /** `null`: never set. */
  readonly subject: string | null
  readonly importance: Importance
  readonly isRead: boolean
  readonly attachments: readonly NewAttachment[]
  /** With angle brackets; made by us when absent. */
  readonly internetMessageId?: string
  /** The message exactly as it was submitted in MIME; sent on as it is, save for what submission must change. */
  readonly mime?: Uint8Array
}

/** The place of a message in its thread. */
export interface Conversation {
  /** 16 bytes as 32 lower-case hex digits, shared by every message of the thread of this mailbox. */
  readonly id: string
  /** MS-OXOMSG §2.2.1.3 PidTagConversationIndex: 22 bytes, 5 more for each answer; base64. */
  readonly index: string
}

/** A message's properties without what it says: everything a list is ordered and filtered by. Moments are ms since 1970. */
export interface MessageEnvelope {
  readonly mailbox: MailboxId
  readonly id: MessageId
  /** 0: in no folder; kept only until its delivery is finished (sendMail with `saveToSentItems: false`). */
  readonly folder: FolderId
  /** How often it was moved; part of the default id, which therefore changes with each move. */
  readonly moves: number
  /** Drawn from the id sequence at every write; what `changeKey` and the etag show. */
  readonly change: number
  readonly createdAt: number
  readonly modifiedAt: number
  readonly receivedAt: number
  readonly sentAt: number
  readonly isRead: boolean
  readonly isDraft: boolean
  /** False when every attachment is inline. */
  readonly hasAttachments: boolean
  readonly importance: Importance
  readonly subject: string | null
  readonly internetMessageId: string
  readonly conversation: Conversation
  /** Up to 255 characters of plain text; undefined until someone worked it out. */
  readonly bodyPreview?: string
  /** Bytes of body, headers and attachments together, approximately: what folder sizes add up. */
  readonly sizeBytes: number
  /** The answer last sent to it. */
  readonly lastVerb?: { readonly verb: AnswerVerb; readonly at: number }
}

export interface Message extends MessageEnvelope {
  readonly content: MessageContent
}
