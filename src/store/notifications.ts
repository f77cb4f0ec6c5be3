import type { FolderId, MailboxId, MessageId } from '../mail/ids.js'
import type { Notification, NotificationContent } from '../mail/notification.js'
import type { NotificationStore } from '../mail/store.js'
import type { MessageChange, Subscription } from '../mail/subscription.js'
import type { Database } from './database.js'
import { type Statement, statementOf } from './statement.js'
import { subscriptionOf } from './subscriptions.js'

export class SqlNotifications implements NotificationStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async isNeeded(): Promise<boolean> {
    const row = await this.#database.read
      .selectNoFrom((select) => [
        select.selectFrom('subscriptions').select('expires_at').limit(1).as('subscription'),
        select.selectFrom('notifications').select('due_at').limit(1).as('notification'),
        select.selectFrom('message_changes').select('id').limit(1).as('change'),
      ])
      .executeTakeFirst()
    return row !== undefined && (row.subscription !== null || row.notification !== null || row.change !== null)
  }

  async changes(limit: number): Promise<MessageChange[]> {
    const rows = await this.#database.read
      .selectFrom('message_changes')
      .selectAll()
      .orderBy('id')
      .limit(limit)
      .execute()
    return rows.map((row) => ({
      id: row.id,
      mailbox: row.mailbox_id as MailboxId,
      message: row.message_id as MessageId,
      from: { folder: row.from_folder as FolderId, moves: row.from_moves },
      to: { folder: row.to_folder as FolderId, moves: row.to_moves },
      change: row.change,
    }))
  }

  async claimDue(now: number, until: number, limit: number): Promise<Notification[]> {
    const { read, dialect } = this.#database
    const claim = read
      .with('due', (db) =>
        dialect.skipLocked(
          db.selectFrom('notifications').select('id').where('due_at', '<=', now).orderBy('due_at').limit(limit),
        ),
      )
      .updateTable('notifications')
      .set({ due_at: until })
      .where('id', 'in', (db) => db.selectFrom('due').select('id'))
      .returning('id')
      .compile()
    const written = await this.#database.write([statementOf(claim, { returnsRows: true })])
    const ids = (written.get(0) ?? []).map((row) => Number(row.id))
    return ids.length === 0 ? [] : this.#notifications(ids)
  }

  async #notifications(ids: readonly number[]): Promise<Notification[]> {
    const rows = await this.#database.read
      .selectFrom('notifications')
      .selectAll()
      .where('id', 'in', ids)
      .orderBy('created_at')
      .orderBy('id')
      .execute()
    const subscriptions = new Map(
      (
        await this.#database.read
          .selectFrom('subscriptions')
          .selectAll()
          .where('id', 'in', [...new Set(rows.map((row) => row.subscription_id))])
          .execute()
      ).map((row) => [row.id, subscriptionOf(row)]),
    )
    return rows.flatMap((row) => {
      const kept = row.subscription === null ? undefined : (JSON.parse(row.subscription) as Subscription)
      const subscription = kept ?? subscriptions.get(row.subscription_id)
      // Deleted since the claim, with its subscription: nobody is to be told.
      if (subscription === undefined) return []
      const content = JSON.parse(row.content) as NotificationContent
      return [{ id: row.id, subscription, content, createdAt: row.created_at, dueAt: row.due_at }]
    })
  }

  async releaseClaims(now: number): Promise<void> {
    const query = this.#database.read.updateTable('notifications').set({ due_at: now }).where('due_at', '>', now)
    await this.#database.write([statementOf(query.compile())])
  }

  async nextDueAt(): Promise<number | undefined> {
    const row = await this.#database.read
      .selectFrom('notifications')
      .select('due_at')
      .orderBy('due_at')
      .limit(1)
      .executeTakeFirst()
    return row?.due_at
  }
}

export function insertNotification(database: Database, notification: Notification, outlives = false): Statement {
  const { id, subscription, content, createdAt, dueAt } = notification
  const query = database.read.insertInto('notifications').values({
    id,
    subscription_id: subscription.id,
    content: JSON.stringify(content),
    subscription: outlives ? JSON.stringify(subscription) : null,
    created_at: createdAt,
    due_at: dueAt,
  })
  return statementOf(query.compile())
}

export function deleteNotification(database: Database, id: number): Statement {
  return statementOf(database.read.deleteFrom('notifications').where('id', '=', id).compile())
}

export function delayNotification(database: Database, id: number, dueAt: number): Statement {
  return statementOf(database.read.updateTable('notifications').set({ due_at: dueAt }).where('id', '=', id).compile())
}

export function deleteMessageChange(database: Database, id: number): Statement {
  return statementOf(database.read.deleteFrom('message_changes').where('id', '=', id).compile(), { guarded: true })
}
