/** G2: the same while delivery runs, to our own mailboxes and the capture, and to an SMTP server on the generator's core. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { newDataFolder, removeFolder, type Section, startServer } from './bench.js'
import { localAndRemote, remoteOnly, sendMailRequests } from './mail-request.js'
import { type Peer, startPeer } from './processes.js'
import { measureRounds, ratio, type Target } from './rounds.js'
import { connectionTable, cpuRow, rateRow, ratioRow, settledRow } from './table.js'

/** How long the SMTP server may wait for the rest of a round's mail. */
const arrivalLimitMs = 60_000

/** What G2 is about. */
const barConnections = [16, 64]

export const delivery: Section = async (bench) => {
  // Each round ends only when its mail has arrived, so a quick run asks for no more than the bars are about.
  const connections = bench.options.connections.filter(
    (count) => !bench.options.quick || barConnections.includes(count),
  )
  const requests = sendMailRequests(bench.tokens, localAndRemote)
  const [localFolder, relayFolder] = [await newDataFolder(bench, 'local'), await newDataFolder(bench, 'relay')]
  const sink = await startPeer(bench.cores?.generator, 'smtp-sink.js')
  const limit = await startPeer(bench.cores?.server, 'limit-sqlite.js', join(bench.root, 'limit.sqlite'), 'group')
  const local = await startServer(bench, { folder: localFolder, deliveryPaused: false })
  const relay = await startServer(bench, { folder: relayFolder, deliveryPaused: false, relayPort: sink.port })
  const group: Target = { name: 'limit-sqlite-group', ...limit, requests }
  const delivering: Target = { name: 'graphpost, delivering here', ...local, requests }
  const relaying: Target = {
    name: 'graphpost, relaying',
    ...relay,
    requests: sendMailRequests(bench.tokens, remoteOnly),
    settle: (accepted) => waitForArrival(sink, accepted),
  }

  const rounds = await measureRounds(bench, [group, delivering, relaying], connections)
  const arrived = await receivedBy(sink)

  for (const server of [relay, local, limit, sink]) await server.stop()
  for (const folder of [localFolder, relayFolder]) await removeFolder(folder)
  const share = (count: number): number | undefined =>
    connections.includes(count) ? ratio(rounds.get(relaying, count), rounds.get(group, count)) : undefined
  const missing = rounds.acceptedBy(relaying) - arrived
  return {
    lines: connectionTable('Accepted mails a second while delivery runs, p50/p99 in ms', connections, [
      rateRow('G2', rounds, group),
      rateRow('G2', rounds, delivering),
      settledRow('G2', rounds, delivering),
      cpuRow(rounds, delivering),
      ratioRow('G2', rounds, delivering, group),
      rateRow('G2', rounds, relaying),
      settledRow('G2', rounds, relaying),
      cpuRow(rounds, relaying),
      ratioRow('G2', rounds, relaying, group),
    ]),
    findings: [
      { bar: 'relayingAt16', value: share(16) },
      { bar: 'relayingAt64', value: share(64) },
    ],
    failures: [
      ...rounds.failures,
      ...(missing > 0 ? [`${missing} accepted mails had not reached the SMTP server in time`] : []),
      ...(missing < 0 ? [`the SMTP server got ${-missing} mails more than were accepted`] : []),
    ],
  }
}

/** Resolves when the SMTP server has as many mails as were accepted; returns that moment. */
async function waitForArrival(sink: Peer, accepted: number): Promise<number> {
  const until = performance.now() + arrivalLimitMs
  while ((await receivedBy(sink)) < accepted && performance.now() < until) await sleep(10)
  return performance.now()
}

async function receivedBy(sink: Peer): Promise<number> {
  const { received } = (await sink.ask('count')) as { received: number }
  return received
}
