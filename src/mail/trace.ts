import type { CallLog, CallRecord } from './call-record.js'
import type { DeliveryAttempt } from './delivery-attempt.js'
import type { Mail } from './mail.js'
import type { MessageEnvelope } from './message.js'
import type { OutboxEntry } from './outbox-entry.js'
import { readMessageName } from './queue.js'
import type { MessageName } from './store.js'

/** An envelope with what was said in its attempts, the first ones first. */
export interface TracedEntry extends OutboxEntry {
  readonly history: readonly DeliveryAttempt[]
}

/** A message, and where it went. */
export interface TracedMessage {
  readonly message: Pick<
    MessageEnvelope,
    'mailbox' | 'id' | 'folder' | 'internetMessageId' | 'subject' | 'createdAt' | 'isDraft' | 'sizeBytes'
  >
  readonly entries: readonly TracedEntry[]
}

/** From a call to the last attempt for each recipient. */
export interface Trace {
  readonly calls: readonly CallRecord[]
  readonly messages: readonly TracedMessage[]
}

/** Calls and messages of one trace at most. */
const maxTraced = 100

/**
 * All that is known under a name: the `request-id` or `client-request-id` of a call, the id of a message as Graph writes it
 * or as lists of the queue do, or its Message-ID.
 *
 * @param readId the number of a message in an id of Graph's
 */
export async function traceOf(
  mail: Pick<Mail, 'store'>,
  calls: CallLog,
  name: string,
  readId: (text: string) => MessageName['message'],
): Promise<Trace> {
  const message = readId(name)
  const named: MessageName | undefined = message === undefined ? readMessageName(name) : { message }
  const found = await calls.findAll((call) => isOf(call, name, named), maxTraced)
  const names = new Map<unknown, MessageName>(
    found.flatMap((call) => (call.message === undefined ? [] : [[call.message, { message: call.message }] as const])),
  )
  if (named !== undefined) names.set(named.message ?? named.internetMessageId, named)
  const messages: TracedMessage[] = []
  for (const each of names.values()) {
    for (const envelope of await mail.store.messages.named(each, maxTraced)) messages.push(await traced(mail, envelope))
  }
  return { calls: found, messages }
}

function isOf(call: CallRecord, name: string, named: MessageName | undefined): boolean {
  if (call.requestId === name || call.clientRequestId === name) return true
  return named?.message !== undefined && call.message === named.message
}

async function traced({ store }: Pick<Mail, 'store'>, envelope: MessageEnvelope): Promise<TracedMessage> {
  const { mailbox, id, folder, internetMessageId, subject, createdAt, isDraft, sizeBytes } = envelope
  const entries = await store.outbox.listByMessage(mailbox, id)
  const attempts = entries.length === 0 ? [] : await store.outbox.listAttempts(mailbox, id)
  return {
    message: { mailbox, id, folder, internetMessageId, subject, createdAt, isDraft, sizeBytes },
    entries: entries.map((entry) => ({
      ...entry,
      history: attempts.filter(({ destination }) => destination === entry.destination),
    })),
  }
}
