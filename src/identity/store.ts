import type { SigningKey } from './signing-key.js'
import type { Tenant } from './tenant.js'

/** What identity needs kept. */
export interface IdentityStore {
  listTenants(): Promise<Tenant[]>
  /** Does nothing when a tenant of that id is there. */
  addTenant(tenant: Tenant): Promise<void>
  /** Newest first. */
  listSigningKeys(): Promise<SigningKey[]>
  /** Does nothing when a key of that id is there. */
  addSigningKey(key: SigningKey): Promise<void>
}
