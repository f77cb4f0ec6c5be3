import type { Envelope, RecipientReply, Relay } from './smtp.js'

/** A server that could not be used is asked last for that long, ms: not every mail has to find it out. */
const avoidedMs = 60_000

/** Several servers for the same mail: what one cannot take now is offered to the next. */
export class Failover {
  readonly #relays: readonly Relay[]
  /** Until when a server is asked last, in the terms of `performance.now()`. */
  readonly #avoidedUntil = new Map<Relay, number>()

  constructor(relays: readonly Relay[]) {
    this.#relays = relays
  }

  async send(envelope: Envelope, content: Uint8Array, withinMs: number): Promise<RecipientReply[]> {
    const endsAt = performance.now() + withinMs
    return offerInTurn(this.#inOrder(), envelope, async (relay, open) => {
      const answers = await relay.send(open, content, Math.max(endsAt - performance.now(), 1))
      if (answers.some(({ isUnusable }) => isUnusable)) this.#avoidedUntil.set(relay, performance.now() + avoidedMs)
      else this.#avoidedUntil.delete(relay)
      return answers
    })
  }

  #inOrder(): Relay[] {
    const now = performance.now()
    const isAvoided = (relay: Relay) => (this.#avoidedUntil.get(relay) ?? 0) > now
    return [...this.#relays.filter((relay) => !isAvoided(relay)), ...this.#relays.filter(isAvoided)]
  }
}

/**
 * Offers a message to one server after the other (RFC 5321 §5.1): each gets the recipients that have no final answer yet.
 * One that may have taken the message is the last for those it took it for, or they would surely have two copies.
 */
export async function offerInTurn<Server>(
  servers: readonly Server[],
  envelope: Envelope,
  offer: (server: Server, envelope: Envelope) => Promise<readonly RecipientReply[]>,
): Promise<RecipientReply[]> {
  const heard = new Map<string, RecipientReply>()
  let open = envelope.recipients
  for (const server of servers) {
    for (const answer of await offer(server, { ...envelope, recipients: open })) heard.set(answer.address, answer)
    open = open.filter((address) => mayTryNext(heard.get(address)))
    if (open.length === 0) break
  }
  return envelope.recipients.map(
    (address) => heard.get(address) ?? { address, reply: undefined, remark: 'There is no server to hand it to.' },
  )
}

function mayTryNext(answer: RecipientReply | undefined): boolean {
  if (answer === undefined) return true
  const { reply, mayBeTaken } = answer
  return mayBeTaken !== true && (reply === undefined || (reply.code >= 400 && reply.code < 500))
}
