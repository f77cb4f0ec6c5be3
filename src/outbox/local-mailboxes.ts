import type { TenantId } from '../mail/ids.js'
import type { Mail } from '../mail/mail.js'
import type { Mailbox } from '../mail/mailbox.js'
import { isToBeTried, type OutboxEntry } from '../mail/outbox-entry.js'

/** Addresses in one question to the store, well under what either database takes as parameters. */
const addressesAtOnce = 1_000

/** Which mailboxes of ours the open recipients of an entry are, by lower-case address. */
export type LocalMailboxes = (entry: OutboxEntry) => ReadonlyMap<string, Mailbox>

/**
 * Looks up the recipients of many entries together: one question for each tenant instead of two for each entry. A
 * mailbox is local to its own tenant alone.
 */
export async function findLocalMailboxes(mail: Mail, entries: readonly OutboxEntry[]): Promise<LocalMailboxes> {
  const senders = [...new Set(entries.map((entry) => entry.mailbox))]
  const tenantOf = new Map(
    await Promise.all(senders.map(async (id) => [id, (await mail.store.mailboxes.get(id)).tenant] as const)),
  )
  const addresses = new Map<TenantId | undefined, Set<string>>()
  for (const entry of entries) {
    const tenant = tenantOf.get(entry.mailbox)
    const ofTenant = addresses.get(tenant) ?? new Set()
    addresses.set(tenant, ofTenant)
    for (const { address, state } of entry.recipients) if (isToBeTried(state)) ofTenant.add(address.toLowerCase())
  }
  const found = new Map<TenantId | undefined, Map<string, Mailbox>>()
  for (const [tenant, ofTenant] of addresses) {
    if (tenant !== undefined) found.set(tenant, await findAll(mail, tenant, [...ofTenant]))
  }
  return (entry) => found.get(tenantOf.get(entry.mailbox)) ?? new Map()
}

async function findAll(mail: Mail, tenant: TenantId, addresses: readonly string[]): Promise<Map<string, Mailbox>> {
  const all = new Map<string, Mailbox>()
  for (let start = 0; start < addresses.length; start += addressesAtOnce) {
    const part = await mail.store.mailboxes.findByAddress(tenant, addresses.slice(start, start + addressesAtOnce))
    for (const [address, mailbox] of part) all.set(address, mailbox)
  }
  return all
}
