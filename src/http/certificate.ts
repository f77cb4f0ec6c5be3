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
import 'reflect-metadata'
import { createPrivateKey, X509Certificate as NodeCertificate, randomBytes, webcrypto } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { isIP } from 'node:net'
import { dirname, join } from 'node:path'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

cryptoProvider.set(webcrypto)

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

interface Pair {
  readonly certPem: string
  readonly keyPem: string
}

const dayMs = 86_400_000
const authorityDays = 3_650
/** Under the 398 days that browsers accept. */
const leafDays = 397
/** A leaf with less than this left is replaced at the next start. */
const renewBeforeMs = 30 * dayMs
/** Valid from yesterday on: containers' clocks differ. */
const backdateMs = dayMs

const curve = { name: 'ECDSA', namedCurve: 'P-256' }
const signing = { name: 'ECDSA', hash: 'SHA-256' }

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
  const made = await makeLeaf(authority, names, now)
  await writeAside(path, joinPair(made), 0o600, rename)
  return made
}

function isCurrent(certPem: string, caPem: string, names: readonly string[], now: number): boolean {
  const certificate = new X509Certificate(certPem)
  const kept = certificate.getExtension(SubjectAlternativeNameExtension)
  return (
    new NodeCertificate(certPem).verify(new NodeCertificate(caPem).publicKey) &&
    certificate.notBefore.getTime() <= now &&
    certificate.notAfter.getTime() - now > renewBeforeMs &&
    kept !== null &&
    Buffer.from(kept.value).equals(Buffer.from(alternativeNames(names).value))
  )
}

async function makeAuthority(now: number): Promise<Pair> {
  const keys = await makeKeys()
  // Two authorities in one trust store must be told apart.
  const name = `CN=Graphpost local authority ${randomBytes(4).toString('hex')}, O=Graphpost`
  return makeCertificate({ subject: name, issuer: name, keys, signingKey: keys.privateKey, days: authorityDays, now }, [
    new BasicConstraintsExtension(true, 0, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
  ])
}

async function makeLeaf(authority: Pair, names: readonly string[], now: number): Promise<Pair> {
  const keys = await makeKeys()
  const issuer = new X509Certificate(authority.certPem)
  const signingKey = await importKey(authority.keyPem)
  return makeCertificate({ subject: 'CN=localhost', issuer: issuer.subject, keys, signingKey, days: leafDays, now }, [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    alternativeNames(names),
    await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
  ])
}

interface CertificateWanted {
  readonly subject: string
  readonly issuer: string
  readonly keys: webcrypto.CryptoKeyPair
  readonly signingKey: webcrypto.CryptoKey
  readonly days: number
  readonly now: number
}

async function makeCertificate(wanted: CertificateWanted, extensions: Extension[]): Promise<Pair> {
  const { subject, issuer, keys, signingKey, days, now } = wanted
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer,
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now - backdateMs + days * dayMs),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: signing,
    extensions,
  })
  return { certPem: `${certificate.toString('pem')}\n`, keyPem: await exportKey(keys.privateKey) }
}

/** 127 random bits, positive and never zero at the front: RFC 5280 §4.1.2.2. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0)
  return bytes.toString('hex')
}

function alternativeNames(names: readonly string[]): SubjectAlternativeNameExtension {
  return new SubjectAlternativeNameExtension(
    names.map((value): JsonGeneralName => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
  )
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(curve, true, ['sign', 'verify'])
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString()
}

function importKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(keyPem).export({ format: 'der', type: 'pkcs8' })
  return webcrypto.subtle.importKey('pkcs8', der, curve, false, ['sign'])
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
    return new NodeCertificate(certPem).checkPrivateKey(createPrivateKey(keyPem))
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
