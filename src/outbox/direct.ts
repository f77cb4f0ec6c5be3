/**
 * Mail straight to the servers of its recipients' domains. TLS is taken where it is offered, whoever's certificate it is,
 * and done without where it does not work (RFC 7435): without it the mail would go in the clear to the same server. Only
 * a domain that says so by MTA-STS gets good TLS or nothing.
 */
import { isIP } from 'node:net'
import type { Readable } from 'node:stream'
import { domainToASCII } from 'node:url'
import { offerInTurn } from './failover.js'
import { type FetchPolicy, isNamedBy, StsPolicies, type StsPolicy } from './mta-sts.js'
import { findAddresses, findMailHosts, keepingAnswers, type MailResolver } from './mx.js'
import { oneLine } from './outcome.js'
import type { RelayAddress } from './relay-url.js'
import { defaultTimeouts, type Envelope, openPeer, type RecipientReply, type Relay, type SmtpTimeouts } from './smtp.js'
import type { DirectSender } from './transport.js'

export interface DirectOptions {
  readonly hostname: string
  /** Connections at once to one server. */
  readonly connections: number
  readonly resolver: MailResolver
  readonly fetchPolicy: FetchPolicy
  /** Whether a domain's servers may be in our own network, or this machine. */
  readonly mayBePrivate: boolean
  readonly sign?: (mime: Buffer) => Readable
  readonly timeouts?: SmtpTimeouts
  /** 25 unless given. */
  readonly port?: number
  /** Beside the public authorities; PEM. */
  readonly ca?: string
  readonly now?: () => number
  readonly chance?: () => number
}

/** A server does not answer for minutes rarely, and there is a next one. */
const setupMs = 30_000
/** Servers tried for one message: five, as Postfix does (`smtp_mx_address_limit`). */
const maxServers = 5
/** Servers to which connections are kept. */
const maxPeers = 200

/** One server of a domain. */
interface Server {
  readonly name: string
  readonly address: string
}

type Protection = 'sts' | 'any' | 'none'

/** Opens the way; nothing is asked or connected before there is mail. */
export function openDirect(given: DirectOptions): DirectSender {
  const { fetchPolicy, now = Date.now } = given
  const resolver = keepingAnswers(given.resolver, now)
  const options = { ...given, resolver }
  const policies = new StsPolicies(resolver, fetchPolicy, now)
  const peers = new Peers(options)
  return {
    send: async (envelope, content, withinMs) => {
      const byDomain = new Map<string, string[]>()
      for (const address of envelope.recipients) {
        const domain = domainOf(address)
        byDomain.set(domain, [...(byDomain.get(domain) ?? []), address])
      }
      const means = { options, policies, peers }
      const parts = [...byDomain].map(([domain, recipients]) =>
        sendTo(domain, means, { ...envelope, recipients }, content, withinMs),
      )
      return (await Promise.all(parts)).flat()
    },
    close: (how) => peers.close(how),
  }
}

interface DirectMeans {
  readonly options: DirectOptions
  readonly policies: StsPolicies
  readonly peers: Peers
}

function domainOf(address: string): string {
  return domainToASCII(address.slice(address.lastIndexOf('@') + 1)).toLowerCase()
}

async function sendTo(
  domain: string,
  means: DirectMeans,
  envelope: Envelope,
  content: Uint8Array,
  withinMs: number,
): Promise<RecipientReply[]> {
  const endsAt = performance.now() + withinMs
  const everyone = (answer: Omit<RecipientReply, 'address'>) =>
    envelope.recipients.map((address) => ({ address, ...answer }))
  const policy = await means.policies.find(domain)
  const found = await findServers(domain, policy, means)
  if ('refusal' in found) return everyone({ reply: found.refusal, remark: found.refusal.text })
  if ('trouble' in found) return everyone({ reply: undefined, remark: oneLine(found.trouble) })
  return offerInTurn(found.servers, envelope, async (server, open) => {
    const offer = (protection: Protection) =>
      means.peers.get(server, protection).send(open, content, Math.max(endsAt - performance.now(), 1))
    if (policy?.mode === 'enforce') return offer('sts')
    const answers = await offer('any')
    // No session came about; TLS may be why.
    return answers.every(({ isTlsTrouble }) => isTlsTrouble) ? offer('none') : answers
  })
}

/** The domain's servers in the order in which they are tried, each with an address. */
async function findServers(domain: string, policy: StsPolicy | undefined, { options }: DirectMeans) {
  const { resolver, hostname, mayBePrivate, chance = Math.random } = options
  const found = await findMailHosts(resolver, domain, hostname, chance)
  if (!('hosts' in found)) return found
  const isEnforced = policy?.mode === 'enforce'
  const named = isEnforced ? found.hosts.filter((host) => isNamedBy(policy, host)) : found.hosts
  if (named.length === 0) return { trouble: `No mail host of ${domain} is one that its MTA-STS policy names.` }
  const looked = await Promise.all(
    named
      .slice(0, maxServers)
      .map(async (name) => ({ name, answer: await findAddresses(resolver, name, mayBePrivate) })),
  )
  const servers = looked.flatMap(({ name, answer }): Server[] =>
    'addresses' in answer ? answer.addresses.map((address) => ({ name, address })) : [],
  )
  if (servers.length > 0) return { servers: servers.slice(0, maxServers) }
  const [first] = looked.map(({ answer }) => answer).toSorted((one) => ('trouble' in one ? -1 : 1))
  return first !== undefined && !('addresses' in first) ? first : { trouble: `${domain} has no mail host.` }
}

/** Connections to servers, kept for the next message; the server not used for longest makes room. */
class Peers {
  readonly #options: DirectOptions
  readonly #open = new Map<string, Relay>()

  constructor(options: DirectOptions) {
    this.#options = options
  }

  get(server: Server, protection: Protection): Relay {
    const key = `${server.address} ${server.name} ${protection}`
    const peer = this.#open.get(key) ?? this.#connect(server, protection)
    this.#open.delete(key)
    this.#open.set(key, peer)
    const [oldest] = this.#open
    if (this.#open.size > maxPeers && oldest !== undefined) {
      this.#open.delete(oldest[0])
      oldest[1].close()
    }
    return peer
  }

  close(how?: { force: boolean }): void {
    for (const peer of this.#open.values()) peer.close(how)
  }

  #connect({ name, address }: Server, protection: Protection): Relay {
    const { hostname, connections, sign, port = 25, ca, timeouts = defaultTimeouts } = this.#options
    const server: RelayAddress = {
      host: address,
      port,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      tls: protection === 'sts' ? 'required' : protection === 'any' ? 'opportunistic' : 'none',
      verify: protection === 'sts',
      ...(ca === undefined ? {} : { ca }),
    }
    return openPeer(server, {
      hostname,
      connections,
      timeouts: { ...timeouts, setupMs: Math.min(timeouts.setupMs, setupMs) },
      ...(sign === undefined ? {} : { sign }),
    })
  }
}
