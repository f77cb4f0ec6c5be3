import type { Selectable } from 'kysely'
import type { AttachmentId, MailboxId, MessageId } from '../mail/ids.js'
import type { UploadStore } from '../mail/store.js'
import type { UploadSession } from '../mail/upload-session.js'
import type { Database } from './database.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

export class SqlUploads implements UploadStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async find(mailbox: MailboxId, id: AttachmentId): Promise<UploadSession | undefined> {
    const row = await this.#database.read
      .selectFrom('upload_sessions')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && sessionOf(row)
  }

  async listExpired(now: number): Promise<UploadSession[]> {
    const rows = await this.#database.read
      .selectFrom('upload_sessions')
      .selectAll()
      .where('expires_at', '<=', now)
      .execute()
    return rows.map(sessionOf)
  }
}

export function insertUploadSession(database: Database, session: UploadSession): Statement {
  const query = database.read.insertInto('upload_sessions').values({
    mailbox_id: session.mailbox,
    id: session.id,
    message_id: session.message,
    blob: session.blob,
    name: session.name,
    content_type: session.contentType,
    is_inline: session.isInline ? 1 : 0,
    content_id: session.contentId,
    size_bytes: session.sizeBytes,
    received_bytes: session.receivedBytes,
    token_hash: session.tokenHash,
    expires_at: session.expiresAt,
  })
  return statementOf(query.compile())
}

export function advanceUploadSession(database: Database, session: UploadSession, receivedBytes: number): Statement {
  const query = database.read
    .updateTable('upload_sessions')
    .set({ received_bytes: receivedBytes })
    .where('mailbox_id', '=', session.mailbox)
    .where('id', '=', session.id)
    .where('received_bytes', '=', session.receivedBytes)
  return statementOf(query.compile(), { guarded: true })
}

export function deleteUploadSession(database: Database, session: UploadSession): Statement {
  const query = database.read
    .deleteFrom('upload_sessions')
    .where('mailbox_id', '=', session.mailbox)
    .where('id', '=', session.id)
    .where('received_bytes', '=', session.receivedBytes)
  return statementOf(query.compile(), { guarded: true })
}

function sessionOf(row: Selectable<Schema['upload_sessions']>): UploadSession {
  return {
    mailbox: row.mailbox_id as MailboxId,
    message: row.message_id as MessageId,
    id: row.id as AttachmentId,
    blob: row.blob,
    name: row.name,
    contentType: row.content_type,
    isInline: row.is_inline === 1,
    contentId: row.content_id,
    sizeBytes: row.size_bytes,
    receivedBytes: row.received_bytes,
    tokenHash: row.token_hash,
    expiresAt: row.expires_at,
  }
}
