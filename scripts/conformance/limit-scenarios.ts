/** More calls than the service admits: refused with 429, alone and in a batch. */
import { type ClientRequest, request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Binding, bindMailbox, prepared } from './binding.js'
import { parsePath } from './request-path.js'
import type { Candidate, Preparation, Scenario } from './scenario.js'
import type { World } from './world.js'

/** A call with a body that never comes whole: it is under way until it is ended. */
function beginCall({ baseUrl }: World, { token }: Binding): ClientRequest {
  const { hostname, port } = new URL(baseUrl)
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Content-Length': '100' }
  const call = httpRequest({
    hostname,
    port,
    method: 'POST',
    path: '/v1.0/me/mailFolders',
    headers,
    agent: false,
  })
  call.on('error', () => {})
  call.write('{')
  return call
}

/** Begins calls until one more is refused. */
async function beginCalls(world: World, binding: Binding): Promise<ClientRequest[]> {
  const headers = { Authorization: `Bearer ${binding.token}` }
  const calls: ClientRequest[] = []
  for (let tries = 0; tries < 100; tries++) {
    calls.push(beginCall(world, binding))
    await sleep(10)
    const { status } = await world.call({ method: 'GET', path: '/v1.0/me/messages', headers, body: undefined })
    if (status === 429) return calls
  }
  throw new Error('as many calls as are admitted were under way, and one more was served')
}

async function whileFull(
  world: World,
  prepare: (binding: Binding) => Preparation,
  permissions: readonly string[] = ['Mail.ReadWrite'],
): Promise<Preparation> {
  const binding = await bindMailbox(world, parsePath('/me/messages'), permissions)
  const calls = await beginCalls(world, binding)
  const afterwards = async () => {
    for (const call of calls) call.destroy()
    return []
  }
  return { ...prepare({ ...binding, pathKeys: [] }), afterwards }
}

function isThrottled({ exchange }: Candidate): boolean {
  return exchange.response?.status === 429 && exchange.source === 'recording'
}

function isBatchThrottled({ exchange }: Candidate): boolean {
  return JSON.stringify(exchange.response?.body ?? null).includes('"ApplicationThrottled"')
}

/** The calendars of the recording are no mail; the refusal is made before the operation is looked at. */
function foldersInstead(count: number): string {
  const requests = Array.from({ length: count }, (_, index) => ({
    url: '/me/mailFolders',
    method: 'POST',
    id: String(index + 1),
    headers: { 'Content-Type': 'application/json' },
    body: { displayName: `Conformance ${index}` },
  }))
  return JSON.stringify({ requests })
}

/** Rows of calls that are refused because of others. */
export const limitScenarios: readonly Scenario[] = [
  {
    name: 'a fifth call at once is refused',
    settings: { limits: 'graph' },
    matches: isThrottled,
    prepare: (candidate, world) =>
      whileFull(world, (binding) =>
        prepared(candidate, world, binding, {
          path: parsePath(candidate.exchange.request.method === 'POST' ? '/me/mailFolders' : '/me/messages'),
          keys: [],
          ...(candidate.exchange.request.method === 'POST' ? { body: '{"displayName":"Conformance"}' } : {}),
        }),
      ),
  },
  {
    name: 'the calls of a batch beyond four at once are refused, and the batch is 200',
    settings: { limits: 'graph' },
    matches: isBatchThrottled,
    prepare: (candidate, world) =>
      whileFull(world, (binding) => prepared(candidate, world, binding, { body: foldersInstead(7) })),
  },
]
