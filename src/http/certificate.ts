/**
 * Certificates of our own, so that https works from the first start: a small authority that programs are told to trust
 * once, and a leaf for this machine's names, signed by it. In `{data}/tls`:
 *
 *     authority.pem   the authority's key and certificate, for us alone
 *     ca.pem          its certificate alone: what clients are given (NODE_EXTRA_CA_CERTS, SSL_CERT_FILE ...)
 *     server.pem      the server's key and certificate
 *     trusted.pem     the public authorities and ours, for programs that are given all they trust in one file
 *     trusted.jks     the same for Java
 *
 * A key and its certificate share a file, so that a crash cannot leave the one without the other.
 */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { isIP, SocketAddress } from 'node:net'
import { dirname, join } from 'node:path'
import type { Pair } from './make-certificate.js'

/** What an https server needs, and what its clients need to trust it. All PEM. */
export interface LocalCertificate {
  readonly caPem: string
  readonly certPem: string
  /** PKCS #8 */
  readonly keyPem: string
  /** File that holds `caPem`; undefined when everything is in memory. */
  readonly caPath?: string
}

export interface CertificateOptions {
  /** Host names and IP addresses beside this machine's own. */
  readonly names?: readonly string[]
  /** ms since 1970; the present unless given. */
  readonly now?: number
}

const dayMs = 86_400_000
/** A leaf with less than this left is replaced at the next start. */
const renewBeforeMs = 30 * dayMs

/** Names that always mean this machine (RFC 6761 §6.3). */
const ownNames = ['localhost', '*.localhost', '127.0.0.1', '::1']

/**
 * The certificate for this machine, made when there is none. The authority stays the same as long as the folder does; the
 * leaf is replaced when it nears its end or the names change.
 *
 * @param folder the data folder; undefined: nothing is written, and the next call makes another authority
 */
export async function localCertificate(
  folder: string | undefined,
  { names = [], now = Date.now() }: CertificateOptions = {},
): Promise<LocalCertificate> {
  const wanted = [...new Set([...ownNames, ...names])].sort()
  if (folder === undefined) {
    const { makeAuthority, makeLeaf } = await making()
    const authority = await makeAuthority(now)
    return { ...(await makeLeaf(authority, wanted, now)), caPem: authority.certPem }
  }
  const { authority, caPath } = await openAuthority(folder, now)
  const leaf = await keptLeaf(join(dirname(caPath), 'server.pem'), authority, wanted, now)
  return { ...leaf, caPem: authority.certPem, caPath }
}

/** The authority of a data folder, made when there is none. */
export async function localAuthority(folder: string): Promise<{ readonly caPem: string; readonly caPath: string }> {
  const { authority, caPath } = await openAuthority(folder, Date.now())
  return { caPem: authority.certPem, caPath }
}

async function openAuthority(folder: string, now: number): Promise<{ authority: Pair; caPath: string }> {
  const caPath = authorityPath(folder)
  await mkdir(dirname(caPath), { recursive: true, mode: 0o700 })
  const authority = await keptAuthority(join(dirname(caPath), 'authority.pem'), now)
  await writeAuthority(caPath, authority.certPem)
  return { authority, caPath }
}

/** Where the certificate of a data folder's authority is kept. */
export function authorityPath(folder: string): string {
  return join(folder, 'tls', 'ca.pem')
}

/** Writes an authority's certificate to a file for clients to trust; at once or not at all. */
export async function writeAuthority(path: string, caPem: string): Promise<void> {
  await writeShared(path, caPem)
}

/** Writes a file that other programs read; at once or not at all. */
export async function writeShared(path: string, content: string | Buffer): Promise<void> {
  const kept = await readFile(path).catch(() => undefined)
  // Left alone when right: another program may be reading it, or may have made it read-only.
  if (kept?.equals(Buffer.from(content)) === true) return
  await writeAside(path, content, 0o644, rename)
}

/** The first to make one wins: of two servers that start in one folder at once, the second takes the first's. */
async function keptAuthority(path: string, now: number): Promise<Pair> {
  const kept = await readPair(path)
  if (kept !== undefined) return kept
  const { makeAuthority } = await making()
  const made = await makeAuthority(now)
  await writeAside(path, joinPair(made), 0o600, placeOnce)
  const winner = await readPair(path)
  if (winner === undefined)
    throw new Error(`${path} does not hold a key and its certificate; remove it to have a new authority`)
  return winner
}

async function keptLeaf(path: string, authority: Pair, names: readonly string[], now: number): Promise<Pair> {
  const kept = await readPair(path)
  if (kept !== undefined && isCurrent(kept.certPem, authority.certPem, names, now)) return kept
  const { makeLeaf } = await making()
  const made = await makeLeaf(authority, names, now)
  await writeAside(path, joinPair(made), 0o600, rename)
  return made
}

function isCurrent(certPem: string, caPem: string, names: readonly string[], now: number): boolean {
  const certificate = new X509Certificate(certPem)
  return (
    certificate.verify(new X509Certificate(caPem).publicKey) &&
    Date.parse(certificate.validFrom) <= now &&
    Date.parse(certificate.validTo) - now > renewBeforeMs &&
    namesIn(certificate).join() === names.map(canonical).join()
  )
}

/** Its alternative names, which Node writes as `DNS:localhost, IP Address:0:0:0:0:0:0:0:1`. */
function namesIn({ subjectAltName = '' }: X509Certificate): string[] {
  return subjectAltName.split(', ').map((name) => canonical(name.replace(/^(?:DNS|IP Address):/, '')))
}

/** IPv6 addresses have many forms. */
function canonical(name: string): string {
  return isIP(name) === 6 ? new SocketAddress({ address: name, family: 'ipv6' }).address : name
}

/** Loaded when a certificate is to be made, at the first start and once in a year: no library is slower to load. */
function making() {
  return import('./make-certificate.js')
}

function joinPair({ certPem, keyPem }: Pair): string {
  return `${keyPem}${certPem}`
}

/** undefined when the file is not there or does not hold a certificate with its key. */
async function readPair(path: string): Promise<Pair | undefined> {
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const keyPem = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(content)?.[0]
  const certPem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(content)?.[0]
  if (keyPem === undefined || certPem === undefined) return undefined
  return belongTogether(certPem, keyPem) ? { certPem, keyPem } : undefined
}

function belongTogether(certPem: string, keyPem: string): boolean {
  try {
    return new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem))
  } catch {
    return false
  }
}

/** Writes a file beside its place, onto the disk, and then puts it there. */
async function writeAside(
  path: string,
  content: string | Buffer,
  mode: number,
  place: (from: string, to: string) => Promise<void>,
): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`
  try {
    const file = await open(aside, 'wx', mode)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await place(aside, path)
  } finally {
    await rm(aside, { force: true })
  }
}

/** Yields to a file that is there already. */
async function placeOnce(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    // A file system without hard links.
    await rename(from, to)
  }
}
