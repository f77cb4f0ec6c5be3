import { constants } from 'node:fs'
import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openSqlite, type SqliteDatabase } from './sqlite-driver.js'

/** What was copied. */
export interface Backup {
  readonly messages: number
  readonly blobs: number
  readonly databaseBytes: number
}

const databaseName = 'graphpost.sqlite'
const blobsName = 'blobs'

/**
 * Copies a data folder while a server works on it. The copy is that of one moment: every mail that was acknowledged before
 * this was called is in it, and every blob that it names. It stands under its name only when it is whole and checked.
 *
 * Blobs are written before the rows that name them, and swept long after; so what a database of one moment names was there
 * before that moment, or has just come: blobs are copied before the database, and those that came meanwhile after it.
 *
 * @param to a folder that is not there yet
 * @throws Error when there is no data folder, the other one is there, or the copy is not sound
 */
export async function backupFolder(from: string, to: string): Promise<Backup> {
  await requireAbsent(to)
  await stat(join(from, databaseName))
  const partial = `${to}.partial`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true, mode: 0o700 })
  await copyBlobs(from, partial)
  copyDatabase(join(from, databaseName), join(partial, databaseName))
  beginAnew(join(partial, databaseName))
  await copyBlobs(from, partial)
  await copyRest(from, partial)
  const found = checked(partial)
  for (const key of found.blobs) await stat(join(partial, blobsName, key.slice(0, 2), key))
  await syncFile(join(partial, databaseName))
  const { size } = await stat(join(partial, databaseName))
  await rename(partial, to)
  return { messages: found.messages, blobs: found.blobs.length, databaseBytes: size }
}

async function requireAbsent(path: string): Promise<void> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  if (isThere) throw new Error(`${path} is there already: a backup is made under a name of its own.`)
}

function copyDatabase(from: string, to: string): void {
  const database = openSqlite(from)
  try {
    database.prepare('vacuum into ?').run(to)
  } finally {
    database.close()
  }
}

/** Commits between the copy and any that the copied store will ever make. */
const aheadBy = 2 ** 32

/**
 * A client's delta link from after the copy would count on commits that the copy does not have, and miss what it commits
 * in their place. So it counts from far ahead, and every link from before begins anew (410; decision 19).
 */
function beginAnew(path: string): void {
  const database = openSqlite(path)
  try {
    database.exec(`update commits set number = number + ${aheadBy}`)
    database.exec("update sequences set next = (select number from commits) where name = 'forgotten'")
  } finally {
    database.close()
  }
}

/** Those that are not there yet. */
async function copyBlobs(from: string, to: string): Promise<void> {
  for (const folder of await namesIn(join(from, blobsName))) {
    await mkdir(join(to, blobsName, folder), { recursive: true, mode: 0o700 })
    const known = new Set(await namesIn(join(to, blobsName, folder)))
    for (const key of await namesIn(join(from, blobsName, folder))) {
      if (!known.has(key)) await copyOne(join(from, blobsName, folder, key), join(to, blobsName, folder, key))
    }
  }
}

/** Copied, not linked: an upload that goes on must not write into the backup. What was swept meanwhile is not missed. */
async function copyOne(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    await syncFile(to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Certificates, and whatever else lies in the folder. */
async function copyRest(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (entry.name.startsWith(databaseName) || entry.name === blobsName) continue
    if (entry.isFile()) await copyOne(join(from, entry.name), join(to, entry.name))
    if (!entry.isDirectory()) continue
    await mkdir(join(to, entry.name), { recursive: true, mode: 0o700 })
    await copyRest(join(from, entry.name), join(to, entry.name))
  }
}

function checked(folder: string): { messages: number; blobs: string[] } {
  const database = openSqlite(join(folder, databaseName))
  try {
    const [verdict] = Object.values((database.prepare('pragma integrity_check').get() ?? {}) as object)
    if (verdict !== 'ok') throw new Error(`the copy of the database is not sound: ${verdict}`)
    const { count } = database.prepare('select count(*) as count from messages').get() as { count: number }
    return { messages: count, blobs: blobsNamed(database) }
  } finally {
    database.close()
  }
}

function blobsNamed(database: SqliteDatabase): string[] {
  const rows = database
    .prepare(
      'select blob from attachments where blob is not null union select blob from upload_sessions where received_bytes > 0',
    )
    .all() as { blob: string }[]
  return rows.map(({ blob }) => blob)
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
