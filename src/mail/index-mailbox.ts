import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MailboxId, MessageId } from './ids.js'
import type { Mail } from './mail.js'
import type { SearchDocument } from './search.js'
import { maxMarkupLength, searchDocumentOf } from './search-document.js'
import type { IndexPlace } from './store.js'

/** What a mailbox's index reads and keeps; accepting a mail leaves it alone. */
export type Indexing = Pick<Mail, 'store'>

/** Messages of one step at most. */
export const maxBatch = 500
/** Words of one write to the index: up to 20 ms for the one writer that SQLite has. A single message may have more. */
const maxWords = 20_000
/** Messages that are read at once, so that nobody waits for long ones. */
const readAtOnce = 50
/** How long texts are cut into words until others have their turn, ms. */
const turnMs = 4
/** A look takes as long as so many messages, also one that finds none. */
const lookCosts = 50
/** Mailboxes of which it is known where the last look ended. */
const maxPlaces = 10_000
/** From so many new messages on they are looked for where the old ones are, the newest first. */
const maxNew = 1_000

export interface IndexBounds {
  /** Messages at most. */
  readonly messages: number
  /** Of the old mail, so much of the newest is looked through. */
  readonly lookedThrough: number
}

/**
 * Indexes messages of a mailbox that are not, until none is left or the bounds are reached: what was written since the
 * last look, and the rest of it the newest first, going on where the last look ended. May run several times at once, here
 * and in other processes, and be broken off anywhere.
 *
 * @returns whether nothing is left to be looked for
 */
export async function indexMailbox({ store }: Indexing, mailbox: MailboxId, bounds: IndexBounds): Promise<boolean> {
  const { places } = store.search
  let left = bounds.messages
  for (;;) {
    const known = places.get(mailbox)
    if ((await store.search.countUnindexed(mailbox)) <= 0) {
      if (known !== undefined) keep(places, mailbox, { ...known, received: 'end' })
      return true
    }
    if (left <= 0) return false
    const found = await look({ store }, mailbox, known, { ...bounds, messages: Math.min(left, maxBatch) })
    await indexMessages({ store }, mailbox, found.messages)
    keep(places, mailbox, found.place)
    if (found.isAll) return found.place.received === 'end'
    left -= Math.max(found.messages.length, lookCosts)
    await nextTurn()
  }
}

/** The place that was not looked at for the longest time gives way: its mailbox is looked through from the start then. */
function keep(places: Map<MailboxId, IndexPlace>, mailbox: MailboxId, place: IndexPlace): void {
  places.delete(mailbox)
  places.set(mailbox, place)
  const [oldest] = places.keys()
  if (places.size > maxPlaces && oldest !== undefined) places.delete(oldest)
}

/** What a look found. */
interface Found {
  readonly messages: readonly MessageId[]
  /** Where looking has come to once these are indexed. */
  readonly place: IndexPlace
  /** Within the bounds there is nothing else. */
  readonly isAll: boolean
}

async function look(
  { store }: Indexing,
  mailbox: MailboxId,
  known: IndexPlace | undefined,
  bounds: IndexBounds,
): Promise<Found> {
  // Read first: what is written after this has a larger number.
  const { complete, visible } = await store.changes.horizon()
  const start: IndexPlace = { commit: complete, received: 'start', lookedThrough: 0 }
  let place = known ?? start
  if (visible > place.commit) {
    const written = await store.search.listUnindexedSince(mailbox, place.commit, maxNew + 1)
    if (written.length > bounds.messages && written.length <= maxNew) {
      return { messages: written.slice(0, bounds.messages), place, isAll: false }
    }
    place = written.length > maxNew ? start : { ...place, commit: complete }
    if (place !== start && written.length > 0) return { messages: written, place, isAll: false }
  }
  const { received, lookedThrough } = place
  if (received === 'end' || lookedThrough >= bounds.lookedThrough) return { messages: [], place, isAll: true }
  const after = received === 'start' ? undefined : received
  const old = await store.search.listUnindexed(mailbox, after, bounds.messages)
  return {
    messages: old.messages,
    place: { ...place, received: old.last ?? 'end', lookedThrough: lookedThrough + old.lookedThrough },
    isAll: false,
  }
}

/** How often a message is read again that changed before the index had it. */
const maxTries = 5

async function indexMessages({ store }: Indexing, mailbox: MailboxId, messages: readonly MessageId[]): Promise<void> {
  let left = messages
  for (let tries = 0; tries < maxTries && left.length > 0; tries++) {
    const changed: MessageId[] = []
    for await (const documents of documentsOf({ store }, mailbox, left)) {
      changed.push(...(await store.search.put(mailbox, documents)))
    }
    left = changed
  }
}

/** What the index keeps of these messages, as much as one write takes at a time. */
async function* documentsOf({ store }: Indexing, mailbox: MailboxId, messages: readonly MessageId[]) {
  let documents: SearchDocument[] = []
  let words = 0
  let turnAt = performance.now() + turnMs
  for (let at = 0; at < messages.length; at += readAtOnce) {
    const some = messages.slice(at, at + readAtOnce)
    for (const { message, attachmentNames } of await store.search.readToIndex(mailbox, some, maxMarkupLength)) {
      const document = searchDocumentOf(message, attachmentNames)
      documents.push(document)
      for (const list of Object.values(document.words)) words += list.length
      if (words >= maxWords) {
        yield documents
        documents = []
        words = 0
      }
      if (performance.now() < turnAt) continue
      await nextTurn()
      turnAt = performance.now() + turnMs
    }
  }
  if (documents.length > 0) yield documents
}
