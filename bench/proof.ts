/** D1: what was answered 202 is on disk. The server is killed in the middle of a flood and what it kept is counted. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, newDataFolder, removeFolder, type Section, startServer } from './bench.js'
import type { LoadResult } from './load-job.js'
import { localAndRemote, sendMailRequests } from './mail-request.js'
import { whole } from './table.js'

const connections = 64

export const proof: Section = async (bench) => {
  const folder = await newDataFolder(bench, 'proof')
  const flooded = await floodAndKill(bench, folder)
  const server = await startServer(bench, { folder, deliveryPaused: true })
  const counts = await Promise.all(bench.tokens.map((token) => countSentItems(server.port, token)))
  await server.stop()
  await removeFolder(folder)

  const kept = counts.reduce((sum, count) => sum + count, 0)
  const note = `${whole(flooded.accepted)} answered 202, ${whole(kept)} kept, up to ${connections} in flight`
  const lost = Math.max(0, flooded.accepted - kept)
  return {
    lines: [`D1  killed by SIGKILL in a flood over ${connections} connections: ${note}`],
    findings: [
      { bar: 'acceptedButLost', value: lost },
      { bar: 'keptButUnasked', value: Math.max(0, kept - flooded.accepted - connections) },
    ],
    failures: [
      ...(lost > 0 ? [`${lost} accepted mails were lost`] : []),
      ...(flooded.accepted === 0 ? ['nothing was accepted before the kill'] : []),
    ],
  }
}

async function floodAndKill(bench: Bench, folder: string): Promise<LoadResult> {
  const server = await startServer(bench, { folder, deliveryPaused: true })
  const floodMs = bench.options.seconds * 1000
  bench.progress(`a flood over ${connections} connections, then SIGKILL`)
  const flood = bench.load.run({
    port: server.port,
    connections,
    flow: { kind: 'single', requests: sendMailRequests(bench.tokens, localAndRemote) },
    warmUpMs: 0,
    measureMs: floodMs + 60_000,
  })
  await sleep(floodMs)
  await server.kill()
  return flood
}

async function countSentItems(port: number, token: string): Promise<number> {
  const url = `http://127.0.0.1:${port}/v1.0/me/mailFolders/sentitems/messages?$count=true&$top=1&$select=id`
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } })
  const answer = (await response.json()) as { '@odata.count'?: number }
  const count = answer['@odata.count']
  if (count === undefined)
    throw new Error(`Sent Items could not be counted: ${response.status} ${JSON.stringify(answer)}`)
  return count
}
