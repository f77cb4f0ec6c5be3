import { type Bench, waitUntilQuiet } from './bench.js'
import type { FlowPlan } from './flow.js'
import { Histogram } from './histogram.js'
import type { LoadJob, LoadResult } from './load-job.js'
import { cpuMicros } from './machine.js'

/** A server to be measured, and what it is asked. */
export interface Target {
  readonly name: string
  readonly pid: number
  readonly port: number
  readonly requests: readonly string[]
  /** Present: each request makes a draft, and these send it ({@link FlowPlan}). */
  readonly sends?: readonly string[]
  /**
   * Waits for what the server does after its answers, given how many mails it accepted in all; returns when that
   * ended, as of performance.now(). Without it: until the server uses no CPU.
   */
  readonly settle?: (acceptedInAll: number) => Promise<number>
}

/** What all rounds of one target at one number of connections gave. */
export interface Measurement {
  /** Operations a second, one for each round in their order. */
  readonly rates: number[]
  /** Of all rounds, µs. */
  readonly latency: Histogram
  /** Of the server with all its threads, what it did after its answers included; one for each round that could tell. */
  readonly cpuMicrosEach: number[]
  /** Operations a second until the server had nothing left to do; one for each round. */
  readonly settledRates: number[]
  /** The largest of any round. */
  generatorBusy: number
}

/** What a set of rounds gave. */
export interface Rounds {
  /** @throws Error when that was not measured */
  get(target: Target, connections: number): Measurement
  /** Mails a target accepted, warm-up included. */
  acceptedBy(target: Target): number
  /** What must not have happened, in words. */
  readonly failures: readonly string[]
}

/** Collects what the rounds bring. */
interface Collected {
  readonly measurements: Map<Target, Map<number, Measurement>>
  readonly accepted: Map<Target, number>
  readonly failures: string[]
}

/** Share of a round's length that is asked before measuring. */
const warmUpShare = 0.2

/** What a target is asked before its first round: so much that the compiler has seen the code, or for so long. */
const firstWarmUp = { operations: 20_000, longestMs: 4_000 }
const firstWarmUpWhenQuick = { operations: 5_000, longestMs: 1_500 }

/**
 * Measures all targets with each number of connections, in rounds that take turns (bare, ours, bare, ours ...), so
 * that a slow moment of the machine meets everyone.
 */
export async function measureRounds(
  bench: Bench,
  targets: readonly Target[],
  connections: readonly number[],
  options: { beforeRound?: () => void } = {},
): Promise<Rounds> {
  const collected: Collected = { measurements: new Map(), accepted: new Map(), failures: [] }
  for (const target of targets) await warmUp(bench, target, collected)
  for (let round = 1; round <= bench.options.rounds; round++) {
    options.beforeRound?.()
    for (const count of connections) {
      for (const target of targets) {
        bench.progress(`round ${round}, ${count} connections: ${target.name}`)
        await measureOnce(bench, target, count, collected)
      }
    }
  }
  return {
    get: (target, count) => {
      const measurement = collected.measurements.get(target)?.get(count)
      if (measurement === undefined) throw new Error(`${target.name} was not measured with ${count} connections.`)
      return measurement
    },
    acceptedBy: (target) => collected.accepted.get(target) ?? 0,
    failures: collected.failures,
  }
}

/** The middle one; of an even number the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2
}

/** How one target's rate compares with another's: the median of the rounds' ratios, each of two neighbours in time. */
export function ratio(of: Measurement, to: Measurement): number {
  return median(of.rates.map((rate, round) => rate / (to.rates[round] ?? Number.NaN)))
}

/** What must not have happened, in words. */
export function failuresOf(name: string, result: Pick<LoadResult, 'statuses' | 'lost'>): string[] {
  const others = Object.entries(result.statuses).filter(([status]) => !status.startsWith('2'))
  return [
    ...others.map(([status, count]) => `${name}: ${count} requests were answered ${status}`),
    ...(result.lost > 0 ? [`${name}: ${result.lost} connections were lost`] : []),
  ]
}

async function measureOnce(bench: Bench, target: Target, connections: number, collected: Collected): Promise<void> {
  const measureMs = bench.options.seconds * 1000
  const cpuBefore = cpuMicros(target.pid)
  const begunAt = performance.now()
  const result = await ask(bench, target, { connections, warmUpMs: measureMs * warmUpShare, measureMs }, collected)
  const endedAt = await settle(target, collected)
  const cpuAfter = cpuMicros(target.pid)

  const into = measurementOf(target, connections, collected)
  into.rates.push((result.measured / result.measuredMs) * 1000)
  into.settledRates.push((result.accepted / (endedAt - begunAt)) * 1000)
  into.latency.merge(result.latency)
  into.generatorBusy = Math.max(into.generatorBusy, result.generatorBusy)
  if (cpuBefore !== undefined && cpuAfter !== undefined && result.accepted > 0) {
    into.cpuMicrosEach.push((cpuAfter - cpuBefore) / result.accepted)
  }
}

async function warmUp(bench: Bench, target: Target, collected: Collected): Promise<void> {
  bench.progress(`warming up: ${target.name}`)
  const { operations, longestMs } = bench.options.quick ? firstWarmUpWhenQuick : firstWarmUp
  await ask(bench, target, { connections: 16, warmUpMs: 0, measureMs: longestMs, operations }, collected)
  await settle(target, collected)
}

type Asked = Pick<LoadJob, 'connections' | 'warmUpMs' | 'measureMs' | 'operations'>

async function ask(bench: Bench, target: Target, asked: Asked, collected: Collected): Promise<LoadResult> {
  const { port, requests, sends } = target
  const flow: FlowPlan = sends === undefined ? { kind: 'single', requests } : { kind: 'draftAndSend', requests, sends }
  const result = await bench.load.run({ port, flow, ...asked })
  collected.accepted.set(target, (collected.accepted.get(target) ?? 0) + result.accepted)
  collected.failures.push(...failuresOf(target.name, result))
  return result
}

function settle(target: Target, collected: Collected): Promise<number> {
  return target.settle?.(collected.accepted.get(target) ?? 0) ?? waitUntilQuiet(target.pid)
}

function measurementOf(target: Target, connections: number, { measurements }: Collected): Measurement {
  const ofTarget = measurements.get(target) ?? new Map<number, Measurement>()
  measurements.set(target, ofTarget)
  const found = ofTarget.get(connections)
  if (found !== undefined) return found
  const made = { rates: [], latency: new Histogram(), cpuMicrosEach: [], settledRates: [], generatorBusy: 0 }
  ofTarget.set(connections, made)
  return made
}
