/**
 * Whether a slow destination holds up the others: mail to a fast one, at a steady pace, first alone and then beside a
 * backlog to a slow one.
 *
 *     node dist/scripts/reliability/slow-destination.js [--queued 100000] [--mails 1000] [--wait 1000] [--folder DIR]
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { createMailbox } from '../../src/mail/create-mailbox.js'
import { emptyDraft } from '../../src/mail/empty-draft.js'
import type { TenantId } from '../../src/mail/ids.js'
import type { Mail } from '../../src/mail/mail.js'
import { submitMessage } from '../../src/mail/submit.js'
import { type OutboxWorker, startOutboxWorker } from '../../src/outbox/worker.js'
import { openStore, type StoreLocation } from '../../src/store/open.js'
import { startUnevenSink } from './uneven-sink.js'

export interface SlowDestinationOptions {
  readonly location: StoreLocation
  /** Mails to the slow destination. */
  readonly queued: number
  /** Mails to fast ones, each time. */
  readonly mails: number
  /** What the slow destination takes for a mail, ms; Infinity: it never answers. */
  readonly waitMs: number
  /** Fast destinations that the mails are spread over. */
  readonly destinations: number
}

/** From a mail's being accepted to its being taken, ms. */
interface Latency {
  readonly p50: number
  readonly p99: number
}

export interface SlowDestinationResult {
  readonly alone: Latency
  readonly beside: Latency
  /** Of the slow ones, when the last of the fast ones was taken. */
  readonly slowTaken: number
  /** How much more memory the process has at most while the backlog is there, bytes. */
  readonly moreBytes: number
}

/** Between two mails to fast destinations. */
const paceMs = 10
/** Callers that fill the backlog. */
const callers = 64

export async function slowDestination(options: SlowDestinationOptions): Promise<SlowDestinationResult> {
  const sink = await startUnevenSink((recipient) => (recipient.endsWith('@slow.example') ? options.waitMs : 0))
  const store = await openStore(options.location, 0)
  let worker: OutboxWorker | undefined
  try {
    const mail: Mail = {
      store: store.mail,
      ids: store.ids,
      clock: { now: () => Date.now() },
      random: { bytes: (count) => randomBytes(count), uuid: () => randomUUID() },
      limits: { maxRecipients: 500, maxInternetMessageHeaders: 5, maxMessageBytes: 209_715_200 },
      hostname: 'mail.contoso.example',
      outboxChanged: () => worker?.wake(),
    }
    const tenant = randomUUID() as TenantId
    const ada = await createMailbox(mail, { tenant, userPrincipalName: 'ada@contoso.example', displayName: 'Ada' })
    const acting = { mailbox: ada, actor: ada, forOthers: true }
    const send = (address: string) =>
      submitMessage(mail, acting, { ...emptyDraft(), toRecipients: [{ address }] }, { saveToSentItems: false })
    const measure = (round: string) => latency(options, round, send, sink.takenAt)
    const log = { info: () => {}, warn: () => {}, error: (fields: object, text: string) => console.error(text, fields) }
    const start = () => startOutboxWorker(mail, { log, relay: { url: sink.url }, closeTimeoutMs: 1_000 })

    worker = start()
    await measure('warm')
    const alone = await measure('alone')
    await worker.close()
    let next = 0
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (next < options.queued) await send(`x${next++}@slow.example`)
      }),
    )
    const before = process.memoryUsage.rss()
    worker = start()
    const beside = await measure('beside')
    const slowTaken = [...sink.takenAt.keys()].filter((recipient) => recipient.endsWith('@slow.example')).length
    return { alone, beside, slowTaken, moreBytes: process.memoryUsage.rss() - before }
  } finally {
    await worker?.close()
    await store.close()
    await sink.close()
  }
}

async function latency(
  { mails, destinations }: SlowDestinationOptions,
  round: string,
  send: (address: string) => Promise<unknown>,
  takenAt: ReadonlyMap<string, number>,
): Promise<Latency> {
  const acceptedAt = new Map<string, number>()
  for (let number = 0; number < mails; number++) {
    const address = `${round}-${number}@fast${number % destinations}.example`
    await send(address)
    acceptedAt.set(address, performance.now())
    await sleep(paceMs)
  }
  while ([...acceptedAt.keys()].some((address) => !takenAt.has(address))) await sleep(paceMs)
  const waits = [...acceptedAt].map(([address, at]) => Math.max(0, (takenAt.get(address) ?? 0) - at))
  waits.sort((one, other) => one - other)
  const at = (part: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * part))] ?? 0
  return { p50: at(0.5), p99: at(0.99) }
}

/** For people. */
export function linesOf({ alone, beside, slowTaken, moreBytes }: SlowDestinationResult): string[] {
  const ms = ({ p50, p99 }: Latency) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`
  return [
    `fast destinations alone:                 ${ms(alone)}`,
    `fast destinations beside the slow one:   ${ms(beside)}`,
    `the slow one had taken ${slowTaken} by then; ${(moreBytes / 2 ** 20).toFixed(0)} MiB more memory`,
  ]
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: {
      queued: { type: 'string', default: '100000' },
      mails: { type: 'string', default: '1000' },
      wait: { type: 'string', default: '1000' },
      destinations: { type: 'string', default: '1' },
      folder: { type: 'string', default: tmpdir() },
    },
  })
  const path = await mkdtemp(join(values.folder, 'graphpost-slow-'))
  const result = await slowDestination({
    location: { kind: 'folder', path },
    queued: Number(values.queued),
    mails: Number(values.mails),
    waitMs: Number(values.wait),
    destinations: Number(values.destinations),
  })
  for (const line of linesOf(result)) console.log(line)
  await rm(path, { recursive: true })
}
