import { onCurrent } from './change-message.js'
import { MailError } from './errors.js'
import type { FolderId, MailboxId } from './ids.js'
import type { Mail } from './mail.js'
import { wantsReadReceipt } from './read-receipt.js'
import { updateMessage } from './update-message.js'

/** Receipts sent for one call, to the senders of the newest messages. */
const maxReceipts = 1_000

/** Reads those messages one by one whose senders want to be told. */
async function readWithReceipts(mail: Mail, mailbox: MailboxId, folder: FolderId): Promise<void> {
  const wanted = (field: 'isRead' | 'isReadReceiptRequested', value: boolean) =>
    ({ kind: 'compare', field, operator: 'eq', value }) as const
  const listed = await mail.store.messages.list({
    mailbox,
    folder,
    where: { kind: 'every', of: [wanted('isRead', false), wanted('isReadReceiptRequested', true)] },
    order: [],
    skip: 0,
    top: maxReceipts,
    withContent: false,
  })
  for (const { id } of listed) {
    const message = await mail.store.messages.find(mailbox, id)
    if (message === undefined || !wantsReadReceipt(message)) continue
    try {
      await onCurrent(mail, message, (current) => updateMessage(mail, current, { isRead: true }))
    } catch (error) {
      // It was moved away at the same moment: it is none of the folder's any more.
      if (!(error instanceof MailError) || error.code !== 'notInStore') throw error
    }
  }
}

/**
 * Marks every message of a folder as read or unread, those that come in at the same moment as they come.
 *
 * @throws MailError folderNotFound, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/mailfolder-updateallmessagesreadstate
 */
export async function setReadState(
  mail: Mail,
  mailbox: MailboxId,
  folder: FolderId,
  isRead: boolean,
  { suppressReadReceipts = false }: { readonly suppressReadReceipts?: boolean } = {},
): Promise<void> {
  if (isRead && !suppressReadReceipts) await readWithReceipts(mail, mailbox, folder)
  const to = { isRead, change: mail.ids.next(), at: mail.clock.now() }
  try {
    await mail.store.write((tx) => tx.setReadState(mailbox, folder, to))
  } catch (error) {
    if (!(error instanceof MailError) || error.code !== 'conflict') throw error
    throw new MailError('folderNotFound', 'The folder was deleted at the same moment.')
  }
}
