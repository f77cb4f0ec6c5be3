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

/** Operations of one request. */
interface SinglePlan {
  readonly kind: 'single'
  /** Whole requests, head and body; taken in turn. */
  readonly requests: readonly string[]
}

/** Operations of two requests: a draft is made, and then sent by the id in the answer. */
interface DraftAndSendPlan {
  readonly kind: 'draftAndSend'
  /** Whole requests, head and body; taken in turn. */
  readonly requests: readonly string[]
  /** What follows each request, the id as `{id}`. */
  readonly sends: readonly string[]
}

/** A flow as the parent process names it to the generator. */
export type FlowPlan = SinglePlan | DraftAndSendPlan

/** A plan on its way through one connection. */
interface StartedFlow {
  readonly flow: Flow
  /** Whether the flow looks into what is answered. */
  readonly keepsBody: boolean
}

/** The plan as one connection carries it out; connections are numbered from 0. */
export function startFlow(plan: FlowPlan, connection: number): StartedFlow {
  switch (plan.kind) {
    case 'single':
      return { flow: singleRequest(plan.requests, connection), keepsBody: false }
    case 'draftAndSend':
      return { flow: draftAndSend(plan, connection), keepsBody: true }
  }
}

/** Each operation is one request. Connections start at different ones, so that they do not all write the same mail. */
function singleRequest(texts: readonly string[], connection: number): Flow {
  const requests = texts.map((text) => Buffer.from(text))
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

/** Two requests: the second names what the first has made; none where nothing was made. */
function draftAndSend({ requests, sends }: DraftAndSendPlan, connection: number): Flow {
  const first = singleRequest(requests, connection)
  let turn = connection
  let isSending = false
  return {
    begin: () => {
      isSending = false
      return first.begin()
    },
    proceed: ({ status, body }) => {
      const send = sends[turn % sends.length]
      if (isSending || status >= 300) {
        turn++
        return undefined
      }
      isSending = true
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
