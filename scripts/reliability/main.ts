/** `npm run reliability`: every row of docs/reliability.md, and a table of what each came to. */
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import type { Finding, Form, Row } from './row.js'
import { rows } from './rows.js'
import { openRun } from './scope.js'

const help = `npm run reliability -- [options]

Stops, starves and misuses servers of our own, and says whether each promise of docs/reliability.md held.

  --only LIST      rows, as R1,R3
  --short          as in npm test, a minute or two
  --full           as before a release: hours
  --minutes N      how long R15 goes on (1; --full: 60)
  --directory DIR  where the data folders go (${tmpdir()})
  --strict         exit code 1 also when a time was missed; without it only when a promise was broken
  --help
`

/** A row and what it came to. */
interface Outcome {
  readonly row: Row
  readonly finding: Finding
  readonly seconds: number
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    directory: { type: 'string', default: tmpdir() },
    strict: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const tellEveryMs = 15_000
let toldAt = 0

if (values.help) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  const unknown = wanted().filter((id) => !rows.some((row) => row.id === id))
  const minutes = Number(values.minutes ?? 1)
  if (unknown.length > 0)
    refuse(`there is no row ${unknown.join(', ')}; there are ${rows.map(({ id }) => id).join(', ')}`)
  else if (!(minutes > 0)) refuse(`--minutes takes a number above 0, not ${values.minutes}`)
  else await runRows(rows.filter(({ id }) => values.only === undefined || wanted().includes(id)))
}

function wanted(): string[] {
  return (values.only ?? '').split(',').flatMap((id) => (id.trim() === '' ? [] : [id.trim().toUpperCase()]))
}

function refuse(why: string): void {
  console.error(`reliability: ${why}`)
  process.exitCode = 2
}

async function runRows(chosen: readonly Row[]): Promise<void> {
  const form: Form = values.full ? 'full' : values.short ? 'short' : 'middle'
  const run = await openRun({
    form,
    minutes: values.minutes === undefined ? undefined : Number(values.minutes),
    directory: values.directory,
    progress,
  })
  const outcomes: Outcome[] = []
  for (const row of chosen) {
    const startedAt = performance.now()
    const finding = await row.run(run.scope(row.id)).catch(brokenDown)
    const outcome = { row, finding, seconds: (performance.now() - startedAt) / 1000 }
    outcomes.push(outcome)
    progress('')
    console.log(lineOf(outcome))
    for (const fault of finding.faults) console.log(`      broken: ${fault}`)
    for (const slow of finding.slow ?? []) console.log(`      late: ${slow}`)
  }
  await run.close()
  console.log(`\n| row | done | figure | verdict |\n| --- | --- | --- | --- |`)
  for (const { row, finding } of outcomes) {
    console.log(`| ${row.id} | ${finding.did} | ${finding.figure} | ${verdictOf(finding)} |`)
  }
  const isBroken = outcomes.some(({ finding }) => finding.faults.length > 0)
  const isLate = outcomes.some(({ finding }) => (finding.slow ?? []).length > 0)
  process.exitCode = isBroken || (values.strict && isLate) ? 1 : 0
}

/** A row that could not be run to its end has kept no promise. */
function brokenDown(error: unknown): Finding {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { did: 'broke off', figure: '', faults: [text] }
}

function lineOf({ row, finding, seconds }: Outcome): string {
  return `${row.id.padEnd(4)}  ${verdictOf(finding)}: ${row.promise}\n      ${finding.did}: ${finding.figure} (${seconds.toFixed(0)} s)`
}

function verdictOf({ faults, slow = [], obstacle }: Finding): string {
  if (faults.length > 0) return 'missed'
  if (obstacle !== undefined) return `cannot be reached here: ${obstacle}`
  return slow.length > 0 ? 'met, late' : 'met'
}

/** On a terminal one line that changes, elsewhere a new one now and then. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
  else if (text !== '' && performance.now() - toldAt > tellEveryMs) {
    toldAt = performance.now()
    console.error(`  ... ${text}`)
  }
}
