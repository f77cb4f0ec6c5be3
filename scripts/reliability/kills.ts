/** R1 and R2: SIGKILL at random moments while mail is accepted and delivered. R3: SIGTERM at such moments. */
import { setTimeout as sleep } from 'node:timers/promises'
import { judge, type Window } from './judge.js'
import { flood, type Ledger } from './ledger.js'
import { percentile } from './percentile.js'
import { type PeerFault, startRecordingSink } from './recording-sink.js'
import type { Finding, Row, Scope } from './row.js'
import { type Server, startServer } from './server.js'
import { countOpen, openRecipients } from './store-file.js'

/** Connections of the load, in turns. */
const concurrencies = [8, 64]
/** How long a server lives under load, ms. */
const lifeMs = { shortest: 100, longest: 900 }
/** One kill in so many comes while the server starts, at any moment of what a start takes. */
const killAtStart = 5
const startMs = 400
/** Transactions under way when a process dies: no connection begins another before the result of its last is on disk. */
const maxRepeated = 20
/** For the goal table's "back in 2 s". */
const readyBarMs = 2_000
const stopBarMs = 30_000
const drainLimitMs = 600_000

export const kills: Row = {
  id: 'R1',
  promise: 'killed under load, nothing acknowledged is lost or half done, and copies come from the window alone',
  inTests: true,
  run: (scope) => endManyTimes(scope, { signal: 'SIGKILL', times: scope.pick(4, 20, 200) }),
}

export const killsBesideFaultyPeer: Row = {
  id: 'R2',
  promise: 'the same while one answer in twenty of the next server is at fault',
  inTests: true,
  run: (scope) => endManyTimes(scope, { signal: 'SIGKILL', times: scope.pick(3, 12, 100), faultShare: 0.05 }),
}

export const stops: Row = {
  id: 'R3',
  promise: 'stopped under load by SIGTERM, nothing is lost and nothing goes twice',
  inTests: true,
  run: (scope) => endManyTimes(scope, { signal: 'SIGTERM', times: scope.pick(3, 12, 100) }),
}

interface Endings {
  readonly signal: 'SIGKILL' | 'SIGTERM'
  readonly times: number
  /** Of the next server's answers, 0 to 1. */
  readonly faultShare?: number
}

async function endManyTimes(scope: Scope, { signal, times, faultShare = 0 }: Endings): Promise<Finding> {
  const folder = await scope.folder('data')
  let share = faultShare
  const sink = await startRecordingSink((isDot) => (Math.random() < share ? anyFault(isDot) : undefined))
  // Never given up within a run, however many lives it has.
  const args = ['--relay', sink.url, '--log-level', 'silent', '--retry-schedule', Array(500).fill('200ms').join(',')]
  const start = () => {
    sink.generation++
    return startServer({ folder, args })
  }
  const ledger: Ledger = new Map()
  const windows: Window[] = []
  const readyMs: number[] = []
  const stopMs: number[] = []
  const faults: string[] = []
  try {
    for (let round = 0; round < times; round++) {
      scope.progress(`${signal} ${round + 1} of ${times}, ${ledger.size} mails so far`)
      const server = start()
      const isAtStart = signal === 'SIGKILL' && round % killAtStart === killAtStart - 1
      if (isAtStart) await sleep(Math.random() * startMs)
      else faults.push(...(await loadUntil(signal, { server, round, ledger, token: scope.token, stopMs })))
      if (isAtStart) await server.end('SIGKILL')
      if (server.readyMs() !== undefined) readyMs.push(server.readyMs() ?? 0)
      await sink.silence()
      windows.push({ generation: sink.generation, open: signal === 'SIGKILL' ? openRecipients(folder) : new Set() })
    }
    share = 0
    scope.progress('draining')
    const last = start()
    await last.ready
    readyMs.push(last.readyMs() ?? 0)
    faults.push(...(await drained(folder)))
    await last.end('SIGTERM')
    const { acknowledged, lost, halfDone, copies, mostPerKill, faults: found } = judge(folder, ledger, sink, windows)
    faults.push(...found)
    if (mostPerKill > maxRepeated) faults.push(`one kill led to ${mostPerKill} transactions that were repeated`)
    if (acknowledged < times) faults.push(`only ${acknowledged} mails were acknowledged: there was no load`)
    const ready = percentile(readyMs, 0.99)
    const longestStop = Math.max(0, ...stopMs)
    return {
      did: `${times} ${signal}, ${ledger.size} mails sent at concurrency ${concurrencies.join(' and ')}`,
      figure: [
        `${acknowledged} acknowledged, lost ${lost}, half done ${halfDone}`,
        `copies ${copies.byKill} by kills (of at most ${mostPerKill} transactions a kill)`,
        ...(faultShare > 0 ? [`${copies.byPeer} by the peer`] : []),
        `${copies.unexcused} unexcused`,
        `ready again in ${Math.round(percentile(readyMs, 0.5))} ms (p99 ${Math.round(ready)})`,
        ...(stopMs.length > 0 ? [`longest stop ${Math.round(longestStop)} ms`] : []),
      ].join('; '),
      faults,
      slow: [
        ...(ready > readyBarMs ? [`ready again after ${Math.round(ready)} ms`] : []),
        ...(longestStop > stopBarMs ? [`a stop took ${Math.round(longestStop)} ms`] : []),
      ],
    }
  } finally {
    await sink.close()
  }
}

interface Life {
  readonly server: Server
  readonly round: number
  readonly ledger: Ledger
  readonly token: string
  readonly stopMs: number[]
}

/** Loads a server and ends it in the middle of that. @returns answers that should not have been */
async function loadUntil(signal: 'SIGKILL' | 'SIGTERM', life: Life): Promise<string[]> {
  const { server, round, ledger, token, stopMs } = life
  const connections = concurrencies[round % concurrencies.length] ?? 8
  const load = flood(await server.ready, token, { ledger, round, connections, mayStop: signal === 'SIGTERM' })
  await sleep(lifeMs.shortest + Math.random() * (lifeMs.longest - lifeMs.shortest))
  const endedAt = performance.now()
  const code = await server.end(signal)
  if (signal === 'SIGTERM') stopMs.push(performance.now() - endedAt)
  load.stop()
  const wrong = await load.done
  return signal === 'SIGTERM' && code !== 0 ? [...wrong, `SIGTERM ended it with ${code}`] : wrong
}

/** Waits until the outbox of a running server is empty. @returns what stays in it */
export async function drained(folder: string): Promise<string[]> {
  const until = performance.now() + drainLimitMs
  while (countOpen(folder) > 0) {
    if (performance.now() > until) return [`${countOpen(folder)} entries of the outbox were never closed`]
    await sleep(100)
  }
  return []
}

const commonFaults: readonly PeerFault[] = ['later', 'closing', 'nonsense', 'slow', 'drop']

function anyFault(isDot: boolean): PeerFault {
  const faults: readonly PeerFault[] = isDot ? [...commonFaults, 'drop taken'] : commonFaults
  return faults[Math.floor(Math.random() * faults.length)] ?? 'drop'
}
