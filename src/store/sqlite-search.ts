import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MessageId } from '../mail/ids.js'
import { noFolder } from '../mail/mail-folder.js'
import type { MessageSearch, SearchCondition, SearchDocument, SearchField, SearchPlace } from '../mail/search.js'
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
import { type Span, spanOf } from './sqlite-search-span.js'

/**
 * The index in SQLite: FTS5, without a copy of the texts. Its rows are numbered in the order of results, by the moment of
 * sending and the message's id, so that a page of a common word reads the beginning of its postings and no more.
 *
 * Reading is synchronous; so a search goes through its candidates in slices, and lets others run in between.
 */

/** FTS5 takes a word for one whatever its letters, since the words are cut already: `ascii` parts at nothing else. */
const createWords = sql`
  create virtual table search_words using fts5(words, content = '', contentless_delete = 1, tokenize = 'ascii')`

/** Lists of words that are merged into one; SQLite's own 4 cost a fifth more time, and more of them each search. */
const automerge = 8

/** ms since 1970 in 42 bits and a sign, the years 1830 to 2109; what was sent before or after stands at the ends. */
const maxSentAt = 2 ** 42 - 1
/** Bits of the message's id below that. */
const idBits = 21

/** The number of a document by moment and id, in SQL and as text; a neighbour of it where that one is taken. */
const numberSql = `((min(max(sent_at, ${-maxSentAt}), ${maxSentAt}) << ${idBits}) | (messages.id & ${2 ** idBits - 1}))`

function numberOf({ sentAt, id }: SearchPlace): string {
  const moment = BigInt(Math.min(Math.max(sentAt, -maxSentAt), maxSentAt))
  return String((moment << BigInt(idBits)) | (BigInt(id) & BigInt(2 ** idBits - 1)))
}

const syntax: TextSyntax = {
  phrase: (words, isPrefix) => `"${words.join(' ')}"${isPrefix ? ' *' : ''}`,
  and: ' AND ',
  or: ' OR ',
  andNot: ' NOT ',
}

/** What stands for a gap: no word of the index is a number alone. */
const gapWord = '0'

export const sqliteSearch: SearchEngine = {
  create: createIndex,
  put,
  find,
}

async function createIndex(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('search_documents')
    .addColumn('doc', 'integer', (column) => column.primaryKey().notNull())
    .addColumn('mailbox_id', 'integer', (column) => column.notNull())
    .addColumn('message_id', 'integer', (column) => column.notNull())
    .execute()
  await sql`create unique index search_documents_by_message on search_documents (message_id)`.execute(db)
  await sql`create index search_documents_by_mailbox on search_documents (mailbox_id, doc)`.execute(db)
  await createWords.execute(db)
  await sql`insert into search_words (search_words, rank) values ('automerge', ${sql.lit(automerge)})`.execute(db)
  await sql`
    create trigger search_documents_added after insert on search_documents begin
      insert into search_mailboxes (mailbox_id, indexed_count) values (new.mailbox_id, 1)
      on conflict (mailbox_id) do update set indexed_count = indexed_count + 1;
    end`.execute(db)
  await sql`
    create trigger search_documents_removed after delete on search_documents begin
      delete from search_words where rowid = old.doc;
      update search_mailboxes set indexed_count = indexed_count - 1 where mailbox_id = old.mailbox_id;
    end`.execute(db)
  await sql`
    create trigger messages_changed after update of ${sql.raw(indexedColumns.join(', '))} on messages
    when ${sql.raw(isIndexChange('is not'))} begin
      delete from search_documents where message_id = old.id;
    end`.execute(db)
  await sql`
    create trigger messages_deleted after delete on messages begin
      delete from search_documents where message_id = old.id;
    end`.execute(db)
}

/** All documents whose numbers are free, in one statement: `{ message: change }`. */
const insertDocuments = `
  insert or ignore into search_documents (doc, mailbox_id, message_id)
  select ${numberSql}, mailbox_id, messages.id
  from json_each(?) as given cross join messages on messages.id = cast(given.key as integer)
  where mailbox_id = ? and change = given.value and folder_id <> ${noFolder}
    and not exists (select 1 from search_documents where message_id = messages.id)`

/** Those that are there now, those another search has put there included. */
const selectDone = `
  select message_id from json_each(?) as given
  cross join search_documents on message_id = cast(given.key as integer)`

/**
 * `{ message: words }`, with rising numbers: those go into one list of words in memory, for each falling one FTS5 writes
 * it out. In one statement, because it writes it out before each statement that could be undone alone.
 */
const insertWords = `
  insert into search_words (rowid, words)
  select doc, given.value
  from json_each(?) as given cross join search_documents on message_id = cast(given.key as integer)
  where not exists (select 1 from search_words where search_words.rowid = doc)
  order by doc`

/** A number that is taken, by another message of the same moment, gives way to the next that is free. */
const insertBeside = `
  insert into search_documents (doc, mailbox_id, message_id)
  select
    case when not exists (select 1 from search_documents where doc = ${numberSql}) then ${numberSql}
    else (
      select taken.doc + 1 from search_documents as taken
      where taken.doc >= ${numberSql}
        and not exists (select 1 from search_documents as following where following.doc = taken.doc + 1)
      order by taken.doc limit 1
    ) end,
    mailbox_id, messages.id
  from messages
  where messages.id = ? and mailbox_id = ? and change = ? and folder_id <> ${noFolder}
    and not exists (select 1 from search_documents where message_id = messages.id)`

/** Documents of one mailbox. */
async function put(write: Write, documents: readonly SearchDocument[]): Promise<void> {
  const [first] = documents
  if (first === undefined) return
  const changes = JSON.stringify(Object.fromEntries(documents.map(({ message, change }) => [message, change])))
  const rows = await write([
    { sql: insertDocuments, parameters: [changes, first.mailbox] },
    { sql: insertWords, parameters: [textsOf(documents)] },
    { sql: selectDone, parameters: [changes], returnsRows: true },
  ])
  const done = new Set((rows.get(2) as { message_id: number }[]).map(({ message_id }) => message_id))
  for (const document of documents) {
    if (done.has(document.message)) continue
    const { mailbox, message, change } = document
    await write([
      { sql: insertBeside, parameters: [message, mailbox, change] },
      { sql: insertWords, parameters: [textsOf([document])] },
    ])
  }
}

function textsOf(documents: readonly SearchDocument[]): string {
  return JSON.stringify(Object.fromEntries(documents.map((document) => [document.message, textOf(document)])))
}

function textOf({ mailbox, words }: SearchDocument): string {
  const all: string[] = []
  for (const [field, list] of Object.entries(words) as [SearchField, readonly string[]][]) {
    for (const word of list) all.push(word === '' ? gapWord : indexWord(mailbox, field, word))
  }
  return all.join(' ')
}

/** Candidates that are looked at before it is worth while to find out where those of a time lie. */
const spanAfter = 1_000

/** Candidates looked at in one turn of the event loop, at most: some 3 ms. */
const maxSlice = 1_000
const minSlice = 50

interface Candidate {
  readonly id: MessageId
  readonly doc: string
}

async function find(
  db: Kysely<Schema>,
  search: MessageSearch,
  where: RawBuilder<SqlBool> | undefined,
): Promise<MessageId[]> {
  const { text, rest } = split(syntax, search.mailbox, search.condition)
  const found: MessageId[] = []
  let before = search.after === undefined ? undefined : numberOf(search.after)
  let lookedAt = 0
  let span: Span | undefined
  // Without other conditions nearly every candidate is a result.
  let slice = Math.min(maxSlice, Math.max(minSlice, search.top))
  for (;;) {
    const candidates = await candidatesOf(db, search, text, before, slice)
    const [first] = candidates
    const last = candidates.at(-1)
    if (first === undefined || last === undefined) return found
    found.push(...(await accepted(db, search, { rest, where }, candidates, { first, last }, search.top - found.length)))
    if (found.length >= search.top || candidates.length < slice) return found
    before = last.doc
    slice = Math.min(maxSlice, slice * 2)
    await nextTurn()
    lookedAt += candidates.length
    if (lookedAt >= spanAfter && span === undefined) span = await spanOf(db, search.mailbox, rest)
    if (span === undefined) continue
    if (BigInt(before) <= span.first) return found
    if (BigInt(before) > span.last) before = String(span.last + 1n)
  }
}

/** The next documents in the order of results that have the words; numbers of 63 bits come as text. */
async function candidatesOf(
  db: Kysely<Schema>,
  { mailbox }: MessageSearch,
  text: string | undefined,
  before: string | undefined,
  limit: number,
): Promise<readonly Candidate[]> {
  const query =
    text === undefined
      ? sql<Candidate>`
          select message_id as id, cast(doc as text) as doc from search_documents
          where mailbox_id = ${mailbox} ${before === undefined ? sql`` : sql`and doc < cast(${before} as integer)`}
          order by search_documents.doc desc limit ${limit}`
      : sql<Candidate>`
          select d.message_id as id, cast(d.doc as text) as doc
          from (
            select rowid as doc from search_words
            where search_words match ${text} ${before === undefined ? sql`` : sql`and rowid < cast(${before} as integer)`}
            order by rowid desc limit ${limit}
          ) as w cross join search_documents as d on d.doc = w.doc
          order by w.doc desc`
  const { rows } = await query.execute(db)
  return rows
}

/** Those of the candidates that meet the other conditions, in the order of results. */
async function accepted(
  db: Kysely<Schema>,
  { mailbox, folder }: MessageSearch,
  { rest, where }: { readonly rest: readonly SearchCondition[]; readonly where: RawBuilder<SqlBool> | undefined },
  candidates: readonly Candidate[],
  { first, last }: { readonly first: Candidate; readonly last: Candidate },
  limit: number,
): Promise<MessageId[]> {
  const match = (text: string) => sql<SqlBool>`messages.id in (
    select d.message_id from search_words as w cross join search_documents as d on d.doc = w.rowid
    where w.search_words match ${text}
      and w.rowid between cast(${last.doc} as integer) and cast(${first.doc} as integer))`
  const conditions = rest.map((condition) => conditionSql(syntax, mailbox, condition, match))
  if (where !== undefined) conditions.push(where)
  const inFolder = folder === undefined ? sql`folder_id <> ${sql.lit(noFolder)}` : sql`folder_id = ${folder}`
  const { rows } = await sql<{ id: MessageId }>`
    select id from messages
    where id in (select value from json_each(${JSON.stringify(candidates.map(({ id }) => id))}))
      and +mailbox_id = ${mailbox} and +${inFolder} ${sql.join(
        conditions.map((condition) => sql`and ${condition}`),
        sql` `,
      )}`.execute(db)
  const ids = new Set(rows.map(({ id }) => id))
  return candidates.flatMap(({ id }) => (ids.has(id) ? [id] : [])).slice(0, limit)
}
