/** What the walk of refusals walks in: one mailbox with mail in it, and everyone who would like to be let in. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { decodeJwt, type JWTPayload } from 'jose'
import { newApplication } from '../../src/identity/application.js'
import type { MailboxRight } from '../../src/mail/mailbox.js'
import type { Store } from '../../src/store/open.js'
import { startServerWithKnownKey } from '../support/known-key.js'
import { openTestStore } from '../support/open-test-store.js'
import type { Client, TestServer } from '../support/start-server.js'
import { type Forge, forgeOf } from './bad-tokens.js'
import { everyPermission } from './documented-access.js'
import {
  makeDraft,
  makeSurroundings,
  newsletter,
  other,
  owner,
  type Surroundings,
  type Target,
  targetOf,
} from './route-call.js'

/** Users with rights in the owner's mailbox; Alex, who writes to her, has none. */
const rights = {
  /** May do everything in it. */
  delegate: ['fullAccess', 'sendAs'],
  /** May do everything but send. */
  keeper: ['fullAccess'],
  /** May write in her name, from elsewhere. */
  secretary: ['sendAs', 'sendOnBehalf'],
} as const satisfies Record<string, readonly MailboxRight[]>

/** Applications that are registered, each with what its token does not say. */
const applications = {
  restrictedToOwner: { mailboxPolicies: [{ access: 'restrict', members: ['owners@contoso.com'] }] },
  restrictedToOther: { mailboxPolicies: [{ access: 'restrict', members: [other, 'others@contoso.com'] }] },
  deniedOwner: {
    mailboxPolicies: [
      { access: 'restrict', members: [owner] },
      { access: 'deny', members: ['owners@contoso.com'] },
    ],
  },
  grantedInOwner: { scopedPermissions: scoped(['owners@contoso.com']) },
  grantedInOther: { scopedPermissions: scoped([other, 'others@contoso.com']) },
} as const

function scoped(members: readonly string[]) {
  return everyPermission.map((permission) => ({ permission, members }))
}

type Who = 'owner' | 'other' | 'application' | keyof typeof rights | keyof typeof applications

export interface Place {
  readonly server: TestServer
  readonly forge: Forge
  /** Claims with every permission there is. */
  readonly claims: Readonly<Record<Who, JWTPayload>>
  readonly ownersId: string
  /** The owner's own client. */
  readonly adele: Client
  /** A received message with a way to leave its list. */
  readonly received: Target
  readonly draft: Target
  readonly around: Surroundings
}

export async function preparePlace(t: TestContext): Promise<Place> {
  const { server, key, location } = await startServerWithKnownKey(t)
  const adele = await server.user(owner, everyPermission)
  const alex = await server.user(other, everyPermission)
  const store = await openTestStore(t, location)
  const claims: Partial<Record<Who, JWTPayload>> = {
    owner: decodeJwt(adele.token),
    other: decodeJwt(alex.token),
    application: decodeJwt((await server.application(everyPermission)).token),
  }
  for (const [name, held] of Object.entries(rights)) {
    const user = await server.user(`${name}@contoso.com`, everyPermission)
    claims[name as keyof typeof rights] = decodeJwt(user.token)
    await grant(store, server, String(decodeJwt(user.token).oid), held)
  }
  await registerApplications(store, server, claims as Record<Who, JWTPayload>)
  const sent = await alex.post('/me/sendMail', newsletter, { 'Content-Type': 'text/plain' })
  assert.equal(sent.status, 202, sent.text)
  await server.graphpost.drainOutbox(10_000)
  const [received] = (await adele.get('/me/mailFolders/inbox/messages?$expand=attachments')).json.value
  return {
    server,
    forge: await forgeOf(key, server.clock.now()),
    claims: claims as Record<Who, JWTPayload>,
    ownersId: String(claims.owner?.oid),
    adele,
    received: targetOf(received),
    draft: await makeDraft(adele),
    around: await makeSurroundings(adele),
  }
}

async function grant(store: Store, server: TestServer, user: string, held: readonly MailboxRight[]): Promise<void> {
  const mailbox = (await server.graphpost.directory.listUsers()).find((each) => each.userPrincipalName === owner)
  await store.mail.write((tx) => {
    for (const right of held) if (mailbox !== undefined) tx.grantRight(mailbox.id, user, right)
  })
}

async function registerApplications(store: Store, server: TestServer, claims: Record<Who, JWTPayload>): Promise<void> {
  const { tenant } = server.graphpost
  for (const [index, name] of (['owner', 'other'] as const).entries()) {
    const id = `44444444-4444-4444-8444-44444444444${index}`
    const members = [String(claims[name].oid)]
    await store.identity.putGroup({ tenant, id, address: `${name}s@contoso.com`, displayName: `${name}s`, members })
  }
  for (const [index, [name, details]] of Object.entries(applications).entries()) {
    const id = `55555555-5555-4555-8555-55555555555${index}`
    await store.identity.putApplication(newApplication({ tenant, id, objectId: id, displayName: name, ...details }))
    claims[name as keyof typeof applications] = { ...claims.application, appid: id, oid: id, sub: id }
  }
}
