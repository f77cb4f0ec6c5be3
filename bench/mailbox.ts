/** G8: one mailbox asked as fast as the real service would let it be, four requests at once. */
import { type Bench, newDataFolder, removeFolder, type Section, startServer, waitUntilQuiet } from './bench.js'
import { Histogram } from './histogram.js'
import type { LoadResult } from './load-job.js'
import { localAndRemote, sendMailRequests } from './mail-request.js'
import { failuresOf } from './rounds.js'
import { whole } from './table.js'

/** Graph's limit for one application and one mailbox: 10,000 requests in 10 minutes, so all of these are below it. */
const limit = 10_000
const warmUpOperations = 500

export const mailbox: Section = async (bench) => {
  const operations = bench.options.quick ? 1_000 : limit - warmUpOperations
  const folder = await newDataFolder(bench, 'mailbox')
  const server = await startServer(bench, { folder, deliveryPaused: false })
  bench.progress(`one mailbox, ${whole(operations)} mails, 4 at once`)
  await send(bench, server.port, warmUpOperations)
  await waitUntilQuiet(server.pid)
  const result = await send(bench, server.port, operations)
  await server.stop()
  await removeFolder(folder)

  const latency = new Histogram()
  latency.merge(result.latency)
  return {
    lines: [],
    findings: [
      { bar: 'oneMailbox', value: latency.percentile(0.99) / 1000, note: `${whole(result.accepted)} mails` },
      { bar: 'oneMailboxThrottled', value: result.statuses['429'] ?? 0 },
    ],
    failures: failuresOf('one mailbox', result),
  }
}

function send(bench: Bench, port: number, operations: number): Promise<LoadResult> {
  const requests = sendMailRequests(bench.tokens.slice(0, 1), localAndRemote)
  return bench.load.run({
    port,
    connections: 4,
    flow: { kind: 'single', requests },
    warmUpMs: 0,
    measureMs: 300_000,
    operations,
  })
}
