import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toJson } from '../../../src/graph/resources/json.js'

test('characters beyond ASCII are escaped as four lower-case hex digits each, a pair as two', () => {
  assert.equal(
    toJson({ n: 'Entwürfe', s: '😀', d: '\u007f' }),
    '{"n":"Entw\\u00fcrfe","s":"\\ud83d\\ude00","d":"\\u007f"}',
  )
})

test('text of ASCII stays as JSON.stringify writes it', () => {
  assert.equal(toJson({ a: ['x', 1, true, null, '"\\\n'] }), '{"a":["x",1,true,null,"\\"\\\\\\n"]}')
})

test('whatever the value, the JSON is ASCII and means the same', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const json = toJson(value)
      assert.match(json, /^[\x20-\x7e]*$/)
      assert.equal(JSON.stringify(JSON.parse(json)), JSON.stringify(value))
    }),
  )
})
