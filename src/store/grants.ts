import type { Insertable, Selectable } from 'kysely'
import type { Grant, GrantDetails, GrantKind, GrantState, GrantStore } from '../identity/grant.js'
import { type Database, WriteConflict } from './database.js'
import type { Schema } from './schema.js'
import { type Statement, statementOf } from './statement.js'

type GrantRow = Selectable<Schema['grants']>

/** What can be redeemed once; each change of state is one statement, so that of many at once one wins. */
export function sqlGrantStore(database: Database): GrantStore {
  const { read } = database
  return {
    insert: async (grant) => {
      await database.write([statementOf(read.insertInto('grants').values(rowOf(grant)).compile())])
    },

    find: async (id) => {
      const row = await read.selectFrom('grants').selectAll().where('id', '=', id).executeTakeFirst()
      return row && grantOf(row)
    },

    findByUserCode: async (userCode) => {
      const row = await read.selectFrom('grants').selectAll().where('user_code', '=', userCode).executeTakeFirst()
      return row && grantOf(row)
    },

    redeem: async (id, now, successor) => {
      const redeemed = read
        .updateTable('grants')
        .set({ state: 'redeemed' satisfies GrantState, redeemed_at: now })
        .where('id', '=', id)
        .where('state', '=', 'approved' satisfies GrantState)
        .where('expires_at', '>', now)
      const statements = [statementOf(redeemed.compile(), { guarded: true })]
      if (successor !== undefined) {
        statements.push(statementOf(read.insertInto('grants').values(rowOf(successor)).compile()))
      }
      return database.write(statements).then(
        () => true,
        (error: unknown) => {
          if (error instanceof WriteConflict) return false
          throw error
        },
      )
    },

    decide: async (id, decision, now) => {
      const change =
        decision === 'declined'
          ? { state: 'declined' satisfies GrantState }
          : { state: 'approved' satisfies GrantState, user_id: decision.user, tenant_id: decision.tenant }
      const query = read
        .updateTable('grants')
        .set(change)
        .where('id', '=', id)
        .where('state', '=', 'open' satisfies GrantState)
        .where('expires_at', '>', now)
        .returning('id')
      const rows = await database.write([statementOf(query.compile(), { returnsRows: true })])
      return (rows.get(0) ?? []).length > 0
    },

    revokeFamily: async (family) => {
      const query = read.deleteFrom('grants').where('family', '=', family).returning('id')
      await deleteUntilNone(database, statementOf(query.compile(), { returnsRows: true }))
    },

    deleteExpired: async (now) => {
      await database.write([statementOf(read.deleteFrom('grants').where('expires_at', '<', now).compile())])
    },
  }
}

/**
 * PostgreSQL waits for a refresh that is under way and deletes what it redeemed, but does not see the successor that it
 * committed meanwhile: so again, until there is none.
 *
 * @param query deletes grants, and returns them
 */
export async function deleteUntilNone(database: Database, query: Statement): Promise<void> {
  let deleted: number
  do {
    deleted = (await database.write([query])).get(0)?.length ?? 0
  } while (deleted > 0)
}

function rowOf(grant: Grant): Insertable<Schema['grants']> {
  return {
    id: grant.id,
    kind: grant.kind,
    state: grant.state,
    tenant_id: grant.tenant,
    application_id: grant.application,
    user_id: grant.user ?? null,
    user_code: grant.userCode ?? null,
    family: grant.family,
    details: JSON.stringify(grant.details),
    expires_at: grant.expiresAt,
    redeemed_at: grant.redeemedAt ?? null,
  }
}

function grantOf(row: GrantRow): Grant {
  return {
    id: row.id,
    kind: row.kind as GrantKind,
    state: row.state as GrantState,
    tenant: row.tenant_id,
    application: row.application_id,
    user: row.user_id ?? undefined,
    userCode: row.user_code ?? undefined,
    family: row.family,
    details: JSON.parse(row.details) as GrantDetails,
    expiresAt: row.expires_at,
    redeemedAt: row.redeemed_at ?? undefined,
  }
}
