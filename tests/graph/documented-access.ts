/** What the documentation says of access: which permission each operation asks for, and how a call without it is refused. */
import type { OperationRoute as Route } from '../../src/graph/request.js'
import { routes } from '../../src/graph/routes.js'

export type { OperationRoute as Route } from '../../src/graph/request.js'

/** Rows that a permission admits to: all but the batch, which asks for none of its own. */
export const operations = routes.filter((route): route is Route => route.kind !== 'batch')

/** A refusal as documented. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
  /** From the front end, which adds an `innerError`; the mail workload does not. */
  readonly isFrontEnd: boolean
}

/** What the two workloads behind the front end answer. */
interface Workload {
  readonly denied: Refusal
  readonly unknownUser: (key: string) => Refusal
  /** How it names the user of a token in the place of a key. */
  readonly keyOfMe: (user: string, tenant: string) => string
}

const workloads: Readonly<Record<Exclude<Route['kind'], 'subscription'>, Workload>> = {
  mail: {
    denied: {
      status: 403,
      code: 'ErrorAccessDenied',
      message: 'Access is denied. Check credentials and try again.',
      isFrontEnd: false,
    },
    unknownUser: (key) => ({
      status: 404,
      code: 'ErrorInvalidUser',
      message: `The requested user '${key}' is invalid.`,
      isFrontEnd: false,
    }),
    keyOfMe: (user, tenant) => `${user}@${tenant}`,
  },
  directory: {
    denied: {
      status: 403,
      code: 'Authorization_RequestDenied',
      message: 'Insufficient privileges to complete the operation.',
      isFrontEnd: true,
    },
    unknownUser: (key) => ({
      status: 404,
      code: 'Request_ResourceNotFound',
      message: `Resource '${key}' does not exist or one of its queried reference-property objects are not present.`,
      isFrontEnd: true,
    }),
    keyOfMe: (user) => user,
  },
}

/** Subscriptions wrap what the mailbox says, and name what was to be done. */
function subscriptionDenied(method: string): Refusal {
  const operation = { POST: 'Create', GET: 'Read', PATCH: 'Update', DELETE: 'Delete' }[method]
  return {
    status: 403,
    code: 'ExtensionError',
    message: `Operation: ${operation}; Exception: [Status Code: Forbidden; Reason: Access denied]`,
    isFrontEnd: true,
  }
}

/** An access policy of the application keeps it out of the mailbox. */
export const blockedByPolicy: Refusal = {
  status: 403,
  code: 'ErrorAccessDenied',
  message: 'Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.',
  isFrontEnd: false,
}

/** The user may be in the mailbox, but not send from it. */
export const sendAsDenied: Refusal = {
  status: 403,
  code: 'ErrorSendAsDenied',
  message:
    'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., Cannot submit message.',
  isFrontEnd: false,
}

/** The directory's too: the front end sees to it. */
export const meOfApplication: Refusal = {
  status: 400,
  code: 'BadRequest',
  message: '/me request is only valid with delegated authentication flow.',
  isFrontEnd: true,
}

/** The token is wrong, and these words say how. */
export function unauthenticated(message: string): Refusal {
  return { status: 401, code: 'InvalidAuthenticationToken', message, isFrontEnd: true }
}

/** Whose token it is: a user's in what is theirs, a user's in what is another's, an application's. */
export type Use = 'delegated' | 'shared' | 'application'

/** Permission of a row → every one that admits to it, the least privileged first. */
const admitting: Readonly<Record<string, Readonly<Record<Use, readonly string[]>>>> = {
  'Mail.ReadBasic': mail(['ReadBasic', 'Read', 'ReadWrite'], ['ReadBasic.All']),
  'Mail.Read': mail(['Read', 'ReadWrite']),
  'Mail.ReadWrite': mail(['ReadWrite']),
  'Mail.Send': mail(['Send']),
  'MailboxSettings.Read': settings(['Read', 'ReadWrite']),
  'MailboxSettings.ReadWrite': settings(['ReadWrite']),
  'User.Read': users(['User.Read', 'User.ReadWrite']),
  'User.ReadBasic.All': users([]),
}

function mail(names: readonly string[], ofApplications: readonly string[] = []) {
  const own = names.map((name) => `Mail.${name}`)
  const shared = own.map((name) => `${name}.Shared`)
  return {
    delegated: [...own, ...shared],
    shared,
    application: [...own, ...ofApplications.map((name) => `Mail.${name}`)],
  }
}

/** Of one's own mailbox alone: there is no scope for shared ones. */
function settings(names: readonly string[]) {
  const own = names.map((name) => `MailboxSettings.${name}`)
  return { delegated: own, shared: [], application: own }
}

function users(ofOneself: readonly string[]) {
  const application = ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All']
  const shared = ['User.ReadBasic.All', ...application]
  return { delegated: [...ofOneself, ...shared], shared, application }
}

/** Everything there is, and what looks like it. */
export const everyPermission = [
  ...new Set(Object.values(admitting).flatMap((row) => Object.values(row).flat())),
  'Mail-Advanced.ReadWrite',
  'Graphpost.Admin',
  'Mail',
  'Mail.',
  'Mail.*',
  'Mail.All',
  'User.*',
  '.default',
  'Mail.Read.All.ReadWrite.Send',
]

/** Least privileged permission of each operation on its page of the documentation; below a folder as below the mailbox. */
const documented: Readonly<Record<string, string>> = {
  'GET {mailbox}': 'User.Read',
  'GET users': 'User.ReadBasic.All',
  'GET subscriptions': 'Mail.ReadBasic',
  'POST subscriptions': 'Mail.ReadBasic',
  'GET subscriptions/{subscription}': 'Mail.ReadBasic',
  'PATCH subscriptions/{subscription}': 'Mail.ReadBasic',
  'DELETE subscriptions/{subscription}': 'Mail.ReadBasic',
  'POST subscriptions/{subscription}/reauthorize': 'Mail.ReadBasic',
  'POST sendMail': 'Mail.Send',
  'GET messages/delta': 'Mail.ReadBasic',
  'GET mailFolders/delta': 'Mail.ReadBasic',
  'GET mailFolders': 'Mail.ReadBasic',
  'GET mailFolders/$count': 'Mail.ReadBasic',
  'GET mailFolders/{folder}': 'Mail.ReadBasic',
  'POST mailFolders': 'Mail.ReadWrite',
  'PATCH mailFolders/{folder}': 'Mail.ReadWrite',
  'DELETE mailFolders/{folder}': 'Mail.ReadWrite',
  'POST mailFolders/{folder}/copy': 'Mail.ReadWrite',
  'POST mailFolders/{folder}/move': 'Mail.ReadWrite',
  'POST mailFolders/{folder}/permanentDelete': 'Mail.ReadWrite',
  'POST mailFolders/{folder}/updateAllMessagesReadState': 'Mail.ReadWrite',
  'GET mailFolders/{folder}/childFolders': 'Mail.ReadBasic',
  'POST mailFolders/{folder}/childFolders': 'Mail.ReadWrite',
  'GET mailFolders/{folder}/childFolders/$count': 'Mail.ReadBasic',
  'POST translateExchangeIds': 'User.Read',
  'GET messages': 'Mail.ReadBasic',
  'GET messages/$count': 'Mail.ReadBasic',
  'POST messages': 'Mail.ReadWrite',
  'GET messages/{message}': 'Mail.ReadBasic',
  'GET messages/{message}/{property}': 'Mail.ReadBasic',
  'PATCH messages/{message}': 'Mail.ReadWrite',
  'DELETE messages/{message}': 'Mail.ReadWrite',
  'POST messages/{message}/copy': 'Mail.ReadWrite',
  'POST messages/{message}/move': 'Mail.ReadWrite',
  'POST messages/{message}/permanentDelete': 'Mail.ReadWrite',
  'POST messages/{message}/send': 'Mail.Send',
  'POST messages/{message}/createReply': 'Mail.ReadWrite',
  'POST messages/{message}/createReplyAll': 'Mail.ReadWrite',
  'POST messages/{message}/createForward': 'Mail.ReadWrite',
  'POST messages/{message}/reply': 'Mail.Send',
  'POST messages/{message}/replyAll': 'Mail.Send',
  'POST messages/{message}/forward': 'Mail.Send',
  'POST messages/{message}/markAsJunk': 'Mail.ReadWrite',
  'POST messages/{message}/markAsNotJunk': 'Mail.ReadWrite',
  'POST messages/{message}/unsubscribe': 'Mail.Send',
  'GET messages/{message}/$value': 'Mail.Read',
  'GET messages/{message}/attachments': 'Mail.Read',
  'POST messages/{message}/attachments': 'Mail.ReadWrite',
  'POST messages/{message}/attachments/createUploadSession': 'Mail.ReadWrite',
  'DELETE messages/{message}/attachments/{attachment}': 'Mail.ReadWrite',
  'GET messages/{message}/attachments/{attachment}': 'Mail.Read',
  'GET messages/{message}/attachments/{attachment}/$value': 'Mail.Read',
  'GET messages/{message}/attachments/{attachment}/item': 'Mail.Read',
  'GET messages/{message}/attachments/{attachment}/{attachmentProperty}': 'Mail.Read',
  'GET outlook/masterCategories': 'MailboxSettings.Read',
  'POST outlook/masterCategories': 'MailboxSettings.ReadWrite',
  'GET outlook/masterCategories/{category}': 'MailboxSettings.Read',
  'PATCH outlook/masterCategories/{category}': 'MailboxSettings.ReadWrite',
  'DELETE outlook/masterCategories/{category}': 'MailboxSettings.ReadWrite',
  'GET inferenceClassification/overrides': 'Mail.Read',
  'POST inferenceClassification/overrides': 'Mail.ReadWrite',
  'PATCH inferenceClassification/overrides/{override}': 'Mail.ReadWrite',
  'DELETE inferenceClassification/overrides/{override}': 'Mail.ReadWrite',
  'POST getMailTips': 'Mail.Read',
  'GET outlook/supportedLanguages': 'User.Read',
  'GET outlook/supportedTimeZones': 'User.Read',
  'GET outlook': 'User.Read',
  'DELETE messages/{message}/mentions/{mention}': 'Mail.ReadWrite',
  'GET inferenceClassification': 'Mail.Read',
  'GET inferenceClassification/overrides/{override}': 'Mail.Read',
  'GET messages/{message}/extensions': 'Mail.Read',
  'POST messages/{message}/extensions': 'Mail.ReadWrite',
  'GET messages/{message}/extensions/{extension}': 'Mail.Read',
  'PATCH messages/{message}/extensions/{extension}': 'Mail.ReadWrite',
  'DELETE messages/{message}/extensions/{extension}': 'Mail.ReadWrite',
  'GET messageRules': 'MailboxSettings.Read',
  'POST messageRules': 'MailboxSettings.ReadWrite',
  'GET messageRules/{rule}': 'MailboxSettings.Read',
  'PATCH messageRules/{rule}': 'MailboxSettings.ReadWrite',
  'DELETE messageRules/{rule}': 'MailboxSettings.ReadWrite',
  'GET mailboxSettings': 'MailboxSettings.Read',
  'PATCH mailboxSettings': 'MailboxSettings.ReadWrite',
  ...Object.fromEntries(
    [
      'archiveFolder',
      'automaticRepliesSetting',
      'dateFormat',
      'delegateMeetingMessageDeliveryOptions',
      'language',
      'timeFormat',
      'timeZone',
      'userPurpose',
      'workingHours',
    ].map((name) => [`GET mailboxSettings/${name}`, 'MailboxSettings.Read']),
  ),
}

/** undefined: an operation that the table above does not know yet. */
export function documentedPermission({ method, path }: Route): string | undefined {
  return documented[`${method} ${path.replace('{mailbox}/', '').replace(/mailFolders\/\{folder\}\/(message)/, '$1')}`]
}

/** What a call is refused for, even where the route table asks for something else. */
export function permissionOf(route: Route): string {
  return documentedPermission(route) ?? route.permission
}

/** What lets a caller through, the least privileged first. */
export function sufficientPermissions(route: Route, use: Use): readonly string[] {
  return known(admitting, permissionOf(route), 'the permissions that admit to')[use]
}

/** All that a caller may have without being let through. */
export function permissionsBeside(route: Route, use: Use): string[] {
  const sufficient = sufficientPermissions(route, use)
  return everyPermission.filter((each) => !sufficient.includes(each))
}

/** Whose words a row refuses in. */
export function workloadOf({ kind, method }: Route): Workload {
  return kind === 'subscription' ? { ...workloads.directory, denied: subscriptionDenied(method) } : workloads[kind]
}

/** A line of a table. Where a new row of the route table needs one more, this says so. */
export function known<Value>(table: Readonly<Record<string, Value>>, name: string, what: string): Value {
  const value = table[name]
  if (value === undefined) throw new Error(`the walk does not know ${what} ${name}`)
  return value
}
