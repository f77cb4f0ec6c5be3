/** SMTP and LMTP in, from settings. */
import { notOpened, type Settings } from '../config.js'
import type { HttpsListening } from '../http/https.js'
import type { ServerCertificate } from '../http/server.js'
import { cloudHosts } from '../identity/clouds.js'
import type { Log } from '../log.js'
import type { TenantId } from '../mail/ids.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { OAuthServices } from '../oauth/services.js'
import type { SmtpListening } from '../smtp/listen.js'
import { type Core, ownHostsOf } from './core.js'
import { isDevelopment } from './delivery.js'

/** What takes mail from other servers, and from programs that sign in. */
interface Entrances {
  readonly smtp: SmtpListening | undefined
  readonly lmtp: SmtpListening | undefined
  /** Reads the operator's own certificate again; nothing to do without one. */
  reloadCertificate(): Promise<void>
  close(): Promise<void>
}

export async function openEntrances(
  settings: Settings,
  core: Core,
  log: Log,
  https: HttpsListening | undefined,
): Promise<Entrances> {
  const { host, smtpPort, lmtpPort } = settings
  const nothing = async () => {}
  if (smtpPort === notOpened && lmtpPort === notOpened) {
    return { smtp: undefined, lmtp: undefined, reloadCertificate: nothing, close: nothing }
  }
  // What is not opened is not loaded: a start without it is quicker, and smaller.
  const { listenSmtp } = await import('../smtp/listen.js')
  const certificate = await smtpCertificate(settings, https, log)
  const options = {
    host,
    tenant: core.tenant.id as TenantId,
    maxBytes: settings.smtpMaxBytes,
    maxRecipients: settings.smtpMaxRecipients,
    maxConnections: settings.smtpConnections,
    idleMs: settings.smtpTimeout,
    bounceAddress: settings.bounceAddress,
    certificate: certificate.shown,
    signIn: await mailboxSignIn(settings, core, log),
    log,
  }
  const open: SmtpListening[] = []
  const listenAt = async (protocol: 'smtp' | 'lmtp', port: number) => {
    if (port === notOpened) return undefined
    const listening = await listenSmtp(core.mail, { ...options, protocol, port })
    open.push(listening)
    return listening
  }
  const close = async () => {
    await certificate.close()
    await Promise.all(open.map((listening) => listening.close()))
  }
  try {
    const smtp = await listenAt('smtp', smtpPort)
    const lmtp = await listenAt('lmtp', lmtpPort)
    certificate.follow((renewed) => {
      for (const listening of open) listening.setCertificate(renewed)
    })
    return { smtp, lmtp, reloadCertificate: certificate.reload, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** That of https: the operator's own, or one of our authority. */
async function smtpCertificate(settings: Settings, https: HttpsListening | undefined, log: Log) {
  const nothing = async () => {}
  if (settings.tlsCert === '') {
    const { localCertificate } = await import('../http/certificate.js')
    const folder = settings.memory ? undefined : settings.data
    const { certPem, keyPem } = https?.certificate ?? (await localCertificate(folder, { names: cloudHosts }))
    return { shown: { cert: certPem, key: keyPem }, follow: () => {}, reload: nothing, close: nothing }
  }
  const { followOwnCertificate, readOwnCertificate } = await import('../http/own-certificate.js')
  const shown = await readOwnCertificate(settings)
  let followed: ReturnType<typeof followOwnCertificate> | undefined
  return {
    shown,
    follow: (show: (certificate: ServerCertificate) => void) => {
      followed = followOwnCertificate(settings, shown, show, log)
    },
    reload: async () => followed?.reload(),
    close: async () => followed?.close(),
  }
}

/** The mailbox of a user by name and password, as the sign-in page takes them. */
async function mailboxSignIn(settings: Settings, core: Core, log: Log) {
  const [{ OAuthError }, { Lockout, signInWithPassword }] = await Promise.all([
    import('../oauth/errors.js'),
    import('../oauth/sign-in.js'),
  ])
  const lockout = new Lockout()
  const services = oauthServices(settings, core, log)
  return async (name: string, password: string): Promise<Mailbox | undefined> => {
    try {
      const user = await signInWithPassword(services, lockout, core.tenant, { name, password })
      return await core.mail.store.mailboxes.find(core.tenant.id as TenantId, user.id)
    } catch (error) {
      if (error instanceof OAuthError) return undefined
      throw error
    }
  }
}

export function oauthServices(settings: Settings, core: Core, log: Log): OAuthServices {
  return {
    identity: core.store.identity,
    tokens: core.tokens,
    seals: core.seals,
    now: () => core.mail.clock.now(),
    random: core.mail.random,
    ownHosts: ownHostsOf(settings),
    publicUrl: settings.publicUrl === '' ? undefined : settings.publicUrl,
    development: isDevelopment(settings),
    record: (record) => core.store.calls.append(record),
    log,
  }
}
