/**
 * R5: the files of the store as a power cut may leave them. Every write and sync of a load was recorded; for a point in
 * time, what was synced before it is there, and of what was not, any part: all, none, some, torn within a write.
 *
 * The model is that of SQLite's own crash tests: a file's synced bytes stay, the others come in any order, in pieces of
 * 512 bytes. The names of files stay too: SQLite syncs the folder of a log it has made.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { recordLoad } from './recorded-load.js'
import { notReached, type Row } from './row.js'
import { startServer } from './server.js'
import { integrity, type Rows } from './store-file.js'
import { type Traced, whyNotTraced } from './strace.js'

const sectorBytes = 512
/** A full start of the server at one point in so many; at the others SQLite alone opens the files. */
const startsEvery = 20
/** Larger than usual, so that the log is copied into the database now and then. */
const bodyBytes = 12_000

/** What becomes of a write that was not synced. */
type Loss = 'all' | 'none' | 'some' | 'torn'
const losses: readonly Loss[] = ['all', 'none', 'some', 'torn']

type Change = Extract<Traced, { kind: 'write' | 'truncate' }>

export const powerCut: Row = {
  id: 'R5',
  promise: 'whatever a power cut leaves of unsynced writes, the store opens and has every mail acknowledged before',
  inTests: true,
  run: async (scope) => {
    const obstacle = whyNotTraced()
    if (obstacle !== undefined) return notReached(obstacle)
    const [mails, points] = [scope.pick(60, 400, 1_000), scope.pick(24, 150, 500)]
    const folder = await scope.folder('data')
    const before = scope.scratch('before')
    await cp(folder, before, { recursive: true })
    const load = await recordLoad(scope, folder, [{ mails, connections: 16 }], bodyBytes)
    const faults = [...load.faults]
    const subjects = load.batches[0] ?? new Map<string, string>()
    const lastPlace = Math.max(...load.traced.map(({ begin }) => begin))
    const places = Array.from({ length: points }, (_, index) =>
      Math.round(((index + Math.random()) / points) * lastPlace),
    )
    const files = new CutFiles(load.traced)
    await files.begin(before)
    let acknowledged = 0
    let unsynced = 0
    for (const [index, place] of places.entries()) {
      scope.progress(`power cut ${index + 1} of ${points}`)
      files.advance(place)
      unsynced += files.unsynced
      const promised = load.traced
        .filter((each) => each.kind === 'answer' && each.status === 202 && each.begin < place)
        .map((each) => subjects.get((each as { clientRequestId: string }).clientRequestId))
        .filter((subject) => subject !== undefined)
      acknowledged += promised.length
      const loss = losses[index % losses.length] ?? 'some'
      const cut = scope.scratch('cut')
      await files.write(before, cut, loss)
      const wrong = (await startsAt(index, cut)) ?? examine(cut, promised)
      if (wrong !== undefined) faults.push(`cut at ${place}, of what was not synced ${loss}: ${wrong}`)
      await rm(cut, { recursive: true })
    }
    return {
      did: `${mails} mails, ${points} points, of unsynced writes all, none, some or torn at ${sectorBytes} bytes`,
      figure: [
        `opened ${points - faults.length} of ${points}`,
        `${acknowledged} acknowledged mails looked for`,
        `${(unsynced / points).toFixed(1)} unsynced writes at a point`,
        `${files.checkpoints} syncs of the database beside those of the log`,
      ].join('; '),
      faults: faults.slice(0, 8),
    }
  },
}

/** The files of the store at a point that moves forward. */
class CutFiles {
  readonly #changes: readonly Change[]
  readonly #syncs: readonly Extract<Traced, { kind: 'sync' }>[]
  readonly #synced = new Map<string, Buffer>()
  #pending: Change[] = []
  #nextChange = 0
  #nextSync = 0
  checkpoints = 0

  constructor(traced: readonly Traced[]) {
    const isChange = (each: Traced): each is Change => each.kind === 'write' || each.kind === 'truncate'
    // The index of the log is memory that processes share: SQLite makes it anew.
    this.#changes = traced.filter(isChange).filter(({ file }) => !file.endsWith('-shm'))
    const isSync = (each: Traced): each is Extract<Traced, { kind: 'sync' }> => each.kind === 'sync'
    this.#syncs = traced.filter(isSync).sort((one, other) => one.end - other.end)
  }

  get unsynced(): number {
    return this.#pending.length
  }

  /** With what was on disk before the recording. */
  async begin(folder: string): Promise<void> {
    for (const name of await readdir(folder)) {
      if (/\.sqlite(-wal)?$/.test(name)) this.#synced.set(name, await readFile(join(folder, name)))
    }
  }

  advance(place: number): void {
    for (; (this.#changes[this.#nextChange]?.begin ?? Number.POSITIVE_INFINITY) < place; this.#nextChange++) {
      const change = this.#changes[this.#nextChange]
      if (change !== undefined) this.#pending.push(change)
    }
    for (; (this.#syncs[this.#nextSync]?.end ?? Number.POSITIVE_INFINITY) < place; this.#nextSync++) {
      const sync = this.#syncs[this.#nextSync]
      if (sync === undefined) continue
      if (sync.file === 'graphpost.sqlite') this.checkpoints++
      const isCovered = (change: Change) => change.file === sync.file && change.end < sync.begin
      for (const change of this.#pending.filter(isCovered)) {
        this.#synced.set(change.file, applied(this.#synced.get(change.file) ?? Buffer.alloc(0), change))
      }
      this.#pending = this.#pending.filter((change) => !isCovered(change))
    }
  }

  /** Makes a data folder as the cut leaves it. */
  async write(template: string, folder: string, loss: Loss): Promise<void> {
    await mkdir(folder)
    await cp(template, folder, { recursive: true, filter: (path) => !/\.sqlite(-wal|-shm)?$/.test(path) })
    const files = new Map<string, Buffer>([...this.#synced].map(([name, bytes]) => [name, Buffer.from(bytes)]))
    for (const change of this.#pending) {
      for (const piece of surviving(change, loss)) {
        files.set(change.file, applied(files.get(change.file) ?? Buffer.alloc(0), piece))
      }
    }
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes)
  }
}

function applied(bytes: Buffer, change: Change): Buffer {
  if (change.kind === 'truncate') {
    const cut = Buffer.alloc(change.size)
    bytes.copy(cut)
    return cut
  }
  const end = change.offset + change.bytes.length
  let target = bytes
  if (end > bytes.length) {
    target = Buffer.alloc(end)
    bytes.copy(target)
  }
  change.bytes.copy(target, change.offset)
  return target
}

/** What of a change is on disk after all. */
function surviving(change: Change, loss: Loss): Change[] {
  if (loss === 'none') return [change]
  if (loss === 'all') return []
  if (loss === 'some' || change.kind === 'truncate') return Math.random() < 0.5 ? [change] : []
  const pieces: Change[] = []
  for (let at = 0; at < change.bytes.length; ) {
    const length = Math.min(sectorBytes - ((change.offset + at) % sectorBytes), change.bytes.length - at)
    const bytes = change.bytes.subarray(at, at + length)
    if (Math.random() < 0.5) pieces.push({ ...change, offset: change.offset + at, bytes })
    at += length
  }
  return pieces
}

/** @returns what is wrong with the store of a folder */
function examine(folder: string, promised: readonly (string | undefined)[]): string | undefined {
  try {
    const database = new DatabaseSync(join(folder, 'graphpost.sqlite'))
    try {
      const rows: Rows = <Row>(sql: string) => database.prepare(sql).all() as Row[]
      const [fault] = integrity(rows)
      if (fault !== undefined) return fault
      const inOutbox = new Set(
        rows<{ subject: string }>(`
          select m.subject from outbox o join messages m on m.mailbox_id = o.mailbox_id and m.id = o.message_id
          union select m.subject from submissions s, json_each('[' || s.entries || ']') as e
          join messages m on m.mailbox_id = (e.value ->> 0) and m.id = (e.value ->> 1)`).map(({ subject }) => subject),
      )
      const kept = rows<{ subject: string }>('select subject from messages where folder_id = 265')
      const half = kept.filter(({ subject }) => !inOutbox.has(subject)).length
      if (half > 0) return `${half} mails are in Sent Items and not in the outbox`
      const sent = new Set(kept.map(({ subject }) => subject))
      const lost = promised.filter((subject) => subject !== undefined && !sent.has(subject))
      return lost.length === 0 ? undefined : `${lost.length} acknowledged mails are gone, ${lost[0]} the first`
    } finally {
      database.close()
    }
  } catch (error) {
    return `it does not open: ${String(error)}`
  }
}

/** @returns what came of starting the server itself; undefined where it came up, or it was not this point's turn */
async function startsAt(index: number, folder: string): Promise<string | undefined> {
  if (index % startsEvery !== startsEvery - 1) return undefined
  const server = startServer({ folder, args: ['--delivery-concurrency', '0', '--log-level', 'silent'] })
  try {
    await server.ready
    return undefined
  } catch (error) {
    return String(error)
  } finally {
    await server.end('SIGKILL')
  }
}
