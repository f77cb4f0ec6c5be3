import { MailError } from '../../mail/errors.js'
import type { FolderId } from '../../mail/ids.js'
import type { FolderDetails, FolderSearch } from '../../mail/mail-folder.js'
import { requestBodyRead } from '../errors.js'
import type { ApiVersion } from '../path.js'
import { readMultiValues, readSingleValues, readTexts } from './extended-property.js'
import {
  type JsonObject,
  type MemberReader,
  objectType,
  passOver,
  readBoolean,
  readMembers,
  readObject,
  readText,
  requiredMissing,
} from './values.js'

/** What a request says of a folder; what is absent was not said. */
export interface FolderSaid extends Omit<FolderDetails, 'search'> {
  displayName?: string
  isHidden?: boolean
  filterQuery?: string
  includeNestedFolders?: boolean
  /** Well-known names and ids, as written. */
  sourceFolderIds?: readonly string[]
  singleValueExtendedProperties?: FolderDetails['singleValueExtendedProperties'] & {}
  multiValueExtendedProperties?: FolderDetails['multiValueExtendedProperties'] & {}
}

type FolderReader = MemberReader<FolderSaid>

const refuseToSet: FolderReader = (_, __, { path }) => {
  throw new MailError('propertyNotSettable', `${path} cannot be set by an update.`, { property: path })
}

/** What a caller may write of any folder. */
const ofFolders: Readonly<Record<string, FolderReader>> = {
  displayName: (into, value, { path }) => {
    const name = readText(value, path)
    if (name === null) throw requiredMissing('displayName')
    into.displayName = name
  },
  isHidden: (into, value, { path }) => {
    into.isHidden = readBoolean(value, path) ?? false
  },
  singleValueExtendedProperties: (into, value, reading) => {
    into.singleValueExtendedProperties = readSingleValues(value, reading)
  },
  multiValueExtendedProperties: (into, value, reading) => {
    into.multiValueExtendedProperties = readMultiValues(value, reading)
  },
}

/** And of search folders. */
const ofSearchFolders: Readonly<Record<string, FolderReader>> = {
  filterQuery: (into, value, { path }) => {
    const filter = readText(value, path)
    if (filter === null || filter.trim() === '') throw requiredMissing('filterQuery')
    into.filterQuery = filter
  },
  includeNestedFolders: (into, value, { path }) => {
    into.includeNestedFolders = readBoolean(value, path) ?? false
  },
  sourceFolderIds: (into, value, reading) => {
    const sources = readTexts(value, reading)
    if (sources.length === 0) throw requiredMissing('sourceFolderIds')
    into.sourceFolderIds = sources
  },
}

/** Set by the server: passed over where a folder is made, refused where one is changed. */
const ofTheServer = [
  'id',
  'parentFolderId',
  'childFolderCount',
  'unreadItemCount',
  'totalItemCount',
  'sizeInBytes',
  'isSupported',
]
const ofTheServerInBeta = [...ofTheServer, 'wellKnownName']

function all(names: readonly string[], reader: FolderReader): Record<string, FolderReader> {
  return Object.fromEntries(names.map((name) => [name, reader]))
}

function typesOf(readers: Readonly<Record<string, FolderReader>>, name: string, ofServer: FolderReader) {
  return {
    'v1.0': objectType<FolderSaid>(name, { ...readers, ...all(ofTheServer, ofServer) }),
    beta: objectType<FolderSaid>(name, { ...readers, ...all(ofTheServerInBeta, ofServer) }),
  }
}

const plain = 'microsoft.graph.mailFolder'
const search = 'microsoft.graph.mailSearchFolder'
const newFolder = typesOf(ofFolders, plain, passOver)
const newSearchFolder = typesOf({ ...ofFolders, ...ofSearchFolders }, search, passOver)
const changes = typesOf({ ...ofFolders, ...ofSearchFolders, isHidden: refuseToSet }, plain, refuseToSet)

/** A folder that a request wants made. */
export type WantedFolder = FolderSaid & { readonly displayName: string; readonly isSearch: boolean }

/**
 * Reads a folder that is to be made; `@odata.type` says whether it is a search folder.
 *
 * @throws GraphError RequestBodyRead, ErrorRequiredPropertyMissing
 */
export function readNewFolder(json: unknown, version: ApiVersion): WantedFolder {
  const members = folderMembers(json)
  const isSearch = isSearchFolder(members)
  const type = (isSearch ? newSearchFolder : newFolder)[version]
  const said = readMembers<FolderSaid>(members, type, {}, { version, path: 'mailFolder', depth: 0 })
  const { displayName } = said
  if (displayName === undefined) throw requiredMissing('displayName')
  if (isSearch && said.filterQuery === undefined) throw requiredMissing('filterQuery')
  if (isSearch && said.sourceFolderIds === undefined) throw requiredMissing('sourceFolderIds')
  return { ...said, displayName, isSearch }
}

/**
 * Reads what is to change of a folder.
 *
 * @throws GraphError RequestBodyRead; MailError propertyNotSettable for what only the server sets, and for `isHidden`
 */
export function readFolderChanges(json: unknown, version: ApiVersion): FolderSaid {
  const members = folderMembers(json)
  isSearchFolder(members)
  return readMembers<FolderSaid>(members, changes[version], {}, { version, path: 'mailFolder', depth: 0 })
}

/** What a request says of a search, its sources found by `folderOf`. */
export function searchSaid(said: FolderSaid, folderOf: (key: string) => FolderId): Partial<FolderSearch> | undefined {
  const { filterQuery, includeNestedFolders, sourceFolderIds } = said
  if (filterQuery === undefined && includeNestedFolders === undefined && sourceFolderIds === undefined) return undefined
  return {
    ...(filterQuery === undefined ? {} : { filterQuery }),
    ...(includeNestedFolders === undefined ? {} : { includeNestedFolders }),
    ...(sourceFolderIds === undefined ? {} : { sources: sourceFolderIds.map(folderOf) }),
  }
}

function folderMembers(json: unknown): JsonObject {
  const members = readObject(json ?? null, 'mailFolder')
  if (members === null) throw requestBodyRead('A null value was found for a mail folder.', 'mailFolder')
  return members
}

function isSearchFolder(members: JsonObject): boolean {
  const type = members['@odata.type']
  if (type === undefined) return false
  const name = typeof type === 'string' ? type.replace(/^#/, '').toLowerCase() : ''
  if (name === search.toLowerCase()) return true
  if (name === plain.toLowerCase()) return false
  throw requestBodyRead(
    `A type that is no mail folder was found in the request: use '#${plain}' or '#${search}'.`,
    'mailFolder/@odata.type',
  )
}
