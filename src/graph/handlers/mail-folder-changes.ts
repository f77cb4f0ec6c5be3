import {
  createFolder as createIn,
  type FolderChanges,
  type FolderInTree,
  moveFolder as moveTo,
  deleteFolder as moveToDeletedItems,
  purgeFolder,
  updateFolder as update,
} from '../../mail/change-folders.js'
import { copyFolder as copyTo } from '../../mail/copy-folder.js'
import type { FolderId } from '../../mail/ids.js'
import type { Mail } from '../../mail/mail.js'
import { type FolderDetails, folderId, type MailFolder } from '../../mail/mail-folder.js'
import { setReadState } from '../../mail/read-state.js'
import { parameterMissing, readParameters } from '../action-parameters.js'
import { contextOf, foldersContext, folderUrl } from '../context.js'
import { folderIdOf, folderOfPath } from '../keys.js'
import { readFilter } from '../message-filter.js'
import type { GraphReply, GraphRequest, Handler } from '../request.js'
import { asEntity } from '../resources/draft.js'
import { mergedProperties } from '../resources/extended-property.js'
import { presentFolder, selectFolderProperties } from '../resources/mail-folder.js'
import { type FolderSaid, readFolderChanges, readNewFolder, searchSaid } from '../resources/mail-folder-reading.js'
import { readBoolean, readText } from '../resources/values.js'
import { withCounts } from '../search-folder.js'

/** POST {mailbox}/mailFolders, .../mailFolders/{folder}/childFolders: 201 and the new folder out. */
export const createFolder: Handler = async (request, mail) => {
  const parent = await folderToChange(request, mail)
  const {
    displayName,
    isHidden = false,
    isSearch,
    ...said
  } = asEntity(() => readNewFolder(bodyOf(request), request.version))
  const { sources = [], filterQuery = '', includeNestedFolders = false } = searchOf(request, said) ?? {}
  const made = await createIn(mail, request.mailbox.id, parent, {
    displayName,
    isHidden,
    details: {
      ...extendedProperties(said, undefined),
      ...(isSearch ? { search: { sources, filterQuery, includeNestedFolders } } : {}),
    },
  })
  return folderReply(request, mail, made, { status: 201, parent: request.folderPath.at(-1) })
}

/** PATCH .../mailFolders/{folder}: 200 and the folder out. */
export const updateFolder: Handler = async (request, mail) => {
  const folder = await folderToChange(request, mail)
  const said = asEntity(() => readFolderChanges(bodyOf(request), request.version))
  const search = searchOf(request, said)
  const updated = await update(
    mail,
    request.mailbox.id,
    folder,
    (current): FolderChanges => ({
      ...(said.displayName === undefined ? {} : { displayName: said.displayName }),
      ...(search === undefined ? {} : { search }),
      ...extendedProperties(said, current),
    }),
  )
  return folderReply(request, mail, updated, { status: 200, parent: request.folderPath.at(-2) })
}

/** DELETE .../mailFolders/{folder}: into Deleted Items, and from there away; 204. */
export const deleteFolder: Handler = async (request, mail) => {
  await moveToDeletedItems(mail, request.mailbox.id, await folderToChange(request, mail))
  return { status: 204 }
}

/** POST .../mailFolders/{folder}/permanentDelete: no call finds it again; 204. */
export const permanentDeleteFolder: Handler = async (request, mail) => {
  await purgeFolder(mail, request.mailbox.id, await folderToChange(request, mail))
  return { status: 204 }
}

/** POST .../mailFolders/{folder}/move: `{"destinationId": folder}`; 200 and the folder. */
export const moveFolder: Handler = async (request, mail) => {
  const folder = await folderToChange(request, mail)
  const moved = await moveTo(mail, request.mailbox.id, folder, destinationOf(request, 'move'))
  return folderReply(request, mail, moved, { status: 200, parent: undefined })
}

/** POST .../mailFolders/{folder}/copy: `{"destinationId": folder}`; 201 and the copy. */
export const copyFolder: Handler = async (request, mail) => {
  const folder = await folderToChange(request, mail)
  const copy = await copyTo(mail, request.mailbox.id, folder, destinationOf(request, 'copy'))
  return folderReply(request, mail, copy, { status: 201, parent: undefined })
}

/** POST /beta/.../mailFolders/{folder}/updateAllMessagesReadState: `{"isRead", "suppressReadReceipts"}`; 204. */
export const updateAllMessagesReadState: Handler = async (request, mail) => {
  const folder = await folderToChange(request, mail)
  const operation = 'updateAllMessagesReadState'
  const parameters = readParameters(bodyOf(request), operation, ['isRead', 'suppressReadReceipts'])
  const isRead = readBoolean(parameters.get('isRead') ?? null, 'isRead')
  const isSilent = readBoolean(parameters.get('suppressReadReceipts') ?? null, 'suppressReadReceipts')
  if (isRead === null) throw parameterMissing('isRead', operation)
  await setReadState(mail, request.mailbox.id, folder, isRead, { suppressReadReceipts: isSilent === true })
  return { status: 204 }
}

function bodyOf({ body }: GraphRequest): unknown {
  return body.kind === 'json' ? body.value : undefined
}

/** The folder of the path; the root where it names none. */
async function folderToChange(request: GraphRequest, mail: Mail): Promise<FolderId> {
  return (await folderOfPath(request, mail))?.id ?? folderId('msgfolderroot')
}

/** @throws GraphError also for a filter that messages cannot be filtered by */
function searchOf(request: GraphRequest, said: FolderSaid) {
  if (said.filterQuery !== undefined) readFilter(said.filterQuery, [], request)
  return searchSaid(said, (key) => folderIdOf(request.mailbox, key))
}

/** An update adds to those that are there, or replaces one by its id. */
function extendedProperties(said: FolderSaid, current: MailFolder | undefined): Omit<FolderDetails, 'search'> {
  const { singleValueExtendedProperties: single, multiValueExtendedProperties: multi } = said
  return {
    ...(single === undefined
      ? {}
      : {
          singleValueExtendedProperties: mergedProperties(current?.singleValueExtendedProperties ?? [], single),
        }),
    ...(multi === undefined
      ? {}
      : {
          multiValueExtendedProperties: mergedProperties(current?.multiValueExtendedProperties ?? [], multi),
        }),
  }
}

function destinationOf(request: GraphRequest, operation: 'move' | 'copy'): FolderId {
  const value = readParameters(bodyOf(request), operation, ['destinationId']).get('destinationId')
  const destination = value === undefined ? null : readText(value, 'destinationId')
  if (destination === null || destination === '') throw parameterMissing('DestinationId', operation)
  return folderIdOf(request.mailbox, destination)
}

async function folderReply(
  request: GraphRequest,
  mail: Mail,
  { folder, tree }: FolderInTree,
  { status, parent }: { status: number; parent: string | undefined },
): Promise<GraphReply> {
  const selection = selectFolderProperties(undefined, request.version)
  const shown = presentFolder(
    await withCounts(request, mail, tree, folder),
    { mailbox: request.mailbox, tree },
    selection,
  )
  return {
    status,
    json: { '@odata.context': contextOf(request, `${foldersContext(parent)}/$entity`), ...shown },
    ...(status === 201 ? { headers: { Location: folderUrl(request, String(shown.id)) } } : {}),
  }
}
