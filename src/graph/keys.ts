import { MailError } from '../mail/errors.js'
import type { FolderTree } from '../mail/folder-tree.js'
import type { FolderId } from '../mail/ids.js'
import type { Mail } from '../mail/mail.js'
import { folderId, type MailFolder, noFolder, wellKnownFolderId } from '../mail/mail-folder.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Message, MessageEnvelope } from '../mail/message.js'
import { GraphError } from './errors.js'
import { type ItemId, isCurrent, readItemId } from './item-id.js'
import type { GraphRequest } from './request.js'
import { conditionOfFolder } from './search-folder.js'

/**
 * The folder that the path names by well-known names or ids, each the child of the one before; undefined when it names none.
 *
 * @throws GraphError ErrorInvalidIdMalformed, MailError folderNotFound
 */
export async function folderOfPath(
  request: Pick<GraphRequest, 'mailbox' | 'folderPath'>,
  mail: Mail,
): Promise<MailFolder | undefined> {
  let parent: MailFolder | undefined
  for (const key of request.folderPath) {
    const folder = await mail.store.folders.find(request.mailbox.id, folderIdOf(request.mailbox, key))
    if (folder === undefined || (parent !== undefined && folder.parent !== parent.id)) {
      throw new MailError('folderNotFound', 'The mailbox has no such folder there.')
    }
    parent = folder
  }
  return parent
}

/**
 * The same in a tree that was read whole.
 *
 * @throws GraphError ErrorInvalidIdMalformed, MailError folderNotFound
 */
export function folderInTree({ folderPath, mailbox }: GraphRequest, tree: FolderTree): MailFolder | undefined {
  let found: MailFolder | undefined
  for (const key of folderPath) {
    const folder = tree.get(folderIdOf(mailbox, key))
    if (found !== undefined && folder.parent !== found.id) {
      throw new MailError('folderNotFound', 'The mailbox has no such folder there.')
    }
    found = folder
  }
  return found
}

/**
 * The folder that a key names: a well-known name in any case, or an id.
 *
 * @throws GraphError ErrorInvalidIdMalformed, ErrorInvalidMailboxItemId
 */
export function folderIdOf(mailbox: Mailbox, key: string): FolderId {
  return wellKnownFolderId(key) ?? folderOfId(mailbox, key)
}

/** The folder that a parameter such as `destinationId` names. */
export async function folderNamed(request: GraphRequest, mail: Mail, key: string): Promise<MailFolder> {
  const folder = await mail.store.folders.find(request.mailbox.id, folderIdOf(request.mailbox, key))
  if (folder !== undefined) return folder
  throw new MailError('folderNotFound', 'The mailbox has no such folder.')
}

function folderOfId(mailbox: Mailbox, text: string): FolderId {
  const id = readOwnId(mailbox, text)
  if (id.kind !== 'folder') throw idMalformed('The id is not that of a folder.')
  return id.folder
}

/**
 * The message that the path names, in the folder it names.
 *
 * @param missing what to say when it is not there: the service words it differently for what reads and what changes
 * @throws GraphError ErrorInvalidIdMalformed, ErrorInvalidMailboxItemId, MailError messageNotFound, notInStore
 */
export async function messageOfPath(
  request: GraphRequest,
  mail: Mail,
  missing: 'messageNotFound' | 'notInStore' = 'messageNotFound',
): Promise<Message> {
  const folder = await folderOfPath(request, mail)
  const id = readOwnId(request.mailbox, request.keys.message ?? '')
  if (id.kind !== 'message' && id.kind !== 'immutable') throw idMalformed('The id is not that of a message.')
  const message = await mail.store.messages.find(request.mailbox.id, id.message)
  if (message === undefined || !isThere(message, id) || !(await isIn(request, mail, message, folder))) {
    throw new MailError(missing, 'The mailbox has no such message there; a default id changes when it is moved.')
  }
  return message
}

function isThere(message: MessageEnvelope, id: ItemId): boolean {
  return message.folder !== noFolder && (id.kind !== 'message' || isCurrent(id, message))
}

/** Whether a folder of the path shows the message: the root shows all there are, a search folder those it finds. */
async function isIn(
  request: GraphRequest,
  mail: Mail,
  message: MessageEnvelope,
  folder: MailFolder | undefined,
): Promise<boolean> {
  if (folder === undefined || folder.id === folderId('msgfolderroot') || folder.id === message.folder) return true
  const shown = await conditionOfFolder(request, mail, folder)
  if (shown === undefined) return false
  const isIt = { kind: 'compare', field: 'id', operator: 'eq', value: message.id } as const
  return (await mail.store.messages.count(message.mailbox, undefined, { kind: 'every', of: [isIt, shown] })) > 0
}

/** Reads an id of this mailbox. Of another's it says no more than Graph does. */
export function readOwnId(mailbox: Mailbox, text: string): ItemId {
  const id = readItemId(mailbox, text)
  if (id === undefined)
    throw idMalformed('An id has the length, alphabet and inner form of those this server gives out.')
  if (id.mailboxGuid !== mailbox.guid) throw idOfAnotherMailbox(mailbox, text)
  return id
}

/** The refusal of an id that is well-formed, but of another mailbox than the path names. */
export function idOfAnotherMailbox(mailbox: Mailbox, text: string): GraphError {
  return new GraphError(
    404,
    'ErrorInvalidMailboxItemId',
    `Item '${text}' doesn't belong to the targeted mailbox '${mailbox.guid}'.`,
    { reason: 'The id is of another mailbox than the path names.' },
  )
}

/** The refusal of an id that is none. */
export function idMalformed(reason: string): GraphError {
  return new GraphError(400, 'ErrorInvalidIdMalformed', 'Id is malformed.', { reason })
}
