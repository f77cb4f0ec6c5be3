import assert from 'node:assert/strict'
import type { Client } from './start-server.js'

/** A server that a test can stop and start again on the same store; its address may be another one then. */
export interface Restartable {
  /** Waits while the server is not up. */
  client(): Promise<Client>
  restart(): Promise<void>
}

/** Numbers below 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Item {
  readonly id: string
  readonly '@removed'?: object
  readonly [property: string]: unknown
}

interface Folder extends Item {
  readonly displayName: string
}

/** What a client that follows delta links knows of one collection. */
class Copy {
  readonly items = new Map<string, Item>()
  /** Where the next call goes: a path without the version; undefined: the last deltaLink was given up. */
  next: string
  readonly #start: string

  constructor(start: string) {
    this.#start = start
    this.next = start
  }

  /** Follows one page. Answers whether the round is through. */
  async page(client: Client, headers: Record<string, string>): Promise<boolean> {
    const { status, json, text } = await client.get(this.next, headers)
    assert.equal(status, 200, text)
    for (const item of json.value as Item[]) {
      if (item['@removed'] === undefined) this.items.set(item.id, item)
      else this.items.delete(item.id)
    }
    const link: string = json['@odata.nextLink'] ?? json['@odata.deltaLink']
    assert.equal('@odata.nextLink' in json, !('@odata.deltaLink' in json))
    this.next = link.slice(link.indexOf('/v1.0') + '/v1.0'.length)
    return '@odata.deltaLink' in json
  }

  /** As a client that lost all it had. */
  beginAnew(): void {
    this.items.clear()
    this.next = this.#start
  }
}

/** A client that keeps a copy of a mailbox by delta queries alone. */
export class DeltaFollower {
  readonly #folders = new Copy('/me/mailFolders/delta')
  readonly #messages = new Map<string, Copy>()
  readonly #random: () => number
  readonly #immutable: boolean

  constructor(random: () => number, immutable: boolean) {
    this.#random = random
    this.#immutable = immutable
  }

  #headers(): Record<string, string> {
    const size = 1 + Math.floor(this.#random() * 20)
    return { Prefer: `odata.maxpagesize=${size}${this.#immutable ? ', IdType="ImmutableId"' : ''}` }
  }

  /** Some pages of something; now and then a link that was kept is all that is left, and once in a while nothing. */
  async step(client: Client): Promise<void> {
    const copies = [this.#folders, ...this.#messages.values()]
    const copy = copies[Math.floor(this.#random() * copies.length)] ?? this.#folders
    if (this.#random() < 0.01) copy.beginAnew()
    const isThrough = await this.#page(client, copy)
    if (isThrough && copy === this.#folders) this.#meetFolders()
  }

  /** Follows every link to its end. */
  async catchUp(client: Client): Promise<void> {
    while (!(await this.#page(client, this.#folders))) {}
    this.#meetFolders()
    for (const copy of this.#messages.values()) while (!(await this.#page(client, copy))) {}
  }

  async #page(client: Client, copy: Copy): Promise<boolean> {
    try {
      return await copy.page(client, this.#headers())
    } catch (error) {
      // The folder was deleted after it was last heard of: the next round of the folders says so.
      if (!(error instanceof assert.AssertionError) || !error.message.includes('ErrorSyncFolderNotFound')) throw error
      return true
    }
  }

  #meetFolders(): void {
    for (const id of this.#folders.items.keys()) {
      if (!this.#messages.has(id)) this.#messages.set(id, new Copy(`/me/mailFolders/${id}/messages/delta`))
    }
    for (const id of this.#messages.keys()) if (!this.#folders.items.has(id)) this.#messages.delete(id)
  }

  /** The copy is the mailbox: every folder with its counts, in each every message as it stands. */
  async assertSame(client: Client): Promise<void> {
    const headers = this.#immutable ? { Prefer: 'IdType="ImmutableId"' } : {}
    const folders = await foldersOf(client)
    assert.deepEqual(byId(this.#folders.items.values()), byId(folders))
    for (const { id, displayName } of folders) {
      const { json } = await client.get(`/me/mailFolders/${id}/messages?$top=1000`, headers)
      assert.ok(json.value.length < 1000)
      const copied = this.#messages.get(id)?.items.values() ?? []
      assert.deepEqual(byId(copied), byId(json.value), `messages of ${displayName}`)
    }
  }
}

/** Without what only a delta says; ordered, so that they can be compared. */
function byId(items: Iterable<Item>): object[] {
  return [...items].map(({ '@odata.type': _, ...item }) => item).sort((a, b) => (a.id < b.id ? -1 : 1))
}

async function foldersOf(client: Client): Promise<Folder[]> {
  const found: Folder[] = []
  const under = async (path: string) => {
    const { json } = await client.get(`${path}?$top=1000`)
    for (const folder of json.value) {
      found.push(folder)
      if (folder.childFolderCount > 0) await under(`/me/mailFolders/${folder.id}/childFolders`)
    }
  }
  await under('/me/mailFolders')
  return found
}

/** Folders a test makes at most, or about: each is one more to be followed. */
const enoughFolders = 12

/** Does random things to a mailbox; what is refused, because it has come too late for its object, is no matter. */
export class RandomChanges {
  readonly #random: () => number
  #made = 0
  #folders: Folder[] = []

  constructor(random: () => number) {
    this.#random = random
  }

  #pick<Choice>(choices: readonly Choice[]): Choice | undefined {
    return choices[Math.floor(this.#random() * choices.length)]
  }

  async one(client: Client): Promise<void> {
    // Looked up now and then: a folder that is gone is one more thing to be refused.
    if (this.#folders.length === 0 || this.#random() < 0.1) this.#folders = await foldersOf(client)
    const folders = this.#folders
    const own = folders.filter(({ displayName }) => displayName.startsWith('own'))
    const folder = this.#pick(folders)
    const other = this.#pick(folders)
    if (folder === undefined || other === undefined) return
    const { json } = await client.get(`/me/mailFolders/${folder.id}/messages?$top=20&$select=isRead`)
    const message = this.#pick((json?.value ?? []) as Item[])
    const choice = this.#random()
    if (choice < 0.08 && own.length < enoughFolders) return void (await this.#makeFolder(client, folder))
    const ownFolder = this.#pick(own)
    if (ownFolder !== undefined && choice < 0.2) return this.#changeFolder(client, ownFolder, other, own.length)
    if (choice < 0.35) return void (await client.post(`/me/mailFolders/${folder.id}/messages`, this.#draft()))
    if (choice < 0.45) return void (await client.post('/me/sendMail', { message: this.#draft() }))
    if (message !== undefined) await this.#changeMessage(client, message, other)
  }

  #draft(): object {
    const toRecipients = [{ emailAddress: { address: 'nobody@example.com' } }]
    return { subject: `message ${this.#made++}`, toRecipients }
  }

  async #makeFolder(client: Client, parent: Item): Promise<void> {
    await client.post(`/me/mailFolders/${parent.id}/childFolders`, { displayName: `own ${this.#made++}` })
  }

  async #changeFolder(client: Client, folder: Item, other: Item, count: number): Promise<void> {
    const path = `/me/mailFolders/${folder.id}`
    // A copy doubles what is below: with many about, some are deleted first.
    const choice = count < enoughFolders ? this.#random() : 0.7 + this.#random() * 0.3
    if (choice < 0.3) await patch(client, path, { displayName: `own ${this.#made++}` })
    else if (choice < 0.55) await client.post(`${path}/move`, { destinationId: other.id })
    else if (choice < 0.7) await client.post(`${path}/copy`, { destinationId: other.id })
    else if (choice < 0.9) await client.call('DELETE', path)
    else await client.call('POST', `${path}/permanentDelete`, { body: '' })
  }

  async #changeMessage(client: Client, message: Item, other: Item): Promise<void> {
    const path = `/me/messages/${message.id}`
    const choice = this.#random()
    if (choice < 0.3) await patch(client, path, { isRead: message.isRead !== true })
    else if (choice < 0.4) await patch(client, path, { categories: [`c${this.#made++}`] })
    else if (choice < 0.65) await client.post(`${path}/move`, { destinationId: other.id })
    else if (choice < 0.75) await client.post(`${path}/copy`, { destinationId: other.id })
    else if (choice < 0.85) await client.call('DELETE', path)
    else if (choice < 0.9) await client.call('POST', `${path}/permanentDelete`, { body: '' })
    else if (choice < 0.95) await client.post(`${path}/reply`, { comment: 'thanks' })
    else await client.call('POST', `${path}/send`, { body: '' })
  }
}

function patch(client: Client, path: string, body: object) {
  return client.call('PATCH', path, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** Changes a mailbox at random while a follower reads along, both through restarts; then the two must be the same. */
export async function followThrough(
  server: Restartable,
  { changes, restarts, seed, immutable }: { changes: number; restarts: number; seed: number; immutable: boolean },
): Promise<void> {
  const follower = new DeltaFollower(seeded(seed), immutable)
  const writer = new RandomChanges(seeded(seed + 1))
  let begun = 0
  // Several at once, so that what is committed later can have begun earlier.
  const writers = Array.from({ length: 3 }, async () => {
    while (begun < changes) {
      begun++
      await reachable(server, (client) => writer.one(client))
    }
  })
  const reader = async () => {
    while (begun < changes) await reachable(server, (client) => follower.step(client))
  }
  const restarter = async () => {
    for (let restarted = 1; restarted <= restarts; restarted++) {
      while (begun < (changes * restarted) / (restarts + 1)) await new Promise((resolve) => setTimeout(resolve, 1))
      await server.restart()
    }
  }
  await Promise.all([...writers, reader(), restarter()])
  const client = await server.client()
  // The end of the round it is in, which shows nothing younger than its beginning; then one more.
  await follower.catchUp(client)
  await follower.catchUp(client)
  await follower.assertSame(client)
}

/** What a server does not live to answer is given up: a link is followed again later. */
async function reachable(server: Restartable, call: (client: Client) => Promise<void>): Promise<void> {
  try {
    await call(await server.client())
  } catch (error) {
    // What `fetch` throws when the connection ends.
    if (!(error instanceof TypeError)) throw error
  }
}
