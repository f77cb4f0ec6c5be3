import type { DeltaPosition } from '../mail/delta.js'
import type { FolderId, MailboxId } from '../mail/ids.js'
import { badRequest, GraphError } from './errors.js'
import type { GraphRequest } from './request.js'

/** What a round of changes is about, and where it stands: all that the next call needs. */
export interface DeltaState {
  readonly resource: 'messages' | 'mailFolders'
  readonly mailbox: MailboxId
  /** null: every folder. */
  readonly folder: FolderId | null
  /** The query of the call that began the first round, as it was written. */
  readonly query: string
  readonly position: DeltaPosition
}

/** In the order of the token, which is a list: a link is shorter without names. */
type Packed = [DeltaState['resource'], MailboxId, FolderId | null, string, ...(string | number)[]]

/** A token says itself until when it is good: as long as what has left is known (`mail/delta.ts`). */
const forEverMs = 100 * 365 * 24 * 3_600_000

/** URL-safe text that only this server can have made, of no more than what the client was shown. */
export function presentDeltaToken({ seals }: GraphRequest, state: DeltaState): string {
  const { resource, mailbox, folder, query, position } = state
  const packed: Packed = [resource, mailbox, folder, query, ...packPosition(position)]
  return seals.seal('delta', packed, forEverMs)
}

/**
 * What a token of this path says.
 *
 * @throws GraphError BadRequest when it is none of ours or of something else; SyncStateNotFound when the key that it was
 *   made with is gone
 */
export async function readDeltaToken(
  request: GraphRequest,
  option: '$skiptoken' | '$deltatoken',
  text: string,
  expected: Pick<DeltaState, 'resource' | 'folder'>,
): Promise<DeltaState> {
  let packed = request.seals.open('delta', text) as Packed | undefined
  if (packed === undefined) {
    if (await request.seals.isOfUnknownKey(text)) throw syncStateNotFound(request, { generation: 0, highest: 0 })
    // The key may have been another process's, and found just now.
    packed = request.seals.open('delta', text) as Packed | undefined
    if (packed === undefined) throw malformed(`${option} is not one that this server has given out.`)
  }
  const [resource, mailbox, folder, query, ...position] = packed
  if (mailbox !== request.mailbox.id || resource !== expected.resource || folder !== expected.folder) {
    throw malformed(`${option} was given out for another folder or mailbox than the path names.`)
  }
  const state = { resource, mailbox, folder, query, position: unpackPosition(position) }
  if ((state.position.step === 'waiting') !== (option === '$deltatoken')) {
    throw malformed(`${option} holds what belongs into the other one: links are followed as they are.`)
  }
  return state
}

function malformed(reason: string): GraphError {
  return badRequest('Badly formed token.', reason)
}

/** 410: the client has to begin anew, and is told where. `query`: the options of its first call, where they are known. */
export function syncStateNotFound(
  request: GraphRequest,
  { generation, highest }: { generation: number; highest: number },
  query = '',
): GraphError {
  const anew = deltaUrl(request, '$deltatoken', '')
  return new GraphError(
    410,
    'SyncStateNotFound',
    `The sync state generation is not found; generation=${generation};[highest=${highest}].`,
    {
      frontEnd: true,
      headers: { Location: query === '' ? anew : `${anew}&${query}` },
      reason: 'What has left the folder since is known no more, or the key of the token is gone: begin anew.',
    },
  )
}

/** A link to go on with, its folder's key in parentheses as recorded. */
export function deltaUrl({ baseUrl, path }: GraphRequest, option: '$skiptoken' | '$deltatoken', token: string): string {
  const withKeys = path.replace(/\/((?:mail|child)folders)\/([^/()]+)(?=\/)/gi, "/$1('$2')")
  return `${baseUrl}${withKeys}?${option}=${token}`
}

function packPosition(position: DeltaPosition): (string | number)[] {
  switch (position.step) {
    case 'waiting':
      return ['w', position.since]
    case 'listing':
      return ['l', position.next, position.seen, position.after?.receivedAt ?? 0, position.after?.id ?? 0]
    case 'changes': {
      const { since, next, until, after } = position
      return ['c', since, next, until, after.commit, after.kind, after.id]
    }
  }
}

/** The reverse; what was sealed has the form it was given. */
function unpackPosition([step, ...rest]: readonly (string | number)[]): DeltaPosition {
  const [a = 0, b = 0, c = 0, d = 0, kind, id = 0] = rest as number[]
  if (step === 'w') return { step: 'waiting', since: a }
  if (step === 'l') return { step: 'listing', next: a, seen: b, after: { receivedAt: c, id: d } }
  const after = { commit: d, kind: String(kind) === 'removed' ? ('removed' as const) : ('written' as const), id }
  return { step: 'changes', since: a, next: b, until: c, after }
}
