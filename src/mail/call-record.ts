import type { MailboxId, MessageId } from './ids.js'

/** One call of the API, refused ones too: what a developer looks for when asking "where is my mail?". */
export interface CallRecord {
  /** The `request-id` header of the answer. */
  readonly requestId: string
  readonly clientRequestId: string
  /** When it began, ms since 1970. */
  readonly at: number
  readonly durationMs: number
  readonly method: string
  /** As sent, with the query, at most 2,000 characters. */
  readonly url: string
  readonly status: number
  /** Graph's error code, when refused. */
  readonly error?: string | undefined
  /** Why it was refused, and what would have been admitted: one sentence for people. */
  readonly reason?: string | undefined
  readonly application?: string | undefined
  /** Object id of the signed-in user. */
  readonly user?: string | undefined
  readonly mailbox?: MailboxId | undefined
  /** The message it made. */
  readonly message?: MessageId | undefined
}

/** Keeps call records without making callers wait. Bounded: the oldest go first. */
export interface CallLog {
  append(record: CallRecord): void
  /** Newest first. */
  list(limit: number): Promise<CallRecord[]>
  /** Newest first. */
  findAll(matches: (record: CallRecord) => boolean, limit: number): Promise<CallRecord[]>
  find(requestId: string): Promise<CallRecord | undefined>
}
