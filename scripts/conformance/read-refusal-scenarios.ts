/** Refusals of reads: of ids, of mailboxes, of options, without the permission. */
import { bindMailbox, correspondent, isMe, prepared } from './binding.js'
import { idOf, recipient, send, waitForMessages } from './delivery.js'
import { isObject, textMember } from './json.js'
import { keysFor, personOfOwner, placeSent } from './message-scenarios.js'
import { parsePath, type RequestPath } from './request-path.js'
import type { Candidate, Scenario } from './scenario.js'

const readOfMessage = /^\{mailbox\}(\/mailfolders\/\{folder\})?\/messages\/\{message\}(\/\$value|\/attachments)?$/
const list = /^\{mailbox\}(\/mailfolders\/\{folder\})?\/messages$/
const aMessage = {
  subject: 'Conformance',
  body: { contentType: 'text', content: 'Conformance' },
  toRecipients: [recipient(correspondent)],
}

function errorOf({ exchange }: Candidate) {
  const { body } = exchange.response ?? {}
  return isObject(body) && isObject(body.error) ? body.error : {}
}

function refuses(shape: RegExp, code: string): Scenario['matches'] {
  return (candidate) =>
    candidate.exchange.request.method === 'GET' &&
    shape.test(candidate.shape) &&
    textMember(errorOf(candidate), 'code') === code
}

/**
 * Recordings of the same refusal on an operation that is no mail: it is made before the operation is looked at, so the
 * list of messages of the same mailbox is asked instead.
 */
function listInstead({ path }: Candidate): RequestPath {
  return parsePath(isMe(path) ? '/me/messages' : `/users/${path.segments[0]?.key ?? ''}/messages`)
}

const readsAnything = ({ exchange, shape }: Candidate) =>
  exchange.request.method === 'GET' &&
  (readOfMessage.test(shape) || list.test(shape) || /^\{mailbox\}\/\w+$/.test(shape))

/** An id of a message that was never there: the counter at its end is raised beyond any the server has given out. */
function idOfNothing(id: string): string {
  return `${id.slice(0, 141)}AP_____${id.slice(148)}`
}

const segmentRefused = /^Resource not found for the segment '([^']+)'\.$/

/** Rows of refused reads. */
export const readRefusalScenarios: readonly Scenario[] = [
  {
    name: 'a message that is gone is not found',
    matches: refuses(readOfMessage, 'ErrorItemNotFound'),
    prepare: async (candidate, world) => {
      const { owner, message } = await placeSent(candidate, world, aMessage)
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'], personOfOwner({ owner }))
      return prepared(candidate, world, binding, { keys: keysFor(candidate, message, idOfNothing(idOf(message))) })
    },
  },
  {
    name: 'an id that is none is malformed',
    matches: refuses(readOfMessage, 'ErrorInvalidIdMalformed'),
    prepare: async (candidate, world) => {
      const { owner, message } = await placeSent(candidate, world, aMessage)
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'], personOfOwner({ owner }))
      const wrongId = encodeURIComponent(textMember(message, 'internetMessageId') ?? '')
      return prepared(candidate, world, binding, { keys: keysFor(candidate, message, wrongId) })
    },
  },
  {
    name: 'an id of another mailbox is refused',
    matches: refuses(readOfMessage, 'ErrorInvalidMailboxItemId'),
    prepare: async (candidate, world) => {
      const other = await world.mailbox(correspondent.address, correspondent.name)
      await send(world, other, aMessage)
      const [message = {}] = await waitForMessages(world, other, 'sentitems')
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'])
      const id = idOf(message)
      return prepared(candidate, world, binding, { keys: keysFor(candidate, message, id), words: { '{id}': id } })
    },
  },
  {
    name: 'an unknown user is refused',
    matches: (candidate) => textMember(errorOf(candidate), 'code') === 'ErrorInvalidUser' && readsAnything(candidate),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'])
      const nobody = '00000000-0000-4000-8000-000000000000'
      const named = /'([^']*)'/.exec(textMember(errorOf(candidate), 'message') ?? '')?.[1] ?? ''
      // The recorded text names the tenant too where the path did.
      const key = named.includes('@') ? `${nobody}@${world.tenantId}` : nobody
      const path = listInstead(candidate)
      return prepared(candidate, world, { ...binding, pathKeys: [key] }, { path, keys: [], words: { [named]: key } })
    },
  },
  {
    name: 'reading is refused without permission',
    matches: (candidate) => textMember(errorOf(candidate), 'code') === 'ErrorAccessDenied' && readsAnything(candidate),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.Send'])
      return prepared(candidate, world, binding, { path: listInstead(candidate), keys: [] })
    },
  },
  {
    name: 'an unknown segment of a path is refused',
    matches: (candidate) => segmentRefused.test(textMember(errorOf(candidate), 'message') ?? ''),
    prepare: async (candidate, world) => {
      const [, recorded = ''] = segmentRefused.exec(textMember(errorOf(candidate), 'message') ?? '') ?? []
      // What was unknown then may be served one day; this will not be.
      const path = parsePath('/me/noSuchSegment')
      const binding = await bindMailbox(world, path, ['Mail.Read'])
      return prepared(candidate, world, binding, { path, words: { [recorded]: 'noSuchSegment' } })
    },
  },
  {
    name: 'an order by something else than a property is refused',
    matches: (candidate) =>
      candidate.exchange.request.method === 'GET' &&
      list.test(candidate.shape) &&
      /^OrderBy not supported\.$/.test(textMember(errorOf(candidate), 'message') ?? ''),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'])
      return prepared(candidate, world, binding)
    },
  },
]
