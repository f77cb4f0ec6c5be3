import type { Selectable } from 'kysely'
import type { Attachment, AttachmentEnvelope } from '../mail/attachment.js'
import type { AttachmentId, MailboxId, MessageId } from '../mail/ids.js'
import type { AttachmentStore } from '../mail/store.js'
import type { Database } from './database.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

const envelopeColumns = [
  'mailbox_id',
  'message_id',
  'id',
  'kind',
  'name',
  'content_type',
  'size_bytes',
  'is_inline',
  'content_id',
  'content_location',
  'modified_at',
] as const

type EnvelopeRow = Pick<Selectable<Schema['attachments']>, (typeof envelopeColumns)[number]>

export class SqlAttachments implements AttachmentStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async list(mailbox: MailboxId, message: MessageId): Promise<AttachmentEnvelope[]> {
    const rows = await this.#of(mailbox, message).orderBy('id').execute()
    return rows.map(envelopeOf)
  }

  async listWithContent(mailbox: MailboxId, message: MessageId): Promise<Attachment[]> {
    const rows = await this.#of(mailbox, message).select('content').orderBy('id').execute()
    return rows.map((row) => ({ ...envelopeOf(row), content: row.content }))
  }

  async find(mailbox: MailboxId, message: MessageId, id: AttachmentId): Promise<Attachment | undefined> {
    const row = await this.#of(mailbox, message).select('content').where('id', '=', id).executeTakeFirst()
    return row && { ...envelopeOf(row), content: row.content }
  }

  #of(mailbox: MailboxId, message: MessageId) {
    return this.#database.read
      .selectFrom('attachments')
      .select(envelopeColumns)
      .where('mailbox_id', '=', mailbox)
      .where('message_id', '=', message)
  }
}

export function insertAttachment(database: Database, attachment: Attachment): Statement {
  const query = database.read.insertInto('attachments').values({
    mailbox_id: attachment.mailbox,
    message_id: attachment.message,
    id: attachment.id,
    kind: attachment.kind,
    name: attachment.name,
    content_type: attachment.contentType,
    size_bytes: attachment.sizeBytes,
    is_inline: attachment.isInline ? 1 : 0,
    content_id: attachment.contentId,
    content_location: attachment.contentLocation,
    modified_at: attachment.modifiedAt,
    content: attachment.content,
  })
  return statementOf(query.compile())
}

export function deleteAttachment(
  database: Database,
  mailbox: MailboxId,
  message: MessageId,
  id: AttachmentId,
): Statement {
  const query = database.read
    .deleteFrom('attachments')
    .where('mailbox_id', '=', mailbox)
    .where('message_id', '=', message)
    .where('id', '=', id)
  return statementOf(query.compile(), { guarded: true })
}

/** Copies inside the database: the bytes do not travel through this process. */
export function copyAttachments(
  database: Database,
  from: { mailbox: MailboxId; message: MessageId },
  to: { mailbox: MailboxId; message: MessageId },
  only?: readonly AttachmentId[],
): Statement {
  const query = database.read.insertInto('attachments').expression((rows) =>
    rows
      .selectFrom('attachments')
      .select((column) => [
        column.val(to.mailbox).as('mailbox_id'),
        column.val(to.message).as('message_id'),
        'id',
        'kind',
        'name',
        'content_type',
        'size_bytes',
        'is_inline',
        'content_id',
        'content_location',
        'modified_at',
        'content',
      ])
      .where('mailbox_id', '=', from.mailbox)
      .where('message_id', '=', from.message)
      .$if(only !== undefined, (rows) => rows.where('id', 'in', only ?? [])),
  )
  return statementOf(query.compile())
}

function envelopeOf(row: EnvelopeRow): AttachmentEnvelope {
  return {
    mailbox: row.mailbox_id as MailboxId,
    message: row.message_id as MessageId,
    id: row.id as AttachmentId,
    kind: row.kind as AttachmentEnvelope['kind'],
    name: row.name,
    contentType: row.content_type,
    sizeBytes: row.size_bytes,
    isInline: row.is_inline === 1,
    contentId: row.content_id,
    contentLocation: row.content_location,
    modifiedAt: row.modified_at,
  }
}
