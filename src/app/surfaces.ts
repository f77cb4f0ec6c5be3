/** HTTP and HTTPS, from settings: which listener answers what. */
import type { RequestListener } from 'node:http'
import { adminListener } from '../admin/serve.js'
import { notOpened, type Settings } from '../config.js'
import { graphListeners } from '../graph/serve.js'
import { healthListener } from '../http/health.js'
import type { HttpsListening } from '../http/https.js'
import { loadedListener } from '../http/loaded-listener.js'
import { type Listening, listen } from '../http/server.js'
import { cloudHosts } from '../identity/clouds.js'
import type { Log } from '../log.js'
import type { Core } from './core.js'
import { reachOf } from './delivery.js'
import { oauthServices } from './entrances.js'

/** Figures have a listener of their own, so that what may be asked from where can be said for them alone. */
async function listenForMetrics(
  { metricsHost: host, metricsPort: port }: Settings,
  { mail, telemetry, limiter }: Core,
  health: (next: RequestListener) => RequestListener,
  common: Omit<Parameters<typeof listen>[1], 'port'>,
): Promise<Listening | undefined> {
  const metrics = telemetry?.metrics
  if (metrics === undefined) return undefined
  const show = metrics.listener({ mail, refusals: () => limiter?.refusals() ?? {} })
  return listen(show(health((_, response) => response.writeHead(404).end())), { ...common, host, port })
}

interface Surfaces {
  readonly http: Listening | undefined
  readonly https: HttpsListening | undefined
  readonly metrics: Listening | undefined
  close(graceMs: number): Promise<void>
}

export async function listenAll(
  settings: Settings,
  core: Core,
  log: Log,
  subscriptionsChanged: () => void,
): Promise<Surfaces> {
  const graph = graphListeners({
    mail: core.mail,
    identity: core.store.identity,
    tokens: core.tokens,
    seals: core.seals,
    calls: core.store.calls,
    maxRequestBytes: settings.maxRequestBytes,
    limiter: core.limiter,
    called: core.telemetry?.observer.called,
    idempotency: settings.idempotency === 'off' ? undefined : settings.idempotency,
    publicUrl: settings.publicUrl === '' ? undefined : settings.publicUrl,
    log,
    reach: reachOf(settings),
    subscriptionsChanged,
  })
  const admin = adminListener({
    mail: core.mail,
    identity: core.store.identity,
    tenant: core.tenant,
    tokens: core.tokens,
    calls: core.store.calls,
    limiter: core.limiter,
    trace: core.directory.trace,
  })
  const health = healthListener(async () => {
    await core.mail.store.outbox.nextDueAt()
  })
  // A program that brings its token never signs in here: a start need not wait for what does that.
  const oauth = loadedListener(
    (path) => path.startsWith('/v1.0/') || path.startsWith('/beta/'),
    async () => (await import('../oauth/serve.js')).oauthListener(oauthServices(settings, core, log)),
    (error) => log.error({ err: error }, 'the sign-in side could not be loaded'),
  )
  const listener = health(admin(oauth(graph.listener)))
  const common = {
    host: settings.host,
    headersTimeoutMs: settings.headersTimeout,
    requestTimeoutMs: settings.requestTimeout,
    keepAliveTimeoutMs: settings.keepAliveTimeout,
  }
  const open: Listening[] = []
  const close = async (graceMs: number) => {
    await Promise.all(open.map((listening) => listening.close(graceMs)))
  }
  try {
    const main = { ...common, fastPath: graph.fastPath }
    const http = settings.port === notOpened ? undefined : await listen(listener, { ...main, port: settings.port })
    if (http !== undefined) open.push(http)
    const metrics = await listenForMetrics(settings, core, health, common)
    if (metrics !== undefined) open.push(metrics)
    if (settings.httpsPort === notOpened) return { http, https: undefined, metrics, close }
    const { listenHttps } = await import('../http/https.js')
    const folder = settings.memory ? undefined : settings.data
    const certificates = { folder, names: cloudHosts, own: settings, log }
    const https = await listenHttps(listener, { ...main, port: settings.httpsPort }, certificates)
    open.push(https)
    return { http, https, metrics, close }
  } catch (error) {
    await close(0)
    throw error
  }
}
