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
  readonly attachment: string
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
const toRecipients = [{ emailAddress: { address: other } }]

/** A new draft of hers, with a recipient and a file. */
export async function makeDraft(adele: Client): Promise<Target> {
  const { json, text } = await adele.post('/me/messages', { subject: 'Quinces', toRecipients, attachments: [file] })
  assert.ok(json?.id, text)
  return targetOf((await adele.get(`/me/messages/${json.id}?$expand=attachments`)).json)
}

/** Where a message and its first attachment are; it was read with `$expand=attachments`. */
export function targetOf(message: { id: string; parentFolderId: string; attachments: { id: string }[] }): Target {
  return { folder: message.parentFolderId, message: message.id, attachment: message.attachments[0]?.id ?? '' }
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
  createUploadSession: { AttachmentItem: { attachmentType: 'file', name: 'quinces.txt', size: 4_000_000 } },
}

/** Rows that work on mail that came in; all others are called with a draft. */
const ofReceivedMail = /\/(?:reply|replyAll|forward|createReply|createReplyAll|createForward|unsubscribe)$/

interface Call {
  readonly path: string
  readonly init: { headers: Record<string, string>; body?: string }
}

/** The row as a call: this mailbox, in the words of a path, and keys that lead somewhere. */
export function callOf(route: Route, mailbox: string, target: Target, authorization: string | undefined): Call {
  const keys: Readonly<Record<string, string>> = { ...target, mailbox }
  const path = `${route.since === 'beta' ? '/beta' : '/v1.0'}/${route.path}`.replace(/\{(\w+)\}/g, (_, name: string) =>
    known(keys, name, 'a key for'),
  )
  const match = routeTable.match(route.method, parsePath(path) ?? assert.fail(path))
  assert.equal(match.kind === 'found' ? match.row : match.kind, route, path)
  const headers = authorization === undefined ? {} : { Authorization: authorization }
  if (route.body === 'none') return { path, init: { headers, ...(route.method === 'POST' ? { body: '' } : {}) } }
  const body = JSON.stringify(known(bodies, route.path.split('/').at(-1) ?? '', 'a body for'))
  return { path, init: { headers: { ...headers, 'Content-Type': 'application/json' }, body } }
}

/** The one of the two that the row can be done to. */
export function targetFor(route: Route, received: Target, draft: Target): Target {
  return ofReceivedMail.test(route.path) ? received : draft
}
