/**
 * A batch as its envelope says it, and the order in which its items are served: each as soon as those that it depends on
 * are done. What serving one means is not known here.
 */
import type { MailboxId } from '../mail/ids.js'
import { badRequest, type GraphError } from './errors.js'
import { quotable } from './resources/values.js'

/** Items of one batch at most, as documented. */
const maxItems = 20

/** Calls of one batch that are served at once in one mailbox: what the service lets one application do there. */
const atOnceInMailbox = 4

/** One call of a batch, as it was written. */
export interface BatchItem {
  readonly id: string
  /** In upper case. */
  readonly method: string
  /** Below the version; with or without a slash before it. */
  readonly url: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON, or base64 of anything else; undefined: none. */
  readonly body: unknown
  /** Ids of earlier items, in lower case. */
  readonly dependsOn: readonly string[]
}

/** What became of one call, as the answer to the batch shows it. */
export interface BatchResponse {
  readonly id: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON, or base64 of anything else. */
  readonly body?: unknown
}

/**
 * The items of a batch.
 *
 * @throws GraphError 400, for the batch as a whole
 */
export function readBatch(json: unknown): BatchItem[] {
  const requests = isObject(json) ? json.requests : undefined
  if (!Array.isArray(requests)) throw malformed('The body must be an object with the list `requests`.')
  if (requests.length === 0) throw malformed('`requests` is empty.')
  if (requests.length > maxItems) throw badRequest('Number of requests inside batch exceed the limit.')
  const seen = new Set<string>()
  return requests.map((request, index) => {
    const item = readItem(request, `requests/${index}`)
    const key = item.id.toLowerCase()
    if (seen.has(key)) throw badRequest(`Request Id ${quotable(item.id)} has to be unique in a batch.`)
    if (item.dependsOn.some((id) => !seen.has(id))) {
      throw badRequest(
        `Invalid dependency for request Id ${quotable(item.id)}.`,
        '`dependsOn` names ids of items that stand earlier in the batch.',
      )
    }
    seen.add(key)
    return item
  })
}

const methods: ReadonlySet<string> = new Set(['GET', 'POST', 'PATCH', 'PUT', 'DELETE'])

function readItem(request: unknown, at: string): BatchItem {
  if (!isObject(request)) throw malformed(`${at} is no object.`)
  const { id, method, url, body } = request
  if (typeof id !== 'string' || id === '') throw malformed(`${at} has no id.`)
  const upper = typeof method === 'string' ? method.toUpperCase() : ''
  if (!methods.has(upper)) throw malformed(`${at} has no method, or one that batches do not take.`)
  if (typeof url !== 'string' || url === '') throw malformed(`${at} has no url.`)
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(url) || /\p{Cc}/u.test(url)) {
    throw malformed(`The url of ${at} is not relative to the version, as in /me/messages.`)
  }
  const headers = readHeaders(request.headers, at)
  // Clients write the empty body of an action as an empty text.
  const hasBody = body !== undefined && body !== null && body !== ''
  if (hasBody && headers['content-type'] === undefined) {
    throw badRequest(`Write request id : ${quotable(id)} does not contain Content-Type header or body.`)
  }
  return {
    id,
    method: upper,
    url,
    headers,
    body: body ?? undefined,
    dependsOn: readDependencies(request.dependsOn, at),
  }
}

function readHeaders(value: unknown, at: string): Record<string, string> {
  if (value === undefined || value === null) return {}
  if (!isObject(value)) throw malformed(`The headers of ${at} are no object.`)
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => {
      if (typeof text !== 'string') throw malformed(`The header ${quotable(name)} of ${at} is no text.`)
      return [name.toLowerCase(), text]
    }),
  )
}

function readDependencies(value: unknown, at: string): string[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw malformed(`dependsOn of ${at} is no list.`)
  return value.map((id) => {
    if (typeof id !== 'string') throw malformed(`dependsOn of ${at} holds something else than ids.`)
    return id.toLowerCase()
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(reason: string): GraphError {
  return badRequest('Invalid batch payload format.', reason)
}

/** Serves one item; never fails. `failed`: the item it depended on that did, in which case there is nothing to serve. */
type ServeItem<Served> = (item: BatchItem, failed: string | undefined) => Promise<Served>

/** Serves every item, each after those it depends on; answers in the order in which they were done, as recorded. */
export async function serveInOrder<Served extends Pick<BatchResponse, 'id' | 'status'>>(
  items: readonly BatchItem[],
  serve: ServeItem<Served>,
): Promise<Served[]> {
  const done: Served[] = []
  const underWay = new Map<string, Promise<Served>>()
  const run = async (item: BatchItem): Promise<Served> => {
    const before = await Promise.all(item.dependsOn.map((id) => underWay.get(id)))
    const response = await serve(item, before.find((each) => each !== undefined && each.status >= 400)?.id)
    done.push(response)
    return response
  }
  for (const item of items) underWay.set(item.id.toLowerCase(), run(item))
  await Promise.all(underWay.values())
  return done
}

/** Lets a few calls at a time into each mailbox, first come, first served. */
export class Turns {
  readonly #atOnce: number
  readonly #mailboxes = new Map<MailboxId, { running: number; readonly waiting: (() => void)[] }>()

  constructor(atOnce = atOnceInMailbox) {
    this.#atOnce = atOnce
  }

  /** Does it when it is its turn. */
  async take<Result>(mailbox: MailboxId, action: () => Promise<Result>): Promise<Result> {
    const queue = this.#mailboxes.get(mailbox) ?? { running: 0, waiting: [] }
    this.#mailboxes.set(mailbox, queue)
    // Who is called on takes the place of the one that left: the count stays.
    if (queue.running >= this.#atOnce) await new Promise<void>((resolve) => queue.waiting.push(resolve))
    else queue.running++
    try {
      return await action()
    } finally {
      const next = queue.waiting.shift()
      if (next === undefined) queue.running--
      else next()
    }
  }
}
