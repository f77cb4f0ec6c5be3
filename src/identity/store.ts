import type { Application } from './application.js'
import type { GrantStore } from './grant.js'
import type { Group } from './group.js'
import type { SigningKey } from './signing-key.js'
import type { Tenant } from './tenant.js'
import type { User } from './user.js'

/** What identity needs kept. */
export interface IdentityStore {
  listTenants(): Promise<Tenant[]>
  /** Does nothing when a tenant of that id is there. */
  addTenant(tenant: Tenant): Promise<void>
  /** Newest first. */
  listSigningKeys(): Promise<SigningKey[]>
  /** Does nothing when a key of that id is there. */
  addSigningKey(key: SigningKey): Promise<void>
  removeSigningKey(id: string): Promise<void>

  /** By object id, user principal name or any address, in any case. */
  findUser(tenant: string, key: string): Promise<User | undefined>
  /** Ordered by user principal name. */
  listUsers(tenant: string, limit: number): Promise<User[]>
  /**
   * How a user's owner is known; the mailbox itself is the mail domain's. Whoever signed in before must do it again: a new
   * password is often the answer to a stolen one.
   */
  setAccount(user: Pick<User, 'tenant' | 'id' | 'kind' | 'passwordHash'>): Promise<void>

  findApplication(tenant: string, id: string): Promise<Application | undefined>
  /** By client id or one of its identifier URIs. */
  findResource(tenant: string, name: string): Promise<Application | undefined>
  listApplications(tenant: string): Promise<Application[]>
  /** Writes over the one with its id. */
  putApplication(application: Application): Promise<void>
  /** With what its users consented to. */
  removeApplication(tenant: string, id: string): Promise<void>

  listGroups(tenant: string): Promise<Group[]>
  putGroup(group: Group): Promise<void>

  /** Permissions that a user lets an application use, lower case. */
  consentOf(tenant: string, user: string, application: string): Promise<string[]>
  setConsent(tenant: string, user: string, application: string, permissions: readonly string[]): Promise<void>

  readonly grants: GrantStore
}
