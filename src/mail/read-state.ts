import { MailError } from './errors.js'
import type { FolderId, MailboxId } from './ids.js'
import type { Mail } from './mail.js'

/**
 * Marks every message of a folder as read or unread, those that come in at the same moment as they come.
 *
 * @throws MailError folderNotFound, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/mailfolder-updateallmessagesreadstate
 */
export async function setReadState(mail: Mail, mailbox: MailboxId, folder: FolderId, isRead: boolean): Promise<void> {
  const to = { isRead, change: mail.ids.next(), at: mail.clock.now() }
  try {
    await mail.store.write((tx) => tx.setReadState(mailbox, folder, to))
  } catch (error) {
    if (!(error instanceof MailError) || error.code !== 'conflict') throw error
    throw new MailError('folderNotFound', 'The folder was deleted at the same moment.')
  }
}
