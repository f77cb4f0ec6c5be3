import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listFaults, namesIn } from '../../scripts/conformance/not-yet-list.js'

test('a list is one name a line, with remarks between', () => {
  assert.deepEqual(namesIn('; remark\n\nrecording a\n example v1.0 b.md#c \n'), ['recording a', 'example v1.0 b.md#c'])
})

test('the list can only shrink', () => {
  const all = ['a', 'b', 'c', 'd']
  assert.deepEqual(listFaults(['a', 'b'], ['a', 'b'], all), { unlisted: [], stale: [], unknown: [] })
  assert.deepEqual(listFaults(['a', 'b', 'x'], ['b', 'c'], all), { unlisted: ['c'], stale: ['a'], unknown: ['x'] })
})
