/** Q1: how fast what was accepted leaves, beside what nodemailer's pool does by itself to the same SMTP server. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, newDataFolder, removeFolder, type Section, startServer } from './bench.js'
import { cpuMicros } from './machine.js'
import { sendMailRequests } from './mail-request.js'
import { runScript, startPeer } from './processes.js'
import { failuresOf } from './rounds.js'
import { whole } from './table.js'

/** Destination domains that the mail is spread over. */
const destinations = 16
/** As the server's default. */
const connections = 20
/** How long the SMTP server may wait for the rest of a round's mail. */
const arrivalLimitMs = 300_000

interface Delivered {
  readonly perSecond: number
  readonly cpuPerMail: number | undefined
}

export const deliver: Section = async (bench) => {
  const mails = bench.options.quick ? 3_000 : 20_000
  const folder = await newDataFolder(bench, 'deliver')
  const failures = await fillFor(bench, folder, mails)
  const ours: Delivered[] = []
  const bare: Delivered[] = []
  for (let round = 0; round < bench.options.rounds; round++) {
    bench.progress(`delivering ${whole(mails)} mails, round ${round + 1}`)
    bare.push(await barePool(bench, mails))
    const copy = join(bench.root, 'deliver-round')
    await cp(folder, copy, { recursive: true })
    const delivered = await delivering(bench, copy, mails)
    if (typeof delivered === 'string') failures.push(delivered)
    else ours.push(delivered)
    await removeFolder(copy)
  }
  await removeFolder(folder)
  const lines = [
    `Delivered mails a second to an SMTP server on this machine, ${whole(mails)} mails for ${destinations} domains, ${connections} connections`,
    line('nodemailer pool, bare', bare),
    line('graphpost', ours),
    `Q1  ratio to the bare pool: ${(middle(ours, 'perSecond') / middle(bare, 'perSecond')).toFixed(2)}`,
  ]
  return { lines, findings: [], failures }
}

async function fillFor(bench: Bench, folder: string, mails: number): Promise<string[]> {
  const server = await startServer(bench, { folder, deliveryPaused: true })
  bench.progress(`queueing ${whole(mails)} mails`)
  const requests = sendMailRequests(bench.tokens, (variant) => `customer${variant}@d${variant % destinations}.example`)
  const result = await bench.load.run({
    port: server.port,
    connections: 64,
    flow: { kind: 'single', requests },
    warmUpMs: 0,
    measureMs: 3_600_000,
    operations: mails,
  })
  await server.stop()
  return failuresOf('queueing', result)
}

async function barePool(bench: Bench, mails: number): Promise<Delivered> {
  const sink = await startPeer(bench.cores?.generator, 'smtp-sink.js')
  const args = [sink.port, mails, connections, destinations].map(String)
  const said = await runScript(bench.cores?.server, 'bare-pool.js', ...args)
  const { ms, cpuMicros: cpu } = said as { ms: number; cpuMicros: number }
  await sink.stop()
  return { perSecond: mails / (ms / 1_000), cpuPerMail: cpu / mails }
}

/** From the first mail that arrives to the last; the server's start is not part of it. */
async function delivering(bench: Bench, folder: string, mails: number): Promise<Delivered | string> {
  const sink = await startPeer(bench.cores?.generator, 'smtp-sink.js')
  const received = async () => ((await sink.ask('count')) as { received: number }).received
  const server = await startServer(bench, { folder, deliveryPaused: false, relayPort: sink.port })
  const until = performance.now() + arrivalLimitMs
  let first = 0
  while (first === 0 && performance.now() < until) first = await received()
  const startedAt = performance.now()
  const before = cpuMicros(server.pid)
  let count = first
  while (count < mails && performance.now() < until) {
    await sleep(5)
    count = await received()
  }
  const seconds = (performance.now() - startedAt) / 1_000
  const after = cpuMicros(server.pid)
  await server.stop()
  const atEnd = await received()
  await sink.stop()
  if (atEnd !== mails) return `the SMTP server got ${whole(atEnd)} of ${whole(mails)} queued mails`
  const sent = mails - first
  const cpuPerMail = before === undefined || after === undefined ? undefined : (after - before) / sent
  return { perSecond: sent / seconds, cpuPerMail }
}

function line(name: string, rounds: readonly Delivered[]): string {
  const cpu = rounds.every(({ cpuPerMail }) => cpuPerMail === undefined)
    ? ''
    : `${whole(middle(rounds, 'cpuPerMail'))} µs CPU a mail`
  return `Q1  ${name.padEnd(24)} ${whole(middle(rounds, 'perSecond')).padStart(8)} mails/s  ${cpu}`
}

/** The median. */
function middle(rounds: readonly Delivered[], key: keyof Delivered): number {
  const values = rounds.map((round) => round[key] ?? 0).toSorted((one, other) => one - other)
  return values[Math.floor(values.length / 2)] ?? Number.NaN
}
