/** R15: a steady load for as long as one likes; memory and descriptors must stay where they were. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openCaller } from './caller.js'
import { drained } from './kills.js'
import { mailBody, planMail } from './ledger.js'
import { percentile } from './percentile.js'
import { figuresOf, mebibytes, type ProcessFigures } from './process-figures.js'
import { startRecordingSink } from './recording-sink.js'
import type { Finding, Row } from './row.js'
import { startServer } from './server.js'
import { askStore } from './store-file.js'

/** Mails a second: a million an hour. */
const rate = 280
const connections = 16
/** Of the whole time: warming up, and each of the two parts that are compared. */
const parts = { warmUp: 1 / 6, compared: 1 / 6 }
const growthBar = 1.1
/** A second's answers are counted before those after it. */
const sampleMs = 1_000
/** Descriptors come and go by a few: connections to the next server. */
const descriptorMargin = 40

interface Sample extends ProcessFigures {
  /** Of the whole time, 0 to 1. */
  readonly at: number
}

export const soak: Row = {
  id: 'R15',
  promise: 'a steady load for an hour: no answer of 5xx, nothing lost, memory and descriptors flat',
  inTests: true,
  run: async (scope) => {
    const totalMs = (scope.minutes ?? scope.pick(1 / 12, 1, 60)) * 60_000
    const folder = await scope.folder('data')
    const sink = await startRecordingSink()
    const server = startServer({ folder, args: ['--relay', sink.url, '--log-level', 'silent'] })
    const caller = openCaller(await server.ready, scope.token)
    const [samples, statuses] = [[] as Sample[], new Map<number, number>()]
    const latencies: [first: number[], last: number[]] = [[], []]
    const startedAt = performance.now()
    const passed = () => (performance.now() - startedAt) / totalMs
    let number = 0
    const oneConnection = async (index: number) => {
      const paceMs = (connections * 1_000) / rate
      for (let turn = 0; passed() < 1; turn++) {
        const wait = startedAt + (turn + index / connections) * paceMs - performance.now()
        if (wait > 0) await sleep(wait)
        const mail = number++
        const askedAt = performance.now()
        const { status } = await caller.call('POST', '/v1.0/me/sendMail', mailBody(`mail ${mail}`, planMail(mail)))
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        const part = partOf(passed())
        if (part !== undefined) latencies[part].push(performance.now() - askedAt)
      }
    }
    const sampling = (async () => {
      while (passed() < 1) {
        await sleep(sampleMs)
        const figures = await figuresOf(server.pid)
        if (figures !== undefined) samples.push({ ...figures, at: passed() })
        scope.progress(`${Math.round(passed() * 100)} %, ${number} mails, ${mebibytes(figures?.bytes ?? 0)}`)
      }
    })()
    await Promise.all([sampling, ...Array.from({ length: connections }, (_, index) => oneConnection(index))])
    const seconds = (performance.now() - startedAt) / 1_000
    caller.close()
    const faults = await drained(folder)
    await server.end('SIGTERM')
    await sink.close()
    const accepted = statuses.get(202) ?? 0
    if (accepted !== number) faults.push(`answers other than 202: ${[...statuses].map(String).join(' ')}`)
    faults.push(...missing(folder, accepted, sink.arrivals))
    return {
      ...compared(samples, latencies),
      did: described(accepted, seconds),
      faults: [...faults, ...leaks(samples)],
    }
  },
}

function described(accepted: number, seconds: number): string {
  return `${accepted} mails in ${(seconds / 60).toFixed(1)} min, ${Math.round(accepted / seconds)} a second`
}

/** The first part after the warm-up, or the last. */
function partOf(at: number): 0 | 1 | undefined {
  if (at >= 1 - parts.compared) return 1
  return at >= parts.warmUp && at < parts.warmUp + parts.compared ? 0 : undefined
}

function compared(samples: readonly Sample[], latencies: readonly (readonly number[])[]): Finding {
  const [first, last] = ([0, 1] as const).map((part) => samples.filter(({ at }) => partOf(at) === part))
  const mean = (some: readonly Sample[] | undefined, of: (sample: Sample) => number) =>
    (some ?? []).reduce((sum, sample) => sum + of(sample), 0) / Math.max(1, some?.length ?? 0)
  const memory = [mean(first, ({ bytes }) => bytes), mean(last, ({ bytes }) => bytes)] as const
  const descriptors = [mean(first, (each) => each.descriptors), mean(last, (each) => each.descriptors)] as const
  const p99 = latencies.map((each) => percentile(each, 0.99))
  const growth = memory[1] / memory[0]
  const figure = `p99 ${p99[0]?.toFixed(0)} and ${p99[1]?.toFixed(0)} ms`
  if (samples.length === 0) return { did: '', figure, faults: [], obstacle: 'without /proc nobody says what it holds' }
  return {
    did: '',
    figure: [
      `memory ${mebibytes(memory[0])} after warm-up, ${mebibytes(memory[1])} at the end`,
      `descriptors ${descriptors[0].toFixed(0)} and ${descriptors[1].toFixed(0)}`,
      figure,
    ].join('; '),
    faults: [],
    slow: growth > growthBar ? [`memory grew by ${Math.round((growth - 1) * 100)} %`] : [],
  }
}

/** Descriptors that are not given back. */
function leaks(samples: readonly Sample[]): string[] {
  const first = samples.find(({ at }) => at >= parts.warmUp)?.descriptors
  const last = samples.at(-1)?.descriptors
  if (first === undefined || last === undefined || last <= first + descriptorMargin) return []
  return [`descriptors went from ${first} to ${last}`]
}

function missing(
  folder: string,
  accepted: number,
  arrivals: ReadonlyMap<string, readonly { readonly recipients: readonly string[] }[]>,
): string[] {
  const wanted = Array.from({ length: accepted }, (_, number) => [`mail ${number}`, planMail(number)] as const)
  const lost = wanted.filter(([subject, { remote }]) => {
    const got = new Set(arrivals.get(subject)?.flatMap(({ recipients }) => recipients))
    return remote.some((address) => !got.has(address))
  })
  const kept = askStore(
    folder,
    (rows) => rows<{ count: number }>('select count(*) as count from messages')[0]?.count ?? 0,
  )
  const local = wanted.filter(([, { isLocal }]) => isLocal).length
  return [
    ...(lost.length > 0 ? [`${lost.length} accepted mails did not arrive elsewhere`] : []),
    ...(kept === accepted + local ? [] : [`${kept} messages are kept, and should be ${accepted + local}`]),
  ]
}
