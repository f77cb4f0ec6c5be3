import type { FolderId, MessageId } from '../mail/ids.js'
import { noFolder } from '../mail/mail-folder.js'
import type {
  ChangePlace,
  ChangeScope,
  Changes,
  ChangesQuery,
  FolderChangesQuery,
  ListedMessage,
  ListingQuery,
} from '../mail/query.js'
import type { ChangeHorizon, ChangeStore } from '../mail/store.js'
import type { Database } from './database.js'
import { type ExpressionBuilder, sql } from './kysely.js'
import { contentFrom } from './message-content.js'
import { type EnvelopeRow, envelopeColumns, envelopeOf } from './message-row.js'
import type { Schema } from './schema.js'
import { statementOf } from './statement.js'

/** Removals forgotten in one write. */
const forgetBatch = 1_000

/** The place before everything of the commits after this one. */
const lastId = Number.MAX_SAFE_INTEGER

export class SqlChanges implements ChangeStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async horizon(): Promise<ChangeHorizon> {
    const { read, dialect } = this.#database
    const row = await read
      .selectFrom('sequences')
      .select([
        dialect.completeCommits.as('complete'),
        dialect.visibleCommits.as('visible'),
        'sequences.next as forgotten',
      ])
      .where('name', '=', 'forgotten')
      .executeTakeFirstOrThrow()
    return { complete: row.complete, visible: row.visible, forgotten: row.forgotten }
  }

  async listing(query: ListingQuery): Promise<ListedMessage[]> {
    const { after, top } = query
    let select = this.#database.read
      .selectFrom('messages')
      .select(envelopeColumns)
      .$if(query.withContent, (rows) => rows.select(['content', 'body']))
      .where((where) => inScope(where, query))
    if (after !== undefined) {
      select = select
        .where('received_at', '<=', after.receivedAt)
        .where((where) => where.or([where('received_at', '<', after.receivedAt), where('id', '<', after.id as number)]))
    }
    const rows = await select.orderBy('received_at', 'desc').orderBy('id', 'desc').limit(top).execute()
    return rows.map(listedOf)
  }

  async messages(query: ChangesQuery): Promise<Changes<ListedMessage>> {
    // What left is read first: what comes into the folder between the two is then found there.
    const removed = query.kinds.has('deleted') ? await this.#removals(query) : []
    const written = query.kinds.has('created') || query.kinds.has('updated') ? await this.#written(query) : []
    return inOrder([...removed, ...written], query.top)
  }

  async #written(query: ChangesQuery): Promise<Changes<ListedMessage>> {
    const { kinds, since, until, top } = query
    const { commit, id } = startAt(query.after, 'written')
    let select = this.#database.read
      .selectFrom('messages')
      .select(envelopeColumns)
      .select('commit_number')
      .$if(query.withContent, (rows) => rows.select(['content', 'body']))
      .where((where) => inScope(where, query))
      .where('commit_number', '>=', commit)
      .where('commit_number', '<=', until)
      .where((where) => where.or([where('commit_number', '>', commit), where('id', '>', id)]))
    const entered = sql<number>`coalesce(entered_number, commit_number)`
    if (!kinds.has('updated')) select = select.where(entered, '>', since)
    if (!kinds.has('created')) select = select.where(entered, '<=', since)
    const rows = await select.orderBy('commit_number').orderBy('id').limit(top).execute()
    return rows.map((row) => ({
      place: { commit: row.commit_number, kind: 'written', id: row.id },
      written: listedOf(row),
    }))
  }

  async #removals({ mailbox, folder, receivedFrom, after, until, top }: ChangesQuery): Promise<Changes<ListedMessage>> {
    const { commit, id } = startAt(after, 'removed')
    const rows = await this.#database.read
      .selectFrom('removals')
      .select(['id', 'folder_id', 'item_id', 'moves', 'commit_number'])
      .select((column) =>
        column
          .exists(
            column
              .selectFrom('messages')
              .select('messages.id')
              .whereRef('messages.mailbox_id', '=', 'removals.mailbox_id')
              .whereRef('messages.id', '=', 'removals.item_id')
              .where('messages.folder_id', folder === undefined ? '!=' : '=', folder ?? noFolder),
          )
          .as('is_back'),
      )
      .where('mailbox_id', '=', mailbox)
      .where('folder_id', folder === undefined ? '!=' : '=', folder ?? noFolder)
      .$if(receivedFrom !== undefined, (select) => select.where('received_at', '>=', receivedFrom ?? 0))
      .where('commit_number', '>=', commit)
      .where('commit_number', '<=', until)
      .where((where) => where.or([where('commit_number', '>', commit), where('id', '>', id)]))
      .orderBy('commit_number')
      .orderBy('id')
      .limit(top)
      .execute()
    return rows.map((row) => ({
      place: { commit: row.commit_number, kind: 'removed', id: row.id },
      removed: {
        item: row.item_id as MessageId,
        folder: row.folder_id as FolderId,
        moves: row.moves,
        isBack: Boolean(row.is_back),
      },
    }))
  }

  async folders({ mailbox, after, until, top }: FolderChangesQuery): Promise<Changes<FolderId>> {
    const left = startAt(after, 'removed')
    const removals = await this.#database.read
      .selectFrom('removals')
      .select(['id', 'item_id', 'commit_number'])
      .where('mailbox_id', '=', mailbox)
      .where('folder_id', '=', noFolder)
      .where('commit_number', '>=', left.commit)
      .where('commit_number', '<=', until)
      .where((where) => where.or([where('commit_number', '>', left.commit), where('id', '>', left.id)]))
      .orderBy('commit_number')
      .orderBy('id')
      .limit(top)
      .execute()
    const wrote = startAt(after, 'written')
    const rows = await this.#database.read
      .selectFrom('mail_folders')
      .select(['id', 'commit_number'])
      .where('mailbox_id', '=', mailbox)
      .where('commit_number', '>=', wrote.commit)
      .where('commit_number', '<=', until)
      .where((where) => where.or([where('commit_number', '>', wrote.commit), where('id', '>', wrote.id)]))
      .orderBy('commit_number')
      .orderBy('id')
      .limit(top)
      .execute()
    const removed: Changes<FolderId> = removals.map((row) => ({
      place: { commit: row.commit_number, kind: 'removed', id: row.id },
      removed: { item: row.item_id as FolderId, folder: noFolder, moves: 0, isBack: false },
    }))
    const written: Changes<FolderId> = rows.map((row) => ({
      place: { commit: row.commit_number, kind: 'written', id: row.id },
      written: row.id as FolderId,
    }))
    return inOrder([...removed, ...written], top)
  }

  async forget(before: number): Promise<number> {
    const { read } = this.#database
    for (let forgotten = 0; ; ) {
      // The oldest by their own number, which is nearly that of their time: what is out of order waits for its turn.
      const rows = await read
        .selectFrom('removals')
        .select(['id', 'commit_number', 'removed_at'])
        .orderBy('id')
        .limit(forgetBatch)
        .execute()
      const old = rows.filter((row) => row.removed_at < before)
      if (old.length === 0) return forgotten
      const last = Math.max(...old.map((row) => row.commit_number))
      await this.#database.write([
        statementOf(
          read
            .updateTable('sequences')
            .set({ next: last })
            .where('name', '=', 'forgotten')
            .where('next', '<', last)
            .compile(),
        ),
        statementOf(
          read
            .deleteFrom('removals')
            .where('id', '<=', Math.max(...old.map((row) => row.id)))
            .where('removed_at', '<', before)
            .compile(),
        ),
      ])
      forgotten += old.length
      if (old.length < forgetBatch) return forgotten
    }
  }
}

/** Where rows of one kind begin that come after a place: the first commit, and the id that is passed in it. */
function startAt(after: ChangePlace, kind: ChangePlace['kind']): { commit: number; id: number } {
  if (after.kind === kind) return { commit: after.commit, id: after.id }
  // Of one commit what left comes first: all of it is passed, or nothing yet of what was written.
  return { commit: after.commit, id: kind === 'removed' ? lastId : 0 }
}

function inOrder<Written>(changes: Changes<Written>, top: number): Changes<Written> {
  const rank = { removed: 0, written: 1 }
  return changes
    .sort(({ place: a }, { place: b }) => a.commit - b.commit || rank[a.kind] - rank[b.kind] || a.id - b.id)
    .slice(0, top)
}

function inScope(where: ExpressionBuilder<Schema, 'messages'>, { mailbox, folder, receivedFrom }: ChangeScope) {
  return where.and([
    where('mailbox_id', '=', mailbox),
    folder === undefined
      ? // By name, so that the index that begins with the folder serves.
        where(
          'folder_id',
          'in',
          where.selectFrom('mail_folders').select('id').where('mail_folders.mailbox_id', '=', mailbox),
        )
      : where('folder_id', '=', folder),
    ...(receivedFrom === undefined ? [] : [where('received_at', '>=', receivedFrom)]),
  ])
}

function listedOf(row: EnvelopeRow & { content?: string; body?: string }): ListedMessage {
  const { content, body } = row
  return content === undefined || body === undefined
    ? envelopeOf(row)
    : { ...envelopeOf(row), content: contentFrom({ content, body }) }
}
