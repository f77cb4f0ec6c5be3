/**
 * Q1: how fast what was accepted leaves, beside what nodemailer's pool does by itself to such an SMTP server.
 * Q2: the same, and from the submitter's hand to that server, beside Postfix where it is installed.
 */
import type { Delivered } from './arrivals.js'
import { type Bench, removeFolder, type Section } from './bench.js'
import { findPostfix } from './postfix.js'
import { median } from './rounds.js'
import { whole } from './table.js'
import {
  barePool,
  connections,
  destinations,
  drainGraphpost,
  drainPostfix,
  queueFor,
  submitters,
  throughGraphpost,
  throughPostfix,
} from './ways-out.js'

/** What is measured: one result for each round, undefined for one that failed. */
interface Way {
  readonly label: string
  readonly run: () => Promise<Delivered>
  readonly rounds: (Delivered | undefined)[]
}

export const deliver: Section = async (bench) => {
  const mails = bench.options.quick ? 3_000 : 20_000
  const postfix = findPostfix()
  const failures: string[] = []
  bench.progress(`queueing ${whole(mails)} mails`)
  const queue = await queueFor(bench, mails)
  const bare = way('Q1  nodemailer pool, bare', () => barePool(bench, mails))
  const drain = way('Q1  graphpost, from its queue', () => drainGraphpost(bench, mails, queue))
  const through = way('Q2  graphpost, through', () => throughGraphpost(bench, mails))
  const peerDrain = way('Q2  postfix, from its queue', () => drainPostfix(bench, mails))
  const peerThrough = way('Q2  postfix, through', () => throughPostfix(bench, mails))
  const isAlone = typeof postfix === 'string'
  const ways = isAlone ? [bare, drain, through] : [bare, drain, peerDrain, through, peerThrough]
  for (let round = 1; round <= bench.options.rounds; round++) {
    for (const one of ways) await measure(bench, one, round, failures)
  }
  await removeFolder(queue)
  const lines = [
    `Mails a second to an SMTP server on this machine, ${whole(mails)} for ${destinations} domains, ${connections} connections; through: handed in over ${submitters} meanwhile`,
    ...ways.map(line),
    `Q1  ratio to the bare pool: ${ratio(drain, bare)}`,
    isAlone
      ? `Q2  ${postfix}`
      : `Q2  ours : postfix ${postfix.version}: through ${ratio(through, peerThrough)} (aim 2), from the queue ${ratio(drain, peerDrain)}`,
  ]
  return { lines, findings: [], failures }
}

function way(label: string, run: () => Promise<Delivered>): Way {
  return { label, run, rounds: [] }
}

async function measure(bench: Bench, { label, run, rounds }: Way, round: number, failures: string[]): Promise<void> {
  bench.progress(`round ${round}: ${label}`)
  try {
    rounds.push(await run())
  } catch (error) {
    rounds.push(undefined)
    failures.push(`${label}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function line({ label, rounds }: Way): string {
  const done = rounds.filter((round) => round !== undefined)
  const cpus = done.flatMap(({ cpuPerMail }) => cpuPerMail ?? [])
  const cells = [
    `${whole(median(done.map(({ perSecond }) => perSecond))).padStart(8)} mails/s`,
    `${whole(median(done.map(({ bytesEach }) => bytesEach)))} bytes each`,
    ...(cpus.length === 0 ? [] : [`${whole(median(cpus))} µs CPU a mail`]),
  ]
  return `${label.padEnd(30)} ${cells.join('  ')}`
}

/** The median of the rounds' ratios, each of two neighbours in time. */
function ratio(of: Way, to: Way): string {
  const ratios = of.rounds.flatMap((round, index) => {
    const other = to.rounds[index]
    return round === undefined || other === undefined ? [] : [round.perSecond / other.perSecond]
  })
  return median(ratios).toFixed(2)
}
