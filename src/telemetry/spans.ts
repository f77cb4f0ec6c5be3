/** Spans of OpenTelemetry: one for each call, one for each attempt to deliver. Loaded only when they are asked for. */
import { type Link, ROOT_CONTEXT, type SpanContext, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { Observer } from './observer.js'

/** Where spans go. */
export interface Spans {
  readonly observer: Observer
  /** Sends what waits; a collector that is gone is not waited for. */
  close(): Promise<void>
}

/** Calls that made a message are remembered up to this number, so that its deliveries are linked to them. */
const maxRemembered = 10_000
const closeTimeoutMs = 2_000

/** @param url of a collector, as `http://localhost:4318`; spans go to `/v1/traces` below it */
export function openSpans(url: string, version: string): Spans {
  const exporter = new OTLPTraceExporter({ url: `${url}/v1/traces` })
  const provider = new BasicTracerProvider({
    resource: serviceResource(version),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  })
  const tracer = provider.getTracer('graphpost', version)
  const callOf = new Map<number, SpanContext>()
  const observer: Observer = {
    called: ({ requestId, method, route, status, startedAt, durationMs, message, traceparent }) => {
      const parent = parentOf(traceparent)
      const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
      const attributes = {
        'http.request.method': method,
        'http.response.status_code': status,
        'graphpost.request_id': requestId,
        ...(route === undefined ? {} : { 'http.route': route }),
        ...(message === undefined ? {} : { 'graphpost.message': message }),
      }
      const name = `${method} ${route ?? ''}`.trimEnd()
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: startedAt, attributes }, context)
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end(startedAt + durationMs)
      if (message === undefined) return
      callOf.set(message, span.spanContext())
      const [oldest] = callOf.keys()
      if (callOf.size > maxRemembered && oldest !== undefined) callOf.delete(oldest)
    },
    attempted: ({ message, destination, attempt, at, durationMs, peer, tls, replies }) => {
      const call = callOf.get(message)
      const links: Link[] = call === undefined ? [] : [{ context: call }]
      const attributes = {
        'graphpost.message': message,
        'graphpost.destination': destination,
        'graphpost.attempt': attempt,
        'graphpost.recipients': replies.length,
        ...(peer === undefined ? {} : { 'network.peer.address': peer }),
        ...(tls === undefined ? {} : { 'tls.protocol.version': tls }),
      }
      const options = { kind: SpanKind.CLIENT, startTime: at - durationMs, attributes, links }
      tracer.startSpan('deliver', options, ROOT_CONTEXT).end(at)
    },
  }
  const late = () => new Promise<void>((resolve) => setTimeout(resolve, closeTimeoutMs).unref())
  return { observer, close: () => Promise.race([provider.shutdown().catch(() => {}), late()]) }
}

/** Who we are to a collector. */
function serviceResource(version: string) {
  const attributes = { 'service.name': process.env.OTEL_SERVICE_NAME ?? 'graphpost', 'service.version': version }
  const resource = {
    attributes,
    getRawAttributes: () => Object.entries(attributes) as [string, string][],
    merge: () => resource,
  }
  return resource
}

/** W3C Trace Context, version 00; what is none is passed over. */
function parentOf(traceparent: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '') ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
}
