import type { CompiledQuery, Selectable } from 'kysely'
import type { Attachment, AttachmentEnvelope, LargeAttachment } from '../mail/attachment.js'
import type { BlobStore } from '../mail/blobs.js'
import type { AttachmentId, MailboxId, MessageId } from '../mail/ids.js'
import type { AttachmentStore } from '../mail/store.js'
import type { Database } from './database.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

const ownColumns = [
  'id',
  'kind',
  'name',
  'content_type',
  'size_bytes',
  'is_inline',
  'content_id',
  'content_location',
  'modified_at',
  'blob',
] as const satisfies readonly (keyof Schema['attachments'])[]

const envelopeColumns = ['mailbox_id', 'message_id', ...ownColumns] as const

/** What a copy of an attachment has of the one it was made from, wherever it is copied. */
export const copiedAttachmentColumns = [...ownColumns, 'content'] as const

type EnvelopeRow = Pick<Selectable<Schema['attachments']>, (typeof envelopeColumns)[number]>
type ContentColumn = Pick<Selectable<Schema['attachments']>, 'content'>

export class SqlAttachments implements AttachmentStore {
  readonly #database: Database
  readonly #blobs: BlobStore
  /** Compiled once: every delivery asks. */
  readonly #withContent: CompiledQuery<EnvelopeRow & ContentColumn>

  constructor(database: Database, blobs: BlobStore) {
    this.#database = database
    this.#blobs = blobs
    this.#withContent = this.#of(0 as MailboxId, 0 as MessageId)
      .select('content')
      .orderBy('id')
      .compile()
  }

  async list(mailbox: MailboxId, message: MessageId): Promise<AttachmentEnvelope[]> {
    const rows = await this.#of(mailbox, message).orderBy('id').execute()
    return rows.map(envelopeOf)
  }

  async listWithContent(mailbox: MailboxId, message: MessageId): Promise<Attachment[]> {
    const { rows } = await this.#database.read.executeQuery<EnvelopeRow & ContentColumn>({
      ...this.#withContent,
      parameters: [mailbox, message],
    })
    const attachments: Attachment[] = []
    for (const row of rows) attachments.push({ ...envelopeOf(row), content: await this.#contentOf(row) })
    return attachments
  }

  async find(mailbox: MailboxId, message: MessageId, id: AttachmentId): Promise<Attachment | undefined> {
    const row = await this.#of(mailbox, message).select('content').where('id', '=', id).executeTakeFirst()
    return row && { ...envelopeOf(row), content: await this.#contentOf(row) }
  }

  async findEnvelope(
    mailbox: MailboxId,
    message: MessageId,
    id: AttachmentId,
  ): Promise<AttachmentEnvelope | undefined> {
    const row = await this.#of(mailbox, message).where('id', '=', id).executeTakeFirst()
    return row && envelopeOf(row)
  }

  async namedBlobs(keys: readonly string[]): Promise<Set<string>> {
    if (keys.length === 0) return new Set()
    const { read } = this.#database
    const attached = await read.selectFrom('attachments').select('blob').where('blob', 'in', keys).execute()
    const uploading = await read.selectFrom('upload_sessions').select('blob').where('blob', 'in', keys).execute()
    return new Set([...attached, ...uploading].flatMap(({ blob }) => (blob === null ? [] : [blob])))
  }

  /** A blob is read whole: only for those who need all of it at once, such as the rendering of a mail. */
  async #contentOf({ content, blob }: ContentColumn & Pick<EnvelopeRow, 'blob'>): Promise<Uint8Array> {
    if (content !== null) return content
    return blob === null ? new Uint8Array() : this.#blobs.read(blob)
  }

  #of(mailbox: MailboxId, message: MessageId) {
    return this.#database.read
      .selectFrom('attachments')
      .select(envelopeColumns)
      .where('mailbox_id', '=', mailbox)
      .where('message_id', '=', message)
  }
}

export function insertAttachment(database: Database, attachment: Attachment | LargeAttachment): Statement {
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
    content: 'content' in attachment ? attachment.content : null,
    blob: attachment.blob ?? null,
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
  const query = database.read
    .insertInto('attachments')
    .columns(['mailbox_id', 'message_id', ...copiedAttachmentColumns])
    .expression((rows) =>
      rows
        .selectFrom('attachments')
        .select((column) => [
          column.val(to.mailbox).as('mailbox_id'),
          column.val(to.message).as('message_id'),
          ...copiedAttachmentColumns,
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
    ...(row.blob === null ? {} : { blob: row.blob }),
  }
}
