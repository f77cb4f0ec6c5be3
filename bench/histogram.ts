/**
 * Latencies in buckets whose width grows with the value, as HdrHistogram does it: 64 buckets for each doubling, so a
 * percentile is at most 1.6 % above the true one, and recording costs one addition whatever the value.
 */

const bitsPerDoubling = 6
const bucketsPerDoubling = 1 << bitsPerDoubling
const largestValue = 2 ** 31 - 1
const bucketCount = bucketOf(largestValue) + 1

/** Non-empty buckets as [bucket, count] pairs: what travels from the generator's process to ours. */
export type HistogramCounts = readonly (readonly [number, number])[]

/** Whole microseconds in, percentiles out. */
export class Histogram {
  readonly #counts = new Uint32Array(bucketCount)
  #total = 0

  /** How many values were recorded. */
  get total(): number {
    return this.#total
  }

  /** Adds one value, µs; above 2^31 - 1 (36 minutes) it counts as that. */
  record(micros: number): void {
    const bucket = bucketOf(Math.min(Math.max(0, micros), largestValue) | 0)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#total += 1
  }

  /** Adds what another histogram had counted. */
  merge(counts: HistogramCounts): void {
    for (const [bucket, count] of counts) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count
      this.#total += count
    }
  }

  counts(): HistogramCounts {
    return Array.from(this.#counts, (count, bucket) => [bucket, count] as const).filter(([, count]) => count > 0)
  }

  /**
   * The µs that `fraction` (0 to 1) of the values do not exceed: the upper edge of the bucket, so it never flatters.
   * 0 when nothing was recorded.
   */
  percentile(fraction: number): number {
    let left = Math.max(1, Math.ceil(fraction * this.#total))
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      left -= this.#counts[bucket] ?? 0
      if (left <= 0) return highestIn(bucket)
    }
    return 0
  }
}

/** Values under 64 have a bucket each; from there on, the highest bit gives the doubling and the next six the place in it. */
function bucketOf(value: number): number {
  const shift = 31 - bitsPerDoubling - Math.clz32(value | bucketsPerDoubling)
  return shift * bucketsPerDoubling + (value >>> shift)
}

function highestIn(bucket: number): number {
  if (bucket < bucketsPerDoubling) return bucket
  const shift = Math.floor(bucket / bucketsPerDoubling) - 1
  const place = bucket - shift * bucketsPerDoubling
  return (place + 1) * 2 ** shift - 1
}
