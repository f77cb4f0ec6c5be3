import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GraphError } from '../../../src/graph/errors.js'
import { expandedPropertyIds, extendedPropertyId } from '../../../src/graph/resources/extended-property.js'

const guid = '66f5a359-4659-4830-9070-00047ec6ac6e'

test('an id is answered with its type as the model spells it and its numbers in short hex', () => {
  assert.equal(extendedPropertyId('LONG 0x0E08'), 'Long 0xe08')
  assert.equal(extendedPropertyId('systemtime 0x3FEF'), 'SystemTime 0x3fef')
  assert.equal(extendedPropertyId(`integer ${guid.toUpperCase()} id 0x8570`), `Integer {${guid}} Id 0x8570`)
  assert.equal(extendedPropertyId(`Integer {${guid}} Id 34160`), `Integer {${guid}} Id 0x8570`)
})

test('the name of a named property keeps its case and its blanks', () => {
  assert.equal(extendedPropertyId(`STRING {${guid}} name My  Colour`), `String {${guid}} Name My  Colour`)
  assert.equal(extendedPropertyId(`StringArray {${guid}} Name Palette`), `StringArray {${guid}} Name Palette`)
})

test('what names no property is no id', () => {
  const written = ['', 'String', 'String 0x', 'Text 0x1A', 'String 26', `String {${guid}}`, `String {${guid}} Name `]
  for (const id of [...written, 'String 0x123456789', 'constructor 0x1a', 'String {x} Name y', 'String 0x1a\n']) {
    assert.equal(extendedPropertyId(id), undefined, id)
  }
})

test('the filter inside $expand names one id or several', () => {
  assert.deepEqual(expandedPropertyIds("Id eq 'LONG 0x0E08'"), ['Long 0xe08'])
  assert.deepEqual(expandedPropertyIds(` id eq 'Long 0xe08'  OR id eq 'String {${guid}} Name It''s' `), [
    'Long 0xe08',
    `String {${guid}} Name It's`,
  ])
})

test('any other filter is refused', () => {
  const filters = ['', "value eq 'x'", "id ne 'Long 0xe08'", "id eq 'Long 0xe08' and id eq 'Long 0xe08'", "id eq 'x'"]
  for (const filter of [...filters, "id eq 'Long 0xe08' or", "id eq 'Long 0xe08'id eq 'Long 0xe08'", "id eq 'Long"]) {
    assert.throws(
      () => expandedPropertyIds(filter),
      (error) => error instanceof GraphError && error.code === 'ErrorInvalidUrlQueryFilter',
      filter,
    )
  }
})
