/** Those whose delivery is measured: the bare pool, Graphpost and Postfix, all to an SMTP server like the same. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { type Delivered, measureArrivals } from './arrivals.js'
import { type Bench, newDataFolder, removeFolder, startServer } from './bench.js'
import { sendMailRequests } from './mail-request.js'
import { startPostfix } from './postfix.js'
import { runScript, startPeer } from './processes.js'
import { failuresOf } from './rounds.js'
import { submit } from './smtp-source.js'

/** Destination domains that the mail is spread over. */
export const destinations = 16
/** At once to the SMTP server: the default of Graphpost and of Postfix. */
export const connections = 20
/** At once from those who hand mail in. */
export const submitters = 64
/** With it a mail from Postfix arrives as large as one of ours, which has its text twice (HTML and plain). */
const bodyBytes = 4_430

/** A pool of nodemailer's with messages made beforehand. */
export async function barePool(bench: Bench, mails: number): Promise<Delivered> {
  const sink = await startPeer(bench.cores?.generator, 'smtp-sink.js')
  const args = [sink.port, mails, connections, destinations].map(String)
  const said = await runScript(bench.cores?.server, 'bare-pool.js', ...args)
  const { ms, cpuMicros } = said as { ms: number; cpuMicros: number }
  const { bytes } = (await sink.ask('count')) as { bytes: number }
  await sink.stop()
  return { perSecond: mails / (ms / 1_000), cpuPerMail: cpuMicros / mails, bytesEach: bytes / mails }
}

/** A data folder with so many mails that wait. */
export async function queueFor(bench: Bench, mails: number): Promise<string> {
  const folder = await newDataFolder(bench, 'deliver')
  const server = await startServer(bench, { folder, deliveryPaused: true })
  await handIn(bench, server.port, mails).finally(server.stop)
  return folder
}

/** Graphpost, started on a copy of the queue. */
export async function drainGraphpost(bench: Bench, mails: number, queue: string): Promise<Delivered> {
  const folder = join(bench.root, 'deliver-round')
  await cp(queue, folder, { recursive: true })
  return measureArrivals(bench, mails, 'first arrival', async (relayPort) => {
    const { pid, stop } = await startServer(bench, { folder, deliveryPaused: false, relayPort })
    return { pid, begin: async () => {}, stop }
  }).finally(() => removeFolder(folder))
}

/** Graphpost, from the first request of 64 connections on. */
export async function throughGraphpost(bench: Bench, mails: number): Promise<Delivered> {
  const folder = await newDataFolder(bench, 'deliver-round')
  return measureArrivals(bench, mails, 'beginning', async (relayPort) => {
    const { pid, port, stop } = await startServer(bench, { folder, deliveryPaused: false, relayPort })
    return { pid, begin: () => handIn(bench, port, mails), stop }
  }).finally(() => removeFolder(folder))
}

/** Postfix with a queue that was filled while nothing left. */
export function drainPostfix(bench: Bench, mails: number): Promise<Delivered> {
  return withPostfix(bench, mails, true)
}

/** Postfix, from the first of 64 connections on. */
export function throughPostfix(bench: Bench, mails: number): Promise<Delivered> {
  return withPostfix(bench, mails, false)
}

function withPostfix(bench: Bench, mails: number, isHeld: boolean): Promise<Delivered> {
  const folder = join(bench.root, 'postfix')
  return measureArrivals(bench, mails, isHeld ? 'first arrival' : 'beginning', async (relayPort) => {
    const { port, release, stop } = await startPostfix({ folder, core: bench.cores?.server, relayPort, isHeld })
    const core = bench.cores?.generator
    const handInAll = () => submit({ port, core, mails, connections: submitters, destinations, bodyBytes })
    if (isHeld) await handInAll().catch((error: unknown) => stop().then(() => Promise.reject(error)))
    return { pid: undefined, begin: isHeld ? release : handInAll, stop }
  }).finally(() => removeFolder(folder))
}

async function handIn(bench: Bench, port: number, operations: number): Promise<void> {
  const requests = sendMailRequests(bench.tokens, (variant) => `customer${variant}@d${variant % destinations}.example`)
  const flow = { kind: 'single', requests } as const
  const limits = { warmUpMs: 0, measureMs: 3_600_000, operations }
  const [failure] = failuresOf('handing in', await bench.load.run({ port, connections: submitters, flow, ...limits }))
  if (failure !== undefined) throw new Error(failure)
}
