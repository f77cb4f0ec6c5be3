/** What the documentation says of access: which permission each operation asks for, and how a call without it is refused. */
import type { routes } from '../../src/graph/routes.js'

/** A row of the table. */
export type Route = (typeof routes)[number]

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
  /** Whether a signed-in user may see what is another's. */
  readonly sharesUsers: boolean
}

/** By the first word of a row's permission. */
const workloads: Readonly<Record<string, Workload>> = {
  Mail: {
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
    sharesUsers: false,
  },
  User: {
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
    sharesUsers: true,
  },
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

/** Permission of a row → every one that admits to it, in the mailbox of a user or in a shared one. */
const admitting: Readonly<Record<string, readonly string[]>> = {
  'Mail.ReadBasic': ['ReadBasic', 'ReadBasic.All', 'Read', 'ReadWrite'].flatMap(ownAndShared),
  'Mail.Read': ['Read', 'ReadWrite'].flatMap(ownAndShared),
  'Mail.ReadWrite': ownAndShared('ReadWrite'),
  'Mail.Send': ownAndShared('Send'),
}

function ownAndShared(name: string): string[] {
  return [`Mail.${name}`, `Mail.${name}.Shared`]
}

/** Everything there is, and what looks like it. */
export const everyPermission = [
  ...new Set(Object.values(admitting).flat()),
  'MailboxSettings.ReadWrite',
  'Mail-Advanced.ReadWrite',
  'User.Read',
  'User.ReadWrite.All',
  'Directory.Read.All',
  'Graphpost.Admin',
  'Mail',
  'Mail.',
  'Mail.*',
  '.default',
  'Mail.Read.All.ReadWrite.Send',
]

/** Least privileged permission of each operation on its page of the documentation; below a folder as below the mailbox. */
const documented: Readonly<Record<string, string>> = {
  'POST sendMail': 'Mail.Send',
  'GET messages': 'Mail.ReadBasic',
  'GET messages/$count': 'Mail.ReadBasic',
  'POST messages': 'Mail.ReadWrite',
  'GET messages/{message}': 'Mail.ReadBasic',
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
  'POST messages/{message}/unsubscribe': 'Mail.Send',
  'GET messages/{message}/$value': 'Mail.Read',
  'GET messages/{message}/attachments': 'Mail.Read',
  'POST messages/{message}/attachments': 'Mail.ReadWrite',
  'POST messages/{message}/attachments/createUploadSession': 'Mail.ReadWrite',
  'DELETE messages/{message}/attachments/{attachment}': 'Mail.ReadWrite',
  'GET messages/{message}/attachments/{attachment}': 'Mail.Read',
  'GET messages/{message}/attachments/{attachment}/$value': 'Mail.Read',
}

/** undefined: an operation that the table above does not know yet. */
export function documentedPermission({ method, path }: Route): string | undefined {
  return documented[`${method} ${path.replace('{mailbox}/', '').replace('mailFolders/{folder}/messages', 'messages')}`]
}

/** What a call is refused for, even where the route table asks for something else. */
export function permissionOf(route: Route): string {
  return documentedPermission(route) ?? route.permission
}

/** All that a caller may have without being let through. */
export function permissionsBeside(route: Route): string[] {
  const sufficient = known(admitting, permissionOf(route), 'the permissions that admit to')
  return everyPermission.filter((each) => !sufficient.includes(each))
}

/** Whose words a row refuses in. */
export function workloadOf(route: Route): Workload {
  return known(workloads, permissionOf(route).split('.')[0] ?? '', 'the refusals of')
}

/** A line of a table. Where a new row of the route table needs one more, this says so. */
export function known<Value>(table: Readonly<Record<string, Value>>, name: string, what: string): Value {
  const value = table[name]
  if (value === undefined) throw new Error(`the walk does not know ${what} ${name}`)
  return value
}
