/** Lists of messages that are filtered, and filters that are refused. */
import { anybody, bindMailbox, prepared, principalInPath } from './binding.js'
import { idOf, recipient, send, waitForMessages } from './delivery.js'
import { errorIn, makeDraft } from './draft-scenarios.js'
import { type Answer, jsonOf } from './http-call.js'
import { isArray, isObject, type JsonObject, textMember } from './json.js'
import { queryOption, type RequestPath } from './request-path.js'
import type { Candidate, Scenario } from './scenario.js'
import type { MailboxOwner, World } from './world.js'

const list = /^\{mailbox\}(\/mailfolders\/\{folder\})?\/messages$/

function filterIn({ path }: Candidate): string {
  return queryOption(path, '$filter') ?? ''
}

/** Whether the exchange is such a list, shown or (some pages print requests alone) not. */
function filters(by: RegExp): Scenario['matches'] {
  return (candidate) => {
    const { exchange, shape } = candidate
    const answered = exchange.response === undefined || exchange.response.status === 200
    return exchange.request.method === 'GET' && list.test(shape) && answered && by.test(filterIn(candidate))
  }
}

function firstShown({ exchange }: Candidate): JsonObject {
  const { body } = exchange.response ?? {}
  const [first] = isObject(body) && isArray(body.value) ? body.value : []
  return isObject(first) ? first : {}
}

function ownerOf({ path }: Candidate, world: World): Promise<MailboxOwner> {
  return world.mailbox(principalInPath(path) ?? anybody.address, anybody.name)
}

const owned = ({ userPrincipalName }: MailboxOwner) => ({ address: userPrincipalName, name: userPrincipalName })

/** The path with another text in its query, where it stands in the exchange as it was sent. */
function withQuery(path: RequestPath, from: string, to: string): RequestPath {
  return { ...path, query: path.query.replace(encodeURIComponent(from), encodeURIComponent(to)).replace(from, to) }
}

/** The one message that was put there is found: the answer's form is compared elsewhere. */
function findsOne(subject: string): (answer: Answer) => Promise<string[]> {
  return async (answer) => {
    const shown = jsonOf(answer)
    const value = isObject(shown) && isArray(shown.value) ? shown.value : []
    const found = value.map((message) => textMember(message, 'subject'))
    return found.length === 1 && found[0] === subject ? [] : [`the filter found ${JSON.stringify(found)}`]
  }
}

const folderId = /parentFolderId eq '(AA[^']+)'/
const propertyId = /id eq '([^']+)'/i

/** The value that each documented filter on an extended property looks for. */
function valueSought(filter: string): string {
  return (
    /value eq '([^']+)'|value, ?'([^']+)'|eq \(([^)]+)\)|eq (\d+)/i
      .exec(filter)
      ?.slice(1)
      .find((text) => text !== undefined) ?? ''
  )
}

/** Rows of filtered lists. */
export const filterScenarios: readonly Scenario[] = [
  {
    name: 'unread messages of a folder are listed',
    matches: filters(/isRead eq false AND parentFolderId eq/),
    prepare: async (candidate, world) => {
      const owner = await ownerOf(candidate, world)
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'], owned(owner))
      const subject = textMember(firstShown(candidate), 'subject') ?? 'Conformance'
      const [, recordedFolder] = folderId.exec(filterIn(candidate)) ?? []
      if (recordedFolder === undefined) {
        await send(world, owner, { subject, toRecipients: [recipient(owned(owner))] })
        await waitForMessages(world, owner, 'inbox')
        return prepared(candidate, world, binding, { controlled: ['subject'] })
      }
      const draft = await makeDraft(world, owner, { subject, isRead: false }, 'archive')
      const path = withQuery(candidate.path, recordedFolder, textMember(draft, 'parentFolderId') ?? '')
      return prepared(candidate, world, binding, { path, words: { [recordedFolder]: idOf(draft) } })
    },
  },
  {
    name: 'messages that mention one are listed',
    matches: filters(/^MentionsPreview\/IsMentioned eq true$/),
    prepare: async (candidate, world) => {
      const owner = await ownerOf(candidate, world)
      const subject = textMember(firstShown(candidate), 'subject') ?? 'Conformance'
      const mentions = [{ mentioned: { address: owner.userPrincipalName } }]
      const from = recipient(owned(owner))
      await makeDraft(world, owner, { subject, from, mentions })
      await makeDraft(world, owner, { subject: 'No mention', from })
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'], owned(owner))
      return prepared(candidate, world, binding, { controlled: ['subject'], afterwards: findsOne(subject) })
    },
  },
  {
    name: 'messages are found by an extended property',
    matches: filters(/^singleValueExtendedProperties\/any\(/i),
    prepare: async (candidate, world) => {
      const owner = await ownerOf(candidate, world)
      const filter = filterIn(candidate)
      const [, id = ''] = propertyId.exec(filter) ?? []
      const property = (value: string) => [{ id, value }]
      const sought = valueSought(filter)
      await makeDraft(world, owner, { subject: 'Sought', singleValueExtendedProperties: property(sought) })
      await makeDraft(world, owner, { subject: 'Another', singleValueExtendedProperties: property('0') })
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'], owned(owner))
      return prepared(candidate, world, binding, { status: 200, afterwards: findsOne('Sought') })
    },
  },
  {
    name: 'a filter that does not go with the order is refused',
    matches: (candidate) =>
      candidate.exchange.request.method === 'GET' && errorIn(candidate).code === 'InefficientFilter',
    prepare: async (candidate, world) =>
      prepared(candidate, world, await bindMailbox(world, candidate.path, ['Mail.Read'])),
  },
]
