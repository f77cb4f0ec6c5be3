import { differences } from './compare.js'
import type { Exchange } from './exchange.js'
import { type Answer, jsonOf } from './http-call.js'
import type { MetadataCheck } from './metadata-schema.js'
import type { Preparation, Scenario } from './scenario.js'
import { candidateOf, scenarioFor } from './scenarios.js'
import { setAsideReason } from './set-aside.js'
import type { World } from './world.js'

/** What became of an exchange. */
export type Outcome =
  | { readonly kind: 'passed'; readonly exchange: Exchange; readonly scenario: string }
  | {
      readonly kind: 'failed'
      readonly exchange: Exchange
      readonly scenario: string
      readonly faults: readonly string[]
    }
  | { readonly kind: 'notYet'; readonly exchange: Exchange }
  | { readonly kind: 'setAside'; readonly exchange: Exchange; readonly reason: string }

/** Opens a world for one exchange. */
type OpenWorld = (settings?: Scenario['settings']) => Promise<World & { close(): Promise<void> }>

/** Replays one exchange against a server of its own, where there is a scenario for it. */
export async function replay(exchange: Exchange, openWorld: OpenWorld, metadata: MetadataCheck): Promise<Outcome> {
  const candidate = candidateOf(exchange)
  const scenario = scenarioFor(candidate)
  if (scenario === undefined) {
    const reason = setAsideReason(candidate)
    return reason === undefined ? { kind: 'notYet', exchange } : { kind: 'setAside', exchange, reason }
  }
  const world = await openWorld(scenario.settings)
  try {
    const preparation = await scenario.prepare(candidate, world)
    const faults = await faultsOf(exchange, preparation, world, metadata)
    if (faults.length === 0) return { kind: 'passed', exchange, scenario: scenario.name }
    return { kind: 'failed', exchange, scenario: scenario.name, faults }
  } catch (error) {
    return { kind: 'failed', exchange, scenario: scenario.name, faults: [`could not be replayed: ${messageOf(error)}`] }
  } finally {
    await world.close()
  }
}

async function faultsOf(exchange: Exchange, preparation: Preparation, world: World, metadata: MetadataCheck) {
  const { call, facts, afterwards } = preparation
  const answer = await world.call(call)
  const faults = [...differences(answer, exchange, facts), ...metadataFaults(exchange, call.path, answer, metadata)]
  // What follows from a wrong answer says nothing new.
  return faults.length > 0 || afterwards === undefined ? faults : await afterwards(answer)
}

function metadataFaults({ version }: Exchange, path: string, answer: Answer, metadata: MetadataCheck): string[] {
  const body = path.split('?', 1)[0]?.endsWith('/$value') && answer.status < 400 ? undefined : jsonOf(answer)
  return body === undefined ? [] : metadata(version, path.replace(/^\/(v1\.0|beta)/, ''), answer.status, body)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
