/** A row of `messages`: what stands in it, how it is written whole, and the envelope that is read from it. */
import type { FolderId, MailboxId, MessageId } from '../mail/ids.js'
import type { AnswerVerb, Importance, Message, MessageEnvelope } from '../mail/message.js'
import type { Database } from './database.js'
import { type Selectable, sql, type Updateable } from './kysely.js'
import { contentColumns } from './message-content.js'
import type { Schema } from './schema.js'
import { insertText, type SqlValue, type Statement } from './statement.js'

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

/** 0, 1, 2, as the column orders them. */
const importances: readonly Importance[] = ['low', 'normal', 'high']

/** The others, and what they are of most mail in the moment it is accepted. */
const usualState = {
  moves: 0,
  is_read: 1,
  is_draft: 0,
  has_attachments: 0,
  importance: importances.indexOf('normal'),
  body_preview: null,
  last_verb: null,
  last_verb_at: null,
} as const satisfies Partial<Schema['messages']>
const stateColumns = Object.keys(usualState) as (keyof typeof usualState)[]

export type EnvelopeRow = Pick<Selectable<Schema['messages']>, (typeof envelopeColumns)[number]>

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
