import { setTimeout as sleep } from 'node:timers/promises'
import { MailError } from '../mail/errors.js'
import type { Mail } from '../mail/mail.js'
import type { OutboxEntry } from '../mail/outbox-entry.js'
import type { MailWriter } from '../mail/store.js'

/** `dueAt` is the end of the claim, which whoever renews it moves. */
export type ClaimedEntry = OutboxEntry & { dueAt: number }

/** A claimed entry, and what its result is written with. */
export interface Claim {
  readonly mail: Mail
  readonly entry: ClaimedEntry
  /** Ends the waiting for a store that refuses. */
  readonly stop: AbortSignal
}

/** Where an entry stands; `sending` with the end of the claim keeps the claim. */
export type Standing = Pick<OutboxEntry, 'state' | 'dueAt' | 'recipients'>

/** Waits between tries of a write that the store refused, ms: doubling from the first to the last. */
const waitsMs = { first: 50, last: 5_000 }

/**
 * Writes where the entry stands, with whatever belongs into the same write. Goes on trying while the store is
 * unavailable and the claim lasts: once a server has taken the mail, the record of it is all that keeps it from being
 * sent again.
 *
 * @throws MailError conflict when the claim is somebody else's by now, storeUnavailable when it ran out before the store
 * was back
 */
export async function recordStanding(
  { mail, entry, stop }: Claim,
  standing: Standing,
  alsoWrite: (tx: MailWriter) => void = () => {},
): Promise<void> {
  for (let waitMs = waitsMs.first; ; waitMs = Math.min(waitMs * 2, waitsMs.last)) {
    try {
      return await mail.store.write((tx) => {
        // First: when the claim is lost, that is what the write fails with.
        tx.settleOutboxEntry(entry, standing)
        alsoWrite(tx)
      })
    } catch (error) {
      const isTemporary = error instanceof MailError && error.code === 'storeUnavailable'
      if (!isTemporary || stop.aborted || mail.clock.now() + waitMs >= entry.dueAt) throw error
    }
    // Ended early by a stop, which the next round sees.
    await sleep(waitMs, undefined, { signal: stop }).catch(() => {})
  }
}
