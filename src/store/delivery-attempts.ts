import { type DeliveryAttempt, slotOf } from '../mail/delivery-attempt.js'
import type { MailboxId, MessageId } from '../mail/ids.js'
import type { Database } from './database.js'
import type { Statement } from './statement.js'

type Kept = Omit<DeliveryAttempt, 'mailbox' | 'message' | 'destination' | 'attempt' | 'at'>

/** In the place of an older one, where there are many. Compiled once: every transaction leaves one. */
export function preparedAttempt(database: Database): (attempt: DeliveryAttempt) => Statement {
  const { sql } = database.read
    .insertInto('delivery_attempts')
    .values({ mailbox_id: 0, message_id: 0, destination: '', slot: 0, attempt: 0, at: 0, record: '' })
    .onConflict((conflict) =>
      conflict.columns(['mailbox_id', 'message_id', 'destination', 'slot']).doUpdateSet(({ ref }) => ({
        attempt: ref('excluded.attempt'),
        at: ref('excluded.at'),
        record: ref('excluded.record'),
      })),
    )
    .compile()
  return ({ mailbox, message, destination, attempt, at, ...kept }) => ({
    sql,
    parameters: [mailbox, message, destination, slotOf(attempt), attempt, at, JSON.stringify(kept satisfies Kept)],
  })
}

/** Those of one message, in their order. */
export async function attemptsOf(
  { read }: Database,
  mailbox: MailboxId,
  message: MessageId,
): Promise<DeliveryAttempt[]> {
  const rows = await read
    .selectFrom('delivery_attempts')
    .select(['destination', 'attempt', 'at', 'record'])
    .where('mailbox_id', '=', mailbox)
    .where('message_id', '=', message)
    .orderBy('destination')
    .orderBy('attempt')
    .execute()
  return rows.map(({ record, ...row }) => ({ mailbox, message, ...row, ...(JSON.parse(record) as Kept) }))
}
