/**
 * Mail that is kept no longer: what is older than an age, or the oldest when all of it is more than a size. It leaves its
 * folder as a permanent delete does, with exact counts; rows in no folder go from the disk a day later, once nothing of
 * them is still to be delivered, and their blobs with the next sweep. In small writes with pauses, so that nobody waits.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import type { Message } from './message.js'
import { purgeMessage } from './move-message.js'

export interface RetentionBounds {
  /** ms; undefined: mail may be of any age. */
  readonly ageMs: number | undefined
  /** Of all mailboxes together; undefined: there may be as much as fits. */
  readonly sizeBytes: number | undefined
}

/** What a store keeps for {@link retain}. */
export interface RetentionStore {
  /** Bytes of all messages in folders, as their folders count them. */
  totalBytes(): Promise<number>
  /** The oldest messages in folders that are no drafts and are not being delivered, received before a time. */
  oldest(before: number, limit: number): Promise<Pick<Message, 'mailbox' | 'id'>[]>
  /**
   * Removes rows of messages in no folder that were last changed before a time and are not being delivered, with all that
   * belongs to them. @returns how many there were
   */
  removePurged(before: number, limit: number): Promise<number>
}

/** Messages in one step. */
const stepMessages = 50
const pauseMs = 20
/** What was sent within a day is still counted by the limits of its mailbox, and asked for by traces. */
const graceMs = 86_400_000

/** @returns how many messages left their folders, and how many left the disk */
export async function retain(
  mail: Mail,
  { ageMs, sizeBytes }: RetentionBounds,
  signal?: AbortSignal,
): Promise<{ purged: number; removed: number }> {
  const { retention } = mail.store
  const now = mail.clock.now()
  let purged = 0
  let removed = 0
  const goOn = async () => {
    await sleep(pauseMs)
    return signal?.aborted !== true
  }
  if (ageMs !== undefined) {
    for (let step = stepMessages; step === stepMessages && (await goOn()); purged += step) {
      step = await purgeOldest(mail, now - ageMs, stepMessages)
    }
  }
  while (sizeBytes !== undefined && (await retention.totalBytes()) > sizeBytes && (await goOn())) {
    const step = await purgeOldest(mail, now, stepMessages)
    if (step === 0) break
    purged += step
  }
  for (let step = stepMessages; step === stepMessages && (await goOn()); removed += step) {
    step = await retention.removePurged(now - graceMs, stepMessages)
  }
  return { purged, removed }
}

async function purgeOldest(mail: Mail, before: number, limit: number): Promise<number> {
  let purged = 0
  for (const { mailbox, id } of await mail.store.retention.oldest(before, limit)) {
    const message = await mail.store.messages.find(mailbox, id)
    if (message === undefined) continue
    try {
      await purgeMessage(mail, message)
      purged++
    } catch (error) {
      // Moved or deleted by its owner at the same moment.
      if (!(error instanceof MailError) || error.code !== 'notInStore') throw error
    }
  }
  return purged
}
