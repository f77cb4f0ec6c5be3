import type { Metrics } from './metrics.js'
import { allOf, type Observer } from './observer.js'

/** Whoever listens to what happens. */
export interface Telemetry {
  readonly observer: Observer
  readonly metrics: Metrics | undefined
  close(): Promise<void>
}

/** Loads only what is asked for: a start without it is quicker, and smaller. @returns undefined when nobody listens */
export async function openTelemetry(
  wanted: { readonly metrics: boolean; readonly otlp: string },
  version: string,
): Promise<Telemetry | undefined> {
  if (!wanted.metrics && wanted.otlp === '') return undefined
  const metrics = wanted.metrics ? (await import('./metrics.js')).openMetrics() : undefined
  const spans = wanted.otlp === '' ? undefined : (await import('./spans.js')).openSpans(wanted.otlp, version)
  const observers = [metrics?.observer, spans?.observer].filter((each) => each !== undefined)
  return { observer: allOf(observers), metrics, close: async () => spans?.close() }
}
