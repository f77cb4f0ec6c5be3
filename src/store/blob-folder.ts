import { createReadStream } from 'node:fs'
import { constants, type FileHandle, mkdir, open, opendir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { BlobStore } from '../mail/blobs.js'
import { MailError } from '../mail/errors.js'

/** Blobs as files, spread over folders by the first letters of their keys. */
export class BlobFolder implements BlobStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async write(key: string, offset: number, bytes: AsyncIterable<Uint8Array>): Promise<number> {
    const place = this.#placeOf(key)
    const file = await onDisk(async () => {
      await mkdir(place.folder, { recursive: true, mode: 0o700 })
      return open(place.path, constants.O_WRONLY | constants.O_CREAT, 0o600)
    })
    try {
      let written = 0
      for await (const chunk of bytes) {
        await onDisk(() => writeWhole(file, chunk, offset + written))
        written += chunk.byteLength
      }
      await onDisk(async () => {
        await file.datasync()
        // The name of a new file is on disk only with its folder.
        if (offset === 0) await syncFolder(place.folder)
      })
      return written
    } finally {
      await file.close()
    }
  }

  read(key: string): Promise<Buffer> {
    return readFile(this.#placeOf(key).path)
  }

  open(key: string): Readable {
    return createReadStream(this.#placeOf(key).path)
  }

  async delete(key: string): Promise<void> {
    await rm(this.#placeOf(key).path, { force: true })
  }

  async *list(): AsyncIterable<{ key: string; writtenAt: number }> {
    for await (const folder of entriesOf(this.#folder)) {
      for await (const key of entriesOf(join(this.#folder, folder))) {
        const { mtimeMs } = await stat(join(this.#folder, folder, key))
        yield { key, writtenAt: mtimeMs }
      }
    }
  }

  #placeOf(key: string): { folder: string; path: string } {
    // Keys are ours, but they have been through a database: nothing in one may lead elsewhere.
    if (!/^[0-9a-f-]{8,64}$/.test(key)) throw new Error('a blob has a key of hex digits')
    const folder = join(this.#folder, key.slice(0, 2))
    return { folder, path: join(folder, key) }
  }
}

/** What the disk refuses, a full one above all, is no fault of the caller's, and not for ever. */
async function onDisk<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new MailError('storeUnavailable', `The disk could not keep this: ${reason}.`)
  }
}

async function writeWhole(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < chunk.byteLength) {
    const { bytesWritten } = await file.write(chunk, done, chunk.byteLength - done, position + done)
    done += bytesWritten
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function* entriesOf(path: string): AsyncIterable<string> {
  try {
    for await (const { name } of await opendir(path)) yield name
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
