/** Random changes of folders and messages, on the store and on a plain model of nested lists; both must agree after each. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFolder, deleteFolder, moveFolder, purgeFolder, updateFolder } from '../../src/mail/change-folders.js'
import { copyFolder } from '../../src/mail/copy-folder.js'
import { createMailbox } from '../../src/mail/create-mailbox.js'
import { MailError } from '../../src/mail/errors.js'
import { FolderTree } from '../../src/mail/folder-tree.js'
import type { FolderId } from '../../src/mail/ids.js'
import type { Mail } from '../../src/mail/mail.js'
import { folderId } from '../../src/mail/mail-folder.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import { setReadState } from '../../src/mail/read-state.js'
import { folderPlace, putMessage, requireSound } from './folder-fixture.js'

/** A folder as the model has it: its messages are only whether they are read. */
interface ModelFolder {
  name: string
  isOwn: boolean
  parent: ModelFolder | undefined
  folders: ModelFolder[]
  messages: boolean[]
}

/** What a change may be refused with; the model says which. */
type Refusal = 'folderExists' | 'folderInItself' | 'folderNotDeletable' | 'folderNotMovable'

const names = ['Red', 'red', 'Blue', 'Green', 'Inbox'] as const

/** A step of a story; folders are chosen by number among those that are there. */
type Step =
  | { readonly kind: 'create' | 'rename'; readonly folder: number; readonly name: string }
  | { readonly kind: 'move' | 'copy'; readonly folder: number; readonly into: number }
  | { readonly kind: 'delete' | 'purge'; readonly folder: number }
  | { readonly kind: 'put' | 'mark'; readonly folder: number; readonly isRead: boolean }

const folder = fc.nat({ max: 40 })
const name = fc.constantFrom(...names)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('create'), folder, name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rename'), folder, name }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('move', 'copy'), folder, into: folder }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('delete', 'purge'), folder }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('put', 'mark'), folder, isRead: fc.boolean() }) },
) as fc.Arbitrary<Step>

class Model {
  readonly root = plain('root', undefined)
  readonly inbox = plain('Inbox', this.root)
  readonly deletedItems = plain('Deleted Items', this.root)
  readonly recoverable: boolean[] = []

  all(from: ModelFolder = this.root): ModelFolder[] {
    return [from, ...from.folders.flatMap((child) => this.all(child))]
  }

  create(parent: ModelFolder, name: string): Refusal | undefined {
    if (taken(parent, name)) return 'folderExists'
    plain(name, parent).isOwn = true
    return undefined
  }

  rename(folder: ModelFolder, name: string): Refusal | undefined {
    if (name === folder.name) return undefined
    if (!folder.isOwn) return 'folderNotMovable'
    if (folder.parent !== undefined && taken(folder.parent, name, folder)) return 'folderExists'
    folder.name = name
    return undefined
  }

  move(folder: ModelFolder, into: ModelFolder): Refusal | undefined {
    if (!folder.isOwn) return 'folderNotMovable'
    if (folder.parent === into) return undefined
    if (this.all(folder).includes(into)) return 'folderInItself'
    if (taken(into, folder.name)) return 'folderExists'
    detach(folder)
    attach(folder, into)
    return undefined
  }

  copy(folder: ModelFolder, into: ModelFolder): Refusal | undefined {
    if (folder === this.root) return 'folderNotMovable'
    if (this.all(folder).includes(into)) return 'folderInItself'
    if (taken(into, folder.name)) return 'folderExists'
    attach(copyOf(folder), into)
    return undefined
  }

  delete(folder: ModelFolder): Refusal | undefined {
    if (!folder.isOwn) return 'folderNotDeletable'
    const isDeleted = this.all(this.deletedItems).includes(folder)
    detach(folder)
    if (isDeleted) {
      this.recoverable.push(...this.all(folder).flatMap(({ messages }) => messages))
      return undefined
    }
    const first = folder.name
    for (let number = 1; taken(this.deletedItems, folder.name); number++) folder.name = `${first} (${number})`
    attach(folder, this.deletedItems)
    return undefined
  }

  purge(folder: ModelFolder): Refusal | undefined {
    if (!folder.isOwn) return 'folderNotDeletable'
    detach(folder)
    return undefined
  }
}

function plain(name: string, parent: ModelFolder | undefined): ModelFolder {
  const made: ModelFolder = { name, isOwn: false, parent, folders: [], messages: [] }
  parent?.folders.push(made)
  return made
}

function taken(parent: ModelFolder, name: string, except?: ModelFolder): boolean {
  return parent.folders.some((folder) => folder !== except && folder.name.toLowerCase() === name.toLowerCase())
}

function detach(folder: ModelFolder): void {
  folder.parent?.folders.splice(folder.parent.folders.indexOf(folder), 1)
}

function attach(folder: ModelFolder, into: ModelFolder): void {
  folder.parent = into
  into.folders.push(folder)
}

function copyOf({ name, folders, messages }: ModelFolder): ModelFolder {
  const copy: ModelFolder = { name, isOwn: true, parent: undefined, folders: [], messages: [...messages] }
  for (const child of folders) attach(copyOf(child), copy)
  return copy
}

/** What is compared: names, nesting, how many messages and how many of them unread. */
interface Shape {
  readonly name: string
  readonly total: number
  readonly unread: number
  readonly folders: readonly Shape[]
}

function shapeOfModel({ name, folders, messages }: ModelFolder): Shape {
  return {
    name,
    total: messages.length,
    unread: messages.filter((isRead) => !isRead).length,
    folders: inOrder(folders.map(shapeOfModel)),
  }
}

function shapeOfStore(tree: FolderTree, id: FolderId): Shape {
  const { displayName, totalItemCount, unreadItemCount } = tree.get(id)
  return {
    name: displayName,
    total: totalItemCount,
    unread: unreadItemCount,
    folders: inOrder(tree.children(id, true).map((child) => shapeOfStore(tree, child.id))),
  }
}

function inOrder(shapes: readonly Shape[]): Shape[] {
  return shapes.toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

/** The model and the store, side by side. */
class Story {
  readonly #mail: Mail
  readonly #mailbox: Mailbox
  readonly #model = new Model()

  constructor(mail: Mail, mailbox: Mailbox) {
    this.#mail = mail
    this.#mailbox = mailbox
  }

  async take(step: Step): Promise<void> {
    const folders = this.#model.all()
    const chosen = folders[step.folder % folders.length] ?? this.#model.root
    const other = 'into' in step ? (folders[step.into % folders.length] ?? this.#model.root) : this.#model.root
    const [ids, into] = [await this.#idOf(chosen), await this.#idOf(other)]
    const expected = this.#onModel(step, chosen, other)
    const refused = await this.#onStore(step, ids, into, chosen)
    assert.equal(refused, expected, `${step.kind} ${chosen.name}`)
    await this.#agree()
  }

  #onModel(step: Step, chosen: ModelFolder, other: ModelFolder): Refusal | undefined {
    switch (step.kind) {
      case 'create':
        return this.#model.create(chosen, step.name)
      case 'rename':
        return this.#model.rename(chosen, step.name)
      case 'move':
        return this.#model.move(chosen, other)
      case 'copy':
        return this.#model.copy(chosen, other)
      case 'delete':
        return this.#model.delete(chosen)
      case 'purge':
        return this.#model.purge(chosen)
      case 'put':
        if (chosen !== this.#model.root) chosen.messages.push(step.isRead)
        return undefined
      case 'mark':
        chosen.messages.fill(step.isRead)
        return undefined
    }
  }

  async #onStore(step: Step, id: FolderId, into: FolderId, chosen: ModelFolder): Promise<string | undefined> {
    const [mail, box] = [this.#mail, this.#mailbox.id]
    try {
      switch (step.kind) {
        case 'create':
          await createFolder(mail, box, id, { displayName: step.name, isHidden: false, details: {} })
          break
        case 'rename':
          await updateFolder(mail, box, id, () => ({ displayName: step.name }))
          break
        case 'move':
          await moveFolder(mail, box, id, into)
          break
        case 'copy':
          await copyFolder(mail, box, id, into)
          break
        case 'delete':
          await deleteFolder(mail, box, id)
          break
        case 'purge':
          await purgeFolder(mail, box, id)
          break
        case 'put':
          if (chosen !== this.#model.root) await putMessage(mail, this.#mailbox, id, step.isRead)
          break
        case 'mark':
          await setReadState(mail, box, id, step.isRead)
          break
      }
      return undefined
    } catch (error) {
      if (error instanceof MailError) return error.code
      throw error
    }
  }

  /** The folder of the store that stands where one of the model does: by the names on the way. */
  async #idOf(folder: ModelFolder): Promise<FolderId> {
    if (folder === this.#model.root) return folderId('msgfolderroot')
    if (folder === this.#model.inbox) return folderId('inbox')
    if (folder === this.#model.deletedItems) return folderId('deleteditems')
    const parent = await this.#idOf(folder.parent ?? this.#model.root)
    const found = (await this.#tree()).children(parent, true).find(({ displayName }) => displayName === folder.name)
    return found?.id ?? assert.fail(`${folder.name} is not in the store`)
  }

  async #tree(): Promise<FolderTree> {
    return new FolderTree(await this.#mail.store.folders.list(this.#mailbox.id))
  }

  async #agree(): Promise<void> {
    const tree = await this.#tree()
    const ofStore = shapeOfStore(tree, folderId('msgfolderroot'))
    const others = new Set([
      'Archive',
      'Conversation History',
      'Drafts',
      'Junk Email',
      'Outbox',
      'Sent Items',
      'Sync Issues',
    ])
    const { folders, total, unread } = shapeOfModel(this.#model.root)
    const seen = {
      total: ofStore.total,
      unread: ofStore.unread,
      folders: ofStore.folders.filter(({ name }) => !others.has(name)),
    }
    assert.deepEqual(seen, { total, unread, folders })
    const recoverable = tree.get(folderId('recoverableitemsdeletions'))
    assert.equal(recoverable.totalItemCount, this.#model.recoverable.length)
    assert.equal(recoverable.unreadItemCount, this.#model.recoverable.filter((isRead) => !isRead).length)
  }
}

test('folders of the store are those of a plain model, whatever is done to them', async (t) => {
  const { mail, mailbox } = await folderPlace(t)
  let number = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 50, size: 'max' }), async (steps) => {
      // A mailbox for each story, so that a failing one can be shortened.
      const userPrincipalName = `story${number++}@contoso.com`
      const own = await createMailbox(mail, { tenant: mailbox.tenant, userPrincipalName, displayName: 'Story' })
      const story = new Story(mail, own)
      for (const each of steps) await story.take(each)
      await requireSound(mail, own)
    }),
    { numRuns: 40 },
  )
})
