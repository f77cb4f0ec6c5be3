import { type Attachment, type AttachmentEnvelope, attachmentFrom } from '../../mail/attachment.js'
import { addAttachment, removeAttachment } from '../../mail/change-attachments.js'
import { MailError } from '../../mail/errors.js'
import type { AttachmentId } from '../../mail/ids.js'
import type { Mail } from '../../mail/mail.js'
import type { Message } from '../../mail/message.js'
import { renderItem } from '../../mail/mime/render.js'
import { createUploadSession as openUploadSession } from '../../mail/upload-session.js'
import { type ExpandItem, type Query, selectedContext } from '../../odata/query.js'
import { castContext, contextOf, messagesContext, messageUrl, minimalIfPreferred, propertyReply } from '../context.js'
import { GraphError, SegmentNotFound } from '../errors.js'
import { presentAttachmentId } from '../item-id.js'
import { messageOfPath, readOwnId } from '../keys.js'
import { isItem } from '../message-expansion.js'
import { expandRefused, readQuery } from '../query-options.js'
import type { GraphRequest, Handler } from '../request.js'
import { type AttachmentPresentation, presentAttachment, selectAttachmentProperties } from '../resources/attachment.js'
import { readAttachment } from '../resources/draft.js'
import { readUploadItem } from '../resources/upload-item.js'
import { presentExpiry, uploadUrl } from '../upload-call.js'

/** GET .../messages/{message}/attachments: all of them; paging options do not apply to attachments. */
export const listAttachments: Handler = async (request, mail) => {
  const query = readQuery(request.query)
  const selection = selectAttachmentProperties(query.select, request.version)
  const message = await messageOfPath(request, mail)
  const { attachments } = mail.store
  const expandItem = expandsItem(query)
  const found =
    selection.needsContent || expandItem
      ? await attachments.listWithContent(message.mailbox, message.id)
      : await attachments.list(message.mailbox, message.id)
  const presentation: AttachmentPresentation = { ...presentationOf(request, message), selection, expandItem }
  const shown = found.filter(({ kind }) => isOfType(kind, request.cast))
  const selected = selectedContext(query.select, query.expand?.map(asInModel))
  const below = attachmentsContext(request) + castContext(request) + selected
  return {
    status: 200,
    json: {
      '@odata.context': contextOf(request, below),
      ...(query.count ? { '@odata.count': shown.length } : {}),
      value: shown.map((attachment) => presentAttachment(attachment, presentation)),
    },
  }
}

/** GET .../attachments/{attachment}; an attached item only with `$expand=microsoft.graph.itemAttachment/item`. */
export const getAttachment: Handler = async (request, mail) => {
  const query = readQuery(request.query)
  const selection = selectAttachmentProperties(query.select, request.version)
  const message = await messageOfPath(request, mail)
  const attachment = await attachmentOfPath(request, mail, message)
  const expandItem = expandsItem(query)
  const selected = selectedContext(query.select, query.expand?.map(asInModel))
  const below = `${attachmentsContext(request)}${castContext(request)}${selected}/$entity`
  return {
    status: 200,
    json: {
      '@odata.context': contextOf(request, below),
      ...withItemContext(
        presentAttachment(attachment, { ...presentationOf(request, message), selection, expandItem }),
        contextOf(request, `${attachmentsContext(request)}('${encodedKey(request)}')/${itemName}/$entity`),
      ),
    },
  }
}

/** GET .../attachments/{attachment}/{attachmentProperty}, the type in front or not: one property. */
export const getAttachmentProperty: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail)
  const attachment = await attachmentOfPath(request, mail, message)
  const asked = request.keys.attachmentProperty ?? ''
  const shown = presentAttachment(attachment, presentationOf(request, message))
  const name = Object.keys(shown).find((each) => each.toLowerCase() === asked.toLowerCase())
  // Of another kind of attachment than this one is.
  if (name === undefined) throw new SegmentNotFound(asked)
  return propertyReply(request, `${attachmentContext(request)}/${name}`, shown[name])
}

/** GET .../attachments/{attachment}/microsoft.graph.itemAttachment/item: what is attached. */
export const getAttachedItem: Handler = async (request, mail) => {
  if (request.cast !== 'itemAttachment') throw new SegmentNotFound('item', 'An item is one of an itemAttachment alone.')
  const message = await messageOfPath(request, mail)
  const attachment = await attachmentOfPath(request, mail, message)
  const { item } = presentAttachment(attachment, { ...presentationOf(request, message), expandItem: true })
  const below = `${attachmentContext(request)}/item/$entity`
  return { status: 200, json: { '@odata.context': contextOf(request, below), ...(item as object) } }
}

/** GET .../attachments/{attachment}/$value: a file's bytes, an attached item in its own format. */
export const getAttachmentContent: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail)
  const { blob, contentType, sizeBytes } = await attachmentEnvelopeOfPath(request, mail, message)
  if (blob !== undefined) {
    return {
      status: 200,
      stream: mail.store.blobs.open(blob),
      length: sizeBytes,
      contentType: headerSafe(contentType) ?? 'application/octet-stream',
    }
  }
  const attachment = await attachmentOfPath(request, mail, message)
  if (attachment.kind === 'reference') {
    throw new GraphError(405, 'ErrorInvalidRequest', 'The OData request is not supported.', {
      reason: 'A reference attachment is a link: there are no bytes to give.',
    })
  }
  if (attachment.kind === 'file') {
    return {
      status: 200,
      bytes: attachment.content,
      contentType: headerSafe(attachment.contentType) ?? 'application/octet-stream',
    }
  }
  const read = attachmentFrom(attachment)
  if (read.kind !== 'item') throw new Error('an item attachment is kept as something else')
  return { status: 200, bytes: await renderItem(read.item), contentType: 'text/plain' }
}

/** POST .../messages/{message}/attachments: a file, an item or a reference; 201 and the attachment out. */
export const createAttachment: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail, 'notInStore')
  const added = readAttachment(request.body.kind === 'json' ? request.body.value : undefined, request.version)
  const { message: current, attachment } = await addAttachment(mail, message, added)
  const shown = presentAttachment(attachment, presentationOf(request, current))
  const below = `${attachmentsContext(request)}/$entity`
  return minimalIfPreferred(request, {
    status: 201,
    json: { '@odata.context': contextOf(request, below), ...shown },
    headers: { Location: `${attachmentsLocation(request)}('${String((shown as { id: string }).id)}')` },
    message: current.id,
  })
}

/** DELETE .../attachments/{attachment}; 204. */
export const deleteAttachment: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail, 'notInStore')
  const id = attachmentIdOfPath(request, message)
  if (id === undefined) missing()
  else await removeAttachment(mail, message, id)
  return { status: 204 }
}

/** POST .../attachments/createUploadSession: 201 and the URL that takes the file in ranges. */
export const createUploadSession: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail, 'notInStore')
  const item = readUploadItem(request.body.kind === 'json' ? request.body.value : undefined, request.version)
  const { session, token } = await openUploadSession(mail, message, item)
  const { mailbox, baseUrl, version } = request
  const url = uploadUrl(baseUrl, mailbox, {
    message: request.keys.message ?? '',
    session: presentAttachmentId(mailbox, message, session.id),
    token,
  })
  return {
    status: 201,
    json: {
      '@odata.context': `${baseUrl}/${version}/$metadata#microsoft.graph.uploadSession`,
      uploadUrl: url,
      expirationDateTime: presentExpiry(session.expiresAt),
      nextExpectedRanges: ['0-'],
    },
    message: message.id,
  }
}

function attachmentsLocation(request: GraphRequest): string {
  return `${messageUrl(request, request.keys.message ?? '')}/attachments`
}

/** @throws GraphError ExpandNotSupported for anything else than the item of an attachment */
function expandsItem({ expand = [] }: Query): boolean {
  const other = expand.find(({ name }) => !isItem(name))
  if (other !== undefined) throw expandRefused(other.name)
  return expand.length > 0
}

const itemName = 'microsoft.graph.itemAttachment/item'

/** As the model spells it, however it was asked for. */
function asInModel(item: ExpandItem): ExpandItem {
  return { ...item, name: itemName }
}

/** An item that was expanded has a context of its own in front (documented). */
function withItemContext({ item, ...shown }: Record<string, unknown>, context: string): Record<string, unknown> {
  return item === undefined ? shown : { ...shown, 'item@odata.context': context, item }
}

/** A content type that came from outside, if a header can hold it. */
function headerSafe(contentType: string | null): string | undefined {
  return contentType !== null && /^[\x20-\x7e]+$/.test(contentType) ? contentType : undefined
}

async function attachmentOfPath(request: GraphRequest, mail: Mail, message: Message): Promise<Attachment> {
  const id = attachmentIdOfPath(request, message)
  const found = id === undefined ? undefined : await mail.store.attachments.find(message.mailbox, message.id, id)
  return found !== undefined && isOfType(found.kind, request.cast) ? found : missing()
}

async function attachmentEnvelopeOfPath(
  request: GraphRequest,
  mail: Mail,
  message: Message,
): Promise<AttachmentEnvelope> {
  const id = attachmentIdOfPath(request, message)
  const { attachments } = mail.store
  const found = id === undefined ? undefined : await attachments.findEnvelope(message.mailbox, message.id, id)
  return found !== undefined && isOfType(found.kind, request.cast) ? found : missing()
}

/** @param cast undefined: every attachment is */
function isOfType(kind: AttachmentEnvelope['kind'], cast: string | undefined): boolean {
  return cast === undefined || cast === `${kind}Attachment`
}

/** undefined: the id is of another message's attachment. */
function attachmentIdOfPath(request: GraphRequest, message: Message): AttachmentId | undefined {
  const id = readOwnId(request.mailbox, request.keys.attachment ?? '')
  if (id.kind !== 'attachment') throw new GraphError(400, 'ErrorInvalidIdMalformed', 'Id is malformed.')
  return id.item.message === message.id ? id.attachment : undefined
}

function missing(): never {
  throw new MailError('attachmentNotFound', 'The message has no such attachment.')
}

function presentationOf(request: GraphRequest, message: Message) {
  return {
    mailbox: request.mailbox,
    message,
    version: request.version,
    immutableIds: request.preferences.immutableIds,
    preferences: request.preferences,
  }
}

function attachmentContext(request: GraphRequest): string {
  return `${attachmentsContext(request)}('${encodedKey(request)}')${castContext(request)}`
}

function encodedKey(request: GraphRequest): string {
  return encodeURIComponent(request.keys.attachment ?? '')
}

function attachmentsContext(request: GraphRequest): string {
  return `${messagesContext(request)}('${encodeURIComponent(request.keys.message ?? '')}')/attachments`
}
