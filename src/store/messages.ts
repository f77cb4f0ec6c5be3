import {
  type CompiledQuery,
  type ExpressionBuilder,
  type OrderByModifiersCallbackExpression,
  type Selectable,
  sql,
  type Updateable,
} from 'kysely'
import type { FolderId, MailboxId, MessageId } from '../mail/ids.js'
import { noFolder } from '../mail/mail-folder.js'
import type { Answer, AnswerVerb, Importance, Message, MessageEnvelope } from '../mail/message.js'
import type { ListedMessage, MessageOrder, MessageOrderField, MessageQuery } from '../mail/query.js'
import type { MessageStore } from '../mail/store.js'
import type { Database } from './database.js'
import { type ContentColumns, contentColumns, contentFrom } from './message-content.js'
import type { Schema } from './schema.js'
import { preparedInsert, type Statement, statementOf } from './statement.js'

const envelopeColumns = [
  'mailbox_id',
  'id',
  'folder_id',
  'moves',
  'change',
  'created_at',
  'modified_at',
  'received_at',
  'sent_at',
  'is_read',
  'is_draft',
  'has_attachments',
  'importance',
  'subject',
  'internet_message_id',
  'conversation_id',
  'conversation_index',
  'size_bytes',
  'body_preview',
  'last_verb',
  'last_verb_at',
] as const

const columns = [...envelopeColumns, 'from_name', 'from_address', 'content', 'body'] as const

type EnvelopeRow = Pick<Selectable<Schema['messages']>, (typeof envelopeColumns)[number]>

/** 0, 1, 2, as the column orders them. */
const importances: readonly Importance[] = ['low', 'normal', 'high']

const orderColumns: Record<MessageOrderField, { column: keyof Schema['messages']; nullable?: true }> = {
  createdAt: { column: 'created_at' },
  fromAddress: { column: 'from_address', nullable: true },
  fromName: { column: 'from_name', nullable: true },
  hasAttachments: { column: 'has_attachments' },
  importance: { column: 'importance' },
  isDraft: { column: 'is_draft' },
  isRead: { column: 'is_read' },
  modifiedAt: { column: 'modified_at' },
  receivedAt: { column: 'received_at' },
  sentAt: { column: 'sent_at' },
  subject: { column: 'subject', nullable: true },
}

const newestFirst: MessageOrder = { field: 'receivedAt', descending: true }

export class SqlMessages implements MessageStore {
  readonly #database: Database
  /** Compiled once: most calls begin with it. */
  readonly #find: CompiledQuery<EnvelopeRow & ContentColumns>

  constructor(database: Database) {
    this.#database = database
    this.#find = database.read
      .selectFrom('messages')
      .select(envelopeColumns)
      .select(['content', 'body'])
      .where('mailbox_id', '=', 0)
      .where('id', '=', 0)
      .compile()
  }

  async find(mailbox: MailboxId, id: MessageId): Promise<Message | undefined> {
    const { rows } = await this.#database.read.executeQuery<EnvelopeRow & ContentColumns>({
      ...this.#find,
      parameters: [mailbox, id],
    })
    const [row] = rows
    return row && { ...envelopeOf(row), content: contentFrom(row) }
  }

  async list(query: MessageQuery): Promise<ListedMessage[]> {
    const order = query.order.length === 0 ? [newestFirst] : query.order
    const last = order[order.length - 1] ?? newestFirst
    let select = this.#database.read
      .selectFrom('messages')
      .select(envelopeColumns)
      .$if(query.withContent, (rows) => rows.select(['content', 'body']))
      .where((where) => inFolder(where, query.mailbox, query.folder))
    for (const { field, descending } of order) {
      const { column, nullable } = orderColumns[field]
      select = select.orderBy(column, direction(descending, nullable ?? false))
    }
    const rows = await select
      .orderBy('id', last.descending ? 'desc' : 'asc')
      .limit(query.top)
      .offset(query.skip)
      .execute()
    return rows.map(listedFrom)
  }

  /** From the folders' counts, which are exact, so that a large folder is not counted row by row. */
  async count(mailbox: MailboxId, folder?: FolderId): Promise<number> {
    const row = await this.#database.read
      .selectFrom('mail_folders')
      .select((select) => select.fn.sum<number | string | null>('total_item_count').as('total'))
      .where('mailbox_id', '=', mailbox)
      .$if(folder !== undefined, (query) => query.where('id', '=', folder ?? noFolder))
      .executeTakeFirst()
    return Number(row?.total ?? 0)
  }

  async mime(mailbox: MailboxId, id: MessageId): Promise<Uint8Array | undefined> {
    const row = await this.#database.read
      .selectFrom('message_mime')
      .select('mime')
      .where('mailbox_id', '=', mailbox)
      .where('message_id', '=', id)
      .executeTakeFirst()
    return row?.mime
  }
}

/** Messages by their ids, in that order; what is gone is left out. */
export async function messagesById(
  database: Database,
  mailbox: MailboxId,
  ids: readonly MessageId[],
  withContent: boolean,
): Promise<ListedMessage[]> {
  if (ids.length === 0) return []
  const rows = await database.read
    .selectFrom('messages')
    .select(envelopeColumns)
    .$if(withContent, (query) => query.select(['content', 'body']))
    .where('mailbox_id', '=', mailbox)
    .where('id', 'in', ids)
    .execute()
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => {
    const row = byId.get(id)
    return row === undefined ? [] : [listedFrom(row)]
  })
}

/** Messages of a mailbox that are in folders, with so many characters of their bodies; in no order. */
export async function messagesToIndex(
  database: Database,
  mailbox: MailboxId,
  ids: readonly MessageId[],
  maxBody: number,
): Promise<Message[]> {
  const rows = await database.read
    .selectFrom('messages')
    .select(envelopeColumns)
    .select(['content', sql<string>`substr(body, 1, ${sql.lit(maxBody)})`.as('body')])
    .where('mailbox_id', '=', mailbox)
    .where('id', 'in', ids)
    .where('folder_id', '!=', noFolder)
    .execute()
  return rows.map((row) => ({ ...envelopeOf(row), content: contentFrom(row) }))
}

function listedFrom({ content, body, ...row }: EnvelopeRow & Partial<ContentColumns>): ListedMessage {
  if (content === undefined || body === undefined) return envelopeOf(row)
  return { ...envelopeOf(row), content: contentFrom({ content, body }) }
}

function inFolder(where: ExpressionBuilder<Schema, 'messages'>, mailbox: MailboxId, folder: FolderId | undefined) {
  return where.and([
    where('mailbox_id', '=', mailbox),
    folder === undefined ? where('folder_id', '!=', noFolder) : where('folder_id', '=', folder),
  ])
}

/** Missing text comes first in rising order on both databases; only said where a value can be missing, for the indexes' sake. */
function direction(descending: boolean, nullable: boolean): OrderByModifiersCallbackExpression {
  return (order) => {
    const directed = descending ? order.desc() : order.asc()
    if (!nullable) return directed
    return descending ? directed.nullsLast() : directed.nullsFirst()
  }
}

/** Compiled once: the row of every accepted mail. */
export function preparedMessageInsert(database: Database): (message: Message) => Statement {
  const insert = preparedInsert(database.read, 'messages', columns)
  return (message) => insert(rowOf(message))
}

function rowOf(message: Message): Schema['messages'] {
  return {
    mailbox_id: message.mailbox,
    id: message.id,
    folder_id: message.folder,
    moves: message.moves,
    change: message.change,
    created_at: message.createdAt,
    modified_at: message.modifiedAt,
    received_at: message.receivedAt,
    sent_at: message.sentAt,
    is_read: message.isRead ? 1 : 0,
    is_draft: message.isDraft ? 1 : 0,
    has_attachments: message.hasAttachments ? 1 : 0,
    importance: importances.indexOf(message.importance),
    subject: message.subject,
    from_name: message.content.from?.name ?? null,
    from_address: message.content.from?.address ?? null,
    internet_message_id: message.internetMessageId,
    conversation_id: message.conversation.id,
    conversation_index: message.conversation.index,
    size_bytes: message.sizeBytes,
    body_preview: message.bodyPreview ?? null,
    last_verb: message.lastVerb?.verb ?? null,
    last_verb_at: message.lastVerb?.at ?? null,
    ...contentColumns(message.content),
  }
}

/** Compiled once: whatever changes a message, and sends a draft, writes its whole row. */
export function preparedMessageUpdate(database: Database): (message: Message, previousChange: number) => Statement {
  const changing = columns.filter((column) => column !== 'mailbox_id' && column !== 'id')
  const example = Object.fromEntries(changing.map((column) => [column, 0])) as unknown as Updateable<Schema['messages']>
  const { sql } = database.read
    .updateTable('messages')
    .set(example)
    .where('mailbox_id', '=', 0)
    .where('id', '=', 0)
    .where('change', '=', 0)
    .compile()
  return (message, previousChange) => {
    const row = rowOf(message)
    const parameters = changing.map((column) => row[column])
    return { sql, parameters: [...parameters, message.mailbox, message.id, previousChange], guarded: true }
  }
}

export function markAnswered(
  database: Database,
  mailbox: MailboxId,
  answer: Answer,
  at: number,
  change: number,
): Statement {
  const query = database.read
    .updateTable('messages')
    .set({ last_verb: answer.verb, last_verb_at: at, modified_at: at, change })
    .where('mailbox_id', '=', mailbox)
    .where('id', '=', answer.message)
  return statementOf(query.compile())
}

export function insertMime(database: Database, mailbox: MailboxId, message: MessageId, mime: Uint8Array): Statement {
  const query = database.read.insertInto('message_mime').values({ mailbox_id: mailbox, message_id: message, mime })
  return statementOf(query.compile())
}

/** Copies inside the database: the bytes do not travel through this process. */
export function copyMime(
  database: Database,
  from: { mailbox: MailboxId; message: MessageId },
  to: { mailbox: MailboxId; message: MessageId },
): Statement {
  const query = database.read.insertInto('message_mime').expression((rows) =>
    rows
      .selectFrom('message_mime')
      .select((column) => [column.val(to.mailbox).as('mailbox_id'), column.val(to.message).as('message_id'), 'mime'])
      .where('mailbox_id', '=', from.mailbox)
      .where('message_id', '=', from.message),
  )
  return statementOf(query.compile())
}

export function deleteMime(database: Database, mailbox: MailboxId, message: MessageId): Statement {
  const query = database.read
    .deleteFrom('message_mime')
    .where('mailbox_id', '=', mailbox)
    .where('message_id', '=', message)
  return statementOf(query.compile())
}

export function setBodyPreview(
  database: Database,
  mailbox: MailboxId,
  message: MessageId,
  bodyPreview: string,
): Statement {
  const query = database.read
    .updateTable('messages')
    .set({ body_preview: bodyPreview })
    .where('mailbox_id', '=', mailbox)
    .where('id', '=', message)
    .where('body_preview', 'is', null)
  return statementOf(query.compile())
}

function envelopeOf(row: EnvelopeRow): MessageEnvelope {
  return {
    mailbox: row.mailbox_id as MailboxId,
    id: row.id as MessageId,
    folder: row.folder_id as FolderId,
    moves: row.moves,
    change: row.change,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    receivedAt: row.received_at,
    sentAt: row.sent_at,
    isRead: row.is_read === 1,
    isDraft: row.is_draft === 1,
    hasAttachments: row.has_attachments === 1,
    importance: importances[row.importance] ?? 'normal',
    subject: row.subject,
    internetMessageId: row.internet_message_id,
    conversation: { id: row.conversation_id, index: row.conversation_index },
    sizeBytes: row.size_bytes,
    ...(row.body_preview === null ? {} : { bodyPreview: row.body_preview }),
    ...(row.last_verb === null ? {} : { lastVerb: { verb: row.last_verb as AnswerVerb, at: row.last_verb_at ?? 0 } }),
  }
}
