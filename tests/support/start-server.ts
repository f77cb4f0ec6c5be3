import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import pg from 'pg'
import { type Graphpost, type Surroundings, startGraphpost } from '../../src/app.js'
import { resolveSettings, type SettingKey, type Settings } from '../../src/config.js'
import { openLog } from '../../src/log.js'
import { type MovableClock, movableClock } from './movable-clock.js'
import { noteCall } from './witnesses.js'

/** Which database the tests of this process run on; `npm test` runs them on both. */
export const testStore = process.env.GRAPHPOST_TEST_STORE === 'postgres' ? 'postgres' : 'sqlite'

/** The settings of a test's server: a store of its own, free ports, no samples; texts as on the command line. */
export async function testSettings(t: TestContext, given: Partial<Record<SettingKey, string>> = {}): Promise<Settings> {
  const place: Partial<Record<SettingKey, string>> =
    testStore === 'postgres' ? { store: await freshDatabase(t), data: await freshFolder(t) } : { memory: 'on' }
  const flags = new Map(
    Object.entries({
      port: '0',
      httpsPort: 'off',
      smtpPort: 'off',
      logLevel: 'silent',
      drainTimeout: '2s',
      ...place,
      ...given,
    }) as [SettingKey, string][],
  )
  return resolveSettings({ flags, env: {}, cwd: process.cwd() })
}

const endings = new WeakMap<TestContext, (() => unknown)[]>()

/** Does something after the test, the last thing asked for first: a server stops before its database is dropped. */
export function atEnd(t: TestContext, action: () => unknown): void {
  const known = endings.get(t)
  if (known !== undefined) {
    known.push(action)
    return
  }
  const actions = [action]
  endings.set(t, actions)
  t.after(async () => {
    for (const end of actions.reverse()) await end()
  })
}

/** A folder that is gone when the test is. */
export async function freshFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'graphpost-test-'))
  atEnd(t, () => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A database of its own in the run's PostgreSQL, dropped after the test. */
export async function freshDatabase(t: TestContext): Promise<string> {
  const url = process.env.TEST_POSTGRES_URL
  if (url === undefined) throw new Error('TEST_POSTGRES_URL is not set: run the tests with `npm test`')
  const name = `test_${process.pid}_${Date.now().toString(36)}_${Math.floor(Math.random() * 1e9).toString(36)}`
  await administrate(url, `create database ${name}`)
  atEnd(t, () => administrate(url, `drop database if exists ${name} with (force)`))
  const own = new URL(url)
  own.pathname = `/${name}`
  return own.href
}

async function administrate(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}

/** A call's answer, body read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; undefined when it is none. */
  readonly json: ReturnType<typeof JSON.parse>
}

/** Calls the server as one user or application. */
export interface Client {
  readonly token: string
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
  call(
    method: string,
    path: string,
    init?: { headers?: Record<string, string>; body?: string | Uint8Array | ReadableStream },
  ): Promise<Answer>
}

/** A server under test. */
export interface TestServer {
  readonly graphpost: Graphpost
  readonly url: string
  readonly clock: MovableClock
  /** A client that is signed in as this user, who gets a mailbox when there is none. */
  user(userPrincipalName: string, scopes?: string[]): Promise<Client>
  /** A client that is an application without a user. */
  application(roles: string[]): Promise<Client>
  /** A client without any token. */
  readonly nobody: Client
}

/** Starts a server for one test, on the database of this run; it is closed after the test. */
export async function startServer(
  t: TestContext,
  given: Partial<Record<SettingKey, string>> = {},
  surroundings: Surroundings = {},
): Promise<TestServer> {
  const settings = await testSettings(t, given)
  const clock = movableClock()
  const log = openLog({ level: settings.logLevel, format: 'json' })
  const graphpost = await startGraphpost(settings, { clock, log, ...surroundings })
  atEnd(t, () => graphpost.close())
  const url = graphpost.httpUrl ?? graphpost.httpsUrl ?? ''
  const { directory } = graphpost
  return {
    graphpost,
    url,
    clock,
    nobody: clientOf(url, ''),
    user: async (userPrincipalName, scopes = ['Mail.ReadWrite', 'Mail.Send']) => {
      const users = await directory.listUsers()
      const known = users.some((user) => user.userPrincipalName.toLowerCase() === userPrincipalName.toLowerCase())
      if (!known) await directory.addUser({ userPrincipalName, displayName: userPrincipalName.split('@')[0] ?? '' })
      return clientOf(url, await directory.issueToken({ user: userPrincipalName, scopes }))
    },
    application: async (roles) =>
      clientOf(url, await directory.issueToken({ app: '22222222-bbbb-4ccc-8ddd-333333333333', scopes: roles })),
  }
}

/** A client with this bearer token; none when it is empty. Paths without a version are called under /v1.0. */
export function clientOf(url: string, token: string): Client {
  const call: Client['call'] = async (method, path, init = {}) => {
    const versioned = /^\/(v1\.0|beta|admin|livez|readyz)/i.test(path) ? path : `/v1.0${path}`
    const response = await fetch(url + versioned, {
      method,
      headers: { ...(token === '' ? {} : { Authorization: `Bearer ${token}` }), ...init.headers },
      // A stream is sent while the answer may already be coming.
      ...(init.body === undefined ? {} : { body: init.body, duplex: 'half' as const }),
    })
    const text = await response.text()
    noteCall(method, versioned, response.status)
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  }
  return {
    token,
    call,
    get: (path, headers = {}) => call('GET', path, { headers }),
    post: (path, body, headers = {}) =>
      call('POST', path, {
        headers: { 'Content-Type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  }
}
