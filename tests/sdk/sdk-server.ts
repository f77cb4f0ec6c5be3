import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freshFolder, startServer, type TestServer } from '../support/start-server.js'

/** To whom the programs send. */
export const recipient = 'alex@contoso.com'

/** A server over https alone, as clients that carry tokens demand, and the programs that call it. */
export interface SdkServer {
  readonly server: TestServer
  /** Object id of adele@contoso.com, who is signed in. */
  readonly owner: string
  /**
   * Runs a program of `programs/` as a user would, in a process that trusts our authority; its arguments are the base URL,
   * Adele's token, the recipient alex@contoso.com, and those given. What it printed comes back.
   */
  run(program: string, more?: readonly string[]): Promise<ReturnType<typeof JSON.parse>>
}

/** `trusted: false`: the programs do not know our authority. */
export async function startSdkServer(t: TestContext, { trusted = true } = {}): Promise<SdkServer> {
  const server = await startServer(t, { port: 'off', httpsPort: '0' })
  const { httpsUrl = '', caPem = '', directory } = server.graphpost
  const users = await directory.listUsers()
  const adele = users.find(({ userPrincipalName }) => userPrincipalName === 'adele@contoso.com')
  if (adele === undefined) throw new Error('the sample user is missing')
  const token = await directory.issueToken({ user: adele.userPrincipalName, scopes: ['Mail.ReadWrite', 'Mail.Send'] })
  const authority = join(await freshFolder(t), 'ca.pem')
  await writeFile(authority, trusted ? caPem : '')
  return {
    server,
    owner: adele.owner,
    run: async (program, more = []) => {
      const path = fileURLToPath(new URL(`./programs/${program}`, import.meta.url))
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority }
      const args = [path, httpsUrl, token, recipient, ...more]
      const { stdout } = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 16_777_216 })
      return JSON.parse(stdout)
    },
  }
}
