/** L2, L3: what is asked of a mailbox of a million messages costs no more than twice what it costs in one of a thousand. */
import type { BarName } from './bars.js'
import { newDataFolder, removeFolder, type Section, startServer, waitUntilQuiet } from './bench.js'
import { getRequest } from './mail-request.js'
import { rareWord } from './mailbox-words.js'
import { runScript } from './processes.js'
import { measureRounds, type Target } from './rounds.js'
import { connectionTable, cpuRow, rateRow, whole } from './table.js'
import { untilIndexed } from './until-indexed.js'

const connections = [1]
const fewMessages = 1_000
const messages = '/v1.0/me/messages'

interface Question {
  readonly bar: BarName
  readonly name: string
  readonly query: string
}

const yearMs = 365 * 86_400_000

/** A quarter in the middle of the ten years over which the messages are spread. */
function inTheMiddle(now: number): string {
  const from = new Date(now - 5 * yearMs).toISOString()
  const to = new Date(now - 5 * yearMs + yearMs / 4).toISOString()
  return `receivedDateTime ge ${from} and receivedDateTime lt ${to}`
}

function questions(now: number): Question[] {
  const asked = (bar: BarName, name: string, query: Record<string, string>): Question => ({
    bar,
    name,
    query: new URLSearchParams({ $top: '10', ...query }).toString(),
  })
  return [
    asked('listFirst', 'newest 10', {}),
    asked('filterByDate', 'a quarter, five years ago', {
      $filter: inTheMiddle(now),
      $orderby: 'receivedDateTime desc',
    }),
    asked('filterByRead', 'unread', { $filter: 'isRead eq false' }),
    asked('filterBySender', 'of one sender', { $filter: "from/emailAddress/address eq 'customer7@example.com'" }),
    asked('searchRare', `"${rareWord}"`, { $search: `"${rareWord}"` }),
    asked('searchCommon', '"meeting"', { $search: '"meeting"' }),
  ]
}

export const queries: Section = async (bench) => {
  const manyMessages = bench.options.quick ? 10_000 : 1_000_000
  const folder = await newDataFolder(bench, 'queries')
  bench.progress(`filling a mailbox with ${whole(manyMessages)} messages`)
  await runScript(undefined, 'generate-mailbox.js', folder, 'adele@contoso.com', String(manyMessages))
  await runScript(undefined, 'generate-mailbox.js', folder, 'alex@contoso.com', String(fewMessages))
  const server = await startServer(bench, { folder, deliveryPaused: true })
  const [manyToken = '', fewToken = ''] = bench.tokens
  const target = (name: string, path: string, token: string): Target => ({
    name,
    ...server,
    requests: [getRequest(path, token)],
  })
  const pairs = questions(Date.now()).map(({ bar, name, query }) => ({
    bar,
    few: target(`${name}, of ${whole(fewMessages)}`, `${messages}?${query}`, fewToken),
    many: target(`${name}, of ${whole(manyMessages)}`, `${messages}?${query}`, manyToken),
  }))
  bench.progress('paging to the middle')
  pairs.push({
    bar: 'pageDeep',
    few: target(`middle of ${whole(fewMessages)}`, await middleOf(server.port, fewToken, fewMessages), fewToken),
    many: target(`middle of ${whole(manyMessages)}`, await middleOf(server.port, manyToken, manyMessages), manyToken),
  })
  const indexing = await untilIndexed(bench, folder)
  for (const { few, many } of pairs)
    for (const { requests } of [few, many]) await askOnce(server.port, requests[0] ?? '')
  await waitUntilQuiet(server.pid)
  const targets = pairs.flatMap(({ few, many }) => [few, many])
  const rounds = await measureRounds(bench, targets, connections)
  await server.stop()
  await removeFolder(folder)

  const p50 = (measured: Target): number => rounds.get(measured, 1).latency.percentile(0.5)
  return {
    lines: [
      ...connectionTable(
        'Pages of ten messages a second, p50/p99 in ms',
        connections,
        targets.flatMap((measured) => [rateRow('L2 L3', rounds, measured), cpuRow(rounds, measured)]),
      ),
      indexing,
    ],
    findings: pairs.map(({ bar, few, many }) => ({
      bar,
      value: p50(many) / p50(few),
      note: `p50 ${(p50(many) / 1000).toFixed(2)} ms of ${whole(manyMessages)}, ${(p50(few) / 1000).toFixed(2)} ms of ${whole(fewMessages)}`,
    })),
    failures: rounds.failures,
  }
}

/** The path of a page of ten in the middle of the mailbox, as links lead to it. */
async function middleOf(port: number, token: string, count: number): Promise<string> {
  const top = Math.min(1_000, count / 10)
  let path = `${messages}?$top=${top}&$select=id`
  for (let read = 0; read < count / 2; read += top) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { Authorization: `Bearer ${token}` } })
    const { '@odata.nextLink': next } = (await response.json()) as { '@odata.nextLink'?: string }
    if (next === undefined) throw new Error(`a page of ${count} messages names no next one: ${response.status}`)
    path = next.slice(next.indexOf('/v1.0'))
  }
  return path
    .replace(/([?&](?:\$|%24)top=)\d+/, (_, top: string) => `${top}10`)
    .replace(/[?&](?:\$|%24)select=id/, (mark) => mark.charAt(0))
}

/** Sends a request as it is measured. @throws Error unless it is answered with a full page: of less, less is asked */
async function askOnce(port: number, request: string): Promise<void> {
  const [, path = ''] = request.split(' ')
  const authorization = /^authorization: (.*)$/im.exec(request)?.[1]?.trim() ?? ''
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { Authorization: authorization } })
  const text = await response.text()
  const { value = [] } = JSON.parse(text) as { value?: unknown[] }
  if (value.length !== 10) throw new Error(`${path} was answered with ${response.status}: ${text.slice(0, 300)}`)
}
