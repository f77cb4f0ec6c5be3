/**
 * The load generator, a process of its own: as many keep-alive connections as asked, each with one request at a time
 * (closed loop). It is ours because it must cost less CPU than the server it measures, and must come with `npm ci`.
 *
 * It takes a `LoadJob` from its parent by IPC and answers each with a `LoadResult`.
 */
import { connect, type Socket } from 'node:net'
import { startFlow } from './flow.js'
import { Histogram } from './histogram.js'
import type { LoadJob, LoadResult } from './load-job.js'
import { ResponseSplitter } from './response-splitter.js'

/** How long after its end a job waits for the answers still outstanding, ms. */
const drainMs = 10_000

/** Shared by all connections: a read and what we do with it are one turn, so no two use it at once. */
const readBuffer = Buffer.allocUnsafe(256 * 1024)

/** What all connections of a job count together. */
interface Tally {
  readonly latency: Histogram
  readonly statuses: Map<number, number>
  measured: number
  begun: number
  accepted: number
  lost: number
  stopped: boolean
  /** performance.now() from which and until which an operation's end is measured. */
  readonly measureFrom: number
  readonly measureUntil: number
}

async function runJob(job: LoadJob): Promise<LoadResult> {
  const now = performance.now()
  const tally: Tally = {
    latency: new Histogram(),
    statuses: new Map(),
    measured: 0,
    begun: 0,
    accepted: 0,
    lost: 0,
    stopped: false,
    measureFrom: now + job.warmUpMs,
    measureUntil: now + job.warmUpMs + job.measureMs,
  }
  let cpu = process.cpuUsage()
  const atMeasure = setTimeout(() => {
    cpu = process.cpuUsage()
  }, job.warmUpMs)
  let busyMicros = 0
  const atEnd = setTimeout(() => {
    tally.stopped = true
    busyMicros = cpuSince(cpu)
  }, job.warmUpMs + job.measureMs)

  await Promise.all(Array.from({ length: job.connections }, (_, index) => runConnection(job, index, tally)))

  // Before the end only when the count was reached, or when every connection was lost.
  const endedAt = Math.min(performance.now(), tally.measureUntil)
  if (!tally.stopped) busyMicros = cpuSince(cpu)
  clearTimeout(atMeasure)
  clearTimeout(atEnd)
  const measuredMs = Math.max(1, endedAt - tally.measureFrom)
  return {
    measured: tally.measured,
    measuredMs,
    latency: tally.latency.counts(),
    accepted: tally.accepted,
    statuses: Object.fromEntries(tally.statuses),
    lost: tally.lost,
    generatorBusy: busyMicros / 1000 / measuredMs,
  }
}

/** Resolves when the connection asked its last and got the answer, or was lost. */
function runConnection(job: LoadJob, index: number, tally: Tally): Promise<void> {
  return new Promise((resolve) => {
    const { flow, keepsBody } = startFlow(job.flow, index)
    const splitter = new ResponseSplitter({ keepBody: keepsBody })
    let startedAt = 0
    let done = false

    function finish(lost: boolean): void {
      if (done) return
      done = true
      if (lost) tally.lost += 1
      clearTimeout(deadline)
      socket.destroy()
      resolve()
    }

    function begin(): void {
      if (tally.stopped || (job.operations !== undefined && tally.begun >= job.operations)) {
        finish(false)
        return
      }
      tally.begun += 1
      startedAt = performance.now()
      socket.write(flow.begin())
    }

    function onBytes(count: number, bytes: Uint8Array): boolean {
      try {
        const answer = splitter.push((bytes as Buffer).subarray(0, count))
        if (answer === undefined || done) return true
        tally.statuses.set(answer.status, (tally.statuses.get(answer.status) ?? 0) + 1)
        const next = flow.proceed(answer)
        if (next !== undefined) {
          socket.write(next)
          return true
        }
        if (answer.status < 300) countOperation(tally, startedAt)
        begin()
      } catch (error) {
        console.error(error)
        finish(true)
      }
      return true
    }

    const socket: Socket = connect({
      host: '127.0.0.1',
      port: job.port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: onBytes },
    })
    const deadline = setTimeout(() => finish(true), job.warmUpMs + job.measureMs + drainMs)
    socket.once('connect', begin)
    socket.once('error', () => finish(true))
    socket.once('close', () => finish(true))
  })
}

function countOperation(tally: Tally, startedAt: number): void {
  const now = performance.now()
  tally.accepted += 1
  if (now < tally.measureFrom || now >= tally.measureUntil) return
  tally.measured += 1
  tally.latency.record((now - startedAt) * 1000)
}

/** CPU time of this process since then, µs. */
function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

process.on('message', (job: LoadJob) => {
  runJob(job).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit())
