/** R18: hostile requests. R19: mutated ones. R22: what the log of a server under both says. */

import { graphpostToken } from '../../bench/graphpost.js'
import { openCaller } from './caller.js'
import { type Attacker, type HostileRequest, hostileRequests, injected } from './hostile-requests.js'
import { drained } from './kills.js'
import { mutations } from './mutations.js'
import { figuresOf, mebibytes } from './process-figures.js'
import { rawCall } from './raw-call.js'
import { type RecordingSink, startRecordingSink } from './recording-sink.js'
import type { Row, Scope } from './row.js'
import { type Server, startServer } from './server.js'

const victim = 'alex@contoso.com'
/** In the stranger's mail: nobody else may ever read it. */
const strangersSecret = 'only-for-alex-7Q2X'
const markers = { body: 'body-marker-4J9K', password: 'password-marker-8T3W' }
const memoryBar = 512 * 1_048_576
/** What must not be seen outside: stacks, paths, SQL, names of parts. */
const inside = /\bat \S+ \(|node:internal|node_modules|SQLITE_|sqlite3?[ :]|\/src\/|\/dist\//i
/** How long a mutated request may keep its connection, ms. */
const mutatedLimitMs = 5_000
/** Answered one after the other by so many connections. */
const connections = 16

export const hostile: Row = {
  id: 'R18',
  promise: 'hostile and malformed requests are refused or harmless, show nothing of the inside and do no harm',
  inTests: true,
  run: async (scope) => {
    const world = await openWorld(scope, 'silent')
    const requests = hostileRequests(world.attacker)
    const faults = await sendHostile(world, requests)
    faults.push(...(await closeWorld(world)))
    const threats = new Set(requests.map(({ threat }) => threat))
    return {
      did: `${requests.length} hostile requests of ${threats.size} threats`,
      figure: `${requests.length - faults.length} as they must be; ${world.figures.refused} refused, ${world.figures.taken} taken and harmless`,
      faults: faults.slice(0, 12),
    }
  },
}

export const fuzz: Row = {
  id: 'R19',
  promise: 'requests changed by chance: no 5xx, still alive, memory bounded',
  inTests: true,
  run: async (scope) => {
    const world = await openWorld(scope, 'silent')
    const count = scope.pick(500, 5_000, 20_000)
    const seed = Math.floor(Math.random() * 2 ** 31)
    const { faults, statuses, mostBytes } = await sendMutated(scope, world, count, seed)
    faults.push(...(await closeWorld(world)))
    const refused = [...statuses].sort(([one], [other]) => one - other)
    return {
      did: `${count} mutated requests, seed ${seed}`,
      figure: `${refused.map(([status, each]) => `${each} × ${status === 0 ? 'not answered' : status}`).join(', ')}; memory at most ${mebibytes(mostBytes)}`,
      faults: [...faults.slice(0, 8), ...(mostBytes > memoryBar ? [`memory rose to ${mebibytes(mostBytes)}`] : [])],
    }
  },
}

export const secretsInLog: Row = {
  id: 'R22',
  promise: 'with the log at debug, no token, password or body is in any line of it',
  inTests: true,
  run: async (scope) => {
    const world = await openWorld(scope, 'debug')
    const requests = hostileRequests(world.attacker)
    await sendHostile(world, requests)
    const count = scope.pick(200, 2_000, 20_000)
    await sendMutated(scope, world, count, 22)
    await closeWorld(world)
    const log = world.server.said()
    const [, claims = '', signature = ''] = world.attacker.token.split('.')
    const secrets = { token: signature, claims, ...markers, "another's mail": strangersSecret }
    // A log that says nothing proves nothing.
    const lines = log.split('\n').filter((line) => line.startsWith('{')).length
    const faults = Object.entries(secrets)
      .filter(([, secret]) => log.includes(secret))
      .map(([name, secret]) => `a ${name} is in the log: ${lineWith(log, secret)}`)
    return {
      did: `${requests.length} hostile and ${count} mutated requests with the log at debug`,
      figure: `${lines} lines, ${Object.keys(secrets).length} secrets looked for, ${faults.length} found`,
      faults: [...faults, ...(lines === 0 ? ['the log says nothing'] : [])],
    }
  },
}

interface World {
  readonly attacker: Attacker
  readonly server: Server
  readonly port: number
  readonly url: string
  readonly sink: RecordingSink
  readonly folder: string
  readonly figures: { refused: number; taken: number }
}

async function openWorld(scope: Scope, logLevel: string): Promise<World> {
  const folder = await scope.folder('data')
  const sink = await startRecordingSink()
  const alex = await graphpostToken(folder, victim)
  const args = ['--relay', sink.url, '--development', 'on', '--log-level', logLevel, '--log-format', 'json']
  const server = startServer({ folder, args })
  const url = await server.ready
  const caller = openCaller(url, alex)
  const secret = { subject: 'secret', body: { contentType: 'text', content: strangersSecret } }
  const message = JSON.parse((await caller.call('POST', '/v1.0/me/messages', secret)).text).id as string
  const folderAnswer = await caller.call('POST', '/v1.0/me/mailFolders', { displayName: 'Plans' })
  caller.close()
  const claims = JSON.parse(Buffer.from(scope.token.split('.')[1] ?? '', 'base64url').toString()) as { tid: string }
  return {
    attacker: {
      token: scope.token,
      strangers: { message, folder: JSON.parse(folderAnswer.text).id as string, user: victim },
      bodyMarker: markers.body,
      passwordMarker: markers.password,
      tenant: claims.tid,
    },
    server,
    port: Number(new URL(url).port),
    url,
    sink,
    folder,
    figures: { refused: 0, taken: 0 },
  }
}

/** @returns what came of it that must not */
async function sendHostile(world: World, requests: readonly HostileRequest[]): Promise<string[]> {
  const faults: string[] = []
  await each(requests, async ({ threat, bytes, must }) => {
    const { status, text, isClosed } = await rawCall(world.port, bytes)
    const isTaken = status !== undefined && status < 300
    if (isTaken) world.figures.taken++
    else world.figures.refused++
    const what = `${threat}, ${JSON.stringify(bytes.toString('latin1', 0, 60))}`
    const body = text.slice(text.indexOf('\r\n\r\n'))
    if (!isClosed && status === undefined) faults.push(`${what}: not answered in time`)
    if (status !== undefined && status >= 500) faults.push(`${what}: answered with ${status}`)
    if (must === 'refused' && isTaken) faults.push(`${what}: was taken with ${status}: ${requestBody(bytes)}`)
    if (text.includes(strangersSecret)) faults.push(`${what}: showed another's mail`)
    if (!isTaken && inside.test(body)) faults.push(`${what}: shows the inside: ${body.slice(0, 300)}`)
  })
  return faults
}

function requestBody(bytes: Buffer): string {
  const text = bytes.toString('latin1')
  return text.slice(text.indexOf('\r\n\r\n') + 4).slice(0, 200)
}

async function sendMutated(scope: Scope, world: World, count: number, seed: number) {
  const faults: string[] = []
  const statuses = new Map<number, number>()
  let mostBytes = 0
  let done = 0
  await each(mutations(world.attacker.token, count, seed), async (bytes) => {
    // One that changed its own end or asks for no closing is waited for in vain.
    const { status, text } = await rawCall(world.port, bytes, mutatedLimitMs)
    statuses.set(status ?? 0, (statuses.get(status ?? 0) ?? 0) + 1)
    const what = `mutation ${JSON.stringify(bytes.toString('latin1', 0, 400))}`
    if (status !== undefined && status >= 500) faults.push(`${what}: answered with ${status}`)
    if (text.includes(strangersSecret)) faults.push(`${what}: showed another's mail`)
    if (++done % 100 > 0) return
    scope.progress(`mutated request ${done} of ${count}`)
    mostBytes = Math.max(mostBytes, (await figuresOf(world.server.pid))?.bytes ?? 0)
  })
  return { faults, statuses, mostBytes }
}

/** A server that still takes mail, and mail that has nothing in it that was not meant. @returns what is wrong */
async function closeWorld({ attacker, server, url, sink, folder }: World): Promise<string[]> {
  const caller = openCaller(url, attacker.token)
  const alive = await caller.call('POST', '/v1.0/me/sendMail', {
    message: { subject: 'still here', toRecipients: [{ emailAddress: { address: 'ben@fabrikam.example' } }] },
  })
  caller.close()
  const faults = alive.status === 202 ? [] : [`afterwards a good mail was answered with ${alive.status}`]
  faults.push(...(await drained(folder)))
  await server.end('SIGTERM')
  await sink.close()
  for (const [subject, arrivals] of sink.arrivals) {
    if (subject === injected.subject) faults.push('a mail inside a mail went out as one of its own')
    if (arrivals.some(({ recipients }) => recipients.includes(injected.recipient))) {
      faults.push(`a mail went to ${injected.recipient}: ${subject}`)
    }
    if (arrivals.some(({ head }) => head.includes(`\n${injected.header}:`))) faults.push(`a header got in: ${subject}`)
  }
  if (!sink.arrivals.has('still here')) faults.push('afterwards a good mail did not arrive')
  return faults
}

async function each<Item>(items: readonly Item[], visit: (item: Item) => Promise<void>): Promise<void> {
  let next = 0
  const oneConnection = async () => {
    while (next < items.length) await visit(items[next++] as Item)
  }
  await Promise.all(Array.from({ length: connections }, oneConnection))
}

function lineWith(log: string, secret: string): string {
  return (log.split('\n').find((line) => line.includes(secret)) ?? '').slice(0, 200)
}
