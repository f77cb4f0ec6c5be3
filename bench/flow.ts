import type { Answer } from './response-splitter.js'

/**
 * What one connection asks for, again and again. An operation is one request, or several of which each needs the
 * answer of the one before; latency and rate are those of operations.
 */
export interface Flow {
  /** Bytes of the first request of the next operation. */
  begin(): Buffer
  /** Bytes of the operation's next request, after this answer; `undefined` when the operation is done. */
  proceed(answer: Answer): Buffer | undefined
}

/** A flow as the parent process names it to the generator. A flow of several requests is a further kind. */
export interface FlowPlan {
  readonly kind: 'single'
  /** Whole requests, head and body; taken in turn. */
  readonly requests: readonly string[]
}

/** How each kind of plan is carried out; called once for each connection, numbered from 0. */
export const flows: Record<
  FlowPlan['kind'],
  { keepsBody: boolean; create: (plan: FlowPlan, connection: number) => Flow }
> = {
  single: { keepsBody: false, create: singleRequest },
}

/** Each operation is one request. Connections start at different ones, so that they do not all write the same mail. */
function singleRequest(plan: FlowPlan, connection: number): Flow {
  const requests = plan.requests.map((request) => Buffer.from(request))
  let turn = connection
  return {
    begin: () => {
      const request = requests[turn++ % requests.length]
      if (request === undefined) throw new Error('A plan needs at least one request.')
      return request
    },
    proceed: () => undefined,
  }
}
