import { attachmentFrom } from '../../mail/attachment.js'
import type { Mail } from '../../mail/mail.js'
import { folderId, type MailFolder } from '../../mail/mail-folder.js'
import type { Message } from '../../mail/message.js'
import { renderMime } from '../../mail/mime/render.js'
import type { ListedMessage, MessageCondition } from '../../mail/query.js'
import { nextLink, type Query, selectedContext } from '../../odata/query.js'
import { accessDenied } from '../authorize.js'
import { castContext, contextOf, messagesContext, propertyReply } from '../context.js'
import { SegmentNotFound } from '../errors.js'
import { namesEtag } from '../etag.js'
import { presentChangeKey } from '../item-id.js'
import { folderOfPath, messageOfPath } from '../keys.js'
import { expansionOf, type MessageExpansion, needsContent, readExpansion } from '../message-expansion.js'
import { readFilter } from '../message-filter.js'
import type { ListedPlace, MessagePage, PageAsked } from '../message-page.js'
import { noOptions, readQuery, refuseUnserved } from '../query-options.js'
import type { GraphReply, GraphRequest, Handler } from '../request.js'
import { messagePropertyNamed, orderFields, presentMessage, selectProperties } from '../resources/message.js'
import { conditionOfFolder } from '../search-folder.js'
import { presentSkipToken, readSkipToken } from '../skip-token.js'
import { findMessages } from './message-search.js'

/** Graph's page when the caller asks for none. */
const defaultPage = 10
/** Messages of one folder in an expansion. */
const maxExpanded = 1_000

/**
 * Links up to here have `$skip` alone, as recorded. Further on, and wherever a filter would have to go through the
 * pages before again, a `$skiptoken` beside it says where the page ended.
 */
const plainSkip = 200

/** GET {mailbox}/messages, GET .../mailFolders/{folder}/messages: a page, newest first unless ordered otherwise. */
export const listMessages: Handler = async (request, mail) => {
  const query = readQuery(request.query)
  refuseUnserved(query, ['$deltatoken'])
  const place = await listedIn(request, mail)
  const selection = selectProperties(query.select, request.version, request.cloud)
  if (request.cast !== undefined) return noneOfType(request, query)
  const expansion = readExpansion(query, request.version)
  const asked = {
    ...place,
    top: query.top ?? request.preferences.maxPageSize ?? defaultPage,
    withContent: selection.needsContent || needsContent(expansion),
  }
  const page = query.other.$search === undefined ? listPage : findMessages
  const { messages, count, nextLink } = await page(request, mail, query, asked)
  const value = []
  for (const message of messages) value.push(await presentListed(request, mail, message, selection, expansion))
  return {
    status: 200,
    json: {
      '@odata.context': contextOf(request, messagesContext(request) + selectedContext(query.select, query.expand)),
      ...(count === undefined ? {} : { '@odata.count': count }),
      value,
      ...(nextLink === undefined ? {} : { '@odata.nextLink': nextLink }),
    },
  }
}

/** A page of a list without `$search`. */
async function listPage(request: GraphRequest, mail: Mail, query: Query, asked: PageAsked): Promise<MessagePage> {
  const { listed, folder, shown, top, withContent } = asked
  const order = orderFields(query.orderBy)
  const where = both(shown, conditionOf(query, request))
  const list = { mailbox: request.mailbox.guid, folder: listed, filter: query.other.$filter, order }
  const { $skiptoken } = query.other
  const after = $skiptoken === undefined ? undefined : readSkipToken($skiptoken, list, query.skip)
  const skip = query.skip ?? 0
  const messages = await mail.store.messages.list({
    mailbox: request.mailbox.id,
    ...(folder === undefined ? {} : { folder }),
    ...(where === undefined ? {} : { where }),
    order,
    ...(after === undefined ? { skip } : { after, skip: 0 }),
    top,
    withContent,
  })
  const count = query.count ? await mail.store.messages.count(request.mailbox.id, folder, where) : undefined
  // Given whenever the page came out full, also when nothing follows, as recorded.
  if (messages.length < top) return { messages, count, nextLink: undefined }
  const position = messages[top - 1]?.position
  const withToken = position !== undefined && (where !== undefined || skip + top > plainSkip)
  const token = withToken ? presentSkipToken(list, skip + top, position) : undefined
  const place = ['$skip', String(skip + top)] as const
  const next = token === undefined ? [place] : [['$skiptoken', token] as const, place]
  return { messages, count, nextLink: nextLink(request.baseUrl, request.path, query.asWritten, next) }
}

/** The messages of a folder that `$expand=messages` asks for, with the options in its parentheses. */
export async function messagesOfFolder(
  request: GraphRequest,
  mail: Mail,
  folder: MailFolder,
  query: Query,
): Promise<Record<string, unknown>[]> {
  refuseUnserved(query, ['$search', '$skiptoken', '$deltatoken'])
  const selection = selectProperties(query.select, request.version, request.cloud)
  const expansion = readExpansion(query, request.version)
  const shown = await conditionOfFolder(request, mail, folder)
  const where = both(shown, conditionOf(query, request))
  const messages = await mail.store.messages.list({
    mailbox: request.mailbox.id,
    ...(shown === undefined ? { folder: folder.id } : {}),
    ...(where === undefined ? {} : { where }),
    order: orderFields(query.orderBy),
    skip: query.skip ?? 0,
    top: Math.min(query.top ?? defaultPage, maxExpanded),
    withContent: selection.needsContent || needsContent(expansion),
  })
  const value = []
  for (const message of messages) value.push(await presentListed(request, mail, message, selection, expansion))
  return value
}

/** Event messages come with calendars: no mail of ours is one. */
function noneOfType(request: GraphRequest, { select, expand, count }: Query): GraphReply {
  const below = messagesContext(request) + castContext(request) + selectedContext(select, expand)
  const counted = count ? { '@odata.count': 0 } : {}
  return { status: 200, json: { '@odata.context': contextOf(request, below), ...counted, value: [] } }
}

/** GET .../messages/$count: digits alone. */
export const countMessages: Handler = async (request, mail) => {
  const query = readQuery(request.query)
  refuseUnserved(query, ['$search'])
  const { folder, shown } = await listedIn(request, mail)
  const where = both(shown, conditionOf(query, request))
  const count = await mail.store.messages.count(request.mailbox.id, folder, where)
  return { status: 200, bytes: Buffer.from(String(count)), contentType: 'text/plain' }
}

/** What `$filter` asks for, once `$orderby` goes with it; undefined: every message. */
function conditionOf({ other, orderBy = [] }: Query, request: GraphRequest): MessageCondition | undefined {
  return other.$filter === undefined ? undefined : readFilter(other.$filter, orderBy, request)
}

/** GET .../messages/{message} */
export const getMessage: Handler = async (request, mail) => {
  const query = readQuery(request.query)
  const selection = selectProperties(query.select, request.version, request.cloud)
  const message = await messageOfPath(request, mail)
  if (hasEtagOf(request, message)) {
    return { status: 304, headers: { ETag: `W/"${presentChangeKey(request.mailbox, message.change)}"` } }
  }
  const shown = await presentListed(request, mail, message, selection, readExpansion(query, request.version))
  const below = `${messagesContext(request)}${selectedContext(query.select, query.expand)}/$entity`
  return {
    status: 200,
    json: { '@odata.context': contextOf(request, below), ...shown },
  }
}

/** Whether `If-None-Match` names the message as it is. */
function hasEtagOf({ ifNoneMatch, mailbox }: GraphRequest, { change }: Message): boolean {
  return ifNoneMatch !== undefined && namesEtag(ifNoneMatch, presentChangeKey(mailbox, change))
}

/** GET .../messages/{message}/{property}: one property, in the form that preferences ask for. */
export const getMessageProperty: Handler = async (request, mail) => {
  const { version, cloud, readsBodies } = request
  const asked = request.keys.property ?? ''
  const property = messagePropertyNamed(asked, version, cloud, readsBodies)
  if (property === undefined) throw new SegmentNotFound(asked)
  const { name, isShown } = property
  if (!isShown) throw accessDenied(`Mail.ReadBasic does not show ${name}.`)
  readQuery(request.query)
  const message = await messageOfPath(request, mail)
  const shown = await presentListed(
    request,
    mail,
    message,
    selectProperties([name], version, cloud),
    readExpansion(noOptions, version),
  )
  const below = `${messagesContext(request)}('${encodeURIComponent(request.keys.message ?? '')}')/${name}`
  return propertyReply(request, below, shown[name])
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

async function listedIn(request: GraphRequest, mail: Mail): Promise<ListedPlace> {
  const folder = await folderOfPath(request, mail)
  if (folder === undefined || folder.id === folderId('msgfolderroot')) return {}
  const shown = await conditionOfFolder(request, mail, folder)
  return shown === undefined ? { listed: folder.id, folder: folder.id } : { listed: folder.id, shown }
}

function both(one: MessageCondition | undefined, other: MessageCondition | undefined): MessageCondition | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return { kind: 'every', of: [one, other] }
}

/** A message as a list shows it. */
export async function presentListed(
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
