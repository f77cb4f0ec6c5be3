import type { Selectable } from 'kysely'
import type { MailboxId } from '../mail/ids.js'
import type { MessageRule, RuleSaid } from '../mail/message-rule.js'
import type { RuleStore } from '../mail/store.js'
import type { Database } from './database.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

export class SqlRules implements RuleStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async list(mailbox: MailboxId): Promise<MessageRule[]> {
    const rows = await this.#database.read
      .selectFrom('message_rules')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .orderBy('id')
      .execute()
    return rows.map(ruleOf)
  }

  async find(mailbox: MailboxId, id: number): Promise<MessageRule | undefined> {
    const row = await this.#database.read
      .selectFrom('message_rules')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && ruleOf(row)
  }
}

export function insertRule(database: Database, mailbox: MailboxId, { id, change, ...said }: MessageRule): Statement {
  const query = database.read
    .insertInto('message_rules')
    .values({ mailbox_id: mailbox, id, change, rule: JSON.stringify(said) })
  return statementOf(query.compile())
}

export function updateRule(
  database: Database,
  mailbox: MailboxId,
  { id, change, ...said }: MessageRule,
  previousChange: number,
): Statement {
  const query = database.read
    .updateTable('message_rules')
    .set({ change, rule: JSON.stringify(said) })
    .where('mailbox_id', '=', mailbox)
    .where('id', '=', id)
    .where('change', '=', previousChange)
  return statementOf(query.compile(), { guarded: true })
}

export function deleteRule(database: Database, mailbox: MailboxId, id: number): Statement {
  const query = database.read.deleteFrom('message_rules').where('mailbox_id', '=', mailbox).where('id', '=', id)
  return statementOf(query.compile(), { guarded: true })
}

function ruleOf(row: Selectable<Schema['message_rules']>): MessageRule {
  return { ...(JSON.parse(row.rule) as RuleSaid), id: row.id, change: row.change }
}
