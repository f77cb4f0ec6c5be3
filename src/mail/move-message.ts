import { changed, onCurrent } from './change-message.js'
import { MailError } from './errors.js'
import type { FolderId, MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { folderId, noFolder } from './mail-folder.js'
import type { Message } from './message.js'
import { countIn, countMove, countOut, writeInto } from './put-message.js'

/**
 * Puts a message into another folder. Its default id is another one afterwards; the immutable one stays.
 *
 * @param ifChange the change number it must still have; absent: whatever it has
 * @throws MailError conflict, notInStore, folderNotFound, storeUnavailable
 */
export async function moveMessage(
  mail: Mail,
  message: Message,
  destination: FolderId,
  ifChange?: number,
): Promise<Message> {
  return onCurrent(mail, message, async (current) => {
    requireChange(current, ifChange)
    const moved = changed(mail, current, { folder: destination, moves: current.moves + 1 })
    await writeInto(mail, moved, (tx) => {
      countMove(tx, current, moved)
      tx.updateMessage(moved, current.change)
    })
    return moved
  })
}

/**
 * Another message with the same content and attachments in a folder; the original stays as it is.
 *
 * @throws MailError folderNotFound, storeUnavailable
 */
export async function copyMessage(mail: Mail, message: Message, destination: FolderId): Promise<Message> {
  const { lastVerb: _, ...original } = message
  const copy = changed(mail, original, {
    id: mail.ids.next() as MessageId,
    folder: destination,
    moves: 0,
    createdAt: mail.clock.now(),
  })
  const from = { mailbox: message.mailbox, message: message.id }
  const to = { mailbox: copy.mailbox, message: copy.id }
  await writeInto(mail, copy, (tx) => {
    tx.insertMessage(copy)
    tx.copyMime(from, to)
    tx.copyAttachments(from, to)
    countIn(tx, copy)
  })
  return copy
}

/**
 * Deletes a message so that its owner can still recover it: into the Deletions folder, not Deleted Items.
 *
 * @throws MailError notDeletable when it is there already; conflict, notInStore, storeUnavailable
 */
export async function deleteMessage(mail: Mail, message: Message, ifChange?: number): Promise<void> {
  const deletions = folderId('recoverableitemsdeletions')
  if (message.folder === deletions) throw new MailError('notDeletable', 'The message is among the deletions already.')
  await moveMessage(mail, message, deletions, ifChange)
}

/**
 * Deletes a message for good: no call finds it again. Its row stays, in no folder, while it is still being delivered.
 *
 * @throws MailError notInStore, storeUnavailable
 */
export async function purgeMessage(mail: Mail, message: Message): Promise<void> {
  await onCurrent(mail, message, async (current) => {
    const purged = changed(mail, current, { folder: noFolder, moves: current.moves + 1 })
    await mail.store.write((tx) => {
      countOut(tx, current, purged.modifiedAt)
      tx.updateMessage(purged, current.change)
    })
  })
}

/** @throws MailError conflict */
export function requireChange(message: Message, ifChange: number | undefined): void {
  if (ifChange === undefined || ifChange === message.change) return
  throw new MailError('conflict', 'The message has changed since the etag in If-Match was read.')
}
