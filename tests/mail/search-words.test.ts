import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { wordsOf } from '../../src/mail/search-words.js'

test('words are lower case, without diacritics, and end at everything that is no letter or digit', () => {
  const expected: readonly [string, string[]][] = [
    ['Quarterly Report, Q3/2024', ['quarterly', 'report', 'q3', '2024']],
    ['Grüße aus Zürich', ['gruße', 'aus', 'zurich']],
    ['Gru\u0308ße', ['gruße']],
    ['alex.wilber@contoso.com', ['alex', 'wilber', 'contoso', 'com']],
    ['snake_case-word', ['snake', 'case', 'word']],
    ['ПРИВЕТ мир', ['привет', 'мир']],
    ['İstanbul', ['istanbul']],
    ['\ud835\udc00\ufb01n', ['afin']],
    ['北京 東京abc', ['北', '京', '東', '京', 'abc']],
    ['हिन्दी', ['हिन्दी']],
    ['\ud800 a \udc00', ['a']],
    ['🎉 !?', []],
    ['', []],
  ]
  for (const [text, words] of expected) assert.deepEqual(wordsOf(text), words, text)
})

test('a word is cut where none is that long, and not within a character', () => {
  assert.deepEqual(wordsOf('x'.repeat(100)), ['x'.repeat(64)])
  assert.deepEqual(wordsOf(`x${'\u{10400}'.repeat(40)}`), [`x${'\u{10428}'.repeat(31)}`])
})

test('a word of any text is the same word when it is asked for', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      for (const word of wordsOf(text)) {
        assert.deepEqual(wordsOf(word), [word])
        assert.match(word, /^[\p{L}\p{N}\p{M}]{1,64}$/u)
      }
    }),
    { numRuns: 2_000 },
  )
})
