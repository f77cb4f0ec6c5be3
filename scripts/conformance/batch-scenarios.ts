/** Batches, and ids in other formats. */
import { bindMailbox, prepared } from './binding.js'
import { idOf } from './delivery.js'
import { isCall, makeDraft } from './draft-scenarios.js'
import { isArray, isObject, type Json, type JsonObject } from './json.js'
import { parsePath } from './request-path.js'
import type { Candidate, Scenario } from './scenario.js'

const translates = isCall('POST', String.raw`^\{mailbox\}\/translateexchangeids`)

function itemsOf({ exchange }: Candidate): JsonObject[] {
  const { body } = exchange.request
  const items = isObject(body) ? body.requests : undefined
  return isArray(items) ? items.filter(isObject) : []
}

/** Every call of it is one that is served. */
function isBatchOfMail(candidate: Candidate): boolean {
  const items = itemsOf(candidate)
  return (
    /^\/\$batch$/i.test(candidate.exchange.request.path) &&
    items.length > 0 &&
    items.every(({ url }) => typeof url === 'string' && /^\/?me\/(sendMail|messages)/i.test(url))
  )
}

/** The client that made the recorded call sets the type of every body; what it printed leaves the headers out. */
function withContentType(item: JsonObject): Json {
  return 'body' in item ? { ...item, headers: { 'Content-Type': 'application/json' } } : item
}

/** Rows of batches and translations. */
export const batchScenarios: readonly Scenario[] = [
  {
    name: 'a batch whose calls are denied is itself 200',
    matches: (candidate) =>
      isBatchOfMail(candidate) && JSON.stringify(candidate.exchange.response?.body).includes('"ErrorAccessDenied"'),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, parsePath('/me/messages'), ['User.Read'])
      return prepared(
        candidate,
        world,
        { ...binding, pathKeys: [] },
        {
          body: JSON.stringify({ requests: itemsOf(candidate).map(withContentType) }),
        },
      )
    },
  },
  {
    name: 'ids are translated',
    matches: translates,
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['User.Read'])
      const body = isObject(candidate.exchange.request.body) ? candidate.exchange.request.body : {}
      const asked = isArray(body.inputIds) ? body.inputIds : []
      const inputIds: string[] = []
      for (const _ of asked) inputIds.push(idOf(await makeDraft(world, binding.owner, { subject: 'Conformance' })))
      return prepared(candidate, world, binding, { body: JSON.stringify({ ...body, inputIds }) })
    },
  },
]
