/**
 * `$skiptoken` of a list: where the page before it ended, so that a page deep in a mailbox is found like the first. It is
 * not signed: who makes one up begins a page at another place of a list that is theirs. What it holds is checked, since
 * it goes to the database, and it fits only the list it was made for.
 */
import { createHash } from 'node:crypto'
import type { ListPosition, MessageOrder, MessageOrderField } from '../mail/query.js'
import { badRequest, type GraphError } from './errors.js'

/** The list a token is of: everything that decides which messages it has, and in what order. */
export interface TokenList {
  readonly mailbox: string
  readonly folder: number | undefined
  readonly filter: string | undefined
  readonly order: readonly MessageOrder[]
}

/** Longer ones would make links that servers on the way refuse; `$skip` alone then leads on. */
const maxLength = 2_000

/** Fields whose place is a text, or null where it is missing. */
const textFields: ReadonlySet<MessageOrderField> = new Set(['fromAddress', 'fromName', 'subject'])

/** The token for what follows `position`, after `skip` messages; undefined when it would be too long. */
export function presentSkipToken(list: TokenList, skip: number, position: ListPosition): string | undefined {
  const token = Buffer.from(JSON.stringify([digestOf(list), skip, ...position])).toString('base64url')
  return token.length > maxLength ? undefined : token
}

/**
 * The place that a token leads to; undefined when the caller has since changed `$skip`, which then counts from the start.
 *
 * @throws GraphError BadRequest for one that is malformed or of another list
 */
export function readSkipToken(token: string, list: TokenList, skip: number | undefined): ListPosition | undefined {
  const [digest, skipped, ...position] = parsedToken(token)
  if (digest !== digestOf(list) || typeof skipped !== 'number' || !isPosition(position, list.order))
    throw invalidToken()
  return skip === undefined || skip === skipped ? position : undefined
}

function parsedToken(token: string): unknown[] {
  if (token.length > maxLength || !/^[\w-]+$/.test(token)) throw invalidToken()
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    if (Array.isArray(value)) return value
  } catch {}
  throw invalidToken()
}

function isPosition(position: readonly unknown[], order: readonly MessageOrder[]): position is ListPosition {
  const fields: readonly MessageOrderField[] = order.length === 0 ? ['receivedAt'] : order.map(({ field }) => field)
  if (position.length !== fields.length + 1) return false
  return position.every((value, index) => {
    const field = fields[index]
    if (field === undefined || !textFields.has(field)) return Number.isSafeInteger(value)
    return value === null || (typeof value === 'string' && !value.includes('\0'))
  })
}

function digestOf({ mailbox, folder, filter, order }: TokenList): string {
  const list = JSON.stringify([
    mailbox,
    folder ?? null,
    filter ?? null,
    order.map((item) => [item.field, item.descending]),
  ])
  return createHash('sha256').update(list).digest('base64url').slice(0, 12)
}

function invalidToken(): GraphError {
  return badRequest(
    "The value for OData query '$skiptoken' is not valid.",
    'A $skiptoken is taken as it stands in @odata.nextLink, with the same $filter and $orderby.',
  )
}
