/**
 * What checking a caller costs, in the process that it is measured by: the functions of the server itself, with 64 tokens
 * that were seen before, as a server's clients have them, and with tokens that come for the first time.
 *
 *     node token-check.js REMEMBERED_CHECKS FIRST_CHECKS
 */
import { randomUUID } from 'node:crypto'
import { authenticate, doorkeeper, mailboxFinder } from '../src/graph/authorize.js'
import { openKeyRing } from '../src/identity/key-ring.js'
import { generateSigningKey } from '../src/identity/signing-key.js'
import { tokensOf } from '../src/identity/token.js'
import { createMailbox } from '../src/mail/create-mailbox.js'
import type { TenantId } from '../src/mail/ids.js'
import { openStore } from '../src/store/open.js'
import type { TokenCheckResult } from './token.js'

const tenant = randomUUID()
const bearers = 64
const now = () => Date.now()

const [remembered = 0, first = 0] = process.argv.slice(2).map(Number)
const store = await openStore({ kind: 'memory' }, 0)
const mail = {
  store: store.mail,
  clock: { now },
  random: { bytes: () => Buffer.alloc(0), uuid: randomUUID },
  ids: store.ids,
}
await store.identity.addSigningKey(await generateSigningKey(randomUUID(), now()))
const tokens = tokensOf({
  ring: await openKeyRing(store.identity),
  isTenant: async (id) => id === tenant,
  now,
  uuid: randomUUID,
})
const mailbox = await createMailbox(mail, {
  tenant: tenant as TenantId,
  userPrincipalName: 'adele@contoso.com',
  displayName: 'Adele',
})
const find = mailboxFinder(mail)
const admit = doorkeeper(mail, store.identity)

async function check(authorization: string): Promise<void> {
  const asked = authenticate(tokens, authorization, { baseUrl: 'http://localhost', cloud: undefined })
  const caller = 'permissions' in asked ? asked : await asked
  const found = find(caller, undefined)
  const admitted = admit(caller, found instanceof Promise ? await found : found, { permission: 'Mail.Send' })
  if (admitted instanceof Promise) await admitted
}

function issue(): Promise<string> {
  const user = { id: mailbox.owner, userPrincipalName: mailbox.userPrincipalName, displayName: mailbox.displayName }
  const grant = { tenant, application: randomUUID(), applicationName: 'bench', user, permissions: ['Mail.Send'] }
  return tokens.issue({ ...grant, lifetimeSeconds: 3_600 })
}

/** CPU of the process, with its threads, for each. */
async function microsEach(authorizations: readonly string[], times: number): Promise<number> {
  const before = process.cpuUsage()
  for (let at = 0; at < times; at++) await check(authorizations[at % authorizations.length] ?? '')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / times
}

const seen = await Promise.all(Array.from({ length: bearers }, async () => `Bearer ${await issue()}`))
await microsEach(seen, remembered / 10)
const rememberedMicros = await microsEach(seen, remembered)
const fresh = await Promise.all(Array.from({ length: first }, async () => `Bearer ${await issue()}`))
const firstMicros = await microsEach(fresh, first)
await store.close()
process.send?.({ rememberedMicros, firstMicros } satisfies TokenCheckResult)
