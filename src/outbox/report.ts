/**
 * The reports that an attempt causes: worked out when its result is to be written, and put into the sender's Inbox in the
 * very write that records it, so that there is exactly one of each.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { completeArrival } from '../mail/arrival.js'
import { conversationFrom } from '../mail/conversation.js'
import {
  type DeliveryNews,
  deliveryReport,
  type ReportKind,
  reportedMailbox,
  reporterFor,
  wantsReports,
} from '../mail/delivery-report.js'
import { emptyDraft } from '../mail/empty-draft.js'
import { MailError } from '../mail/errors.js'
import { readIncoming } from '../mail/incoming.js'
import type { Mail } from '../mail/mail.js'
import type { Message } from '../mail/message.js'
import type { OutboxEntry, OutboxRecipient } from '../mail/outbox-entry.js'
import type { MailWriter } from '../mail/store.js'
import type { Envelope } from './smtp.js'

/** What a report is made from beside the entry. */
export interface ReportSource {
  readonly mail: Mail
  readonly entry: OutboxEntry
  /** Absent when it was not read, or is no longer there. */
  readonly message: Message | undefined
  /** The message as it goes out. */
  readonly mime: () => Promise<Uint8Array>
  /** When an entry is given up, ms after it was accepted; and after how long its sender is warned, 0: never. */
  readonly giveUpAfterMs: number
  readonly warnAfterMs: number
  readonly log: { error(fields: object, text: string): void }
  /** Ends the waiting for a store that refuses. */
  readonly stop: AbortSignal
}

/** Who the sender is told about, by what is told of them. */
export type Report = readonly [kind: ReportKind, recipients: readonly OutboxRecipient[]]

/**
 * What is to be reported once the recipients stand as they do in `after`, and those recipients, who remember what their
 * sender was told. Costs nothing where nothing is.
 */
export function reportsDue(
  source: Pick<ReportSource, 'mail' | 'entry' | 'message' | 'warnAfterMs'>,
  before: readonly OutboxRecipient[],
  after: readonly OutboxRecipient[],
): { readonly reports: readonly Report[]; readonly recipients: readonly OutboxRecipient[] } {
  const { mail, entry, message, warnAfterMs } = source
  if (after === before || !wantsReports(entry)) return { reports: [], recipients: after }
  const wantsReceipt = message?.content.isDeliveryReceiptRequested === true
  const isLate = warnAfterMs > 0 && mail.clock.now() - entry.createdAt >= warnAfterMs
  const kinds = after.map((recipient, index) => newsOf(recipient, before[index], wantsReceipt, isLate))
  const reports = kindsOfReport
    .filter((kind) => kinds.includes(kind))
    .map((kind): Report => [kind, after.filter((_, index) => kinds[index] === kind)])
  if (!kinds.includes('delayed')) return { reports, recipients: after }
  const recipients = after.map((recipient, index) =>
    kinds[index] === 'delayed' ? { ...recipient, isWarned: true as const } : recipient,
  )
  return { reports, recipients }
}

const kindsOfReport: readonly ReportKind[] = ['failed', 'delayed', 'delivered', 'relayed']

function newsOf(
  { state, isWarned, isNotifiedByPeer }: OutboxRecipient,
  before: OutboxRecipient | undefined,
  wantsReceipt: boolean,
  isLate: boolean,
): ReportKind | undefined {
  if (state === 'delayed') return isLate && isWarned !== true ? 'delayed' : undefined
  if (state === before?.state) return undefined
  if (state === 'failed') return 'failed'
  if (!wantsReceipt) return undefined
  if (state === 'delivered') return 'delivered'
  return state === 'relayed' && isNotifiedByPeer !== true ? 'relayed' : undefined
}

/** Waits between tries of a report that could not be worked out, ms: doubling from the first to the last. */
const waitsMs = { first: 50, last: 5_000 }
/** What is left of a claim for the result itself, ms. */
const reservedMs = 10_000

/**
 * Writes a result together with the reports that it causes. A store that does not answer is waited for; a report that
 * cannot be made is given up for the result's sake, which would be lost with it, and the mail sent again.
 *
 * @param write commits what it is given, with the result
 * @throws what `write` throws
 */
export async function writeWithReports(
  source: ReportSource,
  reports: readonly Report[],
  write: (say: (tx: MailWriter) => void) => Promise<void>,
): Promise<void> {
  const [report, ...others] = reports
  if (report === undefined) return write(() => {})
  const { mail, entry, stop, log } = source
  for (let waitMs = waitsMs.first; ; waitMs = Math.min(waitMs * 2, waitsMs.last)) {
    let isPlanned = false
    const writeAll = (say: (tx: MailWriter) => void) => {
      isPlanned = true
      return writeWithReports(source, others, (also) =>
        write((tx) => {
          say(tx)
          also(tx)
        }),
      )
    }
    try {
      const arriving = await arrivingReport(source, report)
      return await completeArrival(mail, arriving, arriving.parts, writeAll)
    } catch (error) {
      if (isPlanned) throw error
      const isLast = mail.clock.now() + waitMs + reservedMs >= entry.dueAt
      if (isOurFault(error) || isLast || stop.aborted) {
        log.error({ err: error, mailbox: entry.mailbox, message: entry.message }, 'a report could not be made')
        return writeWithReports(source, others, write)
      }
    }
    await sleep(waitMs, undefined, { signal: stop }).catch(() => {})
  }
}

/** It would go wrong in the same way each time. */
function isOurFault(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true
  return error instanceof MailError && error.code === 'mimeInvalid'
}

async function arrivingReport(source: ReportSource, [kind, recipients]: Report) {
  const { mail, entry, message, giveUpAfterMs } = source
  const mailbox = await reportedMailbox(mail, entry)
  const news: DeliveryNews = {
    kind,
    recipients,
    arrivedAt: entry.createdAt,
    ...(kind === 'delayed' ? { retryUntil: entry.createdAt + giveUpAfterMs } : {}),
  }
  const to = { name: mailbox.displayName, address: mailbox.address }
  const about = message ?? unknownMessage(mail, entry)
  const mime = message === undefined ? undefined : await source.mime()
  const report = deliveryReport(mail, { from: reporterFor(mailbox.address), to }, about, news, mime)
  const { parts, copyFor } = await readIncoming(mail, report, '')
  return { mailbox, message: copyFor(mailbox, about.conversation), mailFrom: '', isInternal: true, parts }
}

/** What is said of a message that its sender has deleted for good. */
function unknownMessage({ hostname }: Pick<Mail, 'hostname'>, { message, createdAt }: OutboxEntry) {
  const internetMessageId = `<${message}@${hostname}>`
  return {
    subject: null,
    internetMessageId,
    sentAt: createdAt,
    conversation: conversationFrom(internetMessageId, createdAt),
    content: emptyDraft(),
  }
}

/** RFC 3461 §5.4 */
const maxEnvelopeId = 100

/** What the next server is asked to tell of, if it can: by the Message-ID, which a report then names. */
export function notificationsOf(
  entry: OutboxEntry,
  { internetMessageId, content }: Message,
): { dsn?: NonNullable<Envelope['dsn']> } {
  if (!wantsReports(entry)) return {}
  const envid = internetMessageId.slice(1, -1)
  const isSayable = envid.length <= maxEnvelopeId && /^[\x21-\x7e]+$/.test(envid)
  const notifiesSuccess = content.isDeliveryReceiptRequested === true
  return { dsn: { notifiesSuccess, ...(isSayable ? { envid } : {}) } }
}
