import { createForward, createReply, createReplyAll, forward, reply, replyAll } from './handlers/answers.js'
import {
  createAttachment,
  createUploadSession,
  deleteAttachment,
  getAttachment,
  getAttachmentContent,
  listAttachments,
} from './handlers/attachments.js'
import { foldersDelta, messagesDelta } from './handlers/delta.js'
import {
  copyFolder,
  createFolder,
  deleteFolder,
  moveFolder,
  permanentDeleteFolder,
  updateAllMessagesReadState,
  updateFolder,
} from './handlers/mail-folder-changes.js'
import { countFolders, getFolder, listFolders } from './handlers/mail-folders.js'
import {
  copyMessage,
  createMessage,
  deleteMessage,
  markAsJunk,
  markAsNotJunk,
  moveMessage,
  permanentDeleteMessage,
  sendMessage,
  unsubscribeMessage,
  updateMessage,
} from './handlers/message-changes.js'
import { countMessages, getMessage, getMessageMime, listMessages } from './handlers/messages.js'
import { sendMail } from './handlers/send-mail.js'
import { getUser, listUsers } from './handlers/users.js'
import { compileRoutes } from './path.js'
import type { DirectoryHandler, DirectoryRoute, Handler, MailRoute, Route } from './request.js'

const nationalClouds = ['usGovL4', 'usGovL5', 'china'] as const

/**
 * The whole API on one page. `{mailbox}` is `/me` or `/users/{id}`; every row is mounted under `/v1.0` and `/beta`.
 * A row names the weakest permission that suffices.
 */
export const routes: readonly Route[] = [
  //    method  path                                                     permission        body          handler
  route('POST', '{mailbox}/sendMail', 'Mail.Send', 'jsonOrMime', sendMail),
  directoryRoute('{mailbox}', 'User.Read', getUser),
  directoryRoute('users', 'User.ReadBasic.All', listUsers),
  ...folders('{mailbox}/mailFolders'),
  notIn(['china'], route('GET', '{mailbox}/mailFolders/delta', 'Mail.ReadBasic', 'none', foldersDelta)),
  ...folders('{mailbox}/mailFolders/{folder}/childFolders'),
  ...onFolder('{mailbox}/mailFolders/{folder}'),
  ...underMessages('{mailbox}/messages'),
  ...underMessages('{mailbox}/mailFolders/{folder}/messages'),
]

/** Folders in the root, and in a folder. */
function folders(list: string): MailRoute[] {
  return [
    route('GET', list, 'Mail.ReadBasic', 'none', listFolders),
    route('GET', `${list}/$count`, 'Mail.ReadBasic', 'none', countFolders),
    route('POST', list, 'Mail.ReadWrite', 'json', createFolder),
  ]
}

/** One folder, at any depth. */
function onFolder(folder: string): MailRoute[] {
  return [
    route('GET', folder, 'Mail.ReadBasic', 'none', getFolder),
    route('PATCH', folder, 'Mail.ReadWrite', 'json', updateFolder),
    route('DELETE', folder, 'Mail.ReadWrite', 'none', deleteFolder),
    route('POST', `${folder}/copy`, 'Mail.ReadWrite', 'json', copyFolder),
    route('POST', `${folder}/move`, 'Mail.ReadWrite', 'json', moveFolder),
    notIn(nationalClouds, route('POST', `${folder}/permanentDelete`, 'Mail.ReadWrite', 'none', permanentDeleteFolder)),
    worldwideBeta(
      route('POST', `${folder}/updateAllMessagesReadState`, 'Mail.ReadWrite', 'json', updateAllMessagesReadState),
    ),
  ]
}

/** The operations on messages are the same below the mailbox and below a folder. */
function underMessages(messages: string): MailRoute[] {
  const message = `${messages}/{message}`
  const attachment = `${message}/attachments/{attachment}`
  return [
    route('GET', messages, 'Mail.ReadBasic', 'none', listMessages),
    route('GET', `${messages}/$count`, 'Mail.ReadBasic', 'none', countMessages),
    notIn(['china'], route('GET', `${messages}/delta`, 'Mail.ReadBasic', 'none', messagesDelta)),
    route('POST', messages, 'Mail.ReadWrite', 'jsonOrMime', createMessage),
    route('GET', message, 'Mail.ReadBasic', 'none', getMessage),
    route('PATCH', message, 'Mail.ReadWrite', 'json', updateMessage),
    route('DELETE', message, 'Mail.ReadWrite', 'none', deleteMessage),
    route('POST', `${message}/copy`, 'Mail.ReadWrite', 'json', copyMessage),
    route('POST', `${message}/move`, 'Mail.ReadWrite', 'json', moveMessage),
    notIn(
      nationalClouds,
      route('POST', `${message}/permanentDelete`, 'Mail.ReadWrite', 'none', permanentDeleteMessage),
    ),
    route('POST', `${message}/send`, 'Mail.Send', 'none', sendMessage),
    route('POST', `${message}/createReply`, 'Mail.ReadWrite', 'optionalJsonOrMime', createReply),
    route('POST', `${message}/createReplyAll`, 'Mail.ReadWrite', 'optionalJsonOrMime', createReplyAll),
    route('POST', `${message}/createForward`, 'Mail.ReadWrite', 'optionalJsonOrMime', createForward),
    route('POST', `${message}/reply`, 'Mail.Send', 'optionalJsonOrMime', reply),
    route('POST', `${message}/replyAll`, 'Mail.Send', 'optionalJsonOrMime', replyAll),
    route('POST', `${message}/forward`, 'Mail.Send', 'optionalJsonOrMime', forward),
    worldwideBeta(route('POST', `${message}/markAsJunk`, 'Mail.ReadWrite', 'json', markAsJunk)),
    worldwideBeta(route('POST', `${message}/markAsNotJunk`, 'Mail.ReadWrite', 'json', markAsNotJunk)),
    inBeta(route('POST', `${message}/unsubscribe`, 'Mail.Send', 'none', unsubscribeMessage)),
    route('GET', `${message}/$value`, 'Mail.Read', 'none', getMessageMime),
    route('GET', `${message}/attachments`, 'Mail.Read', 'none', listAttachments),
    route('POST', `${message}/attachments`, 'Mail.ReadWrite', 'json', createAttachment),
    ownOnly(
      notIn(
        ['usGovL4', 'usGovL5'],
        route('POST', `${message}/attachments/createUploadSession`, 'Mail.ReadWrite', 'json', createUploadSession),
      ),
    ),
    route('DELETE', attachment, 'Mail.ReadWrite', 'none', deleteAttachment),
    route('GET', attachment, 'Mail.Read', 'none', getAttachment),
    route('GET', `${attachment}/$value`, 'Mail.Read', 'none', getAttachmentContent),
  ]
}

function route(
  method: MailRoute['method'],
  path: string,
  permission: MailRoute['permission'],
  body: MailRoute['body'],
  handler: Handler,
): MailRoute {
  return { kind: 'mail', method, path, permission, body, handler }
}

function directoryRoute(path: string, permission: Route['permission'], handler: DirectoryHandler): DirectoryRoute {
  return { kind: 'directory', method: 'GET', path, permission, body: 'none', handler }
}

function inBeta(row: MailRoute): MailRoute {
  return { ...row, since: 'beta' }
}

/** Declared worldwide, absent from the published models of these clouds. */
function notIn(clouds: MailRoute['notIn'] & {}, row: MailRoute): MailRoute {
  return { ...row, notIn: clouds }
}

function worldwideBeta(row: MailRoute): MailRoute {
  return notIn(nationalClouds, inBeta(row))
}

/** Documented as failing in a mailbox that is shared with the user. */
function ownOnly(row: MailRoute): MailRoute {
  return { ...row, ownOnly: true }
}

/** The table, made ready for matching. */
export const routeTable = compileRoutes(routes)
