import { constants, createCipheriv, createHmac, publicEncrypt, randomBytes, X509Certificate } from 'node:crypto'

/** Graph `changeNotificationEncryptedContent`. */
export interface EncryptedContent {
  readonly data: string
  readonly dataSignature: string
  readonly dataKey: string
  readonly encryptionCertificateId: string
  readonly encryptionCertificateThumbprint: string
}

/**
 * Encrypts a resource so that only the holder of the certificate's key reads it: AES-256-CBC under a key made for it alone,
 * whose first 16 bytes are the IV; HMAC-SHA256 of the encrypted bytes under the same key; the key by RSA-OAEP with SHA-1.
 *
 * @param certificate DER as base64
 * @see https://learn.microsoft.com/graph/change-notifications-with-resource-data
 */
export function encryptContent(json: string, certificate: string, certificateId: string): EncryptedContent {
  const { publicKey, fingerprint } = new X509Certificate(Buffer.from(certificate, 'base64'))
  const key = randomBytes(32)
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16))
  const data = Buffer.concat([cipher.update(json, 'utf8'), cipher.final()])
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }
  return {
    data: data.toString('base64'),
    dataSignature: createHmac('sha256', key).update(data).digest('base64'),
    dataKey: publicEncrypt({ key: publicKey, ...padding }, key).toString('base64'),
    encryptionCertificateId: certificateId,
    encryptionCertificateThumbprint: fingerprint.replaceAll(':', ''),
  }
}
