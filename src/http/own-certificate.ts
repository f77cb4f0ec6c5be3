/** An operator's own certificate: two files that somebody else renews while the server runs. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { unwatchFile, watchFile } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { UsageError } from '../config.js'
import type { Log } from '../log.js'
import type { ServerCertificate } from './server.js'

/** The settings of the same names. */
export interface CertificateFiles {
  readonly tlsCert: string
  readonly tlsKey: string
}

/** @throws UsageError that names the file */
export async function readOwnCertificate({ tlsCert, tlsKey }: CertificateFiles): Promise<ServerCertificate> {
  const [cert, key] = await Promise.all([readPem('tlsCert', tlsCert), readPem('tlsKey', tlsKey)])
  const certificate = parsed(() => new X509Certificate(cert))
  if (certificate === undefined)
    throw new UsageError(`The file ${tlsCert}, given by tlsCert, holds no PEM certificate.`)
  const privateKey = parsed(() => createPrivateKey(key))
  if (privateKey === undefined) {
    throw new UsageError(`The file ${tlsKey}, given by tlsKey, holds no PEM private key without a passphrase.`)
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new UsageError(`The key in ${tlsKey} does not belong to the certificate in ${tlsCert}, the first there.`)
  }
  if (parsed(() => createSecureContext({ cert, key })) === undefined) {
    throw new UsageError(
      `The certificate in ${tlsCert} cannot be used for https: its chain or its key is not accepted.`,
    )
  }
  return { cert, key }
}

async function readPem(setting: keyof CertificateFiles, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`The file ${path}, given by ${setting}, cannot be read (${code}).`)
  }
}

/** OpenSSL's own messages name nothing that an operator has typed. */
function parsed<Value>(parse: () => Value): Value | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}

/**
 * How often the files are looked at, ms. By their state and not by events of the file system: what certbot and Kubernetes
 * change is a link on the way to the file.
 */
const watchIntervalMs = 2_000

/** Follows the two files. */
export interface FollowedCertificate {
  /** Reads them now; what cannot be used is logged, and what was in use stays. */
  reload(): Promise<void>
  close(): Promise<void>
}

/** Hands over the certificate each time that it has changed. */
export function followOwnCertificate(
  files: CertificateFiles,
  inUse: ServerCertificate,
  use: (certificate: ServerCertificate) => void,
  log: Log,
): FollowedCertificate {
  let current = inUse
  let running = Promise.resolve()
  const read = async () => {
    try {
      const found = await readOwnCertificate(files)
      if (found.cert === current.cert && found.key === current.key) return
      use(found)
      current = found
      log.info({ file: files.tlsCert }, 'the https certificate was read again')
    } catch (error) {
      log.warn(
        { reason: (error as Error).message },
        'the https certificate stays the one in use: the new one is not usable',
      )
    }
  }
  const reload = () => {
    running = running.then(read)
    return running
  }
  const paths = [...new Set([files.tlsCert, files.tlsKey])]
  for (const path of paths) watchFile(path, { interval: watchIntervalMs, persistent: false }, reload)
  return {
    reload,
    close: () => {
      for (const path of paths) unwatchFile(path, reload)
      return running
    },
  }
}
