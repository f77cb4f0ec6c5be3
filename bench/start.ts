/** G7: how soon after its start the server accepts mail. */
import { join } from 'node:path'
import { type Bench, newDataFolder, removeFolder, type Section, startServer } from './bench.js'
import { localAndRemote, sendMailRequests } from './mail-request.js'
import { queuedStore } from './queued-store.js'
import { failuresOf, median } from './rounds.js'
import { whole } from './table.js'

const starts = 5

export const start: Section = async (bench) => {
  const empty = await newDataFolder(bench, 'empty')
  const queued = await queuedStore(bench)
  const failures: string[] = []
  const timesEmpty = await startSeveralTimes(bench, empty, failures)
  const timesQueued = await startSeveralTimes(bench, queued.folder, failures)
  const first = await firstStart(bench)
  await removeFolder(empty)
  return {
    lines: [`G7  the very first start, folder and keys made: ${whole(first)} ms until it says its address`],
    findings: [
      { bar: 'startEmpty', value: median(timesEmpty), note: `${whole(Math.max(...timesEmpty))} ms at worst` },
      { bar: 'startQueued', value: median(timesQueued), note: `${whole(queued.messages)} queued, delivery paused` },
    ],
    failures,
  }
}

async function startSeveralTimes(bench: Bench, folder: string, failures: string[]): Promise<number[]> {
  const times: number[] = []
  for (let turn = 0; turn < (bench.options.quick ? 1 : starts); turn++) {
    bench.progress(`start-up on ${folder}`)
    times.push(await timeToFirstAccept(bench, folder, failures))
  }
  return times
}

/** From the spawn of the process to the first 202, ms. */
async function timeToFirstAccept(bench: Bench, folder: string, failures: string[]): Promise<number> {
  const server = await startServer(bench, { folder, deliveryPaused: true })
  const result = await bench.load.run({
    port: server.port,
    connections: 1,
    flow: { kind: 'single', requests: sendMailRequests(bench.tokens, localAndRemote) },
    warmUpMs: 0,
    measureMs: 10_000,
    operations: 1,
  })
  const time = performance.now() - server.spawnedAt
  failures.push(...failuresOf('start-up', result))
  await server.stop()
  return time
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
