/**
 * A relay as an operator writes it: `smtp://user:password@host:port?tls=required`. What may follow the `?`:
 *
 *     tls=none            never encrypted
 *     tls=opportunistic   STARTTLS when the relay offers it; what is offered must then work
 *     tls=required        STARTTLS or nothing
 *     verify=no           any certificate is good
 *     ca=FILE             PEM file of the authorities that may sign its certificate, in place of the public ones
 *     auth=plain|login|cram-md5|xoauth2
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { AccessTokenSource } from './access-token.js'

/** How a connection is protected: RFC 3207, and RFC 8314 for `implicit` (TLS from the first byte). */
export type TlsMode = 'none' | 'opportunistic' | 'required' | 'implicit'

/** How we say who we are. */
export type Credentials = PasswordCredentials | TokenCredentials

interface PasswordCredentials {
  readonly user: string
  /** With `xoauth2` an access token. */
  readonly password: string
  /** The strongest that the relay offers unless given. */
  readonly method?: 'plain' | 'login' | 'cram-md5' | 'xoauth2'
}

/** XOAUTH2 with tokens that are fetched when they are needed. */
interface TokenCredentials {
  readonly user: string
  readonly tokens: AccessTokenSource
}

/** One server to hand mail to. */
export interface RelayAddress {
  readonly host: string
  readonly port: number
  /** The name that the certificate must carry, where it is not the host. */
  readonly servername?: string
  readonly tls: TlsMode
  /** Whether its certificate must be good and carry its name. */
  readonly verify: boolean
  /** PEM */
  readonly ca?: string
  readonly credentials?: Credentials
}

const tlsModes = ['none', 'opportunistic', 'required'] as const
const methods = ['plain', 'login', 'cram-md5', 'xoauth2'] as const

/**
 * Reads one. Where there is a password and nothing is said about TLS it is required, unless the relay is this machine:
 * whoever strips STARTTLS from an answer must not be given the password.
 *
 * @throws TypeError that names what is wrong, and never the password
 */
export function parseRelayUrl(text: string): RelayAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || !/^\/?$/.test(url.pathname)) {
    throw new TypeError('A relay is given as smtp://host:port or smtps://host:port.')
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const options = readOptions(url.searchParams)
  const credentials = credentialsOf(url, options.get('auth'))
  const isImplicit = url.protocol === 'smtps:'
  if (isImplicit && options.has('tls')) throw new TypeError('An smtps:// relay speaks TLS always: leave out "tls".')
  return {
    host,
    port: url.port === '' ? defaultPort(isImplicit, credentials) : Number(url.port),
    tls: isImplicit ? 'implicit' : tlsMode(options.get('tls'), host, credentials),
    verify: oneOf('verify', options.get('verify') ?? 'yes', ['yes', 'no']) === 'yes',
    ...(options.has('ca') ? { ca: readAuthorities(options.get('ca') ?? '') } : {}),
    ...(credentials === undefined ? {} : { credentials }),
  }
}

/** RFC 8314 §3.3 for submission, RFC 5321 §4.5.4.2 for everything else. */
function defaultPort(isImplicit: boolean, credentials: Credentials | undefined): number {
  if (isImplicit) return 465
  return credentials === undefined ? 25 : 587
}

const knownOptions = ['tls', 'verify', 'ca', 'auth']

function readOptions(given: URLSearchParams): Map<string, string> {
  const unknown = [...given.keys()].find((key) => !knownOptions.includes(key))
  if (unknown !== undefined) {
    throw new TypeError(`A relay has no option "${unknown}": there are ${knownOptions.join(', ')}.`)
  }
  return new Map(given)
}

function credentialsOf(url: URL, method: string | undefined): PasswordCredentials | undefined {
  if (url.username === '') {
    if (method !== undefined) throw new TypeError('A relay\'s option "auth" needs a user: smtp://user:password@host.')
    return undefined
  }
  return {
    user: decoded(url.username),
    password: decoded(url.password),
    ...(method === undefined ? {} : { method: oneOf('auth', method, methods) }),
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TypeError('The user or the password of a relay holds a % that begins no escape: write it as %25.')
  }
}

function tlsMode(given: string | undefined, host: string, credentials: Credentials | undefined): TlsMode {
  if (given !== undefined) return oneOf('tls', given, tlsModes)
  return credentials === undefined || isThisMachine(host) ? 'opportunistic' : 'required'
}

function isThisMachine(host: string): boolean {
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || (isIP(host) === 4 && /^127\./.test(host))
  )
}

function oneOf<const Word extends string>(option: string, given: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === given)
  if (found === undefined) throw new TypeError(`A relay's option "${option}" is one of ${words.join(', ')}.`)
  return found
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new TypeError(`The file ${path}, given as "ca" of a relay, cannot be read (${code}).`)
  }
}
