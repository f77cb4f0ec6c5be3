import type { DeliveryAttempt } from '../mail/delivery-attempt.js'
import type { Mail } from '../mail/mail.js'
import { isFinal, type OutboxEntry, type RecipientState } from '../mail/outbox-entry.js'
import type { MailStore, MailWriter } from '../mail/store.js'

/** A call that was answered. */
export interface ObservedCall {
  readonly requestId: string
  readonly method: string
  /** Row of the route table; undefined for a call that found none. */
  readonly route: string | undefined
  readonly status: number
  /** When it began, ms since 1970. */
  readonly startedAt: number
  readonly durationMs: number
  /** The message it made. */
  readonly message: number | undefined
  /** W3C Trace Context, as sent. */
  readonly traceparent: string | undefined
}

/** Told of what happens; each costs little and never fails. Where nobody listens, nothing is called. */
export interface Observer {
  called?(call: ObservedCall): void
  /** A write that was committed, or refused, with all that it waited for. */
  written?(durationMs: number, isCommitted: boolean): void
  /** Writes that shared one commit. */
  committed?(writes: number, durationMs: number): void
  /** Recipients that came to a fate, or were put off once more. */
  delivered?(fates: readonly RecipientState[]): void
  attempted?(attempt: DeliveryAttempt): void
  /** Messages taken over SMTP into mailboxes. */
  received?(messages: number): void
}

/** Tells several of the same. */
export function allOf(observers: readonly Observer[]): Observer {
  const tell = (say: (observer: Observer) => void) => {
    for (const observer of observers) say(observer)
  }
  return {
    called: (call) => tell((each) => each.called?.(call)),
    written: (...given) => tell((each) => each.written?.(...given)),
    committed: (...given) => tell((each) => each.committed?.(...given)),
    delivered: (fates) => tell((each) => each.delivered?.(fates)),
    attempted: (attempt) => tell((each) => each.attempted?.(attempt)),
    received: (messages) => tell((each) => each.received?.(messages)),
  }
}

/** A store whose writes are timed. */
export function timed(store: MailStore, observer: Observer): MailStore {
  return {
    ...store,
    write: async (change) => {
      const startedAt = performance.now()
      let isCommitted = false
      try {
        await store.write(change)
        isCommitted = true
      } finally {
        observer.written?.(performance.now() - startedAt, isCommitted)
      }
    },
  }
}

/** The same mail for who delivers: what its writes say of envelopes is told once they are on disk. */
export function observedDelivery(mail: Mail, observer: Observer): Mail {
  // What was told of an envelope under delivery: it is written several times, with all of its recipients.
  const told = new WeakMap<object, Set<string>>()
  return observedWrites(mail, (tx, afterwards) => ({
    ...tx,
    settleOutboxEntry: (entry, result) => {
      tx.settleOutboxEntry(entry, result)
      const known = told.get(entry) ?? new Set<string>()
      told.set(entry, known)
      const before = new Map((entry as OutboxEntry).recipients.map((each) => [each.address, each]))
      afterwards.push(() => {
        const changed = result.recipients.filter(({ address, state, at }) => {
          const was = before.get(address)
          const isNew = state !== was?.state || (!isFinal(state) && at !== was.at)
          return isNew && at !== undefined && !known.has(`${state} ${address}`)
        })
        for (const { address, state } of changed) known.add(`${state} ${address}`)
        observer.delivered?.(changed.map(({ state }) => state))
      })
    },
    putAttempt: (attempt) => {
      tx.putAttempt(attempt)
      afterwards.push(() => observer.attempted?.(attempt))
    },
  }))
}

/** The same mail for who takes mail from outside. */
export function observedArrival(mail: Mail, observer: Observer): Mail {
  return observedWrites(mail, (tx, afterwards) => ({
    ...tx,
    insertMessage: (message) => {
      tx.insertMessage(message)
      afterwards.push(() => observer.received?.(1))
    },
  }))
}

function observedWrites(mail: Mail, listening: (tx: MailWriter, afterwards: (() => void)[]) => MailWriter): Mail {
  const { store } = mail
  const write: MailStore['write'] = async (change) => {
    const afterwards: (() => void)[] = []
    await store.write((tx) => change(listening(tx, afterwards)))
    for (const tell of afterwards) tell()
  }
  return { ...mail, store: { ...store, write } }
}
