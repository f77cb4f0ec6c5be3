import { type CreateOptions, createDraft } from '../../mail/create-draft.js'
import { MailError } from '../../mail/errors.js'
import type { FolderId } from '../../mail/ids.js'
import type { Mail } from '../../mail/mail.js'
import { folderId, requireHoldsMessages } from '../../mail/mail-folder.js'
import type { Draft, Message } from '../../mail/message.js'
import { decodeMimeBody, type ParsedDraft, parseMime } from '../../mail/mime/parse.js'
import {
  copyMessage as copyTo,
  moveMessage as moveTo,
  deleteMessage as moveToDeletions,
  purgeMessage,
} from '../../mail/move-message.js'
import { sendDraft } from '../../mail/send-draft.js'
import { unsubscribe } from '../../mail/unsubscribe.js'
import { updateMessage as applyChanges, type MessageChanges } from '../../mail/update-message.js'
import { parameterMissing, readParameters } from '../action-parameters.js'
import { contextOf, messagesContext, messageUrl, minimalIfPreferred } from '../context.js'
import { namesEtag } from '../etag.js'
import { presentChangeKey } from '../item-id.js'
import { folderNamed, folderOfPath, messageOfPath } from '../keys.js'
import type { GraphReply, GraphRequest, Handler } from '../request.js'
import { asEntity, readDraft, readMessageChanges } from '../resources/draft.js'
import { importedFrom, mergedProperties } from '../resources/extended-property.js'
import { presentMessage, selectProperties } from '../resources/message.js'
import { readBoolean, readText } from '../resources/values.js'

/** POST {mailbox}/messages, .../mailFolders/{folder}/messages: JSON or base64 MIME in; 201 and the new draft out. */
export const createMessage: Handler = async (request, mail) => {
  const folder = await folderToFill(request, mail)
  const { draft, options } = await readNewMessage(request)
  const message = await createDraft(mail, request.mailbox, draft, {
    ...options,
    ...(folder === undefined ? {} : { folder }),
  })
  return createdReply(request, message)
}

/** PATCH .../messages/{message}: the properties given are replaced; 200 and the whole message out. */
export const updateMessage: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail, 'notInStore')
  const json = request.body.kind === 'json' ? request.body.value : undefined
  const changes = asEntity(() => readMessageChanges(json, request.version))
  const updated = await applyChanges(
    mail,
    message,
    withMergedProperties(message, changes),
    expectedChange(request, message),
  )
  return minimalIfPreferred(request, entityReply(request, updated, 200))
}

/** DELETE .../messages/{message}: into the recoverable deletions; 204. */
export const deleteMessage: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail, 'notInStore')
  await moveToDeletions(mail, message, expectedChange(request, message))
  return { status: 204 }
}

/** POST .../messages/{message}/permanentDelete: no client finds it again; 204. */
export const permanentDeleteMessage: Handler = async (request, mail) => {
  await purgeMessage(mail, await messageOfPath(request, mail, 'notInStore'))
  return { status: 204 }
}

/** POST .../messages/{message}/move: `{"destinationId": folder}`; 201 and the message under its new id. */
export const moveMessage: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail, 'notInStore')
  const destination = await destinationOf(request, mail, 'move')
  return placedReply(request, await moveTo(mail, message, destination, expectedChange(request, message)))
}

/** POST .../messages/{message}/copy: `{"destinationId": folder}`; 201 and the copy. */
export const copyMessage: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail, 'notInStore')
  return placedReply(request, await copyTo(mail, message, await destinationOf(request, mail, 'copy')))
}

/** POST /beta/.../messages/{message}/markAsJunk: `{"moveToJunk": true}` moves it to Junk Email; 202 and the message. */
export const markAsJunk: Handler = (request, mail) => marked(request, mail, 'markAsJunk', 'moveToJunk', 'junkemail')

/** POST /beta/.../messages/{message}/markAsNotJunk: `{"moveToInbox": true}` moves it to the Inbox; 202 and the message. */
export const markAsNotJunk: Handler = (request, mail) => marked(request, mail, 'markAsNotJunk', 'moveToInbox', 'inbox')

/** Senders are not blocked by it: nothing here would ask who is. */
async function marked(
  request: GraphRequest,
  mail: Mail,
  operation: string,
  parameter: string,
  destination: 'junkemail' | 'inbox',
): Promise<GraphReply> {
  const message = await messageOfPath(request, mail, 'notInStore')
  const json = request.body.kind === 'json' ? request.body.value : undefined
  const value = readParameters(json, operation, [parameter]).get(parameter)
  const moves = value === undefined ? null : readBoolean(value, parameter)
  if (moves === null) throw parameterMissing(parameter.charAt(0).toUpperCase() + parameter.slice(1), operation)
  const folder = folderId(destination)
  const isThere = message.folder === folder
  return placedReply(request, moves && !isThere ? await moveTo(mail, message, folder) : message, 202)
}

/** POST .../messages/{message}/send: 202 and an empty body. */
export const sendMessage: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail, 'notInStore')
  const { id } = await sendDraft(mail, request, message)
  return { status: 202, message: id }
}

/** POST /beta/.../messages/{message}/unsubscribe: the mail that its List-Unsubscribe asks for is sent; 202. */
export const unsubscribeMessage: Handler = async (request, mail) => {
  const { content } = await messageOfPath(request, mail, 'notInStore')
  await unsubscribe(mail, request, content)
  return { status: 202 }
}

/** 201 for a message that the call made: located under `/messages` of the mailbox, wherever it stands (recorded). */
export function createdReply(request: GraphRequest, message: Message): GraphReply {
  const reply = entityReply(request, message, 201)
  const headers = { Location: messageUrl(request, reply.id) }
  return minimalIfPreferred(request, { ...reply, headers, message: message.id })
}

function entityReply(request: GraphRequest, message: Message, status: number) {
  const shown = present(request, message)
  return {
    status,
    id: String(shown.id),
    json: { '@odata.context': contextOf(request, `${messagesContext(request)}/$entity`), ...shown },
  }
}

/** What an action returns is described by its type alone, as the reference page of `move` shows. */
function placedReply(request: GraphRequest, message: Message, status = 201): GraphReply {
  const { baseUrl, version } = request
  const shown = present(request, message)
  return minimalIfPreferred(request, {
    status,
    json: {
      '@odata.context': `${baseUrl}/${version}/$metadata#message`,
      '@odata.type': '#microsoft.graph.message',
      ...shown,
    },
    headers: { Location: messageUrl(request, String(shown.id)) },
    message: message.id,
  })
}

function present(request: GraphRequest, message: Message): Record<string, unknown> {
  const { mailbox, version, cloud, preferences, readsBodies } = request
  return presentMessage(message, {
    mailbox,
    version,
    selection: selectProperties(undefined, version, cloud),
    preferences,
    readsBodies,
    // What a request may name is shown in its answer, as documented of beta.
    mentions: (message.content.mentions?.length ?? 0) > 0 && version === 'beta',
  })
}

/** undefined: Drafts. The root holds folders, no messages. */
async function folderToFill(request: GraphRequest, mail: Mail): Promise<FolderId | undefined> {
  const folder = await folderOfPath(request, mail)
  if (folder !== undefined) requireHoldsMessages(folder)
  return folder?.id
}

interface NewMessage {
  readonly draft: Draft | ParsedDraft
  readonly options: Pick<CreateOptions, 'imported'>
}

async function readNewMessage({ body, version }: GraphRequest): Promise<NewMessage> {
  if (body.kind === 'mime') return { draft: await parseMime(decodeMimeBody(body.base64)), options: {} }
  const json = body.kind === 'json' ? body.value : undefined
  return importedFrom(asEntity(() => readDraft(json, version)))
}

/** Of extended properties an update adds to those that are there, or replaces one by its id. */
function withMergedProperties({ content }: Message, changes: MessageChanges): MessageChanges {
  const { singleValueExtendedProperties: single, multiValueExtendedProperties: multi } = changes
  return {
    ...changes,
    ...(single === undefined
      ? {}
      : { singleValueExtendedProperties: mergedProperties(content.singleValueExtendedProperties, single) }),
    ...(multi === undefined
      ? {}
      : { multiValueExtendedProperties: mergedProperties(content.multiValueExtendedProperties, multi) }),
  }
}

/**
 * The change number that `If-Match` asks for; undefined when it asks for none, or for any.
 *
 * @throws MailError conflict when the message has another etag than any of those asked for
 */
function expectedChange({ ifMatch, mailbox }: GraphRequest, message: Message): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  if (namesEtag(ifMatch, presentChangeKey(mailbox, message.change))) return message.change
  throw new MailError('conflict', 'The message has another etag than the one in If-Match.')
}

async function destinationOf(request: GraphRequest, mail: Mail, operation: 'move' | 'copy'): Promise<FolderId> {
  const json = request.body.kind === 'json' ? request.body.value : undefined
  const value = readParameters(json, operation, ['destinationId']).get('destinationId')
  const destination = value === undefined ? null : readText(value, 'destinationId')
  if (destination === null || destination === '') throw parameterMissing('DestinationId', operation)
  const folder = await folderNamed(request, mail, destination)
  requireHoldsMessages(folder)
  return folder.id
}
