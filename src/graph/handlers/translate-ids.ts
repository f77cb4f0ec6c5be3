import { MailError } from '../../mail/errors.js'
import type { MessageId } from '../../mail/ids.js'
import type { Mail } from '../../mail/mail.js'
import type { MessagePlace } from '../../mail/query.js'
import { parameterMissing, readParameters } from '../action-parameters.js'
import { GraphError, graphErrorOf, requestBodyRead } from '../errors.js'
import { type IdFormat, idFormats, isImmutableFormat, restIdsOf, spellId } from '../id-format.js'
import { type ItemId, isCurrent, presentImmutableId, presentMessageId, readItemId } from '../item-id.js'
import { idMalformed, idOfAnotherMailbox } from '../keys.js'
import type { GraphRequest, Handler } from '../request.js'
import { readArray, readEnum } from '../resources/values.js'

/** Ids of one call at most, as documented. */
const maxIds = 1_000

/** POST {mailbox}/translateExchangeIds: ids in one format in, in another out; what is wrong with one is said beside it. */
export const translateExchangeIds: Handler = async (request, mail) => {
  const { inputIds, source, target } = readTranslation(request)
  const ids = inputIds.map((text) => readId(request, text, source))
  const places =
    isImmutableFormat(source) === isImmutableFormat(target) ? undefined : await placesOf(request, mail, ids)
  const value = inputIds.map((sourceId, index) => {
    const read = ids[index]
    const targetId = read instanceof GraphError || read === undefined ? read : translate(request, read, target, places)
    if (typeof targetId === 'string') return { sourceId, targetId }
    const { code, message } = targetId ?? idMalformed('There is none.')
    return { sourceId, targetId: null, errorDetails: { code, message } }
  })
  const { baseUrl, version } = request
  const context = `${baseUrl}/${version}/$metadata#Collection(microsoft.graph.convertIdResult)`
  return { status: 200, json: { '@odata.context': context, value } }
}

function readTranslation({ body }: GraphRequest) {
  const operation = 'translateExchangeIds'
  const names = ['inputIds', 'sourceIdType', 'targetIdType'] as const
  const values = readParameters(body.kind === 'json' ? body.value : undefined, operation, names)
  const given = (name: (typeof names)[number]) => {
    const value = values.get(name)
    if (value !== undefined && value !== null) return value
    throw parameterMissing(name.charAt(0).toUpperCase() + name.slice(1), operation)
  }
  const inputIds = readArray(given('inputIds'), 'inputIds').map((id, index) => {
    if (typeof id === 'string') return id
    throw requestBodyRead(
      'Cannot convert an item of the collection to the expected type Edm.String.',
      `inputIds/${index}`,
    )
  })
  if (inputIds.length > maxIds) {
    throw new GraphError(400, 'ErrorInvalidParameter', `A request can translate ${maxIds} ids at most.`, {
      target: 'inputIds',
    })
  }
  const format = (name: 'sourceIdType' | 'targetIdType') =>
    readEnum(given(name), idFormats, 'microsoft.graph.exchangeIdFormat', name) ?? 'restId'
  return { inputIds, source: format('sourceIdType'), target: format('targetIdType') }
}

/** An id and how it is spelt in REST. */
interface Read {
  readonly id: ItemId
  readonly restId: string
}

function readId({ mailbox }: GraphRequest, text: string, format: IdFormat): Read | GraphError {
  for (const restId of restIdsOf(mailbox, text, format)) {
    const id = readItemId(mailbox, restId)
    const isOfFormat = id?.kind === 'folder' || id?.kind === (isImmutableFormat(format) ? 'immutable' : 'message')
    if (id === undefined || !isOfFormat) continue
    return id.mailboxGuid === mailbox.guid ? { id, restId } : idOfAnotherMailbox(mailbox, text)
  }
  return idMalformed(`It is not the ${format} of a message or folder of this server.`)
}

async function placesOf({ mailbox }: GraphRequest, mail: Mail, ids: readonly (Read | GraphError)[]) {
  const messages = new Set<MessageId>()
  for (const read of ids) if (!(read instanceof GraphError) && 'message' in read.id) messages.add(read.id.message)
  const places = await mail.store.messages.places(mailbox.id, [...messages])
  return new Map(places.map((place) => [place.id, place]))
}

/** @param places undefined: the id changes its spelling, and nothing else */
function translate(
  { mailbox }: GraphRequest,
  { id, restId }: Read,
  target: IdFormat,
  places: ReadonlyMap<MessageId, MessagePlace> | undefined,
): string | GraphError {
  if (places === undefined || !('message' in id)) return spellId(restId, id.kind === 'immutable', target)
  const place = places.get(id.message)
  if (place === undefined || (id.kind === 'message' && !isCurrent(id, place))) {
    return graphErrorOf(new MailError('notInStore', 'The mailbox has no such message.'))
  }
  return isImmutableFormat(target)
    ? spellId(presentImmutableId(mailbox, place.id), true, target)
    : spellId(presentMessageId(mailbox, place), false, target)
}
