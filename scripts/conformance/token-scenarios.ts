/** Refusals of the token: they come before the path is looked at, so any exchange's path will do. */
import { anybody, type Binding, prepared } from './binding.js'
import { textMember } from './json.js'
import { keysOf } from './request-path.js'
import type { Candidate, Scenario } from './scenario.js'
import type { World } from './world.js'

function answersUnauthorized(message: RegExp): Scenario['matches'] {
  return ({ exchange: { response } }) =>
    response?.status === 401 && message.test(textMember(response.body, 'error', 'message') ?? '')
}

/** Sends the exchange's own path, keys and all, with this token. */
async function withToken(candidate: Candidate, world: World, token: (world: World) => Promise<string>) {
  const binding: Binding = {
    owner: await world.mailbox(anybody.address, anybody.name),
    contextKey: '',
    pathKeys: [],
    token: await token(world),
  }
  return prepared(candidate, world, binding, { keys: keysOf(candidate.path) })
}

/** 401: no token, one that is none, one that ran out. */
export const tokenScenarios: readonly Scenario[] = [
  {
    name: 'a call without a token is refused',
    matches: answersUnauthorized(/^Access token is empty\.$/),
    prepare: (candidate, world) => withToken(candidate, world, async () => ''),
  },
  {
    name: 'a token without dots is refused',
    matches: answersUnauthorized(/^IDX14100: /),
    prepare: (candidate, world) => withToken(candidate, world, async () => 'nodots'),
  },
  {
    name: 'an expired token is refused',
    matches: answersUnauthorized(/^Lifetime validation failed, the token is expired\.$/),
    prepare: (candidate, world) =>
      withToken(candidate, world, async () => {
        const user = await world.mailbox(anybody.address, anybody.name)
        return world.token({ user, permissions: ['Mail.Read'], lifetimeSeconds: -3600 })
      }),
  },
]
