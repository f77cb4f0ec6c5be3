import type { IdempotencyRecord, IdempotencyStore } from '../mail/idempotency.js'
import type { Database } from './database.js'
import { type Statement, statementOf } from './statement.js'

export class SqlIdempotency implements IdempotencyStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async find(
    key: Pick<IdempotencyRecord, 'mailbox' | 'application' | 'keyHash'>,
    now: number,
  ): Promise<IdempotencyRecord | undefined> {
    const { mailbox, application, keyHash } = key
    const row = await this.#database.read
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .where('application_id', '=', application)
      .where('key_hash', '=', keyHash)
      .where('expires_at', '>', now)
      .executeTakeFirst()
    if (row === undefined) return undefined
    const answer = JSON.parse(row.answer) as IdempotencyRecord['answer']
    return { mailbox, application, keyHash, requestHash: row.request_hash, expiresAt: row.expires_at, answer }
  }

  async deleteExpired(now: number): Promise<void> {
    const query = this.#database.read.deleteFrom('idempotency_keys').where('expires_at', '<=', now)
    await this.#database.write([statementOf(query.compile())])
  }
}

/** Guarded: changes no row when the key is there and still good. */
export function putIdempotencyKey(database: Database, record: IdempotencyRecord, now: number): Statement {
  const { mailbox, application, keyHash, requestHash, expiresAt, answer } = record
  const said = { request_hash: requestHash, expires_at: expiresAt, answer: JSON.stringify(answer) }
  const query = database.read
    .insertInto('idempotency_keys')
    .values({ mailbox_id: mailbox, application_id: application, key_hash: keyHash, ...said })
    .onConflict((conflict) =>
      conflict
        .columns(['mailbox_id', 'application_id', 'key_hash'])
        .doUpdateSet(said)
        .where('idempotency_keys.expires_at', '<=', now),
    )
  return statementOf(query.compile(), { guarded: true })
}
