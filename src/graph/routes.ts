import { createForward, createReply, createReplyAll, forward, reply, replyAll } from './handlers/answers.js'
import {
  createAttachment,
  createUploadSession,
  deleteAttachment,
  getAttachedItem,
  getAttachment,
  getAttachmentContent,
  getAttachmentProperty,
  listAttachments,
} from './handlers/attachments.js'
import {
  getInferenceClassification,
  getOverride,
  listOverrides,
  patchOverride,
  postOverride,
  removeOverride,
} from './handlers/classification-overrides.js'
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
import { getMailTips } from './handlers/mail-tips.js'
import { getMailboxSetting, getMailboxSettings, updateMailboxSettings } from './handlers/mailbox-settings.js'
import { removeMention } from './handlers/mentions.js'
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
import { getRule, listRules, patchRule, postRule, removeRule } from './handlers/message-rules.js'
import { countMessages, getMessage, getMessageMime, getMessageProperty, listMessages } from './handlers/messages.js'
import {
  getExtension,
  listExtensions,
  patchExtension,
  postExtension,
  removeExtension,
} from './handlers/open-extensions.js'
import {
  getCategory,
  listCategories,
  patchCategory,
  postCategory,
  removeCategory,
} from './handlers/outlook-categories.js'
import { getOutlook, listLanguages, listTimeZones } from './handlers/outlook-user.js'
import { sendMail } from './handlers/send-mail.js'
import {
  createSubscription,
  deleteSubscription,
  getSubscription,
  listSubscriptions,
  reauthorizeSubscription,
  updateSubscription,
} from './handlers/subscriptions.js'
import { translateExchangeIds } from './handlers/translate-ids.js'
import { getUser, listUsers } from './handlers/users.js'
import { compileRoutes } from './path.js'
import type {
  DirectoryHandler,
  DirectoryRoute,
  Handler,
  MailRoute,
  Route,
  SubscriptionHandler,
  SubscriptionRoute,
} from './request.js'
import { isAttachmentProperty } from './resources/attachment.js'
import { settingNames } from './resources/mailbox-settings.js'
import { isMessageProperty } from './resources/message.js'

const nationalClouds = ['usGovL4', 'usGovL5', 'china'] as const

/** Of the Inbox, by whatever name; other folders have none. */
const rules = '{mailbox}/mailFolders/{folder}/messageRules'

/**
 * The whole API on one page. `{mailbox}` is `/me` or `/users/{id}`; every row is mounted under `/v1.0` and `/beta`.
 * A row names the weakest permission that suffices.
 */
export const routes: readonly Route[] = [
  // Each call in it has a row of its own below.
  { kind: 'batch', method: 'POST', path: '$batch', body: 'json' },
  //    method  path                                                     permission        body          handler
  route('POST', '{mailbox}/sendMail', 'Mail.Send', 'jsonOrMime', sendMail),
  notIn(
    ['usGovL4', 'usGovL5'],
    route('POST', '{mailbox}/translateExchangeIds', 'User.Read', 'json', translateExchangeIds),
  ),
  directoryRoute('{mailbox}', 'User.Read', getUser),
  directoryRoute('users', 'User.ReadBasic.All', listUsers),
  subscriptionRoute('GET', 'subscriptions', 'none', listSubscriptions),
  subscriptionRoute('POST', 'subscriptions', 'json', createSubscription),
  subscriptionRoute('GET', 'subscriptions/{subscription}', 'none', getSubscription),
  subscriptionRoute('PATCH', 'subscriptions/{subscription}', 'json', updateSubscription),
  subscriptionRoute('DELETE', 'subscriptions/{subscription}', 'none', deleteSubscription),
  subscriptionRoute('POST', 'subscriptions/{subscription}/reauthorize', 'none', reauthorizeSubscription),
  ...folders('{mailbox}/mailFolders'),
  notIn(['china'], route('GET', '{mailbox}/mailFolders/delta', 'Mail.ReadBasic', 'none', foldersDelta)),
  ...folders('{mailbox}/mailFolders/{folder}/childFolders'),
  ...onFolder('{mailbox}/mailFolders/{folder}'),
  ...underMessages('{mailbox}/messages'),
  ...underMessages('{mailbox}/mailFolders/{folder}/messages'),
  ...mailboxSettings('{mailbox}/mailboxSettings'),
  route('GET', rules, 'MailboxSettings.Read', 'none', listRules),
  route('POST', rules, 'MailboxSettings.ReadWrite', 'json', postRule),
  route('GET', `${rules}/{rule}`, 'MailboxSettings.Read', 'none', getRule),
  route('PATCH', `${rules}/{rule}`, 'MailboxSettings.ReadWrite', 'json', patchRule),
  route('DELETE', `${rules}/{rule}`, 'MailboxSettings.ReadWrite', 'none', removeRule),
  route('GET', '{mailbox}/outlook', 'User.Read', 'none', getOutlook),
  route('GET', '{mailbox}/outlook/masterCategories', 'MailboxSettings.Read', 'none', listCategories),
  route('POST', '{mailbox}/outlook/masterCategories', 'MailboxSettings.ReadWrite', 'json', postCategory),
  route('GET', '{mailbox}/outlook/masterCategories/{category}', 'MailboxSettings.Read', 'none', getCategory),
  route('PATCH', '{mailbox}/outlook/masterCategories/{category}', 'MailboxSettings.ReadWrite', 'json', patchCategory),
  route('DELETE', '{mailbox}/outlook/masterCategories/{category}', 'MailboxSettings.ReadWrite', 'none', removeCategory),
  route('POST', '{mailbox}/getMailTips', 'Mail.Read', 'json', getMailTips),
  route('GET', '{mailbox}/outlook/supportedLanguages', 'User.Read', 'none', listLanguages),
  route('GET', '{mailbox}/outlook/supportedTimeZones', 'User.Read', 'none', listTimeZones),
  route('GET', '{mailbox}/inferenceClassification', 'Mail.Read', 'none', getInferenceClassification),
  route('GET', '{mailbox}/inferenceClassification/overrides', 'Mail.Read', 'none', listOverrides),
  route('POST', '{mailbox}/inferenceClassification/overrides', 'Mail.ReadWrite', 'json', postOverride),
  route('GET', '{mailbox}/inferenceClassification/overrides/{override}', 'Mail.Read', 'none', getOverride),
  route('PATCH', '{mailbox}/inferenceClassification/overrides/{override}', 'Mail.ReadWrite', 'json', patchOverride),
  route('DELETE', '{mailbox}/inferenceClassification/overrides/{override}', 'Mail.ReadWrite', 'none', removeOverride),
]

/** How a mailbox is set up: as a whole, and each property by itself. */
function mailboxSettings(path: string): MailRoute[] {
  return [
    route('GET', path, 'MailboxSettings.Read', 'none', getMailboxSettings),
    route('PATCH', path, 'MailboxSettings.ReadWrite', 'json', updateMailboxSettings),
    ...settingNames.map((name) =>
      route('GET', `${path}/${name}`, 'MailboxSettings.Read', 'none', getMailboxSetting(name)),
    ),
  ]
}

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
    castable(route('GET', messages, 'Mail.ReadBasic', 'none', listMessages)),
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
    inBeta(route('DELETE', `${message}/mentions/{mention}`, 'Mail.ReadWrite', 'none', removeMention)),
    route('GET', `${message}/$value`, 'Mail.Read', 'none', getMessageMime),
    route('GET', `${message}/extensions`, 'Mail.Read', 'none', listExtensions),
    route('POST', `${message}/extensions`, 'Mail.ReadWrite', 'json', postExtension),
    route('GET', `${message}/extensions/{extension}`, 'Mail.Read', 'none', getExtension),
    route('PATCH', `${message}/extensions/{extension}`, 'Mail.ReadWrite', 'json', patchExtension),
    route('DELETE', `${message}/extensions/{extension}`, 'Mail.ReadWrite', 'none', removeExtension),
    route('GET', `${message}/{property}`, 'Mail.ReadBasic', 'none', getMessageProperty),
    castable(route('GET', `${message}/attachments`, 'Mail.Read', 'none', listAttachments)),
    route('POST', `${message}/attachments`, 'Mail.ReadWrite', 'json', createAttachment),
    ownOnly(
      notIn(
        ['usGovL4', 'usGovL5'],
        route('POST', `${message}/attachments/createUploadSession`, 'Mail.ReadWrite', 'json', createUploadSession),
      ),
    ),
    route('DELETE', attachment, 'Mail.ReadWrite', 'none', deleteAttachment),
    castable(route('GET', attachment, 'Mail.Read', 'none', getAttachment)),
    castable(route('GET', `${attachment}/$value`, 'Mail.Read', 'none', getAttachmentContent)),
    castable(route('GET', `${attachment}/item`, 'Mail.Read', 'none', getAttachedItem)),
    castable(route('GET', `${attachment}/{attachmentProperty}`, 'Mail.Read', 'none', getAttachmentProperty)),
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

function directoryRoute(
  path: string,
  permission: DirectoryRoute['permission'],
  handler: DirectoryHandler,
): DirectoryRoute {
  return { kind: 'directory', method: 'GET', path, permission, body: 'none', handler }
}

/** Behind it a path may ask for a derived type, as in `attachments/microsoft.graph.fileAttachment`. */
function castable(row: MailRoute): MailRoute {
  return { ...row, takesCast: true }
}

/** What is subscribed to is mail: the permission is that of reading it, in the mailbox that the subscription names. */
function subscriptionRoute(
  method: SubscriptionRoute['method'],
  path: string,
  body: SubscriptionRoute['body'],
  handler: SubscriptionHandler,
): SubscriptionRoute {
  return { kind: 'subscription', method, path, permission: 'Mail.ReadBasic', body, handler }
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
export const routeTable = compileRoutes(routes, {
  property: isMessageProperty,
  attachmentProperty: isAttachmentProperty,
})
