import { X509Certificate } from 'node:crypto'
import { dirname, join } from 'node:path'
import { javaStorePassword } from '../http/trust-store.js'
import type { Authority } from './cert.js'
import { shellQuoted } from './shell-quoted.js'
import { installCommands, removeCommands, type SystemStore, systemStores } from './system-trust.js'

/** What the advice is for. */
export interface TrustAdviceFor extends Authority {
  readonly platform: NodeJS.Platform
  /** How this Linux takes one more authority; undefined: it is not known. */
  readonly store: SystemStore | undefined
  /** What the certificate is called there. */
  readonly fileName: string
}

/** What to type so that this system, its browsers and each family of programs trust our authority. */
export function trustAdvice(given: TrustAdviceFor): string {
  const { caPath, platform } = given
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['This system (and with --install we do it)', platform === 'linux' ? linux(given) : []],
    ['This system', platform === 'darwin' ? macos(caPath) : []],
    ['This system, for this user', platform === 'win32' ? windows(given) : []],
    ['Chromium and Chrome on Linux', platform === 'linux' ? nss('sql:$HOME/.pki/nssdb', caPath) : []],
    ['Firefox, for one profile (or: Settings, Certificates, Authorities, Import)', firefox(given)],
    ['One program at a time, without the system', variables(caPath)],
  ]
  const lines = sections
    .filter(([, commands]) => commands.length > 0)
    .flatMap(([heading, commands]) => ['', `${heading}:`, ...commands.map((command) => `  ${command}`)])
  const key = join(dirname(caPath), 'authority.pem')
  return [
    `The certificate of our authority: ${caPath}`,
    `Who can read ${key} can pose as any site to whatever trusts it: trust it where you develop, and take it away after.`,
    'For one program nothing of this is needed: graphpost run -- COMMAND',
    ...lines,
  ].join('\n')
}

function linux({ store, caPath, fileName }: TrustAdviceFor): string[] {
  const stores = store === undefined ? systemStores : [store]
  return stores.flatMap((one) => [
    `# ${one.systems}`,
    ...installCommands(one, caPath, fileName),
    '# undone with',
    ...removeCommands(one, fileName),
  ])
}

function macos(caPath: string): string[] {
  return [
    `sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${shellQuoted(caPath)}`,
    '# undone with',
    `sudo security remove-trusted-cert -d ${shellQuoted(caPath)}`,
  ]
}

function windows({ caPath, caPem }: TrustAdviceFor): string[] {
  const thumbprint = new X509Certificate(caPem).fingerprint.replaceAll(':', '').toLowerCase()
  return [`certutil -user -addstore Root "${caPath}"`, 'rem undone with', `certutil -user -delstore Root ${thumbprint}`]
}

/** Of NSS, which browsers bring along; the program is in libnss3-tools or nss-tools. */
function nss(database: string, caPath: string): string[] {
  return [`certutil -d ${database} -A -t C,, -n Graphpost -i ${shellQuoted(caPath)}`]
}

function firefox({ platform, caPath }: TrustAdviceFor): string[] {
  if (platform === 'linux') return nss('sql:PROFILE_FOLDER', caPath)
  return ['about:config, security.enterprise_roots.enabled = true: it trusts what this system trusts']
}

/** Node adds what it is given to its own; the others replace theirs, and so are given all of them. */
function variables(caPath: string): string[] {
  const bundle = shellQuoted(join(dirname(caPath), 'trusted.pem'))
  const store = shellQuoted(join(dirname(caPath), 'trusted.jks'))
  return [
    `graphpost cert export --format bundle --out ${bundle}`,
    `graphpost cert export --format jks --out ${store}`,
    `Node             NODE_EXTRA_CA_CERTS=${shellQuoted(caPath)}`,
    `Python           SSL_CERT_FILE=${bundle} REQUESTS_CA_BUNDLE=${bundle}`,
    `Go, .NET, Ruby   SSL_CERT_FILE=${bundle}  (Go and .NET: on Linux; elsewhere they ask the system)`,
    `curl             curl --cacert ${shellQuoted(caPath)}, or CURL_CA_BUNDLE=${bundle}`,
    `Java             java -Djavax.net.ssl.trustStore=${store} -Djavax.net.ssl.trustStorePassword=${javaStorePassword}`,
  ]
}
