import { FolderTree } from './folder-tree.js'
import type { FolderId, MailboxId } from './ids.js'
import type { MailFolder } from './mail-folder.js'
import type { ChangeKind, ChangePlace, ChangeScope, Changes, ListedMessage, Removal } from './query.js'
import type { MailStore } from './store.js'

/**
 * Rounds of changes (decision 19). The first shows everything there is, each one after it what has changed since the one
 * before began; a round has as many pages as its reader's page size makes of it. Nothing is kept between two pages: where
 * a round stands is a {@link DeltaPosition}, which the reader brings along.
 */
export type DeltaPosition = Listing | Round | Waiting

/** In the first round. */
interface Listing {
  readonly step: 'listing'
  /** The commit behind which the next round begins. */
  readonly next: number
  /** The last item of the page before; absent: this is the first page. */
  readonly after?: { readonly receivedAt: number; readonly id: number }
  /** Items shown so far. */
  readonly seen: number
}

/** In a later round. */
interface Round {
  readonly step: 'changes'
  /** The commit behind which it began. */
  readonly since: number
  /** The commit behind which the next round begins. */
  readonly next: number
  /** The last commit that is part of it. */
  readonly until: number
  readonly after: ChangePlace
}

/** Between rounds: the next one begins behind this commit. */
interface Waiting {
  readonly step: 'waiting'
  readonly since: number
}

export type DeltaItem<Written> = { readonly written: Written } | { readonly removed: Removal }

/** One page, and where the round stands after it. */
export interface DeltaPage<Written> {
  readonly items: readonly DeltaItem<Written>[]
  readonly position: DeltaPosition
}

/** What a position stood on is known no more: its reader has to begin anew. Numbers of commits. */
export interface SyncStateGone {
  readonly gone: { readonly generation: number; readonly highest: number }
}

export interface MessageDeltaQuery extends ChangeScope {
  readonly kinds: ReadonlySet<ChangeKind>
  readonly withContent: boolean
}

/** Messages that a first round with a condition shows at most (documented). */
const maxTracked = 5_000

/** How long what has left a folder is known, ms: who has not asked for longer begins anew. */
const keepRemovalsMs = 30 * 24 * 3_600_000

/** Forgets what has left folders long ago; resolves with how many. */
export function forgetRemovals(store: Pick<MailStore, 'changes'>, now: number): Promise<number> {
  return store.changes.forget(now - keepRemovalsMs)
}

/** The next page of at most `top` messages that changed; without a position the first. `latest` passes the first round over. */
export function messageDelta(
  { changes }: Pick<MailStore, 'changes'>,
  query: MessageDeltaQuery,
  position: DeltaPosition | 'latest' | undefined,
  top: number,
): Promise<DeltaPage<ListedMessage> | SyncStateGone> {
  return nextPage(changes, position, top, {
    list: async ({ after, seen }, limit) => {
      // In the first round everything is new.
      if (!query.kinds.has('created')) return []
      const tracked = query.receivedFrom === undefined ? limit : Math.min(limit, maxTracked - seen)
      return changes.listing({ ...query, ...(after === undefined ? {} : { after }), top: tracked })
    },
    keyOf: ({ receivedAt, id }) => ({ receivedAt, id }),
    changes: (round, limit) => changes.messages({ ...query, ...round, top: limit }),
  })
}

/** The same of the mailbox's folders that are not hidden, with the tree that they stand in. */
export async function folderDelta(
  { changes, folders }: Pick<MailStore, 'changes' | 'folders'>,
  mailbox: MailboxId,
  position: DeltaPosition | 'latest' | undefined,
  top: number,
): Promise<(DeltaPage<MailFolder> & { readonly tree: FolderTree }) | SyncStateGone> {
  const readTree = async () => new FolderTree(await folders.list(mailbox))
  const page = await nextPage<FolderId>(changes, position, top, {
    list: async ({ after }, limit) => {
      const shown = (await readTree()).all().filter(({ isHidden, id }) => !isHidden && id > (after?.id ?? 0))
      return shown
        .map(({ id }) => id)
        .sort((a, b) => a - b)
        .slice(0, limit)
    },
    keyOf: (id) => ({ receivedAt: 0, id }),
    changes: ({ after, until }, limit) => changes.folders({ mailbox, after, until, top: limit }),
  })
  if ('gone' in page) return page
  // Read after the changes: what it shows is at least as new.
  const tree = await readTree()
  return { items: page.items.flatMap((item) => shownFolder(tree, item)), position: page.position, tree }
}

/** A folder that has gone since it was written will be found among what left. */
function shownFolder(tree: FolderTree, item: DeltaItem<FolderId>): DeltaItem<MailFolder>[] {
  if ('removed' in item) return [item]
  const folder = tree.all().find(({ id }) => id === item.written)
  return folder === undefined || folder.isHidden ? [] : [{ written: folder }]
}

/** Where one kind of item comes from. */
interface Source<Written> {
  readonly list: (at: Listing, limit: number) => Promise<readonly Written[]>
  readonly keyOf: (item: Written) => { receivedAt: number; id: number }
  readonly changes: (round: Round, limit: number) => Promise<Changes<Written>>
}

async function nextPage<Written>(
  changes: MailStore['changes'],
  position: DeltaPosition | 'latest' | undefined,
  top: number,
  source: Source<Written>,
): Promise<DeltaPage<Written> | SyncStateGone> {
  // Read first: what is committed between this and the rows is read too, and once more in the next round.
  const { complete, visible } = await changes.horizon()
  if (position === 'latest') return { items: [], position: { step: 'waiting', since: complete } }
  const page =
    position === undefined || position.step === 'listing'
      ? await listed(position ?? { step: 'listing', next: complete, seen: 0 }, top, source)
      : await changed(position.step === 'changes' ? position : roundAfter(position, complete, visible), top, source)
  const generation = reached(position)
  // Read last: nothing may have been forgotten before the rows were read.
  const { forgotten } = await changes.horizon()
  return generation === undefined || (generation >= forgotten && generation <= visible)
    ? page
    : { gone: { generation, highest: visible } }
}

/** The commit up to which the reader knows everything; undefined: it knows nothing yet. */
function reached(position: DeltaPosition | undefined): number | undefined {
  if (position === undefined) return undefined
  if (position.step === 'waiting') return position.since
  return position.step === 'listing' ? position.next : position.after.commit
}

function roundAfter({ since }: Waiting, complete: number, visible: number): Round {
  const after: ChangePlace = { commit: since, kind: 'written', id: Number.MAX_SAFE_INTEGER }
  return { step: 'changes', since, next: complete, until: visible, after }
}

async function listed<Written>(at: Listing, top: number, source: Source<Written>): Promise<DeltaPage<Written>> {
  const found = await source.list(at, top + 1)
  const page = found.slice(0, top)
  const last = page.at(-1)
  const items = page.map((written) => ({ written }))
  if (found.length <= top || last === undefined) return { items, position: { step: 'waiting', since: at.next } }
  return { items, position: { ...at, after: source.keyOf(last), seen: at.seen + page.length } }
}

async function changed<Written>(round: Round, top: number, source: Source<Written>): Promise<DeltaPage<Written>> {
  const found = await source.changes(round, top + 1)
  const page = found.slice(0, top)
  const last = page.at(-1)
  if (found.length <= top || last === undefined) {
    return { items: page, position: { step: 'waiting', since: Math.max(round.since, round.next) } }
  }
  return { items: page, position: { ...round, after: last.place } }
}
