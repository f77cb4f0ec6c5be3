import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { type Folder, foldersOf, type Item, messagesOf, RandomChanges, seeded } from './random-changes.js'
import type { Client } from './start-server.js'

/** A server that a test can stop and start again on the same store; its address may be another one then. */
export interface Restartable {
  /** Of the mailbox whose client it is. */
  readonly address: string
  /** Waits while the server is not up. */
  client(): Promise<Client>
  restart(): Promise<void>
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
  /** Pages asked for so far. */
  pages = 0

  constructor(random: () => number, immutable: boolean) {
    this.#random = random
    this.#immutable = immutable
  }

  #headers(): Record<string, string> {
    const size = 1 + Math.floor(this.#random() * 20)
    return { Prefer: `odata.maxpagesize=${size}${this.#immutable ? ', IdType="ImmutableId"' : ''}` }
  }

  /** Some pages of something; now and then a link that was kept is all that is left, and once in a while nothing. */
  async step(client: Client): Promise<boolean> {
    const copies = [this.#folders, ...this.#messages.values()]
    const copy = copies[Math.floor(this.#random() * copies.length)] ?? this.#folders
    if (this.#random() < 0.01) copy.beginAnew()
    const isThrough = await this.#page(client, copy)
    if (isThrough && copy === this.#folders) this.#meetFolders()
    return isThrough
  }

  async #catchUp(client: Client): Promise<void> {
    while (!(await this.#page(client, this.#folders))) {}
    this.#meetFolders()
    for (const copy of this.#messages.values()) while (!(await this.#page(client, copy))) {}
  }

  async #page(client: Client, copy: Copy): Promise<boolean> {
    try {
      this.pages++
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

  /**
   * Follows every link to its end; then the copy is the mailbox: every folder with its counts, in each every message as
   * it stands. Mail may still be on its way: a mailbox that changed meanwhile is followed again.
   */
  async endSame(client: Client): Promise<{ folders: number; messages: number }> {
    let before = await this.#mailbox(client)
    for (;;) {
      // The end of the round it is in, which shows nothing younger than its beginning; then one more.
      await this.#catchUp(client)
      await this.#catchUp(client)
      const after = await this.#mailbox(client)
      if (isDeepStrictEqual(before, after)) break
      before = after
    }
    assert.deepEqual(byId(this.#folders.items.values()), byId(before.map(({ folder }) => folder)))
    let count = 0
    for (const { folder, messages } of before) {
      const copied = this.#messages.get(folder.id)?.items.values() ?? []
      assert.deepEqual(byId(copied), byId(messages), `messages of ${folder.displayName}`)
      count += messages.length
    }
    return { folders: before.length, messages: count }
  }

  async #mailbox(client: Client): Promise<{ folder: Folder; messages: Item[] }[]> {
    const headers: Record<string, string> = this.#immutable ? { Prefer: 'IdType="ImmutableId"' } : {}
    const found: { folder: Folder; messages: Item[] }[] = []
    for (const folder of await foldersOf(client)) {
      found.push({ folder, messages: await messagesOf(client, folder, headers) })
    }
    return found
  }
}

/** Without what only a delta says; ordered, so that they can be compared. */
function byId(items: Iterable<Item>): object[] {
  return [...items].map(({ '@odata.type': _, ...item }) => item).sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** What was done, and what the follower ended with. */
export interface Figures {
  /** Changes that the server said it had made. */
  changes: number
  restarts: number
  /** Calls that ended without an answer, because the server did. */
  unanswered: number
  /** Pages that the follower read. */
  pages: number
  /** Equal in copy and mailbox. */
  folders: number
  messages: number
}

/** In one line, for the report of a test. */
export function figuresText({ changes, restarts, unanswered, pages, folders, messages }: Figures): string {
  return `${changes} changes, ${restarts} restarts that left ${unanswered} calls unanswered, ${pages} pages followed: ${messages} messages in ${folders} folders are the same`
}

/** Changes a mailbox at random while a follower reads along, both through restarts; then the two must be the same. */
export async function followThrough(
  server: Restartable,
  { changes, restarts, seed, immutable }: { changes: number; restarts: number; seed: number; immutable: boolean },
): Promise<Figures> {
  const follower = new DeltaFollower(seeded(seed), immutable)
  const writer = new RandomChanges(seeded(seed + 1), server.address)
  let made = 0
  let unanswered = 0
  const count = (change: boolean | undefined) => {
    if (change === undefined) unanswered++
    else if (change) made++
  }
  // Several at once, so that what is committed later can have begun earlier.
  const writers = Array.from({ length: 3 }, async () => {
    while (made < changes) count(await answered(server, (client) => writer.one(client)))
  })
  const reader = async () => {
    while (made < changes) {
      const through = await answered(server, (client) => follower.step(client))
      if (through === undefined) unanswered++
    }
  }
  const restarter = async () => {
    for (let restarted = 1; restarted <= restarts; restarted++) {
      while (made < (changes * restarted) / (restarts + 1)) await new Promise((resolve) => setTimeout(resolve, 1))
      await server.restart()
    }
  }
  await Promise.all([...writers, reader(), restarter()])
  const client = await server.client()
  const { folders, messages } = await follower.endSame(client)
  return { changes: made, restarts, unanswered, pages: follower.pages, folders, messages }
}

/** What a server does not live to answer is given up (undefined): a link is followed again later. */
async function answered<Result>(
  server: Restartable,
  call: (client: Client) => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await call(await server.client())
  } catch (error) {
    // What `fetch` throws when the connection ends.
    if (!(error instanceof TypeError)) throw error
    return undefined
  }
}
