/** T1: what the check of token, mailbox and permission is of a sendMail. */
import { newDataFolder, removeFolder, type Section, startServer, waitUntilQuiet } from './bench.js'
import { localAndRemote, sendMailRequests } from './mail-request.js'
import { runScript } from './processes.js'
import { measureRounds, median, type Target } from './rounds.js'

/** CPU µs for each check. */
export interface TokenCheckResult {
  /** Of a token that was seen before. */
  readonly rememberedMicros: number
  /** Of a token that comes for the first time: the signature is checked. */
  readonly firstMicros: number
}

const connections = 64

export const token: Section = async (bench) => {
  const { quick } = bench.options
  const folder = await newDataFolder(bench, 'token')
  const server = await startServer(bench, { folder, deliveryPaused: true })
  const requests = sendMailRequests(bench.tokens, localAndRemote)
  const target: Target = { name: 'graphpost', ...server, requests }
  await waitUntilQuiet(server.pid)
  const rounds = await measureRounds(bench, [target], [connections])
  const { cpuMicrosEach } = rounds.get(target, connections)
  await server.stop()
  await removeFolder(folder)
  const [remembered, first] = quick ? [200_000, 300] : [1_000_000, 2_000]
  const check = (await runScript(
    bench.cores?.server,
    'token-check.js',
    String(remembered),
    String(first),
  )) as TokenCheckResult
  const mailMicros = cpuMicrosEach.length === 0 ? undefined : median(cpuMicrosEach)
  const { rememberedMicros, firstMicros } = check
  return {
    lines: [
      `T1  a token seen before: ${rememberedMicros.toFixed(2)} µs with mailbox and permission; the first time: ${firstMicros.toFixed(0)} µs; a sendMail: ${mailMicros?.toFixed(1) ?? '-'} µs (CPU)`,
    ],
    findings: [
      {
        bar: 'tokenCheck',
        value: mailMicros === undefined ? undefined : rememberedMicros / mailMicros,
        note: `${rememberedMicros.toFixed(2)} of ${mailMicros?.toFixed(1) ?? '-'} µs CPU; once a token ${firstMicros.toFixed(0)} µs`,
      },
    ],
    failures: rounds.failures,
  }
}
