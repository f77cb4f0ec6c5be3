import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { noRows, StoreUnavailable, WriteConflict, type WriteRows } from './database.js'
import type { SqliteDatabase } from './sqlite-driver.js'
import { type Rows, SqliteGroupWriter, type WriteOutcome } from './sqlite-group.js'
import type { WriterReply, WriterRequest } from './sqlite-writer-thread.js'
import type { Statement } from './statement.js'
import { GroupEncoder, type WriteGroup } from './write-group.js'

/** Takes a group of writes and answers when it is on disk; with undefined, when it wants the writes apart. */
interface GroupTarget {
  run(group: WriteGroup): Promise<WriterReply>
  close(): Promise<void>
}

interface PendingWrite {
  readonly statements: readonly Statement[]
  readonly resolve: (rows: WriteRows) => void
  readonly reject: (error: Error) => void
}

/** Writes for which alone a group is begun in the middle of a turn. */
const minGroup = 8
/** Writes of one group at most, so that one commit stays short and its callers' answers leave evenly. */
const maxGroup = 512

/**
 * Turns of the event loop that a group waits at most, while each brings more writes. With one processor the writer's
 * thread runs only while this one does not: starting early gains nothing there, and costs a commit for the few writes
 * that came during the last one. With more of them the threads work side by side.
 */
const maxTurns = availableParallelism() === 1 ? 4 : 1
/**
 * Share of the writes under way from which on a group does not wait for the others: the processor then has these to read
 * while the disk has those.
 */
const enoughShare = 0.8

/** Who is told of what becomes of writes. */
export interface WriterEvents {
  /** Of each commit: how many writes shared it, and how long it took. It must cost nothing. */
  readonly committed?: ((writes: number, durationMs: number) => void) | undefined
  /** Nothing more can be written until the next start: a sync failed, or the thread is gone. */
  readonly lost?: ((error: Error) => void) | undefined
}

/**
 * Natural group commit: what arrives while the previous group is being synced is the next group. No timer; alone, a
 * write is committed at once, and under load hundreds share one sync.
 */
export class SqliteWriter {
  readonly #target: GroupTarget
  readonly #events: WriterEvents
  readonly #maxTurns: number
  readonly #encoder = new GroupEncoder()
  #waiting: PendingWrite[] = []
  #running: Promise<void> | undefined
  /** Of writes that wait; where turns are waited for. */
  #enough = maxGroup
  #closed = false

  private constructor(target: GroupTarget, events: WriterEvents, turns = maxTurns) {
    this.#target = target
    this.#events = events
    this.#maxTurns = turns
  }

  /** Writes in a thread of its own: for a database on disk. */
  static onThread(path: string, events: WriterEvents = {}): SqliteWriter {
    return new SqliteWriter(new ThreadTarget(path), events)
  }

  /** Writes on the caller's connection: for a database in memory, which no second connection could see. */
  static onConnection(database: SqliteDatabase, events: WriterEvents = {}, turns = maxTurns): SqliteWriter {
    const writer = new SqliteGroupWriter(database)
    return new SqliteWriter({ run: async (group) => writer.run(group), close: async () => {} }, events, turns)
  }

  write(statements: readonly Statement[]): Promise<WriteRows> {
    if (this.#closed) return Promise.reject(new StoreUnavailable('the store is closed'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ statements, resolve, reject })
      if (this.#running !== undefined) return
      if (this.#waiting.length === 1) this.#gather()
      else if (this.#waiting.length >= this.#enough) this.#start()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    while (this.#waiting.length > 0 || this.#running !== undefined) {
      this.#start()
      await this.#running
    }
    await this.#target.close()
  }

  /** Starts the next group after this turn of the event loop, which may bring more writes for the same sync. */
  #gather(turns = 1, waitedBefore = 0): void {
    setImmediate(() => {
      const waiting = this.#waiting.length
      if (turns < this.#maxTurns && waiting > waitedBefore && waiting < this.#enough) this.#gather(turns + 1, waiting)
      else this.#start()
    })
  }

  #start(): void {
    if (this.#running !== undefined || this.#waiting.length === 0) return
    const writes = this.#waiting.length <= maxGroup ? this.#waiting : this.#waiting.slice(0, maxGroup)
    this.#waiting = writes === this.#waiting ? [] : this.#waiting.slice(maxGroup)
    this.#running = this.#commit(writes).finally(() => {
      this.#running = undefined
      const waiting = this.#waiting.length
      if (this.#maxTurns > 1) this.#enough = Math.max(minGroup, Math.ceil((writes.length + waiting) * enoughShare))
      if (this.#maxTurns === 1 || waiting >= this.#enough) this.#start()
      else if (waiting > 0) this.#gather()
    })
  }

  async #commit(writes: readonly PendingWrite[]): Promise<void> {
    let outcomes: readonly WriteOutcome[]
    const { committed } = this.#events
    const startedAt = committed === undefined ? 0 : performance.now()
    try {
      outcomes =
        (await this.#target.run(this.#encoder.encode(writes, false))) ??
        (await this.#target.run(this.#encoder.encode(writes, true))) ??
        unanswered()
      committed?.(writes.length, performance.now() - startedAt)
    } catch (error) {
      const failure = new StoreUnavailable(error instanceof Error ? error.message : String(error))
      for (const write of writes) write.reject(failure)
      this.#lose(failure)
      return
    }
    const notSynced = outcomes.find((outcome) => 'failure' in outcome && outcome.failure === 'notSynced')
    if (notSynced !== undefined && 'message' in notSynced) this.#lose(new StoreUnavailable(notSynced.message))
    const special = new Map(outcomes.map((outcome) => [outcome.index, outcome]))
    writes.forEach((write, index) => {
      const outcome = special.get(index)
      if (outcome === undefined) write.resolve(noRows)
      else if ('rows' in outcome) write.resolve(byPlace(write.statements, outcome.rows))
      else if (outcome.failure === 'conflict') write.reject(new WriteConflict(outcome.message))
      else write.reject(new StoreUnavailable(outcome.message))
    })
  }

  /** After a failed sync nobody knows what is on disk, and a later one that succeeds says nothing of it (decision 28). */
  #lose(error: Error): void {
    this.#closed = true
    for (const write of this.#waiting.splice(0)) write.reject(error)
    this.#events.lost?.(error)
  }
}

/** The writer says them in the order of the statements that return some. */
function byPlace(statements: readonly Statement[], rows: readonly Rows[]): WriteRows {
  const places = statements.flatMap(({ returnsRows }, place) => (returnsRows ? [place] : []))
  return new Map(places.map((place, index) => [place, rows[index] ?? []]))
}

function unanswered(): never {
  throw new Error('the writer did not say what became of a group')
}

class ThreadTarget implements GroupTarget {
  readonly #worker: Worker
  #reply: { resolve: (reply: WriterReply) => void; reject: (error: Error) => void } | undefined
  #gone: Error | undefined

  constructor(path: string) {
    this.#worker = new Worker(new URL('./sqlite-writer-thread.js', import.meta.url), { workerData: { path } })
    this.#worker.on('message', (outcomes: WriterReply) => {
      const reply = this.#reply
      this.#reply = undefined
      reply?.resolve(outcomes)
    })
    this.#worker.on('error', (error) => this.#end(error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', () => this.#end(new Error('the writer thread ended')))
  }

  run(group: WriteGroup): Promise<WriterReply> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone)
    return new Promise((resolve, reject) => {
      this.#reply = { resolve, reject }
      this.#worker.postMessage(group satisfies WriterRequest)
    })
  }

  async close(): Promise<void> {
    if (this.#gone !== undefined) return
    const ended = once(this.#worker, 'exit')
    this.#worker.postMessage(undefined satisfies WriterRequest)
    await ended
  }

  #end(error: Error): void {
    this.#gone ??= error
    this.#reply?.reject(error)
    this.#reply = undefined
  }
}
