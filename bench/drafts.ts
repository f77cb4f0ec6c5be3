/** G11: drafts made and sent by a second call, beside a bare server that answers the same two. */
import { newDataFolder, removeFolder, type Section, startServer } from './bench.js'
import { draftRequests, localAndRemote } from './mail-request.js'
import { startPeer } from './processes.js'
import { measureRounds, ratio, type Target } from './rounds.js'
import { connectionTable, cpuRow, generatorRow, rateRow, ratioRow, spreadRow } from './table.js'

export const drafts: Section = async (bench) => {
  const { connections } = bench.options
  const flow = draftRequests(bench.tokens, localAndRemote)
  const folder = await newDataFolder(bench, 'drafts')
  const bareServer = await startPeer(bench.cores?.server, 'bare-http.js')
  const server = await startServer(bench, { folder, deliveryPaused: true })
  const bare: Target = { name: 'bare node:http, two requests', ...bareServer, ...flow }
  const ours: Target = { name: 'graphpost, draft and send', ...server, ...flow }
  const rounds = await measureRounds(bench, [bare, ours], connections)
  await server.stop()
  await bareServer.stop()
  await removeFolder(folder)
  return {
    lines: connectionTable('Drafts made and sent a second, p50/p99 of both calls in ms', connections, [
      rateRow('G11', rounds, bare),
      generatorRow(rounds, bare),
      cpuRow(rounds, bare),
      rateRow('G11', rounds, ours),
      spreadRow(rounds, ours),
      cpuRow(rounds, ours),
      ratioRow('G11', rounds, ours, bare),
    ]),
    findings: [
      {
        bar: 'draftAndSend',
        value: connections.includes(64) ? ratio(rounds.get(ours, 64), rounds.get(bare, 64)) : undefined,
        note: 'an aim, not a promise',
      },
    ],
    failures: rounds.failures,
  }
}
