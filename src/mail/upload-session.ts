import { createHash, timingSafeEqual } from 'node:crypto'
import { hasVisibleAttachment } from './attachment.js'
import { changed, onCurrent, requireSettled } from './change-message.js'
import { MailError } from './errors.js'
import type { AttachmentId, MailboxId, MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { noFolder } from './mail-folder.js'
import type { Message } from './message.js'

/** What is said of a file before its bytes come. */
export interface UploadItem {
  readonly name: string
  readonly contentType: string
  readonly sizeBytes: number
  readonly isInline: boolean
  readonly contentId: string | null
}

/** A file on its way into a message, range by range. */
export interface UploadSession extends UploadItem {
  readonly mailbox: MailboxId
  readonly message: MessageId
  /** The id the attachment will have. */
  readonly id: AttachmentId
  /** Where its bytes are gathered, and will stay. */
  readonly blob: string
  /** Bytes that are on disk, from the first one on. */
  readonly receivedBytes: number
  /** SHA-256 of the token in the session's URL, hex. */
  readonly tokenHash: string
  /** ms since 1970 */
  readonly expiresAt: number
}

/** Smallest file of a session: what the service takes, below the 3 MB of its documentation (observed). */
const minUploadBytes = 2_097_152
/** Largest one: 150 MB. */
const maxUploadBytes = 157_286_400
const lifetimeMs = 24 * 3_600_000

/**
 * Opens a session. The message shows nothing of the file until all of it has come.
 *
 * @returns the session, and the token that whoever has its URL needs
 * @throws MailError uploadTooSmall, messageTooLarge, conflict, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/attachment-createuploadsession
 */
export async function createUploadSession(
  mail: Mail,
  message: Message,
  item: UploadItem,
): Promise<{ session: UploadSession; token: string }> {
  if (item.sizeBytes < minUploadBytes) {
    throw new MailError('uploadTooSmall', `A file of less than ${minUploadBytes} bytes is attached without a session.`)
  }
  if (item.sizeBytes > maxUploadBytes) throw tooLarge()
  requireRoom(mail, message, item.sizeBytes)
  await requireSettled(mail, message)
  const token = mail.random.bytes(32).toString('base64url')
  const session: UploadSession = {
    ...item,
    mailbox: message.mailbox,
    message: message.id,
    id: mail.ids.next() as AttachmentId,
    blob: mail.random.uuid(),
    receivedBytes: 0,
    tokenHash: hashOf(token),
    expiresAt: mail.clock.now() + lifetimeMs,
  }
  await mail.store.write((tx) => tx.insertUploadSession(session))
  return { session, token }
}

/** @throws MailError messageTooLarge when the message has no room for so much more */
export function requireRoom(mail: Pick<Mail, 'limits'>, message: Message, moreBytes: number): void {
  if (message.sizeBytes + moreBytes > mail.limits.maxMessageBytes) throw tooLarge()
}

function tooLarge(): MailError {
  return new MailError('messageTooLarge', 'The message would be larger than this server takes.')
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Whether the token is the one that opens the session; in the same time for every wrong one. */
export function opensSession(session: UploadSession, token: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(token), 'hex'), Buffer.from(session.tokenHash, 'hex'))
}

/**
 * The session with this id, when it can still be used.
 *
 * @throws MailError notInStore for one that ended, ran out, or never was
 */
export async function liveSession(mail: Mail, mailbox: MailboxId, id: AttachmentId): Promise<UploadSession> {
  const session = await mail.store.uploads.find(mailbox, id)
  if (session === undefined || session.expiresAt <= mail.clock.now()) {
    throw new MailError('notInStore', 'There is no such upload session: it was finished, cancelled or ran out.')
  }
  return session
}

/** Part of a file: first and last byte, and how many the whole has. */
export interface ByteRange {
  readonly first: number
  readonly last: number
  readonly total: number
}

/**
 * Takes the next part of a file; it counts once all of it is on disk. With the last one the attachment is there, and the
 * session is no more.
 *
 * @returns the session as it stands now, and whether it is done
 * @throws MailError rangeOverlap, rangeOutOfOrder, rangeMismatch, notInStore, messageTooLarge, conflict, storeUnavailable
 */
export async function receiveRange(
  mail: Mail,
  session: UploadSession,
  range: ByteRange,
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ session: UploadSession; isDone: boolean }> {
  requireNext(session, range)
  const expected = range.last - range.first + 1
  const written = await mail.store.blobs.write(session.blob, range.first, atMost(bytes, expected))
  if (written !== expected) throw mismatch('The body has fewer bytes than its range.')
  const received = { ...session, receivedBytes: range.last + 1 }
  const isDone = received.receivedBytes === session.sizeBytes
  if (isDone) await finish(mail, session)
  else await mail.store.write((tx) => tx.advanceUploadSession(session, received.receivedBytes))
  return { session: received, isDone }
}

function requireNext({ receivedBytes, sizeBytes }: UploadSession, { first, last, total }: ByteRange): void {
  if (total !== sizeBytes) {
    throw mismatch('Declared total size for this fragment is different from that of the upload session.')
  }
  if (last < first || last >= total) throw mismatch('The range does not lie within the file.')
  if (first < receivedBytes) {
    throw new MailError('rangeOverlap', 'Uploaded fragment overlaps with existing data.', {
      value: String(receivedBytes),
    })
  }
  if (first > receivedBytes) {
    throw new MailError('rangeOutOfOrder', 'Uploaded fragment is out of order.', { value: String(receivedBytes) })
  }
}

function mismatch(message: string): MailError {
  return new MailError('rangeMismatch', message)
}

async function* atMost(bytes: AsyncIterable<Uint8Array>, limit: number): AsyncIterable<Uint8Array> {
  let count = 0
  for await (const chunk of bytes) {
    count += chunk.byteLength
    if (count > limit) throw mismatch('The body has more bytes than its range.')
    yield chunk
  }
}

async function finish(mail: Mail, session: UploadSession): Promise<void> {
  const message = await mail.store.messages.find(session.mailbox, session.message)
  if (message === undefined || message.folder === noFolder) throw messageGone()
  await onCurrent(mail, message, async (current) => {
    await requireSettled(mail, current)
    requireRoom(mail, current, session.sizeBytes)
    const { mailbox, message: id, name, contentType, isInline, contentId, sizeBytes, blob } = session
    const grown = changed(mail, current, {
      hasAttachments: current.hasAttachments || hasVisibleAttachment([session]),
      sizeBytes: current.sizeBytes + sizeBytes,
    })
    await mail.store.write((tx) => {
      tx.deleteUploadSession(session)
      tx.insertLargeAttachment({
        mailbox,
        message: id,
        id: session.id,
        kind: 'file',
        name,
        contentType,
        isInline,
        contentId,
        contentLocation: null,
        sizeBytes,
        modifiedAt: grown.modifiedAt,
        blob,
      })
      tx.changeFolder(mailbox, current.folder, { total: 0, unread: 0, sizeBytes })
      tx.updateMessage(grown, current.change)
      tx.deleteMime(mailbox, id)
    })
  })
}

function messageGone(): MailError {
  return new MailError('notInStore', 'The message that the file was for is gone.')
}

/** Ends a session; its bytes are swept away later. */
export async function cancelUpload(mail: Mail, session: UploadSession): Promise<void> {
  await mail.store.write((tx) => tx.deleteUploadSession(session))
}

/** How long a blob that nothing names is left alone, ms: what is being written is not named yet. */
const graceMs = 3_600_000
/** Blobs looked up at once. */
const sweepBatch = 200

/**
 * Ends the sessions that have run out, and deletes the bytes that neither a session nor an attachment names any more.
 *
 * @returns how many blobs were deleted
 */
export async function sweepUploads(mail: Pick<Mail, 'store' | 'clock'>): Promise<number> {
  const { store } = mail
  const expired = await store.uploads.listExpired(mail.clock.now())
  for (const session of expired) await store.write((tx) => tx.deleteUploadSession(session)).catch(ignoreConflict)
  let deleted = 0
  const sweep = async (keys: readonly string[]) => {
    const named = await store.attachments.namedBlobs(keys)
    for (const key of keys) {
      if (named.has(key)) continue
      await store.blobs.delete(key)
      deleted += 1
    }
  }
  let batch: string[] = []
  for await (const { key, writtenAt } of store.blobs.list()) {
    if (writtenAt > mail.clock.now() - graceMs) continue
    batch.push(key)
    if (batch.length < sweepBatch) continue
    await sweep(batch)
    batch = []
  }
  await sweep(batch)
  return deleted
}

/** Finished or cancelled at the same moment. */
function ignoreConflict(error: unknown): void {
  if (!(error instanceof MailError) || error.code !== 'conflict') throw error
}
