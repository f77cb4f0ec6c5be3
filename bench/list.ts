/** L1: a list of ten messages costs the same however many the folder holds. */
import { type Section, startServer, waitUntilQuiet } from './bench.js'
import { getRequest } from './mail-request.js'
import { fewMessages, queuedStore } from './queued-store.js'
import { measureRounds, type Target } from './rounds.js'
import { connectionTable, cpuRow, rateRow, whole } from './table.js'

const path = '/v1.0/me/mailFolders/sentitems/messages?$top=10'
const connections = [1]

export const list: Section = async (bench) => {
  const { folder, messages } = await queuedStore(bench)
  const server = await startServer(bench, { folder, deliveryPaused: true })
  await waitUntilQuiet(server.pid)
  const [manyToken = '', fewToken = ''] = bench.tokens
  const few: Target = { name: `10 of ${fewMessages}`, ...server, requests: [getRequest(path, fewToken)] }
  const many: Target = { name: `10 of ${whole(messages)}`, ...server, requests: [getRequest(path, manyToken)] }
  const rounds = await measureRounds(bench, [few, many], connections)
  await server.stop()

  const p50 = (target: Target): number => rounds.get(target, 1).latency.percentile(0.5)
  return {
    lines: connectionTable('Lists of messages a second, p50/p99 in ms', connections, [
      rateRow('L1', rounds, few),
      cpuRow(rounds, few),
      rateRow('L1', rounds, many),
      cpuRow(rounds, many),
    ]),
    findings: [{ bar: 'listLargeFolder', value: p50(many) / p50(few), note: `p50, folder of ${whole(messages)}` }],
    failures: rounds.failures,
  }
}
