/**
 * What is promised about speed, one row a bar. `docs/performance.md` says in words what each means and why it lies
 * where it does.
 */

interface Bar {
  /** The promise that the bar belongs to. */
  readonly promise: string
  readonly what: string
  readonly unit: Unit
  readonly atLeast?: number
  readonly atMost?: number
}

type Unit = 'ratio' | 'ms' | 'MiB' | 'count' | 'per mail'

export const bars = {
  shareOfBareHttp: row('G0', 'accepted, of bare http at 64 connections', 'ratio', { atLeast: 0.35 }),
  latencyBesideBareHttp: row('G0', 'p99 of an accept at 64 connections', 'ms', { atMost: 25 }),
  shareOfGroupCommit: row('G1', 'accepted, of limit-sqlite-group at 16 connections', 'ratio', { atLeast: 0.4 }),
  tokenCheck: row('T1', 'checks of token and permission, of a sendMail at 64', 'ratio', { atMost: 0.1 }),
  relayingAt16: row('G2', 'accepted while relaying, of limit-sqlite-group at 16', 'ratio', { atLeast: 0.125 }),
  relayingAt64: row('G2', 'accepted while relaying, of limit-sqlite-group at 64', 'ratio', { atLeast: 0.125 }),
  medianAlone: row('G3', 'p50 at 1 connection, of limit-sqlite-single', 'ratio', { atMost: 2 }),
  tailAlone: row('G3', 'p99 at 1 connection', 'ms', { atMost: 10 }),
  tailAt64: row('G4', 'p99 at 64 connections', 'ms', { atMost: 100 }),
  // 1 and what checkpoints of the write-ahead log add.
  syncsAlone: row('G5', 'sync calls at 1 connection', 'per mail', { atMost: 1.1 }),
  syncsAt64: row('G5', 'sync calls at 64 connections', 'per mail', { atMost: 0.3 }),
  memoryAtRest: row('G6', 'resident memory at rest', 'MiB', { atMost: 100 }),
  memoryGrowth: row('G6', 'more after 50,000 mails', 'MiB', { atMost: 50 }),
  startEmpty: row('G7', 'start to first 202, empty store', 'ms', { atMost: 500 }),
  startQueued: row('G7', 'start to first 202, 100,000 queued', 'ms', { atMost: 3000 }),
  oneMailbox: row('G8', 'p99 of one mailbox with 4 requests at once', 'ms', { atMost: 20 }),
  oneMailboxThrottled: row('G8', 'answers 429 below the limit of one mailbox', 'count', { atMost: 0 }),
  largeStore: row('G9', 'accepted with 1,000,000 messages kept, of an empty store', 'ratio', { atLeast: 0.9 }),
  twoNodes: row('G10', 'two nodes on one PostgreSQL, of one node', 'ratio', { atLeast: 1.5 }),
  listLargeFolder: row('L1', 'list of 10 in a folder of 100,000, of one of 100', 'ratio', { atMost: 2 }),
  pageDeep: row('L2', 'a page deep in 1,000,000 messages, of one in 1,000', 'ratio', { atMost: 2 }),
  filterByDate: row('L2', 'filter by date, in the same two mailboxes', 'ratio', { atMost: 2 }),
  filterByRead: row('L2', 'filter by isRead', 'ratio', { atMost: 2 }),
  filterBySender: row('L2', 'filter by sender', 'ratio', { atMost: 2 }),
  listFirst: row('L2', 'list of the newest 10', 'ratio', { atMost: 2 }),
  searchRare: row('L3', 'search of a rare word', 'ratio', { atMost: 2 }),
  searchCommon: row('L3', 'search of a common word', 'ratio', { atMost: 2 }),
  // An aim, not yet a promise: nothing of this design has been measured to reach it.
  draftAndSend: row('G11', 'drafts made and sent, of bare http at 64 connections', 'ratio', { atLeast: 0.45 }),
  memoryOfUpload: row('U1', 'more memory while 150 MB come in', 'MiB', { atMost: 64 }),
  acceptedButLost: row('D1', 'mails answered 202 and gone after SIGKILL', 'count', { atMost: 0 }),
  keptButUnasked: row('D1', 'mails kept beyond those answered or in flight', 'count', { atMost: 0 }),
} satisfies Record<string, Bar>

export type BarName = keyof typeof bars

/** One bar and what was measured for it. */
export interface Finding {
  readonly bar: BarName
  /** `undefined`: not measured, and `note` says why. */
  readonly value: number | undefined
  /** What a reader must know to judge the value: how it came about, where it differs from the bar's words. */
  readonly note?: string
}

/** Whether the bar was met; `undefined` when nothing was measured. */
export function isMet({ bar, value }: Finding): boolean | undefined {
  if (value === undefined) return undefined
  const { atLeast, atMost }: Bar = bars[bar]
  return (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost)
}

/** One line: promise, what it is about, the value, the bar, the verdict. */
export function findingLine(finding: Finding): string {
  const { promise, what, unit, atLeast, atMost }: Bar = bars[finding.bar]
  const met = isMet(finding)
  const measured = finding.value === undefined ? '-' : quantity(finding.value, unit)
  const bar = atLeast === undefined ? `at most ${quantity(atMost ?? 0, unit)}` : `at least ${quantity(atLeast, unit)}`
  const verdict = met === undefined ? 'not measured' : met ? 'met' : 'MISSED'
  const note = finding.note === undefined ? '' : `  (${finding.note})`
  return `${promise.padEnd(4)} ${what.padEnd(58)} ${measured.padStart(13)}   ${bar.padEnd(22)} ${verdict}${note}`
}

function quantity(value: number, unit: Unit): string {
  switch (unit) {
    case 'ratio':
      return value.toFixed(3).replace(/0$/, '')
    case 'per mail':
      return `${value.toFixed(2)} a mail`
    case 'count':
      return value.toLocaleString('en-US')
    default:
      return `${value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : 0 })} ${unit}`
  }
}

function row(promise: string, what: string, unit: Unit, limit: { atLeast: number } | { atMost: number }): Bar {
  return { promise, what, unit, ...limit }
}
