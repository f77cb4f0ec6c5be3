import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import type { SettingKey } from '../../src/config.js'
import { clientCertificate, type TestClientCertificate } from '../support/client-certificate.js'
import { graphpostProgram, startNode } from '../support/program.js'
import { freshFolder, startServer, type TestServer } from '../support/start-server.js'

/** A server over https alone, and programs that sign in there. */
export interface SignInServer {
  readonly server: TestServer
  /** Scheme, host and port: authority host and base URL of Graph in one. */
  readonly origin: string
  /** A tenant's authority. */
  readonly authority: string
  /** Starts a program of `programs/` as a user would, in a process that trusts our authority; given what it is to know. */
  start(program: string, knows?: object): TalkingProgram
  /** The same without any address of ours, by `graphpost run`. */
  startAsItIs(program: string, knows?: object): TalkingProgram
}

/** A program that prints objects, one on each line. */
export interface TalkingProgram {
  /** The next object that has this member; the member's value. */
  said(name: string): Promise<ReturnType<typeof JSON.parse>>
}

/** Programs that are registered, and a user with a password. */
export interface Clients {
  readonly daemon: {
    readonly id: string
    readonly secret: string
    readonly certificatePath: string
    readonly certificate: TestClientCertificate
  }
  /** Client id of a program without a credential. */
  readonly desktop: string
  readonly user: { readonly name: string; readonly password: string }
}

/** Both programs may do for a user what `permissions` says, and the daemon by itself sends mail and reads users. */
export async function registerClients(t: TestContext, { graphpost }: TestServer): Promise<Clients> {
  const { directory } = graphpost
  const certificate = await clientCertificate('daemon')
  const certificatePath = join(await freshFolder(t), 'daemon.pem')
  await writeFile(certificatePath, `${certificate.keyPem}${certificate.certPem}\n`)
  const daemon = { id: '33333333-cccc-4ddd-8eee-444444444444', secret: 'what the daemon knows' }
  await directory.putApplication({
    clientId: daemon.id,
    displayName: 'Daemon',
    identifierUris: [`api://${daemon.id}`],
    secrets: [{ value: daemon.secret }],
    certificates: [certificate.certPem],
    applicationPermissions: ['Mail.Send', 'User.Read.All'],
    delegatedPermissions: permissions,
  })
  const desktop = '44444444-dddd-4eee-8fff-555555555555'
  await directory.putApplication({
    clientId: desktop,
    displayName: 'Desktop',
    publicClient: true,
    redirectUris: ['http://localhost'],
    delegatedPermissions: permissions,
  })
  const user = { name: 'adele@contoso.com', password: 'correct horse battery' }
  await directory.putUser({ userPrincipalName: user.name, password: user.password })
  return { daemon: { ...daemon, certificatePath, certificate }, desktop, user }
}

const permissions = ['Mail.Send', 'User.Read']

/** Types a device's code in, picks the account and answers the question. */
export async function enterDeviceCode(
  page: Page,
  { verificationUri, userCode }: { readonly verificationUri: string; readonly userCode: string },
  account: string,
  decision: 'Accept' | 'Cancel',
): Promise<void> {
  await page.goto(verificationUri)
  await page.getByLabel('Code').fill(userCode)
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByRole('button', { name: account }).click()
  await page.getByRole('button', { name: decision }).click()
  await page.getByRole('heading', { name: decision === 'Accept' ? 'Done' : 'Declined' }).waitFor()
}

export async function startSignInServer(
  t: TestContext,
  given: Partial<Record<SettingKey, string>> = {},
): Promise<SignInServer> {
  const data = await freshFolder(t)
  const server = await startServer(t, { port: 'off', httpsPort: '0', data, memory: 'off', ...given })
  const { httpsUrl: origin = '', caPath = '', tenant } = server.graphpost
  const pathOf = (program: string) => fileURLToPath(new URL(`./programs/${program}`, import.meta.url))
  return {
    server,
    origin,
    authority: `${origin}/${tenant}`,
    start: (program, knows = {}) => {
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: caPath }
      return talkingProgram(t, [pathOf(program), JSON.stringify({ origin, tenant, ...knows })], env)
    },
    startAsItIs: (program, knows = {}) => {
      const run = [graphpostProgram, 'run', '--data', data, '--https-port', new URL(origin).port, '--']
      const argv = [...run, process.execPath, pathOf(program), JSON.stringify({ tenant, ...knows })]
      return talkingProgram(t, argv, process.env)
    },
  }
}

function talkingProgram(t: TestContext, argv: readonly string[], env: NodeJS.ProcessEnv): TalkingProgram {
  const { process: child, ended } = startNode(t, argv, env)
  if (child.stdout === null) throw new Error('the program has no standard output')
  const lines: Record<string, unknown>[] = []
  const reader = createInterface(child.stdout)
  reader.on('line', (line) => lines.push(JSON.parse(line)))
  const closed = once(reader, 'close')
  const find = (name: string) => {
    const index = lines.findIndex((line) => name in line)
    return index === -1 ? undefined : lines.splice(index, 1)[0]
  }
  return {
    said: async (name) => {
      for (;;) {
        const found = find(name)
        if (found !== undefined) return found[name]
        const more = await Promise.race([once(reader, 'line').then(() => true), closed.then(() => false)])
        if (more) continue
        const last = find(name)
        if (last !== undefined) return last[name]
        throw new Error(`the program ended without a word of "${name}": ${(await ended).stderr}`)
      }
    },
  }
}
