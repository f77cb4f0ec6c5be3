/** Makes the certificates that `certificate.ts` keeps: an authority, and a server's. */
import 'reflect-metadata'
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
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

/** A certificate and its key. */
export interface Pair {
  readonly certPem: string
  /** PKCS #8 */
  readonly keyPem: string
}

const dayMs = 86_400_000
const authorityDays = 3_650
/** Under the 398 days that browsers accept. */
const leafDays = 397
/** Valid from yesterday on: containers' clocks differ. */
const backdateMs = dayMs

const curve = { name: 'ECDSA', namedCurve: 'P-256' }
const signing = { name: 'ECDSA', hash: 'SHA-256' }

/** An authority of its own, that signs leaves and nothing else. */
export async function makeAuthority(now: number): Promise<Pair> {
  const keys = await makeKeys()
  // Two authorities in one trust store must be told apart.
  const name = `CN=Graphpost local authority ${randomBytes(4).toString('hex')}, O=Graphpost`
  return makeCertificate({ subject: name, issuer: name, keys, signingKey: keys.privateKey, days: authorityDays, now }, [
    new BasicConstraintsExtension(true, 0, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
  ])
}

/** A certificate for a server of these names and addresses, signed by the authority. */
export async function makeLeaf(authority: Pair, names: readonly string[], now: number): Promise<Pair> {
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
