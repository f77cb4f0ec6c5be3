import type { CallLog, CallRecord } from '../mail/call-record.js'
import type { IdSequence } from '../mail/ids.js'
import type { Database } from './database.js'
import { sql } from './kysely.js'
import type { Schema } from './schema.js'
import { preparedInsert, type Statement, statementOf } from './statement.js'

/** How long a record may wait in memory before it is written, ms. A crash loses these; mail it never loses. */
const flushAfterMs = 250
/** Records of one page, and how many may wait: under a flood a page is written as soon as it is full. */
const pageRecords = 256
/** Old pages are removed once in this many pages. */
const pruneEvery = 16

/** Fields of a record in the order of their places; what is last is most often missing. */
const fields = [
  'requestId',
  'at',
  'durationMs',
  'method',
  'url',
  'status',
  'application',
  'user',
  'mailbox',
  'message',
  'error',
  'reason',
  'clientRequestId',
] as const satisfies readonly (keyof CallRecord)[]

/** Lists of values instead of objects: names would be most of a page. */
function packed(records: readonly CallRecord[]): string {
  return JSON.stringify(
    records.map((record) => [
      record.requestId,
      record.at,
      record.durationMs,
      record.method,
      record.url,
      record.status,
      record.application,
      record.user,
      record.mailbox,
      record.message,
      record.error,
      record.reason,
      // Mostly the caller has none of its own.
      record.clientRequestId === record.requestId ? undefined : record.clientRequestId,
    ]),
  )
}

function unpacked(page: string): CallRecord[] {
  const lists = JSON.parse(page) as (string | number | null)[][]
  return lists.map((list) => {
    const present = fields.map((field, place) => [field, list[place]] as const).filter(([, value]) => value !== null)
    return { clientRequestId: list[0], ...Object.fromEntries(present) } as CallRecord
  })
}

/**
 * Call records, many to a row: one small insert for hundreds of calls, away from the path that accepts mail. Bounded:
 * the newest `keep` records stay.
 */
export class SqlCallLog implements CallLog {
  readonly #database: Database
  readonly #ids: IdSequence
  readonly #keep: number
  readonly #insert: (page: Schema['call_pages']) => Statement
  #waiting: CallRecord[] = []
  #writing: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #pages = 0

  constructor(database: Database, ids: IdSequence, keep: number) {
    this.#database = database
    this.#ids = ids
    this.#keep = keep
    this.#insert = preparedInsert(database.read, 'call_pages', ['id', 'count', 'records'])
  }

  append(record: CallRecord): void {
    if (this.#keep === 0) return
    this.#waiting.push(record)
    if (this.#waiting.length >= pageRecords) this.#writePage()
    else this.#timer ??= setTimeout(() => this.#writePage(), flushAfterMs).unref()
  }

  async list(limit: number): Promise<CallRecord[]> {
    await this.flush()
    const records: CallRecord[] = []
    for (const page of await this.#newestPages()) {
      if (records.length >= limit) break
      records.push(...page.toReversed())
    }
    return records.slice(0, limit)
  }

  async findAll(matches: (record: CallRecord) => boolean, limit: number): Promise<CallRecord[]> {
    await this.flush()
    const found: CallRecord[] = []
    for (const page of await this.#newestPages()) {
      if (found.length >= limit) break
      found.push(...page.filter(matches).toReversed())
    }
    return found.slice(0, limit)
  }

  async find(requestId: string): Promise<CallRecord | undefined> {
    await this.flush()
    for (const page of await this.#newestPages()) {
      const record = page.find((candidate) => candidate.requestId === requestId)
      if (record !== undefined) return record
    }
    return undefined
  }

  /** Writes what waits; called at the end of the process too. */
  async flush(): Promise<void> {
    this.#writePage()
    await this.#writing
  }

  async #newestPages(): Promise<CallRecord[][]> {
    const rows = await this.#database.read.selectFrom('call_pages').select('records').orderBy('id', 'desc').execute()
    return rows.map((row) => unpacked(row.records))
  }

  #writePage(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return
    const records = this.#waiting
    this.#waiting = []
    const statements = [this.#insert({ id: this.#ids.next(), count: records.length, records: packed(records) })]
    if (++this.#pages % pruneEvery === 0) statements.push(this.#prune())
    // A record that could not be kept is not worth failing for: the store that refuses it refuses mail too, loudly.
    this.#writing = this.#writing.then(async () => {
      await this.#database.write(statements).catch(() => {})
    })
  }

  #prune() {
    const query = sql`
      delete from call_pages where id <= (
        select max(id) from (
          select id, sum(count) over (order by id desc rows between unbounded preceding and current row) as newer
          from call_pages
        ) as pages where newer > ${sql.lit(this.#keep + pageRecords)}
      )`.compile(this.#database.read)
    return statementOf(query)
  }
}
