import type { BlobStore } from '../mail/blobs.js'
import { MailError } from '../mail/errors.js'
import type { MailboxId } from '../mail/ids.js'
import type { MailStore, MailWriter } from '../mail/store.js'
import { copyAttachments, deleteAttachment, insertAttachment, SqlAttachments } from './attachments.js'
import { type Database, StoreUnavailable, WriteConflict, type WriteRows } from './database.js'
import { insertFolder, preparedFolderChange, SqlFolders } from './mail-folders.js'
import {
  deleteAlias,
  grantRight,
  insertAlias,
  insertMailbox,
  renameMailbox,
  revokeRight,
  SqlMailboxes,
} from './mailboxes.js'
import {
  copyMime,
  deleteMime,
  insertMime,
  markAnswered,
  preparedMessageInsert,
  preparedMessageUpdate,
  SqlMessages,
  setBodyPreview,
} from './messages.js'
import { preparedOutboxInsert, preparedSettlement, SqlOutbox } from './outbox.js'
import { SqlSearch } from './search.js'
import type { Statement } from './statement.js'
import { advanceUploadSession, deleteUploadSession, insertUploadSession, SqlUploads } from './uploads.js'

/** The ports of the mail domain, kept in one SQL database. */
export function sqlMailStore(database: Database, blobs: BlobStore): MailStore {
  const domain: Database = { ...database, write: (statements) => database.write(statements).catch(inDomainTerms) }
  const written = new Set<MailboxId>()
  const writerInto = preparedWriter(domain, written)
  return {
    mailboxes: new SqlMailboxes(domain),
    folders: new SqlFolders(domain),
    messages: new SqlMessages(domain),
    attachments: new SqlAttachments(domain, blobs),
    outbox: new SqlOutbox(domain),
    uploads: new SqlUploads(domain),
    search: new SqlSearch(domain, written),
    blobs,
    write: async (change) => {
      const statements: Statement[] = []
      change(writerInto(statements))
      if (statements.length === 0) return
      try {
        await database.write(statements)
      } catch (error) {
        inDomainTerms(error)
      }
    },
  }
}

/** What the database says, as the rule of the domain that it means. */
function inDomainTerms(error: unknown): WriteRows {
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
  const folderChange = preparedFolderChange(database)
  const writer: MailWriter = {
    insertMailbox: (mailbox) => statements.push(insertMailbox(database, mailbox)),
    renameMailbox: (id, displayName) => statements.push(renameMailbox(database, id, displayName)),
    insertAlias: (mailbox, address) => statements.push(insertAlias(database, mailbox, address)),
    deleteAlias: (mailbox, address) => statements.push(deleteAlias(database, mailbox, address)),
    grantRight: (id, user, right) => statements.push(grantRight(database, id, user, right)),
    revokeRight: (id, user, right) => statements.push(revokeRight(database, id, user, right)),
    insertFolder: (folder) => statements.push(insertFolder(database, folder)),
    changeFolder: (mailbox, folder, change) => statements.push(folderChange(mailbox, folder, change)),
    insertMessage: (message) => {
      statements.push(messageInsert(message))
      written.add(message.mailbox)
    },
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
    setBodyPreview: (mailbox, message, preview) => statements.push(setBodyPreview(database, mailbox, message, preview)),
    insertOutboxEntry: (entry) => statements.push(outboxInsert(entry)),
    settleOutboxEntry: (entry, result) => statements.push(settlement(entry, result)),
  }
  return (into) => {
    statements = into
    return writer
  }
}
