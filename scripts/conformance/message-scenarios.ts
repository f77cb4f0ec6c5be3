/** Reading messages: one, a list, its MIME. What is read was sent through the API first. */

import { simpleParser } from 'mailparser'
import { anybody, bindMailbox, correspondent, isMe, prepared, principalInPath } from './binding.js'
import { mimeDifferences } from './compare-mime.js'
import { idOf, type Person, personOf, recipient, send, waitForMessages } from './delivery.js'
import { isArray, isObject, type Json, type JsonObject, textMember } from './json.js'
import { isAddressOf, type Likeness, likenessOf } from './likeness.js'
import { keysOf, queryOption, queryOptions } from './request-path.js'
import type { Candidate, Scenario } from './scenario.js'
import { leavesSelectionOut } from './set-aside.js'
import { defaultFolderCounter } from './value-forms.js'
import type { MailboxOwner, World } from './world.js'

const one = /^\{mailbox\}(\/mailfolders\/\{folder\})?\/messages\/\{message\}$/
const list = /^\{mailbox\}(\/mailfolders\/\{folder\})?\/messages$/
const mime = /^\{mailbox\}(\/mailfolders\/\{folder\})?\/messages\/\{message\}\/\$value$/

/** Options that are served; a name without `$` is none of Graph's and ignored. */
const servedOptions = new Set(['$select', '$top', '$skip', '$orderby', '$count', '$expand'])

/** Relationships that can be expanded. */
const servedExpansion =
  /^(attachments|singleValueExtendedProperties|multiValueExtendedProperties|mentions|microsoft\.graph\.itemattachment\/item)\b/i

/** Sent Items counts 9 in every mailbox. */
const sentItemsCounter = 9

/** Shows an attached item with what is inside it. */
function showsItem({ exchange }: Candidate): boolean {
  const { attachments } = firstShown(exchange.response?.body)
  return isArray(attachments) && attachments.some((attachment) => isObject(attachment) && 'item' in attachment)
}

/** Whether the exchange is this read, with options that are served, and shows what this server can hold. */
export function reads(shape: RegExp): Scenario['matches'] {
  return (candidate) => {
    const { exchange, path } = candidate
    const answered = exchange.response === undefined || exchange.response.status === 200
    const isRead = exchange.request.method === 'GET' && shape.test(candidate.shape) && answered
    const served = queryOptions(path).every((option) => !option.startsWith('$') || servedOptions.has(option))
    const expands = servedExpansion.test(queryOption(path, '$expand') ?? 'attachments')
    const shows = !wantsAnotherForm(candidate) && !showsItem(candidate) && !isMeeting(candidate)
    return isRead && served && expands && shows && !leavesSelectionOut(candidate)
  }
}

/** Preferences, and other levels of metadata than the usual one. */
function wantsAnotherForm({ exchange: { request } }: Candidate): boolean {
  return Object.entries(request.headers).some(
    ([name, value]) =>
      (/^prefer$/i.test(name) && !/body-content-type/i.test(String(value))) ||
      (/^accept$/i.test(name) && /odata\.metadata=none/i.test(String(value))),
  )
}

/** Shows a meeting request first. */
function isMeeting({ exchange }: Candidate): boolean {
  const shown = firstShown(exchange.response?.body)
  return 'meetingMessageType' in shown
}

/** The message shown: the body itself, or the first plain one of a list. */
function firstShown(body: Json | undefined): JsonObject {
  if (!isObject(body)) return {}
  const { value } = body
  if (!isArray(value)) return body
  const items = value.filter(isObject)
  return items.find((item) => item['@odata.type'] === undefined) ?? items[0] ?? {}
}

/** A message that lies where the exchange reads it. */
interface Placed {
  readonly owner: MailboxOwner
  readonly message: JsonObject
  readonly likeness: Likeness
}

/** Who reads the message shown: who the path says, else its sender in Sent Items, else its first recipient. */
function readerOf({ path }: Candidate, shown: JsonObject): Person {
  const author = personOf(shown.from) ?? personOf(shown.sender)
  const named = principalInPath(path)
  if (named !== undefined) {
    const same = author?.address.toLowerCase() === named.toLowerCase()
    return { address: named, name: same ? author.name : named }
  }
  if (author !== undefined && lies(shown) === sentItemsCounter) return author
  const [first] = isArray(shown.toRecipients) ? shown.toRecipients : []
  return personOf(first) ?? anybody
}

function lies(shown: JsonObject): number | undefined {
  return defaultFolderCounter(textMember(shown, 'parentFolderId') ?? '')
}

/** Sends a message like the one shown, `count` times, and waits until it lies where it is read from. */
export async function place(candidate: Candidate, world: World, shown: JsonObject, count = 1): Promise<Placed> {
  const reader = readerOf(candidate, shown)
  const author = personOf(shown.from) ?? personOf(shown.sender) ?? correspondent
  const sent = author.address.toLowerCase() === reader.address.toLowerCase() && !readsInbox(candidate)
  const owner = await world.mailbox(reader.address, reader.name)
  const sender = isAddressOf(author.address, owner) ? owner : await world.mailbox(author.address, author.name)
  const likeness = likenessOf(shown, owner, sent)
  for (let left = count; left > 0; left--) await send(world, sender, likeness.message)
  const [message = {}] = await waitForMessages(world, owner, sent ? 'sentitems' : 'inbox', count)
  return { owner, message, likeness }
}

/** Whether the folder of the path is the Inbox by its well-known name. */
export function readsInbox({ path }: Candidate): boolean {
  return path.segments.some(({ name, key }) => /^mailfolders$/i.test(name) && /^inbox$/i.test(key ?? ''))
}

/** Keys of the path after the mailbox's: an opaque folder is the one the message lies in. */
export function keysFor({ path }: Candidate, message: JsonObject, ...more: string[]): string[] {
  const own = isMe(path) ? keysOf(path) : keysOf(path).slice(1)
  const folder = path.segments.some(({ name, key }) => /^mailfolders$/i.test(name) && key !== undefined)
  const folderKeys = folder ? own.slice(0, 1).map((key) => (isWellKnown(key) ? key : folderOf(message))) : []
  return [...folderKeys, ...more]
}

/** Letters alone, and no id that a page has cut short. */
function isWellKnown(key: string): boolean {
  return /^(?!A[AQ]Mk)[a-z]+$/i.test(key)
}

function folderOf(message: JsonObject): string {
  return textMember(message, 'parentFolderId') ?? ''
}

/** Values the documentation prints belong to other messages than the one it describes: only the subject is compared. */
function controlledIn({ exchange }: Candidate, { controlled }: Likeness): string[] {
  return exchange.evidence === 'documented' ? ['subject'] : [...controlled]
}

/** Rows of reading messages. */
export const messageScenarios: readonly Scenario[] = [
  {
    name: 'a message is read',
    matches: reads(one),
    prepare: async (candidate, world) => {
      const placed = await place(candidate, world, firstShown(candidate.exchange.response?.body))
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'], personOfOwner(placed))
      const keys = keysFor(candidate, placed.message, idOf(placed.message))
      return prepared(candidate, world, binding, { keys, controlled: controlledIn(candidate, placed.likeness) })
    },
  },
  {
    name: 'messages are listed',
    matches: reads(list),
    prepare: async (candidate, world) => {
      const { response } = candidate.exchange
      const full = isObject(response?.body) && '@odata.nextLink' in response.body
      const pageSize = Number(queryOption(candidate.path, '$top') ?? 10)
      const placed = await place(candidate, world, firstShown(response?.body), full ? pageSize : 1)
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'], personOfOwner(placed))
      const keys = keysFor(candidate, placed.message)
      return prepared(candidate, world, binding, { keys, controlled: controlledIn(candidate, placed.likeness) })
    },
  },
  {
    name: 'messages are searched',
    matches: (candidate) => {
      const { request, response } = candidate.exchange
      const isFound = response === undefined || response.status === 200
      return request.method === 'GET' && list.test(candidate.shape) && isFound && searched(candidate) !== undefined
    },
    prepare: async (candidate, world) => {
      const subject = searched(candidate) ?? ''
      const { owner, message } = await placeSent(candidate, world, {
        subject,
        toRecipients: [recipient(correspondent)],
      })
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'], personOfOwner({ owner }))
      return prepared(candidate, world, binding, {
        keys: keysFor(candidate, message),
        status: 200,
        afterwards: async (answer) =>
          answer.body.includes(`"subject":${JSON.stringify(subject)}`)
            ? []
            : ['the message that was sent is not found'],
      })
    },
  },
  {
    name: 'a message is read as MIME',
    matches: reads(mime),
    prepare: async (candidate, world) => {
      const { response } = candidate.exchange
      const shown = typeof response?.body === 'string' ? await simpleParser(response.body) : undefined
      const content = shown?.text ?? 'Conformance'
      const whole = candidate.exchange.evidence !== 'documented'
      const message = {
        subject: shown?.subject ?? 'Conformance',
        toRecipients: [recipient(correspondent)],
        body: { contentType: 'text', content },
      }
      const { owner, message: found } = await placeSent(candidate, world, message)
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'], personOfOwner({ owner }))
      const known = {
        sent: true,
        subject: message.subject,
        internetMessageId: textMember(found, 'internetMessageId'),
        text: whole ? content : undefined,
      }
      return prepared(candidate, world, binding, {
        keys: keysFor(candidate, found, idOf(found)),
        status: 200,
        afterwards: (answer) => mimeDifferences(answer.body, known),
      })
    },
  },
]

/** The words that are searched for, where no property is named. */
function searched({ path }: Candidate): string | undefined {
  return /^"([\w ]+)"$/.exec(queryOption(path, '$search') ?? '')?.[1]
}

/** Sends the message from the mailbox of the path and finds its copy in Sent Items. */
export async function placeSent(candidate: Candidate, world: World, message: JsonObject) {
  const owner = await world.mailbox(principalInPath(candidate.path) ?? anybody.address, anybody.name)
  await send(world, owner, message)
  const [found = {}] = await waitForMessages(world, owner, 'sentitems')
  return { owner, message: found }
}

/** The owner again, for {@link bindMailbox}. */
export function personOfOwner({ owner }: Pick<Placed, 'owner'>): Person {
  return { address: owner.userPrincipalName, name: owner.userPrincipalName }
}
