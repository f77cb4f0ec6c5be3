import type { FlowPlan } from './flow.js'
import type { HistogramCounts } from './histogram.js'

/** What the generator is to do, as the parent process sends it. */
export interface LoadJob {
  /** On 127.0.0.1. */
  readonly port: number
  readonly connections: number
  readonly flow: FlowPlan
  /** Asked before measuring begins, ms. */
  readonly warmUpMs: number
  /** Measured, ms. With `operations`, the longest it may take. */
  readonly measureMs: number
  /** Stop after this many operations, warm-up included. */
  readonly operations?: number
}

/** What came of it. */
export interface LoadResult {
  /** Operations that ended with a 2xx within the measured time. */
  readonly measured: number
  readonly measuredMs: number
  /** Latencies of those, µs. */
  readonly latency: HistogramCounts
  /** Operations that ended with a 2xx, warm-up and the last ones in flight included: what the server promised to keep. */
  readonly accepted: number
  /** Answers of all requests by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Connections that ended before we closed them, or never began. */
  readonly lost: number
  /** Share of the measured time in which the generator was on a CPU; near 1 it, not the server, set the rate. */
  readonly generatorBusy: number
}
