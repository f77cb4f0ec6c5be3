import type { MessageId } from '../mail/ids.js'
import { noFolder } from '../mail/mail-folder.js'
import type { MessageSearch, SearchCondition, SearchDocument, SearchField } from '../mail/search.js'
import { type Kysely, type RawBuilder, type SqlBool, sql } from './kysely.js'
import type { Schema } from './schema.js'
import {
  conditionSql,
  indexedColumns,
  indexWord,
  isIndexChange,
  type SearchEngine,
  split,
  type TextSyntax,
  type Write,
} from './search-engine.js'
import type { Statement } from './statement.js'

/**
 * The index in PostgreSQL: a `tsvector` of our own words with their places, and a GIN index. No text search configuration
 * has a say, so that both databases find the same.
 */
const syntax: TextSyntax = {
  phrase: (words, isPrefix) => {
    const lexemes = words.map((word) => `'${word}'`)
    return `(${lexemes.join(' <-> ')}${isPrefix ? ':*' : ''})`
  },
  and: ' & ',
  or: ' | ',
  andNot: ' & !',
}

export const postgresSearch: SearchEngine = {
  create: createIndex,
  put,
  find,
}

async function createIndex(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('search_documents')
    .addColumn('mailbox_id', 'bigint', (column) => column.notNull())
    .addColumn('message_id', 'bigint', (column) => column.notNull())
    .addColumn('sent_at', 'bigint', (column) => column.notNull())
    .addColumn('words', sql`tsvector`, (column) => column.notNull())
    .addPrimaryKeyConstraint('search_documents_key', ['mailbox_id', 'message_id'])
    .execute()
  await sql`create index search_documents_by_sent on search_documents (mailbox_id, sent_at, message_id)`.execute(db)
  // Beside the row while they are short: the planner does not count what reading them from elsewhere costs, and reads all.
  await sql`alter table search_documents alter column words set storage main`.execute(db)
  // What waits to be put in order is read through by every search; so it is kept short, in KB.
  await sql`
    create index search_documents_by_word on search_documents using gin (words)
    with (gin_pending_list_limit = 256)`.execute(db)
  await createTriggers(db)
}

/**
 * Locks are taken in one order, so that nothing waits in a circle: message, document, count. The index waits for a message
 * that is being changed while it holds no other; a change counts its document off only when it commits.
 */
async function createTriggers(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function search_documents_added() returns trigger language plpgsql as $$ begin
      insert into search_mailboxes (mailbox_id, indexed_count)
      select mailbox_id, count(*) from added group by mailbox_id order by mailbox_id
      on conflict (mailbox_id) do update
      set indexed_count = search_mailboxes.indexed_count + excluded.indexed_count;
      return null;
    end $$`.execute(db)
  await sql`
    create trigger search_documents_added after insert on search_documents
    referencing new table as added for each statement execute function search_documents_added()`.execute(db)
  await sql`
    create function search_documents_removed() returns trigger language plpgsql as $$ begin
      update search_mailboxes set indexed_count = indexed_count - 1 where mailbox_id = old.mailbox_id;
      return null;
    end $$`.execute(db)
  await sql`
    create constraint trigger search_documents_removed after delete on search_documents
    deferrable initially deferred for each row execute function search_documents_removed()`.execute(db)
  await sql`
    create function message_unindexed() returns trigger language plpgsql as $$ begin
      delete from search_documents where mailbox_id = old.mailbox_id and message_id = old.id;
      return null;
    end $$`.execute(db)
  await sql`
    create trigger messages_changed after update of ${sql.raw(indexedColumns.join(', '))} on messages
    for each row when (${sql.raw(isIndexChange('is distinct from'))}) execute function message_unindexed()`.execute(db)
  await sql`
    create trigger messages_deleted after delete on messages
    for each row execute function message_unindexed()`.execute(db)
}

/** The index can be made again from the mail: it need not be on disk before its mail is found. */
const withoutSync: Statement = { sql: 'set local synchronous_commit to off', parameters: [] }

/** One statement for all: its parameter is JSON. `locked`: what becomes of messages that another is changing. */
const insertDocuments = (locked: 'skip locked' | '') => `
  with given as (
    select * from json_to_recordset($1::json) as g (mailbox bigint, message bigint, change bigint, words text)
  ), unchanged as (
    select m.mailbox_id, m.id, m.sent_at, given.words
    from messages as m join given on m.mailbox_id = given.mailbox and m.id = given.message
    where m.change = given.change and m.folder_id <> ${noFolder}
    order by m.mailbox_id, m.id
    for share of m ${locked}
  )
  insert into search_documents (mailbox_id, message_id, sent_at, words)
  select mailbox_id, id, sent_at, words::tsvector from unchanged
  on conflict do nothing`

const insertUnlocked = insertDocuments('skip locked')
const insertWaiting = insertDocuments('')

/** Those that are there now, those another process has put there included. */
const selectDone = `
  select d.message_id
  from json_to_recordset($1::json) as g (mailbox bigint, message bigint)
  join search_documents as d on d.mailbox_id = g.mailbox and d.message_id = g.message`

/** A message that is just being delivered is locked for a moment; it is waited for, alone. */
async function put(write: Write, documents: readonly SearchDocument[]): Promise<void> {
  const given = JSON.stringify(documents.map(({ mailbox, message }) => ({ mailbox, message })))
  const rows = await write([
    withoutSync,
    { sql: insertUnlocked, parameters: [rowsOf(documents)] },
    { sql: selectDone, parameters: [given], returnsRows: true },
  ])
  const done = new Set((rows.get(2) as { message_id: number }[]).map(({ message_id }) => message_id))
  for (const document of documents) {
    if (done.has(document.message)) continue
    await write([withoutSync, { sql: insertWaiting, parameters: [rowsOf([document])] }])
  }
}

/** The parameter of the statement. */
function rowsOf(documents: readonly SearchDocument[]): string {
  const rows = documents.map((document) => ({
    mailbox: document.mailbox,
    message: document.message,
    change: document.change,
    words: vectorOf(document),
  }))
  return JSON.stringify(rows)
}

/** The text form of a tsvector: each word once with its places, `'7sreport':1,5`. Places count from 1 in each field. */
function vectorOf({ mailbox, words }: SearchDocument): string {
  const lexemes: string[] = []
  for (const [field, list] of Object.entries(words) as [SearchField, readonly string[]][]) {
    const places = new Map<string, number[]>()
    list.forEach((word, index) => {
      if (word === '') return
      const known = places.get(word)
      if (known === undefined) places.set(word, [index + 1])
      else known.push(index + 1)
    })
    for (const [word, at] of places) lexemes.push(`'${indexWord(mailbox, field, word)}':${at.join(',')}`)
  }
  return lexemes.join(' ')
}

/** The newest documents that are looked at before the index is asked, for each result wanted. */
const looksForEach = 4
const minLook = 100

/**
 * A common word is found among the newest documents, of which as many are read as a page may take; for a rarer one the
 * index lists all that have it. Which of the two it is, the planner's statistics do not say of words of our own.
 */
async function find(
  db: Kysely<Schema>,
  search: MessageSearch,
  where: RawBuilder<SqlBool> | undefined,
): Promise<MessageId[]> {
  const { mailbox, condition, after, top } = search
  const { text, rest } = split(syntax, mailbox, condition)
  const others = { rest, where }
  const place =
    after === undefined ? sql`` : sql`and (sent_at, message_id) < (${after.sentAt}::bigint, ${after.id}::bigint)`
  if (text === undefined) return found(db, search, others, sql`search_documents where mailbox_id = ${mailbox} ${place}`)
  const newest = sql`(
    select * from search_documents where mailbox_id = ${mailbox} ${place}
    order by sent_at desc, message_id desc limit ${Math.max(minLook, top * looksForEach)}
  ) as recent where words @@ ${text}::tsquery`
  const first = await found(db, search, others, newest)
  if (first.length === top) return first
  return found(db, search, others, sql`search_documents where words @@ ${text}::tsquery ${place}`)
}

/** The page's messages among these documents. */
async function found(
  db: Kysely<Schema>,
  { mailbox, folder, top }: MessageSearch,
  { rest, where }: { readonly rest: readonly SearchCondition[]; readonly where: RawBuilder<SqlBool> | undefined },
  documents: RawBuilder<unknown>,
): Promise<MessageId[]> {
  const match = (text: string) =>
    sql<SqlBool>`messages.id in (select message_id from search_documents where words @@ ${text}::tsquery)`
  const conditions = [
    sql<SqlBool>`messages.mailbox_id = ${mailbox}`,
    folder === undefined ? sql<SqlBool>`messages.folder_id <> 0` : sql<SqlBool>`messages.folder_id = ${folder}`,
    ...rest.map((condition) => conditionSql(syntax, mailbox, condition, match)),
  ]
  // In a query of its own: its names of columns stand alone.
  if (where !== undefined) {
    conditions.push(sql<SqlBool>`exists (
      select 1 from messages where messages.mailbox_id = ${mailbox} and messages.id = d.message_id and ${where})`)
  }
  const { rows } = await sql<{ id: MessageId }>`
    with d as materialized (select message_id, sent_at from ${documents})
    select d.message_id as id
    from d join messages on messages.mailbox_id = ${mailbox} and messages.id = d.message_id
    where ${sql.join(conditions, sql` and `)}
    order by d.sent_at desc, d.message_id desc
    limit ${top}`.execute(db)
  return rows.map(({ id }) => id)
}
