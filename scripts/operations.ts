import { routes } from '../src/graph/routes.js'

/**
 * Every operation of the mail part of Graph's v1.0 model: entity sets, navigation, bound actions and functions, as paths of
 * the route table. `npm run conformance` compares the list with the published model; a row without a reason must be served.
 */
interface Operation {
  readonly method: string
  readonly path: string
  /** Why it is not served. */
  readonly reason?: string
}

const notYet = 'not served yet'
const directoryOnly =
  'users are kept by `graphpost user`, a file or `/admin/...`, as a tenant’s administrator keeps them'
const byExpand = 'comes with its message by `$expand`, and is written with it, as the documentation has it'
const byExpandOfFolder = 'comes with its folder by `$expand`, and is written with it, as the documentation has it'
const sameBelow = (folder: string): Operation[] => [
  ...crud(`${folder}/messages`),
  ...bound(`${folder}/messages/{message}`),
  op('GET', `${folder}/messages/delta`),
]

function op(method: string, path: string, reason?: string): Operation {
  return { method, path, ...(reason === undefined ? {} : { reason }) }
}

const parameters: Readonly<Record<string, string>> = {
  messages: 'message',
  mailFolders: 'folder',
  childFolders: 'folder',
  attachments: 'attachment',
  extensions: 'extension',
  messageRules: 'rule',
  masterCategories: 'category',
  overrides: 'override',
  subscriptions: 'subscription',
}

/** What can be done with a collection and its members. */
function crud(collection: string, reason?: string): Operation[] {
  const member = `${collection}/{${parameters[collection.split('/').at(-1) ?? ''] ?? 'key'}}`
  return [
    op('GET', collection, reason),
    op('POST', collection, reason),
    op('GET', member, reason),
    op('PATCH', member, reason),
    op('DELETE', member, reason),
  ]
}

/** Actions of a message, and what hangs on it. */
function bound(message: string): Operation[] {
  const attachments = `${message}/attachments`
  const actions = [
    'copy',
    'createForward',
    'createReply',
    'createReplyAll',
    'forward',
    'move',
    'permanentDelete',
    'reply',
  ]
  return [
    ...[...actions, 'replyAll', 'send'].map((action) => op('POST', `${message}/${action}`)),
    ...crud(attachments).filter(({ method }) => method !== 'PATCH'),
    op(
      'PATCH',
      `${attachments}/{attachment}`,
      'Graph documents no way to change an attachment: delete it and add another',
    ),
    op('POST', `${attachments}/createUploadSession`),
    ...crud(`${message}/extensions`),
    ...['singleValueExtendedProperties', 'multiValueExtendedProperties'].flatMap((name) =>
      crud(`${message}/${name}`, byExpand),
    ),
  ]
}

/** In the order of the model. */
export const operations: readonly Operation[] = [
  ...crud('subscriptions'),
  op('POST', 'subscriptions/{subscription}/reauthorize'),
  op('GET', 'users'),
  op('POST', 'users', directoryOnly),
  op('GET', '{mailbox}'),
  op('PATCH', '{mailbox}', directoryOnly),
  op('DELETE', '{mailbox}', directoryOnly),
  op('POST', '{mailbox}/sendMail'),
  op('POST', '{mailbox}/getMailTips'),
  op('POST', '{mailbox}/translateExchangeIds'),
  op('GET', '{mailbox}/mailboxSettings'),
  op('PATCH', '{mailbox}/mailboxSettings'),
  ...sameBelow('{mailbox}'),
  ...crud('{mailbox}/mailFolders'),
  op('GET', '{mailbox}/mailFolders/delta'),
  ...['copy', 'move', 'permanentDelete'].map((action) => op('POST', `{mailbox}/mailFolders/{folder}/${action}`)),
  op('GET', '{mailbox}/mailFolders/{folder}/childFolders'),
  op('POST', '{mailbox}/mailFolders/{folder}/childFolders'),
  ...sameBelow('{mailbox}/mailFolders/{folder}'),
  ...crud('{mailbox}/mailFolders/{folder}/messageRules'),
  ...['singleValueExtendedProperties', 'multiValueExtendedProperties'].flatMap((name) =>
    crud(`{mailbox}/mailFolders/{folder}/${name}`, byExpandOfFolder),
  ),
  op('GET', '{mailbox}/inferenceClassification'),
  op('PATCH', '{mailbox}/inferenceClassification', 'it has no property of its own that could be changed'),
  ...crud('{mailbox}/inferenceClassification/overrides'),
  op('GET', '{mailbox}/outlook'),
  ...crud('{mailbox}/outlook/masterCategories'),
  op('GET', '{mailbox}/outlook/supportedLanguages'),
  op('GET', '{mailbox}/outlook/supportedTimeZones'),
]

const withoutNames = (path: string): string => path.toLowerCase().replace(/\{(?!mailbox\})\w+\}/g, '{}')
const served = new Set(routes.map(({ method, path }) => `${method} ${withoutNames(path)}`))

export function isServed({ method, path }: Operation): boolean {
  return served.has(`${method} ${withoutNames(path)}`)
}

/** Those that are not served, each with why. */
export function operationsNotServed(): Required<Operation>[] {
  return operations
    .filter((operation) => !isServed(operation))
    .map(({ method, path, reason = notYet }) => ({ method, path, reason }))
}
