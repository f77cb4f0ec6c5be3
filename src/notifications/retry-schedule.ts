/** The waits after the first failure of an endpoint, the second ..., ms; the last one repeats. */
const delaysMs = [10_000, 30_000, 60_000, 120_000, 300_000, 600_000]

/** Documented: what was not taken in this time is given up, ms. */
export const giveUpAfterMs = 4 * 3_600_000

/** How long an endpoint that failed is left alone. `failures`: those before this one. */
export function nextTryIn(failures: number): number {
  return delaysMs[Math.min(failures, delaysMs.length - 1)] ?? giveUpAfterMs
}
