import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type KqlNode, parseSearch } from '../../src/odata/kql.js'
import { ODataError } from '../../src/odata/odata-error.js'

const properties = new Set(['subject', 'from', 'received', 'size'])

/** The tree as text: `(a AND b)`, `"a phrase"`, `subject:a*`. */
function shown(node: KqlNode): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      return `(${node.operands.map(shown).join(` ${node.kind.toUpperCase()} `)})`
    case 'not':
      return `NOT ${shown(node.operand)}`
    case 'term':
      return node.isPhrase ? `"${node.text}"` : node.text
    case 'restriction':
      return `${node.property}${node.operator}${node.isPhrase ? `"${node.text}"` : node.text}`
  }
}

const parsed = (kql: string) =>
  shown(parseSearch(`"${kql.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`, properties))

/** The text of the refusal. */
function refusal(text: string): string {
  try {
    parseSearch(text, properties)
  } catch (error) {
    assert.ok(error instanceof ODataError, String(error))
    assert.equal(error.option, '$search')
    return error.message
  }
  assert.fail(`${text} was accepted`)
}

test('terms stand for all of them, and AND binds tighter than OR', () => {
  assert.equal(parsed('pizza'), 'pizza')
  assert.equal(parsed('pizza  lunch'), '(pizza AND lunch)')
  assert.equal(parsed('pizza AND lunch'), '(pizza AND lunch)')
  assert.equal(parsed('a b OR c AND d OR e'), '((a AND b) OR (c AND d) OR e)')
  assert.equal(parsed('a (b OR c) d'), '(a AND (b OR c) AND d)')
  assert.equal(parsed('NOT a b'), '(NOT a AND b)')
  assert.equal(parsed('a NOT b'), '(a AND NOT b)')
  assert.equal(parsed('a AND NOT (b OR c)'), '(a AND NOT (b OR c))')
  assert.equal(parsed('NOT NOT a'), 'a')
  assert.equal(parsed('a OR NOT b'), '(a OR NOT b)')
})

test('keywords are keywords in capitals alone, and as whole words', () => {
  assert.equal(parsed('salt and pepper'), '(salt AND and AND pepper)')
  assert.equal(parsed('ANDROID ORACLE NOTE'), '(ANDROID AND ORACLE AND NOTE)')
  assert.equal(parsed('a AND(b)OR"c"'), '((a AND b) OR "c")')
})

test('phrases and the star at the end', () => {
  assert.equal(parsed('"has tested" now'), '("has tested" AND now)')
  const star = parseSearch('"rep*"', properties)
  assert.deepEqual(star, { kind: 'term', text: 'rep*', isPhrase: false, isPrefix: true })
  assert.deepEqual(parseSearch('"\\"two wo\\"*"', properties), {
    kind: 'term',
    text: 'two wo',
    isPhrase: true,
    isPrefix: true,
  })
})

test('a property restricts the value that follows it at once', () => {
  assert.equal(parsed('from:alex subject:report'), '(from:alex AND subject:report)')
  assert.equal(parsed('SUBJECT:x'), 'subject:x')
  assert.equal(parsed('subject:"has tested"'), 'subject:"has tested"')
  assert.equal(parsed('subject:(a OR b) c'), '((subject:a OR subject:b) AND c)')
  assert.equal(parsed('received>=07/23/2018'), 'received>=07/23/2018')
  assert.equal(parsed('received:"this week"'), 'received:"this week"')
  assert.equal(parsed('size:1..500000 size<>3 size<=4'), '(size:1..500000 AND size<>3 AND size<=4)')
  assert.equal(parsed('from:help@contoso.com'), 'from:help@contoso.com')
})

test('what no property stands before is free text', () => {
  assert.equal(parsed('http://contoso.com/a'), 'http://contoso.com/a')
  assert.equal(parsed('12:30'), '12:30')
  assert.equal(parsed('colour:red'), 'colour:red')
  assert.equal(parsed('subject: report'), '(subject: AND report)')
})

test('quotes around it all, with escapes, or none around words', () => {
  const tree = (text: string) => shown(parseSearch(text, properties))
  assert.equal(tree('"subject:\\"has tested\\""'), 'subject:"has tested"')
  assert.equal(tree('"a\\\\b"'), 'a\\b')
  assert.equal(tree('pizza'), 'pizza')
  assert.equal(tree('pizza OR pasta'), '(pizza OR pasta)')
  assert.equal(tree('"from:alex" AND "subject:a b"'), '(from:alex AND (subject:a AND b))')
  assert.equal(tree('NOT "size>3" OR pizza'), '(NOT size>3 OR pizza)')
})

test('what is wrong is said with its place', () => {
  const expected: readonly [string, string][] = [
    ['from:alex', "Syntax error: character ':' is not valid at position 4 in 'from:alex'."],
    ['adele@contoso.com', "Syntax error: character '@' is not valid at position 5 in 'adele@contoso.com'."],
    ['"some text (and more"', "Syntax error: character '(' is not valid at position 10 in 'some text (and more'."],
    ['"a) b"', "Syntax error: character ')' is not valid at position 1 in 'a) b'."],
    ['"()"', "Syntax error: character ')' is not valid at position 1 in '()'."],
    ['"a AND"', "Expression expected at position 5 in 'a AND'."],
    ['"a OR OR b"', "Expression expected at position 5 in 'a OR OR b'."],
    ['"AND a"', "Expression expected at position 0 in 'AND a'."],
    ['NOT', "Expression expected at position 3 in 'NOT'."],
    ['"a \\"b"', "There is an unterminated string literal at position 4 in 'a \"b'."],
    ['"a', "There is an unterminated string literal at position 2 in '\"a'."],
    ['""', "The value for OData query '$search' cannot be empty."],
    ['"  "', "The value for OData query '$search' cannot be empty."],
    ['a OR ""', "The value for OData query '$search' cannot be empty."],
    ['"😀" 😀', "Syntax error: character '😀' is not valid at position 0 in '😀'."],
  ]
  for (const [text, message] of expected) assert.equal(refusal(text), message)
})

test('terms and parentheses are bounded', () => {
  assert.match(refusal(`"${'a '.repeat(101)}"`), /more than 100 terms/)
  assert.match(refusal(`"${'('.repeat(21)}a${')'.repeat(21)}"`), /20 levels/)
  assert.equal(shown(parseSearch(`"${'('.repeat(20)}a${')'.repeat(20)}"`, properties)), 'a')
  // Side by side they are not within each other.
  assert.equal(parsed('(a) '.repeat(50)).split('AND').length, 50)
  assert.match(refusal('"a" '.repeat(101)), /more than 100 terms/)
})

test('any text is understood or refused, and nothing else', () => {
  const piece = fc.constantFrom(
    'a',
    'AND',
    'OR',
    'NOT',
    '(',
    ')',
    '"',
    '\\',
    ':',
    'subject',
    '*',
    ' ',
    '..',
    '<>',
    '😀',
    '\ud800',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
  )
  fc.assert(
    fc.property(text, (given) => {
      for (const written of [given, `"${given}"`]) {
        try {
          parseSearch(written, properties)
        } catch (error) {
          assert.ok(error instanceof ODataError, String(error))
        }
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a long text is read in one pass, however it is built', () => {
  const long = 200_000
  for (const text of [
    `"${'\\"'.repeat(long)}`,
    `"${' '.repeat(long)}a`,
    'NOT '.repeat(long),
    `"${'('.repeat(long)}"`,
    `"${'a:'.repeat(long)}"`,
    `"${'"'.repeat(long)}"`,
    `"subject${'<'.repeat(long)}"`,
    'é'.repeat(long),
  ]) {
    try {
      parseSearch(text, properties)
    } catch (error) {
      assert.ok(error instanceof ODataError, String(error))
    }
  }
})
