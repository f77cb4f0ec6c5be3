/** The ways out, from settings: who delivers, over what, and whether mail can leave at all. */
import { Resolver } from 'node:dns/promises'
import { readDurations, type Settings, UsageError } from '../config.js'
import { presentNotifications } from '../graph/notification-body.js'
import { standingOf } from '../graph/subscriptions.js'
import type { Reach } from '../http/outward-call.js'
import { type Log, maskPasswords } from '../log.js'
import type { Mail } from '../mail/mail.js'
import { type NotificationWorker, startNotificationWorker } from '../notifications/worker.js'
import { dkimSigner, readDkimKeys } from '../outbox/dkim.js'
import { routesOf } from '../outbox/open-routes.js'
import { scheduleOf } from '../outbox/retry-schedule.js'
import type { RoutesDocument } from '../outbox/routes-file.js'
import { mxWay, openTransport, type Transport, type TransportOptions } from '../outbox/transport.js'
import { type OutboxWorker, startOutboxWorker } from '../outbox/worker.js'
import { type Core, namesIn } from './core.js'

/** Well-known secrets are good only where nothing they open can leave the machine, unless the operator says otherwise. */
export function isDevelopment(settings: Settings): boolean {
  return settings.development === 'auto' ? !canLeave(settings) : settings.development === 'on'
}

/** Whether mail can leave this machine. What a routes file names is taken for a way out, whatever it says. */
export function canLeave({ deliver, relay, routes }: Settings): boolean {
  return deliver !== 'capture' && (deliver === 'mx' || relay !== '' || routes !== '')
}

export function wayOutOf(settings: Settings): string | undefined {
  if (!canLeave(settings)) return undefined
  const { deliver, relay, routes } = settings
  const ways = [
    ...(routes === '' ? [] : [`the routes of ${routes}`]),
    ...(relay === '' ? [] : [maskPasswords(relay)]),
    ...(deliver === 'mx' ? ["its recipients' own servers"] : []),
  ]
  return ways.join(' and ')
}

/** Every way out, opened before anything else is: what cannot be used is said at once. @throws UsageError, RoutesFault, DkimFault */
export async function transportOf(settings: Settings): Promise<Transport> {
  const { hostname, deliveryConcurrency, bounceAddress } = settings
  const document = settings.routes === '' ? undefined : await routesDocument(settings.routes)
  const keys = settings.dkim === '' ? [] : await readDkimKeys(settings.dkim)
  const sign = keys.length === 0 ? {} : { sign: dkimSigner(keys) }
  const common = { hostname, connections: Math.max(1, deliveryConcurrency), ...sign }
  try {
    const routes = routesOf({
      relays: settings.relay.split(/\s+/).filter((url) => url !== ''),
      deliver: settings.deliver,
      allowRecipients: settings.allowRecipients === '' ? undefined : patternsIn(settings.allowRecipients),
      hold: patternsIn(settings.hold),
      document,
    })
    const direct = routes.rules.some(({ via }) => via.includes(mxWay)) ? await directWay(settings, common) : {}
    const bounce = bounceAddress === '' ? {} : { bounceAddress }
    return openTransport({ ...common, ...routes, ...bounce, ...direct })
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message)
    throw error
  }
}

/** Loaded where there is one: most settings name none. */
async function routesDocument(path: string): Promise<RoutesDocument> {
  const { readRoutesFile } = await import('../outbox/routes-file.js')
  return readRoutesFile(path)
}

/** Loaded where a route leads straight to the servers of domains: most mail takes a relay, or stays here. */
async function directWay(
  { mxPrivate, dnsServers }: Settings,
  common: Pick<TransportOptions, 'hostname' | 'connections' | 'sign'>,
): Promise<Pick<TransportOptions, 'direct'>> {
  const [{ openDirect }, { fetchStsPolicy }] = await Promise.all([
    import('../outbox/direct.js'),
    import('../outbox/mta-sts.js'),
  ])
  return {
    direct: openDirect({
      ...common,
      resolver: resolverOf(namesIn(dnsServers)),
      fetchPolicy: fetchStsPolicy,
      mayBePrivate: mxPrivate,
    }),
  }
}

function patternsIn(text: string): string[] {
  return namesIn(text).map((pattern) => (pattern === 'all' ? '*' : pattern))
}

function resolverOf(servers: readonly string[]): Resolver {
  const resolver = new Resolver()
  if (servers.length > 0) resolver.setServers(servers)
  return resolver
}

export function startWorker(settings: Settings, mail: Mail, transport: Transport, log: Log): OutboxWorker {
  const { deliveryConcurrency, destinationConcurrency, destinationRate } = settings
  const retryDelays = readDurations(settings.retrySchedule)
  const worker = startOutboxWorker(mail, {
    log,
    transport,
    destinationConcurrency,
    destinationRate,
    ...(retryDelays === undefined ? {} : { schedule: scheduleOf(retryDelays) }),
    warnAfterMs: settings.delayWarning,
    closeTimeoutMs: settings.drainTimeout,
  })
  if (deliveryConcurrency === 0) worker.pause()
  return worker
}

/** While mail cannot leave this machine, nothing else does. */
export function reachOf(settings: Settings): Reach {
  return canLeave(settings) ? 'public' : 'loopback'
}

export function startTelling(settings: Settings, { mail, store, tokens }: Core, log: Log): NotificationWorker {
  const standing = standingOf(mail, store.identity)
  return startNotificationWorker(mail, {
    log,
    reach: reachOf(settings),
    present: (notifications) => presentNotifications({ mail, sign: tokens.sign, standing }, notifications),
    isEntitled: async (subscription) => (await standing(subscription)) !== undefined,
    closeTimeoutMs: settings.drainTimeout,
  })
}
