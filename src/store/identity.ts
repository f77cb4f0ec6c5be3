import type { IdentityStore } from '../identity/store.js'
import type { Database } from './database.js'
import { statementOf } from './statement.js'

/** The ports of identity, kept in one SQL database. */
export function sqlIdentityStore(database: Database): IdentityStore {
  const { read } = database
  return {
    listTenants: async () => {
      const rows = await read.selectFrom('tenants').selectAll().orderBy('id').execute()
      return rows.map((row) => ({ id: row.id, domain: row.domain, displayName: row.display_name }))
    },
    addTenant: async (tenant) => {
      const query = read
        .insertInto('tenants')
        .values({ id: tenant.id, domain: tenant.domain, display_name: tenant.displayName })
        .onConflict((conflict) => conflict.column('id').doNothing())
      await database.write([statementOf(query.compile())])
    },
    listSigningKeys: async () => {
      const rows = await read.selectFrom('signing_keys').selectAll().orderBy('created_at', 'desc').execute()
      return rows.map((row) => ({ id: row.id, privateJwk: JSON.parse(row.private_jwk), createdAt: row.created_at }))
    },
    addSigningKey: async (key) => {
      const query = read
        .insertInto('signing_keys')
        .values({ id: key.id, private_jwk: JSON.stringify(key.privateJwk), created_at: key.createdAt })
        .onConflict((conflict) => conflict.column('id').doNothing())
      await database.write([statementOf(query.compile())])
    },
  }
}
