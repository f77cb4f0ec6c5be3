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
  /** `draftAndSend`: a draft is made, and then sent by the id in the answer. */
  readonly kind: 'single' | 'draftAndSend'
  /** Whole requests, head and body; taken in turn. */
  readonly requests: readonly string[]
  /** Of `draftAndSend`: what follows each request, the id as `{id}`. */
  readonly sends?: readonly string[]
}

/** How each kind of plan is carried out; called once for each connection, numbered from 0. */
export const flows: Record<
  FlowPlan['kind'],
  { keepsBody: boolean; create: (plan: FlowPlan, connection: number) => Flow }
> = {
  single: { keepsBody: false, create: singleRequest },
  draftAndSend: { keepsBody: true, create: draftAndSend },
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

/** Two requests: the second names what the first has made. */
function draftAndSend(plan: FlowPlan, connection: number): Flow {
  const first = singleRequest(plan, connection)
  const sends = plan.sends ?? []
  let turn = connection
  let isSending = false
  return {
    begin: () => {
      isSending = false
      return first.begin()
    },
    proceed: ({ body }) => {
      if (isSending) return undefined
      isSending = true
      const send = sends[turn++ % sends.length]
      if (send === undefined) throw new Error('A plan of drafts says how each is sent.')
      return Buffer.from(send.replace('{id}', idIn(body)))
    },
  }
}

const idMember = Buffer.from('"id":"')

/** The first `id` of a JSON text; looked for, not parsed: the generator must cost less than the servers. */
function idIn(body: Buffer): string {
  const at = body.indexOf(idMember)
  if (at === -1) throw new Error('The answer to a draft has no id.')
  const from = at + idMember.length
  return body.toString('latin1', from, body.indexOf('"', from))
}
