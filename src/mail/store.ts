/**
 * What the domain needs kept, as ports. `store/` keeps it in SQL.
 *
 * Reads answer with what is committed. Writes go through {@link MailStore.write}: the callback only says what is to
 * change, and the whole of it is then committed at once or not at all. A write never waits for a read in the middle,
 * so that many callers' writes can share one sync to disk; what must not have changed meanwhile is said as a guard.
 */
import type { Attachment, AttachmentEnvelope, LargeAttachment } from './attachment.js'
import type { BlobStore } from './blobs.js'
import type { ClassificationOverride } from './classification-override.js'
import type { DeliveryAttempt } from './delivery-attempt.js'
import type { IdempotencyRecord, IdempotencyStore } from './idempotency.js'
import type { AttachmentId, FolderId, MailboxId, MessageId, TenantId } from './ids.js'
import type { MailFolder } from './mail-folder.js'
import type { Mailbox, MailboxRight } from './mailbox.js'
import type { StoredSettings } from './mailbox-settings.js'
import type { Answer, InferenceClassification, Message, MessageEnvelope } from './message.js'
import type { MessageRule } from './message-rule.js'
import type { Notification } from './notification.js'
import type { OutboxEntry, OutboxRecipient, OutboxWish } from './outbox-entry.js'
import type { OutlookCategory } from './outlook-category.js'
import type {
  Changes,
  ChangesQuery,
  FolderChangesQuery,
  ListedMessage,
  ListingQuery,
  MessageCondition,
  MessagePlace,
  MessageQuery,
  NamedMessage,
  NewestMessages,
} from './query.js'
import type { RetentionStore } from './retention.js'
import type { ScheduledSend } from './scheduled-send.js'
import type { MessageSearch, SearchDocument } from './search.js'
import type { MessageChange, Subscription } from './subscription.js'
import type { UploadSession } from './upload-session.js'

export interface MailStore {
  readonly mailboxes: MailboxStore
  readonly folders: FolderStore
  readonly messages: MessageStore
  readonly attachments: AttachmentStore
  readonly outbox: OutboxStore
  readonly schedule: ScheduleStore
  readonly bounces: BounceStore
  readonly uploads: UploadStore
  readonly changes: ChangeStore
  readonly settings: SettingsStore
  readonly categories: CategoryStore
  readonly overrides: OverrideStore
  readonly rules: RuleStore
  readonly search: SearchStore
  readonly blobs: BlobStore
  readonly idempotency: IdempotencyStore
  readonly retention: RetentionStore
  readonly subscriptions: SubscriptionStore
  readonly notifications: NotificationStore
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

/** How a message is named without its mailbox. */
export interface MessageName {
  readonly message?: MessageId
  /** With its angle brackets. */
  readonly internetMessageId?: string
}

export interface MessageStore {
  /** Of every mailbox, for the operator to look at; the oldest first. */
  named(name: MessageName, limit: number): Promise<MessageEnvelope[]>
  find(mailbox: MailboxId, id: MessageId): Promise<Message | undefined>
  /** Where those of the messages are that are in a folder; in no order. At most 1,000 ids. */
  places(mailbox: MailboxId, ids: readonly MessageId[]): Promise<MessagePlace[]>
  list(query: MessageQuery): Promise<ListedMessage[]>
  /** Which messages stand in which of the folders, in no order. */
  placesIn(mailbox: MailboxId, folders: readonly FolderId[]): Promise<{ message: MessageId; folder: FolderId }[]>
  /** Messages in a folder, or in all folders of the mailbox; those of which the condition is true. */
  count(mailbox: MailboxId, folder?: FolderId, where?: MessageCondition): Promise<number>
  /** Those of the newest that have one of the Message-IDs (RFC 5322), newest first; ids beyond 100 are not looked for. */
  findByInternetMessageId(mailbox: MailboxId, ids: readonly string[], among: NewestMessages): Promise<NamedMessage[]>
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

export interface SettingsStore {
  /** What was set; nothing for a mailbox that is as it was made. */
  find(mailbox: MailboxId): Promise<StoredSettings>
  /** The period in which the sender was last answered automatically; undefined: never. `sender` in lower case. */
  repliedIn(mailbox: MailboxId, sender: string): Promise<number | undefined>
}

export interface CategoryStore {
  /** The oldest first. */
  list(mailbox: MailboxId): Promise<OutlookCategory[]>
  find(mailbox: MailboxId, id: string): Promise<OutlookCategory | undefined>
}

export interface OverrideStore {
  /** The oldest first. */
  list(mailbox: MailboxId): Promise<ClassificationOverride[]>
  find(mailbox: MailboxId, id: string): Promise<ClassificationOverride | undefined>
  /** `sender`: address in lower case. */
  findBySender(mailbox: MailboxId, sender: string): Promise<ClassificationOverride | undefined>
}

export interface RuleStore {
  /** The oldest first, not in the order in which they are applied. */
  list(mailbox: MailboxId): Promise<MessageRule[]>
  find(mailbox: MailboxId, id: number): Promise<MessageRule | undefined>
}

/** What a worker asks for. Moments in ms since 1970. */
export interface OutboxClaim {
  /** Who claims, one name for each worker. */
  readonly worker: string
  readonly now: number
  /** End of the claim. */
  readonly until: number
  /** What waits for a moment beyond it was written before a clock was set back, and is due. */
  readonly latest: number
  /** The destination after which it goes on, in the order of the store; '' for the first. */
  readonly after: string
  /** Entries taken of a destination that `free` does not name. */
  readonly each: number
  /** Entries that may be taken of destinations that are busy, or full with 0. */
  readonly free: ReadonlyMap<string, number>
  /** Entries in all. */
  readonly limit: number
}

/** What it gets. */
export interface OutboxClaimed {
  /** In no order. */
  readonly entries: OutboxEntry[]
  /** Destinations that had something due and were looked at, in the order of the store. */
  readonly destinations: string[]
  /** There may be more destinations after the last. */
  readonly goesOn: boolean
}

/** Which entries of the queue: all that are not closed, or those that agree with everything said. */
export interface QueueFilter {
  readonly destination?: string
  readonly message?: MessageId
  /** RFC 5322 Message-ID, in its angle brackets. */
  readonly internetMessageId?: string
  readonly state?: OutboxEntry['state']
  /** Also what is closed; otherwise only what is not. */
  readonly closedToo?: true
}

/** An entry's place in lists of the queue. */
export type QueuePlace = Pick<OutboxEntry, 'mailbox' | 'message' | 'destination'>

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

/** How far a process has looked for messages that the index lacks; true for as long as it keeps it (decision 16). */
export interface IndexPlace {
  /** The index has what commits up to this one wrote, as far as it was received before `received`. */
  readonly commit: number
  /** `start`: nothing was looked at yet, `end`: all was. */
  readonly received: ReceivedPlace | 'start' | 'end'
  /** Messages that were looked at on the way there. */
  readonly lookedThrough: number
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
  /** How many those of all mailboxes are. */
  countAllUnindexed(): Promise<number>
  /** Some of those, the newest received first, `limit` at most; one look is bounded and may find none. */
  listUnindexed(mailbox: MailboxId, after: ReceivedPlace | undefined, limit: number): Promise<Unindexed>
  /** Some of those that commits after this one wrote, in no order. */
  listUnindexedSince(mailbox: MailboxId, commit: number, limit: number): Promise<MessageId[]>
  /** Where this process's looks have come to. */
  readonly places: Map<MailboxId, IndexPlace>
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
   * Takes due entries for one worker and counts the attempt: some of each destination, the oldest first, so that none is
   * behind another. A claim that ran out is taken by whoever asks next, so a crashed worker loses nothing.
   */
  claimDue(claim: OutboxClaim): Promise<OutboxClaimed>
  /**
   * Makes every claimed entry due again. Only for a store that one process has to itself, when it starts: whoever held
   * the claims is gone, and its mail need not wait for them to run out.
   */
  releaseClaims(now: number): Promise<void>
  /** When the next entry is due, ms since 1970; undefined when nothing waits. */
  nextDueAt(): Promise<number | undefined>
  /** The same of what no claim could have found yet; 0 when something waits for a moment beyond `latest`. */
  nextNewDueAt(latest: number): Promise<number | undefined>
  /** The envelopes of one message, with each recipient's fate. */
  listByMessage(mailbox: MailboxId, message: MessageId): Promise<OutboxEntry[]>
  /** The newest entries of the whole store, for people to look at. */
  listNewest(limit: number): Promise<OutboxEntry[]>
  /**
   * To how many recipients a mailbox has sent since a time (ms since 1970), by pieces of time: number of the piece since
   * 1970 → recipients.
   */
  recipientsSince(mailbox: MailboxId, since: number, pieceMs: number): Promise<Map<number, number>>
  /** Entries of the queue, ordered by mailbox, message and destination. */
  listQueue(filter: QueueFilter, limit: number, after?: QueuePlace): Promise<OutboxEntry[]>
  /** What was said in the attempts to deliver a message, by destination and in their order. */
  listAttempts(mailbox: MailboxId, message: MessageId): Promise<DeliveryAttempt[]>
  /** How many entries are in each state but `closed`. */
  countByState(): Promise<Map<string, number>>
  /** How many entries are not closed. */
  countOpen(): Promise<number>
}

/** Drafts that are to be sent at a time. */
export interface ScheduleStore {
  /** Those due, the oldest first. */
  listDue(now: number, limit: number): Promise<ScheduledSend[]>
  find(mailbox: MailboxId, message: MessageId): Promise<ScheduledSend | undefined>
  /** When the next is due, ms since 1970. */
  nextDueAt(): Promise<number | undefined>
}

/** What has changed, in the order in which it was committed (decision 19). */
export interface ChangeStore {
  horizon(): Promise<ChangeHorizon>
  /** Messages as they stand, newest received first. */
  listing(query: ListingQuery): Promise<ListedMessage[]>
  /** Messages that were written, and those that left, by commit; of one commit first what left. */
  messages(query: ChangesQuery): Promise<Changes<ListedMessage>>
  /** The same of the mailbox's folders. */
  folders(query: FolderChangesQuery): Promise<Changes<FolderId>>
  /** Forgets what left before that time, ms since 1970; resolves with how many. */
  forget(before: number): Promise<number>
}

/** How far changes are known. All are numbers of commits. */
export interface ChangeHorizon {
  /** What was committed with a number up to this one can be seen. */
  readonly complete: number
  /** Nothing that can be seen has a number above this one. */
  readonly visible: number
  /** Of what left with a number up to this one, not all is known any more. */
  readonly forgotten: number
}

/** An envelope; `version` tells writers of it apart. */
export interface KnownEntry {
  readonly entry: OutboxEntry
  readonly version: string
}

/** What comes back of mail that was handed on. */
export interface BounceStore {
  /** The envelopes of a message, each with what tells {@link MailWriter.bounceRecipients} that it is as it was. */
  listEntries(mailbox: MailboxId, message: MessageId): Promise<KnownEntry[]>
}

export interface SubscriptionStore {
  find(tenant: TenantId, id: string): Promise<Subscription | undefined>
  /** Those an application made, in no order. */
  listByApplication(tenant: TenantId, application: string): Promise<Subscription[]>
  listByMailbox(mailbox: MailboxId): Promise<Subscription[]>
  /** All of them, of every tenant. */
  list(): Promise<Subscription[]>
}

export interface NotificationStore {
  /** Whether there is anybody to notify, or something to notify of. */
  isNeeded(): Promise<boolean>
  /** The oldest changes that are no notifications yet. */
  changes(limit: number): Promise<MessageChange[]>
  /** Whether the subscription was last told that the message matches its filter. */
  isMatch(subscription: string, message: MessageId): Promise<boolean>
  /** Takes up to `limit` due notifications until `until` (ms), as {@link OutboxStore.claimDue} does; oldest first. */
  claimDue(now: number, until: number, limit: number): Promise<Notification[]>
  /** Makes claimed notifications due again; like {@link OutboxStore.releaseClaims}, only where the store is one process's. */
  releaseClaims(now: number): Promise<void>
  /** When the next one is due, ms since 1970. */
  nextDueAt(): Promise<number | undefined>
}

/** By how much a write changes a folder's counts. */
export interface FolderChange {
  readonly total: number
  readonly unread: number
  readonly sizeBytes: number
}

/** When a write changes messages, and the change number they have from then on. */
export interface ChangeStamp {
  readonly change: number
  /** ms since 1970 */
  readonly at: number
}

/** A message that is copied: which, under which number, into which folder. */
export interface MessageCopy {
  readonly from: MessageId
  readonly to: MessageId
  readonly folder: FolderId
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
  /** Deliveries to the mailbox look up what it says of them from now on: something of the kind was set. */
  mindArrivals(mailbox: MailboxId): void
  /** Guarded: fails with `conflict` unless the settings still have the change number `previousChange`, 0: are none yet. */
  putSettings(mailbox: MailboxId, settings: StoredSettings, previousChange: number): void
  /** Guarded: fails with `conflict` when there is one of the name. `position` decides the order. */
  insertCategory(mailbox: MailboxId, category: OutlookCategory, position: number): void
  /** Its color. Guarded: fails with `conflict` when it is gone, like the three below. */
  updateCategory(mailbox: MailboxId, category: OutlookCategory): void
  deleteCategory(mailbox: MailboxId, id: string): void
  updateOverride(mailbox: MailboxId, id: string, classifyAs: InferenceClassification): void
  deleteOverride(mailbox: MailboxId, id: string): void
  /** An override, or class and name of the one that its sender has already. */
  putOverride(mailbox: MailboxId, override: ClassificationOverride, position: number): void
  insertRule(mailbox: MailboxId, rule: MessageRule): void
  /** Guarded: fails with `conflict` unless the rule still has the change number `previousChange`. */
  updateRule(mailbox: MailboxId, rule: MessageRule, previousChange: number): void
  /** Guarded: fails with `conflict` when it is gone. */
  deleteRule(mailbox: MailboxId, id: number): void
  /** Guarded: fails with `conflict` when the sender was answered in this period already. `sender` in lower case. */
  noteReply(mailbox: MailboxId, sender: string, period: number): void
  /** Of periods before this one. */
  forgetReplies(mailbox: MailboxId, before: number): void
  /** A folder's counts, which its rows in `messages` must agree with at the end of the write. */
  changeFolder(mailbox: MailboxId, folder: FolderId, change: FolderChange): void
  /**
   * Gives the tree of folders, which is to say its root, a new change number. Guarded: fails with `conflict` unless it
   * still has `previousChange`.
   */
  changeTree(mailbox: MailboxId, change: number, previousChange: number): void
  /** Guarded: fails with `conflict` when the folder is gone. */
  requireFolder(mailbox: MailboxId, folder: FolderId): void
  /** Writes name, parent and details of a folder; its counts stay. Guarded by its being there. */
  updateFolder(folder: MailFolder): void
  /** `at`: ms since 1970, for {@link ChangeStore}. */
  deleteFolders(mailbox: MailboxId, folders: readonly FolderId[], at: number): void
  /**
   * Moves all messages of the folders into another, in few statements however many there are, with the counts of that
   * one; those of the folders are not kept.
   */
  emptyFolders(mailbox: MailboxId, folders: readonly FolderId[], to: ChangeStamp & { into: FolderId }): void
  /** Copies messages with MIME and attachments inside the store, in few statements; counts are for {@link recountFolders}. */
  copyMessages(mailbox: MailboxId, copies: readonly MessageCopy[], stamp: ChangeStamp): void
  /** Makes the counts of new folders from what they hold. */
  recountFolders(mailbox: MailboxId, folders: readonly FolderId[]): void
  /** Marks all messages of a folder as read or unread, with its count. */
  setReadState(mailbox: MailboxId, folder: FolderId, to: ChangeStamp & { isRead: boolean }): void
  insertMessage(message: Message): void
  /** The message, as it was there, leaves its folder at this time, ms since 1970. */
  insertRemoval(message: MessageEnvelope, at: number): void
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
  /** Guarded: fails with `conflict` when the key is there and still good. @param now ms since 1970 */
  putIdempotencyKey(record: IdempotencyRecord, now: number): void
  /** Keeps what was said in an attempt, in the place of an older one where there are many. */
  putAttempt(attempt: DeliveryAttempt): void
  /**
   * Writes the result of an attempt, or of a part of it: `sending` keeps the claim, and `dueAt` is then its end.
   * Guarded: fails with `conflict` when `attempts` is no longer the current attempt, so a worker whose claim ran out
   * writes nothing.
   */
  settleOutboxEntry(
    entry: Pick<OutboxEntry, 'mailbox' | 'message' | 'destination' | 'attempts'>,
    result: Pick<OutboxEntry, 'state' | 'dueAt' | 'recipients'>,
  ): void
  /** Moves the end of a claim; nothing when the claim is over. */
  renewClaim(entry: Pick<OutboxEntry, 'mailbox' | 'message' | 'destination' | 'attempts'>, until: number): void
  /** By hand, not by a worker. Guarded: fails with `conflict` unless the entry still stands where it stood, unclaimed. */
  changeOutboxEntry(entry: OutboxEntry, to: Pick<OutboxEntry, 'state' | 'dueAt' | 'recipients'>): void
  /** Guarded: fails with `conflict` unless the same attempt is still under way. */
  wishOfOutboxEntry(entry: OutboxEntry, wish: OutboxWish): void
  /** Makes or changes it. */
  putScheduledSend(send: ScheduledSend): void
  /** Guarded: fails with `conflict` unless it is still there for this time. */
  deleteScheduledSend(send: ScheduledSend): void
  /** What came back of an envelope. Guarded: fails with `conflict` unless it is as it was, and nobody has claimed it. */
  bounceRecipients(known: KnownEntry, recipients: readonly OutboxRecipient[]): void
  /** From its commit on, the store notes changes of the mailbox's messages. */
  insertSubscription(subscription: Subscription): void
  /** Guarded: fails with `conflict` unless it still is as it was. */
  updateSubscription(subscription: Subscription, previous: Subscription): void
  /** With what it was still to be told. Guarded: fails with `conflict` when it is gone. */
  deleteSubscription(id: string): void
  /** Nobody listens: changes are noted no more. Guarded: fails with `conflict` when there is a subscription. */
  endNoting(): void
  /** The subscription was told that the message matches its filter. */
  insertMatch(subscription: string, message: MessageId): void
  deleteMatch(subscription: string, message: MessageId): void
  /** The change is dealt with. Guarded: fails with `conflict` when somebody else did that. */
  deleteMessageChange(id: number): void
  /** `outlives`: it is still to be told when the subscription is gone. */
  insertNotification(notification: Notification, outlives?: boolean): void
  /** It was told, or nobody is to be told of it any more. */
  deleteNotification(id: number): void
  delayNotification(id: number, dueAt: number): void
}
