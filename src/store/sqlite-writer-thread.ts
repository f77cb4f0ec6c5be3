/** The thread that writes: it owns the one connection that changes the database, and waits for the disk here. */
import { parentPort, workerData } from 'node:worker_threads'
import { openSqlite } from './sqlite-driver.js'
import { SqliteGroupWriter, type WriteOutcome } from './sqlite-group.js'
import type { WriteGroup } from './write-group.js'

/** `undefined` asks the thread to close the database and end. */
export type WriterRequest = WriteGroup | undefined
/** `undefined` asks for the writes of the group apart from each other. */
export type WriterReply = readonly WriteOutcome[] | undefined

if (parentPort === null) throw new Error('sqlite-writer-thread is started by sqlite-writer')
const port = parentPort
const database = openSqlite((workerData as { path: string }).path)
const writer = new SqliteGroupWriter(database)

port.on('message', (request: WriterRequest) => {
  if (request !== undefined) {
    port.postMessage(writer.run(request) satisfies WriterReply)
    return
  }
  database.close()
  port.close()
})
