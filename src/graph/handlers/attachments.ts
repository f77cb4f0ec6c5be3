import { type Attachment, attachmentFrom } from '../../mail/attachment.js'
import { MailError } from '../../mail/errors.js'
import type { Mail } from '../../mail/mail.js'
import type { Message } from '../../mail/message.js'
import { renderItem } from '../../mail/mime/render.js'
import { selectedContext } from '../../odata/query.js'
import { contextOf } from '../context.js'
import { GraphError } from '../errors.js'
import { messageOfPath, readOwnId } from '../keys.js'
import { readQuery } from '../query-options.js'
import type { GraphRequest, Handler } from '../request.js'
import { type AttachmentPresentation, presentAttachment, selectAttachmentProperties } from '../resources/attachment.js'

/** GET .../messages/{message}/attachments: all of them; paging options do not apply to attachments. */
export const listAttachments: Handler = async (request, mail) => {
  const query = readQuery(request.query)
  const selection = selectAttachmentProperties(query.select, request.version)
  const message = await messageOfPath(request, mail)
  const { attachments } = mail.store
  const found = selection.needsContent
    ? await attachments.listWithContent(message.mailbox, message.id)
    : await attachments.list(message.mailbox, message.id)
  const presentation: AttachmentPresentation = { ...presentationOf(request, message), selection }
  return {
    status: 200,
    json: {
      '@odata.context': contextOf(request, attachmentsContext(request) + selectedContext(query.select, query.expand)),
      ...(query.count ? { '@odata.count': found.length } : {}),
      value: found.map((attachment) => presentAttachment(attachment, presentation)),
    },
  }
}

/** GET .../attachments/{attachment}; an attached item only with `$expand=microsoft.graph.itemAttachment/item`. */
export const getAttachment: Handler = async (request, mail) => {
  const query = readQuery(request.query)
  const selection = selectAttachmentProperties(query.select, request.version)
  const message = await messageOfPath(request, mail)
  const attachment = await attachmentOfPath(request, mail, message)
  const expandItem = query.expand?.some(({ name }) => name.toLowerCase().endsWith('itemattachment/item')) ?? false
  const below = `${attachmentsContext(request)}${selectedContext(query.select, query.expand)}/$entity`
  return {
    status: 200,
    json: {
      '@odata.context': contextOf(request, below),
      ...presentAttachment(attachment, { ...presentationOf(request, message), selection, expandItem }),
    },
  }
}

/** GET .../attachments/{attachment}/$value: a file's bytes, an attached item in its own format. */
export const getAttachmentContent: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail)
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

/** A content type that came from outside, if a header can hold it. */
function headerSafe(contentType: string | null): string | undefined {
  return contentType !== null && /^[\x20-\x7e]+$/.test(contentType) ? contentType : undefined
}

async function attachmentOfPath(request: GraphRequest, mail: Mail, message: Message): Promise<Attachment> {
  const id = readOwnId(request.mailbox, request.keys.attachment ?? '')
  if (id.kind !== 'attachment') throw new GraphError(400, 'ErrorInvalidIdMalformed', 'Id is malformed.')
  const attachment =
    id.item.message === message.id
      ? await mail.store.attachments.find(message.mailbox, message.id, id.attachment)
      : undefined
  if (attachment === undefined) throw new MailError('attachmentNotFound', 'The message has no such attachment.')
  return attachment
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

function attachmentsContext(request: GraphRequest): string {
  return `messages('${encodeURIComponent(request.keys.message ?? '')}')/attachments`
}
