import { type Graphpost, startGraphpost } from '../../src/app.js'
import { resolveSettings, type SettingKey } from '../../src/config.js'
import { call } from './http-call.js'
import type { MailboxOwner, World } from './world.js'

/** A server in memory on a free port, without samples; nothing leaves the machine. */
const settings: readonly [SettingKey, string][] = [
  ['memory', 'on'],
  ['samples', 'off'],
  ['port', '0'],
  ['httpsPort', 'off'],
  ['smtpPort', 'off'],
  ['logLevel', 'warn'],
  ['drainTimeout', '2s'],
]

/** An application without a user. */
const application = '33333333-cccc-4ddd-8eee-444444444444'

/** Starts a server for one exchange: whatever is in it, this exchange put there. */
export async function openWorld(
  more: Partial<Record<SettingKey, string>> = {},
): Promise<World & { close(): Promise<void> }> {
  const flags = new Map([...settings, ...(Object.entries(more) as [SettingKey, string][])])
  const server = await startGraphpost(resolveSettings({ flags, env: {}, cwd: process.cwd() }))
  // By address, so that no name has to be resolved in between.
  const baseUrl = (server.httpUrl ?? '').replace('localhost', '127.0.0.1')
  const mailboxes = new Map<string, Promise<MailboxOwner>>()
  return {
    baseUrl,
    tenantId: server.tenant,
    mailbox: (userPrincipalName, displayName = userPrincipalName) => {
      const key = userPrincipalName.toLowerCase()
      const owner = mailboxes.get(key) ?? addMailbox(server, userPrincipalName, displayName)
      mailboxes.set(key, owner)
      return owner
    },
    token: ({ user, permissions, lifetimeSeconds }) => {
      const grant = { scopes: permissions, lifetimeSeconds }
      return server.directory.issueToken(
        user === undefined ? { app: application, ...grant } : { user: user.userPrincipalName, ...grant },
      )
    },
    letSendAs: (person, another) =>
      server.directory.changeRights(another.userPrincipalName, person.userPrincipalName, ['sendAs'], true),
    call: (request) => call(baseUrl, request),
    close: () => server.close(),
  }
}

async function addMailbox(server: Graphpost, userPrincipalName: string, displayName: string): Promise<MailboxOwner> {
  const { owner } = await server.directory.addUser({ userPrincipalName, displayName })
  return { objectId: owner, userPrincipalName }
}
