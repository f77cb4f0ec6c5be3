import { rootCertificates } from 'node:tls'
import { writeAuthority } from './certificate.js'

/**
 * Writes the public roots and our authority into one file, for programs whose setting (REQUESTS_CA_BUNDLE, SSL_CERT_FILE)
 * replaces the system's roots: what they reach beside us must stay trusted.
 *
 * @param caPem our authority's certificate
 */
export async function writeTrustBundle(path: string, caPem: string): Promise<void> {
  await writeAuthority(path, `${[...rootCertificates, caPem.trimEnd()].join('\n')}\n`)
}
