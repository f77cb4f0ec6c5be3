import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type JsonFault, JsonRefused, parseJson } from '../../src/http/json.js'

const parse = (text: string): unknown => parseJson(Buffer.from(text))

function refused(text: string | Buffer, fault: JsonFault, member?: string): void {
  assert.throws(
    () => parseJson(Buffer.from(text)),
    (error) => {
      assert.ok(error instanceof JsonRefused, String(error))
      assert.equal(error.fault, fault)
      assert.equal(error.member, member)
      return true
    },
  )
}

test('JSON is read as JSON.parse reads it', () => {
  for (const text of [
    '{}',
    '[]',
    'null',
    '1e3',
    '"a\\u0041\\ud83c\\udf89"',
    ' {"a" : [1, {"b":null}]} ',
    '{"":{"":1}}',
  ]) {
    assert.deepEqual(parse(text), JSON.parse(text))
  }
  assert.deepEqual(parse('\ufeff{"a":1}'), { a: 1 })
})

test('whatever the value and however it is laid out, it is read back', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(0, 1, '\t', '\r\n '), (text, space) => {
      const value = JSON.parse(text)
      assert.deepEqual(parse(JSON.stringify(value, null, space)), value)
    }),
  )
})

test('text of quotes, colons and backslashes is never taken for members', () => {
  const pieces = fc.constantFrom('"', ':', '\\', '\\\\', '":', '" :', '{', '}', '[', ']', ',', 'a', ' ', '\n')
  const tricky = fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.dictionary(tricky, fc.oneof(tricky, fc.array(tricky), fc.dictionary(tricky, tricky))), (value) => {
      assert.deepEqual(parse(JSON.stringify(value)), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('a member given twice is found wherever it stands and however it is written', () => {
  const pieces = fc.constantFrom('"', ':', '\\', '":', 'a', ' ', '🎉', '\u0000')
  const name = fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join(''))
  const gap = fc.constantFrom('', ' ', '\n', '\t \r')
  fc.assert(
    fc.property(name, name, gap, fc.nat(5), fc.boolean(), (twice, other, space, depth, isEscaped) => {
      const plain = JSON.stringify(twice)
      const again = isEscaped ? `"${[...twice].map(escapedForm).join('')}"` : plain
      const value = JSON.stringify({ [`${other}:`]: `${other}":` })
      const object = `{${plain}${space}:${value},${space}${again}:${value}${space}}`
      refused('[{"x":'.repeat(depth) + object + '}]'.repeat(depth), 'duplicateMember', twice)
    }),
  )
})

function escapedForm(character: string): string {
  return [...character.split('')].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}

test('the same name in two objects is no repetition', () => {
  const text = '[{"a":1,"b":{"a":{"a":2}}},{"a":3},{"a" :[{"a":4},{"a":5}]},{"a\\"":1,"a":"\\":"}]'
  assert.deepEqual(parse(text), JSON.parse(text))
})

test('names that differ in case differ; __proto__ is a name like any other', () => {
  assert.deepEqual(parse('{"a":1,"A":2}'), { a: 1, A: 2 })
  const value = parse('{"__proto__":{"x":1},"constructor":2}') as object
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor'])
  assert.equal((value as { x?: unknown }).x, undefined)
  refused('{"__proto__":1,"__proto__":2}', 'duplicateMember', '__proto__')
})

test('what is no JSON is refused', () => {
  const texts = [
    '',
    ' ',
    '{',
    '{"a":1,}',
    "{'a':1}",
    '{a:1}',
    '[1 2]',
    'NaN',
    '01',
    '"a',
    '"\n"',
    '{}{}',
    '// x\n{}',
    '\ufeff\ufeff{}',
  ]
  for (const text of texts) refused(text, 'malformed')
  for (const text of ['{"a":1,"a":', '{"a":1,"a"}']) refused(text, 'malformed')
})

test('bytes that are not UTF-8 are refused', () => {
  for (const hex of ['22ff22', '22c322', '22eda08022', '22c0af22', '22f490808022', 'fffe7b007d00']) {
    refused(Buffer.from(hex, 'hex'), 'malformed')
  }
})

test('64 levels are read, 65 are not, be they lists or objects', () => {
  const lists = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
  for (const nested of [lists, objects]) {
    assert.ok(parse(nested(64)))
    refused(nested(65), 'tooDeep')
    refused(nested(100_000), 'tooDeep')
  }
  refused(`{"a":1,"a":${lists(100)}}`, 'tooDeep')
  refused('['.repeat(1_000_000), 'malformed')
})

test('the time is that of the length, however the text is built', () => {
  const builds: ((count: number) => string)[] = [
    (count) => `[${'"a" ,'.repeat(count)}"a"]`,
    (count) => `{"a"${' '.repeat(count * 5)}:1}`,
    (count) => `["${'\\":'.repeat(count)}"]`,
    (count) => `{${Array.from({ length: count }, (_, index) => `"k${index}" :1`).join(',')}}`,
  ]
  // A quadratic reader would be busy with each of these for minutes.
  for (const build of builds) assert.ok(parse(build(200_000)))
})
