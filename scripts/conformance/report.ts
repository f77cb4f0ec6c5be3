import type { ListFaults } from './not-yet-list.js'
import type { ModelComparison } from './published-model.js'
import type { Outcome } from './replay.js'

/** Counts of one source of exchanges. */
interface Counts {
  readonly covered: number
  readonly passed: number
  readonly notYet: number
  readonly setAside: number
}

function countsOf(outcomes: readonly Outcome[]): Counts {
  const count = (kind: Outcome['kind']) => outcomes.filter((outcome) => outcome.kind === kind).length
  const passed = count('passed')
  return { covered: passed + count('failed'), passed, notYet: count('notYet'), setAside: count('setAside') }
}

/** One line for each difference of each exchange that failed. */
export function failureLines(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.kind !== 'failed') return []
    return outcome.faults.map((fault) => `FAILED ${outcome.exchange.name} (${outcome.scenario}): ${oneLine(fault)}`)
  })
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ')
}

/** What is not replayed: by name, those set aside under their reasons. */
export function uncoveredLines(outcomes: readonly Outcome[]): string[] {
  const notYet = outcomes.flatMap(({ kind, exchange }) => (kind === 'notYet' ? [`  ${exchange.name}`] : []))
  const byReason = new Map<string, string[]>()
  for (const outcome of outcomes) {
    if (outcome.kind !== 'setAside') continue
    byReason.set(outcome.reason, [...(byReason.get(outcome.reason) ?? []), outcome.exchange.name])
  }
  const aside = [...byReason].flatMap(([reason, names]) => [`  ${reason}:`, ...names.map((name) => `    ${name}`)])
  return [
    ...(notYet.length === 0 ? [] : ['Not yet:', ...notYet]),
    ...(aside.length === 0 ? [] : ['Set aside, not to be replayed:', ...aside]),
  ]
}

/** How the committed list disagrees with the run. */
export function listLines({ unlisted, stale, unknown }: ListFaults, file: string): string[] {
  return [
    ...unlisted.map((name) => `NOT LISTED ${name} is not covered and not in ${file}`),
    ...stale.map((name) => `STALE ${name} is covered: take it out of ${file}`),
    ...(unknown.length === 0 ? [] : [`${unknown.length} names in ${file} are not in this data`]),
  ]
}

/** The three counts, of each source and of all. */
export function countLines(outcomes: readonly Outcome[]): string[] {
  const of = (source: string) => outcomes.filter(({ exchange }) => exchange.source === source)
  const rows = [
    ['recordings', countsOf(of('recording'))],
    ['examples', countsOf(of('example'))],
    ['together', countsOf(outcomes)],
  ] as const
  return rows.map(([name, { covered, passed, notYet, setAside }]) => {
    const numbers = [`covered ${pad(covered)}`, `passed ${pad(passed)}`, `not yet ${pad(notYet + setAside)}`]
    return `${name.padEnd(10)}  ${numbers.join('   ')} (of these ${setAside} set aside with a reason)`
  })
}

function pad(number: number): string {
  return String(number).padStart(3)
}

/** How our `$metadata` stands to the published one: every fault, and what is not there by name and in number. */
export function modelLines(version: string, { faults, lacks, shared }: ModelComparison): string[] {
  const name = `$metadata ${version}`
  return [
    ...faults.map((fault) => `${name}: ${fault}`),
    `${name}: ${shared} declarations as published, ${faults.length} otherwise; not ours: ${lacks.length}${lacks.map((each) => `\n  ${each}`).join('')}`,
  ]
}
