import { createHash, X509Certificate } from 'node:crypto'
import { type Application, type ClientCertificate, type ClientSecret, newApplication } from '../identity/application.js'
import type { Group } from '../identity/group.js'
import { hashSecret, isSecret, newClientSecret } from '../identity/secret.js'
import type { IdentityStore } from '../identity/store.js'
import type { Tenant } from '../identity/tenant.js'
import type { UserKind } from '../identity/user.js'
import { createMailbox } from '../mail/create-mailbox.js'
import type { TenantId } from '../mail/ids.js'
import type { Mail } from '../mail/mail.js'
import { type Mailbox, type MailboxRight, mailboxRights } from '../mail/mailbox.js'
import {
  type ApplicationEntry,
  type DirectoryDocument,
  DirectoryFault,
  type GroupEntry,
  type MailboxEntry,
  type TenantContent,
  type UserEntry,
} from './directory-file.js'

/** What changes the directory: the command line, the admin API and the directory file, all through the functions below. */
export interface DirectoryServices {
  readonly mail: Mail
  readonly identity: IdentityStore
}

/** Brings everything a document names into the store, tenant by tenant. @throws DirectoryFault */
export async function applyDirectory(
  services: DirectoryServices,
  first: Tenant,
  document: DirectoryDocument,
): Promise<void> {
  const { tenants = [], ...content } = document
  await applyContent(services, first, content)
  for (const { id, domain, displayName = domain, ...own } of tenants) {
    const tenant = { id: id.toLowerCase(), domain: domain.toLowerCase(), displayName }
    await services.identity.addTenant(tenant)
    await applyContent(services, tenant, own)
  }
}

async function applyContent(services: DirectoryServices, tenant: Tenant, content: TenantContent): Promise<void> {
  const { users = [], sharedMailboxes = [], groups = [], applications = [] } = content
  // Everybody first: rights and groups name others.
  for (const user of users) await putUser(services, tenant, user)
  for (const shared of sharedMailboxes) await putSharedMailbox(services, tenant, shared)
  for (const entry of [...users, ...sharedMailboxes]) await putRights(services, tenant, entry)
  for (const group of groups) await putGroup(services, tenant, group)
  for (const application of applications) await putApplication(services, tenant, application)
}

/** A user with a mailbox, made or brought up to date; a password only where one is given. @throws DirectoryFault */
export async function putUser(services: DirectoryServices, tenant: Tenant, entry: UserEntry): Promise<Mailbox> {
  const mailbox = await putMailbox(services, tenant, entry)
  await setAccount(services, tenant, mailbox, 'user', entry.password)
  return mailbox
}

/** A mailbox that nobody signs in to. @throws DirectoryFault */
export async function putSharedMailbox(
  services: DirectoryServices,
  tenant: Tenant,
  entry: MailboxEntry,
): Promise<Mailbox> {
  const mailbox = await putMailbox(services, tenant, entry)
  await setAccount(services, tenant, mailbox, 'shared', undefined)
  return mailbox
}

async function putMailbox({ mail }: DirectoryServices, tenant: Tenant, entry: MailboxEntry): Promise<Mailbox> {
  const tenantId = tenant.id as TenantId
  const { userPrincipalName, displayName, mail: address, aliases = [] } = entry
  const known = await mail.store.mailboxes.find(tenantId, userPrincipalName)
  const owned = await mail.store.mailboxes.findByAddress(tenantId, [address ?? userPrincipalName, ...aliases])
  for (const [name, owner] of owned) {
    if (owner.id !== known?.id) throw new DirectoryFault(`${name} is an address of ${owner.userPrincipalName} already.`)
  }
  const mailbox =
    known ??
    (await createMailbox(mail, {
      tenant: tenantId,
      userPrincipalName,
      displayName: displayName ?? userPrincipalName.split('@')[0] ?? userPrincipalName,
      ...(address === undefined ? {} : { address }),
    }))
  const isRenamed = displayName !== undefined && displayName !== mailbox.displayName
  const kept = entry.aliases === undefined ? [] : await mail.store.mailboxes.aliasesOf(mailbox.id)
  const wanted = new Set(aliases.map((alias) => alias.toLowerCase()))
  wanted.delete(mailbox.address.toLowerCase())
  await mail.store.write((tx) => {
    if (isRenamed) tx.renameMailbox(mailbox.id, displayName)
    for (const alias of kept) if (!wanted.has(alias)) tx.deleteAlias(mailbox, alias)
    for (const alias of wanted) tx.insertAlias(mailbox, alias)
  })
  return isRenamed ? { ...mailbox, displayName } : mailbox
}

async function setAccount(
  { identity }: DirectoryServices,
  tenant: Tenant,
  { owner }: Mailbox,
  kind: UserKind,
  password: string | undefined,
): Promise<void> {
  const known = await identity.findUser(tenant.id, owner)
  const kept = known?.passwordHash
  // Hashed anew only when it is another: each hash has a salt of its own.
  const isSame = password === undefined || (kept !== undefined && (await isSecret(password, kept)))
  if (isSame && known?.kind === kind) return
  const passwordHash = kind === 'shared' ? undefined : isSame ? kept : await hashSecret(password)
  await identity.setAccount({ tenant: tenant.id, id: owner, kind, passwordHash })
}

/** Rights in a mailbox as the entry lists them; a list that is not given stays as it is. @throws DirectoryFault */
export async function putRights({ mail }: DirectoryServices, tenant: Tenant, entry: MailboxEntry): Promise<void> {
  const mailbox = await mailboxNamed(mail, tenant, entry.userPrincipalName)
  const kept = await mail.store.mailboxes.listRights(mailbox.id)
  for (const right of mailboxRights) {
    const listed = entry[right]
    if (listed === undefined) continue
    const users = await Promise.all(listed.map((name) => mailboxNamed(mail, tenant, name)))
    const wanted = new Set(users.map(({ owner }) => owner))
    await mail.store.write((tx) => {
      for (const known of kept) {
        if (known.right === right && !wanted.has(known.user)) tx.revokeRight(mailbox.id, known.user, right)
      }
      for (const user of wanted) tx.grantRight(mailbox.id, user, right)
    })
  }
}

/** Gives a user rights in the mailbox of another, or takes them. @throws DirectoryFault */
export async function changeRights(
  { mail }: DirectoryServices,
  tenant: Tenant,
  change: {
    readonly of: string
    readonly to: string
    readonly rights: readonly MailboxRight[]
    readonly isGranted: boolean
  },
): Promise<void> {
  const mailbox = await mailboxNamed(mail, tenant, change.of)
  const user = await mailboxNamed(mail, tenant, change.to)
  await mail.store.write((tx) => {
    for (const right of change.rights) {
      if (change.isGranted) tx.grantRight(mailbox.id, user.owner, right)
      else tx.revokeRight(mailbox.id, user.owner, right)
    }
  })
}

async function mailboxNamed(mail: Mail, { id, domain }: Tenant, name: string): Promise<Mailbox> {
  const found = await mail.store.mailboxes.find(id as TenantId, name)
  if (found === undefined) throw new DirectoryFault(`There is no user ${name} in ${domain}.`)
  return found
}

/** @throws DirectoryFault */
export async function putGroup(
  { mail, identity }: DirectoryServices,
  tenant: Tenant,
  entry: GroupEntry,
): Promise<Group> {
  const address = entry.address.toLowerCase()
  const known = (await identity.listGroups(tenant.id)).find((group) => group.address === address)
  const members = await Promise.all(entry.members.map((name) => mailboxNamed(mail, tenant, name)))
  const group = {
    tenant: tenant.id,
    id: known?.id ?? mail.random.uuid(),
    address,
    displayName: entry.displayName ?? known?.displayName ?? entry.address,
    members: members.map(({ owner }) => owner),
  }
  await identity.putGroup(group)
  return group
}

/** An application, made or brought up to date; what the entry does not name stays. @throws DirectoryFault */
export async function putApplication(
  services: DirectoryServices,
  tenant: Tenant,
  entry: ApplicationEntry,
): Promise<Application> {
  const { mail, identity } = services
  const id = (entry.clientId ?? mail.random.uuid()).toLowerCase()
  const known =
    (await identity.findApplication(tenant.id, id)) ??
    newApplication({ tenant: tenant.id, id, objectId: mail.random.uuid(), displayName: entry.displayName ?? id })
  const lower = (members: readonly string[]) => members.map((member) => member.toLowerCase())
  const application: Application = {
    ...known,
    displayName: entry.displayName ?? known.displayName,
    isPublicClient: entry.publicClient ?? known.isPublicClient,
    redirectUris: entry.redirectUris ?? known.redirectUris,
    identifierUris: entry.identifierUris ?? known.identifierUris,
    delegatedPermissions: entry.delegatedPermissions ?? known.delegatedPermissions,
    applicationPermissions: entry.applicationPermissions ?? known.applicationPermissions,
    mailboxPolicies:
      entry.mailboxPolicies?.map(({ access, members }) => ({ access, members: lower(members) })) ??
      known.mailboxPolicies,
    scopedPermissions:
      entry.scopedPermissions?.map(({ permission, members }) => ({ permission, members: lower(members) })) ??
      known.scopedPermissions,
    certificates: entry.certificates?.map(readCertificate) ?? known.certificates,
    secrets: entry.secrets === undefined ? known.secrets : await secretsOf(services, known, entry.secrets),
  }
  await identity.putApplication(application)
  return application
}

async function secretsOf(
  services: DirectoryServices,
  { secrets }: Application,
  entries: ApplicationEntry['secrets'] & {},
): Promise<ClientSecret[]> {
  const found: ClientSecret[] = []
  for (const { value, expires } of entries) {
    const expiresAt = expires === undefined ? undefined : Date.parse(expires)
    if (Number.isNaN(expiresAt)) throw new DirectoryFault(`"${expires}" is no date a secret can expire at.`)
    const hint = value.slice(0, hintLength)
    const candidates = secrets.filter((secret) => secret.hint === hint)
    const same = await firstMatching(candidates, value)
    found.push(same === undefined ? await newSecret(services, value, expiresAt) : { ...same, expiresAt })
  }
  return found
}

async function firstMatching(secrets: readonly ClientSecret[], value: string): Promise<ClientSecret | undefined> {
  for (const secret of secrets) if (await isSecret(value, secret.hash)) return secret
  return undefined
}

/** Enough to tell secrets apart, too little to guess one by. */
const hintLength = 3

async function newSecret(
  { mail }: DirectoryServices,
  value: string,
  expiresAt: number | undefined,
): Promise<ClientSecret> {
  const hash = await hashSecret(value)
  return { id: mail.random.uuid(), hint: value.slice(0, hintLength), hash, createdAt: mail.clock.now(), expiresAt }
}

/** Gives the application one more secret. @returns it, which nobody can read again */
export async function addSecret(
  services: DirectoryServices,
  application: Application,
  expiresAt: number | undefined,
): Promise<string> {
  const value = newClientSecret()
  const secrets = [...application.secrets, await newSecret(services, value, expiresAt)]
  await services.identity.putApplication({ ...application, secrets })
  return value
}

/** @throws DirectoryFault when the text holds no X.509 certificate */
export function readCertificate(pem: string): ClientCertificate {
  try {
    const certificate = new X509Certificate(pem)
    const thumbprint = (algorithm: string) => createHash(algorithm).update(certificate.raw).digest('base64url')
    return {
      // Only this: the text might hold the key too.
      pem: certificate.toString(),
      thumbprint: thumbprint('sha1'),
      thumbprintSha256: thumbprint('sha256'),
      notBefore: Date.parse(certificate.validFrom),
      notAfter: Date.parse(certificate.validTo),
    }
  } catch (error) {
    throw new DirectoryFault(`That is no certificate in PEM: ${error instanceof Error ? error.message : error}`)
  }
}
