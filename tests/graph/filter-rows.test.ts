/** Any filter, in any order that goes with it, leaves the messages that a plain evaluation leaves, page by page. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseFilter } from '../../src/odata/filter.js'
import { type Client, startServer } from '../support/start-server.js'
import { anyFilter, anyFilteredMessage, color, palette, size } from './any-filter.js'
import { matches, pathsOf, type Shown } from './filter-evaluation.js'

/** How many filters; a failure prints the seed and path that repeat it. */
const runs = Number(process.env.GRAPHPOST_PROPERTY_RUNS ?? 120)
const mailboxSize = 250

const expanded = `singleValueExtendedProperties($filter=id eq '${color}' or id eq '${size}'),multiValueExtendedProperties($filter=id eq '${palette}')`

/** The mailbox as it is shown, oldest first. */
async function filledMailbox(client: Client, clock: { at: number }): Promise<Shown[]> {
  const given = fc.sample(anyFilteredMessage, { numRuns: mailboxSize, seed: 7 })
  const ids: string[] = []
  for (const { folder, pause, draft } of given) {
    const { status, json, text } = await client.post(`/me/mailFolders/${folder}/messages`, draft)
    assert.equal(status, 201, text)
    ids.push(json.id)
    clock.at += pause * 1_000
  }
  const { json } = await client.get(`/me/messages?$top=1000&$expand=${encodeURIComponent(expanded)}`)
  const byId = new Map<string, Shown>(json.value.map((message: { id: string }) => [message.id, message]))
  return ids.map((id) => byId.get(id) ?? {})
}

/** What lists can be ordered by, as the store orders: by code point, nothing before something. */
const orderKeys: Readonly<Record<string, (message: Shown) => string | number | null>> = {
  subject: ({ subject }) => subject as string | null,
  'from/emailAddress/address': ({ from }) =>
    (from as { emailAddress: { address: string } } | undefined)?.emailAddress.address ?? null,
  receivedDateTime: ({ receivedDateTime }) => Date.parse(receivedDateTime as string),
  isRead: ({ isRead }) => Number(isRead),
  importance: ({ importance }) => ['low', 'normal', 'high'].indexOf(importance as string),
}

function compareKeys(a: string | number | null, b: string | number | null): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null)
  return typeof a === 'number' ? a - Number(b) : Buffer.compare(Buffer.from(a), Buffer.from(String(b)))
}

/** As many of the filter's first properties as `count` and as can be ordered by. */
function orderFor(paths: readonly string[], count: number, descending: boolean): string[] {
  const distinct = [...new Set(paths)].slice(0, count)
  const end = distinct.findIndex((path) => orderKeys[path] === undefined)
  return (end === -1 ? distinct : distinct.slice(0, end)).map(
    (path, index) => `${path}${descending === (index === 0) ? ' desc' : ''}`,
  )
}

function sorted(messages: readonly Shown[], all: readonly Shown[], order: readonly string[]): Shown[] {
  const keys = order.length === 0 ? ['receivedDateTime desc'] : order
  const last = keys[keys.length - 1]?.endsWith(' desc') ? -1 : 1
  return [...messages].sort((a, b) => {
    for (const key of keys) {
      const of = orderKeys[key.replace(' desc', '')]
      const by = of === undefined ? 0 : compareKeys(of(a), of(b))
      if (by !== 0) return key.endsWith(' desc') ? -by : by
    }
    return last * (all.indexOf(a) - all.indexOf(b))
  })
}

async function idsOf(client: Client, path: string): Promise<{ ids: string[]; count: number }> {
  const ids: string[] = []
  let count = 0
  for (let next: string | undefined = path; next !== undefined; ) {
    const { status, json, text } = await client.get(next)
    assert.equal(status, 200, text)
    for (const { id } of json.value) ids.push(id)
    count = json['@odata.count']
    const link: string | undefined = json['@odata.nextLink']
    next = link?.slice(new URL(link).origin.length)
  }
  return { ids, count }
}

test('any filter leaves what a plain evaluation leaves, in order, page by page, and counts it', async (t) => {
  // It stands still on whole seconds: moments are compared to the millisecond and shown to the second.
  const clock = { at: Math.floor(Date.now() / 1_000) * 1_000, now: () => clock.at }
  const server = await startServer(t, {}, { clock })
  const adele = await server.user('adele@contoso.com')
  const all = await filledMailbox(adele, clock)
  const [oldest, newest] = [all[0], all[all.length - 1]].map((message) =>
    Date.parse(message?.receivedDateTime as string),
  )
  const between = Array.from(
    { length: 6 },
    (_, step) => (oldest ?? 0) + Math.round((((newest ?? 0) - (oldest ?? 0)) * step) / 5_000) * 1_000,
  )
  const moments = between.map((at) => new Date(at).toISOString().replace('.000', ''))
  await fc.assert(
    fc.asyncProperty(
      anyFilter(moments),
      fc.nat(3),
      fc.boolean(),
      fc.constantFrom(40, 250, 1000),
      async (filter, orders, descending, top) => {
        const tree = parseFilter(filter)
        const order = orderFor(pathsOf(tree), orders, descending)
        const expected = sorted(
          all.filter((message) => matches(tree, message)),
          all,
          order,
        )
        const by = order.length === 0 ? '' : `&$orderby=${order.join(',')}`
        const path = `/me/messages?$select=id&$count=true&$top=${top}${by}&$filter=${encodeURIComponent(filter)}`
        const { ids, count } = await idsOf(adele, path)
        assert.deepEqual(
          ids,
          expected.map(({ id }) => id),
          `${filter} ${by}`,
        )
        assert.equal(count, expected.length)
      },
    ),
    { numRuns: runs, interruptAfterTimeLimit: 600_000 },
  )
})
