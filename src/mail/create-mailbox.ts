import type { MailboxId, TenantId } from './ids.js'
import type { Mail } from './mail.js'
import { defaultFolders } from './mail-folder.js'
import type { Mailbox } from './mailbox.js'
import { defaultCategories } from './outlook-category.js'

/** What is said of a new mailbox; the address is the user principal name unless given. */
export interface NewMailbox {
  readonly tenant: TenantId
  readonly userPrincipalName: string
  readonly displayName: string
  readonly address?: string
}

/** A mailbox with its default folders and categories, all at once. */
export async function createMailbox(
  mail: Pick<Mail, 'store' | 'random' | 'ids'>,
  wanted: NewMailbox,
): Promise<Mailbox> {
  const mailbox: Mailbox = {
    id: mail.ids.next() as MailboxId,
    tenant: wanted.tenant,
    guid: mail.random.uuid(),
    owner: mail.random.uuid(),
    userPrincipalName: wanted.userPrincipalName,
    address: wanted.address ?? wanted.userPrincipalName,
    displayName: wanted.displayName,
  }
  await mail.store.write((tx) => {
    tx.insertMailbox(mailbox)
    for (const folder of defaultFolders(mailbox.id)) tx.insertFolder(folder)
    for (const category of defaultCategories(mail.random)) tx.insertCategory(mailbox.id, category, mail.ids.next())
  })
  return mailbox
}
