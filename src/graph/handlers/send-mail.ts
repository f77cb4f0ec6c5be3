import type { Mail } from '../../mail/mail.js'
import type { Draft } from '../../mail/message.js'
import { decodeMimeBody, parseMime } from '../../mail/mime/parse.js'
import { submitMessage } from '../../mail/submit.js'
import { collectParameters, parameterMissing, unknownParameter } from '../action-parameters.js'
import { badRequest, requestBodyRead } from '../errors.js'
import type { GraphReply, GraphRequest, Handler } from '../request.js'
import { isWritableMessageProperty, readDraft } from '../resources/draft.js'

/** POST {mailbox}/sendMail: JSON or base64 MIME in; 202 and an empty body out. */
export const sendMail: Handler = (request, mail) => {
  const { body, version } = request
  if (body.kind === 'mime') return readMime(body.base64).then((read) => submit(mail, request, read))
  return submit(mail, request, readParameters(body.kind === 'json' ? body.value : undefined, version))
}

/** No async function: every accepted mail goes through here, and a promise alone costs less. */
function submit(mail: Mail, request: GraphRequest, { draft, saveToSentItems }: SendMail): Promise<GraphReply> {
  return submitMessage(mail, request, draft, { saveToSentItems }).then((message) => ({ status: 202, message }))
}

interface SendMail {
  readonly draft: Draft
  readonly saveToSentItems: boolean
}

/** The MIME form has no parameters: it is always saved. */
async function readMime(base64: Buffer): Promise<SendMail> {
  return { draft: await parseMime(decodeMimeBody(base64)), saveToSentItems: true }
}

function readParameters(json: unknown, version: GraphRequest['version']): SendMail {
  const { values, unknown } = collectParameters(json, 'sendMail', ['message', 'saveToSentItems'])
  if (values.size === 0 && Object.keys(Object(json)).length === 0)
    throw badRequest('Empty Payload. JSON content expected.')
  const saveToSentItems = readSave(values.get('saveToSentItems'))
  const message = values.get('message')
  if (message !== undefined && message !== null) {
    if (unknown !== undefined) throw unknownParameter(unknown, 'sendMail')
    return { draft: readDraft(message, version), saveToSentItems }
  }
  // One published example posts the message itself, without the parameter around it, and is answered with 202.
  if (unknown === undefined) throw parameterMissing('Message', 'sendMail')
  if (!isWritableMessageProperty(unknown)) throw unknownParameter(unknown, 'sendMail')
  const { saveToSentItems: _, SaveToSentItems: __, ...bare } = json as Record<string, unknown>
  return { draft: readDraft(bare, version), saveToSentItems }
}

/** `saveToSentItems` as a boolean or, as the reference page itself sends it, as text. Left out or null: saved. */
function readSave(value: unknown): boolean {
  if (value === undefined || value === null) return true
  if (typeof value === 'boolean') return value
  const text = typeof value === 'string' ? value.toLowerCase() : undefined
  if (text === 'true' || text === 'false') return text === 'true'
  const literal = JSON.stringify(value).replace(/^"|"$/g, '').slice(0, 100)
  throw requestBodyRead(
    `Cannot convert the literal '${literal}' to the expected type 'Edm.Boolean'.`,
    'saveToSentItems',
  )
}
