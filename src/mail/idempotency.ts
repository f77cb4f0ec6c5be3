import type { MailboxId } from './ids.js'

/** How long a key is good, ms: long enough for a client that was down over night. */
export const keyLifetimeMs = 86_400_000

/** A call that was done, under the key that its client gave it; written with what it did. */
export interface IdempotencyRecord {
  readonly mailbox: MailboxId
  readonly application: string
  /** SHA-256 of the key, in hex: a client may choose what it likes. */
  readonly keyHash: string
  /** SHA-256 of what was asked. */
  readonly requestHash: string
  /** ms since 1970 */
  readonly expiresAt: number
  readonly answer: { readonly status: number; readonly requestId: string }
}

export interface IdempotencyStore {
  /** Undefined also when its time is over. */
  find(
    key: Pick<IdempotencyRecord, 'mailbox' | 'application' | 'keyHash'>,
    now: number,
  ): Promise<IdempotencyRecord | undefined>
  deleteExpired(now: number): Promise<void>
}
