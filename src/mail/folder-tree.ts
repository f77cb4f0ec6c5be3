import { MailError } from './errors.js'
import { compareNames } from './folder-names.js'
import type { FolderId } from './ids.js'
import { folderId, type MailFolder } from './mail-folder.js'

/** Names that siblings cannot both have: the same but for case, or for how letters are composed. */
function nameKey(displayName: string): string {
  return displayName.normalize('NFC').toLowerCase()
}

/** All folders of a mailbox, as one read found them. */
export class FolderTree {
  readonly #byId: ReadonlyMap<FolderId, MailFolder>
  readonly #children = new Map<FolderId, MailFolder[]>()

  constructor(folders: readonly MailFolder[]) {
    this.#byId = new Map(folders.map((folder) => [folder.id, folder]))
    for (const folder of folders) {
      if (folder.parent === undefined) continue
      const siblings = this.#children.get(folder.parent)
      if (siblings === undefined) this.#children.set(folder.parent, [folder])
      else siblings.push(folder)
    }
  }

  all(): MailFolder[] {
    return [...this.#byId.values()]
  }

  has(id: FolderId): boolean {
    return this.#byId.has(id)
  }

  /** @throws MailError folderNotFound */
  get(id: FolderId): MailFolder {
    const folder = this.#byId.get(id)
    if (folder !== undefined) return folder
    throw new MailError('folderNotFound', 'The mailbox has no such folder.')
  }

  get root(): MailFolder {
    return this.get(folderId('msgfolderroot'))
  }

  /** Immediate children, hidden ones too: what `childFolderCount` counts (recorded). */
  childCount(id: FolderId): number {
    return this.#children.get(id)?.length ?? 0
  }

  /** Ordered by name without case, ties by id. */
  children(id: FolderId, includeHidden: boolean): MailFolder[] {
    const all = this.#children.get(id) ?? []
    const listed = includeHidden ? [...all] : all.filter(({ isHidden }) => !isHidden)
    return listed.sort((one, other) => compareNames(one.displayName, other.displayName) || one.id - other.id)
  }

  /** The folder and everything below it, each after its parent. */
  within(id: FolderId): MailFolder[] {
    const found: MailFolder[] = [this.get(id)]
    // Grows while it is walked.
    for (const folder of found) found.push(...(this.#children.get(folder.id) ?? []))
    return found
  }

  /** Whether a folder is the other, or somewhere below it. */
  isWithin(id: FolderId, ancestor: FolderId): boolean {
    for (let current: FolderId | undefined = id; current !== undefined; current = this.#byId.get(current)?.parent) {
      if (current === ancestor) return true
    }
    return false
  }

  /** Whether a child of `parent` other than `except` has the name. */
  hasChildNamed(parent: FolderId, displayName: string, except?: FolderId): boolean {
    const key = nameKey(displayName)
    const siblings = this.#children.get(parent) ?? []
    return siblings.some((folder) => folder.id !== except && nameKey(folder.displayName) === key)
  }

  /** The name, or with a number after it the first one that no child of `parent` has. */
  freeName(parent: FolderId, displayName: string): string {
    let name = displayName
    for (let number = 1; this.hasChildNamed(parent, name); number++) name = `${displayName} (${number})`
    return name
  }
}
