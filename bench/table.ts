import { type Measurement, median, type Rounds, ratio, type Target } from './rounds.js'

/** One line of a table: the promises it is for, what it is, and one cell for each number of connections. */
interface Row {
  readonly promises: string
  readonly label: string
  readonly cell: (connections: number) => string
}

/** A table with one column for each number of connections, as lines. */
export function connectionTable(title: string, connections: readonly number[], rows: readonly Row[]): string[] {
  const cells = rows.map((row) => [row.promises, row.label, ...connections.map(row.cell)])
  const head = ['', 'connections', ...connections.map(String)]
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((row) => (row[column] ?? '').length)))
  const lines = [head, ...cells].map((row) =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
  return [title, ...lines]
}

/** `12,345 0.31/3.06`: median rate of the rounds; p50 and p99 of all rounds, ms. */
export function rateRow(promises: string, rounds: Rounds, target: Target): Row {
  return measuredRow(promises, target.name, rounds, target, ({ rates, latency }) => {
    const [p50, p99] = [0.5, 0.99].map((fraction) => milliseconds(latency.percentile(fraction)))
    return `${whole(median(rates))} ${p50}/${p99}`
  })
}

/** The rate of one target as a share of another's. */
export function ratioRow(promises: string, rounds: Rounds, of: Target, to: Target): Row {
  return {
    promises,
    label: `  of ${to.name}`,
    cell: (connections) => ratio(rounds.get(of, connections), rounds.get(to, connections)).toFixed(2),
  }
}

/** Slowest and fastest round. */
export function spreadRow(rounds: Rounds, target: Target): Row {
  return measuredRow('', '  slowest .. fastest round', rounds, target, ({ rates }) => {
    return `${whole(Math.min(...rates))} .. ${whole(Math.max(...rates))}`
  })
}

/** CPU time of the server's process for one mail, µs. */
export function cpuRow(rounds: Rounds, target: Target): Row {
  return measuredRow('', '  CPU µs each', rounds, target, ({ cpuMicrosEach }) => {
    return cpuMicrosEach.length === 0 ? '-' : whole(median(cpuMicrosEach))
  })
}

/** Mails a second until all of them had arrived where they go. */
export function settledRow(promises: string, rounds: Rounds, target: Target): Row {
  return measuredRow(promises, '  accepted and delivered/s', rounds, target, ({ settledRates }) => {
    return whole(median(settledRates))
  })
}

/** How busy the generator was; where it nears 100 %, the rate above is its own and not the server's. */
export function generatorRow(rounds: Rounds, target: Target): Row {
  return measuredRow('', '  generator busy', rounds, target, ({ generatorBusy }) => `${whole(generatorBusy * 100)} %`)
}

/** No decimals, thousands separated. */
export function whole(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

function measuredRow(
  promises: string,
  label: string,
  rounds: Rounds,
  target: Target,
  text: (measurement: Measurement) => string,
): Row {
  return { promises, label, cell: (connections) => text(rounds.get(target, connections)) }
}

function milliseconds(micros: number): string {
  const value = micros / 1000
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}
