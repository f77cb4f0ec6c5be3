/** The log of a killed server, cut off or garbled at the end: what a disk that lied about a sync would leave. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseSync } from '@photostructure/sqlite'
import { flood, type Ledger } from './ledger.js'
import type { Finding, Scope } from './row.js'
import { startServer } from './server.js'
import { integrity, type Rows } from './store-file.js'

const logName = 'graphpost.sqlite-wal'
/** https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
const logHeaderBytes = 32
const frameHeaderBytes = 24

/** A transaction in the log. */
interface Commit {
  /** Where its last frame ends. */
  readonly end: number
  /** Mails that its frames are the first to hold. */
  readonly subjects: readonly string[]
}

/**
 * Damages the log at many points and opens the store. All transactions before the damage must be there: SQLite replays up
 * to the first frame whose checksum is wrong, and says nothing of the rest.
 */
export async function damagedLogs(scope: Scope, points: number): Promise<Finding> {
  const folder = await scope.folder('damaged')
  const ledger: Ledger = new Map()
  const server = startServer({ folder, args: ['--log-level', 'silent'] })
  const load = flood(await server.ready, scope.token, { ledger, round: 0, connections: 16 })
  while ([...ledger.values()].filter(({ acknowledged }) => acknowledged).length < 200) await sleep(20)
  await server.end('SIGKILL')
  load.stop()
  const faults = [...(await load.done)]
  const log = await readFile(join(folder, logName))
  const commits = commitsOf(log)
  const inLog = new Set(commits.flatMap(({ subjects }) => subjects))
  const acknowledged = [...ledger].filter(([, { acknowledged }]) => acknowledged).map(([subject]) => subject)
  const [cut, garbled] = [scope.scratch('damaged'), { lost: 0, silent: 0 }]
  for (let point = 0; point < points; point++) {
    scope.progress(`damaged log ${point + 1} of ${points}`)
    const at = logHeaderBytes + Math.floor(Math.random() * (log.length - logHeaderBytes))
    await cp(folder, cut, { recursive: true })
    await rm(join(cut, 'graphpost.sqlite-shm'), { force: true })
    await writeFile(join(cut, logName), damage(log, at, point))
    const before = commits.filter(({ end }) => end <= at).flatMap(({ subjects }) => subjects)
    const must = new Set([...before, ...acknowledged.filter((subject) => !inLog.has(subject))])
    const found = subjectsOf(cut)
    if (typeof found === 'string') faults.push(`damage at byte ${at}: ${found}`)
    else {
      const gone = acknowledged.filter((subject) => must.has(subject) && !found.has(subject))
      if (gone.length > 0)
        faults.push(`damage at byte ${at}: ${gone.length} mails before it are gone, ${gone[0]} the first`)
      const behind = acknowledged.filter((subject) => !must.has(subject))
      garbled.lost += behind.filter((subject) => !found.has(subject)).length
      garbled.silent++
    }
    await rm(cut, { recursive: true })
  }
  return {
    did: `${points} damages to a log of ${commits.length} transactions`,
    figure: `opened ${garbled.silent} of ${points}, all before the damage there; SQLite drops what is behind it without a word (${Math.round(garbled.lost / Math.max(1, garbled.silent))} mails each on average)`,
    faults,
  }
}

/** In turns cut off there, cut off and followed by noise, one bit turned over, a page of zeros. */
function damage(log: Buffer, at: number, turn: number): Buffer {
  if (turn % 4 === 0) return log.subarray(0, at)
  const damaged = Buffer.from(log)
  if (turn % 4 === 1) for (let place = at; place < damaged.length; place++) damaged[place] = Math.random() * 256
  else if (turn % 4 === 2) damaged[at] = (damaged[at] ?? 0) ^ (1 << (turn % 8))
  else damaged.fill(0xa5, at, Math.min(damaged.length, at + 512))
  return damaged
}

/** The transactions of a log that was written once from its beginning. */
function commitsOf(log: Buffer): Commit[] {
  const pageBytes = log.readUInt32BE(8)
  const salts = log.subarray(16, 24)
  const seen = new Set<string>()
  const commits: Commit[] = []
  let subjects: string[] = []
  for (let at = logHeaderBytes; at + frameHeaderBytes + pageBytes <= log.length; at += frameHeaderBytes + pageBytes) {
    if (!log.subarray(at + 8, at + 16).equals(salts)) break
    const page = log.toString('latin1', at + frameHeaderBytes, at + frameHeaderBytes + pageBytes)
    for (const [subject] of page.matchAll(/mail \d+-\d+(?=mail|[^\d])/g)) {
      if (!seen.has(subject)) subjects.push(subject)
      seen.add(subject)
    }
    if (log.readUInt32BE(at + 4) === 0) continue
    commits.push({ end: at + frameHeaderBytes + pageBytes, subjects })
    subjects = []
  }
  return commits
}

/** @returns why the store cannot be used, where it cannot */
function subjectsOf(folder: string): Set<string> | string {
  try {
    const database = new DatabaseSync(join(folder, 'graphpost.sqlite'))
    try {
      const rows: Rows = <Row>(sql: string) => database.prepare(sql).all() as Row[]
      const [fault] = integrity(rows)
      if (fault !== undefined) return fault
      return new Set(rows<{ subject: string }>('select subject from messages').map(({ subject }) => subject))
    } finally {
      database.close()
    }
  } catch (error) {
    return `it does not open: ${String(error)}`
  }
}
