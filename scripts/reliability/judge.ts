/** Compares what was acknowledged with what is there: the checker of every row that stops a server. */
import type { Ledger, Sent } from './ledger.js'
import type { Arrival, RecordingSink } from './recording-sink.js'
import { type Kept, kept } from './store-file.js'

/** What had no final fate on disk when a process died. What of it the next server had taken may go twice, nothing else. */
export interface Window {
  /** The life of the server that ended here. */
  readonly generation: number
  /** As `subject recipient`. */
  readonly open: ReadonlySet<string>
}

export interface Judgement {
  readonly acknowledged: number
  readonly lost: number
  readonly halfDone: number
  /** Copies beyond the first: excused by a kill, by the peer, by nothing. */
  readonly copies: { byKill: number; byPeer: number; unexcused: number }
  /** Most copies that one kill led to. */
  readonly mostPerKill: number
  /** The first few, for people. */
  readonly faults: readonly string[]
}

const faultsShown = 8

/** @param folder of a server that is not running, and whose outbox was drained */
export function judge(folder: string, ledger: Ledger, sink: RecordingSink, windows: readonly Window[]): Judgement {
  const store = kept(folder)
  const faults = [...store.faults]
  let [acknowledged, lost, halfDone] = [0, 0, 0]
  for (const [subject, sent] of ledger) {
    const places = placesOf(subject, sent, store, sink)
    const missing = places.filter(([, isThere]) => !isThere).map(([place]) => place)
    if (sent.acknowledged) acknowledged++
    if (missing.length === 0) continue
    if (sent.acknowledged) lost++
    else if (missing.length < places.length) halfDone++
    else continue
    faults.push(`${subject}${sent.acknowledged ? ', answered with 202,' : ''} is not ${missing.join(', not ')}`)
  }
  const { copies, mostPerKill } = countCopies(sink, windows, faults)
  for (const [subject, count] of store.delivered) {
    if (count > 1) faults.push(`${subject} is ${count} times in an Inbox`)
  }
  for (const [subject, arrivals] of sink.arrivals) {
    if (arrivals.some(({ messageId }) => messageId !== store.messageIds.get(subject))) {
      faults.push(`${subject} went out with another Message-ID than it was accepted with`)
    }
  }
  return { acknowledged, lost, halfDone, copies, mostPerKill, faults: shortened(faults) }
}

/** Every place where a mail must be, and whether it is. */
function placesOf(
  subject: string,
  { isSaved, isLocal, remote }: Sent,
  store: Kept,
  sink: RecordingSink,
): [string, boolean][] {
  const arrivals = sink.arrivals.get(subject) ?? []
  return [
    isSaved ? ['in Sent Items', store.sent.has(subject)] : ['kept for delivery', store.unsaved.has(subject)],
    ...(isLocal ? [['in the Inbox', store.delivered.has(subject)] as [string, boolean]] : []),
    ...remote.map((address): [string, boolean] => [
      `at ${address}`,
      arrivals.some(({ recipients }) => recipients.includes(address)),
    ]),
  ]
}

function countCopies(sink: RecordingSink, windows: readonly Window[], faults: string[]) {
  const openAt = new Map(windows.map(({ generation, open }) => [generation, open]))
  /** Transactions: one may be for several recipients. */
  const perKill = new Map<number, Set<string>>()
  const copies = { byKill: 0, byPeer: 0, unexcused: 0 }
  for (const [subject, arrivals] of sink.arrivals) {
    const last = new Map<string, Arrival>()
    for (const arrival of arrivals) {
      for (const address of arrival.recipients) {
        const before = last.get(address)
        last.set(address, arrival)
        if (before === undefined) continue
        const isAfterKill = arrival.generation > before.generation
        if (before.isUnanswered) copies.byPeer++
        else if (isAfterKill && openAt.get(before.generation)?.has(`${subject} ${address}`)) {
          copies.byKill++
          const repeated = perKill.get(before.generation) ?? new Set()
          perKill.set(before.generation, repeated.add(`${subject} ${address.slice(address.indexOf('@'))}`))
        } else {
          copies.unexcused++
          faults.push(`${address} has ${subject} twice, and no kill or peer is to blame`)
        }
      }
    }
  }
  return { copies, mostPerKill: Math.max(0, ...[...perKill.values()].map(({ size }) => size)) }
}

function shortened(faults: readonly string[]): string[] {
  const more = faults.length - faultsShown
  return more > 0 ? [...faults.slice(0, faultsShown), `and ${more} more`] : [...faults]
}
