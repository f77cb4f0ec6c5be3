import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FilterNode, parseFilter } from '../../src/odata/filter.js'
import { ODataError } from '../../src/odata/odata-error.js'

/** The tree as an expression with every pair of parentheses. */
function written(node: FilterNode): string {
  switch (node.kind) {
    case 'literal':
      return node.type === 'null' ? 'null' : `${node.type}:${node.value}`
    case 'path':
      return node.segments.join('/')
    case 'and':
    case 'or':
      return `(${node.operands.map(written).join(` ${node.kind} `)})`
    case 'not':
      return `not(${written(node.operand)})`
    case 'compare':
      return `(${written(node.left)} ${node.operator} ${written(node.right)})`
    case 'in':
      return `(${written(node.operand)} in ${node.values.map(written).join(',')})`
    case 'call':
      return `${node.name}(${node.args.map(written).join(',')})`
    case 'any':
    case 'all':
      return `${written(node.collection)}.${node.kind}(${node.variable}:${node.condition ? written(node.condition) : ''})`
    case 'arithmetic':
      return 'arithmetic'
  }
}

const parsed = (text: string) => written(parseFilter(text))

test('or binds weakest, then and, then comparison, then not', () => {
  assert.equal(parsed('a eq 1 or b eq 2 and c eq 3'), '((a eq number:1) or ((b eq number:2) and (c eq number:3)))')
  assert.equal(parsed('(a eq 1 or b eq 2) and c eq 3'), '(((a eq number:1) or (b eq number:2)) and (c eq number:3))')
  assert.equal(parsed('not a and b'), '(not(a) and b)')
  assert.equal(parsed('not a eq true'), '(not(a) eq boolean:true)')
  assert.equal(parsed('not(a eq true)'), 'not((a eq boolean:true))')
  assert.equal(parsed('a and b and c'), '(a and b and c)')
})

test('operators and functions are read in any case, as recorded', () => {
  assert.equal(
    parsed("(isRead EQ false AND parentFolderId Eq 'inbox')"),
    '((isRead eq boolean:false) and (parentFolderId eq string:inbox))',
  )
  assert.equal(parsed("StartsWith(subject,'a')"), 'startswith(subject,string:a)')
})

test('every kind of literal', () => {
  assert.equal(parsed("x eq 'it''s ''it'''"), "(x eq string:it's 'it')")
  assert.equal(parsed("x eq ''"), '(x eq string:)')
  assert.equal(parsed('x eq null'), '(x eq null)')
  assert.equal(parsed('x eq -12.5e2'), '(x eq number:-1250)')
  assert.equal(parsed('x eq 5L'), '(x eq number:5)')
  assert.equal(parsed("importance eq microsoft.graph.importance'high'"), '(importance eq enum:high)')
  assert.equal(parsed('x eq B9CF8971-7d55-4b73-9ffa-a584611b600b'), '(x eq guid:b9cf8971-7d55-4b73-9ffa-a584611b600b)')
  assert.equal(parsed("x in ('a', null,'b')"), '(x in string:a,null,string:b)')
})

test('moments: with and without time, seconds, fraction and offset', () => {
  const at = (text: string) => {
    const node = parseFilter(`d ge ${text}`)
    assert.ok(node.kind === 'compare' && node.right.kind === 'literal' && node.right.type === 'moment')
    return new Date(node.right.value).toISOString()
  }
  assert.equal(at('2017-04-01'), '2017-04-01T00:00:00.000Z')
  assert.equal(at('2017-09-01T10:20:30Z'), '2017-09-01T10:20:30.000Z')
  assert.equal(at('2017-09-01t10:20z'), '2017-09-01T10:20:00.000Z')
  assert.equal(at('2017-09-01T10:20:30.1234567Z'), '2017-09-01T10:20:30.123Z')
  assert.equal(at('2017-09-01T10:20:30+02:00'), '2017-09-01T08:20:30.000Z')
  assert.equal(at('2017-09-01T10:20:30-02:30'), '2017-09-01T12:50:30.000Z')
  // The plus was not escaped, and came as a space.
  assert.equal(at('2017-09-01T10:20:30 02:00'), '2017-09-01T08:20:30.000Z')
  assert.equal(at('2017-09-01T10:20:30'), '2017-09-01T10:20:30.000Z')
})

test('lambdas, nested ones, and calls', () => {
  assert.equal(parsed("categories/any(c:c eq 'Red')"), 'categories.any(c:(c eq string:Red))')
  assert.equal(parsed('not categories/any()'), 'not(categories.any(:))')
  assert.equal(
    parsed("multiValueExtendedProperties/any(ep:ep/id eq 'x' and ep/value/any(v:v eq 'y'))"),
    'multiValueExtendedProperties.any(ep:((ep/id eq string:x) and ep/value.any(v:(v eq string:y))))',
  )
  assert.equal(
    parsed("singleValueExtendedProperties/Any(ep: ep/id eq 'x' and cast(ep/value, Edm.Int32) eq 12)"),
    'singleValueExtendedProperties.any(ep:((ep/id eq string:x) and (cast(ep/value,Edm.Int32) eq number:12)))',
  )
  assert.equal(parsed('any/all eq true'), '(any/all eq boolean:true)')
})

test('what does not parse is refused with its position', () => {
  const refusals: readonly (readonly [string, string])[] = [
    ['', "Expression expected at position 0 in ''."],
    ['subject eq', "Expression expected at position 10 in 'subject eq'."],
    ["subject eq 'a", "There is an unterminated string literal at position 13 in 'subject eq 'a'."],
    ['subject eq hello world', "Syntax error at position 17 in 'subject eq hello world'."],
    ['(a eq 1', "')' or operator expected at position 7 in '(a eq 1'."],
    ['a eq 1)', "Syntax error at position 6 in 'a eq 1)'."],
    ["contains(a,'b'", "')' or ',' expected at position 14 in 'contains(a,'b''."],
    ['a eq #', "Syntax error: character '#' is not valid at position 5 in 'a eq #'."],
    ['a eq 🎉', "Syntax error: character '🎉' is not valid at position 5 in 'a eq 🎉'."],
    ["a in 'b'", "'(' expected at position 5 in 'a in 'b''."],
    ['a in (b)', "Syntax error at position 6 in 'a in (b)'."],
    ['a eq 2017-02-30', "Unrecognized 'Edm.DateTimeOffset' literal '2017-02-30' at '5' in 'a eq 2017-02-30'."],
    ['a/any(c c eq 1)', "Syntax error at position 6 in 'a/any(c c eq 1)'."],
    ['a/', "Syntax error at position 2 in 'a/'."],
  ]
  for (const [text, message] of refusals) {
    assert.throws(
      () => parseFilter(text),
      (error) => error instanceof ODataError && error.option === '$filter' && error.message === message,
      text,
    )
  }
})

test('depth, length and the number of terms are bounded', () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(
      () => parseFilter(text),
      (error) => error instanceof ODataError && message.test(error.message),
    )
  refused(`${'('.repeat(5_000)}a${')'.repeat(5_000)}`.slice(0, 8_000), /Recursion depth/)
  refused(`${'not '.repeat(2_000)}a`, /Recursion depth/)
  refused(`${'a/any(b:'.repeat(900)}b${')'.repeat(900)}`, /Recursion depth/)
  refused(Array.from({ length: 900 }, () => 'a').join(' or '), /node count/)
  refused(`a eq '${'x'.repeat(9_000)}'`, /8192 are the most/)
  assert.equal(parsed(`${'('.repeat(20)}a${')'.repeat(20)}`), 'a')
})
