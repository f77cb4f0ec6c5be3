import type { Insertable, Selectable } from 'kysely'
import type { MailboxId, TenantId } from '../mail/ids.js'
import type { Mailbox, MailboxRight } from '../mail/mailbox.js'
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
    const found = new Map(rows.map((row) => [row.address_key, mailboxOf(row)]))
    const others = addresses.map((address) => address.toLowerCase()).filter((address) => !found.has(address))
    for (const [alias, mailbox] of await this.#byAlias(tenant, others)) found.set(alias, mailbox)
    return found
  }

  async #byAlias(tenant: TenantId, addresses: readonly string[]): Promise<[string, Mailbox][]> {
    if (addresses.length === 0) return []
    const rows = await this.#database.read
      .selectFrom('mailbox_aliases')
      .innerJoin('mailboxes', 'mailboxes.id', 'mailbox_aliases.mailbox_id')
      .selectAll('mailboxes')
      .select('mailbox_aliases.address_key as alias')
      .where('mailbox_aliases.tenant_id', '=', tenant)
      .where('mailbox_aliases.address_key', 'in', addresses)
      .execute()
    return rows.map((row) => [row.alias, mailboxOf(row)])
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

  async aliasesOf(id: MailboxId): Promise<string[]> {
    const rows = await this.#database.read
      .selectFrom('mailbox_aliases')
      .select('address_key')
      .where('mailbox_id', '=', id)
      .orderBy('address_key')
      .execute()
    return rows.map((row) => row.address_key)
  }

  async rightsOf(id: MailboxId, user: string): Promise<ReadonlySet<MailboxRight>> {
    const rows = await this.#database.read
      .selectFrom('mailbox_rights')
      .select('right')
      .where('mailbox_id', '=', id)
      .where('user_id', '=', user)
      .execute()
    return new Set(rows.map((row) => row.right as MailboxRight))
  }

  async listRights(id: MailboxId): Promise<{ user: string; right: MailboxRight }[]> {
    const rows = await this.#database.read
      .selectFrom('mailbox_rights')
      .select(['user_id', 'right'])
      .where('mailbox_id', '=', id)
      .orderBy('user_id')
      .orderBy('right')
      .execute()
    return rows.map((row) => ({ user: row.user_id, right: row.right as MailboxRight }))
  }
}

export function insertMailbox(database: Database, mailbox: Mailbox): Statement {
  return statementOf(database.read.insertInto('mailboxes').values(rowOf(mailbox)).compile())
}

export function renameMailbox(database: Database, id: MailboxId, displayName: string): Statement {
  const query = database.read.updateTable('mailboxes').set({ display_name: displayName }).where('id', '=', id)
  return statementOf(query.compile(), { guarded: true })
}

export function insertAlias(database: Database, { id, tenant }: Mailbox, address: string): Statement {
  const query = database.read
    .insertInto('mailbox_aliases')
    .values({ tenant_id: tenant, address_key: address.toLowerCase(), mailbox_id: id })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant_id', 'address_key'])
        .doUpdateSet({ mailbox_id: id })
        .where('mailbox_aliases.mailbox_id', '=', id),
    )
  return statementOf(query.compile(), { guarded: true })
}

export function deleteAlias(database: Database, { id }: Mailbox, address: string): Statement {
  const query = database.read
    .deleteFrom('mailbox_aliases')
    .where('mailbox_id', '=', id)
    .where('address_key', '=', address.toLowerCase())
  return statementOf(query.compile())
}

export function grantRight(database: Database, id: MailboxId, user: string, right: MailboxRight): Statement {
  const query = database.read
    .insertInto('mailbox_rights')
    .values({ mailbox_id: id, user_id: user, right })
    .onConflict((conflict) => conflict.doNothing())
  return statementOf(query.compile())
}

export function revokeRight(database: Database, id: MailboxId, user: string, right: MailboxRight): Statement {
  const query = database.read
    .deleteFrom('mailbox_rights')
    .where('mailbox_id', '=', id)
    .where('user_id', '=', user)
    .where('right', '=', right)
  return statementOf(query.compile())
}

/** From now on deliveries to the mailbox look up what it says of them. */
export function mindArrivals(database: Database, id: MailboxId): Statement {
  const query = database.read.updateTable('mailboxes').set({ minds_arrivals: 1 }).where('id', '=', id)
  return statementOf(query.compile(), { guarded: true })
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
    ...(row.minds_arrivals === 1 ? { mindsArrivals: true } : {}),
  }
}
