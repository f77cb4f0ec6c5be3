/** R12: the clock is set while mail waits for its next try. R16, second part: the next server is down for a day. */
import { mailBody } from './ledger.js'
import { type MovedServer, startMovedServer } from './moved-server.js'
import { type RecordingSink, startRecordingSink } from './recording-sink.js'
import type { Finding, Row, Scope } from './row.js'
import { countOpen } from './store-file.js'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Longest wait of the default schedule, and what chance adds to it. */
const longestWaitMs = 1.5 * 4_000_000
/** Callers that send at once. */
const callers = 16

const shifts: readonly (readonly [name: string, ms: number])[] = [
  ['+1 h', hourMs],
  ['+1 day', dayMs],
  ['-1 h', -hourMs],
  ['-1 day', -dayMs],
  ['+30 years', 30 * 365.25 * dayMs],
]

export const clocks: Row = {
  id: 'R12',
  promise: 'set the clock while mail waits: none is stuck longer than the longest wait, none goes twice',
  inTests: true,
  run: async (scope) => {
    const mails = scope.pick(20, 300, 1_000)
    const figures: string[] = []
    const faults: string[] = []
    for (const [name, shift] of shifts) {
      scope.progress(`the clock is set ${name}`)
      const office = await waitingMail(scope, mails)
      office.server.clock.advance(shift)
      office.isUp = true
      await office.server.drain()
      const atOnce = office.sink.taken
      for (let turn = 0; turn < 2 && office.sink.taken < mails; turn++) {
        office.server.clock.advance(longestWaitMs)
        await office.server.drain()
      }
      faults.push(...(await closing(office, mails)).map((fault) => `${name}: ${fault}`))
      figures.push(`${name}: ${atOnce} at once, ${mails - atOnce} after a wait`)
    }
    return {
      did: `${mails} mails waiting, clock set ${shifts.map(([name]) => name).join(', ')}`,
      figure: figures.join('; '),
      faults,
    }
  },
}

/** What a day without the next server comes to. */
export async function dayWithoutRelay(scope: Scope): Promise<Finding> {
  const mails = scope.pick(20, 300, 1_000)
  const office = await waitingMail(scope, mails)
  const stepMs = 600_000
  for (let passed = 0; passed < dayMs; passed += stepMs) {
    scope.progress(`the next server is down, ${Math.round(passed / hourMs)} h of 24`)
    office.server.clock.advance(stepMs)
    await office.server.drain()
  }
  office.isUp = true
  office.server.clock.advance(longestWaitMs)
  await office.server.drain()
  const faults = await closing(office, mails)
  return {
    did: `a simulated day without the next server, ${mails} mails`,
    figure: `${office.tries} connections tried in that day, ${office.sink.taken} of ${mails} mails taken after it`,
    faults: faults.map((fault) => `a day without the next server: ${fault}`),
  }
}

interface WaitingMail {
  readonly folder: string
  readonly server: MovedServer
  readonly sink: RecordingSink
  /** Connections that were made in vain. */
  readonly tries: number
  isUp: boolean
}

/** Mail that was tried once, in vain. */
async function waitingMail(scope: Scope, mails: number): Promise<WaitingMail> {
  const folder = await scope.folder('data')
  const state = { isUp: false, tries: 0 }
  const sink = await startRecordingSink(() => {
    if (state.isUp) return undefined
    state.tries++
    return 'drop'
  })
  const server = await startMovedServer(folder, scope.token, sink.url)
  let number = 0
  const send = async () => {
    while (number < mails) {
      const plan = { isSaved: true, isLocal: false, remote: [`x${number}@d${number % 5}.example`] }
      const { status } = await server.caller.call('POST', '/v1.0/me/sendMail', mailBody(`mail ${number++}`, plan))
      if (status !== 202) throw new Error(`a mail was answered with ${status}`)
    }
  }
  await Promise.all(Array.from({ length: callers }, send))
  await server.drain()
  return {
    folder,
    server,
    sink,
    get tries() {
      return state.tries
    },
    set isUp(isUp: boolean) {
      state.isUp = isUp
    },
  }
}

/** @returns what is wrong at the end: every mail must have been taken once */
async function closing({ folder, server, sink }: WaitingMail, mails: number): Promise<string[]> {
  await server.close()
  await sink.close()
  const twice = [...sink.arrivals.values()].filter((arrivals) => arrivals.length > 1).length
  const open = countOpen(folder)
  return [
    ...(sink.arrivals.size < mails ? [`${mails - sink.arrivals.size} mails never arrived`] : []),
    ...(twice > 0 ? [`${twice} mails went twice`] : []),
    ...(open > 0 ? [`${open} entries of the outbox are open`] : []),
  ]
}
