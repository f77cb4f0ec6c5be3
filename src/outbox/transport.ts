/**
 * Every way out of this machine behind one door: relays in groups, each with its failover, and the servers that the DNS
 * names (`mx`). Which of them a recipient's mail takes is in the rules.
 */
import type { Readable } from 'node:stream'
import { Failover } from './failover.js'
import type { RelayAddress } from './relay-url.js'
import { type RouteRule, ruleFor } from './route.js'
import { defaultTimeouts, type Envelope, openPeer, type RecipientReply, type Relay, type SmtpTimeouts } from './smtp.js'

/** Takes mail to the servers of its recipients' domains. */
export interface DirectSender {
  send(envelope: Envelope, content: Uint8Array, withinMs: number): Promise<RecipientReply[]>
  close(options?: { force: boolean }): void
}

export interface TransportOptions {
  /** What we call ourselves in EHLO. */
  readonly hostname: string
  /** Connections at once to each server. */
  readonly connections: number
  /** The first rule that matches decides; one that names no way out only keeps mail here. */
  readonly rules: readonly RouteRule[]
  /** By the names that rules have for them. */
  readonly relays: ReadonlyMap<string, RelayAddress>
  /** For rules that name `mx`. */
  readonly direct?: DirectSender
  /** Return path of all mail that has one, in place of its sender's address. */
  readonly bounceAddress?: string
  readonly sign?: (mime: Buffer) => Readable
  readonly timeouts?: SmtpTimeouts
}

/** A {@link Relay} that finds out which server is meant. */
export interface Transport extends Relay {
  readonly rules: readonly RouteRule[]
  /** Whether any rule lets mail out. */
  readonly canLeave: boolean
}

/** Name of the way that the DNS shows. */
export const mxWay = 'mx'

/** With another server to turn to, one that does not answer is not waited for as long as RFC 5321 §4.5.3.2 asks. */
const setupMsWithAnother = 30_000

/** Opens every way; nothing is connected before there is mail. */
export function openTransport(options: TransportOptions): Transport {
  const { rules, relays, direct, bounceAddress, timeouts = defaultTimeouts } = options
  const peers = new Map(
    [...relays].map(([name, address]) => [name, openPeer(address, peerOptions(options, rules, name))]),
  )
  const groups = new Map<RouteRule, Failover>()
  for (const rule of rules) {
    if (typeof rule.via === 'string' || rule.via.includes(mxWay)) continue
    groups.set(rule, new Failover(rule.via.flatMap((name) => peers.get(name) ?? [])))
  }

  const sendBy = (rule: RouteRule | undefined, envelope: Envelope, content: Uint8Array, withinMs: number) => {
    const group = rule && groups.get(rule)
    if (group !== undefined) return group.send(envelope, content, withinMs)
    if (direct !== undefined && rule?.via.includes(mxWay)) return direct.send(envelope, content, withinMs)
    const remark = 'No route leads there.'
    return Promise.resolve(envelope.recipients.map((address) => ({ address, reply: undefined, remark })))
  }

  return {
    rules,
    canLeave: rules.some(({ via }) => typeof via !== 'string'),
    connections: options.connections,
    transactionMs: timeouts.transactionMs,
    send: async (envelope, content, withinMs = timeouts.transactionMs) => {
      // Mail without a return path is about mail; a bounce of it must go nowhere (RFC 5321 §4.5.5).
      const mailFrom = envelope.mailFrom === '' ? '' : (bounceAddress ?? envelope.mailFrom)
      const byRule = new Map<RouteRule | undefined, string[]>()
      for (const address of envelope.recipients) {
        const rule = ruleFor(rules, { address, mailFrom: envelope.mailFrom, isReleased: true })
        byRule.set(rule, [...(byRule.get(rule) ?? []), address])
      }
      const parts = [...byRule].map(([rule, recipients]) =>
        sendBy(rule, { ...envelope, mailFrom, recipients }, content, withinMs),
      )
      const answers = new Map((await Promise.all(parts)).flat().map((answer) => [answer.address, answer]))
      return envelope.recipients.flatMap((address) => answers.get(address) ?? [])
    },
    close: (how) => {
      for (const peer of peers.values()) peer.close(how)
      direct?.close(how)
    },
  }
}

function peerOptions(
  { hostname, connections, sign, timeouts = defaultTimeouts }: TransportOptions,
  rules: readonly RouteRule[],
  name: string,
) {
  const hasAnother = rules.some(({ via }) => typeof via !== 'string' && via.includes(name) && via.length > 1)
  const setupMs = hasAnother ? Math.min(timeouts.setupMs, setupMsWithAnother) : timeouts.setupMs
  return { hostname, connections, timeouts: { ...timeouts, setupMs }, ...(sign === undefined ? {} : { sign }) }
}
