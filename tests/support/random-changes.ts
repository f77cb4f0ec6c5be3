import { patch } from './patch.js'
import type { Answer, Client } from './start-server.js'

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

/** A message, a folder, or what is said of one that left. */
export interface Item {
  readonly id: string
  readonly '@removed'?: object
  readonly [property: string]: unknown
}

export interface Folder extends Item {
  readonly displayName: string
}

/** Every folder of the mailbox, of every level. */
export async function foldersOf(client: Client): Promise<Folder[]> {
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

/** Every message of a folder. */
export async function messagesOf(
  client: Client,
  folder: Folder,
  headers: Record<string, string> = {},
): Promise<Item[]> {
  const found: Item[] = []
  let path: string | undefined = `/me/mailFolders/${folder.id}/messages?$top=1000`
  while (path !== undefined) {
    const { json }: { json: { value: Item[]; '@odata.nextLink'?: string } } = await client.get(path, headers)
    found.push(...json.value)
    const next: string | undefined = json['@odata.nextLink']
    path = next?.slice(next.indexOf('/v1.0'))
  }
  return found
}

/** Folders a test makes at most, or about: each is one more to be followed. */
const enoughFolders = 12

/** Does random things to a mailbox; what is refused, because it has come too late for its object, is no matter. */
export class RandomChanges {
  readonly #random: () => number
  readonly #own: string
  #made = 0
  #folders: Folder[] = []

  /** @param own an address of the mailbox */
  constructor(random: () => number, own: string) {
    this.#random = random
    this.#own = own
  }

  #pick<Choice>(choices: readonly Choice[]): Choice | undefined {
    return choices[Math.floor(this.#random() * choices.length)]
  }

  /** Tries one; answers whether it was made. */
  async one(client: Client): Promise<boolean> {
    // Looked up now and then: a folder that is gone is one more thing to be refused.
    if (this.#folders.length === 0 || this.#random() < 0.1) this.#folders = await foldersOf(client)
    const folders = this.#folders
    const own = folders.filter(({ displayName }) => displayName.startsWith('own'))
    const folder = this.#pick(folders)
    const other = this.#pick(folders)
    if (folder === undefined || other === undefined) return false
    const { json } = await client.get(`/me/mailFolders/${folder.id}/messages?$top=20&$select=isRead`)
    const message = this.#pick((json?.value ?? []) as Item[])
    const choice = this.#random()
    if (choice < 0.08 && own.length < enoughFolders) return this.#makeFolder(client, folder)
    const ownFolder = this.#pick(own)
    if (ownFolder !== undefined && choice < 0.2) return this.#changeFolder(client, ownFolder, other, own.length)
    if (choice < 0.35) return isMade(await client.post(`/me/mailFolders/${folder.id}/messages`, this.#draft()))
    if (choice < 0.45) return isMade(await client.post('/me/sendMail', { message: this.#draft() }))
    return message !== undefined && this.#changeMessage(client, message, other)
  }

  /** Some are sent to the mailbox itself: they come into the Inbox later, by delivery. */
  #draft(): object {
    const address = this.#random() < 0.5 ? 'nobody@example.com' : this.#own
    const toRecipients = [{ emailAddress: { address } }]
    return { subject: `message ${this.#made++}`, toRecipients }
  }

  async #makeFolder(client: Client, parent: Item): Promise<boolean> {
    const displayName = `own ${this.#made++}`
    return isMade(await client.post(`/me/mailFolders/${parent.id}/childFolders`, { displayName }))
  }

  async #changeFolder(client: Client, folder: Item, other: Item, count: number): Promise<boolean> {
    const path = `/me/mailFolders/${folder.id}`
    // A copy doubles what is below: with many about, some are deleted first.
    const choice = count < enoughFolders ? this.#random() : 0.7 + this.#random() * 0.3
    if (choice < 0.3) return isMade(await patch(client, path, { displayName: `own ${this.#made++}` }))
    if (choice < 0.55) return isMade(await client.post(`${path}/move`, { destinationId: other.id }))
    if (choice < 0.7) return isMade(await client.post(`${path}/copy`, { destinationId: other.id }))
    if (choice < 0.9) return isMade(await client.call('DELETE', path))
    return isMade(await client.call('POST', `${path}/permanentDelete`, { body: '' }))
  }

  async #changeMessage(client: Client, message: Item, other: Item): Promise<boolean> {
    const path = `/me/messages/${message.id}`
    const choice = this.#random()
    if (choice < 0.3) return isMade(await patch(client, path, { isRead: message.isRead !== true }))
    if (choice < 0.4) return isMade(await patch(client, path, { categories: [`c${this.#made++}`] }))
    if (choice < 0.65) return isMade(await client.post(`${path}/move`, { destinationId: other.id }))
    if (choice < 0.75) return isMade(await client.post(`${path}/copy`, { destinationId: other.id }))
    if (choice < 0.85) return isMade(await client.call('DELETE', path))
    if (choice < 0.9) return isMade(await client.call('POST', `${path}/permanentDelete`, { body: '' }))
    if (choice < 0.95) return isMade(await client.post(`${path}/reply`, { comment: 'thanks' }))
    return isMade(await client.call('POST', `${path}/send`, { body: '' }))
  }
}

function isMade({ status }: Answer): boolean {
  return status < 300
}
