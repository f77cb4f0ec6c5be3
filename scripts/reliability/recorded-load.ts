/** A load on a server whose system calls are recorded, each mail told from the others by its request id and subject. */
import { randomUUID } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { openCaller } from './caller.js'
import { mailBody } from './ledger.js'
import type { Scope } from './row.js'
import { startServer } from './server.js'
import { readRecording, recording, type Traced } from './strace.js'

/** Mails from so many connections at once, one after the other where there are several. */
export interface Batch {
  readonly mails: number
  readonly connections: number
}

export interface RecordedLoad {
  readonly folder: string
  readonly traced: readonly Traced[]
  /** Of each batch: request id and subject of every mail that was answered with 202. */
  readonly batches: readonly ReadonlyMap<string, string>[]
  readonly faults: readonly string[]
}

/** The server is killed at the end, so that nothing is tidied up. */
export async function recordLoad(scope: Scope, folder: string, batches: readonly Batch[], bodyBytes: number) {
  const path = await realpath(folder)
  const trace = scope.scratch('calls')
  const server = startServer({ folder: path, args: ['--log-level', 'silent'], under: recording(trace) })
  const caller = openCaller(await server.ready, scope.token)
  const faults: string[] = []
  const answered: Map<string, string>[] = []
  for (const { mails, connections } of batches) {
    scope.progress(`${mails} mails at concurrency ${connections}, every system call recorded`)
    const mine = new Map<string, string>()
    answered.push(mine)
    let number = 0
    const oneConnection = async () => {
      while (number < mails) {
        const [id, subject] = [randomUUID(), `mark-${answered.length}-${number++}-`]
        const body = mailBody(subject, { isSaved: true, isLocal: number % 2 === 0, remote: ['x@d.example'] }, bodyBytes)
        const { status } = await caller.call('POST', '/v1.0/me/sendMail', body, { 'client-request-id': id })
        if (status === 202) mine.set(id, subject)
        else faults.push(`a mail was answered with ${status}`)
      }
    }
    await Promise.all(Array.from({ length: connections }, oneConnection))
  }
  caller.close()
  await server.end('SIGKILL')
  const traced = await readRecording(trace, path)
  return { folder: path, traced, batches: answered, faults } satisfies RecordedLoad
}
