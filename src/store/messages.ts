import type { FolderId, MailboxId, MessageId } from '../mail/ids.js'
import { noFolder } from '../mail/mail-folder.js'
import type { Answer, AnswerVerb, Importance, Message, MessageEnvelope } from '../mail/message.js'
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
  type Selectable,
  type SqlBool,
  sql,
  type Updateable,
} from './kysely.js'
import { type ContentColumns, contentColumns, contentFrom } from './message-content.js'
import { findByInternetMessageId } from './message-ids.js'
import type { Schema } from './schema.js'
import { insertText, type SqlValue, type Statement, statementOf } from './statement.js'

/** No message has it. */
const noMessage = -1

export const envelopeColumns = [
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

/** The columns of a row that differ from mail to mail. */
const ownColumns = [
  'mailbox_id',
  'id',
  'folder_id',
  'change',
  'created_at',
  'modified_at',
  'received_at',
  'sent_at',
  'subject',
  'internet_message_id',
  'conversation_id',
  'conversation_index',
  'size_bytes',
  'from_name',
  'from_address',
  'content',
  'body',
] as const

/** The others, and what they are of most mail in the moment it is accepted. */
const usualState = {
  moves: 0,
  is_read: 1,
  is_draft: 0,
  has_attachments: 0,
  importance: 1,
  body_preview: null,
  last_verb: null,
  last_verb_at: null,
} as const satisfies Partial<Schema['messages']>
const stateColumns = Object.keys(usualState) as (keyof typeof usualState)[]

export type EnvelopeRow = Pick<Selectable<Schema['messages']>, (typeof envelopeColumns)[number]>

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

/** Compiled once: the row of every accepted mail. */
export function preparedMessageInsert(database: Database): (message: Message) => Statement {
  const computed = { commit_number: database.dialect.commitNumber }
  const whole = insertText(database.read, 'messages', [...ownColumns, ...stateColumns], computed)
  // To hand a number to the writer's thread and to bind it there costs about half of what it costs to keep it.
  const literals = Object.fromEntries(stateColumns.map((column) => [column, sql.lit(usualState[column])]))
  const usual = insertText(database.read, 'messages', ownColumns, { ...literals, ...computed })
  return (message) =>
    isInUsualState(message)
      ? { sql: usual, parameters: ownValues(message) }
      : { sql: whole, parameters: [...ownValues(message), ...stateValues(message)] }
}

function isInUsualState(message: Message): boolean {
  const { moves, isRead, isDraft, hasAttachments, importance, bodyPreview, lastVerb } = message
  const isSent = moves === 0 && isRead && !isDraft
  return isSent && !hasAttachments && importance === 'normal' && bodyPreview === undefined && lastVerb === undefined
}

/** A list with the value of each column. */
type ValuesOf<Columns extends readonly (keyof Schema['messages'])[]> = {
  -readonly [Place in keyof Columns]: Schema['messages'][Columns[Place]]
}

/** The values of {@link ownColumns}, in their order: a list, because an object would only be read back into one. */
function ownValues(message: Message): SqlValue[] {
  const { content, conversation } = message
  const { from } = content
  const kept = contentColumns(content)
  const values: ValuesOf<typeof ownColumns> = [
    message.mailbox,
    message.id,
    message.folder,
    message.change,
    message.createdAt,
    message.modifiedAt,
    message.receivedAt,
    message.sentAt,
    message.subject,
    message.internetMessageId,
    conversation.id,
    conversation.index,
    message.sizeBytes,
    from?.name ?? null,
    from?.address ?? null,
    kept.content,
    kept.body,
  ]
  return values
}

/** The values of {@link stateColumns}, in their order. */
function stateValues(message: Message): SqlValue[] {
  const state: Record<keyof typeof usualState, SqlValue> = {
    moves: message.moves,
    is_read: message.isRead ? 1 : 0,
    is_draft: message.isDraft ? 1 : 0,
    has_attachments: message.hasAttachments ? 1 : 0,
    importance: importances.indexOf(message.importance),
    body_preview: message.bodyPreview ?? null,
    last_verb: message.lastVerb?.verb ?? null,
    last_verb_at: message.lastVerb?.at ?? null,
  }
  return stateColumns.map((column) => state[column])
}

/** Compiled once: whatever changes a message, and sends a draft, writes its whole row. */
export function preparedMessageUpdate(database: Database): (message: Message, previousChange: number) => Statement {
  const [, , ...own] = ownColumns
  const changing = [...own, ...stateColumns]
  const example = Object.fromEntries(changing.map((column) => [column, 0])) as unknown as Updateable<Schema['messages']>
  const compiled = database.read
    .updateTable('messages')
    .set({
      ...example,
      // One that was moved has come into its folder with this very commit.
      entered_number: sql<number | null>`case when moves = ${0} then coalesce(entered_number, commit_number) end`,
      commit_number: database.dialect.commitNumber,
    })
    .where('mailbox_id', '=', 0)
    .where('id', '=', 0)
    .where('change', '=', 0)
    .compile()
  return (message, previousChange) => {
    // Its key is first.
    const changed = [...ownValues(message).slice(2), ...stateValues(message)]
    const parameters = [...changed, message.moves, message.mailbox, message.id, previousChange]
    return { sql: compiled.sql, parameters, guarded: true }
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

export function envelopeOf(row: EnvelopeRow): MessageEnvelope {
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
