import type { Kysely, RawBuilder } from 'kysely'
import type { MailboxId, MessageId } from '../mail/ids.js'
import type { Importance } from '../mail/message.js'
import type { MessageSearch, SearchCondition, SearchDocument, SearchField, WordsCondition } from '../mail/search.js'
import { type SqlBool, sql } from './kysely.js'
import type { Schema } from './schema.js'
import type { Statement } from './statement.js'

/**
 * The full-text index of one database. Its table `search_documents` has a row for each message that it holds as the
 * message is; a change of what it says, or its end, takes that row away (triggers), and so makes it one to be indexed.
 */
export interface SearchEngine {
  /** Makes tables and triggers. */
  create(db: Kysely<unknown>): Promise<void>
  /** Adds documents whose messages still are as they were read, and passes over those that are there. */
  put(write: Write, documents: readonly SearchDocument[]): Promise<void>
  /** The messages of a page, in its order. `where`: that of the search in SQL, of a row of `messages`. */
  find(db: Kysely<Schema>, search: MessageSearch, where: RawBuilder<SqlBool> | undefined): Promise<MessageId[]>
}

/** Commits the statements together, and answers with the rows they return. */
export type Write = (statements: readonly Statement[]) => Promise<ReadonlyMap<number, readonly unknown[]>>

/**
 * One letter for each field. A word of the index is mailbox number, letter, word: so the postings of a common word are
 * those of one mailbox, and a field is no other condition than a word is. Words have neither quotes nor operators.
 */
const fieldLetters: Record<SearchField, string> = {
  subject: 's',
  body: 'b',
  from: 'f',
  to: 't',
  cc: 'c',
  bcc: 'x',
  attachments: 'a',
}

export function indexWord(mailbox: MailboxId, field: SearchField, word: string): string {
  return `${mailbox}${fieldLetters[field]}${word}`
}

/** How an engine writes a query for its index. */
export interface TextSyntax {
  /** Words in a row, as {@link indexWord} makes them. */
  readonly phrase: (words: readonly string[], isPrefix: boolean) => string
  readonly and: string
  readonly or: string
  readonly andNot: string
}

/** A condition as far as the index answers it, and what is left of it. */
export interface Split {
  readonly text: string | undefined
  readonly rest: readonly SearchCondition[]
}

/** What must be true at once, as one query for the index, where there is a word to look for, and the rest. */
export function split(syntax: TextSyntax, mailbox: MailboxId, condition: SearchCondition): Split {
  const operands = condition.kind === 'and' ? condition.operands : [condition]
  const wanted: string[] = []
  const unwanted: { readonly condition: SearchCondition; readonly text: string }[] = []
  const rest: SearchCondition[] = []
  for (const operand of operands) {
    const text = textOf(syntax, mailbox, operand)
    const negated = operand.kind === 'not' ? textOf(syntax, mailbox, operand.operand) : undefined
    if (text !== undefined) wanted.push(text)
    else if (negated !== undefined) unwanted.push({ condition: operand, text: negated })
    else rest.push(operand)
  }
  // An index finds what has a word, not what has none.
  if (wanted.length === 0) return { text: undefined, rest: operands }
  const all = `(${wanted.join(syntax.and)})`
  const none = unwanted.map(({ text }) => text).join(syntax.or)
  return { text: unwanted.length === 0 ? all : `(${all}${syntax.andNot}(${none}))`, rest }
}

/** The whole condition as a query for the index; undefined where that cannot say it. */
function textOf(syntax: TextSyntax, mailbox: MailboxId, condition: SearchCondition): string | undefined {
  if (condition.kind === 'words') return wordsText(syntax, mailbox, condition)
  if (condition.kind === 'or') {
    const texts = condition.operands.map((operand) => textOf(syntax, mailbox, operand))
    return texts.length === 0 || texts.includes(undefined) ? undefined : `(${texts.join(syntax.or)})`
  }
  if (condition.kind !== 'and' || condition.operands.length === 0) return undefined
  const { text, rest } = split(syntax, mailbox, condition)
  return rest.length === 0 ? text : undefined
}

function wordsText({ phrase, or }: TextSyntax, mailbox: MailboxId, { fields, words, isPrefix }: WordsCondition) {
  const phrases = fields.map((field) =>
    phrase(
      words.map((word) => indexWord(mailbox, field, word)),
      isPrefix,
    ),
  )
  return `(${phrases.join(or)})`
}

/** 0, 1, 2, as the column has them. */
const importances: Record<Importance, number> = { low: 0, normal: 1, high: 2 }

/** A condition on the row of a message; `match` says how its words are looked up. */
export function conditionSql(
  syntax: TextSyntax,
  mailbox: MailboxId,
  condition: SearchCondition,
  match: (text: string) => RawBuilder<SqlBool>,
): RawBuilder<SqlBool> {
  const of = (operand: SearchCondition) => conditionSql(syntax, mailbox, operand, match)
  switch (condition.kind) {
    case 'words':
      return match(wordsText(syntax, mailbox, condition))
    case 'not':
      return sql<SqlBool>`not (${of(condition.operand)})`
    case 'or': {
      const text = textOf(syntax, mailbox, condition)
      if (text !== undefined) return match(text)
      return condition.operands.length === 0
        ? never
        : sql<SqlBool>`(${sql.join(condition.operands.map(of), sql` or `)})`
    }
    case 'and': {
      const { text, rest } = split(syntax, mailbox, condition)
      const all = [...(text === undefined ? [] : [match(text)]), ...rest.map(of)]
      return all.length === 0 ? always : sql<SqlBool>`(${sql.join(all, sql` and `)})`
    }
    case 'sentAt':
      return within('sent_at', condition)
    case 'receivedAt':
      return within('received_at', condition)
    case 'sizeBytes':
      return within('size_bytes', condition)
    case 'hasAttachments':
      return sql<SqlBool>`messages.has_attachments = ${condition.value ? 1 : 0}`
    case 'importance':
      return sql<SqlBool>`messages.importance = ${importances[condition.value]}`
  }
}

const always = sql<SqlBool>`1 = 1`
const never = sql<SqlBool>`1 = 0`

function within(
  column: 'sent_at' | 'received_at' | 'size_bytes',
  { from, until }: { readonly from?: number | undefined; readonly until?: number | undefined },
): RawBuilder<SqlBool> {
  const named = sql.ref(`messages.${column}`)
  const bounds = [
    ...(from === undefined ? [] : [sql<SqlBool>`${named} >= ${from}`]),
    ...(until === undefined ? [] : [sql<SqlBool>`${named} < ${until}`]),
  ]
  return bounds.length === 0 ? always : sql<SqlBool>`(${sql.join(bounds, sql` and `)})`
}

/** What of a message's row, when it changes, may change what the index says of it. Its reading and its moving do not. */
export const indexedColumns = [
  'folder_id',
  'change',
  'sent_at',
  'subject',
  'content',
  'body',
  'size_bytes',
  'has_attachments',
] as const

/**
 * When an update of a message takes it out of the index; `differs`: how the database compares what may be null. A change
 * that shows in no column, as that of an empty attachment, is one that neither moves, reads nor answers the message.
 */
export function isIndexChange(differs: string): string {
  const texts = ['sent_at', 'subject', 'content', 'body', 'size_bytes', 'has_attachments']
  const changed = texts.map((column) => `new.${column} ${differs} old.${column}`).join(' or ')
  const apart = ['moves', 'is_read', 'last_verb_at'].map((column) => `not (new.${column} ${differs} old.${column})`)
  return `new.folder_id = 0 or ${changed} or (new.change <> old.change and ${apart.join(' and ')})`
}
