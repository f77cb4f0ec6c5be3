import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const appendBytes = 2048

/** How many 2 KB appends a second the disk under the folder takes when each is synced by fdatasync(2) before the next. */
export function measureSyncRate(folder: string, milliseconds: number): number {
  const file = join(folder, 'sync-rate')
  const bytes = Buffer.alloc(appendBytes, 'x')
  const descriptor = openSync(file, 'w')
  let count = 0
  const begunAt = performance.now()
  do {
    writeSync(descriptor, bytes)
    fdatasyncSync(descriptor)
    count += 1
  } while (performance.now() - begunAt < milliseconds)
  const seconds = (performance.now() - begunAt) / 1000
  closeSync(descriptor)
  rmSync(file)
  return count / seconds
}
