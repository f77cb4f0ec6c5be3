/** A store of its own, some mailboxes, and a worker on it: what tests of delivery stand on. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { createMailbox } from '../../src/mail/create-mailbox.js'
import type { MessageId, TenantId } from '../../src/mail/ids.js'
import type { Mail } from '../../src/mail/mail.js'
import { folderId, type WellKnownName } from '../../src/mail/mail-folder.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import type { Draft, Message } from '../../src/mail/message.js'
import type { OutboxEntry } from '../../src/mail/outbox-entry.js'
import { submitMessage } from '../../src/mail/submit.js'
import type { SmtpTimeouts } from '../../src/outbox/smtp.js'
import { type OutboxWorker, type OutboxWorkerOptions, startOutboxWorker } from '../../src/outbox/worker.js'
import { openStore } from '../../src/store/open.js'
import { type MovableClock, movableClock } from '../support/movable-clock.js'
import { freshDatabase, freshFolder, testStore } from '../support/start-server.js'

/** Long enough for a busy machine; no test waits them out. */
export const patient: SmtpTimeouts = { setupMs: 20_000, replyMs: 20_000, transactionMs: 30_000 }

export const minutes = 60_000
export const days = 24 * 60 * minutes

interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly text: string
  readonly fields: Record<string, unknown>
}

export interface PostOffice {
  readonly mail: Mail
  readonly clock: MovableClock
  readonly log: LogLine[]
  mailbox(address: string): Promise<Mailbox>
  send(from: Mailbox, draft: Partial<Draft>, options?: { saveToSentItems: boolean }): Promise<MessageId>
  /** Closed at the end of the test at the latest; `store` stands in for the office's own when a test makes it fail. */
  startWorker(options?: Partial<OutboxWorkerOptions>, store?: Mail['store']): OutboxWorker
  /** The messages of a folder, newest first. */
  messages(mailbox: Mailbox, folder: WellKnownName): Promise<Message[]>
  entries(from: Mailbox, message: MessageId): Promise<OutboxEntry[]>
  /** Address and state of every recipient of a message, by address. */
  states(from: Mailbox, message: MessageId): Promise<Record<string, string>>
}

export async function openPostOffice(t: TestContext): Promise<PostOffice> {
  const store = await openStore(
    testStore === 'postgres'
      ? { kind: 'postgres', url: await freshDatabase(t), blobs: await freshFolder(t) }
      : { kind: 'memory' },
    100,
  )
  const workers: OutboxWorker[] = []
  t.after(async () => {
    await Promise.all(workers.map((worker) => worker.close()))
    await store.close()
  })
  const clock = movableClock()
  const log: LogLine[] = []
  const mail: Mail = {
    store: store.mail,
    ids: store.ids,
    clock,
    random: { bytes: (count) => randomBytes(count), uuid: () => randomUUID() },
    limits: { maxRecipients: 500, maxInternetMessageHeaders: 5, maxMessageBytes: 209_715_200 },
    hostname: 'mail.contoso.example',
    outboxChanged: () => {
      for (const worker of workers) worker.wake()
    },
  }
  const tenant = randomUUID() as TenantId
  const entries: PostOffice['entries'] = (from, message) => mail.store.outbox.listByMessage(from.id, message)
  return {
    mail,
    clock,
    log,
    mailbox: (address) =>
      createMailbox(mail, { tenant, userPrincipalName: address, displayName: address.split('@')[0] ?? '' }),
    send: (from, draft, options = { saveToSentItems: true }) =>
      submitMessage(mail, { mailbox: from, actor: from, forOthers: true }, { ...emptyDraft, ...draft }, options),
    startWorker: (options = {}, store = mail.store) => {
      const worker = startOutboxWorker({ ...mail, store }, { log: logInto(log), closeTimeoutMs: 5_000, ...options })
      workers.push(worker)
      return worker
    },
    messages: async (mailbox, folder) => {
      const listed = await mail.store.messages.list({
        mailbox: mailbox.id,
        folder: folderId(folder),
        order: [],
        skip: 0,
        top: 1000,
        withContent: true,
      })
      return listed as Message[]
    },
    entries,
    states: async (from, message) =>
      Object.fromEntries(
        (await entries(from, message)).flatMap(({ recipients }) =>
          recipients.map(({ address, state }) => [address, state] as const),
        ),
      ),
  }
}

function logInto(lines: LogLine[]): OutboxWorkerOptions['log'] {
  const at = (level: LogLine['level']) => (fields: object, text: string) => {
    lines.push({ level, text, fields: fields as Record<string, unknown> })
  }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

const emptyDraft: Draft = {
  subject: 'Lunch?',
  body: { contentType: 'text', content: 'At noon, as ever.' },
  toRecipients: [],
  ccRecipients: [],
  bccRecipients: [],
  replyTo: [],
  categories: [],
  flag: { flagStatus: 'notFlagged' },
  inferenceClassification: 'focused',
  isDeliveryReceiptRequested: false,
  isReadReceiptRequested: false,
  internetMessageHeaders: [],
  singleValueExtendedProperties: [],
  multiValueExtendedProperties: [],
  importance: 'normal',
  isRead: true,
  attachments: [],
}

export function to(...addresses: string[]): { address: string }[] {
  return addresses.map((address) => ({ address }))
}
