import type { BlobStore } from '../mail/blobs.js'
import { MailError } from '../mail/errors.js'
import type { MailboxId } from '../mail/ids.js'
import type { MailStore, MailWriter } from '../mail/store.js'
import { copyAttachments, deleteAttachment, insertAttachment, SqlAttachments } from './attachments.js'
import { bounceRecipients, SqlBounces } from './bounces.js'
import { SqlChanges } from './changes.js'
import { deleteOverride, putOverride, SqlOverrides, updateOverride } from './classification-overrides.js'
import { type Database, StoreUnavailable, WriteConflict } from './database.js'
import { preparedAttempt } from './delivery-attempts.js'
import { copyMessages, emptyFolders, recountFolders, setReadState } from './folder-contents.js'
import { putIdempotencyKey, SqlIdempotency } from './idempotency.js'
import {
  changeTree,
  deleteFolders,
  insertFolder,
  preparedFolderChange,
  requireFolder,
  SqlFolders,
  updateFolder,
} from './mail-folders.js'
import { forgetReplies, noteReply, putSettings, SqlSettings } from './mailbox-settings.js'
import {
  deleteAlias,
  grantRight,
  insertAlias,
  insertMailbox,
  mindArrivals,
  renameMailbox,
  revokeRight,
  SqlMailboxes,
} from './mailboxes.js'
import { preparedMessageInsert, preparedMessageUpdate } from './message-row.js'
import { deleteRule, insertRule, SqlRules, updateRule } from './message-rules.js'
import { copyMime, deleteMime, insertMime, markAnswered, preparedBodyPreview, SqlMessages } from './messages.js'
import {
  delayNotification,
  deleteMatch,
  deleteMessageChange,
  deleteNotification,
  insertMatch,
  insertNotification,
  SqlNotifications,
} from './notifications.js'
import {
  changeEntry,
  preparedOutboxInsert,
  preparedRenewal,
  preparedSettlement,
  SqlOutbox,
  wishOfEntry,
} from './outbox.js'
import { deleteCategory, insertCategory, SqlCategories, updateCategory } from './outlook-categories.js'
import { insertFolderRemovals, preparedRemoval } from './removals.js'
import { SqlRetention } from './retention.js'
import { deleteScheduledSend, putScheduledSend, SqlSchedule } from './scheduled-sends.js'
import { SqlSearch } from './search.js'
import type { Statement } from './statement.js'
import {
  deleteSubscription,
  endNoting,
  insertSubscription,
  SqlSubscriptions,
  updateSubscription,
} from './subscriptions.js'
import { advanceUploadSession, deleteUploadSession, insertUploadSession, SqlUploads } from './uploads.js'

/** The ports of the mail domain, kept in one SQL database. `committed` is called after each write; it must cost nothing. */
export function sqlMailStore(database: Database, blobs: BlobStore, committed: () => void): MailStore {
  const domain: Database = { ...database, write: (statements) => database.write(statements).catch(inDomainTerms) }
  const written = new Set<MailboxId>()
  const outbox = new SqlOutbox(domain)
  const writerInto = preparedWriter(domain, written)
  return {
    mailboxes: new SqlMailboxes(domain),
    folders: new SqlFolders(domain),
    messages: new SqlMessages(domain),
    attachments: new SqlAttachments(domain, blobs),
    outbox,
    retention: new SqlRetention(domain, () => outbox.takeUp()),
    schedule: new SqlSchedule(domain),
    bounces: new SqlBounces(domain),
    uploads: new SqlUploads(domain),
    changes: new SqlChanges(domain),
    settings: new SqlSettings(domain),
    categories: new SqlCategories(domain),
    overrides: new SqlOverrides(domain),
    rules: new SqlRules(domain),
    search: new SqlSearch(domain, written),
    blobs,
    idempotency: new SqlIdempotency(domain),
    subscriptions: new SqlSubscriptions(domain),
    notifications: new SqlNotifications(domain),
    // No async function: every accepted mail goes through here, and a promise alone costs less.
    write: (change) => {
      const statements: Statement[] = []
      try {
        change(writerInto(statements))
      } catch (error) {
        return Promise.reject(error)
      }
      return statements.length === 0 ? Promise.resolve() : database.write(statements).then(committed, inDomainTerms)
    },
  }
}

/** What the database says, as the rule of the domain that it means. */
function inDomainTerms(error: unknown): never {
  if (error instanceof WriteConflict) throw new MailError('conflict', 'Something this write depended on has changed.')
  if (error instanceof StoreUnavailable) {
    throw new MailError('storeUnavailable', `The store could not keep this: ${error.message}.`)
  }
  throw error
}

/**
 * Compiles the hot statements once; the result gives the writer that appends to a list of statements. It is one and the
 * same for all writes, because making its methods anew would cost each mail a microsecond; a write is said without a pause.
 */
function preparedWriter(database: Database, written: Set<MailboxId>): (into: Statement[]) => MailWriter {
  let statements: Statement[] = []
  const messageInsert = preparedMessageInsert(database)
  const messageUpdate = preparedMessageUpdate(database)
  const outboxInsert = preparedOutboxInsert(database)
  const settlement = preparedSettlement(database)
  const renewal = preparedRenewal(database)
  const folderChange = preparedFolderChange(database)
  const removal = preparedRemoval(database)
  const bodyPreview = preparedBodyPreview(database)
  const attempt = preparedAttempt(database)
  const writer: MailWriter = {
    insertMailbox: (mailbox) => statements.push(insertMailbox(database, mailbox)),
    renameMailbox: (id, displayName) => statements.push(renameMailbox(database, id, displayName)),
    insertAlias: (mailbox, address) => statements.push(insertAlias(database, mailbox, address)),
    deleteAlias: (mailbox, address) => statements.push(deleteAlias(database, mailbox, address)),
    grantRight: (id, user, right) => statements.push(grantRight(database, id, user, right)),
    revokeRight: (id, user, right) => statements.push(revokeRight(database, id, user, right)),
    insertFolder: (folder) => statements.push(insertFolder(database, folder)),
    mindArrivals: (mailbox) => statements.push(mindArrivals(database, mailbox)),
    putSettings: (mailbox, settings, previous) => statements.push(putSettings(database, mailbox, settings, previous)),
    insertCategory: (mailbox, category, position) =>
      statements.push(insertCategory(database, mailbox, category, position)),
    updateCategory: (mailbox, category) => statements.push(updateCategory(database, mailbox, category)),
    deleteCategory: (mailbox, id) => statements.push(deleteCategory(database, mailbox, id)),
    putOverride: (mailbox, override, position) => statements.push(putOverride(database, mailbox, override, position)),
    updateOverride: (mailbox, id, classifyAs) => statements.push(updateOverride(database, mailbox, id, classifyAs)),
    deleteOverride: (mailbox, id) => statements.push(deleteOverride(database, mailbox, id)),
    insertRule: (mailbox, rule) => statements.push(insertRule(database, mailbox, rule)),
    updateRule: (mailbox, rule, previous) => statements.push(updateRule(database, mailbox, rule, previous)),
    deleteRule: (mailbox, id) => statements.push(deleteRule(database, mailbox, id)),
    noteReply: (mailbox, sender, period) => statements.push(noteReply(database, mailbox, sender, period)),
    forgetReplies: (mailbox, before) => statements.push(forgetReplies(database, mailbox, before)),
    changeFolder: (mailbox, folder, change) => statements.push(folderChange(mailbox, folder, change)),
    changeTree: (mailbox, change, previous) => statements.push(changeTree(database, mailbox, change, previous)),
    requireFolder: (mailbox, folder) => statements.push(requireFolder(database, mailbox, folder)),
    updateFolder: (folder) => statements.push(updateFolder(database, folder)),
    deleteFolders: (mailbox, folders, at) =>
      statements.push(insertFolderRemovals(database, mailbox, folders, at), deleteFolders(database, mailbox, folders)),
    emptyFolders: (mailbox, folders, to) => statements.push(...emptyFolders(database, mailbox, folders, to)),
    copyMessages: (mailbox, copies, stamp) => {
      statements.push(...copyMessages(database, mailbox, copies, stamp))
      written.add(mailbox)
    },
    recountFolders: (mailbox, folders) => statements.push(recountFolders(database, mailbox, folders)),
    setReadState: (mailbox, folder, to) => statements.push(...setReadState(database, mailbox, folder, to)),
    insertMessage: (message) => {
      statements.push(messageInsert(message))
      written.add(message.mailbox)
    },
    insertRemoval: (message, at) => statements.push(removal(message, at)),
    updateMessage: (message, previousChange) => {
      statements.push(messageUpdate(message, previousChange))
      written.add(message.mailbox)
    },
    markAnswered: (mailbox, answer, at, change) => statements.push(markAnswered(database, mailbox, answer, at, change)),
    insertMime: (mailbox, message, mime) => statements.push(insertMime(database, mailbox, message, mime)),
    copyMime: (from, to) => statements.push(copyMime(database, from, to)),
    deleteMime: (mailbox, message) => statements.push(deleteMime(database, mailbox, message)),
    insertLargeAttachment: (attachment) => statements.push(insertAttachment(database, attachment)),
    insertUploadSession: (session) => statements.push(insertUploadSession(database, session)),
    advanceUploadSession: (session, receivedBytes) =>
      statements.push(advanceUploadSession(database, session, receivedBytes)),
    deleteUploadSession: (session) => statements.push(deleteUploadSession(database, session)),
    deleteAttachment: (mailbox, message, id) => statements.push(deleteAttachment(database, mailbox, message, id)),
    insertAttachment: (attachment) => statements.push(insertAttachment(database, attachment)),
    copyAttachments: (from, to, only) => statements.push(copyAttachments(database, from, to, only)),
    setBodyPreview: (mailbox, message, preview) => statements.push(bodyPreview(mailbox, message, preview)),
    insertOutboxEntry: (entry) => statements.push(outboxInsert(entry)),
    bounceRecipients: (closed, recipients) => statements.push(bounceRecipients(database, closed, recipients)),
    putIdempotencyKey: (record, now) => statements.push(putIdempotencyKey(database, record, now)),
    putAttempt: (made) => statements.push(attempt(made)),
    settleOutboxEntry: (entry, result) => statements.push(settlement(entry, result)),
    renewClaim: (entry, until) => statements.push(renewal(entry, until)),
    changeOutboxEntry: (entry, to) => statements.push(changeEntry(database, entry, to)),
    wishOfOutboxEntry: (entry, wish) => statements.push(wishOfEntry(database, entry, wish)),
    putScheduledSend: (send) => statements.push(putScheduledSend(database, send)),
    deleteScheduledSend: (send) => statements.push(deleteScheduledSend(database, send)),
    insertSubscription: (subscription) => statements.push(...insertSubscription(database, subscription)),
    updateSubscription: (subscription, previous) =>
      statements.push(updateSubscription(database, subscription, previous)),
    deleteSubscription: (id) => statements.push(...deleteSubscription(database, id)),
    endNoting: () => statements.push(...endNoting(database)),
    insertMatch: (subscription, message) => statements.push(insertMatch(database, subscription, message)),
    deleteMatch: (subscription, message) => statements.push(deleteMatch(database, subscription, message)),
    deleteMessageChange: (id) => statements.push(deleteMessageChange(database, id)),
    insertNotification: (notification, outlives) =>
      statements.push(insertNotification(database, notification, outlives)),
    deleteNotification: (id) => statements.push(deleteNotification(database, id)),
    delayNotification: (id, dueAt) => statements.push(delayNotification(database, id, dueAt)),
  }
  return (into) => {
    statements = into
    return writer
  }
}
