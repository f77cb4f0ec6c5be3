/** G7: how soon after its start the server accepts mail. */
import { join } from 'node:path'
import { type Bench, newDataFolder, removeFolder, type Section, startServer } from './bench.js'
import { cpuMicros } from './machine.js'
import { localAndRemote, sendMailRequests } from './mail-request.js'
import { startPeer } from './processes.js'
import { queuedStore } from './queued-store.js'
import { failuresOf, median } from './rounds.js'
import { whole } from './table.js'

const starts = 5

/** One start: how long it took, and the CPU time of all its threads until then, both ms. */
interface Start {
  readonly wall: number
  readonly cpu: number
}

export const start: Section = async (bench) => {
  const empty = await newDataFolder(bench, 'empty')
  const queued = await queuedStore(bench)
  const failures: string[] = []
  const timesEmpty = await startSeveralTimes(bench, () => timeToFirstAccept(bench, empty, failures))
  const timesQueued = await startSeveralTimes(bench, () => timeToFirstAccept(bench, queued.folder, failures))
  const timesBare = await startSeveralTimes(bench, () => bareStart(bench))
  const first = await firstStart(bench)
  await removeFolder(empty)
  return {
    lines: [
      `G7  the very first start, folder and keys made: ${whole(first)} ms until it says its address`,
      // What is left of the figures on a machine that is slow, or busy.
      `G7  CPU of a start: ${whole(cpuOf(timesEmpty))} ms; a bare node:http takes ${whole(wallOf(timesBare))} ms, ${whole(cpuOf(timesBare))} ms CPU`,
    ],
    findings: [
      {
        bar: 'startEmpty',
        value: wallOf(timesEmpty),
        note: `${whole(Math.max(...timesEmpty.map(({ wall }) => wall)))} ms at worst`,
      },
      { bar: 'startQueued', value: wallOf(timesQueued), note: `${whole(queued.messages)} queued, delivery paused` },
    ],
    failures,
  }
}

const wallOf = (times: readonly Start[]) => median(times.map(({ wall }) => wall))
const cpuOf = (times: readonly Start[]) => median(times.map(({ cpu }) => cpu))

async function startSeveralTimes(bench: Bench, startOnce: () => Promise<Start>): Promise<Start[]> {
  const times: Start[] = []
  for (let turn = 0; turn < (bench.options.quick ? 1 : starts); turn++) {
    bench.progress(`start-up ${turn + 1}`)
    times.push(await startOnce())
  }
  return times
}

/** A server that does nothing: from the spawn of its process until it says its port. */
async function bareStart(bench: Bench): Promise<Start> {
  const spawnedAt = performance.now()
  const peer = await startPeer(bench.cores?.server, 'bare-http.js')
  const wall = performance.now() - spawnedAt
  const cpu = cpuMillis(peer.pid)
  await peer.stop()
  return { wall, cpu }
}

/** NaN without /proc. */
function cpuMillis(pid: number): number {
  return (cpuMicros(pid) ?? Number.NaN) / 1000
}

/** From the spawn of the process to the first 202. */
async function timeToFirstAccept(bench: Bench, folder: string, failures: string[]): Promise<Start> {
  const server = await startServer(bench, { folder, deliveryPaused: true })
  const result = await bench.load.run({
    port: server.port,
    connections: 1,
    flow: { kind: 'single', requests: sendMailRequests(bench.tokens, localAndRemote) },
    warmUpMs: 0,
    measureMs: 10_000,
    operations: 1,
  })
  const wall = performance.now() - server.spawnedAt
  const cpu = cpuMillis(server.pid)
  failures.push(...failuresOf('start-up', result))
  await server.stop()
  return { wall, cpu }
}

/** On a folder that is not there yet, ms. */
async function firstStart(bench: Bench): Promise<number> {
  const folder = join(bench.root, 'first')
  const server = await startServer(bench, { folder, deliveryPaused: true })
  const time = performance.now() - server.spawnedAt
  await server.stop()
  await removeFolder(folder)
  return time
}
