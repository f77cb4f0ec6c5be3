import { isPublicAddress } from '../http/reachable-address.js'
import type { SmtpReply } from './outcome.js'

/** What is asked of the DNS; `node:dns/promises` has it. */
export interface MailResolver {
  resolveMx(domain: string): Promise<{ readonly exchange: string; readonly priority: number }[]>
  resolve4(host: string): Promise<string[]>
  resolve6(host: string): Promise<string[]>
  resolveTxt(name: string): Promise<string[][]>
}

/** The hosts that take mail for a domain, in the order in which they are tried; or why there is none. */
export type MailHosts =
  | { readonly hosts: readonly string[] }
  /** The DNS says no: final. */
  | { readonly refusal: SmtpReply }
  /** The DNS gave no answer: later. */
  | { readonly trouble: string }

const nullMx: SmtpReply = { code: 556, text: '556 5.1.10 The domain takes no mail: its MX is null.' }
const noSuchDomain: SmtpReply = { code: 550, text: '550 5.1.2 There is no such domain.' }
const noMailHost: SmtpReply = { code: 550, text: '550 5.4.4 The domain has no host for mail.' }
const loops: SmtpReply = {
  code: 554,
  text: '554 5.4.6 The mail server of the domain is this one, and it has no such mailbox.',
}

/**
 * Finds them as RFC 5321 §5.1 says: by MX, lowest preference first, equals in an order of chance; by the domain's own
 * address when it has no MX; none when its MX is null (RFC 7505). Hosts that are no nearer than ourselves are left out.
 *
 * @param own our own host name
 * @param chance from 0 to less than 1
 */
export async function findMailHosts(
  resolver: MailResolver,
  domain: string,
  own: string,
  chance: () => number,
): Promise<MailHosts> {
  // Of an address literal (RFC 5321 §4.1.3), and of what is no name at all.
  if (domain === '') return { refusal: noSuchDomain }
  const found = await asked(() => resolver.resolveMx(domain))
  if (found === 'no such name') return { refusal: noSuchDomain }
  if (found === 'no such record') return { hosts: [domain] }
  if (!Array.isArray(found)) return found
  const records = found.map(({ exchange, priority }) => ({ host: exchange.replace(/\.$/, '').toLowerCase(), priority }))
  const named = records.filter(({ host }) => host !== '')
  if (named.length === 0) return records.length === 0 ? { hosts: [domain] } : { refusal: nullMx }
  const ourPriority = Math.min(
    ...named.filter(({ host }) => host === own.toLowerCase()).map(({ priority }) => priority),
  )
  const nearer = named.filter(({ priority }) => priority < ourPriority)
  if (nearer.length === 0) return { refusal: loops }
  const ordered = nearer
    .map((record) => ({ ...record, lot: chance() }))
    .toSorted((one, other) => one.priority - other.priority || one.lot - other.lot)
  return { hosts: [...new Set(ordered.map(({ host }) => host))] }
}

/** The addresses of a host, or why there is none. */
export type HostAddresses =
  | { readonly addresses: readonly string[] }
  | { readonly refusal: SmtpReply }
  | { readonly trouble: string }

/**
 * Its IPv4 and IPv6 addresses. A name that strangers chose must not lead into our own network, so only public addresses
 * are good unless `mayBePrivate`.
 */
export async function findAddresses(
  resolver: MailResolver,
  host: string,
  mayBePrivate: boolean,
): Promise<HostAddresses> {
  const answers = await Promise.all([asked(() => resolver.resolve4(host)), asked(() => resolver.resolve6(host))])
  const found = answers.flatMap((answer) => (Array.isArray(answer) ? answer : []))
  const addresses = mayBePrivate ? found : found.filter(isPublicAddress)
  if (addresses.length > 0) return { addresses }
  if (found.length > 0) return { trouble: `${host} has no public address, and mxPrivate does not allow others.` }
  const trouble = answers.find((answer) => typeof answer === 'object' && 'trouble' in answer)
  return trouble !== undefined && 'trouble' in trouble ? trouble : { refusal: noMailHost }
}

/** What the DNS said, if it is none of the records. */
async function asked<Answer>(
  ask: () => Promise<Answer[]>,
): Promise<Answer[] | 'no such name' | 'no such record' | { readonly trouble: string }> {
  try {
    return await ask()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A label that is too long, for instance.
    if (code === 'ENOTFOUND' || code === 'EBADNAME') return 'no such name'
    if (code === 'ENODATA') return 'no such record'
    return { trouble: `The DNS gave no answer (${code ?? (error as Error).message}).` }
  }
}

/** An answer is good for that long, ms: a domain that gets many mails is not asked about with each. */
const keptMs = 60_000
const maxKept = 10_000

/** The same resolver, its answers kept for a minute, also that there is no such record; trouble is not kept. */
export function keepingAnswers(resolver: MailResolver, now: () => number): MailResolver {
  const kept = new Map<string, { readonly answer: Promise<unknown>; readonly until: number }>()
  const keep = <Answer>(key: string, ask: () => Promise<Answer>): Promise<Answer> => {
    const known = kept.get(key)
    if (known !== undefined && known.until > now()) return known.answer as Promise<Answer>
    const answer = ask()
    kept.delete(key)
    kept.set(key, { answer, until: now() + keptMs })
    const oldest = kept.keys().next().value
    if (kept.size > maxKept && oldest !== undefined) kept.delete(oldest)
    answer.catch(({ code }: NodeJS.ErrnoException) => {
      if (code !== 'ENOTFOUND' && code !== 'ENODATA' && kept.get(key)?.answer === answer) kept.delete(key)
    })
    return answer
  }
  return {
    resolveMx: (domain) => keep(`mx ${domain}`, () => resolver.resolveMx(domain)),
    resolve4: (host) => keep(`a ${host}`, () => resolver.resolve4(host)),
    resolve6: (host) => keep(`aaaa ${host}`, () => resolver.resolve6(host)),
    resolveTxt: (name) => keep(`txt ${name}`, () => resolver.resolveTxt(name)),
  }
}
