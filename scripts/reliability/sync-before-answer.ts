/** R4: no 202 leaves before a sync to disk that covers its mail. */
import { recordLoad } from './recorded-load.js'
import { type Finding, notReached, type Row } from './row.js'
import { type Traced, whyNotTraced } from './strace.js'

const log = 'graphpost.sqlite-wal'

type Kind<Name extends Traced['kind']> = Extract<Traced, { kind: Name }>

export const syncBeforeAnswer: Row = {
  id: 'R4',
  promise: 'each 202 leaves after a sync to disk that covers its mail',
  inTests: true,
  run: async (scope) => {
    const obstacle = whyNotTraced()
    if (obstacle !== undefined) return notReached(obstacle)
    const plan = [
      { mails: scope.pick(10, 50, 50), connections: 1 },
      { mails: scope.pick(60, 300, 1_000), connections: 64 },
    ]
    const load = await recordLoad(scope, await scope.folder('data'), plan, 1_500)
    const faults = [...load.faults]
    const counts = load.batches.map((batch) => coverage(load.traced, batch, faults))
    const [alone, together] = counts
    if ((alone?.syncs ?? 0) < (alone?.mails ?? 0)) faults.push('alone, mails shared a sync')
    if ((together?.syncs ?? 0) > (together?.mails ?? 0)) faults.push('together, there were more syncs than mails')
    return {
      did: plan.map(({ mails, connections }) => `${mails} mails at concurrency ${connections}`).join(', '),
      figure: counts
        .map(({ mails, syncs }) => `${mails} of 202 covered, ${(syncs / Math.max(1, mails)).toFixed(2)} syncs a mail`)
        .join('; '),
      faults: faults.slice(0, 8),
    } satisfies Finding
  },
}

/** Mails whose 202 came after a covering sync, and the syncs between the first mail's writing and the last 202. */
function coverage(traced: readonly Traced[], batch: ReadonlyMap<string, string>, faults: string[]) {
  const syncs = traced.filter((each): each is Kind<'sync'> => each.kind === 'sync' && each.file === log)
  const writes = traced.filter((each): each is Kind<'write'> => each.kind === 'write' && each.file === log)
  const answers = traced.filter((each): each is Kind<'answer'> => each.kind === 'answer' && each.status === 202)
  const writtenAt = firstWrites(writes, new Set(batch.values()))
  let mails = 0
  const spans: [number, number][] = []
  for (const { clientRequestId, begin: answeredAt } of answers) {
    const subject = batch.get(clientRequestId)
    if (subject === undefined) continue
    const written = writtenAt.get(subject)
    const covering = syncs.filter(({ begin, end }) => written !== undefined && begin > written && end < answeredAt)
    if (covering.length === 0) faults.push(`the 202 of ${subject} left before its mail was synced`)
    else mails++
    spans.push([written ?? answeredAt, answeredAt])
  }
  if (spans.length !== batch.size) faults.push(`${batch.size} mails were sent, and ${spans.length} answers recorded`)
  const [from, until] = [Math.min(...spans.map(([at]) => at)), Math.max(...spans.map(([, at]) => at))]
  return { mails, syncs: syncs.filter(({ begin, end }) => begin > from && end < until).length }
}

/** When each subject was first written to the log. */
function firstWrites(writes: readonly Kind<'write'>[], subjects: ReadonlySet<string>): Map<string, number> {
  const found = new Map<string, number>()
  for (const { bytes, end } of writes) {
    for (const [subject] of bytes.toString('latin1').matchAll(/mark-\d+-\d+-/g)) {
      if (subjects.has(subject) && !found.has(subject)) found.set(subject, end)
    }
  }
  return found
}
