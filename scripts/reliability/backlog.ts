/** R16: the next server is down, and 100,000 mails wait for it; then it is up again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { remoteOnly, sendMailRequests } from '../../bench/mail-request.js'
import { type LoadGenerator, startLoadGenerator } from '../../bench/processes.js'
import { figuresOf, mebibytes } from './process-figures.js'
import { type RecordingSink, startRecordingSink } from './recording-sink.js'
import type { Finding, Row, Scope } from './row.js'
import { type Server, startServer } from './server.js'
import { countOpen } from './store-file.js'
import { dayWithoutRelay } from './waiting.js'

/** Of the goal table. */
const bars = { acceptShare: 0.8, drainShare: 0.8, readyMs: 3_000, moreBytes: 150 * 1_048_576 }
/** Of the backlog: the first and the last of it are accepted at rates that are compared. */
const compared = 0.1
const connections = 64
const drainLimitMs = 1_800_000

export const backlog: Row = {
  id: 'R16',
  promise: 'a long queue to a server that is down: mail is still accepted, a restart is quick, and then it drains',
  inTests: true,
  run: async (scope) => {
    const queue = await longQueue(scope, scope.pick(500, 10_000, 100_000))
    const day = await dayWithoutRelay(scope)
    return {
      did: `${queue.did}; ${day.did}`,
      figure: `${queue.figure}; ${day.figure}`,
      faults: [...queue.faults, ...day.faults],
      slow: queue.slow ?? [],
    }
  },
}

async function longQueue(scope: Scope, mails: number): Promise<Finding> {
  const folder = await scope.folder('data')
  let isUp = true
  const sink = await startRecordingSink(() => (isUp ? undefined : 'drop'))
  const args = ['--relay', sink.url, '--log-level', 'silent', '--retry-schedule', Array(500).fill('5s').join(',')]
  const load = startLoadGenerator(undefined)
  try {
    const part = Math.round(mails * compared)
    const first = startServer({ folder, args })
    await first.ready
    const usual = await usualDrain({ scope, load, server: first, sink, mails: part })
    const usualBytes = (await figuresOf(first.pid))?.bytes ?? 0

    isUp = false
    const rates: number[] = []
    for (let step = 0; step < 1 / compared; step++) {
      scope.progress(`queueing, ${step * part} of ${mails} wait`)
      rates.push(await accept(scope, load, first, part))
    }
    await first.end('SIGTERM')

    scope.progress(`starting with ${mails} mails in the queue`)
    const again = startServer({ folder, args })
    await again.ready
    const readyMs = again.readyMs() ?? 0
    const open = countOpen(folder)
    isUp = true
    const beganAt = performance.now()
    const before = sink.taken
    let most = 0
    while (countOpen(folder) > 0 && performance.now() - beganAt < drainLimitMs) {
      most = Math.max(most, (await figuresOf(again.pid))?.bytes ?? 0)
      scope.progress(`draining, ${sink.taken - before} of ${mails} taken`)
      await sleep(200)
    }
    const drain = (sink.taken - before) / ((performance.now() - beganAt) / 1_000)
    await again.end('SIGTERM')

    const ids = new Set([...sink.arrivals.values()].flatMap((all) => all.map(({ messageId }) => messageId)))
    const share = (rates.at(-1) ?? 0) / (rates[0] ?? 1)
    const left = countOpen(folder)
    return {
      did: `${mails} mails queued while the next server is down`,
      figure: [
        `accepted ${Math.round(rates[0] ?? 0)}/s at first, ${Math.round(rates.at(-1) ?? 0)}/s at the end`,
        `ready after a restart in ${Math.round(readyMs)} ms`,
        `drained ${Math.round(drain)}/s (usual ${Math.round(usual)}/s)`,
        `memory ${mebibytes(usualBytes)} without a queue, ${mebibytes(most)} at most with it`,
      ].join('; '),
      faults: [
        ...(open === mails ? [] : [`${open} entries waited after the restart, not ${mails}`]),
        ...(left > 0 ? [`${left} entries never left`] : []),
        ...(ids.size === mails + part ? [] : [`${ids.size} mails arrived, and ${mails + part} were accepted`]),
        ...(sink.taken === ids.size ? [] : [`${sink.taken - ids.size} mails went twice`]),
      ],
      slow: [
        ...(share < bars.acceptShare ? [`the accept rate fell to ${Math.round(share * 100)} %`] : []),
        ...(drain < usual * bars.drainShare
          ? [`it drained at ${Math.round((drain / usual) * 100)} % of the usual rate`]
          : []),
        ...(readyMs > bars.readyMs ? [`ready after ${Math.round(readyMs)} ms`] : []),
        ...(most > usualBytes + bars.moreBytes ? [`${mebibytes(most - usualBytes)} more memory`] : []),
      ],
    }
  } finally {
    await load.stop()
    await sink.close()
  }
}

interface Drain {
  readonly scope: Scope
  readonly load: LoadGenerator
  readonly server: Server
  readonly sink: RecordingSink
  readonly mails: number
}

/** Mails a second that leave while they come in. */
async function usualDrain({ scope, load, server, sink, mails }: Drain): Promise<number> {
  scope.progress('the usual rate')
  const startedAt = performance.now()
  await accept(scope, load, server, mails)
  while (sink.taken < mails) await sleep(10)
  return mails / ((performance.now() - startedAt) / 1_000)
}

/** @returns mails accepted a second */
async function accept(scope: Scope, load: LoadGenerator, server: Server, mails: number): Promise<number> {
  const result = await load.run({
    port: Number(new URL(await server.ready).port),
    connections,
    flow: { kind: 'single', requests: sendMailRequests([scope.token], remoteOnly) },
    warmUpMs: 0,
    measureMs: 3_600_000,
    operations: mails,
  })
  if (result.accepted !== mails) throw new Error(`${result.accepted} of ${mails} mails were accepted`)
  return mails / (result.measuredMs / 1_000)
}
