/** G6: memory at rest, and what 50,000 mails add while they are delivered to mailboxes and to the capture. */
import { newDataFolder, removeFolder, type Section, startServer, waitUntilQuiet } from './bench.js'
import { residentBytes } from './machine.js'
import { localAndRemote, sendMailRequests } from './mail-request.js'
import { startPeer } from './processes.js'
import { failuresOf } from './rounds.js'
import { whole } from './table.js'

const mebibyte = 2 ** 20

export const memory: Section = async (bench) => {
  const operations = bench.options.quick ? 5_000 : 50_000
  const folder = await newDataFolder(bench, 'memory')
  const server = await startServer(bench, { folder, deliveryPaused: false })
  await waitUntilQuiet(server.pid)
  const atRest = residentBytes(server.pid)
  bench.progress(`${whole(operations)} mails for the memory they leave behind`)
  const result = await bench.load.run({
    port: server.port,
    connections: 16,
    flow: { kind: 'single', requests: sendMailRequests(bench.tokens, localAndRemote) },
    warmUpMs: 0,
    measureMs: 300_000,
    operations,
  })
  await waitUntilQuiet(server.pid)
  const afterwards = residentBytes(server.pid)
  await server.stop()
  await removeFolder(folder)
  const bare = await startPeer(bench.cores?.server, 'bare-http.js')
  const ofBare = residentBytes(bare.pid)
  await bare.stop()

  const known = atRest !== undefined && afterwards !== undefined
  const note = known ? `after ${whole(result.accepted)}: ${(afterwards / mebibyte).toFixed(0)} MiB` : 'no /proc here'
  return {
    lines: [],
    findings: [
      {
        bar: 'memoryAtRest',
        value: known ? atRest / mebibyte : undefined,
        ...(ofBare === undefined ? {} : { note: `a bare node:http: ${(ofBare / mebibyte).toFixed(0)} MiB` }),
      },
      { bar: 'memoryGrowth', value: known ? (afterwards - atRest) / mebibyte : undefined, note },
    ],
    failures: failuresOf('memory', result),
  }
}
