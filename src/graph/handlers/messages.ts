import { attachmentFrom } from '../../mail/attachment.js'
import type { FolderId } from '../../mail/ids.js'
import type { Mail } from '../../mail/mail.js'
import { folderId } from '../../mail/mail-folder.js'
import type { Message } from '../../mail/message.js'
import { renderMime } from '../../mail/mime/render.js'
import type { ListedMessage } from '../../mail/query.js'
import { nextLink, selectedContext } from '../../odata/query.js'
import { contextOf, messagesContext } from '../context.js'
import { folderOfPath, messageOfPath } from '../keys.js'
import { expansionOf, type MessageExpansion, needsContent, readExpansion } from '../message-expansion.js'
import { readQuery, refuseUnserved } from '../query-options.js'
import type { GraphRequest, Handler } from '../request.js'
import { orderFields, presentMessage, selectProperties } from '../resources/message.js'
import { findMessages } from './message-search.js'

/** Graph's page when the caller asks for none. */
const defaultPage = 10

/** GET {mailbox}/messages, GET .../mailFolders/{folder}/messages: a page, newest first unless ordered otherwise. */
export const listMessages: Handler = async (request, mail) => {
  const query = readQuery(request.query)
  const isSearch = query.other.$search !== undefined
  refuseUnserved(query, isSearch ? ['$deltatoken'] : ['$filter', '$skiptoken', '$deltatoken'])
  const folder = await listedFolder(request, mail)
  const selection = selectProperties(query.select, request.version, request.cloud)
  const skip = query.skip ?? 0
  const top = query.top ?? request.preferences.maxPageSize ?? defaultPage
  const expansion = readExpansion(query, request.version)
  const withContent = selection.needsContent || needsContent(expansion)
  const found = isSearch ? await findMessages(request, mail, query, { folder, top, withContent }) : undefined
  const messages =
    found?.messages ??
    (await mail.store.messages.list({
      mailbox: request.mailbox.id,
      ...(folder === undefined ? {} : { folder }),
      order: orderFields(query.orderBy),
      skip,
      top,
      withContent,
    }))
  // Given whenever the page came out full, also when nothing follows, as recorded.
  const following = messages.length < top ? undefined : skip + top
  const next =
    found === undefined && following !== undefined
      ? nextLink(request.baseUrl, request.path, query.asWritten, following)
      : found?.nextLink
  const value = []
  for (const message of messages) value.push(await present(request, mail, message, selection, expansion))
  return {
    status: 200,
    json: {
      '@odata.context': contextOf(request, messagesContext(request) + selectedContext(query.select, query.expand)),
      ...(query.count && !isSearch
        ? { '@odata.count': await mail.store.messages.count(request.mailbox.id, folder) }
        : {}),
      value,
      ...(next === undefined ? {} : { '@odata.nextLink': next }),
    },
  }
}

/** GET .../messages/$count: digits alone. */
export const countMessages: Handler = async (request, mail) => {
  refuseUnserved(readQuery(request.query), ['$filter', '$search'])
  const count = await mail.store.messages.count(request.mailbox.id, await listedFolder(request, mail))
  return { status: 200, bytes: Buffer.from(String(count)), contentType: 'text/plain' }
}

/** GET .../messages/{message} */
export const getMessage: Handler = async (request, mail) => {
  const query = readQuery(request.query)
  const selection = selectProperties(query.select, request.version, request.cloud)
  const message = await messageOfPath(request, mail)
  const shown = await present(request, mail, message, selection, readExpansion(query, request.version))
  const below = `${messagesContext(request)}${selectedContext(query.select, query.expand)}/$entity`
  return {
    status: 200,
    json: { '@odata.context': contextOf(request, below), ...shown },
  }
}

/** GET .../messages/{message}/$value: the message in MIME (RFC 5322), as it came or made from its properties. */
export const getMessageMime: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail)
  return { status: 200, bytes: await mimeOf(mail, message), contentType: 'text/plain' }
}

async function mimeOf(mail: Mail, message: Message): Promise<Uint8Array> {
  const kept = await mail.store.messages.mime(message.mailbox, message.id)
  if (kept !== undefined) return kept
  const attachments = await mail.store.attachments.listWithContent(message.mailbox, message.id)
  return renderMime(message, attachments.map(attachmentFrom), { includeBcc: true })
}

/** undefined: every folder of the mailbox, for which the root stands too. */
async function listedFolder(request: GraphRequest, mail: Mail): Promise<FolderId | undefined> {
  const folder = await folderOfPath(request, mail)
  return folder === folderId('msgfolderroot') ? undefined : folder
}

async function present(
  request: GraphRequest,
  mail: Mail,
  message: ListedMessage,
  selection: ReturnType<typeof selectProperties>,
  expansion: MessageExpansion,
): Promise<Record<string, unknown>> {
  return presentMessage(message, {
    mailbox: request.mailbox,
    version: request.version,
    selection,
    preferences: request.preferences,
    readsBodies: request.readsBodies,
    ...(await expansionOf(expansion, mail, message)),
  })
}
