/**
 * What the domain needs kept, as ports. `store/` keeps it in SQL.
 *
 * Reads answer with what is committed. Writes go through {@link MailStore.write}: the callback only says what is to
 * change, and the whole of it is then committed at once or not at all. A write never waits for a read in the middle,
 * so that many callers' writes can share one sync to disk; what must not have changed meanwhile is said as a guard.
 */
import type { Attachment, AttachmentEnvelope, LargeAttachment } from './attachment.js'
import type { BlobStore } from './blobs.js'
import type { AttachmentId, FolderId, MailboxId, MessageId, TenantId } from './ids.js'
import type { MailFolder } from './mail-folder.js'
import type { Mailbox, MailboxRight } from './mailbox.js'
import type { Answer, Message } from './message.js'
import type { OutboxEntry } from './outbox-entry.js'
import type { ListedMessage, MessageQuery } from './query.js'
import type { MessageSearch, SearchDocument } from './search.js'
import type { UploadSession } from './upload-session.js'

export interface MailStore {
  readonly mailboxes: MailboxStore
  readonly folders: FolderStore
  readonly messages: MessageStore
  readonly attachments: AttachmentStore
  readonly outbox: OutboxStore
  readonly uploads: UploadStore
  readonly search: SearchStore
  readonly blobs: BlobStore
  /**
   * Commits all that the callback asked for, or nothing; resolves once it is on disk.
   *
   * @throws MailError conflict when a guard did not hold, storeUnavailable when the disk or database refused
   */
  write(change: (tx: MailWriter) => void): Promise<void>
}

export interface MailboxStore {
  /** By object id of the owner or by user principal name, in any case. */
  find(tenant: TenantId, key: string): Promise<Mailbox | undefined>
  get(id: MailboxId): Promise<Mailbox>
  /** The mailboxes that the addresses (any case), aliases too, belong to, keyed by the lower-case address. */
  findByAddress(tenant: TenantId, addresses: readonly string[]): Promise<Map<string, Mailbox>>
  /** Ordered by user principal name. */
  list(tenant: TenantId): Promise<Mailbox[]>
  /** Addresses beside the primary one, lower case. */
  aliasesOf(id: MailboxId): Promise<string[]>
  /** What a user, by object id, may do in a mailbox of another. */
  rightsOf(id: MailboxId, user: string): Promise<ReadonlySet<MailboxRight>>
  /** Everybody's rights in a mailbox. */
  listRights(id: MailboxId): Promise<{ user: string; right: MailboxRight }[]>
}

export interface FolderStore {
  find(mailbox: MailboxId, id: FolderId): Promise<MailFolder | undefined>
  /** Every folder of the mailbox, in no order. */
  list(mailbox: MailboxId): Promise<MailFolder[]>
}

export interface MessageStore {
  find(mailbox: MailboxId, id: MessageId): Promise<Message | undefined>
  list(query: MessageQuery): Promise<ListedMessage[]>
  /** Messages in a folder, or in all folders of the mailbox. */
  count(mailbox: MailboxId, folder?: FolderId): Promise<number>
  /** The MIME as it was submitted or received; undefined when the message was made from JSON. */
  mime(mailbox: MailboxId, id: MessageId): Promise<Uint8Array | undefined>
}

export interface AttachmentStore {
  /** In the order in which they were added. */
  list(mailbox: MailboxId, message: MessageId): Promise<AttachmentEnvelope[]>
  /** The same with their content. */
  listWithContent(mailbox: MailboxId, message: MessageId): Promise<Attachment[]>
  find(mailbox: MailboxId, message: MessageId, id: AttachmentId): Promise<Attachment | undefined>
  /** The same without its content. */
  findEnvelope(mailbox: MailboxId, message: MessageId, id: AttachmentId): Promise<AttachmentEnvelope | undefined>
  /** Those of the keys that an attachment or an upload session names. */
  namedBlobs(keys: readonly string[]): Promise<Set<string>>
}

export interface UploadStore {
  find(mailbox: MailboxId, id: AttachmentId): Promise<UploadSession | undefined>
  /** Sessions whose time is over. */
  listExpired(now: number): Promise<UploadSession[]>
}

/** A place in a mailbox, from the newest received to the oldest. */
export interface ReceivedPlace {
  readonly receivedAt: number
  readonly id: MessageId
}

/** What a look for messages that are not in the index found. */
export interface Unindexed {
  readonly messages: MessageId[]
  readonly lookedThrough: number
  /** Where the next look goes on; absent at the end of the mailbox. */
  readonly last?: ReceivedPlace
}

/**
 * The full-text index. It follows what is kept: writes of mail leave it alone, but that a message which comes to say
 * something else, or goes, is no longer in it.
 */
export interface SearchStore {
  /** One page of the results, as far as messages are indexed. */
  list(search: MessageSearch): Promise<ListedMessage[]>
  /** How many messages of the mailbox the index lacks. */
  countUnindexed(mailbox: MailboxId): Promise<number>
  /** Some of those, the newest received first, `limit` at most; one look is bounded and may find none. */
  listUnindexed(mailbox: MailboxId, after: ReceivedPlace | undefined, limit: number): Promise<Unindexed>
  /**
   * Adds to the index what is not in it; resolves to the messages that it does not have afterwards, because they have
   * changed since they were read.
   */
  put(mailbox: MailboxId, documents: readonly SearchDocument[]): Promise<MessageId[]>
  /**
   * Messages as the index reads them, those in no folder left out: with `maxBody` characters of the body, and the names
   * of their attachments.
   */
  readToIndex(
    mailbox: MailboxId,
    messages: readonly MessageId[],
    maxBody: number,
  ): Promise<{ message: Message; attachmentNames: string[] }[]>
  /** The mailboxes whose index lacks messages. */
  listBehind(): Promise<MailboxId[]>
  /** The mailboxes this process has written messages to since it was asked last; some writes may still be under way. */
  takeWritten(): MailboxId[]
}

export interface OutboxStore {
  /**
   * Takes up to `limit` due entries for one worker until `until` (ms) and counts the attempt. A claim that ran out is
   * taken by whoever asks next, so a crashed worker loses nothing. In no order.
   */
  claimDue(worker: string, now: number, until: number, limit: number): Promise<OutboxEntry[]>
  /**
   * Makes every claimed entry due again. Only for a store that one process has to itself, when it starts: whoever held
   * the claims is gone, and its mail need not wait for them to run out.
   */
  releaseClaims(now: number): Promise<void>
  /** When the next entry is due, ms since 1970; undefined when nothing waits. */
  nextDueAt(): Promise<number | undefined>
  /** The envelopes of one message, with each recipient's fate. */
  listByMessage(mailbox: MailboxId, message: MessageId): Promise<OutboxEntry[]>
  /** The newest entries of the whole store, for people to look at. */
  listNewest(limit: number): Promise<OutboxEntry[]>
  /** How many entries are not closed. */
  countOpen(): Promise<number>
}

/** By how much a write changes a folder's counts. */
export interface FolderChange {
  readonly total: number
  readonly unread: number
  readonly sizeBytes: number
}

/** The changes one write can hold. Each call only records what is to be done. */
export interface MailWriter {
  insertMailbox(mailbox: Mailbox): void
  renameMailbox(id: MailboxId, displayName: string): void
  /** Gives the mailbox one more address; nothing when it has it already, guarded against another's. */
  insertAlias(mailbox: Mailbox, address: string): void
  deleteAlias(mailbox: Mailbox, address: string): void
  /** Nothing when the user has it. */
  grantRight(mailbox: MailboxId, user: string, right: MailboxRight): void
  revokeRight(mailbox: MailboxId, user: string, right: MailboxRight): void
  insertFolder(folder: MailFolder): void
  changeFolder(mailbox: MailboxId, folder: FolderId, change: FolderChange): void
  insertMessage(message: Message): void
  /**
   * Writes the message over the one with its id. Guarded: fails with `conflict` unless that one still has the change
   * number `previousChange`.
   */
  updateMessage(message: Message, previousChange: number): void
  /** Marks a message as answered, with a new change number; nothing when it is gone. */
  markAnswered(mailbox: MailboxId, answer: Answer, at: number, change: number): void
  /** Keeps the MIME a message came in. */
  insertMime(mailbox: MailboxId, message: MessageId, mime: Uint8Array): void
  /** Copies the MIME of one message to another, where there is any. */
  copyMime(from: { mailbox: MailboxId; message: MessageId }, to: { mailbox: MailboxId; message: MessageId }): void
  /** The message is no longer what its MIME says. */
  deleteMime(mailbox: MailboxId, message: MessageId): void
  insertAttachment(attachment: Attachment): void
  insertLargeAttachment(attachment: LargeAttachment): void
  insertUploadSession(session: UploadSession): void
  /** Guarded: fails with `conflict` unless the session still has received as much as it is said to have. */
  advanceUploadSession(session: UploadSession, receivedBytes: number): void
  /** Guarded in the same way. */
  deleteUploadSession(session: UploadSession): void
  /** Guarded: fails with `conflict` when there is no such attachment. */
  deleteAttachment(mailbox: MailboxId, message: MessageId, id: AttachmentId): void
  /** Copies the attachments of one message to another, inside the store; they keep their ids. `only`: those named. */
  copyAttachments(
    from: { mailbox: MailboxId; message: MessageId },
    to: { mailbox: MailboxId; message: MessageId },
    only?: readonly AttachmentId[],
  ): void
  /** Sets the preview of a message that has none; no change of its change key. */
  setBodyPreview(mailbox: MailboxId, message: MessageId, bodyPreview: string): void
  insertOutboxEntry(entry: OutboxEntry): void
  /**
   * Writes the result of an attempt, or of a part of it: `sending` keeps the claim, and `dueAt` is then its end.
   * Guarded: fails with `conflict` when `attempts` is no longer the current attempt, so a worker whose claim ran out
   * writes nothing.
   */
  settleOutboxEntry(
    entry: Pick<OutboxEntry, 'mailbox' | 'message' | 'destination' | 'attempts'>,
    result: Pick<OutboxEntry, 'state' | 'dueAt' | 'recipients'>,
  ): void
}
