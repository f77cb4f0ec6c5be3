/** How fast mail reaches an SMTP server on this machine, whoever sends it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './bench.js'
import { cpuMicros } from './machine.js'
import { startPeer } from './processes.js'
import { whole } from './table.js'

/** How long the SMTP server may wait for the rest of the mail. */
const arrivalLimitMs = 300_000
const pollMs = 5

/** A server that mail leaves. */
export interface Sender {
  /** Of the process that does the work, with all its threads; undefined where that is more than one. */
  readonly pid: number | undefined
  /** Brings about that mail leaves, or hands it in; resolves when there is nothing left to do for that. */
  begin(): Promise<void>
  stop(): Promise<void>
}

/** What was measured. */
export interface Delivered {
  readonly perSecond: number
  /** µs; undefined where nobody can tell. */
  readonly cpuPerMail: number | undefined
  /** Of an arrived message, with its header. */
  readonly bytesEach: number
}

/** From when on: the first mail that arrived (the server's start is not part of it), or the first that was handed in. */
export type MeasuredFrom = 'first arrival' | 'beginning'

/** Until the last mail has arrived. @throws Error when not exactly as many arrived */
export async function measureArrivals(
  bench: Bench,
  mails: number,
  from: MeasuredFrom,
  start: (sinkPort: number) => Promise<Sender>,
): Promise<Delivered> {
  const sink = await startPeer(bench.cores?.generator, 'smtp-sink.js')
  const ask = async () => (await sink.ask('count')) as { received: number; bytes: number }
  try {
    const sender = await start(sink.port)
    const measured = await measure(sender, from, mails, async () => (await ask()).received).finally(sender.stop)
    const { received, bytes } = await ask()
    if (received !== mails) throw new Error(`the SMTP server got ${whole(received)} of ${whole(mails)} mails`)
    return { ...measured, bytesEach: bytes / received }
  } finally {
    await sink.stop()
  }
}

async function measure(sender: Sender, from: MeasuredFrom, mails: number, arrived: () => Promise<number>) {
  const until = performance.now() + arrivalLimitMs
  const arrivals = async (atLeast: number, everyMs: number): Promise<number> => {
    for (;;) {
      const count = await arrived()
      if (count >= atLeast || performance.now() > until) return count
      await sleep(everyMs)
    }
  }
  const begin = () => ({ at: performance.now(), cpu: sender.pid === undefined ? undefined : cpuMicros(sender.pid) })
  const beginning = begin()
  const begun = sender.begin()
  const before = from === 'beginning' ? 0 : await arrivals(1, 0)
  const start = from === 'beginning' ? beginning : begin()
  await Promise.all([begun, arrivals(mails, pollMs)])
  const end = begin()
  const sent = mails - before
  const cpuPerMail = start.cpu === undefined || end.cpu === undefined ? undefined : (end.cpu - start.cpu) / sent
  return { perSecond: sent / ((end.at - start.at) / 1_000), cpuPerMail }
}
