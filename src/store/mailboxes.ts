import type { Insertable, Selectable } from 'kysely'
import type { MailboxId, TenantId } from '../mail/ids.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { MailboxStore } from '../mail/store.js'
import type { Database } from './database.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

export class SqlMailboxes implements MailboxStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async find(tenant: TenantId, key: string): Promise<Mailbox | undefined> {
    const lower = key.toLowerCase()
    const row = await this.#database.read
      .selectFrom('mailboxes')
      .selectAll()
      .where('tenant_id', '=', tenant)
      .where((where) => where.or([where('owner', '=', lower), where('upn_key', '=', lower)]))
      .executeTakeFirst()
    return row && mailboxOf(row)
  }

  async get(id: MailboxId): Promise<Mailbox> {
    const row = await this.#database.read
      .selectFrom('mailboxes')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    return mailboxOf(row)
  }

  async findByAddress(tenant: TenantId, addresses: readonly string[]): Promise<Map<string, Mailbox>> {
    if (addresses.length === 0) return new Map()
    const rows = await this.#database.read
      .selectFrom('mailboxes')
      .selectAll()
      .where('tenant_id', '=', tenant)
      .where(
        'address_key',
        'in',
        addresses.map((address) => address.toLowerCase()),
      )
      .execute()
    return new Map(rows.map((row) => [row.address_key, mailboxOf(row)]))
  }

  async list(tenant: TenantId): Promise<Mailbox[]> {
    const rows = await this.#database.read
      .selectFrom('mailboxes')
      .selectAll()
      .where('tenant_id', '=', tenant)
      .orderBy('upn_key')
      .execute()
    return rows.map(mailboxOf)
  }
}

export function insertMailbox(database: Database, mailbox: Mailbox): Statement {
  return statementOf(database.read.insertInto('mailboxes').values(rowOf(mailbox)).compile())
}

function rowOf(mailbox: Mailbox): Insertable<Schema['mailboxes']> {
  return {
    id: mailbox.id,
    tenant_id: mailbox.tenant,
    guid: mailbox.guid,
    owner: mailbox.owner,
    user_principal_name: mailbox.userPrincipalName,
    address: mailbox.address,
    display_name: mailbox.displayName,
    upn_key: mailbox.userPrincipalName.toLowerCase(),
    address_key: mailbox.address.toLowerCase(),
  }
}

function mailboxOf(row: Selectable<Schema['mailboxes']>): Mailbox {
  return {
    id: row.id as MailboxId,
    tenant: row.tenant_id as TenantId,
    guid: row.guid,
    owner: row.owner,
    userPrincipalName: row.user_principal_name,
    address: row.address,
    displayName: row.display_name,
  }
}
