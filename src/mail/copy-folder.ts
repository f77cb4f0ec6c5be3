import { type FolderInTree, onTree, requireOutside, requireRoomFor } from './change-folders.js'
import { MailError } from './errors.js'
import { FolderTree } from './folder-tree.js'
import type { FolderId, MailboxId, MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { folderId, type MailFolder } from './mail-folder.js'
import type { MessageCopy } from './store.js'

/**
 * Another folder with the same folders and messages in it, all under new ids. A default folder can be copied too; its
 * copy is an ordinary one.
 *
 * @throws MailError folderNotFound, folderNotMovable for the root, folderInItself, folderExists, searchFolder,
 *   storeUnavailable
 * @see https://learn.microsoft.com/graph/api/mailfolder-copy
 */
export async function copyFolder(
  mail: Mail,
  mailbox: MailboxId,
  id: FolderId,
  destination: FolderId,
): Promise<FolderInTree> {
  const copied = await onTree(mail, mailbox, async (tree, change) => {
    if (id === folderId('msgfolderroot')) throw new MailError('folderNotMovable', 'The root cannot be copied.')
    requireOutside(tree, destination, id)
    requireRoomFor(tree, destination, tree.get(id).displayName)
    const originals = tree.within(id)
    const newIds = new Map(originals.map((folder) => [folder.id, mail.ids.next() as FolderId]))
    const folders = originals.map((folder) => copyOf(folder, newIds, destination, change))
    const messages = await messageCopies(mail, mailbox, newIds)
    const [top] = folders
    if (top === undefined) throw new Error('a folder is within itself')
    return {
      result: { folder: top, tree: new FolderTree([...tree.all(), ...folders]) },
      parents: [destination],
      write: (tx) => {
        for (const folder of folders) tx.insertFolder(folder)
        tx.copyMessages(mailbox, messages, { change, at: mail.clock.now() })
        tx.recountFolders(
          mailbox,
          folders.map((folder) => folder.id),
        )
      },
    }
  })
  // With its counts, which the store has made.
  return { ...copied, folder: (await mail.store.folders.find(mailbox, copied.folder.id)) ?? copied.folder }
}

function copyOf(
  { wellKnownName: _, ...original }: MailFolder,
  newIds: ReadonlyMap<FolderId, FolderId>,
  destination: FolderId,
  change: number,
): MailFolder {
  const { id, parent } = original
  return {
    ...original,
    id: newIds.get(id) ?? id,
    parent: (parent === undefined ? undefined : newIds.get(parent)) ?? destination,
    totalItemCount: 0,
    unreadItemCount: 0,
    sizeBytes: 0,
    change,
  }
}

/** Which messages are copied under which id into which folder: those that are there now. */
async function messageCopies(
  mail: Mail,
  mailbox: MailboxId,
  newIds: ReadonlyMap<FolderId, FolderId>,
): Promise<MessageCopy[]> {
  const places = await mail.store.messages.placesIn(mailbox, [...newIds.keys()])
  return places.flatMap(({ message, folder }) => {
    const into = newIds.get(folder)
    return into === undefined ? [] : [{ from: message, to: mail.ids.next() as MessageId, folder: into }]
  })
}
