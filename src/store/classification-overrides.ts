import type { Selectable } from 'kysely'
import type { ClassificationOverride } from '../mail/classification-override.js'
import type { MailboxId } from '../mail/ids.js'
import type { InferenceClassification } from '../mail/message.js'
import type { OverrideStore } from '../mail/store.js'
import type { Database } from './database.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

export class SqlOverrides implements OverrideStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async list(mailbox: MailboxId): Promise<ClassificationOverride[]> {
    const rows = await this.#database.read
      .selectFrom('classification_overrides')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .orderBy('position')
      .orderBy('id')
      .execute()
    return rows.map(overrideOf)
  }

  async find(mailbox: MailboxId, id: string): Promise<ClassificationOverride | undefined> {
    const row = await this.#database.read
      .selectFrom('classification_overrides')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && overrideOf(row)
  }

  async findBySender(mailbox: MailboxId, sender: string): Promise<ClassificationOverride | undefined> {
    const row = await this.#database.read
      .selectFrom('classification_overrides')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .where('address_key', '=', sender)
      .executeTakeFirst()
    return row && overrideOf(row)
  }
}

export function putOverride(
  database: Database,
  mailbox: MailboxId,
  { id, classifyAs, senderEmailAddress }: ClassificationOverride,
  position: number,
): Statement {
  const { address, name = null } = senderEmailAddress
  const query = database.read
    .insertInto('classification_overrides')
    .values({
      mailbox_id: mailbox,
      id,
      position,
      address_key: address.toLowerCase(),
      address,
      name,
      classify_as: classifyAs,
    })
    .onConflict((conflict) =>
      conflict.columns(['mailbox_id', 'address_key']).doUpdateSet({ name, classify_as: classifyAs }),
    )
  return statementOf(query.compile(), { guarded: true })
}

export function updateOverride(
  database: Database,
  mailbox: MailboxId,
  id: string,
  classifyAs: InferenceClassification,
): Statement {
  const query = database.read
    .updateTable('classification_overrides')
    .set({ classify_as: classifyAs })
    .where('mailbox_id', '=', mailbox)
    .where('id', '=', id)
  return statementOf(query.compile(), { guarded: true })
}

export function deleteOverride(database: Database, mailbox: MailboxId, id: string): Statement {
  const query = database.read
    .deleteFrom('classification_overrides')
    .where('mailbox_id', '=', mailbox)
    .where('id', '=', id)
  return statementOf(query.compile(), { guarded: true })
}

function overrideOf(row: Selectable<Schema['classification_overrides']>): ClassificationOverride {
  const { id, name, address } = row
  return {
    id,
    classifyAs: row.classify_as as InferenceClassification,
    senderEmailAddress: name === null ? { address } : { name, address },
  }
}
