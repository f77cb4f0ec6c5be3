/** Rows of the route table as calls that succeed: with keys that lead to something, and a body that the row takes. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { parsePath } from '../../src/graph/path.js'
import { routeTable } from '../../src/graph/routes.js'
import type { Client } from '../support/start-server.js'
import { known, type Route } from './documented-access.js'

/** Whose mailbox it is. */
export const owner = 'adele@contoso.com'
/** Who writes to her. */
export const other = 'alex@contoso.com'

/** Keys of a path that lead to something. */
export interface Target {
  readonly folder: string
  readonly message: string
  /** A file. */
  readonly attachment: string
  /** An attached item; '' where there is none. */
  readonly item: string
  /** Beta; '' where there is none. */
  readonly mention: string
  /** Of whoever calls. */
  readonly subscription?: string
  /** An endpoint for notifications. */
  readonly endpoint?: string
}

/** What stands around the mail: a way to each of it. */
export type Surroundings = Readonly<Record<'category' | 'override' | 'rule', string>>

let made = 0

const rule = { displayName: 'Quinces', sequence: 1, actions: { markImportance: 'high' } }

/** New ones of hers, each of its kind. */
export async function makeSurroundings(adele: Client): Promise<Surroundings> {
  made++
  const make = async (path: string, body: object): Promise<string> => {
    const { json, text } = await adele.post(path, body)
    assert.ok(json?.id, text)
    return json.id
  }
  return {
    category: await make('/me/outlook/masterCategories', { displayName: `Quinces ${made}` }),
    rule: await make('/me/mailFolders/inbox/messageRules', { ...rule, conditions: { subjectContains: ['Quinces'] } }),
    override: await make('/me/inferenceClassification/overrides', {
      classifyAs: 'focused',
      senderEmailAddress: { address: `quince${made}@example.com` },
    }),
  }
}

/** Whether a row names one of them. */
export function isAround({ path }: Route): boolean {
  return /\{(?:category|override|rule)\}/.test(path)
}

/** A mail from Alex to Adele with a file and a way to leave the list, as the base64 of its MIME. */
export const newsletter = Buffer.from(
  [
    `From: ${other}`,
    `To: ${owner}`,
    'Subject: Quinces',
    `List-Unsubscribe: <mailto:${other}?subject=leave>`,
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'They are ripe.',
    '--b',
    'Content-Type: text/plain; name=quinces.txt',
    'Content-Disposition: attachment; filename=quinces.txt',
    '',
    'Fifty.',
    '--b--',
    '',
  ].join('\r\n'),
).toString('base64')

const file = { '@odata.type': '#microsoft.graph.fileAttachment', name: 'quinces.txt', contentBytes: 'UXVpbmNlcw==' }
const item = {
  '@odata.type': '#microsoft.graph.itemAttachment',
  name: 'Plums',
  item: { '@odata.type': '#microsoft.graph.message', subject: 'Plums' },
}
const toRecipients = [{ emailAddress: { address: other } }]

const extensionName = 'Com.Contoso.Quince'

/** A new draft of hers, with a recipient, a file and an extension. */
export async function makeDraft(adele: Client): Promise<Target> {
  const { json, text } = await adele.post('/beta/me/messages', {
    subject: 'Quinces',
    toRecipients,
    attachments: [file, item],
    extensions: [{ extensionName }],
    mentions: [{ mentioned: { address: other } }],
  })
  assert.ok(json?.id, text)
  return targetOf((await adele.get(`/beta/me/messages/${json.id}?$expand=attachments,mentions`)).json)
}

/** Where a message and its first attachment are; it was read with `$expand=attachments`. */
export function targetOf(message: {
  id: string
  parentFolderId: string
  attachments: { id: string }[]
  mentions?: { id: string }[]
}): Target {
  return {
    folder: message.parentFolderId,
    message: message.id,
    attachment: message.attachments[0]?.id ?? '',
    item: message.attachments[1]?.id ?? '',
    mention: message.mentions?.[0]?.id ?? '',
  }
}

const inAnHour = new Date(Date.now() + 3_600_000).toISOString()

/** A subscription to her mail. */
export function wishOf(endpoint: string): object {
  return {
    changeType: 'created',
    notificationUrl: endpoint,
    resource: `users/${owner}/messages`,
    expirationDateTime: inAnHour,
  }
}

/** Names of folders are there once. */
function newFolder() {
  return { displayName: randomUUID() }
}

/** The same target, but a folder of hers that can be changed and deleted. */
export async function withOwnFolder(adele: Client, target: Target): Promise<Target> {
  const { json, text } = await adele.post('/me/mailFolders', newFolder())
  assert.ok(json?.id, text)
  return { ...target, folder: json.id }
}

/** Rows that change a folder itself. */
export function changesFolder({ method, path }: Route): boolean {
  return method !== 'GET' && /\{folder\}(?:\/(?:copy|move|permanentDelete|updateAllMessagesReadState))?$/.test(path)
}

/** What is sent to a row that reads a body, by the end of its path. */
const bodies: Readonly<Record<string, object>> = {
  sendMail: { message: { subject: 'Quinces', toRecipients } },
  translateExchangeIds: { inputIds: [], sourceIdType: 'restId', targetIdType: 'ewsId' },
  messages: { subject: 'Quinces' },
  get mailFolders() {
    return newFolder()
  },
  get childFolders() {
    return newFolder()
  },
  '{message}': { subject: 'Plums' },
  get '{folder}'() {
    return newFolder()
  },
  updateAllMessagesReadState: { isRead: true, suppressReadReceipts: true },
  markAsJunk: { moveToJunk: true },
  markAsNotJunk: { moveToInbox: true },
  copy: { destinationId: 'drafts' },
  move: { destinationId: 'deleteditems' },
  createReply: { comment: 'Yes' },
  createReplyAll: { comment: 'Yes' },
  createForward: { comment: 'See', toRecipients },
  reply: { comment: 'Yes' },
  replyAll: { comment: 'Yes' },
  forward: { comment: 'See', toRecipients },
  attachments: file,
  get masterCategories() {
    made++
    return { displayName: `Plums ${made}`, color: 'preset1' }
  },
  '{category}': { color: 'preset2' },
  getMailTips: { EmailAddresses: [other], MailTipsOptions: 'automaticReplies' },
  get extensions() {
    made++
    return { extensionName: `Com.Contoso.Plum${made % 8}x${made}`, weight: 5 }
  },
  '{extension}': { weight: 6 },
  messageRules: rule,
  '{rule}': { isEnabled: false },
  overrides: { classifyAs: 'other', senderEmailAddress: { address: 'plum@example.com' } },
  '{override}': { classifyAs: 'other' },
  mailboxSettings: { dateFormat: 'yyyy-MM-dd' },
  '{subscription}': { expirationDateTime: inAnHour },
  createUploadSession: { AttachmentItem: { attachmentType: 'file', name: 'quinces.txt', size: 4_000_000 } },
}

/** Rows that work on mail that came in; all others are called with a draft. */
const ofReceivedMail = /\/(?:reply|replyAll|forward|createReply|createReplyAll|createForward|unsubscribe)$/

const noSubscription = '88888888-8888-4888-8888-888888888888'

interface Call {
  readonly path: string
  readonly init: { headers: Record<string, string>; body?: string }
}

/** Keys that are the same everywhere: the Inbox alone has rules, and each draft has an extension. */
function fixedKeys({ path }: Route): { folder?: string; extension: string } {
  return { extension: extensionName, ...(path.includes('/messageRules') ? { folder: 'inbox' } : {}) }
}

/** What a path may name behind a resource; an attached item is one of its own kind of attachment. */
function keysBehind({ path }: Route, { item }: Target): Readonly<Record<string, string>> {
  const ofItem = path.endsWith('/item') ? { attachment: `${item}/microsoft.graph.itemAttachment` } : {}
  return { property: 'subject', attachmentProperty: 'name', ...ofItem }
}

/** The row as a call: this mailbox, in the words of a path, and keys that lead somewhere. */
export function callOf(
  route: Route,
  mailbox: string,
  target: Target & Partial<Surroundings>,
  authorization: string | undefined,
): Call {
  const { endpoint = 'http://localhost:9/', subscription = noSubscription, ...named } = target
  const keys: Readonly<Record<string, string>> = {
    ...named,
    ...fixedKeys(route),
    ...keysBehind(route, target),
    subscription,
    mailbox,
  }
  const path = `${route.since === 'beta' ? '/beta' : '/v1.0'}/${route.path}`.replace(/\{(\w+)\}/g, (_, name: string) =>
    known(keys, name, 'a key for'),
  )
  const match = routeTable.match(route.method, parsePath(path) ?? assert.fail(path))
  assert.equal(match.kind === 'found' ? match.row : match.kind, route, path)
  const headers = authorization === undefined ? {} : { Authorization: authorization }
  if (route.body === 'none') return { path, init: { headers, ...(route.method === 'POST' ? { body: '' } : {}) } }
  const ofRow = { ...bodies, subscriptions: wishOf(endpoint) }
  const body = JSON.stringify(known(ofRow, route.path.split('/').at(-1) ?? '', 'a body for'))
  return { path, init: { headers: { ...headers, 'Content-Type': 'application/json' }, body } }
}

/** The one of the two that the row can be done to. */
export function targetFor(route: Route, received: Target, draft: Target): Target {
  return ofReceivedMail.test(route.path) ? received : draft
}
