import type { Selectable } from 'kysely'
import type { MailboxId, MessageId } from '../mail/ids.js'
import type { ScheduledSend } from '../mail/scheduled-send.js'
import type { ScheduleStore } from '../mail/store.js'
import type { Database } from './database.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

type Row = Selectable<Schema['scheduled_sends']>
type Details = Pick<ScheduledSend, 'actor' | 'forOthers' | 'saveToSentItems'>

export class SqlSchedule implements ScheduleStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async listDue(now: number, limit: number): Promise<ScheduledSend[]> {
    const rows = await this.#database.read
      .selectFrom('scheduled_sends')
      .selectAll()
      .where('due_at', '<=', now)
      .orderBy('due_at')
      .limit(limit)
      .execute()
    return rows.map(sendOf)
  }

  async find(mailbox: MailboxId, message: MessageId): Promise<ScheduledSend | undefined> {
    const row = await this.#database.read
      .selectFrom('scheduled_sends')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .where('message_id', '=', message)
      .executeTakeFirst()
    return row && sendOf(row)
  }

  async nextDueAt(): Promise<number | undefined> {
    const row = await this.#database.read
      .selectFrom('scheduled_sends')
      .select('due_at')
      .orderBy('due_at')
      .limit(1)
      .executeTakeFirst()
    return row?.due_at
  }
}

export function putScheduledSend(database: Database, send: ScheduledSend): Statement {
  const { mailbox, message, dueAt, ...details } = send
  const said = { due_at: dueAt, details: JSON.stringify(details satisfies Details) }
  const query = database.read
    .insertInto('scheduled_sends')
    .values({ mailbox_id: mailbox, message_id: message, ...said })
    .onConflict((conflict) => conflict.columns(['mailbox_id', 'message_id']).doUpdateSet(said))
  return statementOf(query.compile())
}

export function deleteScheduledSend(database: Database, { mailbox, message, dueAt }: ScheduledSend): Statement {
  const query = database.read
    .deleteFrom('scheduled_sends')
    .where('mailbox_id', '=', mailbox)
    .where('message_id', '=', message)
    .where('due_at', '=', dueAt)
  return statementOf(query.compile(), { guarded: true })
}

function sendOf(row: Row): ScheduledSend {
  return {
    mailbox: row.mailbox_id as MailboxId,
    message: row.message_id as MessageId,
    dueAt: row.due_at,
    ...(JSON.parse(row.details) as Details),
  }
}
