import type { Draft } from '../../mail/message.js'
import { decodeMimeBody, parseMime } from '../../mail/mime/parse.js'
import { submitMessage } from '../../mail/submit.js'
import { badRequest, requestBodyRead } from '../errors.js'
import type { GraphRequest, Handler } from '../request.js'
import { isWritableMessageProperty, readDraft } from '../resources/draft.js'
import { quotable } from '../resources/values.js'

/** POST {mailbox}/sendMail: JSON or base64 MIME in; 202 and an empty body out. */
export const sendMail: Handler = async (request, mail) => {
  const { draft, saveToSentItems } = await readSendMail(request)
  const message = await submitMessage(mail, request.mailbox, draft, { saveToSentItems })
  return { status: 202, message }
}

interface SendMail {
  readonly draft: Draft
  readonly saveToSentItems: boolean
}

async function readSendMail({ body, version }: GraphRequest): Promise<SendMail> {
  // The MIME form has no parameters: it is always saved.
  if (body.kind === 'mime') return { draft: await parseMime(decodeMimeBody(body.base64)), saveToSentItems: true }
  return readParameters(body.kind === 'json' ? body.value : undefined, version)
}

/**
 * The action's parameters, their names in any case: documents and hand-written clients write `saveToSentItems`, generated
 * ones `SaveToSentItems`, as the metadata does.
 */
function readParameters(json: unknown, version: GraphRequest['version']): SendMail {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badRequest(
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
      'The body must be an object with the parameter message.',
    )
  }
  let message: unknown
  let save: unknown
  let unknown: string | undefined
  const seen = new Set<string>()
  for (const [name, value] of Object.entries(json)) {
    const parameter = name.toLowerCase()
    if (seen.has(parameter)) throw parameterTwice(name)
    seen.add(parameter)
    if (parameter === 'message') message = value
    else if (parameter === 'savetosentitems') save = value
    else if (!name.includes('@')) unknown ??= name
  }
  if (seen.size === 0) throw badRequest('Empty Payload. JSON content expected.')
  const saveToSentItems = readSave(save)
  if (message !== undefined && message !== null) {
    if (unknown !== undefined) throw unknownParameter(unknown)
    return { draft: readDraft(message, version), saveToSentItems }
  }
  // One published example posts the message itself, without the parameter around it, and is answered with 202.
  if (unknown === undefined || !isWritableMessageProperty(unknown)) throw messageMissing(unknown)
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

function parameterTwice(written: string) {
  const name = quotable(written)
  return requestBodyRead(
    `Multiple parameters with the name '${name}' were found in the request payload for the operation 'sendMail'.`,
    name,
  )
}

function unknownParameter(written: string) {
  const name = quotable(written)
  return requestBodyRead(
    `The parameter '${name}' in the request payload is not a valid parameter for the operation 'sendMail'.`,
    name,
  )
}

function messageMissing(unknown: string | undefined) {
  if (unknown !== undefined) return unknownParameter(unknown)
  return requestBodyRead(
    "One or more parameters of the operation 'sendMail' are missing from the request payload. The missing parameters are: Message.",
    'message',
  )
}
