/**
 * What programs are given so that they trust our authority beside the public ones, in the forms they read: PEM for most,
 * a key store for Java.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { writeShared } from './certificate.js'

/** Where systems keep the authorities that they trust: Debian, Fedora, openSUSE, Alpine and macOS. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/** Java's tools want one of six letters at least; nothing is secret in a store of certificates. */
export const javaStorePassword = 'changeit'

/**
 * Writes all that a program should trust beside an authority's certificate, once as PEM and once for Java.
 *
 * @param caPath where the authority's certificate is kept
 * @param files see {@link trustedAuthorities}
 */
export async function writeTrustStores(
  caPath: string,
  caPem: string,
  files: readonly string[],
): Promise<{ bundlePath: string; javaStorePath: string }> {
  const certificates = await trustedAuthorities(caPem, files)
  const bundlePath = join(dirname(caPath), 'trusted.pem')
  const javaStorePath = join(dirname(caPath), 'trusted.jks')
  await writeShared(bundlePath, pemOf(certificates))
  await writeShared(javaStorePath, javaTrustStore(certificates))
  return { bundlePath, javaStorePath }
}

/**
 * Our authority first, then those that this system and Node trust, each once.
 *
 * @param files PEM files with more of them; what cannot be read is left out
 * @returns certificates in DER
 */
export async function trustedAuthorities(caPem: string, files: readonly string[] = []): Promise<Buffer[]> {
  const read = await Promise.all([...files, ...systemBundles].map((file) => readFile(file, 'utf8').catch(() => '')))
  const found = new Map<string, Buffer>()
  for (const pem of [caPem, ...read, ...rootCertificates]) {
    for (const der of certificatesIn(pem)) found.set(der.toString('base64'), der)
  }
  return [...found.values()]
}

/** The certificates of a PEM text, in DER; what is none is left out. */
export function certificatesIn(pem: string): Buffer[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block).raw]
    } catch {
      return []
    }
  })
}

/** Certificates in DER as PEM (RFC 7468), one after the other. */
export function pemOf(certificates: readonly Buffer[]): string {
  return certificates
    .map((der) => der.toString('base64').match(/.{1,64}/g) ?? [])
    .map((lines) => ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'))
    .join('')
}

/**
 * A Java key store (JKS, version 2) of trusted certificates; the aliases are their places in the list. Java reads it on
 * every version, and it needs no encryption.
 *
 * @see https://github.com/openjdk/jdk/blob/master/src/java.base/share/classes/sun/security/provider/JavaKeyStore.java
 */
export function javaTrustStore(certificates: readonly Buffer[], password = javaStorePassword): Buffer {
  const entries = certificates.flatMap((der, index) => [
    uint32(trustedCertificateEntry),
    javaText(index === 0 ? 'graphpost' : `authority-${index}`),
    // When it was added; nobody reads it, and the same certificates are the same file.
    Buffer.alloc(8),
    javaText('X.509'),
    uint32(der.length),
    der,
  ])
  const content = Buffer.concat([uint32(0xfeedfeed), uint32(2), uint32(certificates.length), ...entries])
  // Every byte pair of the password swapped: Java writes UTF-16 with the high byte first.
  const salt = Buffer.concat([Buffer.from(password, 'utf16le').swap16(), Buffer.from('Mighty Aphrodite')])
  return Buffer.concat([content, createHash('sha1').update(salt).update(content).digest()])
}

const trustedCertificateEntry = 2

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** DataOutput.writeUTF, for ASCII. */
function javaText(text: string): Buffer {
  const bytes = Buffer.alloc(2 + text.length)
  bytes.writeUInt16BE(text.length)
  bytes.write(text, 2, 'latin1')
  return bytes
}
