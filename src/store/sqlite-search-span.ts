import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MailboxId } from '../mail/ids.js'
import type { SearchCondition } from '../mail/search.js'
import { type Kysely, sql } from './kysely.js'
import type { Schema } from './schema.js'

/** Numbers of documents, both inclusive. */
export interface Span {
  readonly first: bigint
  readonly last: bigint
}

/** Nothing is left out. */
const everything: Span = { first: -(2n ** 63n), last: 2n ** 63n - 2n }
/** Above all numbers: nothing lies there. */
const nothing: Span = { first: everything.last, last: everything.last }

/** Messages looked at in one turn of the event loop: some 10 ms. */
const maxSlice = 10_000
/** Of more messages it is not found out where they lie. */
const maxSlices = 20

/**
 * Between which documents all lie that were received in the time asked for. Documents are numbered by when they were sent,
 * which is about the same; so a search for mail of an old month need not go through all that has its words since.
 */
export async function spanOf(
  db: Kysely<Schema>,
  mailbox: MailboxId,
  conditions: readonly SearchCondition[],
): Promise<Span> {
  const ranges = conditions.flatMap((one) => (one.kind === 'receivedAt' ? [one] : []))
  if (ranges.length === 0) return everything
  const from = Math.max(...ranges.map((range) => range.from ?? Number.MIN_SAFE_INTEGER))
  const until = Math.min(...ranges.map((range) => range.until ?? Number.MAX_SAFE_INTEGER))
  let span = nothing
  let place = { received_at: until, id: Number.MIN_SAFE_INTEGER }
  for (let slices = 0; slices < maxSlices; slices++) {
    const received = sql`
      select id, received_at from messages
      where mailbox_id = ${mailbox} and received_at >= ${from}
        and (received_at, id) < (${place.received_at}, ${place.id})
      order by received_at desc, id desc`
    const found = await sql<{ first: string | null; last: string | null }>`
      select cast(min(doc) as text) as first, cast(max(doc) as text) as last
      from (${received} limit ${maxSlice}) as received
      cross join search_documents on search_documents.message_id = received.id`.execute(db)
    span = widened(span, found.rows[0])
    const end = await sql<typeof place>`${received} limit 1 offset ${maxSlice - 1}`.execute(db)
    const [last] = end.rows
    if (last === undefined) return span
    place = last
    await nextTurn()
  }
  return everything
}

function widened(span: Span, found: { first: string | null; last: string | null } | undefined): Span {
  if (found?.first == null || found.last == null) return span
  const [first, last] = [BigInt(found.first), BigInt(found.last)]
  if (span === nothing) return { first, last }
  return { first: first < span.first ? first : span.first, last: last > span.last ? last : span.last }
}
