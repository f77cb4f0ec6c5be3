import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, newDataFolder, startServer } from './bench.js'
import { remoteOnly, sendMailRequests } from './mail-request.js'
import { failuresOf } from './rounds.js'
import { whole } from './table.js'

/** A data folder full of mail that waits for delivery. */
export interface QueuedStore {
  readonly folder: string
  /** In Sent Items of the first sender, and in the outbox. */
  readonly messages: number
}

/** In Sent Items of the second sender. */
export const fewMessages = 100

/** A store with 100,000 messages queued (quick: 10,000), sent through the API; made once for a run. */
export async function queuedStore(bench: Bench): Promise<QueuedStore> {
  const messages = bench.options.quick ? 10_000 : 100_000
  const folder = join(bench.root, 'queued')
  if (!existsSync(folder)) {
    await newDataFolder(bench, 'queued')
    await fill(bench, folder, [messages, fewMessages])
  }
  return { folder, messages }
}

/**
 * Lets each sender send so many mails, with delivery paused.
 *
 * @throws Error when not all were accepted
 */
export async function fill(bench: Bench, folder: string, perSender: readonly number[]): Promise<void> {
  const server = await startServer(bench, { folder, deliveryPaused: true })
  for (const [index, operations] of perSender.entries()) {
    bench.progress(`filling a mailbox with ${whole(operations)} messages`)
    const result = await bench.load.run({
      port: server.port,
      connections: 64,
      flow: { kind: 'single', requests: sendMailRequests(bench.tokens.slice(index, index + 1), remoteOnly) },
      warmUpMs: 0,
      measureMs: 3_600_000,
      operations,
    })
    const [failure] = failuresOf('filling a store', result)
    if (failure !== undefined) throw new Error(failure)
  }
  await server.stop()
}
