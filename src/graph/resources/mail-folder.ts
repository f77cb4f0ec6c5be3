import { compareNames } from '../../mail/folder-names.js'
import type { FolderTree } from '../../mail/folder-tree.js'
import { type MailFolder, outsideTree } from '../../mail/mail-folder.js'
import type { Mailbox } from '../../mail/mailbox.js'
import type { OrderByItem } from '../../odata/query.js'
import { badRequest, GraphError } from '../errors.js'
import { presentFolderId } from '../item-id.js'
import type { ApiVersion } from '../path.js'
import { quotable } from './values.js'

/** What a folder is shown with. */
export interface FolderSurroundings {
  readonly mailbox: Mailbox
  readonly tree: FolderTree
}

type Scalar = string | number | boolean | null

/** One property of the mailFolder resource. */
interface FolderProperty {
  /** What is answered; undefined leaves the property out. */
  readonly present: (folder: MailFolder, surroundings: FolderSurroundings) => Scalar | readonly string[] | undefined
  readonly since?: 'beta'
  /** Lists can be ordered by it. */
  readonly ordered?: true
}

/**
 * The mailFolder resource in the recorded order, `sizeInBytes` among it although no published model has it; then what
 * search folders alone have.
 */
const folderProperties: Readonly<Record<string, FolderProperty>> = {
  displayName: { present: ({ displayName }) => displayName, ordered: true },
  parentFolderId: { present: ({ parent = outsideTree }, { mailbox }) => presentFolderId(mailbox, parent) },
  childFolderCount: { present: ({ id }, { tree }) => tree.childCount(id), ordered: true },
  unreadItemCount: { present: ({ unreadItemCount }) => unreadItemCount, ordered: true },
  totalItemCount: { present: ({ totalItemCount }) => totalItemCount, ordered: true },
  sizeInBytes: { present: ({ sizeBytes }) => sizeBytes, ordered: true },
  wellKnownName: { present: ({ wellKnownName }) => wellKnownName ?? null, since: 'beta' },
  isHidden: { present: ({ isHidden }) => isHidden, ordered: true },
  isSupported: { present: ({ search }) => (search === undefined ? undefined : true) },
  includeNestedFolders: { present: ({ search }) => search?.includeNestedFolders },
  sourceFolderIds: {
    present: ({ search }, { mailbox }) => search?.sources.map((source) => presentFolderId(mailbox, source)),
  },
  filterQuery: { present: ({ search }) => search?.filterQuery },
}

const propertyNames = new Map(Object.keys(folderProperties).map((name) => [name.toLowerCase(), name]))

/** May be selected too, but come only with `$expand`; `id` comes always. */
const withoutEffect: ReadonlySet<string> = new Set([
  'id',
  'childfolders',
  'messages',
  'messagerules',
  'singlevalueextendedproperties',
  'multivalueextendedproperties',
])

/** The properties an answer shows, in the resource's order. */
export type FolderSelection = readonly (readonly [name: string, property: FolderProperty])[]

function selectionOf(isSelected: (name: string) => boolean, version: ApiVersion): FolderSelection {
  return Object.entries(folderProperties).filter(
    ([name, { since }]) => isSelected(name) && (since !== 'beta' || version === 'beta'),
  )
}

const everything = { 'v1.0': selectionOf(() => true, 'v1.0'), beta: selectionOf(() => true, 'beta') }

/**
 * What `$select` names, in any case.
 *
 * @throws GraphError RequestBroker--ParseUri for a name that folders do not have in this version
 */
export function selectFolderProperties(names: readonly string[] | undefined, version: ApiVersion): FolderSelection {
  if (names === undefined || names.includes('*')) return everything[version]
  const selected = new Set<string>()
  for (const written of names) {
    if (withoutEffect.has(written.toLowerCase())) continue
    selected.add(folderProperty(written, version)[0])
  }
  return selectionOf((name) => selected.has(name), version)
}

/**
 * A property by its name in any case, also behind a cast to search folders.
 *
 * @throws GraphError RequestBroker--ParseUri
 */
export function folderProperty(written: string, version: ApiVersion): readonly [name: string, FolderProperty] {
  const name = propertyNames.get(written.toLowerCase().replace(/^microsoft\.graph\.mail(search)?folder\//, ''))
  const property = name === undefined ? undefined : folderProperties[name]
  if (name !== undefined && property !== undefined && (property.since !== 'beta' || version === 'beta')) {
    return [name, property]
  }
  throw new GraphError(
    400,
    'RequestBroker--ParseUri',
    `Could not find a property named '${quotable(written)}' on type 'microsoft.graph.mailFolder'.`,
    { frontEnd: true },
  )
}

/** A folder without what was expanded of it. It has no etag (recorded). */
export function presentFolder(
  folder: MailFolder,
  surroundings: FolderSurroundings,
  selection: FolderSelection,
): Record<string, unknown> {
  const resource: Record<string, unknown> = {
    ...(folder.search === undefined ? {} : { '@odata.type': '#microsoft.graph.mailSearchFolder' }),
    id: presentFolderId(surroundings.mailbox, folder.id),
  }
  for (const [name, property] of selection) {
    const value = property.present(folder, surroundings)
    if (value !== undefined) resource[name] = value
  }
  return resource
}

/**
 * The folders as `$orderby` asks; those that are equal in all of it stay as they were.
 *
 * @throws GraphError BadRequest for a property that lists cannot be ordered by
 */
export function orderFolders(
  folders: readonly MailFolder[],
  items: readonly OrderByItem[],
  surroundings: FolderSurroundings,
  version: ApiVersion,
): MailFolder[] {
  const keys = items.map(({ path, descending }) => {
    const [, { present, ordered }] = folderProperty(path, version)
    if (!ordered) throw badRequest('OrderBy not supported.', `Folders cannot be ordered by ${path}.`)
    return { of: (folder: MailFolder) => present(folder, surroundings), direction: descending ? -1 : 1 }
  })
  return [...folders].sort((one, other) => {
    for (const { of, direction } of keys) {
      const order = compareScalars(of(one), of(other))
      if (order !== 0) return order * direction
    }
    return 0
  })
}

/** Below 0: the one comes first; 0: they are equal. Names are compared without case. */
export function compareScalars(one: unknown, other: unknown): number {
  if (typeof one === 'string' && typeof other === 'string') return compareNames(one, other)
  return Number(one) - Number(other)
}
