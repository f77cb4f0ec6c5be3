import { fileURLToPath } from 'node:url'
import type { StandIn } from './reach.js'

/** What the environment of a program is made of. */
export interface Surrounding {
  readonly standIn: StandIn
  readonly proxyPort: number
  /** PEM of our authority alone. */
  readonly caPath: string
  /** PEM of every authority that is trusted, ours among them. */
  readonly bundlePath: string
  /** The same as a Java key store. */
  readonly javaStorePath: string
  readonly javaStorePassword: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** Variables that name a file of trusted authorities, in place of the system's. */
const bundleVariables = [
  // OpenSSL, and with it Python, Ruby, PHP's streams; Go and .NET on Linux.
  'SSL_CERT_FILE',
  // Python's requests.
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
]

/** Every variable that names such a file; Node adds what it names to its own. */
const authorityVariables = [...bundleVariables, 'NODE_EXTRA_CA_CERTS']

/** Files of authorities that a program has been told to trust; they must stay trusted. */
export function authorityFiles(env: Environment): string[] {
  return [...new Set(authorityVariables.map((name) => env[name] ?? ''))].filter((file) => file !== '')
}

/** The proxy that https goes through on this machine; undefined: none. */
export function upstreamProxy(env: Environment): URL | undefined {
  const given = env.https_proxy || env.HTTPS_PROXY || env.all_proxy || env.ALL_PROXY || ''
  const text = given === '' || given.includes('://') ? given : `http://${given}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) && url.hostname !== '' ? url : undefined
}

/**
 * The environment of a program that finds our server in place of Microsoft's cloud: a proxy for what honours one, trust in
 * our authority for each family of programs, and for Node a module that leads its connections here without a proxy. What
 * was set before stays, as far as it says nothing about that.
 */
export function environmentOf(before: Environment, surrounding: Surrounding): Record<string, string | undefined> {
  const { standIn, proxyPort, caPath, bundlePath } = surrounding
  const proxy = `http://127.0.0.1:${proxyPort}`
  const direct = noProxy(before, standIn)
  return {
    ...before,
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    NO_PROXY: direct,
    no_proxy: direct,
    ...Object.fromEntries(bundleVariables.map((name) => [name, bundlePath])),
    NODE_EXTRA_CA_CERTS: (before.NODE_EXTRA_CA_CERTS ?? '') === '' ? caPath : bundlePath,
    // From Node 22.21 and 24.5 on; before that, and for what makes its own connections, there is the module.
    NODE_USE_ENV_PROXY: '1',
    NODE_OPTIONS: appended(before.NODE_OPTIONS, `--require ${quotedForNode(redirectModule)}`),
    GRAPHPOST_REDIRECT: JSON.stringify({ address: standIn.address, port: standIn.port, hosts: standIn.hosts }),
    JAVA_TOOL_OPTIONS: appended(before.JAVA_TOOL_OPTIONS, javaOptions(surrounding)),
  }
}

const redirectModule = fileURLToPath(new URL('./redirect.cjs', import.meta.url))

/** This machine, and what was reached without a proxy before; hosts of the cloud must not be among them. */
function noProxy(before: Environment, { hosts }: StandIn): string {
  const given = (before.no_proxy || before.NO_PROXY || '').split(/[\s,]+/).filter((entry) => entry !== '')
  const kept = given.filter((entry) => entry !== '*' && !hosts.some((host) => isWithin(host, entry)))
  return [...new Set(['localhost', '127.0.0.1', '::1', ...kept])].join(',')
}

/** Whether an entry of NO_PROXY, `example.com`, `.example.com` or `*.example.com`, names a host or a domain of it. */
function isWithin(host: string, entry: string): boolean {
  const domain = entry
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/:\d+$/, '')
  return host === domain || host.endsWith(`.${domain}`)
}

function javaOptions({ proxyPort, javaStorePath, javaStorePassword }: Surrounding): string {
  return Object.entries({
    'https.proxyHost': '127.0.0.1',
    'https.proxyPort': String(proxyPort),
    'http.nonProxyHosts': 'localhost|127.*|[::1]',
    'javax.net.ssl.trustStore': javaStorePath,
    'javax.net.ssl.trustStoreType': 'JKS',
    'javax.net.ssl.trustStorePassword': javaStorePassword,
  })
    .map(([name, value]) => quotedForJava(`-D${name}=${value}`))
    .join(' ')
}

function appended(before: string | undefined, more: string): string {
  return (before ?? '') === '' ? more : `${before} ${more}`
}

/** NODE_OPTIONS: double quotes, in which a backslash takes the next character as it is. */
function quotedForNode(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** JAVA_TOOL_OPTIONS: white space ends an option, quotes of either kind hold one together, and nothing escapes them. */
function quotedForJava(option: string): string {
  if (!/[\s'"]/.test(option)) return option
  return option.includes('"') ? `'${option}'` : `"${option}"`
}
