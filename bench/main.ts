/**
 * `npm run bench`: what Graphpost does in a second, beside a bare server on the same machine in the same run, and
 * which of its promises about speed it keeps. `docs/performance.md` explains every line it prints.
 */
import { cpus } from 'node:os'
import { accept } from './accept.js'
import { bars, type Finding, findingLine, isMet } from './bars.js'
import { type Bench, makeRoot, makeTokens, removeFolder, type Section } from './bench.js'
import { deliver } from './deliver.js'
import { delivery } from './delivery.js'
import { drafts } from './drafts.js'
import { large } from './large.js'
import { list } from './list.js'
import { findCores, isInMemory } from './machine.js'
import { mailBytes } from './mail-request.js'
import { mailbox } from './mailbox.js'
import { memory } from './memory.js'
import { type BenchOptions, readOptions } from './options.js'
import { startLoadGenerator } from './processes.js'
import { proof } from './proof.js'
import { queries } from './queries.js'
import { type SectionName, sectionNames } from './sections.js'
import { start } from './start.js'
import { syncs } from './syncs.js'
import { whole } from './table.js'
import { token } from './token.js'
import { upload } from './upload.js'

const sections: Record<SectionName, Section> = {
  accept,
  token,
  delivery,
  deliver,
  proof,
  syncs,
  memory,
  mailbox,
  list,
  queries,
  drafts,
  upload,
  start,
  large,
}

/** Runs what the options ask for and prints it; returns the exit code. */
async function run(options: BenchOptions): Promise<number> {
  const cores = findCores()
  const pinned = typeof cores === 'string' ? undefined : cores
  const root = await makeRoot(options.directory)
  // Ctrl-C ends the children by the exit hooks of each; the folder is ours to remove.
  process.once('SIGINT', () => void removeFolder(root).finally(() => process.exit(130)))
  const load = startLoadGenerator(pinned?.generator)
  try {
    print(await header(options, cores))
    const bench: Bench = { options, cores: pinned, load, tokens: await makeTokens(root), root, progress }
    const { findings, failures } = await runSections(bench)
    print(['', 'Promises', ...allBars(findings).map(findingLine)])
    print(failures.map((failure) => `BROKEN  ${failure}`))
    if (failures.length > 0) return 1
    return options.strict && findings.some((finding) => isMet(finding) === false) ? 1 : 0
  } finally {
    await load.stop()
    await removeFolder(root)
  }
}

async function runSections(bench: Bench): Promise<{ findings: Finding[]; failures: string[] }> {
  const findings: Finding[] = []
  const failures: string[] = []
  for (const name of sectionNames.filter((one) => bench.options.only.includes(one))) {
    const report = await sections[name](bench)
    if (report.lines.length > 0) print(['', ...report.lines])
    findings.push(...report.findings)
    failures.push(...report.failures)
  }
  return { findings, failures }
}

/** Every bar in the order of the table, those that this run did not look at too. */
function allBars(findings: readonly Finding[]): Finding[] {
  return (Object.keys(bars) as (keyof typeof bars)[]).map(
    (bar) => findings.find((finding) => finding.bar === bar) ?? { bar, value: undefined },
  )
}

async function header(options: BenchOptions, cores: ReturnType<typeof findCores>): Promise<string[]> {
  const where =
    typeof cores === 'string' ? cores : `server on core ${cores.server}, generator on core ${cores.generator}`
  const lines = [
    `node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${where}`,
    `${options.rounds} rounds of ${options.seconds} s, mails of ${whole(mailBytes)} bytes of JSON, data in ${options.directory}`,
  ]
  if (await isInMemory(options.directory))
    lines.push('The data folder is in memory: nothing here is durable (--directory).')
  return lines
}

function print(lines: readonly string[]): void {
  for (const line of lines) console.log(line)
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}\r`)
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options !== undefined) process.exitCode = await run(options)
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}
