/** G9: a store of a million messages accepts as fast as an empty one. */
import { newDataFolder, removeFolder, type Section, startServer } from './bench.js'
import { localAndRemote, sendMailRequests } from './mail-request.js'
import { fill } from './queued-store.js'
import { measureRounds, ratio, type Target } from './rounds.js'
import { connectionTable, cpuRow, rateRow, ratioRow, whole } from './table.js'
import { untilIndexed } from './until-indexed.js'

const connections = [16]

export const large: Section = async (bench) => {
  const messages = bench.options.quick ? 100_000 : 1_000_000
  const requests = sendMailRequests(bench.tokens, localAndRemote)
  const [fullFolder, emptyFolder] = [await newDataFolder(bench, 'large'), await newDataFolder(bench, 'small')]
  await fill(
    bench,
    fullFolder,
    bench.tokens.map(() => messages / bench.tokens.length),
  )
  const fullServer = await startServer(bench, { folder: fullFolder, deliveryPaused: true })
  // Else the indexing of one server would be taken from the time of the other.
  const indexing = await untilIndexed(bench, fullFolder)
  const emptyServer = await startServer(bench, { folder: emptyFolder, deliveryPaused: true })
  const full: Target = { name: `with ${whole(messages)} messages`, ...fullServer, requests }
  const empty: Target = { name: 'empty', ...emptyServer, requests }
  const rounds = await measureRounds(bench, [empty, full], connections)

  for (const server of [fullServer, emptyServer]) await server.stop()
  for (const folder of [fullFolder, emptyFolder]) await removeFolder(folder)
  return {
    lines: [
      ...connectionTable('Accepted mails a second, p50/p99 in ms', connections, [
        rateRow('G9', rounds, empty),
        cpuRow(rounds, empty),
        rateRow('G9', rounds, full),
        cpuRow(rounds, full),
        ratioRow('G9', rounds, full, empty),
      ]),
      indexing,
    ],
    findings: [
      {
        bar: 'largeStore',
        value: ratio(rounds.get(full, 16), rounds.get(empty, 16)),
        note: `${whole(messages)} messages`,
      },
    ],
    failures: rounds.failures,
  }
}
