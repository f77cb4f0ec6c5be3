import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from '../../bench/histogram.js'

function histogramOf(values: Iterable<number>): Histogram {
  const histogram = new Histogram()
  for (const value of values) histogram.record(value)
  return histogram
}

test('percentiles are never below the true one, and at most 1.6 % above it', () => {
  const values = Array.from({ length: 20_000 }, (_, index) => Math.round(1.0006 ** index))
  const histogram = histogramOf(values)

  for (const fraction of [0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = values[Math.ceil(fraction * values.length) - 1] ?? 0
    const found = histogram.percentile(fraction)
    assert.ok(found >= exact && found <= exact * 1.016, `${fraction}: ${found} for ${exact}`)
  }
})

test('values below 128 are kept exactly', () => {
  for (const value of [0, 1, 63, 64, 127]) assert.equal(histogramOf([value]).percentile(0.5), value)
})

test('every value lies in the bucket whose upper edge is reported', () => {
  for (let doubling = 0; doubling < 31; doubling++) {
    for (const value of [2 ** doubling - 1, 2 ** doubling, 2 ** doubling + 1]) {
      const found = histogramOf([value]).percentile(1)
      assert.ok(found >= value && found <= value * 1.016, `${found} for ${value}`)
    }
  }
})

test('an empty histogram has percentile 0', () => {
  assert.equal(new Histogram().percentile(0.99), 0)
})

test('negative and huge values count as the smallest and the largest', () => {
  assert.equal(histogramOf([-5]).percentile(1), 0)
  assert.equal(histogramOf([2 ** 31 - 1]).percentile(1), 2 ** 31 - 1)
  assert.equal(histogramOf([2 ** 40]).percentile(1), 2 ** 31 - 1)
})

test('merging the counts of two histograms equals recording all values in one', () => {
  const merged = histogramOf([1, 500, 70_000])
  merged.merge(histogramOf([2, 500, 1_000_000]).counts())
  const together = histogramOf([1, 500, 70_000, 2, 500, 1_000_000])

  assert.equal(merged.total, 6)
  assert.deepEqual(merged.counts(), together.counts())
})
