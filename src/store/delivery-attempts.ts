import { type DeliveryAttempt, slotOf } from '../mail/delivery-attempt.js'
import type { MailboxId, MessageId } from '../mail/ids.js'
import type { Database } from './database.js'
import { type Statement, statementOf } from './statement.js'

type Kept = Omit<DeliveryAttempt, 'mailbox' | 'message' | 'destination' | 'attempt' | 'at'>

/** In the place of an older one, where there are many. */
export function putAttempt(database: Database, given: DeliveryAttempt): Statement {
  const { mailbox, message, destination, attempt, at, ...kept } = given
  const said = { attempt, at, record: JSON.stringify(kept satisfies Kept) }
  const query = database.read
    .insertInto('delivery_attempts')
    .values({ mailbox_id: mailbox, message_id: message, destination, slot: slotOf(attempt), ...said })
    .onConflict((conflict) => conflict.columns(['mailbox_id', 'message_id', 'destination', 'slot']).doUpdateSet(said))
  return statementOf(query.compile())
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
