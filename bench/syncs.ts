/** G5: how many times the server asks the disk to sync for one mail, counted by strace. */
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BarName, Finding } from './bars.js'
import { type Bench, newDataFolder, removeFolder, type Section, startServer, waitUntilQuiet } from './bench.js'
import { localAndRemote, sendMailRequests } from './mail-request.js'
import { failuresOf } from './rounds.js'

/** The database syncs with either, as its build decides. */
const calls = /\b(?:fdatasync|fsync)\(/g

const measured: readonly { readonly connections: number; readonly bar: BarName }[] = [
  { connections: 1, bar: 'syncsAlone' },
  { connections: 64, bar: 'syncsAt64' },
]

export const syncs: Section = async (bench) => {
  const obstacle = whyNotTraced()
  if (obstacle !== undefined) {
    const findings = measured.map(({ bar }) => ({ bar, value: undefined, note: obstacle }))
    return { lines: [], findings, failures: [] }
  }
  const folder = await newDataFolder(bench, 'syncs')
  const trace = join(bench.root, 'syncs.strace')
  const server = await startServer(bench, { folder, deliveryPaused: true, under: strace(trace) })
  const findings: Finding[] = []
  const failures: string[] = []
  for (const { connections, bar } of measured) {
    bench.progress(`counting sync calls, ${connections} connections`)
    const { syncs, mails, refused } = await countSyncs(bench, server, connections, trace)
    findings.push({ bar, value: syncs / mails, note: `${syncs} calls, ${mails} mails` })
    failures.push(...refused)
  }
  await server.stop()
  await removeFolder(folder)
  return { lines: [], findings, failures }
}

/** `-D`: the server stays our own child, so that its end is seen; the filter makes only the traced calls slow. */
function strace(output: string): string[] {
  return ['strace', '-D', '-f', '--seccomp-bpf', '-qq', '-e', 'trace=fdatasync,fsync', '-o', output]
}

function whyNotTraced(): string | undefined {
  const [program = '', ...args] = [...strace('/dev/null'), 'true']
  const { error, status } = spawnSync(program, args, { stdio: 'ignore' })
  if (error !== undefined) return 'strace is not here'
  return status === 0 ? undefined : 'strace may not trace here'
}

async function countSyncs(
  bench: Bench,
  server: { readonly port: number; readonly pid: number },
  connections: number,
  trace: string,
): Promise<{ syncs: number; mails: number; refused: string[] }> {
  await waitUntilQuiet(server.pid)
  const before = await countCalls(trace)
  const result = await bench.load.run({
    port: server.port,
    connections,
    flow: { kind: 'single', requests: sendMailRequests(bench.tokens, localAndRemote) },
    warmUpMs: 0,
    measureMs: bench.options.seconds * 1000,
  })
  await waitUntilQuiet(server.pid)
  const syncs = (await countCalls(trace)) - before
  return { syncs, mails: result.accepted, refused: failuresOf('sync calls', result) }
}

async function countCalls(trace: string): Promise<number> {
  return (await readFile(trace, 'utf8')).match(calls)?.length ?? 0
}
