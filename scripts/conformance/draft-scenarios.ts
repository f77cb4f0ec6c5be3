/** Drafts: made, changed, moved, deleted and sent; and what is refused of them. */
import { anybody, bindMailbox, bodyText, correspondent, prepared } from './binding.js'
import { idOf, messagesIn, type Person, personOf, recipient, sendMime, waitForMessages } from './delivery.js'
import { jsonOf } from './http-call.js'
import { isArray, isObject, type JsonObject, textMember } from './json.js'
import { keysFor, personOfOwner, place } from './message-scenarios.js'
import { keysOf } from './request-path.js'
import type { Candidate, Preparation, Scenario } from './scenario.js'
import type { MailboxOwner, World } from './world.js'

const messages = String.raw`^\{mailbox\}(\/mailfolders\/\{folder\})?\/messages`
const message = String.raw`${messages}\/\{message\}`

/** An operation by its method and the shape of its path. */
export function isCall(method: string, shape: string): (candidate: Candidate) => boolean {
  const pattern = new RegExp(`${shape}$`)
  return (candidate) => candidate.exchange.request.method === method && pattern.test(candidate.shape)
}

export const onMessage = (action: string) => isCall('POST', `${message}\\/${action}`)

function succeeds({ exchange }: Candidate): boolean {
  return exchange.response === undefined || exchange.response.status < 300
}

export function errorIn({ exchange }: Candidate): { code: string; message: string } {
  const { body } = exchange.response ?? {}
  const error = isObject(body) ? body.error : undefined
  return { code: textMember(error, 'code') ?? '', message: textMember(error, 'message') ?? '' }
}

/** The operation, refused with this code. */
export function refusedCall(
  call: (candidate: Candidate) => boolean,
  code: string,
  text = /./,
): (candidate: Candidate) => boolean {
  return (candidate) => {
    const error = errorIn(candidate)
    return call(candidate) && error.code === code && text.test(error.message)
  }
}

/** Shows a meeting request, which no mail of ours is. */
function isMeeting({ exchange }: Candidate): boolean {
  const { body } = exchange.response ?? {}
  return isObject(body) && 'meetingMessageType' in body
}

const creates = isCall('POST', messages)

/** Makes a draft in the mailbox, in Drafts unless a folder is named. @throws Error when it is refused */
export async function makeDraft(
  world: World,
  owner: MailboxOwner,
  draft: JsonObject,
  folder = 'drafts',
): Promise<JsonObject> {
  const token = await world.token({ user: undefined, permissions: ['Mail.ReadWrite'], lifetimeSeconds: 3600 })
  const answer = await world.call({
    method: 'POST',
    path: `/beta/users/${owner.objectId}/mailFolders/${folder}/messages`,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(draft),
  })
  const made = jsonOf(answer)
  if (answer.status !== 201 || !isObject(made)) throw new Error(`the draft needed was refused: ${answer.body}`)
  return made
}

const plain: JsonObject = {
  subject: 'Conformance',
  body: { contentType: 'text', content: 'Conformance' },
  toRecipients: [recipient(correspondent)],
}

/** Members of a request that come back as they were sent. */
const comesBack = new Set([
  'subject',
  'toRecipients',
  'ccRecipients',
  'bccRecipients',
  'replyTo',
  'from',
  'categories',
  'importance',
  'isRead',
  'isReadReceiptRequested',
  'flag',
])

/** What the exchange asks for and shows again; the documentation's values are those of another message. */
function controlledByRequest({ exchange }: Candidate): string[] {
  const { body } = exchange.request
  if (!isObject(body)) return []
  const names = Object.keys(body).filter((name) => comesBack.has(name))
  return exchange.evidence === 'documented' ? names.filter((name) => name === 'subject') : names
}

const cutShort = /not decodable|cut short/

/** The MIME of the exchange, or a whole one where the page prints part of it. */
export function mimeOf({ exchange }: Candidate, author: Person = anybody): string | undefined {
  const { body, headers } = exchange.request
  const isText = Object.entries(headers).some(
    ([name, value]) => name.toLowerCase() === 'content-type' && /^text\/plain/i.test(String(value)),
  )
  if (typeof body !== 'string') return isText ? wholeMime(author) : undefined
  return cutShort.test(exchange.notes) ? wholeMime(author) : body
}

function wholeMime({ address, name }: Person): string {
  const lines = [
    `From: "${name}" <${address}>`,
    `To: ${correspondent.address}`,
    'Subject: Conformance',
    'Date: Sun, 28 Feb 2021 07:15:00 +0000',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Conformance',
    '',
  ]
  return Buffer.from(lines.join('\r\n')).toString('base64')
}

/** Makes the mailbox of the path, with the permission that the call needs. */
function bound({ path }: Candidate, world: World, permission: string) {
  return bindMailbox(world, path, [permission])
}

/** A draft in the mailbox of the path, and the keys that lead to it. */
export async function withDraft(
  candidate: Candidate,
  world: World,
  permission: string,
  draft: JsonObject = plain,
  folder = 'drafts',
) {
  const binding = await bound(candidate, world, permission)
  const made = await makeDraft(world, binding.owner, draft, folder)
  return { binding, made, keys: keysFor(candidate, made, idOf(made)) }
}

/** Base64 that is none. */
export const notBase64 = 'This is no base64 at all!'

/** A message shown that is no draft was received; anything else is made as a draft. */
async function messageToChange(candidate: Candidate, world: World) {
  const { body } = candidate.exchange.response ?? {}
  const shown = isObject(body) ? body : {}
  if (shown.isDraft === false) {
    const placed = await place(candidate, world, shown)
    const binding = await bindMailbox(world, candidate.path, ['Mail.ReadWrite'], personOfOwner(placed))
    return { binding, keys: keysFor(candidate, placed.message, idOf(placed.message)) }
  }
  const from = personOf(shown.from)
  const draft = {
    ...plain,
    ...(from === undefined ? {} : { from: recipient(from) }),
    isRead: shown.isRead !== true,
  }
  return withDraft(candidate, world, 'Mail.ReadWrite', draft)
}

/** Whether a message stands in a folder of the mailbox, once the call was made. */
function leaves(folder: string, world: World, owner: MailboxOwner, id: string): Preparation['afterwards'] {
  return async () => {
    const left = await messagesIn(world, owner, folder)
    return left.some((item) => item.id === id) ? [`afterwards: the message is still in ${folder}`] : []
  }
}

/** A destination that the documentation leaves to the reader. */
function destinationIn({ exchange }: Candidate): string {
  const { body } = exchange.request
  const wanted = textMember(body, 'destinationId') ?? 'destinationId-value'
  return /-value$/.test(wanted) ? 'archive' : wanted
}

/** What stands between quotes in the message shown. */
function quoted(candidate: Candidate): string {
  return /'([^']*)'/.exec(errorIn(candidate).message)?.[1] ?? ''
}

function withHeaders(preparation: Preparation, headers: Readonly<Record<string, string>>): Preparation {
  return { ...preparation, call: { ...preparation.call, headers: { ...preparation.call.headers, ...headers } } }
}

/** The id with another first letter: none that this server gives out. */
function malformed(id: string): string {
  return `Z${id.slice(1)}`
}

/** A document that names the property by its value is filled in. */
function requestBody({ exchange }: Candidate): string | undefined {
  const { body } = exchange.request
  if (!isObject(body)) return undefined
  const filled = JSON.stringify(body).replaceAll('"contentType":""', '"contentType":"text"')
  return filled
}

/** A draft is read, by the notes of the recording. */
function readsDraft({ exchange, shape }: Candidate): boolean {
  const isRead = exchange.request.method === 'GET' && new RegExp(`${message}$`).test(shape)
  return isRead && /^A draft has no/.test(exchange.notes)
}

/** Rows of drafts. */
export const draftScenarios: readonly Scenario[] = [
  {
    name: 'a draft is read',
    matches: readsDraft,
    prepare: async (candidate, world) => {
      const { binding, keys } = await withDraft(candidate, world, 'Mail.Read')
      return prepared(candidate, world, binding, { keys })
    },
  },
  {
    name: 'a draft is made',
    matches: (candidate) => creates(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const binding = await bound(candidate, world, 'Mail.ReadWrite')
      const mime = mimeOf(candidate)
      const inFolder = /mailfolders/.test(candidate.shape)
      // A folder of the exchange's own: any but Drafts will do.
      const folder = inFolder ? await makeDraft(world, binding.owner, plain, 'archive') : {}
      return prepared(candidate, world, binding, {
        keys: inFolder ? [textMember(folder, 'parentFolderId') ?? ''] : [],
        body: mime ?? bodyText(candidate) ?? JSON.stringify(plain),
        controlled: controlledByRequest(candidate).filter(
          (name) => name !== 'from' && !/Recipients|replyTo/.test(name),
        ),
        status: 201,
      })
    },
  },
  {
    name: 'a draft that is no base64 is refused',
    matches: refusedCall(creates, 'ErrorMimeContentInvalidBase64String'),
    prepare: async (candidate, world) =>
      prepared(candidate, world, await bound(candidate, world, 'Mail.ReadWrite'), { body: notBase64 }),
  },
  {
    name: 'a draft with a property that messages do not have is refused',
    matches: refusedCall(creates, 'UnableToDeserializePostBody'),
    prepare: async (candidate, world) => {
      const binding = await bound(candidate, world, 'Mail.ReadWrite')
      const keys = /mailfolders/.test(candidate.shape) ? ['drafts'] : []
      return prepared(candidate, world, binding, { keys })
    },
  },
  {
    name: 'a message is changed',
    matches: (candidate) => isCall('PATCH', message)(candidate) && succeeds(candidate) && !isMeeting(candidate),
    prepare: async (candidate, world) => {
      const { binding, keys } = await messageToChange(candidate, world)
      const body = requestBody(candidate)
      return prepared(candidate, world, binding, {
        keys,
        ...(body === undefined ? {} : { body }),
        controlled: controlledByRequest(candidate),
      })
    },
  },
  {
    name: 'a change of something that has changed is refused',
    matches: refusedCall(isCall('PATCH', message), 'ErrorIrresolvableConflict'),
    prepare: async (candidate, world) => {
      const { binding, keys } = await withDraft(candidate, world, 'Mail.ReadWrite')
      // What raced with it when it was recorded is said here: that the message was read before it changed.
      const stale = { 'If-Match': 'W/"CQAAABYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"' }
      return withHeaders(prepared(candidate, world, binding, { keys }), stale)
    },
  },
  {
    name: 'a message is deleted',
    matches: (candidate) => isCall('DELETE', message)(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const { binding, keys, made } = await withDraft(candidate, world, 'Mail.ReadWrite')
      const afterwards = leaves('drafts', world, binding.owner, idOf(made))
      return prepared(candidate, world, binding, { keys, status: 204, ...(afterwards ? { afterwards } : {}) })
    },
  },
  {
    name: 'a mention is taken out of a message',
    matches: isCall('DELETE', `${message}\\/mentions\\/\\{key\\}`),
    prepare: async (candidate, world) => {
      const draft = { ...plain, mentions: [{ mentioned: { address: correspondent.address } }] }
      const { binding, keys, made } = await withDraft(candidate, world, 'Mail.ReadWrite', draft)
      const [mention] = isArray(made.mentions) ? made.mentions.filter(isObject) : []
      return prepared(candidate, world, binding, { keys: [...keys, idOf(mention)], status: 204 })
    },
  },
  {
    name: 'a list is left',
    matches: onMessage('unsubscribe'),
    prepare: async (candidate, world) => {
      const binding = await bound(candidate, world, 'Mail.Send')
      const offer = [
        `From: ${correspondent.address}`,
        `To: ${binding.owner.userPrincipalName}`,
        `List-Unsubscribe: <mailto:${correspondent.address}?subject=leave>`,
        'Subject: Conformance',
        '',
        'Conformance',
      ].join('\r\n')
      const list = await world.mailbox(correspondent.address)
      await sendMime(world, list, offer)
      const [received = {}] = await waitForMessages(world, binding.owner, 'inbox')
      const keys = keysFor(candidate, received, idOf(received))
      return prepared(candidate, world, binding, {
        keys,
        afterwards: async () => {
          const [asked] = await waitForMessages(world, list, 'inbox')
          return asked?.subject === 'leave' ? [] : ['afterwards: nobody was asked to take the reader off the list']
        },
      })
    },
  },
  {
    name: 'a request of more than 4 MB is refused',
    matches: refusedCall(creates, 'BadRequest', /maximum request length/),
    prepare: async (candidate, world) => {
      const tooLong = JSON.stringify({ ...plain, subject: 'x'.repeat(4 * 1024 * 1024) })
      return prepared(candidate, world, await bound(candidate, world, 'Mail.ReadWrite'), { body: tooLong })
    },
  },
  {
    name: 'a message is deleted for good',
    matches: (candidate) => onMessage('permanentdelete')(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const { binding, keys } = await withDraft(candidate, world, 'Mail.ReadWrite')
      return prepared(candidate, world, binding, {
        keys,
        afterwards: async () => {
          const left = await messagesIn(world, binding.owner, 'recoverableitemsdeletions')
          return left.length === 0 ? [] : ['afterwards: it can still be recovered']
        },
      })
    },
  },
  {
    name: 'a message is moved or copied',
    matches: (candidate) => onMessage('(move|copy)')(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const body = JSON.stringify({ destinationId: destinationIn(candidate) })
      const folder = keysOf(candidate.path).some((key) => /^inbox$/i.test(key)) ? 'inbox' : 'drafts'
      const draft = { ...plain, from: recipient(anybody) }
      const { binding, keys } = await withDraft(candidate, world, 'Mail.ReadWrite', draft, folder)
      return prepared(candidate, world, binding, { keys, body })
    },
  },
  {
    name: 'an id that is none cannot be moved',
    matches: refusedCall(onMessage('move'), 'ErrorInvalidIdMalformed'),
    prepare: async (candidate, world) => {
      const { binding, made } = await withDraft(candidate, world, 'Mail.ReadWrite')
      const keys = keysFor(candidate, made, malformed(idOf(made)))
      return prepared(candidate, world, binding, { keys, body: JSON.stringify({ destinationId: 'archive' }) })
    },
  },
  {
    name: 'a draft is sent',
    matches: (candidate) => onMessage('send')(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const { binding, keys, made } = await withDraft(candidate, world, 'Mail.Send')
      return prepared(candidate, world, binding, {
        keys,
        afterwards: async () => {
          const [copy] = await messagesIn(world, binding.owner, 'sentitems')
          return copy?.internetMessageId === made.internetMessageId ? [] : ['afterwards: it is not in Sent Items']
        },
      })
    },
  },
  {
    name: 'a draft to an address that is none is not sent',
    matches: refusedCall(onMessage('send'), 'ErrorInvalidRecipients', /Recipient '[^']+' is not resolved/),
    prepare: async (candidate, world) => {
      const draft = { ...plain, toRecipients: [{ emailAddress: { address: quoted(candidate) } }] }
      const { binding, keys } = await withDraft(candidate, world, 'Mail.Send', draft)
      return prepared(candidate, world, binding, { keys })
    },
  },
]
