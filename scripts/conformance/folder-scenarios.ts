/** Mail folders and search folders: read, listed, made, changed, moved, copied and deleted. */
import { bindMailbox, isMe, prepared } from './binding.js'
import { idOf } from './delivery.js'
import { isCall, makeDraft } from './draft-scenarios.js'
import { jsonOf } from './http-call.js'
import { isArray, isObject, type Json, type JsonObject, textMember } from './json.js'
import { keysOf } from './request-path.js'
import type { Candidate, Scenario } from './scenario.js'
import type { MailboxOwner, World } from './world.js'

const folders = String.raw`^\{mailbox\}\/mailfolders`
const folder = String.raw`${folders}\/\{folder\}`
const list = String.raw`(${folders}|${folder}\/childfolders)`

const searchType = 'microsoft.graph.mailSearchFolder'

/** Makes a folder in the mailbox. @throws Error when it is refused */
async function makeFolder(
  world: World,
  owner: MailboxOwner,
  displayName: string,
  { parent = 'msgfolderroot', ...more }: JsonObject & { parent?: string } = {},
): Promise<string> {
  const token = await world.token({ user: undefined, permissions: ['Mail.ReadWrite'], lifetimeSeconds: 3600 })
  const answer = await world.call({
    method: 'POST',
    path: `/v1.0/users/${owner.objectId}/mailFolders/${parent}/childFolders`,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ displayName, ...more }),
  })
  const made = jsonOf(answer)
  if (answer.status !== 201 || !isObject(made)) throw new Error(`the folder needed was refused: ${answer.body}`)
  return idOf(made)
}

function makeSearch(world: World, owner: MailboxOwner, displayName: string, parent: string): Promise<string> {
  return makeFolder(world, owner, displayName, {
    parent,
    '@odata.type': searchType,
    includeNestedFolders: true,
    sourceFolderIds: ['inbox'],
    filterQuery: "contains(subject,'Conformance')",
  })
}

function shownBody({ exchange }: Candidate): Json | undefined {
  return exchange.response?.body
}

/** What the exchange shows is a search folder, or it makes one. */
function isOfSearch({ exchange }: Candidate): boolean {
  return [exchange.request.body, exchange.response?.body].some((body) =>
    (textMember(body, '@odata.type') ?? '').endsWith('mailSearchFolder'),
  )
}

function succeeds({ exchange }: Candidate): boolean {
  return exchange.response === undefined || exchange.response.status < 300
}

/** A folder that the path leaves to the reader is one of ours; a well-known one is itself. */
async function folderKeys(
  candidate: Candidate,
  world: World,
  owner: MailboxOwner,
  more: { name?: string; search?: boolean } = {},
): Promise<string[]> {
  const own = isMe(candidate.path) ? keysOf(candidate.path) : keysOf(candidate.path).slice(1)
  const [key] = own
  if (key === undefined) return []
  if (/^(?!AAMk|AQMk)[a-z]+$/i.test(key)) return [key]
  const { name = 'Conformance', search = false } = more
  return [await (search ? makeSearch(world, owner, name, 'msgfolderroot') : makeFolder(world, owner, name))]
}

/** Folders like those of the list shown, so that it is as full. */
async function fill(candidate: Candidate, world: World, owner: MailboxOwner, parent: string): Promise<void> {
  const body = shownBody(candidate)
  const items = isObject(body) && isArray(body.value) ? body.value.filter(isObject) : []
  const wanted = /displayName eq '([^']+)'/.exec(decodeURIComponent(candidate.path.query))?.[1]
  const there = parent === 'msgfolderroot' ? 8 : 0
  for (const [index, item] of items.slice(there).entries()) {
    if ((textMember(item, '@odata.type') ?? '').endsWith('mailSearchFolder')) {
      await makeSearch(world, owner, `Search ${index}`, parent)
    } else {
      const isHidden = item.isHidden === true
      await makeFolder(world, owner, index === 0 && wanted !== undefined ? wanted : `Own ${index}`, {
        parent,
        isHidden,
      })
    }
  }
}

/** The request with what it leaves to the reader filled in. */
function filled({ exchange }: Candidate): string | undefined {
  const { body } = exchange.request
  if (!isObject(body)) return undefined
  const { destinationId, sourceFolderIds } = body
  return JSON.stringify({
    ...body,
    ...(destinationId === undefined ? {} : { destinationId: 'archive' }),
    ...(sourceFolderIds === undefined ? {} : { sourceFolderIds: ['inbox'] }),
  })
}

/** Members of the request that come back as they were sent. */
function comesBack({ exchange }: Candidate): string[] {
  const { body } = exchange.request
  const shown = exchange.response?.body
  if (!isObject(body) || !isObject(shown)) return []
  return ['displayName', 'isHidden', 'includeNestedFolders', 'filterQuery'].filter(
    (name) => name in body && body[name] === shown[name],
  )
}

/** Rows of folders. */
export const folderScenarios: readonly Scenario[] = [
  {
    name: 'folders are listed',
    matches: (candidate) => isCall('GET', list)(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.ReadBasic'])
      const keys = await folderKeys(candidate, world, binding.owner)
      await fill(candidate, world, binding.owner, keys[0] ?? 'msgfolderroot')
      return prepared(candidate, world, binding, { keys })
    },
  },
  {
    name: 'a folder is read',
    matches: (candidate) => isCall('GET', folder)(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.ReadBasic'])
      const body = shownBody(candidate)
      const name = textMember(body, 'displayName') ?? 'Conformance'
      const isInbox = name === 'Inbox'
      const keys = isInbox
        ? ['inbox']
        : await folderKeys(candidate, world, binding.owner, { name, search: isOfSearch(candidate) })
      return prepared(candidate, world, binding, { keys, controlled: ['displayName', 'isHidden'] })
    },
  },
  {
    name: 'a folder is made',
    matches: (candidate) => isCall('POST', list)(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.ReadWrite'])
      const keys = await folderKeys(candidate, world, binding.owner)
      const body = filled(candidate)
      return prepared(candidate, world, binding, {
        keys,
        ...(body === undefined ? {} : { body }),
        controlled: comesBack(candidate),
      })
    },
  },
  {
    name: 'a folder is changed',
    matches: (candidate) => isCall('PATCH', folder)(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.ReadWrite'])
      const keys = await folderKeys(candidate, world, binding.owner, { search: isOfSearch(candidate) })
      return prepared(candidate, world, binding, { keys, controlled: comesBack(candidate) })
    },
  },
  {
    name: 'a folder is moved or copied',
    matches: (candidate) => isCall('POST', String.raw`${folder}\/(move|copy)`)(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.ReadWrite'])
      const keys = await folderKeys(candidate, world, binding.owner)
      await makeDraft(world, binding.owner, { subject: 'Conformance' }, keys[0])
      const body = filled(candidate)
      return prepared(candidate, world, binding, { keys, ...(body === undefined ? {} : { body }) })
    },
  },
  {
    name: 'a folder is deleted',
    matches: (candidate) =>
      (isCall('DELETE', folder)(candidate) || isCall('POST', String.raw`${folder}\/permanentdelete`)(candidate)) &&
      succeeds(candidate),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.ReadWrite'])
      const keys = await folderKeys(candidate, world, binding.owner)
      return prepared(candidate, world, binding, { keys, status: 204 })
    },
  },
]
