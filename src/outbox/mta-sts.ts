/**
 * MTA-STS (RFC 8461): a domain says by DNS and https which hosts take its mail, and that they speak good TLS. A policy is
 * kept for as long as it says, in memory: after a restart it is learned anew.
 */
import { callOutward } from '../http/outward-call.js'
import type { MailResolver } from './mx.js'

/** What a domain asks of whoever sends it mail. */
export interface StsPolicy {
  readonly mode: 'enforce' | 'testing' | 'none'
  /** Host names; `*.` in front stands for exactly one label. */
  readonly mx: readonly string[]
  readonly maxAgeMs: number
}

/** Fetches the text of a domain's policy over https. @throws when there is none */
export type FetchPolicy = (domain: string) => Promise<string>

/** RFC 8461 §3.3: by https alone, with a good certificate, in a bounded time, no redirect followed. */
export const fetchStsPolicy: FetchPolicy = async (domain) => {
  const call = { headers: {}, timeoutMs: 30_000, maxAnswerBytes: 65_536 }
  const url = `https://mta-sts.${domain}/.well-known/mta-sts.txt`
  const { status, contentType = '', body } = await callOutward(url, 'public', call)
  if (status !== 200 || !/^text\/plain\b/i.test(contentType)) throw new Error(`The policy of ${domain} is no text.`)
  return body
}

interface Known {
  readonly id: string
  readonly policy: StsPolicy
  readonly expiresAt: number
}

const maxKnown = 10_000
/** Largest `max_age`, RFC 8461 §3.2: a year. */
const maxAgeSeconds = 31_557_600
/** RFC 8461 §3.3: a policy that could not be had is not asked for with every mail. */
const retryFetchMs = 300_000

/** The policies of all domains. */
export class StsPolicies {
  readonly #resolver: MailResolver
  readonly #fetchPolicy: FetchPolicy
  readonly #now: () => number
  readonly #known = new Map<string, Known>()
  /** Id of a policy that could not be had, and when it is asked for again. */
  readonly #failed = new Map<string, { id: string; until: number }>()

  constructor(resolver: MailResolver, fetchPolicy: FetchPolicy, now: () => number) {
    this.#resolver = resolver
    this.#fetchPolicy = fetchPolicy
    this.#now = now
  }

  /** The policy in force for a domain; undefined without one, and for one of mode `none`. Never rejects. */
  async find(domain: string): Promise<StsPolicy | undefined> {
    const known = this.#known.get(domain)
    const current = known !== undefined && known.expiresAt > this.#now() ? known : undefined
    const id = await this.#idOf(domain)
    // A record that went away does not end a policy: whoever can forge the DNS could do that.
    const found = id === undefined || id === current?.id ? current : ((await this.#fetch(domain, id)) ?? current)
    return found === undefined || found.policy.mode === 'none' ? undefined : found.policy
  }

  /** RFC 8461 §3.1: of several records, none counts. */
  async #idOf(domain: string): Promise<string | undefined> {
    const records = await this.#resolver.resolveTxt(`_mta-sts.${domain}`).catch(() => [])
    const [record, ...others] = records.map((parts) => parts.join('')).filter((text) => /^v=STSv1\s*;/.test(text))
    if (record === undefined || others.length > 0) return undefined
    return /;\s*id\s*=\s*([A-Za-z0-9]{1,32})\s*(?:;|$)/.exec(record)?.[1]
  }

  async #fetch(domain: string, id: string): Promise<Known | undefined> {
    const failed = this.#failed.get(domain)
    if (failed !== undefined && failed.id === id && failed.until > this.#now()) return undefined
    const policy = await this.#fetchPolicy(domain).then(parsePolicy, () => undefined)
    if (policy === undefined) {
      remember(this.#failed, domain, { id, until: this.#now() + retryFetchMs })
      return undefined
    }
    const known = { id, policy, expiresAt: this.#now() + policy.maxAgeMs }
    this.#failed.delete(domain)
    remember(this.#known, domain, known)
    return known
  }
}

/** The oldest makes room. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
  const oldest = map.keys().next().value
  if (map.size > maxKnown && oldest !== undefined) map.delete(oldest)
}

/** Reads the text of a policy, RFC 8461 §3.2; undefined when it is none. */
export function parsePolicy(text: string): StsPolicy | undefined {
  const fields = text
    .split(/\r?\n/)
    .map((line) => /^\s*([a-z0-9_.-]+)\s*:\s*(.*?)\s*$/i.exec(line))
    .filter((match) => match !== null)
    .map(([, key = '', value = '']) => ({ key, value }))
  const first = (key: string) => fields.find((field) => field.key === key)?.value
  const mode = first('mode')
  const maxAge = first('max_age') ?? ''
  const mx = fields.filter(({ key }) => key === 'mx').map(({ value }) => value.toLowerCase())
  if (first('version') !== 'STSv1' || !/^\d{1,10}$/.test(maxAge)) return undefined
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return undefined
  if (mode !== 'none' && mx.length === 0) return undefined
  return { mode, mx, maxAgeMs: Math.min(Number(maxAge), maxAgeSeconds) * 1000 }
}

/** Whether a host may take mail under a policy, RFC 8461 §4.1. */
export function isNamedBy({ mx }: StsPolicy, host: string): boolean {
  return mx.some((pattern) => {
    if (!pattern.startsWith('*.')) return pattern === host
    const dot = host.indexOf('.')
    return dot > 0 && host.slice(dot) === pattern.slice(1)
  })
}
