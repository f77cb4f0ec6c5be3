import type { Readable } from 'node:stream'

/**
 * Bytes that are too large for a row of the store. A key is chosen by whoever writes, and names the same bytes for ever;
 * several rows may name one blob. What no row names is swept away ({@link sweepUploads}).
 */
export interface BlobStore {
  /**
   * Writes at `offset`, as the bytes come, and resolves with their count once they are on disk. A write that fails half
   * way may have left some: the next one at the same offset goes over them.
   */
  write(key: string, offset: number, bytes: AsyncIterable<Uint8Array>): Promise<number>
  /** @throws Error when there is none */
  read(key: string): Promise<Buffer>
  /** The bytes as they are asked for; the stream fails when there are none. */
  open(key: string): Readable
  /** Nothing when there is none. */
  delete(key: string): Promise<void>
  /** Every blob, with the time of its last write in ms since 1970. */
  list(): AsyncIterable<{ readonly key: string; readonly writtenAt: number }>
}
