import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { type SectionName, sectionNames } from './sections.js'

/** What the command line asks for. */
export interface BenchOptions {
  /** Short rounds and small stores, for CI: it shows that everything works and what is far off. */
  readonly quick: boolean
  /** Length of a round. */
  readonly seconds: number
  readonly rounds: number
  readonly connections: readonly number[]
  readonly only: readonly SectionName[]
  /** Parent of the temporary data folders: the disk that is measured. */
  readonly directory: string
  /** End with 1 when a bar is missed, not only when something broke. */
  readonly strict: boolean
}

const defaultConnections = [1, 16, 64, 256]
const optional: readonly SectionName[] = ['large']

const help = `npm run bench -- [options]

Measures Graphpost beside a bare node:http server and beside what SQLite allows, in one run on one machine, and says
which of the promises in docs/performance.md are met. Read ratios, not rates.

  --quick            short rounds and small stores, about half a minute in all
  --seconds N        length of a round (2; quick: 0.3)
  --rounds N         rounds, interleaved between the servers (3; quick: 1)
  --connections LIST connections to measure with (${defaultConnections.join(',')})
  --only LIST        of ${sectionNames.join(', ')}
                     (all but ${optional.join(', ')}, which keeps a million messages first)
  --directory DIR    where the temporary data folders go (${tmpdir()})
  --strict           exit code 1 when a bar is missed; without it only when something broke or mail was lost
  --help
`

/**
 * Options from the command line; `undefined` when it asked for help, which was printed.
 *
 * @throws Error naming the option that was not understood
 */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      connections: { type: 'string' },
      only: { type: 'string' },
      directory: { type: 'string', default: tmpdir() },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return undefined
  }
  const { quick, directory, strict } = values
  return {
    quick,
    directory,
    strict,
    seconds: positive('--seconds', values.seconds ?? (quick ? '0.3' : '2')),
    rounds: positive('--rounds', values.rounds ?? (quick ? '1' : '3')),
    connections: values.connections?.split(',').map((one) => positive('--connections', one)) ?? defaultConnections,
    only: values.only?.split(',').map(sectionName) ?? sectionNames.filter((name) => !optional.includes(name)),
  }
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`${option} takes a number above 0, not "${text}".`)
  return value
}

function sectionName(text: string): SectionName {
  const name = sectionNames.find((one) => one === text)
  if (name === undefined) throw new Error(`--only takes of ${sectionNames.join(', ')}, not "${text}".`)
  return name
}
