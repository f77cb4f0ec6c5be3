import 'reflect-metadata'
import { createHash, createPrivateKey, webcrypto } from 'node:crypto'
import { X509CertificateGenerator } from '@peculiar/x509'

/** A key pair that an application proves to be itself with. */
export interface TestClientCertificate {
  /** PEM of what is registered. */
  readonly certPem: string
  /** PKCS #8 */
  readonly keyPem: string
  /** SHA-256 of the DER, hex: what MSAL is given. */
  readonly thumbprintSha256: string
}

const algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2_048,
  publicExponent: new Uint8Array([1, 0, 1]),
}

const dayMs = 86_400_000

/** A self-signed certificate with its key, RSA as Microsoft's clients demand. */
export async function clientCertificate(name: string): Promise<TestClientCertificate> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + dayMs),
    signingAlgorithm: algorithm,
    keys,
  })
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  return {
    certPem: certificate.toString('pem'),
    keyPem: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
      .export({ format: 'pem', type: 'pkcs8' })
      .toString(),
    thumbprintSha256: createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex'),
  }
}
