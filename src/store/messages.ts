import type { FolderId, MailboxId, MessageId } from '../mail/ids.js'
import { noFolder } from '../mail/mail-folder.js'
import type { Answer, Message, MessageEnvelope } from '../mail/message.js'
import type {
  ListedMessage,
  ListPosition,
  MessageCondition,
  MessageOrder,
  MessageOrderField,
  MessagePlace,
  MessageQuery,
  NamedMessage,
  NewestMessages,
} from '../mail/query.js'
import type { MessageName, MessageStore } from '../mail/store.js'
import { sqlOfCondition } from './condition.js'
import type { Database } from './database.js'
import { placesIn } from './folder-contents.js'
import {
  type CompiledQuery,
  type ExpressionBuilder,
  type OrderByModifiersCallbackExpression,
  type RawBuilder,
  type SqlBool,
  sql,
} from './kysely.js'
import { type ContentColumns, contentFrom } from './message-content.js'
import { findByInternetMessageId } from './message-ids.js'
import { type EnvelopeRow, envelopeColumns, envelopeOf } from './message-row.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

/** No message has it. */
const noMessage = -1

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
  /** Compiled once: every delivery asks. */
  readonly #mime: CompiledQuery<{ mime: Uint8Array }>

  constructor(database: Database) {
    this.#database = database
    this.#find = database.read
      .selectFrom('messages')
      .select(envelopeColumns)
      .select(['content', 'body'])
      .where('mailbox_id', '=', 0)
      .where('id', '=', 0)
      .compile()
    this.#mime = database.read
      .selectFrom('message_mime')
      .select('mime')
      .where('mailbox_id', '=', 0)
      .where('message_id', '=', 0)
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

  async places(mailbox: MailboxId, ids: readonly MessageId[]): Promise<MessagePlace[]> {
    if (ids.length === 0) return []
    const rows = await this.#database.read
      .selectFrom('messages')
      .select(['id', 'folder_id', 'moves'])
      .where(this.#database.dialect.messagesById(mailbox, ids))
      .where('folder_id', '!=', noFolder)
      .execute()
    return rows.map(({ id, folder_id, moves }) => ({ id: id as MessageId, folder: folder_id as FolderId, moves }))
  }

  async named({ message, internetMessageId }: MessageName, limit: number): Promise<MessageEnvelope[]> {
    const rows = await this.#database.read
      .selectFrom('messages')
      .select(envelopeColumns)
      .$if(message !== undefined, (query) => query.where('id', '=', message ?? noMessage))
      .$if(internetMessageId !== undefined, (query) => query.where('internet_message_id', '=', internetMessageId ?? ''))
      .orderBy('id')
      .limit(limit)
      .execute()
    return rows.map(envelopeOf)
  }

  async list(query: MessageQuery): Promise<ListedMessage[]> {
    const order = query.order.length === 0 ? [newestFirst] : query.order
    const keys = sortKeys(order)
    let select = this.#database.read
      .selectFrom('messages')
      .select(envelopeColumns)
      .select(keys.map(({ column }, index) => sql.ref(column).as(`key${index}`)))
      .$if(query.withContent, (rows) => rows.select(['content', 'body']))
      .where((where) => inFolder(where, query.mailbox, query.folder))
    if (query.where !== undefined) select = select.where(sqlOfCondition(query.where, this.#database.dialect))
    if (query.after !== undefined) select = select.where(afterPosition(keys, query.after))
    for (const { column, descending, nullable } of keys)
      select = select.orderBy(column, direction(descending, nullable))
    const rows = await select.limit(query.top).offset(query.skip).execute()
    return rows.map((row, index) => ({
      ...listedFrom(row),
      ...(index === query.top - 1 ? { position: positionOf(row, keys) } : {}),
    }))
  }

  placesIn(mailbox: MailboxId, folders: readonly FolderId[]): Promise<{ message: MessageId; folder: FolderId }[]> {
    return placesIn(this.#database, mailbox, folders)
  }

  /** Of all of a folder from its counts, which are exact, so that a large folder is not counted row by row. */
  async count(mailbox: MailboxId, folder?: FolderId, where?: MessageCondition): Promise<number> {
    if (where !== undefined) return this.#countWhere(mailbox, folder, where)
    const row = await this.#database.read
      .selectFrom('mail_folders')
      .select((select) => select.fn.sum<number | string | null>('total_item_count').as('total'))
      .where('mailbox_id', '=', mailbox)
      .$if(folder !== undefined, (query) => query.where('id', '=', folder ?? noFolder))
      .executeTakeFirst()
    return Number(row?.total ?? 0)
  }

  async #countWhere(mailbox: MailboxId, folder: FolderId | undefined, condition: MessageCondition): Promise<number> {
    const row = await this.#database.read
      .selectFrom('messages')
      .select((select) => select.fn.countAll<number | string>().as('count'))
      .where((where) => inFolder(where, mailbox, folder))
      .where(sqlOfCondition(condition, this.#database.dialect))
      .executeTakeFirst()
    return Number(row?.count ?? 0)
  }

  findByInternetMessageId(mailbox: MailboxId, ids: readonly string[], among: NewestMessages): Promise<NamedMessage[]> {
    return findByInternetMessageId(this.#database, mailbox, ids, among)
  }

  async mime(mailbox: MailboxId, id: MessageId): Promise<Uint8Array | undefined> {
    const { rows } = await this.#database.read.executeQuery<{ mime: Uint8Array }>({
      ...this.#mime,
      parameters: [mailbox, id],
    })
    return rows[0]?.mime
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
    .where(database.dialect.messagesById(mailbox, ids))
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
    .where(database.dialect.messagesById(mailbox, ids))
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

/** A column that rows are ordered by. */
interface SortKey {
  readonly column: keyof Schema['messages'] & string
  readonly descending: boolean
  readonly nullable: boolean
}

/** The columns of an order; the id, last, breaks every tie, in the direction of the field before it. */
function sortKeys(order: readonly MessageOrder[]): SortKey[] {
  const keys: SortKey[] = order.map(({ field, descending }) => {
    const { column, nullable = false } = orderColumns[field]
    return { column, nullable, descending }
  })
  return [...keys, { column: 'id', descending: keys[keys.length - 1]?.descending ?? true, nullable: false }]
}

function positionOf(row: Readonly<Record<string, unknown>>, keys: readonly SortKey[]): ListPosition {
  return keys.map((_, index) => row[`key${index}`] as ListPosition[number])
}

/** The rows after a place in the order, which an index of that order leads to without passing those before. */
function afterPosition(keys: readonly SortKey[], position: ListPosition): RawBuilder<SqlBool> {
  const values = keys.map((_, index) => position[index] ?? null)
  const [first] = keys
  if (keys.every(({ nullable, descending }) => !nullable && descending === first?.descending)) {
    const columns = keys.map(({ column }) => sql.ref(column))
    return sql`(${sql.join(columns)}) ${first?.descending ? sql`<` : sql`>`} (${sql.join(values)})`
  }
  // Equal in the first so many columns, and further in the next.
  const cases = keys.map((key, index) => {
    const equal = keys.slice(0, index).map((before, at) => isAt(before, values[at] ?? null))
    return sql`(${sql.join([...equal, isBeyond(key, values[index] ?? null)], sql` and `)})`
  })
  return sql`(${sql.join(cases, sql` or `)})`
}

function isAt({ column }: SortKey, value: string | number | null): RawBuilder<unknown> {
  return value === null ? sql`${sql.ref(column)} is null` : sql`${sql.ref(column)} = ${value}`
}

function isBeyond({ column, descending, nullable }: SortKey, value: string | number | null): RawBuilder<unknown> {
  // Missing values are the least.
  if (value === null) return descending ? sql`1 = 0` : sql`${sql.ref(column)} is not null`
  if (!descending) return sql`${sql.ref(column)} > ${value}`
  return nullable
    ? sql`(${sql.ref(column)} < ${value} or ${sql.ref(column)} is null)`
    : sql`${sql.ref(column)} < ${value}`
}

/** Missing text comes first in rising order on both databases; only said where a value can be missing, for the indexes' sake. */
function direction(descending: boolean, nullable: boolean): OrderByModifiersCallbackExpression {
  return (order) => {
    const directed = descending ? order.desc() : order.asc()
    if (!nullable) return directed
    return descending ? directed.nullsLast() : directed.nullsFirst()
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
    .set({
      last_verb: answer.verb,
      last_verb_at: at,
      modified_at: at,
      change,
      entered_number: sql<number>`coalesce(entered_number, commit_number)`,
      commit_number: database.dialect.commitNumber,
    })
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

/** Compiled once: every mail that was sent is given one. */
export function preparedBodyPreview(
  database: Database,
): (mailbox: MailboxId, message: MessageId, bodyPreview: string) => Statement {
  const { sql } = database.read
    .updateTable('messages')
    .set({ body_preview: '' })
    .where('mailbox_id', '=', 0)
    .where('id', '=', 0)
    .where('body_preview', 'is', null)
    .compile()
  return (mailbox, message, bodyPreview) => ({ sql, parameters: [bodyPreview, mailbox, message] })
}
