/** G0, G1, G3, G4: how many mails a second are accepted durably, beside a bare server and beside what SQLite allows. */
import { join } from 'node:path'
import type { Finding } from './bars.js'
import { newDataFolder, removeFolder, type Section, startServer, waitUntilQuiet } from './bench.js'
import { residentBytes } from './machine.js'
import { localAndRemote, sendMailRequests } from './mail-request.js'
import { startPeer } from './processes.js'
import { measureRounds, median, type Rounds, ratio, type Target } from './rounds.js'
import { measureSyncRate } from './sync-rate.js'
import { connectionTable, cpuRow, generatorRow, rateRow, ratioRow, spreadRow, whole } from './table.js'

/** How long the disk is measured before each round. */
const syncMs = 200

interface Targets {
  readonly bare: Target
  readonly single: Target
  readonly group: Target
  readonly ours: Target
}

export const accept: Section = async (bench) => {
  const requests = sendMailRequests(bench.tokens, localAndRemote)
  const core = bench.cores?.server
  const folder = await newDataFolder(bench, 'accept')
  const bare = await startPeer(core, 'bare-http.js')
  const single = await startPeer(core, 'limit-sqlite.js', join(bench.root, 'limit-single.sqlite'), 'single')
  const group = await startPeer(core, 'limit-sqlite.js', join(bench.root, 'limit-group.sqlite'), 'group')
  const ours = await startServer(bench, { folder, deliveryPaused: true })
  const targets: Targets = {
    bare: { name: 'bare node:http', ...bare, requests },
    single: { name: 'limit-sqlite-single', ...single, requests },
    group: { name: 'limit-sqlite-group', ...group, requests },
    ours: { name: 'graphpost, accept only', ...ours, requests },
  }

  await waitUntilQuiet(ours.pid)
  const atRest = residentBytes(ours.pid)
  const syncs: number[] = []
  const rounds = await measureRounds(bench, Object.values(targets), bench.options.connections, {
    beforeRound: () => syncs.push(measureSyncRate(bench.root, syncMs)),
  })
  const afterwards = residentBytes(ours.pid)

  for (const server of [ours, group, single, bare]) await server.stop()
  await removeFolder(folder)
  return {
    lines: [
      syncLine(syncs),
      ...table(rounds, targets, bench.options.connections),
      `G6  graphpost's resident memory: ${mebibytes(atRest)} at rest, ${mebibytes(afterwards)} after ${whole(rounds.acceptedBy(targets.ours))} mails`,
    ],
    findings: findings(rounds, targets, bench.options.connections),
    failures: rounds.failures,
  }
}

function table(rounds: Rounds, { bare, single, group, ours }: Targets, connections: readonly number[]): string[] {
  return connectionTable('Accepted mails a second, p50/p99 in ms', connections, [
    rateRow('G0', rounds, bare),
    generatorRow(rounds, bare),
    cpuRow(rounds, bare),
    rateRow('G3', rounds, single),
    rateRow('G1', rounds, group),
    rateRow('G0 G1 G3 G4', rounds, ours),
    spreadRow(rounds, ours),
    cpuRow(rounds, ours),
    ratioRow('G0', rounds, ours, bare),
    ratioRow('G1', rounds, ours, group),
  ])
}

function findings(rounds: Rounds, { bare, single, group, ours }: Targets, connections: readonly number[]): Finding[] {
  const at = <T>(count: number, value: () => T): T | undefined => (connections.includes(count) ? value() : undefined)
  const p = (target: Target, count: number, fraction: number): number =>
    rounds.get(target, count).latency.percentile(fraction)
  return [
    {
      bar: 'shareOfBareHttp',
      value: at(64, () => ratio(rounds.get(ours, 64), rounds.get(bare, 64))),
      note: 'aim 0.50',
    },
    { bar: 'latencyBesideBareHttp', value: at(64, () => p(ours, 64, 0.99) / 1000) },
    { bar: 'shareOfGroupCommit', value: at(16, () => ratio(rounds.get(ours, 16), rounds.get(group, 16))) },
    { bar: 'medianAlone', value: at(1, () => p(ours, 1, 0.5) / p(single, 1, 0.5)) },
    { bar: 'tailAlone', value: at(1, () => p(ours, 1, 0.99) / 1000) },
    { bar: 'tailAt64', value: at(64, () => p(ours, 64, 0.99) / 1000) },
  ]
}

function syncLine(syncs: readonly number[]): string {
  const range = `${whole(Math.min(...syncs))} .. ${whole(Math.max(...syncs))}`
  return `G5  the disk: ${whole(median(syncs))} fdatasync/s of 2 KB appends (${range})`
}

function mebibytes(bytes: number | undefined): string {
  return bytes === undefined ? 'unknown' : `${(bytes / 2 ** 20).toFixed(0)} MiB`
}
