/**
 * One delivery attempt: a claimed entry in, each recipient's fate recorded. A fate is recorded in the same write as
 * what brought it about where that is ours to write (a local delivery happens exactly once), and right after the
 * answer where it is not (SMTP); see the promise in `docs/architecture.md`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { deliverLocally, inboxCopy } from '../mail/deliver.js'
import { MailError } from '../mail/errors.js'
import type { Mail } from '../mail/mail.js'
import { noFolder } from '../mail/mail-folder.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Message } from '../mail/message.js'
import { isFinal, type OutboxEntry, type OutboxRecipient } from '../mail/outbox-entry.js'
import type { MailWriter } from '../mail/store.js'
import { outcomeOf } from './outcome.js'
import { nextAttemptAt, type RetrySchedule } from './retry-schedule.js'
import { capturedReply, routeRecipients } from './route.js'
import { SlotsClosed, type Slots } from './slots.js'
import type { RecipientReply, Relay } from './smtp.js'

/** Structured lines, as pino takes them. */
export interface OutboxLog {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** What an attempt can use to get mail out. */
export interface Means {
  /** The next server, and the right to use one of its connections. */
  readonly next: { readonly relay: Relay; readonly slots: Slots } | undefined
  readonly schedule: RetrySchedule
  readonly log: OutboxLog
  /** Ends the waiting for a store that refuses. */
  readonly stop: AbortSignal
}
