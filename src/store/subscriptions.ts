import type { Selectable } from 'kysely'
import type { MailboxId, TenantId } from '../mail/ids.js'
import type { SubscriptionStore } from '../mail/store.js'
import type { Subscription } from '../mail/subscription.js'
import type { Database } from './database.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

export class SqlSubscriptions implements SubscriptionStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async find(tenant: TenantId, id: string): Promise<Subscription | undefined> {
    const row = await this.#database.read
      .selectFrom('subscriptions')
      .selectAll()
      .where('tenant_id', '=', tenant)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && subscriptionOf(row)
  }

  async listByApplication(tenant: TenantId, application: string): Promise<Subscription[]> {
    const rows = await this.#database.read
      .selectFrom('subscriptions')
      .selectAll()
      .where('tenant_id', '=', tenant)
      .where('application_id', '=', application)
      .execute()
    return rows.map(subscriptionOf)
  }

  async listByMailbox(mailbox: MailboxId): Promise<Subscription[]> {
    const rows = await this.#database.read
      .selectFrom('subscriptions')
      .selectAll()
      .where('mailbox_id', '=', mailbox)
      .execute()
    return rows.map(subscriptionOf)
  }

  async list(): Promise<Subscription[]> {
    return (await this.#database.read.selectFrom('subscriptions').selectAll().execute()).map(subscriptionOf)
  }
}

function rowOf(subscription: Subscription): Schema['subscriptions'] {
  const { id, tenant, application, user, mailbox, expiresAt, ...details } = subscription
  return {
    id,
    tenant_id: tenant,
    application_id: application,
    user_id: user ?? null,
    mailbox_id: mailbox,
    expires_at: expiresAt,
    details: JSON.stringify(details),
  }
}

export function subscriptionOf(row: Selectable<Schema['subscriptions']>): Subscription {
  return {
    ...(JSON.parse(row.details) as Subscription),
    id: row.id,
    tenant: row.tenant_id as TenantId,
    application: row.application_id,
    user: row.user_id ?? undefined,
    mailbox: row.mailbox_id as MailboxId,
    expiresAt: row.expires_at,
  }
}

/** From its commit on, changes are noted. */
export function insertSubscription({ read, dialect }: Database, subscription: Subscription): Statement[] {
  return [
    ...dialect.lockSubscriptions.map(plain),
    statementOf(read.insertInto('subscriptions').values(rowOf(subscription)).compile()),
    ...dialect.noting.begin.map(plain),
  ]
}

/** Guarded: changes are noted as long as there is a subscription. */
export function endNoting({ read, dialect }: Database): Statement[] {
  // Says nothing, but of one row, and only while there is no subscription.
  const guard = read
    .updateTable('sequences')
    .set((column) => ({ next: column.ref('next') }))
    .where('name', '=', 'ids')
    .where((where) => where.not(where.exists(read.selectFrom('subscriptions').select('id'))))
  return [
    ...dialect.lockSubscriptions.map(plain),
    statementOf(guard.compile(), { guarded: true }),
    ...dialect.noting.end.map(plain),
  ]
}

function plain(sql: string): Statement {
  return { sql, parameters: [] }
}

export function updateSubscription(database: Database, subscription: Subscription, previous: Subscription): Statement {
  const { id, ...row } = rowOf(subscription)
  const was = rowOf(previous)
  const query = database.read
    .updateTable('subscriptions')
    .set(row)
    .where('id', '=', id)
    .where('expires_at', '=', was.expires_at)
    .where('details', '=', was.details)
  return statementOf(query.compile(), { guarded: true })
}

/** What outlives the subscription holds it, and stays. */
export function deleteSubscription(database: Database, id: string): Statement[] {
  const told = database.read
    .deleteFrom('notifications')
    .where('subscription_id', '=', id)
    .where('subscription', 'is', null)
  return [
    statementOf(told.compile()),
    statementOf(database.read.deleteFrom('subscriptions').where('id', '=', id).compile(), { guarded: true }),
  ]
}
