/** What commands, files and the admin face do with tenants, users and applications, over one store. */
import {
  addSecret,
  changeRights,
  putApplication,
  putGroup,
  putRights,
  putSharedMailbox,
  putUser,
} from '../admin/directory.js'
import type { ApplicationEntry, GroupEntry, MailboxEntry, UserEntry } from '../admin/directory-file.js'
import { messageIn } from '../graph/item-id.js'
import type { Application } from '../identity/application.js'
import { developmentApplication } from '../identity/development.js'
import type { Group } from '../identity/group.js'
import { generateSigningKey, type SigningKey } from '../identity/signing-key.js'
import type { Tenant } from '../identity/tenant.js'
import type { Tokens } from '../identity/token.js'
import type { User } from '../identity/user.js'
import type { CallRecord } from '../mail/call-record.js'
import { createMailbox } from '../mail/create-mailbox.js'
import type { TenantId } from '../mail/ids.js'
import type { Mail } from '../mail/mail.js'
import type { Mailbox, MailboxRight } from '../mail/mailbox.js'
import type { OutboxEntry } from '../mail/outbox-entry.js'
import { changeQueue, type QueueAction, type QueueOutcome } from '../mail/queue.js'
import type { QueueFilter } from '../mail/store.js'
import { type Trace, traceOf } from '../mail/trace.js'
import type { Store } from '../store/open.js'

/** What a sample token may do. */
const samplePermissions = ['Mail.ReadWrite', 'Mail.Send', 'User.Read']

/** Tokens of the command line and of the start page live this long. */
const tokenLifetimeSeconds = 12 * 3600

/** Users listed at once. */
const maxListed = 100_000

/** Who a token is for: a user, or an application acting as itself. */
export type TokenRequest = {
  readonly scopes?: readonly string[]
  readonly lifetimeSeconds?: number
} & ({ readonly user: string } | { readonly app: string })

/** What the commands do beside a running server, on the same store. */
export interface Directory {
  readonly tenant: Tenant
  /** @throws Error when there is no such user */
  issueToken(wanted: TokenRequest): Promise<string>
  addUser(user: { userPrincipalName: string; displayName: string }): Promise<Mailbox>
  listUsers(): Promise<Mailbox[]>
  /** Users and shared mailboxes as they sign in, ordered by name. */
  listAccounts(): Promise<User[]>
  /** Each makes what is not there and changes what is. @throws DirectoryFault */
  putUser(entry: UserEntry): Promise<Mailbox>
  putSharedMailbox(entry: MailboxEntry): Promise<Mailbox>
  changeRights(of: string, to: string, rights: readonly MailboxRight[], isGranted: boolean): Promise<void>
  putGroup(entry: GroupEntry): Promise<Group>
  listGroups(): Promise<Group[]>
  putApplication(entry: ApplicationEntry): Promise<Application>
  listApplications(): Promise<Application[]>
  findApplication(id: string): Promise<Application | undefined>
  removeApplication(id: string): Promise<void>
  /** One more secret; `expiresAt` in ms since 1970. */
  addSecret(application: Application, expiresAt: number | undefined): Promise<string>
  /** Newest first. */
  listKeys(): Promise<SigningKey[]>
  /** A new key signs from now on; what the others signed stays good. */
  rotateKey(): Promise<SigningKey>
  /** What it signed is refused from now on. */
  removeKey(id: string): Promise<void>
  /** Mail that waits, ordered by mailbox, message and destination. */
  listQueue(filter: QueueFilter, limit: number): Promise<OutboxEntry[]>
  changeQueue(filter: QueueFilter, action: QueueAction): Promise<QueueOutcome>
  /** Newest first. */
  listOutbox(limit: number): Promise<OutboxEntry[]>
  listCalls(limit: number): Promise<CallRecord[]>
  /** All that is known under the id of a call or of a message. */
  trace(name: string): Promise<Trace>
}

export function directoryOf(store: Store, mail: Mail, tokens: Tokens, tenant: Tenant): Directory {
  const tenantId = tenant.id as TenantId
  const services = { mail, identity: store.identity }
  return {
    tenant,
    listAccounts: () => store.identity.listUsers(tenant.id, maxListed),
    putUser: async (entry) => {
      const mailbox = await putUser(services, tenant, entry)
      await putRights(services, tenant, entry)
      return mailbox
    },
    putSharedMailbox: async (entry) => {
      const mailbox = await putSharedMailbox(services, tenant, entry)
      await putRights(services, tenant, entry)
      return mailbox
    },
    changeRights: (of, to, rights, isGranted) => changeRights(services, tenant, { of, to, rights, isGranted }),
    putGroup: (entry) => putGroup(services, tenant, entry),
    listGroups: () => store.identity.listGroups(tenant.id),
    putApplication: (entry) => putApplication(services, tenant, entry),
    listApplications: () => store.identity.listApplications(tenant.id),
    findApplication: (id) => store.identity.findApplication(tenant.id, id),
    removeApplication: (id) => store.identity.removeApplication(tenant.id, id.toLowerCase()),
    addSecret: (application, expiresAt) => addSecret(services, application, expiresAt),
    listKeys: () => store.identity.listSigningKeys(),
    rotateKey: async () => {
      const key = await newSigningKey(store, mail)
      await tokens.reloadKeys()
      return key
    },
    removeKey: async (id) => {
      await store.identity.removeSigningKey(id)
      await tokens.reloadKeys()
    },
    issueToken: async (wanted) => {
      const grant = {
        tenant: tenant.id,
        permissions: wanted.scopes ?? samplePermissions,
        lifetimeSeconds: wanted.lifetimeSeconds ?? tokenLifetimeSeconds,
      }
      if ('app' in wanted) return tokens.issue({ ...grant, application: wanted.app, applicationName: wanted.app })
      const mailbox = await mail.store.mailboxes.find(tenantId, wanted.user)
      if (mailbox === undefined) throw new Error(`There is no user ${wanted.user}.`)
      const { owner: id, userPrincipalName, displayName } = mailbox
      return tokens.issue({
        ...grant,
        application: developmentApplication,
        applicationName: 'graphpost',
        user: { id, userPrincipalName, displayName },
      })
    },
    addUser: (user) => createMailbox(mail, { tenant: tenantId, ...user }),
    listUsers: () => mail.store.mailboxes.list(tenantId),
    listQueue: (filter, limit) => mail.store.outbox.listQueue(filter, limit),
    changeQueue: (filter, action) => changeQueue(mail, filter, action),
    listOutbox: (limit) => mail.store.outbox.listNewest(limit),
    listCalls: (limit) => store.calls.list(limit),
    trace: (name) => traceOf(mail, store.calls, name, messageIn),
  }
}

export async function newSigningKey(
  store: Store,
  { clock, random }: Pick<Mail, 'clock' | 'random'>,
): Promise<SigningKey> {
  const key = await generateSigningKey(random.uuid(), clock.now())
  await store.identity.addSigningKey(key)
  return key
}
