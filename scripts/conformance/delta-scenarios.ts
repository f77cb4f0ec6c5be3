/** Rounds of changes: each page is asked for with the real link of the page before it. */
import { anybody, type Binding, bindMailbox, correspondent, prepared } from './binding.js'
import { idOf, recipient, send, waitForMessages } from './delivery.js'
import { isCall, refusedCall } from './draft-scenarios.js'
import { type Answer, type Call, jsonOf } from './http-call.js'
import { isObject, type JsonObject, textMember } from './json.js'
import { queryOption, type RequestPath } from './request-path.js'
import type { Candidate, Preparation, Scenario } from './scenario.js'
import type { World } from './world.js'

const ofMessages = isCall('GET', String.raw`^\{mailbox\}\/mailfolders\/\{folder\}\/messages\/delta(\(\))?`)
const ofFolders = isCall('GET', String.raw`^\{mailbox\}\/mailfolders\/delta(\(\))?`)

/** What the documented rounds select, and how much a page of theirs holds. */
const documentedSelection = '$select=subject,sender,isRead'
const pageSize = 2
/** Two full pages, and one with what is left. */
const messageCount = 5

function succeeds({ exchange }: Candidate): boolean {
  return exchange.response === undefined || exchange.response.status < 300
}

/** How far the reader of the exchange has come: pages before it, and whether a round before it. */
interface Place {
  readonly pages: number
  readonly isLaterRound: boolean
}

function placeOf(candidate: Candidate): Place {
  if (queryOption(candidate.path, '$deltatoken') !== undefined) return { pages: 0, isLaterRound: true }
  if (queryOption(candidate.path, '$skiptoken') === undefined) return { pages: 0, isLaterRound: false }
  return { pages: showsDeltaLink(candidate) ? 2 : 1, isLaterRound: false }
}

function showsDeltaLink({ exchange }: Candidate): boolean {
  const { body } = exchange.response ?? {}
  return isObject(body) && '@odata.deltaLink' in body
}

/** Mail in the Inbox of the mailbox. Answers it, newest first. */
async function fillInbox(world: World, binding: Binding): Promise<JsonObject[]> {
  const sender = await world.mailbox(correspondent.address, correspondent.name)
  for (let number = 1; number <= messageCount; number++) {
    await send(world, sender, {
      subject: `Conformance ${number}`,
      body: { contentType: 'text', content: 'Conformance' },
      toRecipients: [recipient({ address: binding.owner.userPrincipalName, name: anybody.name })],
    })
  }
  return waitForMessages(world, binding.owner, 'inbox', messageCount)
}

/** The query of the link that a page ends with. @throws Error when there is no such page */
async function linkAfter(world: World, { token }: Binding, path: string, query: string): Promise<string> {
  const answer = await world.call({
    method: 'GET',
    path: `${path}?${query}`,
    headers: { Authorization: `Bearer ${token}`, Prefer: `odata.maxpagesize=${pageSize}` },
    body: undefined,
  })
  const page = jsonOf(answer)
  const link = textMember(page, '@odata.nextLink') ?? textMember(page, '@odata.deltaLink')
  if (link === undefined) throw new Error(`a page needed for it was refused: ${answer.status} ${answer.body}`)
  return link.slice(link.indexOf('?') + 1)
}

/** One message leaves the folder and one is changed. */
async function change(world: World, { owner }: Binding, [leaves, changes]: readonly JsonObject[]): Promise<void> {
  const token = await world.token({ user: undefined, permissions: ['Mail.ReadWrite'], lifetimeSeconds: 3600 })
  const path = (message: JsonObject | undefined) => `/v1.0/users/${owner.objectId}/messages/${idOf(message)}`
  const headers = { Authorization: `Bearer ${token}` }
  const calls: Call[] = [
    { method: 'DELETE', path: path(leaves), headers, body: undefined },
    {
      method: 'PATCH',
      path: path(changes),
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify({ isRead: true }),
    },
  ]
  for (const call of calls) {
    const { status, body } = await world.call(call)
    if (status >= 300) throw new Error(`the change needed for it was refused: ${status} ${body}`)
  }
}

/** One page prints its header below the request, where it looks like a body. */
function withHeaderOfBody(preparation: Preparation): Preparation {
  const { call } = preparation
  const [, preference] = /^Prefer: (.*)$/.exec(call.body ?? '') ?? []
  if (preference === undefined) return preparation
  return { ...preparation, call: { ...call, headers: { ...call.headers, Prefer: preference }, body: undefined } }
}

/** The link at the end of the page is of the kind shown, and leads to another page. */
function leadsOn(candidate: Candidate, world: World, binding: Binding): Preparation['afterwards'] {
  return async (answer: Answer) => {
    const [name, option] = showsDeltaLink(candidate)
      ? ['@odata.deltaLink', '$deltatoken']
      : ['@odata.nextLink', '$skiptoken']
    const link = textMember(jsonOf(answer), name)
    // An exchange without an answer shows no link either.
    if (link === undefined) return candidate.exchange.response === undefined ? [] : [`body.${name} is missing`]
    if (!link.startsWith(`${world.baseUrl}/`) || !link.includes(`?${option}=`)) return [`body.${name}: ${link}`]
    const [path = '', query = ''] = link.slice(world.baseUrl.length).split('?')
    await linkAfter(world, binding, path, query)
    return []
  }
}

/** A token as this server writes them, under a key that it does not have any more. */
const tokenOfLostKey = `00000000-0000-4000-8000-000000000000.e30.${'A'.repeat(43)}`

function withQuery(path: RequestPath, query: string): RequestPath {
  return { ...path, query }
}

/** Rows of delta queries. */
export const deltaScenarios: readonly Scenario[] = [
  {
    name: 'changes of messages are followed',
    matches: (candidate) => ofMessages(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.ReadBasic', 'Mail.Read'])
      const messages = await fillInbox(world, binding)
      const folder = textMember(messages[0], 'parentFolderId') ?? ''
      const { pages, isLaterRound } = placeOf(candidate)
      const path = `/${candidate.exchange.version}/users/${binding.owner.objectId}/mailFolders/${folder}/messages/delta`
      let query = candidate.path.query
      if (isLaterRound || pages > 0) query = documentedSelection
      for (let left = isLaterRound ? Math.ceil(messageCount / pageSize) : pages; left > 0; left--) {
        query = await linkAfter(world, binding, path, query)
      }
      if (isLaterRound) await change(world, binding, messages)
      const preparation = prepared(candidate, world, binding, {
        keys: [folder],
        path: withQuery(candidate.path, query),
        status: 200,
        afterwards: leadsOn(candidate, world, binding),
      })
      return withHeaderOfBody(preparation)
    },
  },
  {
    name: 'changes of folders are followed',
    matches: (candidate) => ofFolders(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.ReadBasic'])
      const afterwards = leadsOn(candidate, world, binding)
      return withHeaderOfBody(prepared(candidate, world, binding, { afterwards }))
    },
  },
  {
    name: 'a link whose state is lost is gone',
    matches: refusedCall(ofMessages, 'SyncStateNotFound'),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.ReadBasic'])
      const message = textMember(candidate.exchange.response?.body, 'error', 'message') ?? ''
      const [recorded = ''] = /generation=\d.*(?=\.$)/.exec(message) ?? []
      return prepared(candidate, world, binding, {
        keys: ['inbox'],
        path: withQuery(candidate.path, `$skiptoken=${tokenOfLostKey}`),
        words: { [recorded]: 'generation=0;[highest=0]' },
      })
    },
  },
]
