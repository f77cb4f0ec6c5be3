import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from '../../scripts/conformance/replay.js'
import { countLines, failureLines, listLines, uncoveredLines } from '../../scripts/conformance/report.js'
import { exchangeOf } from './sample-exchange.js'

const recording = exchangeOf({})
const example = { ...exchangeOf({ evidence: 'documented' }), name: 'example v1.0 page.md#one' }
const outcomes: Outcome[] = [
  { kind: 'passed', exchange: recording, scenario: 'a message is read' },
  {
    kind: 'failed',
    exchange: recording,
    scenario: 'a message is read',
    faults: ['status: expected\n200', 'body: none'],
  },
  { kind: 'notYet', exchange: example },
  { kind: 'setAside', exchange: recording, reason: 'superseded' },
]

test('counts are given for each source and together', () => {
  const numbers = countLines(outcomes).map((line) => line.match(/\d+/g)?.map(Number))
  assert.deepEqual(numbers, [
    [2, 1, 1, 1],
    [0, 0, 1, 0],
    [2, 1, 2, 1],
  ])
})

test('a failure is one line for each difference', () => {
  assert.deepEqual(failureLines(outcomes), [
    'FAILED recording made-up (a message is read): status: expected 200',
    'FAILED recording made-up (a message is read): body: none',
  ])
})

test('nothing is left out silently: what is not replayed stands there by name', () => {
  assert.deepEqual(uncoveredLines(outcomes), [
    'Not yet:',
    '  example v1.0 page.md#one',
    'Set aside, not to be replayed:',
    '  superseded:',
    '    recording made-up',
  ])
  assert.deepEqual(listLines({ unlisted: ['a'], stale: ['b'], unknown: [] }, 'list.txt'), [
    'NOT LISTED a is not covered and not in list.txt',
    'STALE b is covered: take it out of list.txt',
  ])
})
