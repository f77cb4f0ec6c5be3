import type { Insertable, Selectable } from 'kysely'
import type { Application } from '../identity/application.js'
import type { Group } from '../identity/group.js'
import type { IdentityStore } from '../identity/store.js'
import type { User, UserKind } from '../identity/user.js'
import type { Database } from './database.js'
import { deleteUntilNone, sqlGrantStore } from './grants.js'
import type { Schema } from './schema.js'
import { statementOf } from './statement.js'

/** The ports of identity, kept in one SQL database. */
export function sqlIdentityStore(database: Database): IdentityStore {
  return {
    ...tenantsAndKeys(database),
    ...users(database),
    ...applications(database),
    ...groups(database),
    ...consents(database),
    grants: sqlGrantStore(database),
  }
}

function tenantsAndKeys(database: Database) {
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
      const rows = await read
        .selectFrom('signing_keys')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .execute()
      return rows.map((row) => ({ id: row.id, privateJwk: JSON.parse(row.private_jwk), createdAt: row.created_at }))
    },
    addSigningKey: async (key) => {
      const query = read
        .insertInto('signing_keys')
        .values({ id: key.id, private_jwk: JSON.stringify(key.privateJwk), created_at: key.createdAt })
        .onConflict((conflict) => conflict.column('id').doNothing())
      await database.write([statementOf(query.compile())])
    },
    removeSigningKey: async (id) => {
      await database.write([statementOf(read.deleteFrom('signing_keys').where('id', '=', id).compile())])
    },
  } satisfies Partial<IdentityStore>
}

function users(database: Database) {
  const { read } = database
  /** A user is the owner of a mailbox; the account says how they sign in, and most have none of their own. */
  const everyUser = read
    .selectFrom('mailboxes')
    .leftJoin('accounts', (join) =>
      join.onRef('accounts.tenant_id', '=', 'mailboxes.tenant_id').onRef('accounts.user_id', '=', 'mailboxes.owner'),
    )
    .select([
      'mailboxes.tenant_id as tenant',
      'mailboxes.owner as id',
      'mailboxes.user_principal_name as userPrincipalName',
      'mailboxes.display_name as displayName',
      'mailboxes.address as mail',
      'accounts.kind as kind',
      'accounts.password_hash as passwordHash',
    ])
  const userOf = (
    row: {
      [Name in keyof User]: Name extends 'kind' | 'passwordHash' ? string | null : string
    },
  ): User => ({
    ...row,
    kind: (row.kind ?? 'user') as UserKind,
    passwordHash: row.passwordHash ?? undefined,
  })
  return {
    findUser: async (tenant, key) => {
      const lower = key.toLowerCase()
      const row = await everyUser
        .where('mailboxes.tenant_id', '=', tenant)
        .where((where) =>
          where.or([
            where('mailboxes.owner', '=', lower),
            where('mailboxes.upn_key', '=', lower),
            where('mailboxes.address_key', '=', lower),
            where(
              'mailboxes.id',
              'in',
              read
                .selectFrom('mailbox_aliases')
                .select('mailbox_id')
                .where('tenant_id', '=', tenant)
                .where('address_key', '=', lower),
            ),
          ]),
        )
        .executeTakeFirst()
      return row && userOf(row)
    },
    listUsers: async (tenant, limit) => {
      const rows = await everyUser
        .where('mailboxes.tenant_id', '=', tenant)
        .orderBy('mailboxes.upn_key')
        .limit(limit)
        .execute()
      return rows.map(userOf)
    },
    setAccount: async ({ tenant, id, kind, passwordHash }) => {
      const account = { kind, password_hash: passwordHash ?? null }
      const query = read
        .insertInto('accounts')
        .values({ tenant_id: tenant, user_id: id, ...account })
        .onConflict((conflict) => conflict.columns(['tenant_id', 'user_id']).doUpdateSet(account))
      const grants = read.deleteFrom('grants').where('tenant_id', '=', tenant).where('user_id', '=', id).returning('id')
      const revoking = statementOf(grants.compile(), { returnsRows: true })
      await database.write([statementOf(query.compile()), revoking])
      await deleteUntilNone(database, revoking)
    },
  } satisfies Partial<IdentityStore>
}

function applications(database: Database) {
  const { read } = database
  return {
    findApplication: async (tenant, id) => {
      const row = await read
        .selectFrom('applications')
        .selectAll()
        .where('tenant_id', '=', tenant)
        .where('id', '=', id.toLowerCase())
        .executeTakeFirst()
      return row && applicationOf(row)
    },
    findResource: async (tenant, name) => {
      // Applications are few; a table of their names would have to be kept in step for nothing.
      const rows = await read.selectFrom('applications').selectAll().where('tenant_id', '=', tenant).execute()
      return rows
        .map(applicationOf)
        .find(({ id, identifierUris }) => id === name.toLowerCase() || identifierUris.includes(name))
    },
    listApplications: async (tenant) => {
      const rows = await read
        .selectFrom('applications')
        .selectAll()
        .where('tenant_id', '=', tenant)
        .orderBy('display_name')
        .orderBy('id')
        .execute()
      return rows.map(applicationOf)
    },
    putApplication: async (application) => {
      const row = applicationRow(application)
      const query = read
        .insertInto('applications')
        .values(row)
        .onConflict((conflict) => conflict.columns(['tenant_id', 'id']).doUpdateSet(row))
      await database.write([statementOf(query.compile())])
    },
    removeApplication: async (tenant, id) => {
      const application = read.deleteFrom('applications').where('tenant_id', '=', tenant).where('id', '=', id)
      const consent = read.deleteFrom('consents').where('tenant_id', '=', tenant).where('application_id', '=', id)
      const grants = read.deleteFrom('grants').where('tenant_id', '=', tenant).where('application_id', '=', id)
      await database.write([application, consent, grants].map((query) => statementOf(query.compile())))
    },
  } satisfies Partial<IdentityStore>
}

function applicationRow(application: Application): Insertable<Schema['applications']> {
  const { tenant, id, objectId, displayName, ...details } = application
  return {
    tenant_id: tenant,
    id,
    object_id: objectId,
    display_name: displayName,
    details: JSON.stringify(details),
  }
}

function applicationOf(row: Selectable<Schema['applications']>): Application {
  return {
    tenant: row.tenant_id,
    id: row.id,
    objectId: row.object_id,
    displayName: row.display_name,
    ...(JSON.parse(row.details) as Omit<Application, 'tenant' | 'id' | 'objectId' | 'displayName'>),
  }
}

function groups(database: Database) {
  const { read } = database
  return {
    listGroups: async (tenant) => {
      const rows = await read.selectFrom('groups').selectAll().where('tenant_id', '=', tenant).orderBy('id').execute()
      return rows.map((row) => ({
        tenant: row.tenant_id,
        id: row.id,
        address: row.address,
        displayName: row.display_name,
        members: JSON.parse(row.members) as string[],
      }))
    },
    putGroup: async ({ tenant, id, address, displayName, members }: Group) => {
      const row = { tenant_id: tenant, id, address, display_name: displayName, members: JSON.stringify(members) }
      const query = read
        .insertInto('groups')
        .values(row)
        .onConflict((conflict) => conflict.columns(['tenant_id', 'id']).doUpdateSet(row))
      await database.write([statementOf(query.compile())])
    },
  } satisfies Partial<IdentityStore>
}

function consents(database: Database) {
  const { read } = database
  return {
    consentOf: async (tenant, user, application) => {
      const row = await read
        .selectFrom('consents')
        .select('permissions')
        .where('tenant_id', '=', tenant)
        .where('user_id', '=', user)
        .where('application_id', '=', application)
        .executeTakeFirst()
      return row === undefined || row.permissions === '' ? [] : row.permissions.split(' ')
    },
    setConsent: async (tenant, user, application, permissions) => {
      const row = { tenant_id: tenant, user_id: user, application_id: application, permissions: permissions.join(' ') }
      const query = read
        .insertInto('consents')
        .values(row)
        .onConflict((conflict) => conflict.columns(['tenant_id', 'user_id', 'application_id']).doUpdateSet(row))
      await database.write([statementOf(query.compile())])
    },
  } satisfies Partial<IdentityStore>
}
