/** Figures for Prometheus. Loaded only when they are asked for. */
import type { RequestListener } from 'node:http'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Mail } from '../mail/mail.js'
import type { Observer } from './observer.js'

/** What can be asked at the time of a scrape. */
export interface MetricsSources {
  readonly mail: Mail
  /** Calls refused by a limit, by its name. */
  readonly refusals: () => Readonly<Record<string, number>>
}

/** Figures, and the listener that shows them. */
export interface Metrics {
  readonly observer: Observer
  /** Serves `/metrics` and hands everything else on. */
  listener(sources: MetricsSources): (next: RequestListener) => RequestListener
}

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const groupBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

/** Opens an empty set of figures. */
export function openMetrics(): Metrics {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  collectDefaultMetrics({ register: registry })
  const figures = newFigures(registers)
  const observer: Observer = {
    called: ({ method, route = 'none', status, durationMs }) => {
      figures.requests.inc({ method, route, status })
      if (status === 202) figures.accepting.observe(durationMs / 1_000)
      else figures.answering.observe(durationMs / 1_000)
    },
    written: (durationMs, isCommitted) => {
      if (isCommitted) figures.writes.observe(durationMs / 1_000)
      else figures.writesRefused.inc()
    },
    committed: (writes) => figures.groups.observe(writes),
    delivered: (fates) => {
      for (const fate of fates) figures.deliveries.inc({ fate })
    },
    attempted: ({ durationMs, tls }) => {
      figures.attempts.inc({ tls: tls ?? 'none' })
      figures.attemptSeconds.observe(durationMs / 1_000)
    },
    received: (messages) => figures.received.inc(messages),
  }
  return {
    observer,
    listener: (sources) => (next) => (request, response) => {
      if (request.url !== '/metrics') {
        next(request, response)
        return
      }
      scrape(registry, figures, sources).then(
        (text) =>
          response.writeHead(200, { 'Content-Type': registry.contentType, 'Cache-Control': 'no-store' }).end(text),
        () => response.writeHead(503, { 'Content-Type': 'text/plain' }).end('not ready\n'),
      )
    },
  }
}

type Figures = ReturnType<typeof newFigures>

function newFigures(registers: Registry[]) {
  return {
    requests: new Counter({
      name: 'graphpost_requests_total',
      help: 'Calls of the API by row of the route table and status, those in batches too.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    accepting: new Histogram({
      name: 'graphpost_accept_seconds',
      help: 'From the head of a call to its 202: mail that is accepted and on disk.',
      buckets: secondsBuckets,
      registers,
    }),
    answering: new Histogram({
      name: 'graphpost_answer_seconds',
      help: 'From the head of any other call to its answer.',
      buckets: secondsBuckets,
      registers,
    }),
    writes: new Histogram({
      name: 'graphpost_store_write_seconds',
      help: 'From a write to its commit on disk.',
      buckets: secondsBuckets,
      registers,
    }),
    writesRefused: new Counter({
      name: 'graphpost_store_writes_refused_total',
      help: 'Writes that were not committed: lost races, and a store that refused.',
      registers,
    }),
    groups: new Histogram({
      name: 'graphpost_store_commit_writes',
      help: 'Writes that shared one commit; SQLite alone.',
      buckets: groupBuckets,
      registers,
    }),
    deliveries: new Counter({
      name: 'graphpost_deliveries_total',
      help: 'Recipients by what became of them; delayed counts each time.',
      labelNames: ['fate'],
      registers,
    }),
    attempts: new Counter({
      name: 'graphpost_delivery_attempts_total',
      help: 'SMTP transactions with other servers, by version of TLS.',
      labelNames: ['tls'],
      registers,
    }),
    attemptSeconds: new Histogram({
      name: 'graphpost_delivery_attempt_seconds',
      help: 'How long SMTP transactions take.',
      buckets: [...secondsBuckets, 30, 60, 300],
      registers,
    }),
    received: new Counter({
      name: 'graphpost_smtp_received_messages_total',
      help: 'Messages taken over SMTP, one for each mailbox.',
      registers,
    }),
    outbox: new Gauge({
      name: 'graphpost_outbox_entries',
      help: 'Envelopes that are not closed, by state.',
      labelNames: ['state'],
      registers,
    }),
    unindexed: new Gauge({
      name: 'graphpost_search_unindexed_messages',
      help: 'Messages that the full-text index does not have yet; they are indexed in the background.',
      registers,
    }),
    limited: new Gauge({
      name: 'graphpost_calls_refused_by_limits',
      help: 'Calls refused by a limit, of the applications and mailboxes counted now.',
      labelNames: ['limit'],
      registers,
    }),
  }
}

async function scrape(registry: Registry, figures: Figures, { mail, refusals }: MetricsSources): Promise<string> {
  const counts = await mail.store.outbox.countByState()
  figures.outbox.reset()
  for (const [state, count] of counts) figures.outbox.set({ state }, count)
  figures.unindexed.set(await mail.store.search.countAllUnindexed())
  for (const [limit, count] of Object.entries(refusals())) figures.limited.set({ limit }, count)
  return registry.metrics()
}
