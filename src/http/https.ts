import type { RequestListener } from 'node:http'
import type { Log } from '../log.js'
import { type LocalCertificate, localCertificate } from './certificate.js'
import { type CertificateFiles, followOwnCertificate, readOwnCertificate } from './own-certificate.js'
import { type Listening, type ListenOptions, listen } from './server.js'

/** Which certificate an https server shows. */
export interface HttpsOptions {
  /** Data folder with our authority; undefined: one in memory. */
  readonly folder: string | undefined
  /** Names of ours beside those of this machine. */
  readonly names: readonly string[]
  /** An operator's own; both '' for none. */
  readonly own: CertificateFiles
  readonly log: Log
}

/** An https server that listens. */
export interface HttpsListening extends Listening {
  /** The certificate of our authority, when that is the one in use. */
  readonly certificate: LocalCertificate | undefined
  /** Reads the operator's own again; nothing to do without one. */
  reloadCertificate(): Promise<void>
}

/**
 * Starts an https server with a certificate of our authority, or with the operator's own.
 *
 * @throws UsageError when the operator's own cannot be used
 */
export async function listenHttps(
  listener: RequestListener,
  options: ListenOptions,
  { folder, names, own, log }: HttpsOptions,
): Promise<HttpsListening> {
  const certificate = await localCertificate(folder, { names })
  const ours = { cert: certificate.certPem, key: certificate.keyPem }
  if (own.tlsCert === '') {
    const listening = await listen(listener, { ...options, tls: ours })
    return { ...listening, certificate, reloadCertificate: async () => {} }
  }
  const theirs = await readOwnCertificate(own)
  // No other authority certifies that we are these names: what leads them here works beside an own certificate too.
  const listening = await listen(listener, { ...options, tls: { ...theirs, others: { names, certificate: ours } } })
  const followed = followOwnCertificate(own, theirs, listening.setCertificate, log)
  return {
    ...listening,
    certificate: undefined,
    reloadCertificate: followed.reload,
    close: async (graceMs) => {
      await followed.close()
      await listening.close(graceMs)
    },
  }
}
