import type { MailboxId, MessageId } from '../mail/ids.js'
import { noFolder } from '../mail/mail-folder.js'
import type { ListedMessage } from '../mail/query.js'
import type { MessageSearch, SearchDocument } from '../mail/search.js'
import type { IndexPlace, ReceivedPlace, SearchStore, Unindexed } from '../mail/store.js'
import { sqlOfCondition } from './condition.js'
import type { Database } from './database.js'
import { sql } from './kysely.js'
import { messagesById, messagesToIndex } from './messages.js'

/** Rows of a mailbox that one look for messages to index goes through, at most. */
const maxLook = 5_000

/**
 * Search in SQL. Which messages are not in the index is not written down anywhere: the folders' counts are exact, so is
 * the count of what is indexed, and where they differ the newest messages are looked through until those are found.
 */
export class SqlSearch implements SearchStore {
  readonly places = new Map<MailboxId, IndexPlace>()
  readonly #database: Database
  readonly #written: Set<MailboxId>

  /** @param written mailboxes that messages were written to */
  constructor(database: Database, written: Set<MailboxId>) {
    this.#database = database
    this.#written = written
  }

  async list(search: MessageSearch): Promise<ListedMessage[]> {
    const { read, dialect } = this.#database
    const where = search.where && sqlOfCondition(search.where, dialect)
    const ids = await dialect.search.find(read, search, where)
    return messagesById(this.#database, search.mailbox, ids, search.withContent)
  }

  async countUnindexed(mailbox: MailboxId): Promise<number> {
    const { rows } = await sql<{ missing: number }>`
      select cast(
        coalesce((select sum(total_item_count) from mail_folders where mailbox_id = ${mailbox}), 0)
        - coalesce((select indexed_count from search_mailboxes where mailbox_id = ${mailbox}), 0)
      as bigint) as missing`.execute(this.#database.read)
    return Number(rows[0]?.missing ?? 0)
  }

  async countAllUnindexed(): Promise<number> {
    const { rows } = await sql<{ missing: number }>`
      select cast(
        coalesce((select sum(total_item_count) from mail_folders), 0)
        - coalesce((select sum(indexed_count) from search_mailboxes), 0)
      as bigint) as missing`.execute(this.#database.read)
    return Number(rows[0]?.missing ?? 0)
  }

  async listUnindexedSince(mailbox: MailboxId, commit: number, limit: number): Promise<MessageId[]> {
    // By the names of the folders, so that the index that begins with them serves.
    const { rows } = await sql<{ id: MessageId }>`
      select id from messages
      where mailbox_id = ${mailbox} and commit_number > ${commit}
        and folder_id in (select f.id from mail_folders as f where f.mailbox_id = ${mailbox})
        and not exists (
          select 1 from search_documents as d where d.mailbox_id = ${mailbox} and d.message_id = messages.id
        )
      limit ${limit}`.execute(this.#database.read)
    return rows.map(({ id }) => id)
  }

  async listUnindexed(mailbox: MailboxId, after: ReceivedPlace | undefined, limit: number): Promise<Unindexed> {
    const recent = sql`
      select id, received_at from messages
      where mailbox_id = ${mailbox}
        ${after === undefined ? sql`` : sql`and (received_at, id) < (${after.receivedAt}, ${after.id})`}
      order by received_at desc, id desc`
    const { rows } = await sql<{ id: MessageId; received_at: number }>`
      select id, received_at from (${recent} limit ${maxLook}) as recent
      where not exists (select 1 from search_documents as d where d.mailbox_id = ${mailbox} and d.message_id = recent.id)
        and exists (
          select 1 from messages as m
          where m.mailbox_id = ${mailbox} and m.id = recent.id and m.folder_id <> ${sql.lit(noFolder)}
        )
      order by received_at desc, id desc limit ${limit}`.execute(this.#database.read)
    const messages = rows.map(({ id }) => id)
    const last = rows.at(-1)
    if (rows.length === limit && last !== undefined) {
      return { messages, lookedThrough: limit, last: { receivedAt: last.received_at, id: last.id } }
    }
    const end = await sql<{ id: MessageId; received_at: number }>`
      ${recent} limit 1 offset ${maxLook - 1}`.execute(this.#database.read)
    const [place] = end.rows
    if (place === undefined) return { messages, lookedThrough: maxLook }
    return { messages, lookedThrough: maxLook, last: { receivedAt: place.received_at, id: place.id } }
  }

  async readToIndex(mailbox: MailboxId, messages: readonly MessageId[], maxBody: number) {
    if (messages.length === 0) return []
    const names = new Map<number, string[]>()
    const attachments = await this.#database.read
      .selectFrom('attachments')
      .select(['message_id', 'name'])
      .where('mailbox_id', '=', mailbox)
      .where('message_id', 'in', this.#database.dialect.numbers(messages))
      .orderBy('id')
      .execute()
    for (const { message_id, name } of attachments) names.set(message_id, [...(names.get(message_id) ?? []), name])
    const found = await messagesToIndex(this.#database, mailbox, messages, maxBody)
    return found.map((message) => ({ message, attachmentNames: names.get(message.id) ?? [] }))
  }

  async put(mailbox: MailboxId, documents: readonly SearchDocument[]): Promise<MessageId[]> {
    if (documents.length === 0) return []
    const { dialect, read } = this.#database
    await dialect.search.put((statements) => this.#database.write(statements), documents)
    const given = documents.map(({ message }) => message)
    const { rows } = await sql<{ id: MessageId }>`
      select id from messages
      where ${dialect.messagesById(mailbox, given)} and not exists (
        select 1 from search_documents as d where d.mailbox_id = ${mailbox} and d.message_id = messages.id
      )`.execute(read)
    return rows.map(({ id }) => id)
  }

  async listBehind(): Promise<MailboxId[]> {
    const { rows } = await sql<{ mailbox_id: MailboxId }>`
      select f.mailbox_id
      from mail_folders as f left join search_mailboxes as s on s.mailbox_id = f.mailbox_id
      group by f.mailbox_id, s.indexed_count
      having sum(f.total_item_count) > coalesce(s.indexed_count, 0)`.execute(this.#database.read)
    return rows.map(({ mailbox_id }) => mailbox_id)
  }

  takeWritten(): MailboxId[] {
    const written = [...this.#written]
    this.#written.clear()
    return written
  }
}
