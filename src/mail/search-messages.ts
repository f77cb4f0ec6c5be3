import { type Indexing, indexMailbox } from './index-mailbox.js'
import type { ListedMessage } from './query.js'
import type { MessageSearch } from './search.js'

/** Messages that a search puts into the index before it looks, at most; the newest come first. */
const maxCaughtUp = 1_000
/** The newest of the mail that was there before; the rest of it is the background's work. */
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
