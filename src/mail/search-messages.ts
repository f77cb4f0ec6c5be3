import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MailboxId, MessageId } from './ids.js'
import type { Mail } from './mail.js'
import type { ListedMessage } from './query.js'
import type { MessageSearch, SearchDocument } from './search.js'
import { maxMarkupLength, searchDocumentOf } from './search-document.js'
import type { ReceivedPlace } from './store.js'

/** What a mailbox's index reads and keeps; accepting a mail leaves it alone. */
type Indexing = Pick<Mail, 'store'>

/** Messages of one write to the index: some 5 ms for the one writer that SQLite has. */
const batch = 50
/** Messages that a search puts into the index before it looks, at most; the newest come first. */
const maxCaughtUp = 1_000
/** Messages that a search looks through for such, at most; all of them is the background's work. */
const maxLookedThrough = 20_000

/**
 * One page of the messages that meet the condition, newest sent first. What was accepted before the call is found: the
 * search indexes what is not indexed yet, as far as {@link maxCaughtUp}.
 *
 * @throws MailError storeUnavailable
 */
export async function searchMessages(mail: Indexing, search: MessageSearch): Promise<ListedMessage[]> {
  await indexMailbox(mail, search.mailbox, { messages: maxCaughtUp, lookedThrough: maxLookedThrough })
  return mail.store.search.list(search)
}

export interface IndexBounds {
  readonly messages: number
  readonly lookedThrough: number
  /** Waited for between two batches; false ends it. */
  readonly pause?: () => Promise<boolean>
}

/**
 * Indexes messages of a mailbox that are not, the newest first, until none is left or the bounds are reached. May run
 * several times at once, here and in other processes, and be broken off anywhere.
 */
export async function indexMailbox({ store }: Indexing, mailbox: MailboxId, bounds: IndexBounds): Promise<void> {
  let indexed = 0
  let lookedThrough = 0
  let after: ReceivedPlace | undefined
  while (indexed < bounds.messages && lookedThrough < bounds.lookedThrough) {
    if ((await store.search.countUnindexed(mailbox)) <= 0) return
    const found = await store.search.listUnindexed(mailbox, after, batch)
    await indexMessages({ store }, mailbox, found.messages)
    if (found.last === undefined) return
    after = found.last
    indexed += found.messages.length
    lookedThrough += found.lookedThrough
    if (bounds.pause !== undefined && !(await bounds.pause())) return
  }
}

/** How often a message is read again that changed before the index had it. */
const maxTries = 5

async function indexMessages({ store }: Indexing, mailbox: MailboxId, messages: readonly MessageId[]): Promise<void> {
  let left = messages
  for (let tries = 0; tries < maxTries && left.length > 0; tries++) {
    const documents: SearchDocument[] = []
    for (const { message, attachmentNames } of await store.search.readToIndex(mailbox, left, maxMarkupLength)) {
      documents.push(searchDocumentOf(message, attachmentNames))
      // Laying out a long body takes a while.
      await nextTurn()
    }
    left = await store.search.put(mailbox, documents)
  }
}
